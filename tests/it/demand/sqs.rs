//! `source "sqs"` against moto's SQS and CloudWatch.

use std::sync::Arc;

use mlinfra::demand::{AwsQueues, Queues, What};
use mlinfra::fleet::Shape;

use super::web::{Page, Web};
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

/// An answer of CloudWatch, whose protocol (RPC over CBOR) moto does not speak.
fn answer(status: &str, body: &[u8]) -> Page {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    Page::Bytes([head.as_bytes(), body].concat())
}

#[tokio::test]
#[ignore = "starts moto"]
async fn the_age_of_the_oldest_message_comes_from_cloudwatch() {
    let moto = Moto::start().await;
    let aws = moto.aws().await;
    // { "MetricDataResults": [{ "Values": [3600.0] }] }
    let head = &b"\xa1\x71MetricDataResults\x81\xa1\x66Values\x81\xfb"[..];
    let age = [head, &3600_f64.to_be_bytes()[..]];
    let none = b"\xa1\x71MetricDataResults\x81\xa1\x66Values\x80".to_vec();
    let denied = b"\xa1\x66__type\x6cAccessDenied".to_vec();
    for (page, expect) in [
        (answer("200 OK", &age.concat()), Ok(Some(3600))),
        (answer("200 OK", &none), Ok(None)),
        (answer("403 Forbidden", &denied), Err(What::Denied)),
    ] {
        let web = Web::serve(page).await;
        let place = format!("http://127.0.0.1:{}", web.port);
        let queues = AwsQueues::new(&aws.sdk().to_builder().endpoint_url(place).build());
        let url = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs";
        let told = queues.oldest(url, NOW).await;
        assert_eq!(told.clone().map_err(|trouble| trouble.what), expect, "{told:?}");
    }
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
