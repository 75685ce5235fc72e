//! Plans to print in tests.

// Calls read better with `json!(…)` than with `&json!(…)`.
#![allow(clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use crate::kinds::{
    Action, Care, KindName, Market, Node, Offer, OutputPlan, Plan, Spec, Step, StepId, Tags, Trait,
    Why,
};
use crate::model::{Address, CloudId, Link, Money};
use crate::plan::cost::{Bill, Line, Origin, Rate};

pub(super) fn at(tag: &str) -> Address {
    Address::from_tag(tag).expect("an address")
}

pub(super) fn spec(kind: KindName, fields: Value) -> Spec {
    let Value::Object(map) = fields else { panic!("fields are an object") };
    kind.read(map).expect("a spec")
}

pub(super) fn step(tag: &str, action: Action, why: Why, needs: &[StepId]) -> Step {
    Step { address: at(tag), action, why, needs: needs.to_vec() }
}

pub(super) fn create(spec: Spec) -> Action {
    Action::Create { spec, generation: 1, named: None }
}

pub(super) fn delete(id: &str, was: Spec) -> Action {
    Action::Delete { id: CloudId::from(id), was, empty_first: false }
}

pub(super) fn update(id: &str, was: Spec, spec: Spec) -> Action {
    let fields = crate::kinds::differing(&was, &spec);
    Action::Update { id: CloudId::from(id), was, spec, fields }
}

pub(super) fn subnet(vpc: &Value, zone: &str, cidr: &str) -> Spec {
    let fields = json!({"vpc": vpc, "cidr": cidr, "zone": format!("us-east-1{zone}"),
        "public_ips": false, "tags": {"Name": format!("main-{zone}")}});
    spec(KindName::Subnet, fields)
}

pub(super) fn bucket(name: &str, versioning: bool, policy: Value, tags: Value) -> Spec {
    let fields = json!({"name": name, "versioning": versioning,
        "encryption": {"algorithm": "AES256", "key": null}, "public_access_block": true,
        "ownership": "BucketOwnerEnforced", "policy": policy, "lifecycle": [
            {"id": "tmp", "prefix": "tmp/", "expire_days": 14, "noncurrent_days": null,
             "abort_upload_days": 7}],
        "precious": true, "tags": tags});
    spec(KindName::Bucket, fields)
}

pub(super) fn template(name: &str, image_from: &str, user_data: Value) -> Spec {
    let fields = json!({"name": name, "image": "ami-1",
        "image_from": image_from,
        "profile": {"$to": "cluster.train/profile"},
        "groups": [{"$to": "cluster.train/group"}],
        "disk": {"device": "/dev/sda1", "size": 200, "volume_type": "gp3", "iops": null,
            "throughput": null, "encrypted": true},
        "user_data": user_data,
        "metadata": {"tokens": "required", "hop_limit": 1, "tags": true},
        "on_shutdown": "terminate", "default_version": 1, "tags": {}});
    spec(KindName::LaunchTemplate, fields)
}

pub(super) fn offer(zone: &str) -> Offer {
    let subnet = Link::To(at(&format!("network.main/private-{zone}")));
    Offer::plain("p5.48xlarge", format!("us-east-1{zone}").into(), subnet)
}

fn network(steps: &mut Vec<Step>) {
    let vpc = json!({"$to": "network.main/vpc"});
    let fields = json!({"cidr": "10.20.0.0/16", "dns_support": true, "dns_hostnames": true,
        "tags": {"team": "ml"}});
    steps.push(step("network.main/vpc", create(spec(KindName::Vpc, fields)), Why::Missing, &[]));
    for (i, zone) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        let made = subnet(&vpc, zone, &format!("10.20.{}.0/20", i * 16));
        let tag = format!("network.main/private-{zone}");
        steps.push(step(&tag, create(made), Why::Missing, &[0]));
    }
    for zone in ["a", "b"] {
        let fields = json!({"subnet": {"$to": format!("network.main/public-{zone}")},
            "address": {"$to": format!("network.main/address-{zone}")}, "tags": {}});
        let tag = format!("network.main/nat-{zone}");
        let made = spec(KindName::NatGateway, fields);
        steps.push(step(&tag, create(made), Why::Missing, &[0]));
    }
}

/// What a newcomer sees first: everything is made.
pub(super) fn fresh() -> Plan {
    let mut plan = Plan::default();
    network(&mut plan.steps);
    let policy = json!("{\"Statement\":[{\"Effect\":\"Deny\"}],\"Version\":\"2012-10-17\"}");
    let made = bucket("acme-datasets", true, policy, json!({}));
    plan.steps.push(step("bucket.datasets", create(made), Why::Missing, &[]));
    let data = json!({"$text": [{"plain": "#!/bin/sh\nexport VPC="}, {"id": "network.main/vpc"}]});
    let made = template("llm-train", "dlami-base", data);
    let made = step("cluster.train/template", create(made), Why::Missing, &[0]);
    plan.steps.push(made);
    let launch = Action::Launch {
        batch: 1,
        count: 4,
        gang: true,
        template: Link::To(at("cluster.train/template")),
        offers: ["a", "b", "c", "d", "e", "f"].into_iter().map(offer).collect(),
        tags: Tags::new(),
        care: Care::default(),
    };
    let why = Why::Grow { from: 0, to: 4 };
    plan.steps.push(step("cluster.train/nodes", launch, why, &[10, 11]));
    let output = |value: Value, sensitive| OutputPlan { value, sensitive };
    plan.outputs = [
        ("bucket".to_owned(), output(json!("acme-datasets"), false)),
        ("token".to_owned(), output(json!("hunter2"), true)),
        ("vpc".to_owned(), output(json!({"$text": [{"id": "network.main/vpc"}]}), false)),
    ]
    .into();
    plan
}

