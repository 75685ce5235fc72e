//! Random walks: stacks, worlds, faults and foreign hands follow from a seed. Whatever
//! happens, planning twice says the same, applying converges, the plan is then empty,
//! and nothing without our tags is touched.
//!
//! `MLINFRA_WALKS` sets how many, `MLINFRA_SEED` replays one.

use std::collections::BTreeMap;
use std::time::Duration;

use mlinfra::cloud::Phase;
use mlinfra::kinds::{ElasticIp, KindName, Spec, Tags, Vpc};
use mlinfra::model::{StackName, tags};
use mlinfra::sim::{Fault, FaultKind, ObjectView, Settings};
use mlinfra::stack::Desired;
use serde_json::{Value, json};

use crate::dice::{Dice, number};
use crate::lab::Lab;

/// A configuration.
fn stack(dice: &mut Dice) -> String {
    let mut text = String::from("stack \"walk\" {\n  region = \"us-east-1\"\n}\n");
    let mut buckets = Vec::new();
    for name in ["a", "b", "c"] {
        if dice.one_in(2) {
            let versioning = dice.one_in(2);
            let expire = if dice.one_in(2) { "  expire {\n    after = \"7d\"\n  }\n" } else { "" };
            let team = dice.pick(&["x", "y"]);
            text.push_str(&format!(
                "bucket \"{name}\" {{\n  versioning = {versioning}\n  precious = false\n  \
                 tags = {{ team = \"{team}\" }}\n{expire}}}\n"
            ));
            buckets.push(format!("bucket.{name}"));
        }
    }
    let queue = dice.one_in(2);
    if queue {
        let (fifo, wait) = (dice.one_in(2), dice.pick(&["1m", "2h"]));
        text.push_str(&format!(
            "queue \"q\" {{\n  fifo = {fifo}\n  visibility_timeout = \"{wait}\"\n}}\n"
        ));
    }
    if dice.one_in(4) {
        return text;
    }
    let cidr = dice.pick(&["10.1.0.0/16", "10.2.0.0/18"]);
    let nat = dice.pick(&["single", "none"]);
    let zones = dice.pick(&["\"b\"", "\"a\", \"b\"", "\"b\", \"c\""]);
    text.push_str(&format!(
        "network \"n\" {{\n  cidr = \"{cidr}\"\n  nat = \"{nat}\"\n  zones = [{zones}]\n}}\n"
    ));
    if dice.one_in(3) {
        return text;
    }
    let kind = dice.pick(&["g5.xlarge", "g5.8xlarge", "p5.48xlarge", "m7i.large"]);
    let nodes = dice.roll(4);
    let setup = dice.pick(&["one", "two ${network.n.id}"]);
    text.push_str(&format!(
        "cluster \"c\" {{\n  network = network.n\n  instance_type = \"{kind}\"\n  \
         nodes = {nodes}\n  setup = \"echo {setup}\"\n  read = [{}]\n",
        buckets.join(", ")
    ));
    if queue {
        text.push_str("  queue = queue.q\n");
    }
    text.push_str("}\n");
    text
}

/// How the world behaves in this walk.
fn world(dice: &mut Dice) -> Settings {
    let mut settings = Settings {
        visibility_ms: *dice.pick(&[0, 0, 3_000, 40_000]),
        throttle: *dice.pick(&[0, 0, 30]),
        ..Settings::default()
    };
    if dice.one_in(3) {
        // Every network of a walk has another zone.
        settings.capacity = [("p5.48xlarge@us-east-1a".to_owned(), 0)].into();
    }
    settings
}

fn faults(dice: &mut Dice) -> Vec<Fault> {
    let kinds =
        [FaultKind::FailBefore, FaultKind::LoseAnswer, FaultKind::Throttle, FaultKind::Deny];
    (0..dice.roll(4))
        .map(|_| Fault { kind: *dice.pick(&kinds), api: None, nth: 1 + dice.roll(40) })
        .collect()
}

/// Somebody else changes or deletes something of ours.
fn foreign_hand(dice: &mut Dice, lab: &Lab) {
    let objects: Vec<ObjectView> = lab.objects("walk").into_values().flatten().collect();
    if objects.is_empty() {
        return;
    }
    let object = dice.pick(&objects);
    if object.kind == KindName::Node || dice.one_in(4) {
        // Some things cannot be deleted while others stand on them.
        let _ = lab.region.foreign_delete(object.id.as_str());
        return;
    }
    let fields = object.spec.fields();
    let open: Vec<&&str> =
        object.kind.traits().in_place.iter().filter(|field| fields.contains_key(**field)).collect();
    let field = **dice.pick(&open);
    let value = match &fields[field] {
        Value::Bool(truth) => json!(!truth),
        Value::Number(_) => json!(2),
        Value::Array(_) => json!([]),
        Value::Object(_) if field == "tags" => json!({ "team": "theirs" }),
        Value::Object(_) => json!(null),
        Value::String(_) | Value::Null => return,
    };
    let _ = lab.region.foreign_edit(object.id.as_str(), field, value);
}

