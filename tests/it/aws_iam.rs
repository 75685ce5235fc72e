//! Roles, instance profiles and queues over the wire.

use mlinfra::kinds::{
    DeadLetter, InlinePolicy, InstanceProfile, Kind, Queue, Role, Spec, Tags, canonical_json,
};
use mlinfra::model::{Link, Text};

use crate::aws_network::{link, tags};
use crate::aws_stage::{Stage, home};

const PATH: &str = "/mlinfra/us-east-1/llm/";

fn json(text: &str) -> Text {
    Text::Known(canonical_json(text).expect("JSON"))
}

fn trust(service: &str) -> Text {
    json(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
        "Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
    ))
}

fn policy(name: &str, action: &str) -> InlinePolicy {
    let document = json(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{action}"],
        "Resource":["arn:aws:s3:::llm-data/*"]}}]}}"#
    ));
    InlinePolicy { name: name.to_owned(), document }
}

pub fn role() -> Role {
    Role {
        name: "llm-train-us-east-1".to_owned(),
        path: PATH.to_owned(),
        description: "nodes of train".to_owned(),
        trust: trust("ec2.amazonaws.com"),
        policies: vec![policy("data", "s3:GetObject")],
        managed: vec!["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore".to_owned()],
        tags: tags(&[("team", "nlp")]),
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_role_lives_and_dies() {
    let stage = Stage::new().await;
    let first = role();
    let both = vec![policy("data", "s3:PutObject"), policy("logs", "s3:ListBucket")];
    let last = Role { tags: tags(&[("cost", "1")]), ..first.clone() };
    let stages: Vec<Spec> = vec![
        first.clone().into(),
        Role { description: "others".to_owned(), ..first.clone() }.into(),
        Role { trust: trust("lambda.amazonaws.com"), ..first.clone() }.into(),
        Role { policies: both, ..first.clone() }.into(),
        Role { policies: Vec::new(), ..first.clone() }.into(),
        Role { managed: Vec::new(), ..first.clone() }.into(),
        last.clone().into(),
    ];
    let id = stage.life("cluster.train/role", &stages, &[]).await;
    assert_eq!(Some(id.clone()), first.computed_id(&home()));
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_role_and_profile_are_made_once() {
    let stage = Stage::new().await;
    let (want, owner) = (Spec::from(role()), stage.owner("cluster.train/role"));
    let id = stage.create(&want, &owner).await.expect("a role");
    stage.only_once(&id, &want, &owner).await;
    let (want, owner) = (Spec::from(profile(Vec::new())), stage.owner("cluster.train/profile"));
    let id = stage.create(&want, &owner).await.expect("a profile");
    stage.only_once(&id, &want, &owner).await;
}

fn profile(roles: Vec<Link<mlinfra::model::RoleArn>>) -> InstanceProfile {
    InstanceProfile {
        name: "llm-train-us-east-1".to_owned(),
        path: PATH.to_owned(),
        roles,
        tags: Tags::new(),
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_instance_profile_lives_and_dies() {
    let stage = Stage::new().await;
    let one = stage.make("cluster.train/role", role()).await;
    let other = Role { name: "llm-other".to_owned(), ..role() };
    let two = stage.make("cluster.other/role", other).await;
    let first = profile(vec![link(&one)]);
    let second = profile(vec![link(&two)]);
    let last = InstanceProfile { tags: tags(&[("a", "b")]), ..second.clone() };
    let stages = [first.clone(), second, last.clone()].map(Spec::from);
    let id = stage.life("cluster.train/profile", &stages, &[]).await;
    assert_eq!(Some(id.clone()), first.computed_id(&home()));
    stage.end(&id, &last.into()).await;
}

fn queue(name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        fifo: false,
        visibility_timeout: 3600,
        retention: 1_209_600,
        receive_wait: 20,
        encrypted: true,
        dead_letter: None,
        policy: None,
        tags: tags(&[("team", "nlp")]),
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_queue_lives_and_dies() {
    let stage = Stage::new().await;
    let dead = stage.make("queue.training/dead", queue("llm-training-dead")).await;
    let more = stage.make("queue.training/more", queue("llm-training-more")).await;
    let letter = |id, max| Some(DeadLetter { queue: link(id), max_receives: max });
    let policy = json(
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"tls","Effect":"Deny","Principal":"*",
        "Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:llm-training",
        "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#,
    );
    let first = Queue { dead_letter: letter(&dead, 3), ..queue("llm-training") };
    let last = Queue { tags: tags(&[("a", "b")]), ..first.clone() };
    let stages: Vec<Spec> = vec![
        first.clone().into(),
        Queue { visibility_timeout: 60, ..first.clone() }.into(),
        Queue { retention: 60, ..first.clone() }.into(),
        Queue { receive_wait: 0, ..first.clone() }.into(),
        Queue { encrypted: false, ..first.clone() }.into(),
        Queue { dead_letter: letter(&more, 5), ..first.clone() }.into(),
        Queue { dead_letter: None, ..first.clone() }.into(),
        // moto drops the policy with every other change, so it is tried by itself.
        Queue { policy: Some(policy), ..first.clone() }.into(),
        first.clone().into(),
        last.clone().into(),
    ];
    let id = stage.life("queue.training", &stages, &[]).await;
    assert_eq!(Some(id.clone()), first.computed_id(&home()));
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_queue_is_made_once() {
    let stage = Stage::new().await;
    let fifo = Queue { fifo: true, ..queue("llm-training.fifo") };
    let (want, owner) = (Spec::from(fifo), stage.owner("queue.training"));
    let id = stage.create(&want, &owner).await.expect("a queue");
    stage.is(&id, &want, &[]).await;
    stage.only_once(&id, &want, &owner).await;
}
