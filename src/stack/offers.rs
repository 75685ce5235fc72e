//! Where the nodes of a cluster can be had: type × zone × market, best first.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::catalog::InstanceType;
use crate::cloud::Reservation;
use crate::kinds::{Interface, InterfaceKind, Market, Offer};
use crate::lang::nearest::nearest;
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Moment, Money, Problem, ReservationId, SubnetId, Zone};

use super::advice::Asked;
use super::desired::Rejected;
use super::expansion::Expansion;
use super::ground::Ground;
use super::ladder::{self, Rung, Which};
use super::need::{self, Candidate, Candidates};
use super::network;

/// What came of looking for offers.
#[derive(Default)]
pub(super) struct Found {
    /// Best first.
    pub offers: Vec<Offer>,
    /// What will not do, and why.
    pub rejected: Vec<Rejected>,
    /// What the author may want to know of it.
    pub advice: Vec<Problem>,
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

/// Where offers are looked for.
struct Search<'a> {
    zones: Vec<Zone>,
    candidates: &'a Candidates,
    ground: &'a Ground,
    /// The most that a node may cost, and each of its accelerators.
    ceilings: [Option<Money>; 2],
    group: Option<&'a Address>,
    /// How many nodes must start at once; none where what can be had starts.
    whole: Option<u32>,
    /// Nodes of the cluster that stand already, by the reservation that pays for them.
    held: Option<&'a BTreeMap<Option<ReservationId>, u32>>,
}

/// How far down the list an offer stands: by rung of the ladder, then as the author prefers,
/// then where spot took nobody back of late, then by price, then a Capacity Block, which ends,
/// before other reservations.
type Order = (usize, usize, Option<Moment>, (bool, Option<Money>), bool, usize);

/// What was found so far.
#[derive(Default)]
struct Ranked {
    offers: Vec<(Order, Offer)>,
    rejected: Vec<Rejected>,
}

/// The offers of a cluster, best first.
pub(super) fn find(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    candidates: &Candidates,
    ground: Option<&Ground>,
    (group, whole): (Option<&Address>, Option<u32>),
) -> Found {
    let mut out = Found { rejected: candidates.unfit.clone(), ..Found::default() };
    let Some(ground) = ground else { return out };
    let open = ground.zones(x);
    let zones = wanted(x, block, &open);
    let rungs = ladder::ladder(x, block);
    let ceilings = ["max_price", "max_gpu_price"].map(|name| ceiling(x, block, name));
    let held = block.address.as_ref().and_then(|cluster| x.pins.nodes.get(cluster));
    let search = Search { zones, candidates, ground, ceilings, group, whole, held };
    let mut found = Ranked::default();
    for (rung, way) in rungs.iter().enumerate() {
        match way {
            Rung::Open(market) => search.open(x, (rung, *market), &mut found),
            Rung::Kept(which) => search.kept(x, (rung, which), &mut found),
        }
    }
    let Ranked { offers: mut ranked, rejected } = found;
    out.rejected.extend(rejected);
    ranked.sort_by(|(a, one), (b, other)| {
        a.cmp(b).then_with(|| one.instance_type.cmp(&other.instance_type))
    });
    if block.attr("fallback").and_then(Value::as_bool) == Some(false) {
        first_only(&mut ranked, &mut out.rejected);
    }
    out.offers = ranked.into_iter().map(|(_, offer)| offer).collect();
    let (rungs, together, offers) = (&*rungs, group.is_some(), &*out.offers);
    let asked = Asked { block, rungs, candidates, together, offers };
    let room = |found: &Reservation| search.place_in(found).ok().map(|(_, _, free)| free);
    out.advice = asked.advice(&x.facts.reservations, room);
    let free = ceilings.iter().flatten().any(|most| *most <= Money::ZERO);
    let sought = !search.zones.is_empty() && !rungs.is_empty() && !free;
    if out.offers.is_empty() && sought && !search.is_leaving(x, rungs) {
        nothing(x, block, candidates, (&search.zones, &out.rejected));
    }
    out
}

/// The author wants the first way and the first type or nothing: any zone may still do.
fn first_only(ranked: &mut Vec<(Order, Offer)>, rejected: &mut Vec<Rejected>) {
    let best = ranked.first().map_or(0, |((_, rank, ..), _)| *rank);
    let (kept, others): (Vec<_>, Vec<_>) = std::mem::take(ranked)
        .into_iter()
        .partition(|((rung, rank, ..), _)| *rung == 0 && *rank == best);
    *ranked = kept;
    rejected.extend(others.into_iter().map(|(_, offer)| Rejected {
        what: offer.words(),
        why: "would be a fallback, and `fallback` is false".to_owned(),
    }));
}

