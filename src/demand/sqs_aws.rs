//! Depths of SQS queues from AWS, and the age of the oldest message from CloudWatch.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use aws_smithy_types::DateTime;

use crate::model::Moment;

use super::sqs_port::{Depth, Queues};
use super::trouble::{Trouble, What, whole};

/// AWS, with the caller's credentials.
#[derive(Debug)]
pub struct AwsQueues {
    config: SdkConfig,
    sqs: aws_sdk_sqs::Client,
    watch: aws_sdk_cloudwatch::Client,
}

impl AwsQueues {
    /// Through a connection that stands.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            sqs: aws_sdk_sqs::Client::new(config),
            watch: aws_sdk_cloudwatch::Client::new(config),
        }
    }

    /// A queue may stand in another region than the stack.
    fn elsewhere(&self, url: &str) -> Option<SdkConfig> {
        let region = region(url)?;
        let here = self.config.region().map(Region::as_ref);
        let other = Region::new(region.to_owned());
        (here != Some(region)).then(|| self.config.to_builder().region(other).build())
    }
}

/// `https://sqs.us-east-1.amazonaws.com/123456789012/jobs` → `us-east-1`
fn region(url: &str) -> Option<&str> {
    let host = url.split("://").nth(1)?.split('/').next()?;
    host.strip_prefix("sqs.")?.split('.').next().filter(|it| it.contains('-'))
}

#[async_trait]
impl Queues for AwsQueues {
    async fn depth(&self, url: &str) -> Result<Depth, Trouble> {
        let other = self.elsewhere(url).map(|config| aws_sdk_sqs::Client::new(&config));
        let client = other.as_ref().unwrap_or(&self.sqs);
        let wanted = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesDelayed,
            Name::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = client.get_queue_attributes().queue_url(url);
        let request = request.set_attribute_names(Some(wanted.to_vec()));
        let answer =
            request.send().await.map_err(|error| sort("sqs:GetQueueAttributes", &error))?;
        let all = answer.attributes.unwrap_or_default();
        let [visible, delayed, in_flight] = wanted.map(|name| number(&all, &name));
        Ok(Depth { visible: visible?, delayed: delayed?, in_flight: in_flight? })
    }

    async fn oldest(&self, url: &str, now: Moment) -> Result<Option<u64>, Trouble> {
        let other = self.elsewhere(url).map(|config| aws_sdk_cloudwatch::Client::new(&config));
        let client = other.as_ref().unwrap_or(&self.watch);
        let queue = url.rsplit('/').next().unwrap_or_default();
        let (from, to) = (now.0.saturating_sub(PAST), now.0.saturating_add(60_000));
        let answer = client
            .get_metric_data()
            .start_time(DateTime::from_millis(from))
            .end_time(DateTime::from_millis(to))
            .scan_by(ScanBy::TimestampDescending)
            .metric_data_queries(query(queue))
            .send()
            .await
            .map_err(|error| sort("cloudwatch:GetMetricData", &error))?;
        let first = answer.metric_data_results.unwrap_or_default().into_iter().next();
        let newest = first.and_then(|found| found.values?.first().copied());
        // A negative age or none at all says nothing.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(newest.filter(|age| age.is_finite() && *age >= 0.0).map(|age| age as u64))
    }
}

/// A value of the last ten minutes still says something: they come late.
const PAST: i64 = 600_000;

fn query(queue: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("QueueName").value(queue).build();
    let metric = Metric::builder()
        .namespace("AWS/SQS")
        .metric_name("ApproximateAgeOfOldestMessage")
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
    MetricDataQuery::builder().id("age").metric_stat(stat).return_data(true).build()
}

fn number(all: &HashMap<Name, String>, name: &Name) -> Result<u64, Trouble> {
    let read = all.get(name).and_then(|text| text.parse().ok());
    read.ok_or_else(|| {
        let text = format!("sqs:GetQueueAttributes told no {}", name.as_str());
        Trouble::new(What::Answer, text)
    })
}

fn sort<E, R>(api: &str, error: &SdkError<E, R>) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = error.code().unwrap_or_default();
    let words = [
        "AccessDenied",
        "NotAuthorized",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "UnrecognizedClient",
        "InvalidAccessKeyId",
        "Unauthorized",
    ];
    let what = match error {
        SdkError::TimeoutError(_) => What::Timeout,
        SdkError::DispatchFailure(_) => What::Unreachable,
        _ if words.iter().any(|word| code.contains(word)) => What::Denied,
        _ => What::Answer,
    };
    let said = error.message().map_or_else(|| whole(error), str::to_owned);
    let code = if code.is_empty() { String::new() } else { format!("{code}: ") };
    Trouble::new(what, format!("{api}: {code}{said}"))
}
