//! What a cluster's nodes stand on in the cloud: its launch template, subnets and placement
//! groups. Pure.
//!
//! What was applied counts, not what is declared by now: a configuration that nobody has applied
//! yet must not stop a fleet, and must not be half applied by it.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::cloud::Observed;
use crate::fleet::Offer;
use crate::kinds;
use crate::model::{Address, CloudId, Link};
use crate::stack;

/// Where nodes can be launched, and from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// The launch template.
    pub template: CloudId,
    /// Offers whose subnets are there, best first.
    pub offers: Vec<Offer>,
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The launch template.
    #[error("{0} is not there: run `mlinfra apply` first")]
    Template(Address),
    /// Every subnet that nodes could stand in.
    #[error("no subnet of {0} is there: run `mlinfra apply` first")]
    Subnets(Address),
}

impl Ground {
    /// What is there for the nodes at an address.
    pub fn of(
        (address, fleet): (&Address, &stack::Fleet),
        observed: &Observed,
        catalog: &Catalog,
    ) -> Result<Self, Missing> {
        let standing = standing(observed);
        let template = standing.get(&fleet.template).copied().cloned();
        let template = template.ok_or_else(|| Missing::Template(fleet.template.clone()))?;
        let known = |to: &Address| standing.get(to).copied();
        let offers: Vec<Offer> = fleet
            .offers
            .iter()
            .filter_map(|offer| settled(offer, known))
            .map(|launch| {
                let gpus = catalog.gpus(&launch.instance_type);
                Offer::new(launch, gpus)
            })
            .collect();
        if offers.is_empty() && !fleet.offers.is_empty() {
            return Err(Missing::Subnets(address.clone()));
        }
        Ok(Self { template, offers })
    }
}

/// The object that stands at each address: the latest one that can be used.
fn standing(observed: &Observed) -> BTreeMap<&Address, &CloudId> {
    let mut found: BTreeMap<&Address, (u32, &CloudId)> = BTreeMap::new();
    for (id, live) in observed.live.iter().filter(|(_, live)| live.is_usable()) {
        let new = (live.owner.generation, id);
        let there = found.entry(&live.owner.address).or_insert(new);
        *there = new.max(*there);
    }
    found.into_iter().map(|(address, (_, id))| (address, id)).collect()
}

/// An offer with ids in place of addresses; none where what it refers to is not there.
fn settled<'a>(
    offer: &kinds::Offer,
    known: impl Fn(&Address) -> Option<&'a CloudId>,
) -> Option<kinds::Offer> {
    let mut offer = offer.clone();
    if let Link::To(to) = &offer.subnet {
        offer.subnet = Link::Id(known(to)?.as_str().into());
    }
    if let Some(Link::To(to)) = &offer.placement {
        offer.placement = Some(Link::Id(known(to)?.as_str().into()));
    }
    Some(offer)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, nodes};
    use super::*;

    #[test]
    fn what_is_applied_counts_and_what_is_missing_is_named() {
        let world = World::new();
        let known = Catalog::shipped();
        let of = |observed: &Observed| Ground::of((&nodes(), &world.fleet), observed, known);
        let ground = of(&world.observed).expect("a ground");
        assert_eq!(ground.template.as_str(), "lt-2", "the latest generation");
        let [offer] = ground.offers.as_slice() else { panic!("{:?}", ground.offers) };
        assert_eq!((offer.gpus, offer.key.as_str()), (8, "p5.48xlarge/us-east-1a/on-demand"));
        assert_eq!(offer.launch.subnet.id().map(|it| it.as_str()), Some("subnet-1"));
        let mut bare = world.observed.clone();
        bare.live.retain(|id, _| !id.as_str().starts_with("subnet"));
        let missing = of(&bare).expect_err("no subnet");
        assert!(missing.to_string().starts_with("no subnet of cluster.train/nodes"), "{missing}");
        let missing = of(&Observed::default()).expect_err("no template").to_string();
        assert_eq!(missing, "cluster.train/template is not there: run `mlinfra apply` first");
    }
}