/// A node that runs in a zone.
fn node(zone: &str) -> Node {
    Node {
        template: Link::Id("lt-1".into()),
        subnet: Link::Id("subnet-1".into()),
        zone: zone.into(),
        instance_type: "g6.xlarge".to_owned(),
        market: Market::OnDemand,
        placement: None,
        reservation: None,
    }
}

/// Changes of every sort.
pub(super) fn mixed() -> Plan {
    let vpc = json!({"$id": "vpc-1"});
    let policy = |effect: &str| {
        json!(format!("{{\"Statement\":[{{\"Effect\":\"{effect}\"}}],\"Version\":\"2012-10-17\"}}"))
    };
    let changed = update(
        "arn:aws:s3:::acme-datasets",
        bucket("acme-datasets", false, policy("Allow"), json!({"owner": "ann", "env": "dev"})),
        bucket("acme-datasets", true, policy("Deny"), json!({"env": "prod", "team": "ml"})),
    );
    let was = template("llm-train", "al2023", json!("#!/bin/sh\nset -e\necho one\n"));
    let wanted = template("llm-train-g2", "dlami-base", json!("#!/bin/sh\nset -e\necho two\n"));
    let replaces = Why::Replaces {
        ids: vec!["lt-1".into()],
        fields: vec!["image_from".to_owned(), "user_data".to_owned()],
    };
    let gone = Action::Terminate {
        nodes: vec!["i-1".into(), "i-2".into()],
        was: vec![node("us-east-1a"), node("us-east-1b")],
        drain: false,
        once: Vec::new(),
    };
    let old = bucket("acme-old", true, Value::Null, json!({}));
    let emptied =
        Action::Delete { id: "arn:aws:s3:::acme-old".into(), was: old, empty_first: true };
    let moved = Why::Replaces { ids: vec!["subnet-1".into()], fields: vec!["zone".to_owned()] };
    let renewed =
        Action::Create { spec: subnet(&vpc, "b", "10.0.0.0/20"), generation: 2, named: None };
    let nat = spec(
        KindName::NatGateway,
        json!({"subnet": {"$id": "subnet-9"}, "address": {"$id": "eipalloc-1"}, "tags": {}}),
    );
    let failed = Why::Failed { text: "subnet has no \u{1b}[2Jgateway".to_owned() };
    let steps = vec![
        step("bucket.datasets", changed, Why::Changed, &[]),
        step(
            "network.main/private-a",
            delete("subnet-1", subnet(&vpc, "a", "10.0.0.0/20")),
            Why::Superseded,
            &[],
        ),
        step("network.main/private-a", renewed, moved, &[1]),
        step("network.main/nat", create(nat.clone()), failed, &[]),
        step(
            "cluster.train/template",
            Action::Create { spec: wanted, generation: 2, named: None },
            replaces,
            &[],
        ),
        step("cluster.train/nodes", gone, Why::Outdated { what: [Trait::Template].into() }, &[]),
        step("cluster.train/template", delete("lt-1", was), Why::Superseded, &[4]),
        step("network.main/nat", delete("nat-1", nat), Why::Superseded, &[3]),
        step("bucket.old", emptied, Why::Removed, &[]),
    ];
    Plan { base: 3, steps, unchanged: 9, outputs: [].into() }
}

/// What [`fresh`] costs, and a part of it already.
pub(super) fn bill() -> Bill {
    let usd = |cents: i64| Money::new(rust_decimal::Decimal::new(cents, 2));
    let origin = Origin {
        day: Some("2026-11-24".to_owned()),
        source: "https://github.com/infracost/infracost/blob/master/x.json".to_owned(),
    };
    let line = |tag: &str, what: &str, hourly: i64, (before, after, ceiling): (u32, u32, u32)| {
        let rate =
            Rate { hourly: usd(hourly), origins: [origin.clone()].into(), ..Rate::default() };
        Line { address: at(tag), what: what.to_owned(), rate, before, after, floor: after, ceiling }
    };
    let used = Rate { by_use: Some("storage and requests".to_owned()), ..Rate::default() };
    let bucket = Line { rate: used, ..line("bucket.datasets", "bucket", 0, (0, 1, 1)) };
    Bill {
        lines: vec![
            bucket,
            line("network.main/nat-a", "NAT gateway", 5, (1, 2, 2)),
            line("cluster.train/nodes", "p5.48xlarge on-demand", 5504, (0, 4, 8)),
            line("cluster.old/nodes", "p5.48xlarge on-demand", 5504, (1, 0, 0)),
        ],
    }
}
