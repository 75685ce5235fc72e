//! What metrics tell of a cluster's nodes and no decision asks for: what they save, what ails
//! them, and whose nobody declares. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::cloud::{Announced, Condition, Observed};
use crate::fleet::{Fleet, Node, NodeId, Offer, State};
use crate::kinds::{KindName, Market};
use crate::model::{Address, CloudId, Money, Region};

/// Checks that a node can fail, as its reason names them: the text is a machine's and could be
/// anything, and a label must not.
const CHECKS: [&str; 6] = ["check", "watch", "health", "setup", "mount", "boot"];
/// NVIDIA's Xids are below that (<https://docs.nvidia.com/deploy/xid-errors/>).
const XIDS: u16 = 1000;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// How much more nodes would cost per hour on demand, as far as both prices are known.
    pub saved: Money,
    /// Why nodes say that they are unhealthy.
    pub ill: BTreeMap<NodeId, Illness>,
    /// Who takes nodes away that are about to go.
    pub taken: BTreeMap<NodeId, Taken>,
}

/// Who takes a node away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    /// Spot takes it back.
    Spot,
    /// Its Capacity Block ends.
    CapacityBlock,
    /// Its machine is retired.
    Retirement,
}

impl Taken {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Spot, Self::CapacityBlock, Self::Retirement];

    /// The word for it in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::CapacityBlock => "capacity_block",
            Self::Retirement => "retirement",
        }
    }

    fn of(condition: &Condition) -> Self {
        let retired = |one: &Announced| matches!(one, Announced::Retirement { .. });
        if condition.is_interrupted() {
            Self::Spot
        } else if condition.announced.iter().any(retired) {
            Self::Retirement
        } else {
            Self::CapacityBlock
        }
    }
}

/// What ails a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Illness {
    /// Which check has failed; `other` for one that is not known.
    pub check: &'static str,
    /// The Xid that the driver has told; empty without one.
    pub xid: String,
}

impl Illness {
    /// Read off a reason.
    fn read(reason: &str) -> Self {
        let head = reason.split(':').next().unwrap_or_default().trim();
        let check = CHECKS.into_iter().find(|check| *check == head).unwrap_or("other");
        let number = reason
            .split("Xid ")
            .nth(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        let known = |number: &String| number.parse::<u16>().is_ok_and(|xid| xid < XIDS);
        Self { check, xid: number.filter(known).unwrap_or_default() }
    }
}

impl Signs {
    /// Of a cluster's nodes in a region.
    pub fn of(
        (fleet, observed): (&Fleet, &Observed),
        offers: &[Offer],
        listed: (&Catalog, &Region),
    ) -> Self {
        let condition = |id: &NodeId| observed.conditions.get(&CloudId::from(id.as_str()));
        let ill = fleet.nodes.iter().filter_map(|node| {
            let condition: &Condition = condition(&node.id)?;
            let reason = condition.reason.as_deref().unwrap_or_default();
            condition.is_unhealthy().then(|| (node.id.clone(), Illness::read(reason)))
        });
        let going = |node: &&Node| matches!(node.state, State::Interrupting { deadline: _ });
        let taken = fleet
            .nodes
            .iter()
            .filter(going)
            .filter_map(|node| Some((node.id.clone(), Taken::of(condition(&node.id)?))));
        let (ill, taken) = (ill.collect(), taken.collect());
        Self { saved: saved(fleet, offers, listed), ill, taken }
    }
}

fn saved(fleet: &Fleet, offers: &[Offer], (catalog, region): (&Catalog, &Region)) -> Money {
    let mut listed: BTreeMap<&str, Option<Money>> = BTreeMap::new();
    let mut sum = Money::ZERO;
    for node in fleet.nodes.iter().filter(|node| node.market != Market::OnDemand) {
        let name = node.offer.as_str().split('/').next().unwrap_or_default();
        let full = *listed.entry(name).or_insert_with(|| {
            let same = offers.iter().map(|offer| &offer.launch);
            let mut same =
                same.filter(|it| it.instance_type == name && it.market == Market::OnDemand);
            let listed = || catalog.price(region, name, Market::OnDemand);
            same.find_map(|it| it.price).or_else(|| listed().map(|price| price.usd))
        });
        // Where spot costs more than that, nothing is saved; a counter never falls.
        if let (Some(full), Some(paid)) = (full, node.price)
            && full > paid
        {
            sum = sum + Money::new(full.dollars() - paid.dollars());
        }
    }
    sum
}

/// Nodes that carry the stack's tags and stand where it declares none.
pub fn orphans(observed: &Observed, declared: &BTreeSet<Address>) -> u64 {
    let nodes =
        observed.live.values().filter(|live| live.kind == KindName::Node && live.phase.stands());
    let lost = nodes.filter(|live| !declared.contains(&live.owner.address)).count();
    u64::try_from(lost).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, nodes};
    use super::super::view::{View, Watch};
    use super::*;
    use crate::cloud::Phase;
    use crate::model::Moment;

