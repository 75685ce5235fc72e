//! The second capacity matrix: twelve offers of two types in two zones, each of which may refuse
//! or have too little when it is asked, long after the plan was made. What must come of it is
//! computed here by a list that was written down by hand.

use std::collections::BTreeMap;

use mlinfra::cloud::{Class, Failure};
use mlinfra::kinds::{Market, Spec};
use mlinfra::model::Zone;
use mlinfra::sim::Settings;
use mlinfra::stack::Desired;

use crate::dice::Dice;
use crate::lab::Lab;

const ONE: &str = "p5.48xlarge";
const TWO: &str = "p4d.24xlarge";

/// The offers as the ladder has them: way by way, then type by type as the author prefers, then by
/// price, then by the author's order of zones. Of the second type spot is cheaper in zone b.
const OFFERS: [(Market, &str, char); 12] = [
    (Market::Reserved, ONE, 'a'),
    (Market::Reserved, ONE, 'b'),
    (Market::Reserved, TWO, 'a'),
    (Market::Reserved, TWO, 'b'),
    (Market::Spot, ONE, 'a'),
    (Market::Spot, ONE, 'b'),
    (Market::Spot, TWO, 'b'),
    (Market::Spot, TWO, 'a'),
    (Market::OnDemand, ONE, 'a'),
    (Market::OnDemand, ONE, 'b'),
    (Market::OnDemand, TWO, 'a'),
    (Market::OnDemand, TWO, 'b'),
];

const PRICES: [(&str, &str); 4] = [
    ("spot.p5.48xlarge@us-east-1a", "20"),
    ("spot.p5.48xlarge@us-east-1b", "21"),
    ("spot.p4d.24xlarge@us-east-1a", "12"),
    ("spot.p4d.24xlarge@us-east-1b", "11"),
];

/// Places in each reservation while the plan is made.
const KEPT: u32 = 20;

/// The setting that says how many nodes an offer has.
fn room(offer: usize, nodes: u32) -> (String, String) {
    let (market, kind, zone) = OFFERS[offer];
    match market {
        Market::Reserved => {
            (format!("reservation.cr-0{offer}"), format!("{kind},us-east-1{zone},{nodes}"))
        }
        Market::Spot | Market::OnDemand | Market::CapacityBlock => {
            let market = market.word();
            (format!("capacity.{kind}@us-east-1{zone}/{market}"), nodes.to_string())
        }
    }
}

/// A cluster that may run on all of them, planned without nodes and with some while every offer
/// had room.
struct Bench {
    lab: Lab,
    none: Desired,
    some: Desired,
}

/// The configuration with so many nodes.
fn text(nodes: u32, gang: bool) -> String {
    format!(
        "stack \"m\" {{ region = \"us-east-1\" }}\nnetwork \"n\" {{ zones = [\"a\", \"b\"] }}\n\
         cluster \"c\" {{\n  network = network.n\n  instance_types = [{ONE:?}, {TWO:?}]\n  \
         capacity = [\"reserved\", \"spot\", \"on-demand\"]\n  \
         nodes = {{ min = {nodes}, gang = {gang} }}\n}}\n"
    )
}

impl Bench {
    async fn new(nodes: u32, gang: bool) -> Self {
        let mut settings = Settings::default();
        let own = [("latency_ms", "10"), ("boot_seconds", "0")];
        for (key, value) in PRICES.into_iter().chain(own) {
            settings.set(key, value).expect("a setting");
        }
        let lab = Lab::new(settings);
        rooms(&lab, [KEPT; 12]);
        let none = lab.desired(&text(0, gang)).await;
        lab.apply(&none).await.expect("an apply");
        let some = lab.desired_after(&text(nodes, gang), &none).await;
        let fleet = some.fleets.values().next().expect("a cluster");
        let found: Vec<_> = fleet
            .offers
            .iter()
            .map(|it| (it.market, it.instance_type.as_str(), letter(&it.zone)))
            .collect();
        assert_eq!(found, OFFERS);
        Self { lab, none, some }
    }

