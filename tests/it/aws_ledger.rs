//! The ledger's calls at the SDK's own seam: what is sent, and what answers mean.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use mlinfra::aws::{Aws, Shelf};
use mlinfra::ledger::{Miss, Objects, Version};
use mlinfra::model::{AccountId, Region};

use crate::seam::{self, Answers, WHO};

/// One answer: a status and a code. No status is no answer.
type Answer = (u16, &'static str);

/// Answers in turn, then always 200; remembers the heads of all requests to S3.
#[derive(Clone, Debug, Default)]
struct Wire {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Answers for Wire {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().contains("sts.") {
            return HttpConnectorFuture::ready(Ok(response(200, WHO.to_owned())));
        }
        let mut head = format!("{} {}", request.method(), request.uri());
        for (name, value) in request.headers() {
            head.push_str(&format!("\n{name}: {value}"));
        }
        self.sent.lock().unwrap().push(head);
        let (status, code) = self.answers.lock().unwrap().pop_front().unwrap_or((200, ""));
        HttpConnectorFuture::ready(match status {
            0 => Err(ConnectorError::io("the connection broke".into())),
            200 => Ok(response(200, "<ListBucketResult></ListBucketResult>".to_owned())),
            _ => Ok(response(status, format!("<Error><Code>{code}</Code></Error>"))),
        })
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    let mut response = seam::response(status, body);
    response.headers_mut().insert("etag", "\"e-1\"");
    response
}

impl Wire {
    async fn bucket(&self, account: Option<&str>) -> impl Objects + use<> {
        let aws = Aws::connect(seam::connect(self.clone())).await.unwrap();
        aws.bucket(Shelf {
            bucket: "acme-mlinfra".to_owned(),
            folder: "mlinfra/llm".to_owned(),
            region: Region::from("eu-west-1"),
            account: account.map(AccountId::from),
            kms_key: Some("arn:aws:kms:eu-west-1:123456789012:key/k".to_owned()),
            lease: Duration::from_secs(60),
        })
    }

    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_of_the_ledger_names_the_owner_and_writes_name_their_condition() {
    for (account, owner) in [(None, "123456789012"), (Some("999999999999"), "999999999999")] {
        let wire = Wire::default();
        let bucket = wire.bucket(account).await;
        let version = Version("\"e-0\"".to_owned());
        bucket.get("state").await.unwrap();
        bucket.delete("journal/1").await.unwrap();
        bucket.list("journal/").await.unwrap();
        bucket.put_new("lock/stack", b"x").await.unwrap();
        assert_eq!(bucket.put_if("state", b"x", &version).await.unwrap().0, "\"e-1\"");
        let sent = wire.sent();
        assert_eq!(sent.len(), 5);
        for head in &sent {
            assert!(head.contains(&format!("x-amz-expected-bucket-owner: {owner}")), "{head}");
            assert!(head.contains("eu-west-1"), "the bucket's region: {head}");
        }
        let has = |at: usize, text: &str| assert!(sent[at].contains(text), "{text}: {}", sent[at]);
        has(0, "/mlinfra/llm/state");
        has(2, "prefix=mlinfra%2Fllm%2Fjournal%2F");
        has(3, "if-none-match: *");
        has(4, "if-match: \"e-0\"");
        for at in [3, 4] {
            has(at, "x-amz-server-side-encryption: aws:kms");
            has(at, "key/k");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_s3_mean_what_the_ledger_takes_them_for() {
    let version = Version("\"e-0\"".to_owned());
    // The answers, what a replacing write makes of them, and how often it is sent.
    let cases: [(&[Answer], Result<(), &str>, usize); 9] = [
        (&[(412, "PreconditionFailed")], Err("condition"), 1),
        (&[(404, "NoSuchKey")], Err("condition"), 1),
        (&[(409, "ConditionalRequestConflict")], Err("conflict"), 1),
        (&[(503, "SlowDown"), (200, "")], Ok(()), 2),
        (&[(0, ""), (200, "")], Ok(()), 2),
        (&[(0, ""), (412, "PreconditionFailed")], Err("condition"), 2),
        (
            &[(500, "InternalError"), (500, "InternalError"), (500, "InternalError")],
            Err("unanswered"),
            3,
        ),
        (&[(403, "AccessDenied")], Err("refused"), 1),
        (&[(404, "NoSuchBucket")], Err("refused"), 1),
    ];
    for (answers, expect, sent) in cases {
        let wire = Wire::default();
        let bucket = wire.bucket(None).await;
        wire.answers.lock().unwrap().extend(answers);
        let told = bucket.put_if("state", b"x", &version).await;
        let told = match &told {
            Ok(_) => Ok(()),
            Err(Miss::Condition) => Err("condition"),
            Err(Miss::Conflict) => Err("conflict"),
            Err(Miss::Unanswered(_)) => Err("unanswered"),
            Err(Miss::Refused(_)) => Err("refused"),
        };
        assert_eq!((told, wire.sent().len()), (expect, sent), "{answers:?}");
    }
    let wire = Wire::default();
    let bucket = wire.bucket(None).await;
    wire.answers.lock().unwrap().push_back((404, "NoSuchKey"));
    assert_eq!(bucket.get("state").await, Ok(None));
}