    fn money(dollars: i64) -> Money {
        Money::new(dollars.into())
    }

    #[test]
    fn a_reason_names_its_check_and_its_xid_and_no_label_is_a_machine_s_own_word() {
        let read = |text| {
            let Illness { check, xid } = Illness::read(text);
            (check, xid)
        };
        assert_eq!(read("check: 7 of 8 GPUs"), ("check", String::new()));
        assert_eq!(read("watch: reboot after Xid 79, cordoned"), ("watch", "79".to_owned()));
        assert_eq!(read("anything: Xid 99999"), ("other", String::new()));
        assert_eq!(read("Xid abc"), ("other", String::new()));
        assert_eq!(read(""), ("other", String::new()));
    }

    #[test]
    fn what_ails_nodes_and_what_they_save_is_told() {
        let mut world = World::new();
        for (id, state) in [("i-1", "unhealthy"), ("i-2", "busy"), ("i-3", "idle")] {
            world.node(id, Phase::Ready, Some(state));
        }
        let id = CloudId::from("i-1");
        let condition = world.observed.conditions.get_mut(&id).expect("it");
        condition.reason = Some("watch: reboot after Xid 79".to_owned());
        let address = nodes();
        let view = View {
            address: &address,
            wanted: &world.fleet,
            template: None,
            offers: &[],
            attempts: &[],
            catalog: Catalog::shipped(),
            now: Moment(1),
        };
        let mut fleet = view.of(&world.observed, &mut Watch::default());
        for (node, price) in fleet.nodes.iter_mut().zip([20, 30, 100]) {
            (node.market, node.price) = (Market::Spot, Some(money(price)));
        }
        let mut offer = world.fleet.offers[0].clone();
        offer.price = Some(money(55));
        let (offers, region) = ([Offer::new(offer, 8)], Region::from("us-east-1"));
        let listed = (Catalog::shipped(), &region);
        let signs = Signs::of((&fleet, &world.observed), &offers, listed);
        assert_eq!(signs.saved, money(35 + 25), "spot above the list price saves nothing");
        let ill =
            BTreeMap::from([("i-1".into(), Illness { check: "watch", xid: "79".to_owned() })]);
        assert_eq!(signs.ill, ill);
        fleet.nodes[2].market = Market::OnDemand;
        let shipped = Signs::of((&fleet, &world.observed), &[], listed).saved;
        let full = Catalog::shipped().price(&region, "p5.48xlarge", Market::OnDemand);
        let full = full.expect("a price").usd.dollars();
        assert_eq!(shipped, Money::new(full * rust_decimal::Decimal::TWO - money(50).dollars()));
        fleet.nodes[0].price = None;
        assert!(Signs::of((&fleet, &world.observed), &offers, listed).saved < money(26));
    }

    #[test]
    fn nodes_that_no_cluster_declares_are_counted() {
        let mut world = World::new();
        world.node("i-1", Phase::Ready, Some("busy"));
        world.node("i-2", Phase::Leaving, None);
        let declared = BTreeSet::from([nodes()]);
        assert_eq!(orphans(&world.observed, &declared), 0);
        assert_eq!(orphans(&world.observed, &BTreeSet::new()), 1, "what goes is no orphan");
    }
}
