//! How many nodes are asked for, and where.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::cost::times_of;
use super::decision::{Launch, LaunchReason};
use super::demand::Shape;
use super::id::{JobId, OfferKey};
use super::learn::{COOL, FAILURES};
use super::room::{Room, fitting, room};
use super::round::{Round, after};
use super::state::Offer;
use super::stock::Place;
use super::why::{Against, Considered, NotMore};
use crate::model::{Moment, Money};

/// Whether an offer can be tried now. Where all that are as large were refused, there is nothing
/// to take meanwhile, and each is tried again after the shortest time that one is left alone.
fn against(round: &Round<'_>, offer: &Offer) -> Option<Against> {
    if offer.launch.free == Some(0) {
        return Some(Against::Full);
    }
    let cools = |offer: &Offer| {
        round.memory.refused.get(&offer.key).filter(|refusal| refusal.until > round.now)
    };
    let refusal = cools(offer)?;
    if refusal.quota {
        return Some(Against::Quota);
    }
    let open =
        |it: &Offer| it.gpus >= offer.gpus && it.launch.free != Some(0) && cools(it).is_none();
    let soon = after(refusal.at, COOL).min(refusal.until);
    let until = if round.offers.iter().any(open) { refusal.until } else { soon };
    (until > round.now).then_some(Against::Refused { until })
}

/// Launches in the making.
pub(super) struct Grow<'a> {
    offers: Vec<(&'a Offer, Option<Against>)>,
    room: Room,
    /// Free slots of nodes that are launched in this decision, for smaller jobs that follow.
    open: BTreeMap<u32, u32>,
    launches: Vec<Launch>,
    /// Why no more is asked for.
    pub held: Vec<NotMore>,
}

impl<'a> Grow<'a> {
    /// Nothing is asked for yet.
    pub fn new(round: &mut Round<'a>) -> Self {
        let offers = round.offers.iter().map(|it| (it, against(round, it))).collect();
        let room = room(round);
        Self { offers, room, open: BTreeMap::new(), launches: Vec::new(), held: Vec::new() }
    }

    /// Nothing may be asked for, for that reason; what is asked for already stays.
    pub fn close(&mut self, why: NotMore) {
        (self.room.nodes, self.room.most, self.room.binds) = (0, 0, why);
        self.room.left.0 = u32::MAX;
    }

    /// May again be asked for as much as before.
    pub fn reopen(&mut self, round: &mut Round<'a>) {
        self.room = room(round);
    }

    fn hold(&mut self, why: NotMore) {
        if !self.held.contains(&why) {
            self.held.push(why);
        }
    }

    /// Whether more nodes of a gang can be had where a place's nodes stand.
    pub fn is_open(&self, place: &Place, shape: Shape) -> bool {
        let fits = |offer: &Offer| offer.gpus.max(1) >= shape.gpus && place.holds(offer);
        self.offers.iter().any(|(offer, against)| against.is_none() && fits(offer))
    }

    /// One gang: all that it lacks beside what it has at a place, or nothing.
    pub fn gang(
        &mut self,
        gang: &JobId,
        shape: Shape,
        (have, place): (u32, Option<&Place>),
    ) -> Result<(), NotMore> {
        let nodes = shape.nodes.saturating_sub(have);
        let fits = |offer: &Offer| offer.gpus.max(1) >= shape.gpus;
        let here = |offer: &Offer| place.is_none_or(|place| place.holds(offer));
        let room = |offer: &Offer| offer.launch.free.is_none_or(|free| free >= nodes);
        let mut found = self.ranked(|offer| fits(offer) && here(offer) && room(offer));
        // What it leaves free of a larger node is paid for, too.
        let size = self.size(shape.gpus, shape.gpus.into());
        found.sort_by_key(|offer| Some(offer.gpus.max(1)) != size);
        let got = match found.is_empty() {
            true => Err(self.no_offer(shape)),
            false => match self.afford(nodes, found, true) {
                (count, offers, _) if count == nodes && count > 0 => Ok(offers),
                (_, _, held) => Err(held.unwrap_or(NotMore::Enough)),
            },
        };
        match got {
            Ok(offers) => {
                let reason = LaunchReason::Gang { job: Some(gang.clone()), shape, have };
                self.push(nodes, (true, offers), reason);
                Ok(())
            }
            Err(why) => {
                // It needs a minute in which nobody else asks for nodes.
                if matches!(why, NotMore::Rate { .. }) {
                    (self.room.nodes, self.room.rested) = (0, false);
                }
                self.hold(why.clone());
                Err(why)
            }
        }
    }

