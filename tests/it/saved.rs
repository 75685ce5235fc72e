//! Saved plans: no byte of the file can change, and what has changed since is named.

use std::collections::BTreeMap;

use mlinfra::cloud::{Cloud, Live, Observed, Phase, Seen};
use mlinfra::kinds::{Action, KindName, Plan, Spec};
use mlinfra::lang::Snapshot;
use mlinfra::model::{AccountId, CloudId, Moment, Region, StackName};
use mlinfra::plan::Selection;
use mlinfra::plan::drift::{Changed, Drift, Outside};
use mlinfra::plan::saved::{Base, NoPlan, Saved, What, steps, world};
use mlinfra::sim::Settings;
use serde_json::json;

use crate::lab::Lab;
use crate::sample;

const TEXT: &str = "stack \"s\" {\n  region = \"us-east-1\"\n}\n\nbucket \"data\" {}\n\n\
    network \"n\" {\n  zones = [\"a\"]\n  nat = \"none\"\n}\n\n\
    cluster \"c\" {\n  network = network.n\n  instance_type = \"g5.8xlarge\"\n  nodes = 2\n}\n";

fn saved(observed: Observed, plan: Plan) -> Saved {
    Saved {
        mlinfra: "0.1.0".to_owned(),
        by: "ann@laptop".to_owned(),
        created: Moment(1),
        expires: Moment(2),
        home: mlinfra::ledger::Site {
            account: AccountId::from("000000000000"),
            region: Region::from("us-east-1"),
            stack: StackName::from("s"),
        },
        destroy: false,
        selection: Selection {
            targets: ["module.a".parse().expect("one")].into(),
            ..Selection::default()
        },
        ledger: Base { lineage: "l".to_owned(), serial: 3, applied: Some(Moment(0)) },
        configuration: Snapshot::default().digest(),
        snapshot: Snapshot::default(),
        variables: BTreeMap::from([("x".to_owned(), Some(json!(1))), ("y".to_owned(), None)]),
        observed,
        former: serde_json::Map::new(),
        outside: Some(Outside {
            number: 7,
            found: vec![Drift {
                address: sample::at("bucket.gone"),
                id: CloudId::from("arn:aws:s3:::gone"),
                kind: KindName::Bucket,
                was: None,
                change: Changed::Disowned { stack: Some("other".to_owned()) },
            }],
        }),
        cost: mlinfra::plan::cost::Bill::default(),
        catalogue: None,
        plan,
    }
}

async fn world_and_plan() -> (Lab, Observed, Plan) {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(TEXT).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let other = lab.desired(&TEXT.replace("nodes = 2", "nodes = 3")).await;
    let observed = lab.region.observe(&lab.scope(&desired)).await;
    let plan = lab.plan(&other).await.expect("a plan");
    (lab, observed, plan)
}

#[tokio::test(start_paused = true)]
async fn a_plan_comes_back_as_it_was() {
    let (_, observed, plan) = world_and_plan().await;
    let saved = saved(observed, plan);
    assert_eq!(Saved::from_bytes(&saved.to_bytes()), Ok(saved));
}