impl Search<'_> {
    /// What is sold for the asking.
    fn open(&self, x: &Expansion<'_>, (rung, market): (usize, Market), out: &mut Ranked) {
        for candidate in &self.candidates.fit {
            for (at, zone) in self.zones.iter().enumerate() {
                match self.offer(x, candidate, zone, market) {
                    Ok(mut offer) => {
                        offer.placement = self.group.cloned().map(Link::To);
                        let place = (candidate.name.clone(), zone.clone());
                        let setback = x.pins.setbacks.get(&place).copied();
                        offer.setback = setback.filter(|_| market == Market::Spot);
                        let behind = offer.setback.map(|it| it.until);
                        let order = (rung, candidate.rank, behind, cost(x, &offer), false, at);
                        out.offers.push((order, offer));
                    }
                    Err(why) => {
                        let what = format!("{} in {zone}, {}", candidate.name, market.word());
                        out.rejected.push(Rejected { what, why });
                    }
                }
            }
        }
    }

    /// What is kept for the account. It is paid whether it is used or not, so a node in it
    /// costs nothing more; and it says itself how its nodes stand together: in the group that it
    /// was made in, without which EC2 starts nothing in it, and never in one of ours on top.
    fn kept(&self, x: &Expansion<'_>, (rung, which): (usize, &Which), out: &mut Ranked) {
        let mut none = true;
        for found in x.facts.reservations.iter().filter(|found| which.covers(found)) {
            none = false;
            let what = format!("{} {}", found.market.word(), found.id);
            let of_type = |one: &&Candidate| one.name == found.instance_type;
            let Some(candidate) = self.candidates.fit.iter().find(of_type) else {
                let why =
                    format!("is for {}, which the cluster does not want", found.instance_type);
                out.rejected.push(Rejected { what, why });
                continue;
            };
            match self.place_in(found) {
                Ok((at, subnet, free)) => {
                    let offer = Offer {
                        market: found.market,
                        reservation: Some(found.id.clone()),
                        placement: found.group.clone().map(Link::Id),
                        interfaces: candidate.known.as_ref().map(interfaces).unwrap_or_default(),
                        price: Some(Money::ZERO),
                        free: Some(free),
                        ends: found.ends,
                        ..Offer::plain(&candidate.name, found.zone.clone(), subnet)
                    };
                    let ends = found.market != Market::CapacityBlock;
                    let nothing = (false, Some(Money::ZERO));
                    out.offers.push(((rung, candidate.rank, None, nothing, ends, at), offer));
                }
                Err(why) => out.rejected.push(Rejected { what, why }),
            }
        }
        if none {
            let why = "there is none in this account and region".to_owned();
            out.rejected.push(Rejected { what: which.words(), why });
        }
    }

    /// Whether it had capacity until a moment ago: a Capacity Block that ends is no mistake of the
    /// author, and must not keep the rest of the stack from being planned.
    fn is_leaving(&self, x: &Expansion<'_>, rungs: &[Rung]) -> bool {
        let wanted = |found: &Reservation| {
            let covers = |rung: &Rung| match rung {
                Rung::Kept(which) => which.covers(found),
                Rung::Open(_) => false,
            };
            let fits = self.candidates.fit.iter().any(|one| one.name == found.instance_type);
            fits && rungs.iter().any(covers)
        };
        x.facts.reservations.iter().any(|found| found.leaving && wanted(found))
    }

    /// Where the nodes of a reservation would run, and for how many there is room. What the
    /// cluster's own nodes hold there is room for their successors: those of a gang end first.
    fn place_in(&self, found: &Reservation) -> Result<(usize, Link<SubnetId>, u32), String> {
        if let Some(why) = &found.closed {
            return Err(why.clone());
        }
        let Reservation { zone, free, total, .. } = found;
        let at = self.zones.iter().position(|wanted| wanted == zone);
        let at = at.ok_or_else(|| format!("is in {zone}, where the cluster may not run"))?;
        let of = |nodes: &BTreeMap<_, u32>| nodes.get(&Some(found.id.clone())).copied();
        let own = self.held.and_then(of).unwrap_or(0);
        if free + own == 0 {
            return Err(format!("none of its {total} places is free"));
        }
        let (mut room, mut need) = (*free, 0);
        if let Some(count) = self.whole {
            let standing = self.held.map_or(0, |nodes| nodes.values().sum());
            need = count.saturating_sub(standing);
            if need == 0 {
                (room, need) = (room + own, count);
            }
        }
        if room < need {
            let are = if *free == 1 { "is" } else { "are" };
            let text = format!("{free} of its {total} places {are} free, and a gang needs {need}");
            return Err(text);
        }
        let subnet = self.ground.subnet(zone).ok_or("the network has no subnet there")?;
        Ok((at, subnet, room))
    }

    /// The most that a node of a type may cost; an error says what it costs too much for.
    fn ceiling(
        &self,
        candidate: &Candidate,
        price: Option<Money>,
    ) -> Result<Option<Money>, String> {
        let [node, gpu] = self.ceilings;
        if let (Some(most), Some(price)) = (node, price)
            && price > most
        {
            return Err(format!("{price}/h is above max_price"));
        }
        let Some(most) = gpu else { return Ok(node) };
        let gpus = candidate.known.as_ref().map_or(0, InstanceType::accelerators);
        if gpus == 0 {
            return Err(
                "has no accelerators that are known, and max_gpu_price must hold".to_owned()
            );
        }
        if let Some(each) = price.and_then(|price| price.over(gpus))
            && each > most
        {
            return Err(format!("{each}/h for an accelerator is above max_gpu_price"));
        }
        let all = most * gpus;
        Ok(Some(node.map_or(all, |node| node.min(all))))
    }

    fn offer(
        &self,
        x: &Expansion<'_>,
        candidate: &Candidate,
        zone: &Zone,
        market: Market,
    ) -> Result<Offer, String> {
        let offered = x.facts.offerings.get(&candidate.name);
        if offered.is_some_and(|zones| !zones.contains(zone)) {
            return Err("the zone does not offer it".to_owned());
        }
        if candidate.known.as_ref().is_some_and(|known| !known.markets.contains(&market)) {
            return Err(format!("AWS does not sell it as {}", market.word()));
        }
        let place = (candidate.name.clone(), zone.clone());
        let spot = x.facts.spot.get(&place).filter(|_| market == Market::Spot);
        let listed = x.pins.tables.price(&x.here.home.region, &candidate.name, market);
        let price = spot.map(|spot| spot.usd).or(listed.map(|price| price.usd));
        let ceiling = self.ceiling(candidate, price)?;
        // AWS itself holds the price of spot; of the rest nobody would.
        if ceiling.is_some() && price.is_none() && market != Market::Spot {
            let [node, _] = self.ceilings;
            let limit = if node.is_some() { "max_price" } else { "max_gpu_price" };
            return Err(format!("its price is not known, and {limit} must hold"));
        }
        let subnet = self.ground.subnet(zone).ok_or("the network has no subnet there")?;
        Ok(Offer {
            market,
            interfaces: candidate.known.as_ref().map(interfaces).unwrap_or_default(),
            price,
            max_price: ceiling.filter(|_| market == Market::Spot),
            ..Offer::plain(&candidate.name, zone.clone(), subnet)
        })
    }
}

