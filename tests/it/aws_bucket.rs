//! Buckets over the wire.

use mlinfra::cloud::{Call, Class, Cloud};
use mlinfra::kinds::{
    Bucket, Encryption, Home, KindName, LifecycleRule, Spec, Tags, canonical_json,
};
use mlinfra::model::{CloudId, Text};

use crate::aws_stage::{Stage, home};

const NAME: &str = "llm-data-123456789012-us-east-1-an";

fn policy(effect: &str) -> Option<Text> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":"*",
        "Action":"s3:*","Resource":["arn:aws:s3:::{NAME}","arn:aws:s3:::{NAME}/*"],
        "Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
    );
    canonical_json(&text).map(Text::Known)
}

fn rule(id: &str, days: i32) -> LifecycleRule {
    LifecycleRule {
        id: id.to_owned(),
        prefix: format!("{id}/"),
        expire_days: Some(days),
        noncurrent_days: Some(30),
        abort_upload_days: None,
    }
}

fn bucket() -> Bucket {
    let uploads = LifecycleRule {
        id: "uploads".to_owned(),
        prefix: String::new(),
        expire_days: None,
        noncurrent_days: None,
        abort_upload_days: Some(7),
    };
    Bucket {
        name: NAME.to_owned(),
        versioning: true,
        encryption: Some(Encryption { algorithm: "AES256".to_owned(), key: None }),
        public_access_block: true,
        ownership: Some("BucketOwnerEnforced".to_owned()),
        policy: policy("Deny"),
        lifecycle: vec![rule("tmp", 14), uploads],
        precious: true,
        tags: Tags::from([("team".to_owned(), "nlp".to_owned())]),
    }
}

fn id(home: &Home) -> CloudId {
    CloudId(home.arn("s3", NAME))
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_bucket_lives_and_dies() {
    let stage = Stage::new().await;
    let first = bucket();
    let kms = Encryption { algorithm: "aws:kms".to_owned(), key: None };
    let stages: Vec<Spec> = vec![
        first.clone().into(),
        Bucket { versioning: false, ..first.clone() }.into(),
        Bucket { encryption: Some(kms), ..first.clone() }.into(),
        Bucket { public_access_block: false, ..first.clone() }.into(),
        Bucket { ownership: Some("ObjectWriter".to_owned()), ..first.clone() }.into(),
        Bucket { policy: None, ..first.clone() }.into(),
        Bucket { lifecycle: vec![rule("tmp", 3)], ..first.clone() }.into(),
        Bucket { lifecycle: Vec::new(), ..first.clone() }.into(),
        Bucket { precious: false, ..first.clone() }.into(),
        Bucket { tags: Tags::from([("cost".to_owned(), "1".to_owned())]), ..first.clone() }.into(),
        Bucket { tags: Tags::new(), ..first.clone() }.into(),
    ];
    let made = stage.life("bucket.data", &stages, &[]).await;
    assert_eq!(made, id(&home()));
    stage.end(&made, &first.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_bucket_is_made_once() {
    let stage = Stage::new().await;
    let (want, owner) = (Spec::from(bucket()), stage.owner("bucket.data"));
    let made = stage.create(&want, &owner).await.expect("a bucket");
    stage.only_once(&made, &want, &owner).await;

    // A bucket that nobody tagged is not ours, and is not seen.
    stage.moto.raw("PUT", "/llm-foreign", "").await;
    let foreign = Bucket { name: "llm-foreign".to_owned(), ..bucket() }.into();
    let refused = stage.create(&foreign, &stage.owner("bucket.other")).await;
    assert_eq!(refused.map_err(|bad| bad.class), Err(Class::Exists));
    assert_eq!(stage.observe().await.live.len(), 1);
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_bucket_is_emptied_before_it_is_deleted() {
    let stage = Stage::new().await;
    // moto obeys the policy without looking at its condition.
    let want = Spec::from(Bucket { policy: None, ..bucket() });
    let made = stage.make("bucket.data", want.clone()).await;
    assert!(!stage.live(&made).await.holds_data);
    for round in 0..2 {
        for object in 0..3 {
            let path = format!("/{NAME}/dir/object-{object}?round={round}");
            stage.moto.raw("PUT", &path, "contents").await;
        }
    }
    stage.moto.raw("DELETE", &format!("/{NAME}/dir/object-0"), "").await;
    assert!(stage.live(&made).await.holds_data);
    let delete = Call::Delete { id: made.clone(), was: want.clone() };
    let refused = stage.act(delete).await.expect_err("it is not empty");
    assert_eq!(refused.class, Class::InUse, "{refused}");
    while stage.act(Call::Empty { id: made.clone() }).await.expect("emptied").more {}
    stage.end(&made, &want).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_bucket_under_a_chosen_name_is_found_by_it() {
    let mut stage = Stage::new().await;
    let want = Spec::from(Bucket { name: "chosen".to_owned(), policy: None, ..bucket() });
    let made = stage.make("bucket.data", want.clone()).await;
    assert_eq!(stage.observe().await.live.len(), 0);
    stage.scope.names.insert((KindName::Bucket, "chosen".to_owned()));
    stage.is(&made, &want, &[]).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_bucket_refresh_keeps_its_budget() {
    let stage = Stage::new().await;
    for number in 0..5 {
        let name = format!("llm-{number}");
        stage.make("bucket.data", Bucket { name, policy: None, ..bucket() }).await;
    }
    let count = |aws: &mlinfra::aws::Aws| -> u64 {
        aws.calls().iter().filter(|(api, _)| api.starts_with("s3:")).map(|(_, c)| c.calls).sum()
    };
    let before = count(&stage.aws);
    stage.observe().await;
    let budget = KindName::Bucket.traits().budget;
    // Objects of ours are looked for among the buckets, too.
    let objects = KindName::BucketObject.traits().budget.list;
    let allowed = u64::from(budget.list + objects) + 5 * u64::from(budget.detail);
    let spent = count(&stage.aws) - before;
    assert!(spent <= allowed, "{spent} calls for {allowed}");
}