    /// Jobs alike, of one node each: how many have nodes launched for them, and why the others
    /// have not. `later` is what jobs that follow could use of those nodes.
    pub fn jobs(&mut self, (shape, wanted): (Shape, u32), later: u64) -> (u32, Option<NotMore>) {
        let slots = shape.gpus;
        let mut left = self.on_open(slots, wanted);
        let mut held = None;
        while left > 0 && held.is_none() {
            let before = left;
            (left, held) = self.some_jobs((shape, left), later);
            if left == before {
                break;
            }
        }
        held.iter().for_each(|why: &NotMore| self.hold(why.clone()));
        (wanted - left, held)
    }

    /// As many of them as fill whole nodes of the size that is cheapest for so many, with the one
    /// that the rest fill in part, unless another size is cheaper for the rest. How many are
    /// left, and why no more of them can have nodes.
    fn some_jobs(&mut self, (shape, wanted): (Shape, u32), later: u64) -> (u32, Option<NotMore>) {
        let slots = shape.gpus;
        let useful = |jobs: u32| u64::from(slots).saturating_mul(jobs.into()).saturating_add(later);
        let Some(size) = self.size(slots, useful(wanted)) else {
            return (wanted, Some(self.no_offer(shape)));
        };
        let each = (size / slots.max(1)).max(1);
        let (full, rest) = (wanted / each, wanted % each);
        let last = rest > 0 && (full == 0 || self.size(slots, useful(rest)) == Some(size));
        let found = self.ranked(|offer| offer.gpus.max(1) == size);
        let (count, offers, held) = self.afford(full + u32::from(last), found, false);
        if count == 0 {
            return (wanted, held);
        }
        *self.open.entry(size).or_insert(0) += count;
        let left = self.on_open(slots, wanted);
        let jobs = wanted - left;
        let gpus = u64::from(jobs) * u64::from(slots);
        self.push(count, (false, offers), LaunchReason::Jobs { jobs, gpus });
        (left, held.filter(|_| left > 0))
    }

    /// Free accelerators of nodes that are launched for jobs.
    pub fn free(&self) -> u64 {
        self.open.iter().map(|(free, nodes)| u64::from(*free) * u64::from(*nodes)).sum()
    }

    /// Puts jobs on nodes that are launched anyway; how many are left.
    fn on_open(&mut self, slots: u32, count: u32) -> u32 {
        let mut left = count;
        while left > 0 {
            let Some((&free, _)) = self.open.range(slots..).next() else { break };
            let nodes = self.open.remove(&free).unwrap_or(0);
            let each = (free / slots.max(1)).max(1);
            // As many nodes as are filled, and one that is filled in part.
            let full = (left / each).min(nodes);
            left -= full * each;
            let mut put = |free: u32, nodes: u32| {
                if free > 0 && nodes > 0 {
                    *self.open.entry(free).or_insert(0) += nodes;
                }
            };
            put(free - each * slots, full);
            let mut rest = nodes - full;
            if rest > 0 && left > 0 {
                put(free - left * slots, 1);
                (left, rest) = (0, rest - 1);
            }
            put(free, rest);
        }
        left
    }

