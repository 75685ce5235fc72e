//! Where the nodes of a cluster can be had: type × zone × market, best first.

use rust_decimal::Decimal;

use crate::catalog::{Catalog, InstanceType};
use crate::kinds::{Interface, InterfaceKind, Market, Offer};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Money, Zone};

use super::desired::Rejected;
use super::expansion::Expansion;
use super::ground::Ground;
use super::need::{self, Candidate, Candidates};
use super::network;

/// What came of looking for offers.
#[derive(Default)]
pub(super) struct Found {
    /// Best first.
    pub offers: Vec<Offer>,
    /// What will not do, and why.
    pub rejected: Vec<Rejected>,
}

/// One IP interface on card 0 and EFA without an address on every card that can: an
/// address per node, not per card
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html>).
fn interfaces(found: &InstanceType) -> Vec<Interface> {
    if found.efa == 0 {
        return Vec::new();
    }
    let mut out = vec![Interface { card: 0, device: 0, kind: InterfaceKind::Ip }];
    for card in found.efa_from..found.efa_from + found.efa {
        let device = i32::from(card == 0);
        out.push(Interface { card, device, kind: InterfaceKind::EfaOnly });
    }
    out
}

/// Zones of the network that the author wants, in the author's order.
fn wanted(x: &mut Expansion<'_>, block: &Evaluated, open: &[Zone]) -> Vec<Zone> {
    let known = |value: &&Value| !value.holds_unknown();
    let Some(written) = block.attr("zones").filter(known) else { return open.to_vec() };
    let mut found = Vec::new();
    for value in written.as_list().unwrap_or_default() {
        let letter = value.as_str().unwrap_or_default();
        let zone = Zone(format!("{}{letter}", x.here.home.region));
        if open.contains(&zone) {
            found.push(zone);
        } else {
            let problem = format!("the network has no zone {letter:?}");
            x.check(value, Some(problem), &format!("its zones are {}", network::letters(open)));
        }
    }
    let none = written.as_list().is_some_and(<[Value]>::is_empty);
    let problem = "a cluster needs a zone".to_owned();
    x.check(written, none.then_some(problem), "name one, or leave `zones` out for all");
    found
}

/// The rungs of the capacity ladder.
fn ladder(x: &mut Expansion<'_>, block: &Evaluated) -> Vec<Market> {
    let Some(written) = block.attr("capacity").filter(|value| !value.holds_unknown()) else {
        return vec![Market::OnDemand];
    };
    let mut rungs = Vec::new();
    for value in written.as_list().unwrap_or_default() {
        let word = value.as_str().unwrap_or_default();
        let market = Market::from_word(word).filter(|market| !rungs.contains(market));
        rungs.extend(market);
    }
    let problem = "a cluster needs a way to get its nodes".to_owned();
    let help = "write \"on-demand\", \"spot\", or both in the order in which to try them";
    x.check(written, rungs.is_empty().then_some(problem), help);
    rungs
}

/// The offers of a cluster: by rung of the ladder, then as the author prefers, then by price.
pub(super) fn find(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    candidates: &Candidates,
    ground: Option<&Ground>,
    group: Option<&Address>,
) -> Found {
    let mut out = Found { rejected: candidates.unfit.clone(), ..Found::default() };
    let Some(ground) = ground else { return out };
    let open = ground.zones(x);
    let zones = wanted(x, block, &open);
    let rungs = ladder(x, block);
    let ceiling = ceiling(x, block);
    let mut ranked = Vec::new();
    for (rung, market) in rungs.iter().enumerate() {
        for candidate in &candidates.fit {
            for (at, zone) in zones.iter().enumerate() {
                let what = format!("{} in {zone}, {}", candidate.name, market.word());
                match offer(x, (candidate, zone, *market), ground, ceiling) {
                    Ok(mut offer) => {
                        offer.placement = group.cloned().map(Link::To);
                        let order = (rung, candidate.rank, cost(x, &offer), at);
                        ranked.push((order, offer));
                    }
                    Err(why) => out.rejected.push(Rejected { what, why }),
                }
            }
        }
    }
    ranked.sort_by(|(a, one), (b, other)| {
        a.cmp(b).then_with(|| one.instance_type.cmp(&other.instance_type))
    });
    out.offers = ranked.into_iter().map(|(_, offer)| offer).collect();
    let free = ceiling.is_some_and(|most| most <= Money::ZERO);
    if out.offers.is_empty() && !zones.is_empty() && !rungs.is_empty() && !free {
        nothing(x, block, candidates, (&zones, &out.rejected));
    }
    out
}

