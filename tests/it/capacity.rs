//! The capacity matrix: which offers refuse, and on which one the nodes then run. Virtual
//! time, the simulated region, whole applies through the planner.

use std::collections::BTreeMap;

use mlinfra::cloud::{Class, Cloud, Failure};
use mlinfra::kinds::{Offer, Spec};
use mlinfra::ledger::Journal;
use mlinfra::model::Link;
use mlinfra::sim::{ObjectView, Settings};
use mlinfra::stack::Desired;

use crate::lab::Lab;

/// Four offers of one type: a Capacity Block, a reservation, spot, on demand.
const LADDER: &str = r#"
stack "m" { region = "us-east-1" }
network "n" { cidr = "10.0.0.0/16" }
cluster "c" {
  network       = network.n
  instance_type = "p5.48xlarge"
  zones         = ["a"]
  nodes         = 4
  capacity      = ["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]
}
"#;

const WAYS: [&str; 4] = ["capacity-block", "reserved", "spot", "on-demand"];

fn lab(more: &[(String, String)]) -> Lab {
    let mut settings = Settings::default();
    let own = [("latency_ms", "10"), ("boot_seconds", "30")];
    let own = own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    for (key, value) in own.chain(more.iter().cloned()) {
        settings.set(&key, &value).expect("a setting");
    }
    Lab::new(settings)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Reservations with room for so many, and markets with or without capacity.
fn world(rooms: [u32; 4]) -> Vec<(String, String)> {
    let kept = |room, block: &str| format!("p5.48xlarge,us-east-1a,{room}{block}");
    let mut out = vec![
        ("reservation.cr-0b".to_owned(), kept(rooms[0], ",capacity-block")),
        ("reservation.cr-0a".to_owned(), kept(rooms[1], "")),
    ];
    for (market, room) in [("spot", rooms[2]), ("on-demand", rooms[3])] {
        out.push((format!("capacity.p5.48xlarge@us-east-1a/{market}"), room.to_string()));
    }
    out
}

fn nodes(lab: &Lab) -> Vec<ObjectView> {
    lab.objects("m").into_values().flatten().filter(|it| matches!(it.spec, Spec::Node(_))).collect()
}

/// How many nodes run in which way.
fn ways(lab: &Lab) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for node in nodes(lab) {
        let Spec::Node(node) = node.spec else { continue };
        *out.entry(node.market.word().to_owned()).or_default() += 1;
    }
    out
}

/// One apply: what it said of the launch.
async fn apply(lab: &Lab, desired: &Desired) -> Option<Failure> {
    let (_, ended) = lab.apply(desired).await.expect("an apply");
    ended.outcome.failed.values().next().cloned()
}

/// The offers of the cluster, best first, each with the room that it has, and what will not do.
fn offered(desired: &Desired) -> (Vec<(&str, Option<u32>)>, Vec<String>) {
    let fleet = desired.fleets.values().next().expect("a cluster");
    let offers = fleet.offers.iter().map(|offer| (offer.market.word(), offer.free)).collect();
    let no = fleet.rejected.iter().map(|no| format!("{}: {}", no.what, no.why)).collect();
    (offers, no)
}

/// Every subset of the four offers refuses: the nodes run on the first of the others, all of
/// them, and nowhere else; where all refuse, nothing is left and the failure names each. What a
/// reservation has no room for is known before anybody is asked.
#[tokio::test(start_paused = true)]
async fn every_subset_of_offers_refuses_and_the_next_one_is_taken() {
    for refusing in 0_u32..16 {
        let rooms = std::array::from_fn(|way| if refusing >> way & 1 == 1 { 3 } else { 9 });
        let lab = lab(&world(rooms));
        let desired = lab.desired(LADDER).await;
        let (offers, no) = offered(&desired);
        let kept = (0..2).filter(|way| rooms[*way] == 9).map(|way| (WAYS[way], Some(9)));
        let want: Vec<_> = kept.chain([("spot", None), ("on-demand", None)]).collect();
        assert_eq!(offers, want, "refusing {refusing:04b}");
        let names = ["capacity-block cr-0b", "reserved cr-0a"];
        let few = (0..2).filter(|way| rooms[*way] == 3).map(|way| names[way]);
        let few: Vec<_> = few
            .map(|name| format!("{name}: 3 of its 3 places are free, and a gang needs 4"))
            .collect();
        assert_eq!(no, few, "refusing {refusing:04b}");
        let failed = apply(&lab, &desired).await;
        let first = (0..4).find(|way| rooms[*way] == 9);
        let want: BTreeMap<String, usize> =
            first.iter().map(|way| (WAYS[*way].to_owned(), 4)).collect();
        assert_eq!(ways(&lab), want, "refusing {refusing:04b}: {failed:?}");
        assert!(lab.doubled().is_empty(), "refusing {refusing:04b}");
        match first {
            Some(_) => assert_eq!(failed, None, "refusing {refusing:04b}"),
            None => {
                let failed = failed.expect("nothing can be had");
                assert_eq!(failed.class, Class::Capacity);
                for word in ["spot: Insufficient", "on-demand: Insufficient"] {
                    assert!(failed.text.contains(word), "{failed:?}");
                }
            }
        }
    }
}

/// What need not be alike starts wherever there is room, and what cannot be had is said.
#[tokio::test(start_paused = true)]
async fn nodes_that_are_no_gang_fill_one_offer_after_the_other() {
    let text = LADDER.replace("nodes         = 4", "nodes = { min = 7, gang = false }");
    for (rooms, want, rest) in [
        ([3, 2, 1, 9], [3, 2, 1, 1], 0),
        ([0, 2, 0, 9], [0, 2, 0, 5], 0),
        ([3, 0, 2, 0], [3, 0, 2, 0], 2),
        ([9, 9, 9, 9], [7, 0, 0, 0], 0),
    ] {
        let lab = lab(&world(rooms));
        let desired = lab.desired(&text).await;
        let failed = apply(&lab, &desired).await;
        let want: BTreeMap<String, usize> = WAYS
            .iter()
            .zip(want)
            .filter(|(_, count)| *count > 0)
            .map(|(way, count)| ((*way).to_owned(), count))
            .collect();
        assert_eq!(ways(&lab), want, "{rooms:?}: {failed:?}");
        assert_eq!(failed.is_some(), rest > 0, "{rooms:?}");
        if let Some(failed) = failed {
            assert!(failed.text.starts_with("5 of 7 nodes run"), "{failed:?}");
        }
        // Every launch call is a batch of its own, so that a node has one number.
        let mut numbers: Vec<_> = nodes(&lab)
            .iter()
            .map(|node| (node.tags["mlinfra:batch"].clone(), node.number))
            .collect();
        let all = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "{rooms:?}");
        assert!(lab.doubled().is_empty(), "{rooms:?}");
    }
}