#[test]
fn no_byte_can_change_and_none_be_missing() {
    let bytes = saved(Observed::default(), Plan::default()).to_bytes();
    for at in 0..bytes.len() {
        for flip in [1, 0x20, 0x80] {
            let mut other = bytes.clone();
            other[at] ^= flip;
            assert!(Saved::from_bytes(&other).is_err(), "byte {at}: {flip}");
        }
        assert!(Saved::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    let mut longer = bytes;
    longer.push(b'\n');
    assert_eq!(Saved::from_bytes(&longer), Err(NoPlan::Damaged));
    assert_eq!(Saved::from_bytes(b""), Err(NoPlan::Foreign));
    assert_eq!(Saved::from_bytes(b"PK\x03\x04\n"), Err(NoPlan::Foreign));
}

#[test]
fn a_plan_of_a_later_format_is_told_from_a_damaged_one() {
    use sha2::{Digest, Sha256};
    let body = b"{}";
    let sum = Sha256::new().chain_update("mlinfra-plan 2\n").chain_update(body).finalize();
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("mlinfra-plan 2 sha256:{sum}\n{{}}").into_bytes();
    assert_eq!(Saved::from_bytes(&bytes), Err(NoPlan::Format(2)));
}

/// What the binary says of a plan that somebody has written anew.
fn applied(edit: &dyn Fn(&mut Saved)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "stack \"s\" {\n  region = \"us-east-1\"\n}\n\nbucket \"data\" {}\n";
    std::fs::write(folder.path().join("main.hcl"), text).expect("written");
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mlinfra"));
        command.current_dir(folder.path()).args(args).env("MLINFRA_SANDBOX", "1");
        let output = command.output().expect("the binary runs");
        String::from_utf8(output.stderr).expect("text")
    };
    assert_eq!(run(&["plan", "--out", "plan"]), "");
    let path = folder.path().join("plan");
    let mut saved = Saved::from_bytes(&std::fs::read(&path).expect("a file")).expect("a plan");
    edit(&mut saved);
    std::fs::write(&path, saved.to_bytes()).expect("written");
    run(&["apply", "plan"])
}

#[test]
fn a_checksum_alone_is_not_trusted() {
    assert_eq!(applied(&|_| {}), "");
    let told = applied(&|saved| saved.mlinfra = "0.0.9".to_owned());
    assert!(told.starts_with("Error[P012]: the plan was made by mlinfra 0.0.9"), "{told}");
    let told = applied(&|saved| saved.configuration = "0".repeat(64));
    assert!(told.starts_with("Error[P010]: the configuration in the plan"), "{told}");
    let told = applied(&|saved| saved.home.region = Region::from("eu-west-1"));
    assert!(told.starts_with("Error[P012]: the plan is for account"), "{told}");
    // Steps that nobody planned do not come out when it is planned again.
    let told = applied(&|saved| saved.plan.steps.clear());
    assert!(told.starts_with("Error[P016]: a new plan has other steps"), "{told}");
    let told = applied(&|saved| {
        for step in &mut saved.plan.steps {
            if let Action::Create { spec: Spec::Bucket(bucket), .. } = &mut step.action {
                bucket.versioning = false;
            }
        }
    });
    assert!(told.contains("versioning is true, was false"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_in_the_cloud_is_named_and_nodes_are_not() {
    let (_, before, _) = world_and_plan().await;
    assert_eq!(world(&before, &before), []);
    let one = |kind: KindName| -> CloudId {
        let mut found = before.live.iter().filter(|(_, live)| live.kind == kind);
        found.next().expect("one").0.clone()
    };
    let told = |edit: &dyn Fn(&mut BTreeMap<CloudId, Live>)| {
        let mut now = before.clone();
        edit(&mut now.live);
        let found = world(&before, &now);
        found.into_iter().map(|d| (d.id.clone(), d.what)).collect::<Vec<_>>()
    };
    let node = one(KindName::Node);
    assert_eq!(told(&|live| drop(live.remove(&node))), []);
    let bucket = one(KindName::Bucket);
    assert_eq!(told(&|live| drop(live.remove(&bucket))), [(bucket.clone(), What::Vanished)]);
    let found = told(&|live| {
        if let Some(Seen::Spec(Spec::Bucket(spec))) = live.get_mut(&bucket).map(|l| &mut l.seen) {
            spec.versioning = false;
        }
    });
    let fields = What::Fields(vec![("versioning".to_owned(), json!(true), json!(false))]);
    assert_eq!(found, [(bucket.clone(), fields)]);
    let other = |found: Vec<(CloudId, What)>| matches!(found.as_slice(), [(_, What::Other(_))]);
    let at = |live: &mut BTreeMap<CloudId, Live>, edit: &dyn Fn(&mut Live)| {
        edit(live.get_mut(&bucket).expect("it is there"));
    };
    assert!(other(told(&|live| at(live, &|live| live.holds_data = true))));
    assert!(other(told(&|live| at(live, &|live| live.owner.generation = 2))));
    assert!(other(told(&|live| at(live, &|live| live.phase = Phase::Failed("x".to_owned())))));
    assert!(other(told(&|live| at(live, &|live| live.seen = Seen::Blind("x".to_owned())))));
    // Being made and being ready is the same to a plan.
    assert_eq!(told(&|live| at(live, &|live| live.phase = Phase::Pending)), []);
    let mut more = before.clone();
    let copy = more.live[&bucket].clone();
    more.live.insert(CloudId::from("arn:aws:s3:::z"), copy);
    assert!(matches!(world(&before, &more).as_slice(), [d] if d.what == What::Appeared));
}

#[tokio::test(start_paused = true)]
async fn terminations_and_offers_that_were_not_shown_are_refused() {
    let (lab, _, grow) = world_and_plan().await;
    let shrink = lab.desired(&TEXT.replace("nodes = 2", "nodes = 1")).await;
    let shrink = lab.plan(&shrink).await.expect("a plan");
    let none = Plan::default();
    assert_eq!(steps(&grow, &grow), []);
    // More or fewer nodes to launch: some came or went.
    assert_eq!(steps(&none, &grow), []);
    assert_eq!(steps(&grow, &none), []);
    assert_eq!(steps(&shrink, &none), []);
    assert_eq!(steps(&none, &shrink).len(), 1);
    let mut fewer = grow.clone();
    for step in &mut fewer.steps {
        if let Action::Launch { offers, .. } = &mut step.action {
            offers.clear();
        }
    }
    assert_eq!(steps(&grow, &fewer), []);
    assert_eq!(steps(&fewer, &grow).len(), 1);
    // Anything else has to be the same on both sides.
    let desired = lab.desired(&format!("{TEXT}\nbucket \"more\" {{}}\n")).await;
    let more = lab.plan(&desired).await.expect("a plan");
    assert_eq!(steps(&none, &more).len(), 1);
    assert_eq!(steps(&more, &none).len(), 1);
    let versioned = format!("{TEXT}\nbucket \"more\" {{\n  versioning = false\n}}\n");
    let other = lab.plan(&lab.desired(&versioned).await).await.expect("a plan");
    let odd = steps(&more, &other);
    assert!(matches!(odd.as_slice(), [odd] if odd.was.is_some() && odd.is.is_some()));
}