/// What offers are ordered by: those without any price last. The price of spot moves with
/// that of the same type on demand, which stands in for it where it is not known.
fn cost(x: &Expansion<'_>, offer: &Offer) -> (bool, Option<Money>) {
    let (region, name) = (&x.here.home.region, &offer.instance_type);
    let stand_in = || Catalog::shipped().price(region, name, Market::OnDemand);
    let price = offer.price.or_else(|| stand_in().map(|price| price.usd));
    (price.is_none(), price)
}

/// The highest price of a node per hour.
fn ceiling(x: &mut Expansion<'_>, block: &Evaluated) -> Option<Money> {
    let value = block.attr("max_price")?;
    let price = value.as_number()?;
    let problem = "max_price is no price".to_owned();
    let help = "write US dollars per hour and node, such as 60";
    x.check(value, (price <= Decimal::ZERO).then_some(problem), help);
    Some(Money::new(price))
}

fn offer(
    x: &Expansion<'_>,
    (candidate, zone, market): (&Candidate, &Zone, Market),
    ground: &Ground,
    ceiling: Option<Money>,
) -> Result<Offer, String> {
    let offered = x.facts.offerings.get(&candidate.name);
    if offered.is_some_and(|zones| !zones.contains(zone)) {
        return Err("the zone does not offer it".to_owned());
    }
    if candidate.known.is_some_and(|known| !known.markets.contains(&market)) {
        return Err(format!("AWS does not sell it as {}", market.word()));
    }
    let price = Catalog::shipped().price(&x.here.home.region, &candidate.name, market);
    let price = price.map(|price| price.usd);
    match (ceiling, price) {
        (Some(most), Some(price)) if price > most => {
            return Err(format!("{price}/h is above max_price"));
        }
        // AWS itself holds the price of spot; of the rest nobody would.
        (Some(_), None) if market != Market::Spot => {
            return Err("its price is not known, and max_price must hold".to_owned());
        }
        (_, _) => {}
    }
    let subnet = ground.subnet(zone).ok_or("the network has no subnet there")?;
    Ok(Offer {
        market,
        interfaces: candidate.known.map(interfaces).unwrap_or_default(),
        price,
        max_price: ceiling.filter(|_| market == Market::Spot),
        ..Offer::plain(&candidate.name, zone.clone(), subnet)
    })
}

/// No offer at all: says why, at what the author wrote.
fn nothing(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    candidates: &Candidates,
    (wanted, rejected): (&[Zone], &[Rejected]),
) {
    let (Some(value), [first, rest @ ..]) = (need::place(block), candidates.fit.as_slice()) else {
        return;
    };
    let region = x.here.home.region.clone();
    let offered = x.facts.offerings.get(&first.name).cloned().unwrap_or_default();
    let offered: Vec<Zone> = offered.into_iter().collect();
    let elsewhere = !wanted.iter().any(|zone| offered.contains(zone));
    if rest.is_empty() && elsewhere {
        let name = &first.name;
        let (problem, help) = if offered.is_empty() {
            let help = "check its spelling, or choose another type or region".to_owned();
            (format!("{region} does not offer {name:?}"), help)
        } else {
            let (has, wants) = (network::letters(&offered), network::letters(wanted));
            let help = format!("{region} offers it in {has}; the cluster may run in {wants}");
            (format!("no zone of the cluster offers {name:?}"), help)
        };
        x.check(value, Some(problem), &help);
        return;
    }
    let some = rejected.iter().filter(|one| one.what.contains(" in "));
    let some: Vec<String> = some.take(4).map(|one| format!("{}: {}", one.what, one.why)).collect();
    x.check(value, Some("no offer will do".to_owned()), &some.join("\n"));
}