    /// The size of node on which an accelerator that is used is cheapest.
    fn size(&self, slots: u32, useful: u64) -> Option<u32> {
        let mut best: Option<((bool, Option<Money>), u32)> = None;
        let mut seen = Vec::new();
        for (offer, against) in &self.offers {
            let size = offer.gpus.max(1);
            // Of each size the first in the author's order is what would be paid.
            if against.is_some() || size < slots || seen.contains(&size) {
                continue;
            }
            seen.push(size);
            let used = u64::from(size - size % slots.max(1)).min(useful).max(1);
            let price = offer.launch.price.and_then(|it| it.over(u32::try_from(used).unwrap_or(1)));
            let rank = (price.is_none(), price);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, size));
            }
        }
        best.map(|(_, size)| size)
    }

    /// Offers that can be tried, in the author's order.
    fn ranked(&self, fits: impl Fn(&Offer) -> bool) -> Vec<&'a Offer> {
        let open = self.offers.iter().filter(|(offer, against)| against.is_none() && fits(offer));
        open.map(|(offer, _)| *offer).collect()
    }

    /// How many of so many nodes may be asked for, on which of these offers, and what stands
    /// against the rest. The dearest offer counts, since the cheaper ones may be refused.
    fn afford(
        &mut self,
        nodes: u32,
        mut offers: Vec<&'a Offer>,
        whole: bool,
    ) -> (u32, Vec<OfferKey>, Option<NotMore>) {
        let keys = |offers: &[&Offer]| offers.iter().map(|offer| offer.key.clone()).collect();
        // Who has no room at all waits for that, whatever the pace.
        if whole && nodes > self.room.left.0 {
            return (0, Vec::new(), Some(NotMore::Max { max: self.room.left.1 }));
        }
        // A gang that is larger than a minute's pace has a whole minute to itself.
        let rested = whole && self.room.rested && nodes <= self.room.most;
        let mut count = if rested { nodes } else { nodes.min(self.room.nodes) };
        let mut held = (count < nodes).then(|| self.room.binds.clone());
        if let Some((money, why)) = &self.room.money {
            offers.retain(|offer| offer.launch.price.is_some());
            let Some(least) = offers.iter().filter_map(|offer| offer.launch.price).min() else {
                return (0, Vec::new(), Some(NotMore::NoPrice));
            };
            let fitting = fitting(*money, least);
            if fitting < if whole { nodes } else { count } {
                (count, held) = (fitting, Some(why.clone()));
            }
            // Dearer offers than would be affordable for all of them are not tried.
            let all = |offer: &&Offer| {
                let price = offer.launch.price.and_then(|price| times_of(price, count));
                price.is_some_and(|price| price <= *money)
            };
            offers.retain(all);
        }
        if count == 0 || (whole && count < nodes) || offers.is_empty() {
            return (0, Vec::new(), held);
        }
        self.room.nodes = self.room.nodes.saturating_sub(count);
        self.room.most = self.room.most.saturating_sub(count);
        self.room.left.0 = self.room.left.0.saturating_sub(count);
        self.room.rested = false;
        if let Some((money, _)) = &mut self.room.money {
            let dearest = offers.iter().filter_map(|offer| offer.launch.price).max();
            let cost = dearest.and_then(|price| times_of(price, count)).unwrap_or_default();
            *money = Money::new((money.dollars() - cost.dollars()).max(Decimal::ZERO));
        }
        (count, keys(&offers), held)
    }

    /// Why jobs of a shape have no offer.
    fn no_offer(&self, shape: Shape) -> NotMore {
        let fits = |offer: &Offer| offer.gpus.max(1) >= shape.gpus;
        let mut fitting = self.offers.iter().filter(|(offer, _)| fits(offer)).peekable();
        if fitting.peek().is_none() && !self.offers.is_empty() {
            return NotMore::TooLarge { shape };
        }
        NotMore::NoOffer { retry_at: fitting.filter_map(|(_, it)| retry(it.as_ref())).min() }
    }

    /// So many nodes of the size that the cluster has, for no job in particular; how many are
    /// asked for.
    pub fn plain(&mut self, nodes: u32, reason: &LaunchReason) -> u32 {
        let size = self.size(1, u64::MAX);
        let found = self.ranked(|offer| Some(offer.gpus.max(1)) == size);
        if found.is_empty() {
            let retry_at = self.offers.iter().filter_map(|(_, it)| retry(it.as_ref())).min();
            self.hold(NotMore::NoOffer { retry_at });
            return 0;
        }
        let (count, offers, held) = self.afford(nodes, found, false);
        held.into_iter().for_each(|why| self.hold(why));
        if count > 0 {
            self.push(count, (false, offers), reason.clone());
        }
        count
    }

    fn push(&mut self, count: u32, (whole, offers): (bool, Vec<OfferKey>), reason: LaunchReason) {
        if let LaunchReason::Jobs { jobs, gpus } = &reason {
            // Nodes alike are asked for together.
            for launch in &mut self.launches {
                if let LaunchReason::Jobs { jobs: before, gpus: those } = &mut launch.reason
                    && launch.offers == offers
                {
                    launch.count += count;
                    *before = before.saturating_add(*jobs);
                    *those = those.saturating_add(*gpus);
                    return;
                }
            }
        }
        self.launches.push(Launch { batch: 0, count, whole, offers, reason });
    }

    /// Whether somebody lacks nodes because launches fail, and it is time to try one.
    pub fn may_probe(&self) -> bool {
        let waits = self.held.iter().any(|why| matches!(why, NotMore::CircuitOpen { .. }));
        waits && self.room.nodes > 0
    }

    /// Nodes that are asked for.
    pub fn launched(&self) -> u32 {
        self.launches.iter().map(|launch| launch.count).sum()
    }

    /// Hands the launches over, and says what was thought of each offer.
    pub fn finish(self, round: &mut Round<'_>) {
        let Self { offers, mut launches, held, .. } = self;
        let open = round.memory.circuit.failures >= FAILURES;
        for (number, launch) in launches.iter_mut().enumerate() {
            launch.batch = round.memory.next_batch.saturating_add(number as u64);
            if open {
                (launch.reason, launch.whole) = (LaunchReason::Probe, false);
            }
        }
        for why in held {
            if let NotMore::NoOffer { retry_at: Some(at) } = &why {
                round.wake(*at);
            }
            round.not_more(why);
        }
        round.decision.launches = launches;
        let considered = offers.into_iter().map(|(offer, against)| Considered {
            offer: offer.key.clone(),
            per_gpu: offer.launch.price.and_then(|price| price.over(offer.gpus.max(1))),
            against,
        });
        round.decision.considered = considered.collect();
    }
}

/// When an offer is tried again.
fn retry(against: Option<&Against>) -> Option<Moment> {
    match against? {
        Against::Refused { until } => Some(*until),
        Against::Quota | Against::TooSmall | Against::Full => None,
    }
}
