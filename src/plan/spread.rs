//! Machines of a service stand in several zones: one zone that fails must not take all of them.

use std::collections::BTreeMap;

use crate::kinds::{Market, Offer};
use crate::model::Zone;
use crate::stack::Fleet;

/// How many nodes stand, or will, in each zone.
pub(super) type Placed = BTreeMap<Zone, u32>;

/// Whether the nodes of a fleet are spread. Those of a cluster are not: they work together, and
/// every byte that goes between zones takes longer.
fn is_spread(fleet: &Fleet) -> bool {
    fleet.published.is_some() && fleet.count > 1
}

/// A launch as a launch for each zone: how many nodes, and the offers of that zone before all
/// others, which stay for when it has no capacity. Only zones that have the best offer's market
/// count: what would be paid otherwise is for when there is no more of that.
pub(super) fn parts(
    fleet: &Fleet,
    offers: &[Offer],
    placed: &mut Placed,
    count: u32,
) -> Vec<(u32, Vec<Offer>)> {
    let zones = zones(offers);
    if !is_spread(fleet) || zones.len() < 2 {
        return vec![(count, offers.to_vec())];
    }
    let mut each: BTreeMap<usize, u32> = BTreeMap::new();
    for _ in 0..count {
        let load = |at: &usize| (placed.get(&zones[*at]).copied().unwrap_or(0), *at);
        let Some(at) = (0..zones.len()).min_by_key(load) else { break };
        *placed.entry(zones[at].clone()).or_default() += 1;
        *each.entry(at).or_default() += 1;
    }
    let first = |at: usize| {
        let (mut there, other): (Vec<Offer>, Vec<Offer>) =
            offers.iter().cloned().partition(|offer| offer.zone == zones[at]);
        there.extend(other);
        there
    };
    each.into_iter().map(|(at, some)| (some, first(at))).collect()
}

/// Zones by their best offer.
fn zones(offers: &[Offer]) -> Vec<Zone> {
    let market: Option<Market> = offers.first().map(|offer| offer.market);
    let mut out: Vec<Zone> = Vec::new();
    for offer in offers.iter().filter(|offer| Some(offer.market) == market) {
        if !out.contains(&offer.zone) {
            out.push(offer.zone.clone());
        }
    }
    out
}