    /// Applies what was planned when the offers have these rooms: the nodes that run then, by offer,
    /// and what failed. Takes them away again, and waits until no refusal is remembered.
    async fn launched(&self, has: [u32; 12]) -> (BTreeMap<usize, u32>, Option<Failure>) {
        rooms(&self.lab, has);
        let (_, ended) = self.lab.apply(&self.some).await.expect("an apply");
        assert!(self.lab.doubled().is_empty(), "{has:?}: {:?}", self.lab.doubled());
        let mut out = BTreeMap::new();
        for object in self.lab.objects("m").into_values().flatten() {
            let Spec::Node(node) = object.spec else { continue };
            let place = (node.market, node.instance_type.as_str(), letter(&node.zone));
            let offer = OFFERS.iter().position(|it| *it == place).expect("an offer");
            *out.entry(offer).or_default() += 1;
        }
        let (_, gone) = self.lab.apply(&self.none).await.expect("an apply");
        assert!(gone.outcome.failed.is_empty(), "{:?}", gone.outcome.failed);
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        (out, ended.outcome.failed.into_values().next())
    }
}

fn rooms(lab: &Lab, rooms: [u32; 12]) {
    for (offer, nodes) in rooms.into_iter().enumerate() {
        let (key, value) = room(offer, nodes);
        lab.region.set(&key, &value).expect("a setting");
    }
}

fn letter(zone: &Zone) -> char {
    zone.as_str().chars().last().expect("a letter")
}

/// Whether all 4,096 subsets are tried, as `make test` does, or some of them.
fn all() -> bool {
    std::env::var_os("MLINFRA_SUBSETS").is_some_and(|what| what == "all")
}

/// Every subset of the twelve offers refuses as it is asked: the nodes run on the first of the
/// others in the list above, all of them and nowhere else; where all refuse, none runs.
async fn every_subset(gang: bool) {
    let bench = Bench::new(3, gang).await;
    let step = if all() { 1 } else { 31 };
    let mut tried = 0;
    for mask in (0..4095_u32).step_by(step).chain([4095]) {
        let has = std::array::from_fn(|offer| if mask >> offer & 1 == 1 { 0 } else { KEPT });
        let (found, failed) = bench.launched(has).await;
        let first = (0..12).find(|offer| mask >> offer & 1 == 0);
        let want: BTreeMap<usize, u32> = first.into_iter().map(|offer| (offer, 3)).collect();
        assert_eq!(found, want, "refusing {mask:012b}, gang {gang}: {failed:?}");
        assert_eq!(failed.map(|it| it.class), first.map_or(Some(Class::Capacity), |_| None));
        tried += 1;
    }
    println!(
        "{tried} subsets of twelve offers refused, gang {gang}: the first of the others each time"
    );
}

#[tokio::test(start_paused = true)]
async fn every_subset_of_twelve_offers_refuses_a_gang_at_its_launch() {
    every_subset(true).await;
}

#[tokio::test(start_paused = true)]
async fn every_subset_of_twelve_offers_refuses_single_nodes_at_their_launch() {
    every_subset(false).await;
}

/// Offers that have some of what is wanted: those that need not be alike take what there is, offer
/// by offer, and say what is missing; a gang passes over all that cannot hold it.
#[tokio::test(start_paused = true)]
async fn offers_that_have_too_few_are_filled_in_order_or_passed_over() {
    const NODES: u32 = 9;
    let rounds = if all() { 2000 } else { 60 };
    for gang in [false, true] {
        let bench = Bench::new(NODES, gang).await;
        let (mut dice, mut short) = (Dice(20_261_128), 0);
        for round in 0..rounds {
            // In every third round something has room for all of them.
            let sides = if round % 3 == 0 { 11 } else { 3 };
            let has: [u32; 12] =
                std::array::from_fn(|_| u32::try_from(dice.roll(sides)).expect("a few"));
            let (found, failed) = bench.launched(has).await;
            let (mut want, mut left) = (BTreeMap::new(), NODES);
            for (offer, room) in has.into_iter().enumerate() {
                let takes = if gang && room < NODES { 0 } else { room.min(left) };
                if takes > 0 {
                    want.insert(offer, takes);
                    left -= takes;
                }
            }
            assert_eq!(found, want, "{has:?}, gang {gang}: {failed:?}");
            assert_eq!(failed.is_some(), left > 0, "{has:?}: {failed:?}");
            if let Some(failed) = failed {
                short += 1;
                let run = format!("{} of {NODES} nodes run", NODES - left);
                assert!(left == NODES || failed.text.starts_with(&run), "{failed:?}");
            }
        }
        println!("{rounds} worlds with a few places each, gang {gang}: {short} had too few");
        assert!(short > 0 && short < rounds, "{short}");
    }
}
