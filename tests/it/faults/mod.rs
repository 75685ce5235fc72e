//! The fault matrix: every mutating operation that the adapter uses × every class of fault
//! that can befall it, through the SDK's own HTTP client, against an emulator.
//!
//! What there is to break is not listed here: it is what undisturbed runs of the scenes
//! send, and every call in the adapter's source must be among it. Every cell ends
//! converged (a new plan is empty, nothing is doubled or left over, as the emulator
//! itself sees it), or stopped with words that say what failed, what was left (which must
//! be so) and what to do; then the next apply, without faults, converges.
//!
//! `make test` plays a sample that has every operation and every class in it; `make faults`
//! plays every class at every operation (`MLINFRA_FAULTS=scenes`: in every scene).
//! `MLINFRA_FAULTS_PART=2/3` plays the second third; `MLINFRA_FAULTS_SCENE`,
//! `MLINFRA_FAULTS_CLASS` and `MLINFRA_FAULTS_OP` what has that in its name.

mod cell;
mod class;
mod hide;
mod matrix;
mod scene;
mod wire;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use matrix::{Ends, Skipped};
use mlinfra::kinds::KindName;
use mlinfra::lang::{self, File, Vars};
use mlinfra::stack::{self, Pins};
use wire::Op;

pub use cell::{Copy, Root};
use class::Class;
pub use wire::{Request, Wire};

/// A cell that the emulator makes impossible.
struct Skip {
    covers: fn(&Op, Class) -> bool,
    why: &'static str,
}

const SKIPS: &[Skip] = &[Skip {
    covers: |op, class| op.name() == "PutObject" && class == Class::ExistsByStranger,
    why: "a bucket of the cluster's own, made a moment before: no stranger was in it",
}];

/// Calls in the adapter's source that are names for messages, or that no plan asks for.
const NOT_SENT: &[(&str, &str)] = &[
    ("ec2:AuthorizeSecurityGroup", "a name in messages: the call is …Ingress or …Egress"),
    (
        "s3:DeleteObject",
        "the ledger's: its faults are those of `ledger/lease.rs` and `aws_ledger.rs`",
    ),
    ("iam:SimulatePrincipalPolicy", "the doctor's question, which changes nothing"),
];

/// Every mutating call that stands in the adapter's source.
fn written() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/aws");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the adapter").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in text.split('"') {
            let is_api = word.split_once(':').is_some_and(|(service, name)| {
                ["ec2", "s3", "sqs", "iam", "ssm", "efs", "fsx", "route53"].contains(&service)
                    && name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.chars().all(|c| c.is_ascii_alphanumeric())
            });
            let op = Op { api: word.to_owned(), about: String::new() };
            if is_api && !op.is_read() {
                found.insert(op.api);
            }
        }
    }
    found.retain(|api| !NOT_SENT.iter().any(|(name, _)| name == api));
    found
}

fn every_kind(scenes: &[scene::Scene]) {
    let kinds = scenes
        .iter()
        .flat_map(|scene| scene.after.specs.values().map(mlinfra::kinds::Spec::kind))
        .chain([KindName::Node]);
    let all: BTreeSet<KindName> = KindName::ALL.iter().copied().collect();
    assert_eq!(kinds.collect::<BTreeSet<_>>(), all, "a kind is in no scene");
}

/// The table, and what was left out of it and why.
fn report(ends: &Ends, skipped: &Skipped) {
    println!("{}", matrix::table(ends));
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for why in skipped.values() {
        *reasons.entry(why).or_default() += 1;
    }
    for (why, count) in reasons {
        println!("skipped {count}: {why}");
    }
}

/// All cells that are asked for, those of them that are played, and whether every operation and
/// class is among these.
fn choose(
    mut all: Vec<matrix::Spot>,
    scene: Option<String>,
) -> (Vec<matrix::Spot>, Vec<matrix::Spot>, bool) {
    let of = |name: &str| std::env::var(name).ok();
    let (class, op, part) =
        (of("MLINFRA_FAULTS_CLASS"), of("MLINFRA_FAULTS_OP"), of("MLINFRA_FAULTS_PART"));
    all.retain(|spot| {
        let has = |text: String, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| text.contains(wanted.as_str()))
        };
        has(spot.fault.class.to_string(), &class) && has(spot.fault.op.to_string(), &op)
    });
    let narrowed = scene.or(class).or(op);
    let chosen = match (of("MLINFRA_FAULTS").unwrap_or_default().as_str(), &narrowed) {
        ("scenes", _) | (_, Some(_)) => all.clone(),
        ("all", None) => matrix::once(all.clone()),
        (_, None) => matrix::sample(&all, 2),
    };
    let chosen = match &part {
        Some(part) => matrix::part(chosen, part),
        None => chosen,
    };
    (all, chosen, narrowed.or(part).is_none())
}

#[test]
#[ignore = "needs moto: run `make test`, or `make faults` for all of it"]
fn faults_at_every_operation_end_converged_or_explained() {
    let root = cell::Root::start();
    let first = root.world.inventory();
    let files = [File { name: "main.hcl".to_owned(), text: scene::whole() }];
    let words = stack::Words { account: None, origins: Arc::default(), facts: None };
    let loaded = lang::load(&files, &Vars::new(), &words, None);
    let facts = root.world.facts(&stack::ask(&loaded, &Pins::default()));
    let scenes = scene::all(&facts);
    every_kind(&scenes);
    let only = std::env::var("MLINFRA_FAULTS_SCENE").ok();
    let stages: Vec<_> = scenes
        .into_iter()
        .filter(|scene| only.as_ref().is_none_or(|only| scene.name.contains(only.as_str())))
        .map(|scene| matrix::stage(&root, scene, &first))
        .collect();
    let sent: BTreeSet<String> =
        stages.iter().flat_map(|stage| stage.sent.keys().map(|op| op.api.clone())).collect();
    if only.is_none() {
        assert_eq!(written(), sent, "the adapter's calls, and those that the scenes send");
    }

    let (all, skipped) = matrix::spots(&stages);
    let (all, chosen, whole) = choose(all, only);
    let ends = matrix::run(&stages, &chosen, &first);
    report(&ends, &skipped);
    let wrong: Vec<_> =
        ends.iter().filter_map(|(key, end)| Some((key, end.as_ref().err()?))).collect();
    let ops: BTreeSet<&Op> = ends.keys().map(|(_, op, _)| op).collect();
    let classes: BTreeSet<Class> = ends.keys().map(|(.., class)| *class).collect();
    println!(
        "{} of {} cells: {} operations, {} classes; {} wrong",
        ends.len(),
        all.len(),
        ops.len(),
        classes.len(),
        wrong.len()
    );
    if whole {
        let every: BTreeSet<&Op> = stages.iter().flat_map(|stage| stage.sent.keys()).collect();
        assert_eq!(ops, every, "an operation was forgotten");
        assert_eq!(classes, Class::ALL.iter().copied().collect(), "a class was forgotten");
    }
    assert!(wrong.is_empty(), "{} cells are wrong", wrong.len());
}