/// Objects that are not ours, as they are.
fn strangers(lab: &Lab) -> BTreeMap<String, (Spec, Tags)> {
    lab.region
        .snapshot()
        .into_iter()
        .filter(|object| object.tags.get(tags::STACK).map(String::as_str) != Some("walk"))
        .map(|object| (object.id.to_string(), (object.spec, object.tags)))
        .collect()
}

fn settle_strangers(lab: &Lab) {
    let look_alike = Tags::from([
        (tags::STACK.to_owned(), "walk-2".to_owned()),
        (tags::ADDRESS.to_owned(), "network.n/vpc".to_owned()),
        (tags::GENERATION.to_owned(), "1".to_owned()),
    ]);
    let vpc = Vpc {
        cidr: "10.1.0.0/16".to_owned(),
        dns_support: true,
        dns_hostnames: false,
        tags: Tags::new(),
    };
    lab.region.foreign_create(&vpc.into(), look_alike).expect("a look-alike");
    let ip = ElasticIp { tags: Tags::from([("Name".to_owned(), "theirs".to_owned())]) };
    lab.region.foreign_create(&ip.into(), Tags::new()).expect("an untagged object");
}

async fn converge(lab: &Lab, desired: &Desired, what: &str) -> usize {
    for applies in 1..=5 {
        // The same question gets the same answer.
        let (one, two) = (lab.plan(desired).await, lab.plan(desired).await);
        assert_eq!(format!("{one:?}"), format!("{two:?}"), "{what}: two plans");
        match lab.apply(desired).await {
            Ok((_, ended)) if ended.is_converged() => return applies,
            Ok((_, ended)) if applies == 5 => panic!("{what}: {ended:#?}"),
            Err(no) if applies == 5 => panic!("{what}: {no:?}"),
            Ok(_) | Err(_) => {}
        }
    }
    unreachable!("the loop returns or panics")
}

async fn walk(seed: u64) -> [usize; 2] {
    let mut dice = Dice(seed);
    let lab = Lab::new(world(&mut dice));
    settle_strangers(&lab);
    let before = strangers(&lab);
    let (mut applies, mut most) = (0, 0);
    for leg in 0..4 {
        let text = stack(&mut dice);
        let what = format!("seed {seed}, leg {leg}\n{text}");
        let desired = if leg == 3 {
            Desired::nothing(StackName::from("walk"))
        } else {
            lab.desired(&text).await
        };
        let mut settings = lab.region.settings();
        settings.faults = faults(&mut dice);
        lab.region.configure(settings).expect("faults");
        let took = converge(&lab, &desired, &what).await;
        (applies, most) = (applies + took, most.max(took));
        assert_eq!(lab.wrongs(&desired), Vec::<String>::new(), "{what}");
        assert!(lab.plan(&desired).await.expect("a plan").is_empty(), "{what}");
        assert_eq!(strangers(&lab), before, "{what}");
        // Twice: the second may find what the first has opened.
        for _ in 0..dice.roll(3) {
            foreign_hand(&mut dice, &lab);
        }
        // What they did shows only after a while; until then nobody can know of it.
        lab.region.advance(Duration::from_secs(60)).expect("time passes");
        converge(&lab, &desired, &format!("{what} after foreign hands")).await;
        assert_eq!(lab.wrongs(&desired), Vec::<String>::new(), "{what} after foreign hands");
    }
    let left = lab.region.snapshot().into_iter().filter(|o| !matches!(o.phase, Phase::Gone));
    assert_eq!(left.count(), before.len(), "seed {seed}: destroyed");
    [applies, most]
}

#[tokio::test(start_paused = true)]
async fn any_walk_converges() {
    if let Some(seed) = number("MLINFRA_SEED") {
        walk(seed).await;
        return;
    }
    let walks = number("MLINFRA_WALKS").unwrap_or(200);
    let (mut applies, mut most) = (0, 0);
    for seed in 0..walks {
        let [took, longest] = walk(seed).await;
        (applies, most) = (applies + took, most.max(longest));
    }
    println!("{walks} walks of 4 legs: {applies} applies, at most {most} for one leg");
}
