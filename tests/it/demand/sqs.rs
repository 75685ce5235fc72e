//! `source "sqs"` against moto's SQS and CloudSources.

use std::sync::Arc;

use mlinfra::demand::{AwsQueues, Queues, What};
use mlinfra::fleet::Shape;
use mlinfra::model::Moment;

use super::{Around, NOW, known, told};
use crate::moto::Moto;

async fn queues(moto: &Moto) -> Arc<dyn Queues> {
    let aws = moto.aws().await;
    Arc::new(AwsQueues::new(aws.sdk()))
}

/// Says something to moto's SQS in its own protocol.
async fn say(moto: &Moto, action: &str, body: &str) -> String {
    let aws = moto.aws().await;
    let client = aws_sdk_sqs::Client::new(aws.sdk());
    let url = format!("http://{}/123456789012/jobs", moto.direct);
    match action {
        "create" => {
            client.create_queue().queue_name("jobs").send().await.map(|_| ()).expect("made")
        }
        "send" => client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .delay_seconds(if body == "late" { 900 } else { 0 })
            .send()
            .await
            .map(|_| ())
            .expect("sent"),
        "receive" => {
            let got =
                client.receive_message().queue_url(url).max_number_of_messages(1).send().await;
            let got = got.expect("received").messages.unwrap_or_default();
            return got.first().and_then(|message| message.body.clone()).unwrap_or_default();
        }
        other => panic!("{other}"),
    }
    String::new()
}

fn source(moto: &Moto) -> String {
    format!(
        "source \"sqs\" {{\n url = \"https://{}/123456789012/jobs\"\n \
         job = {{ gpus = 8, nodes = 2 }}\n}}",
        moto.direct
    )
}

#[tokio::test]
#[ignore = "starts moto"]
async fn depths_of_sqs_are_counted_and_nothing_is_received() {
    let moto = Moto::start().await;
    say(&moto, "create", "").await;
    let folder = tempfile::tempdir().expect("a folder");
    let queues = Some(queues(&moto).await);
    let around = Around { queues, ..Around::folder(folder.path()) };
    let watch = around.open(&source(&moto)).expect("a source");
    assert_eq!(known(&watch.look(NOW).await), (vec![], 0));
    for body in ["a", "b", "c", "late"] {
        say(&moto, "send", body).await;
    }
    assert_eq!(known(&watch.look(NOW).await), (vec![(4, Shape::gang(8, 2))], 0));
    // Had anybody received it, it would be hidden now.
    assert!(!say(&moto, "receive", "").await.is_empty());
    assert_eq!(known(&watch.look(NOW).await), (vec![(3, Shape::gang(8, 2))], 1));
}

#[tokio::test]
#[ignore = "starts moto"]
async fn the_age_of_the_oldest_message_comes_from_cloudwatch() {
    let moto = Moto::start().await;
    say(&moto, "create", "").await;
    say(&moto, "send", "a").await;
    let aws = moto.aws().await;
    let watch = aws_sdk_cloudwatch::Client::new(aws.sdk());
    let queue =
        aws_sdk_cloudwatch::types::Dimension::builder().name("QueueName").value("jobs").build();
    let datum = aws_sdk_cloudwatch::types::MetricDatum::builder()
        .metric_name("ApproximateAgeOfOldestMessage")
        .dimensions(queue)
        .timestamp(aws_smithy_types::DateTime::from_millis(NOW.0 - 120_000))
        .value(3600.0)
        .build();
    watch.put_metric_data().namespace("AWS/SQS").metric_data(datum).send().await.expect("kept");
    let folder = tempfile::tempdir().expect("a folder");
    let around = Around { queues: Some(queues(&moto).await), ..Around::folder(folder.path()) };
    let answer = around.look(&source(&moto)).await;
    assert_eq!(answer.reports[0].oldest, Some(Moment(NOW.0 - 3_600_000)));
    let without = source(&moto).replace("job =", "oldest_age = false\n job =");
    assert_eq!(around.look(&without).await.reports[0].oldest, None);
}

#[tokio::test]
#[ignore = "starts moto"]
async fn a_queue_that_is_not_there_and_an_aws_that_is_gone_are_trouble() {
    let moto = Moto::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let around = Around { queues: Some(queues(&moto).await), ..Around::folder(folder.path()) };
    let trouble = around.trouble(&source(&moto)).await;
    told(&trouble, What::Answer, "sqs:GetQueueAttributes: ");
    let source = source(&moto);
    drop(moto);
    told(&around.trouble(&source).await, What::Unreachable, "sqs:GetQueueAttributes: ");
}
