//! Every moment at which a process can die: before and after each cloud call and each
//! write to the ledger, of applying, changing and destroying. After each death the
//! next apply must end with nothing doubled, nothing left over, and an empty plan.

use std::collections::BTreeSet;

use mlinfra::kinds::{
    Bucket, ElasticIp, InternetGateway, NatGateway, Route, RouteTable, Spec, Subnet, Tags, Target,
    Vpc,
};
use mlinfra::ledger::MemoryStore;
use mlinfra::model::{Address, Link, StackName};
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;

use crate::lab::{Death, Lab};

fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

/// A bucket and a small network, by hand.
fn small(cidr: &str, versioning: bool) -> Desired {
    let mut desired = Desired::empty(StackName::from("crash"));
    let mut add = |address: &str, spec: Spec| {
        desired.specs.insert(at(address), spec);
    };
    let tags = Tags::from([("team".to_owned(), "ml".to_owned())]);
    add(
        "bucket.data",
        Bucket {
            name: "crash-data-000000000000-us-east-1-an".to_owned(),
            versioning,
            encryption: None,
            public_access_block: true,
            ownership: Some("BucketOwnerEnforced".to_owned()),
            policy: None,
            lifecycle: Vec::new(),
            precious: true,
            tags: tags.clone(),
        }
        .into(),
    );
    let vpc = Link::To(at("network.main/vpc"));
    add(
        "network.main/vpc",
        Vpc {
            cidr: format!("{cidr}.0.0/16"),
            dns_support: true,
            dns_hostnames: true,
            tags: tags.clone(),
        }
        .into(),
    );
    add(
        "network.main/gateway",
        InternetGateway { vpc: Some(Link::To(at("network.main/vpc"))), tags: tags.clone() }.into(),
    );
    add(
        "network.main/public-a",
        Subnet {
            vpc: vpc.clone(),
            cidr: format!("{cidr}.128.0/24"),
            zone: "us-east-1a".into(),
            public_ips: false,
            tags: tags.clone(),
        }
        .into(),
    );
    add("network.main/address", ElasticIp { tags: tags.clone() }.into());
    add(
        "network.main/nat",
        NatGateway {
            subnet: Link::To(at("network.main/public-a")),
            address: Link::To(at("network.main/address")),
            tags: tags.clone(),
        }
        .into(),
    );
    add(
        "network.main/routes",
        RouteTable {
            vpc,
            routes: vec![Route {
                destination: "0.0.0.0/0".to_owned(),
                target: Target::Nat(Link::To(at("network.main/nat"))),
            }],
            subnets: vec![Link::To(at("network.main/public-a"))],
            tags,
        }
        .into(),
    );
    desired
}

struct Tally {
    moments: usize,
    applies: [usize; 3],
}

/// Dies at every moment of going from `before` to `after`.
async fn enumerate(before: Option<&Desired>, after: &Desired) -> Tally {
    let settings = || Settings { visibility_ms: 20_000, ..Settings::default() };
    let mut tally = Tally { moments: 0, applies: [0; 3] };
    for moment in 0.. {
        let lab = Lab::new(settings());
        if let Some(before) = before {
            let (_, ended) = lab.apply(before).await.expect("an apply");
            assert!(ended.is_converged(), "the scenario's start: {ended:?}");
        }
        let death = Death::at(moment);
        if let Some(result) = lab.mortal_apply(after, &death).await {
            let (plan, ended) = result.expect("an apply");
            assert!(ended.is_converged(), "undisturbed: {plan:#?} {ended:#?}");
            tally.moments = death.moments();
            assert_eq!(lab.wrongs(after), Vec::<String>::new(), "undisturbed");
            return tally;
        }
        lab.store.break_locks();
        let mut applies = 0;
        loop {
            applies += 1;
            let (plan, ended) = lab.apply(after).await.expect("an apply after a death");
            if ended.is_converged() {
                break;
            }
            assert!(applies < 2, "death at {moment}: not converged: {plan:#?} {ended:#?}");
        }
        assert_eq!(lab.wrongs(after), Vec::<String>::new(), "death at moment {moment}");
        assert_eq!(lab.doubled(), BTreeSet::new(), "death at moment {moment}");
        let plan = lab.plan(after).await.expect("a plan");
        assert!(plan.is_empty(), "death at moment {moment}: {plan:#?}");
        tally.applies[applies] += 1;
    }
    tally
}

fn report(name: &str, tally: &Tally) {
    println!(
        "{name}: died at {} moments; converged in one apply {} times, in two {} times; \
         0 orphans, 0 duplicates",
        tally.moments, tally.applies[1], tally.applies[2]
    );
}

#[tokio::test(start_paused = true)]
async fn dying_while_creating() {
    report("create", &enumerate(None, &small("10.1", false)).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_changing() {
    let mut after = small("10.1", true);
    after.specs.remove(&at("network.main/routes"));
    report("change", &enumerate(Some(&small("10.1", false)), &after).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_replacing() {
    report("replace", &enumerate(Some(&small("10.1", false)), &small("10.2", false)).await);
}

#[tokio::test(start_paused = true)]
async fn dying_while_destroying() {
    let nothing = Desired::nothing(StackName::from("crash"));
    report("destroy", &enumerate(Some(&small("10.1", false)), &nothing).await);
}

/// The check can fail: a process that loses its ledger with its life makes things twice
/// while the cloud hides them, although the next apply cleans up.
#[tokio::test(start_paused = true)]
async fn without_its_ledger_a_death_makes_doubles() {
    let after = small("10.1", false);
    let mut doubled = 0;
    for moment in 0.. {
        let mut lab = Lab::new(Settings { visibility_ms: 20_000, ..Settings::default() });
        if lab.mortal_apply(&after, &Death::at(moment)).await.is_some() {
            break;
        }
        lab.store = MemoryStore::default();
        lab.apply(&after).await.expect("an apply");
        doubled += usize::from(!lab.doubled().is_empty());
    }
    println!("without a ledger: doubles after {doubled} deaths");
    assert!(doubled > 0);
}