/// A gang of which nodes end at once is given back as a whole before the next offer is asked.
#[tokio::test(start_paused = true)]
async fn a_partly_filled_gang_is_given_back_at_once() {
    let text = LADDER.replace(r#"zones         = ["a"]"#, r#"zones = ["a", "b"]"#).replace(
        r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
        r#"["on-demand"]"#,
    );
    let lab = lab(&pairs(&[("stillborn.p5.48xlarge@us-east-1a", "1")]));
    let desired = lab.desired(&text).await;
    assert_eq!(apply(&lab, &desired).await, None);
    let zones: Vec<String> = nodes(&lab)
        .iter()
        .map(|node| match &node.spec {
            Spec::Node(node) => node.zone.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(zones, ["us-east-1b"; 4]);
    assert!(lab.plan(&desired).await.expect("a plan").is_empty());
}

/// A quota ends the walk: the next offer would count against the same one, or cost more than
/// the author knows. The message says which it is, how high, and what to do.
#[tokio::test(start_paused = true)]
async fn a_quota_is_named_with_its_value_and_the_way_to_raise_it() {
    let text = LADDER.replace(
        r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
        r#"["spot", "on-demand"]"#,
    );
    for (code, market) in [("L-C4BD4855", "spot"), ("L-417A185B", "on-demand")] {
        let text = text.replace(r#"["spot", "on-demand"]"#, &format!("[{market:?}]"));
        let lab = lab(&pairs(&[(&format!("vcpus.{code}"), "96")]));
        let desired = lab.desired(&text).await;
        let failed = apply(&lab, &desired).await.expect("a refusal");
        assert_eq!(failed.class, Class::Quota);
        for word in [code, "is 96 vCPUs, 0 of them in use", "4 nodes more take 768", "ask for 768"]
        {
            assert!(failed.text.contains(word), "{word}: {}", failed.text);
        }
        assert!(nodes(&lab).is_empty());
    }
}

/// A price limit holds: on demand it is a matter of the offer list, on spot AWS refuses.
#[tokio::test(start_paused = true)]
async fn a_price_limit_skips_what_costs_more() {
    let text = LADDER.replace(
        r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
        "[\"spot\", \"on-demand\"]\n  max_price = 60",
    );
    for (spot, want) in [("20", "spot"), ("61", "on-demand")] {
        let lab = lab(&pairs(&[("spot.p5.48xlarge", spot)]));
        let desired = lab.desired(&text).await;
        assert_eq!(apply(&lab, &desired).await, None);
        assert_eq!(ways(&lab), BTreeMap::from([(want.to_owned(), 4)]), "{spot}");
    }
    // It rises between the plan and the launch.
    let lab = lab(&pairs(&[("spot.p5.48xlarge", "20")]));
    let desired = lab.desired(&text).await;
    lab.region.set("spot.p5.48xlarge", "61").expect("a price");
    assert_eq!(apply(&lab, &desired).await, None);
    assert_eq!(ways(&lab), BTreeMap::from([("on-demand".to_owned(), 4)]));
}

/// A zone that lacks the type is no offer, and one that loses it refuses.
#[tokio::test(start_paused = true)]
async fn a_zone_without_the_type_is_passed_over() {
    let text = LADDER.replace(r#"zones         = ["a"]"#, r#"zones = ["a", "b"]"#).replace(
        r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
        r#"["on-demand"]"#,
    );
    let lab = lab(&pairs(&[("offer.p5.48xlarge", "a,b")]));
    let desired = lab.desired(&text).await;
    lab.region.set("offer.p5.48xlarge", "b").expect("a setting");
    assert_eq!(apply(&lab, &desired).await, None);
    let there = nodes(&lab)
        .iter()
        .all(|node| matches!(&node.spec, Spec::Node(node) if node.zone.as_str() == "us-east-1b"));
    assert!(there && nodes(&lab).len() == 4);
}

/// A refusal is remembered: while it cools down, that offer is asked last; the time doubles;
/// a success forgets it.
#[tokio::test(start_paused = true)]
async fn an_offer_that_refused_is_asked_last_for_a_while() {
    let text = LADDER.replace(
        r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
        r#"["spot", "on-demand"]"#,
    );
    let lab = lab(&world([0, 0, 0, 9]));
    let count = |count: &str| text.replace("nodes         = 4", &format!("nodes = {count}"));
    let one = |n| count(&format!("{{ min = {n}, gang = false }}"));
    let desired = lab.desired(&one(1)).await;
    assert_eq!(apply(&lab, &desired).await, None);
    // Spot has capacity again, and is still asked last.
    lab.region.set("capacity.p5.48xlarge@us-east-1a/spot", "9").expect("a setting");
    let desired = lab.desired_after(&one(2), &desired).await;
    assert_eq!(apply(&lab, &desired).await, None);
    assert_eq!(ways(&lab), BTreeMap::from([("on-demand".to_owned(), 2)]));
    tokio::time::sleep(std::time::Duration::from_secs(181)).await;
    let desired = lab.desired_after(&one(3), &desired).await;
    assert_eq!(apply(&lab, &desired).await, None);
    let want = [("on-demand".to_owned(), 2), ("spot".to_owned(), 1)];
    assert_eq!(ways(&lab), BTreeMap::from(want));
    let journal = Journal::open(&lab.store, "reader").await.expect("a journal");
    assert!(journal.ledger.refusals.is_empty(), "{:?}", journal.ledger.refusals);
}

/// `fallback = false`: the first way or nothing.
#[tokio::test(start_paused = true)]
async fn without_fallback_only_the_first_way_is_asked() {
    let text = LADDER.replace("capacity  ", "fallback = false\n  capacity  ");
    let lab = lab(&world([9, 9, 9, 9]));
    let desired = lab.desired(&text).await;
    assert_eq!(offered(&desired).0, [("capacity-block", Some(9))]);
    // Somebody else takes places between the plan and the launch.
    let less = "p5.48xlarge,us-east-1a,3,capacity-block";
    lab.region.set("reservation.cr-0b", less).expect("a setting");
    let failed = apply(&lab, &desired).await.expect("a refusal");
    assert!(failed.text.contains("ReservationCapacityExceeded"), "{failed:?}");
    assert!(nodes(&lab).is_empty());
}

/// A reservation that its own nodes have filled is no mistake: what they hold is room for their
/// successors, and what is missing of a gang is all that must fit.
#[tokio::test(start_paused = true)]
async fn places_that_a_cluster_holds_itself_are_room_for_it() {
    let ways = r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#;
    let one = LADDER.replace(ways, r#"["reservation:cr-0a"]"#);
    for gang in [true, false] {
        let many = |count: u32| {
            let nodes = format!("nodes = {{ min = {count}, gang = {gang} }}");
            one.replace("nodes         = 4", &nodes)
        };
        let lab = lab(&world([0, 4, 0, 0]));
        let desired = lab.desired(&many(4)).await;
        assert_eq!(offered(&desired).0, [("reserved", Some(4))]);
        assert_eq!(apply(&lab, &desired).await, None);
        // All four run there: the next plan is empty, and knows where their successors would run.
        let again = lab.desired_after(&many(4), &desired).await;
        assert_eq!(offered(&again).0, [("reserved", Some(if gang { 4 } else { 0 }))]);
        assert!(lab.plan(&again).await.expect("a plan").is_empty());
        // The reservation grows, and so does the cluster: only what is missing must fit.
        lab.region.set("reservation.cr-0a", "p5.48xlarge,us-east-1a,6").expect("a setting");
        let six = lab.desired_after(&many(6), &again).await;
        assert_eq!(offered(&six).0, [("reserved", Some(2))]);
        assert_eq!(apply(&lab, &six).await, None);
        assert_eq!(self::ways(&lab), BTreeMap::from([("reserved".to_owned(), 6)]));
    }
    // The gang gets a new image: all end, then all start, in the same places.
    let lab = lab(&world([0, 4, 0, 9]));
    let text = LADDER.replace(ways, r#"["reservation:cr-0a", "on-demand"]"#);
    let desired = lab.desired(&text).await;
    assert_eq!(apply(&lab, &desired).await, None);
    let text = text.replace("nodes         = 4", "nodes = 4\n  setup = \"echo new\"");
    let desired = lab.desired_after(&text, &desired).await;
    assert_eq!(apply(&lab, &desired).await, None);
    assert_eq!(self::ways(&lab), BTreeMap::from([("reserved".to_owned(), 4)]));
    assert!(lab.plan(&desired).await.expect("a plan").is_empty());
}

/// What is kept in a placement group is launched into that group, which is nobody's of the stack,
/// and not into the cluster's own; without the group the region starts nothing there.
#[tokio::test(start_paused = true)]
async fn a_reservation_in_a_placement_group_is_launched_into_that_group() {
    let ways = r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#;
    let text = LADDER.replace(ways, r#"["reservation:cr-0a", "on-demand"]"#);
    let kept = "p5.48xlarge,us-east-1a,4,placement=near";
    let lab = lab(&pairs(&[("reservation.cr-0a", kept)]));
    let desired = lab.desired(&text).await;
    let theirs = "arn:aws:ec2:us-east-1:000000000000:placement-group/near";
    let groups = |desired: &Desired| -> Vec<String> {
        let offers = &desired.fleets.values().next().expect("a cluster").offers;
        let group = |offer: &Offer| serde_json::to_string(&offer.placement).expect("JSON");
        offers.iter().map(group).collect()
    };
    let own = r#"{"$to":"cluster.c/placement"}"#;
    assert_eq!(groups(&desired), [&format!(r#"{{"$id":"{theirs}"}}"#), own]);
    assert_eq!(apply(&lab, &desired).await, None);
    assert_eq!(self::ways(&lab), BTreeMap::from([("reserved".to_owned(), 4)]));
    for node in nodes(&lab) {
        let Spec::Node(node) = node.spec else { panic!("{node:?}") };
        assert_eq!(node.placement, Some(Link::Id(theirs.into())));
    }
    let again = lab.desired_after(&text, &desired).await;
    assert!(lab.plan(&again).await.expect("a plan").is_empty());
}

/// Seconds in which clusters of a thousand nodes start, one beside the other, under these buckets.
async fn thousands(clusters: usize, gang: bool, buckets: &[(&str, &str)]) -> f64 {
    let ways = r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#;
    let size = |count: u32| format!("nodes = {{ min = {count}, gang = {gang} }}");
    let one = LADDER.replace(ways, r#"["on-demand"]"#).replace("nodes         = 4", &size(0));
    let cluster = &one[one.find("cluster").expect("a cluster")..];
    let more =
        (1..clusters).map(|at| cluster.replace("cluster \"c\"", &format!("cluster \"c{at}\"")));
    let text = one.clone() + &more.collect::<String>();
    let lab = lab(&pairs(&[&[("boot_seconds", "0")], buckets].concat()));
    let empty = lab.desired(&text).await;
    assert_eq!(apply(&lab, &empty).await, None);
    let full = lab.desired_after(&text.replace(&size(0), &size(1000)), &empty).await;
    let started = tokio::time::Instant::now();
    assert_eq!(apply(&lab, &full).await, None);
    assert_eq!(nodes(&lab).len(), clusters * 1000);
    assert!(lab.doubled().is_empty());
    started.elapsed().as_secs_f64()
}

/// Two clusters of a thousand nodes at once, against the bucket that EC2 publishes: 1,000
/// instances at once and two more a second. Nobody can have both before 500 s have passed.
#[tokio::test(start_paused = true)]
async fn two_thousand_nodes_wait_for_the_bucket_and_hardly_longer() {
    let waited = thousands(2, true, &[("launches", "1000,2")]).await;
    println!("2,000 nodes in {waited:.1} s; the bucket alone takes 500 s");
    assert!((500.0..=550.0).contains(&waited), "{waited} s");
}

/// A cluster whose nodes need not be alike is asked for by the hundred, so that calls count too:
/// against both buckets that EC2 publishes, 1,000 nodes and two a second, five calls and two a
/// second (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>). A thousand
/// nodes are ten calls, which nobody can have made before (10 - 5) / 2 = 2.5 s; two thousand are
/// twenty calls in 7.5 s, and nodes in (2,000 - 1,000) / 2 = 500 s.
#[tokio::test(start_paused = true)]
async fn a_thousand_nodes_by_the_hundred_wait_for_calls_and_hardly_longer() {
    let buckets = [("launches", "1000,2"), ("launch_calls", "5,2")];
    for (clusters, least) in [(1, 2.5), (2, 500.0)] {
        let waited = thousands(clusters, false, &buckets).await;
        println!("{clusters},000 nodes by the hundred in {waited:.1} s of at least {least} s");
        assert!((least..=least * 1.1).contains(&waited), "{waited} s of at least {least} s");
    }
}

/// Waiting for a thousand nodes asks for all of them at once.
#[tokio::test(start_paused = true)]
async fn waiting_for_nodes_costs_calls_per_round_and_not_per_node() {
    let text = LADDER
        .replace(
            r#"["capacity-block:cr-0b", "reservation:cr-0a", "spot", "on-demand"]"#,
            r#"["on-demand"]"#,
        )
        .replace("nodes         = 4", "nodes = 500");
    let lab = lab(&[]);
    let desired = lab.desired(&text).await;
    assert_eq!(apply(&lab, &desired).await, None);
    let calls = lab.region.calls();
    let asked = calls.get("ec2:DescribeInstances").map_or(0, |row| row.calls);
    assert!(asked < 20, "{asked} calls");
}