/// What offers are ordered by: those without any price last. The price of spot moves with
/// that of the same type on demand, which stands in for it where it is not known.
fn cost(x: &Expansion<'_>, offer: &Offer) -> (bool, Option<Money>) {
    let (region, name) = (&x.here.home.region, &offer.instance_type);
    let stand_in = || x.pins.tables.price(region, name, Market::OnDemand);
    let price = offer.price.or_else(|| stand_in().map(|price| price.usd));
    (price.is_none(), price)
}

/// The highest price of a node, or of an accelerator, per hour.
fn ceiling(x: &mut Expansion<'_>, block: &Evaluated, name: &str) -> Option<Money> {
    let value = block.attr(name)?;
    let price = value.as_number()?;
    let (what, like) = if name == "max_price" { ("node", 60) } else { ("accelerator", 8) };
    let problem = format!("{name} is no price");
    let help = format!("write US dollars per hour and {what}, such as {like}");
    x.check(value, (price <= Decimal::ZERO).then_some(problem), &help);
    Some(Money::new(price))
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
            let known = x.pins.tables.types().map(|it| it.name.as_str());
            let help = match x.pins.tables.get(name) {
                None => nearest(name, known).map(|near| format!("did you mean {near:?}?")),
                Some(_) => None,
            };
            let help = help.unwrap_or_else(|| {
                "check its spelling, or choose another type or region".to_owned()
            });
            (format!("{region} does not offer {name:?}"), help)
        } else {
            let (has, wants) = (network::letters(&offered), network::letters(wanted));
            let help = format!("{region} offers it in {has}; the cluster may run in {wants}");
            (format!("no zone of the cluster offers {name:?}"), help)
        };
        x.check(value, Some(problem), &help);
        return;
    }
    let some = rejected.iter().filter(|one| one.what.contains(' '));
    let some: Vec<String> = some.take(4).map(|one| format!("{}: {}", one.what, one.why)).collect();
    x.check(value, Some("no offer will do".to_owned()), &some.join("\n"));
}
