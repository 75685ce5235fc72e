//! Room on nodes that are there or come, by place and by how much is free: a job goes where
//! the least is left over.

use std::collections::BTreeMap;

use super::id::{JobId, OfferKey};
use super::round::Round;
use super::state::{Node, Offer, State};
use crate::model::Zone;

/// How soon room can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Soon {
    /// On a node that takes jobs.
    Now,
    /// On one that was cordoned for want of work and takes jobs again when told to.
    Back,
    /// On one that is coming.
    Later,
}

const SOON: [Soon; 3] = [Soon::Now, Soon::Back, Soon::Later];

/// Node numbers by how many slots are free.
type Bins = BTreeMap<u32, Vec<u32>>;

/// Where nodes stand that a gang may have together.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The zone and an offer there; none where it does not matter, or is not known.
    pub of: Option<(Zone, OfferKey)>,
    /// Nodes that do not show yet: nothing more can be had beside them.
    pub unknown: bool,
    bins: [Bins; 3],
    /// Nodes that are kept for a gang.
    kept: BTreeMap<JobId, Vec<u32>>,
}

/// All room.
pub(super) struct Stock {
    pub places: Vec<Place>,
    /// Free slots by node; behind the fleet's nodes those of batches that do not show yet.
    free: Vec<u32>,
    soon: Vec<Soon>,
    /// Some job that waits will have it, or part of it.
    pub taken: Vec<bool>,
    /// Which gang has it.
    pub gang: Vec<Option<JobId>>,
}

/// How a job of one node fared, in jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    pub now: u32,
    pub later: u32,
    pub left: u32,
}

/// Where a gang would stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// It can start at that place.
    Now(usize),
    /// It can once nodes are there.
    Later(usize),
    /// Nowhere; at that place it would have so many nodes.
    Lacks(Option<(usize, u32)>),
}

/// What a gang could have at a place: nodes now, nodes in all, those kept for it; and the place.
type Seen = (u32, u32, usize, usize);

impl Place {
    /// Whether an offer is at the place: of its zone and type, however it is paid.
    pub fn holds(&self, offer: &Offer) -> bool {
        !self.unknown
            && self.of.as_ref().is_none_or(|(zone, key)| {
                offer.launch.zone == *zone && kind(key) == offer.launch.instance_type
            })
    }
}

impl Stock {
    /// The room of a fleet. `keeps` tells which gang a node is kept for, if that still waits.
    pub fn new(round: &Round<'_>, keeps: impl Fn(&Node) -> Option<JobId>) -> Self {
        let nodes = &round.fleet.nodes;
        let mut out = Self {
            places: Vec::new(),
            free: Vec::with_capacity(nodes.len()),
            soon: Vec::with_capacity(nodes.len()),
            taken: vec![false; nodes.len()],
            gang: vec![None; nodes.len()],
        };
        let mut last = 0;
        // Who was cordoned because there were too many does not come back while there are.
        let mut back = round.bounds.max.saturating_sub(round.census.have());
        for (at, node) in nodes.iter().enumerate() {
            let mut soon = soon(round, node).filter(|_| !round.leaving[at]);
            if soon == Some(Soon::Back) {
                soon = soon.filter(|_| back > 0);
                back = back.saturating_sub(1);
            }
            out.soon.push(soon.unwrap_or(Soon::Later));
            let free = if soon.is_some() { room(node) } else { 0 };
            out.free.push(free);
            if free == 0 {
                continue;
            }
            let Some(soon) = soon else { continue };
            last = out.place(node, last, round.pool.together);
            match keeps(node).filter(|_| !node.is_busy()) {
                Some(gang) => {
                    out.places[last].kept.entry(gang).or_default().push(at as u32);
                }
                None => {
                    out.places[last].bins[soon as usize].entry(free).or_default().push(at as u32)
                }
            }
        }
        out.unseen(round);
        out
    }

    /// The place of a node: most stand where the one before does.
    fn place(&mut self, node: &Node, last: usize, together: bool) -> usize {
        if !together && !self.places.is_empty() {
            return 0;
        }
        let is = |place: &Place| {
            !together
                || place.of.as_ref().is_some_and(|(zone, offer)| {
                    *zone == node.zone && kind(offer) == kind(&node.offer)
                })
        };
        if self.places.get(last).is_some_and(is) {
            return last;
        }
        if let Some(found) = self.places.iter().position(is) {
            return found;
        }
        let of = together.then(|| (node.zone.clone(), node.offer.clone()));
        self.places.push(Place { of, ..Place::default() });
        self.places.len() - 1
    }

    /// Batches that were decided on a moment ago: where they come is not known yet.
    fn unseen(&mut self, round: &Round<'_>) {
        let last = round.fleet.last_batch;
        let batches = round.memory.batches.range(last.saturating_add(1)..);
        let mut place = Place { unknown: true, ..Place::default() };
        for (_, batch) in batches {
            let slots = round.pool.gpus.max(1);
            for _ in 0..batch.count.min(round.pool.max) {
                let at = self.free.len() as u32;
                self.free.push(slots);
                self.soon.push(Soon::Later);
                self.taken.push(false);
                self.gang.push(None);
                match &batch.gang {
                    Some((gang, _)) => place.kept.entry(gang.clone()).or_default().push(at),
                    None => place.bins[Soon::Later as usize].entry(slots).or_default().push(at),
                }
            }
        }
        if place.kept.is_empty() && place.bins.iter().all(BTreeMap::is_empty) {
            return;
        }
        // Where places do not matter, there is only one.
        match self.places.first_mut().filter(|_| !round.pool.together) {
            Some(only) => {
                place.kept.into_iter().for_each(|(gang, at)| {
                    only.kept.entry(gang).or_default().extend(at);
                });
                for (mine, more) in only.bins.iter_mut().zip(place.bins) {
                    more.into_iter()
                        .for_each(|(free, at)| mine.entry(free).or_default().extend(at));
                }
            }
            None => self.places.push(place),
        }
    }

    /// Places jobs of one node each, where the least is left over; on nodes that take jobs
    /// before those that come.
    pub fn jobs(&mut self, slots: u32, count: u32) -> Placed {
        let mut out = Placed { left: count, ..Placed::default() };
        for soon in SOON {
            while out.left > 0 {
                let best = self.places.iter().enumerate().filter_map(|(place, it)| {
                    let (free, _) = it.bins[soon as usize].range(slots..).next()?;
                    Some((*free, place))
                });
                let Some((free, place)) = best.min() else { break };
                let Some(at) = self.pop(place, soon, free) else { break };
                let some = (free / slots.max(1)).min(out.left);
                self.taken[at as usize] = true;
                let rest = free - some * slots;
                self.free[at as usize] = rest;
                if rest > 0 {
                    self.places[place].bins[soon as usize].entry(rest).or_default().push(at);
                }
                out.left -= some;
                match soon {
                    Soon::Now | Soon::Back => out.now += some,
                    Soon::Later => out.later += some,
                }
            }
        }
        out
    }

    fn pop(&mut self, place: usize, soon: Soon, free: u32) -> Option<u32> {
        let bins = self.places.get_mut(place)?.bins.get_mut(soon as usize)?;
        let bin = bins.get_mut(&free)?;
        let at = bin.pop();
        if bin.is_empty() {
            bins.remove(&free);
        }
        at
    }

    /// Nodes of a place that a gang could have: those that take jobs or can be told to, and all.
    fn count(&self, place: &Place, gang: &JobId, slots: u32) -> (u32, u32) {
        let mut counts = [0_u32; 3];
        for (soon, count) in SOON.into_iter().zip(&mut counts) {
            let bins = place.bins[soon as usize].range(slots..);
            *count = bins.fold(0, |sum, (_, bin)| sum.saturating_add(bin.len() as u32));
        }
        for at in place.kept.get(gang).into_iter().flatten() {
            if self.free[*at as usize] >= slots {
                counts[self.soon[*at as usize] as usize] += 1;
            }
        }
        let now = counts[0].saturating_add(counts[1]);
        (now, now.saturating_add(counts[2]))
    }

    /// Where a gang would stand: all of it at one place. Where it lacks nodes, at the place that
    /// `open` says more can be had at and that has most.
    pub fn look(
        &self,
        gang: &JobId,
        (slots, nodes): (u32, u32),
        open: impl Fn(&Place) -> bool,
    ) -> Spot {
        let counts: Vec<Seen> = self
            .places
            .iter()
            .enumerate()
            .map(|(at, place)| {
                let (now, all) = self.count(place, gang, slots);
                (now, all, place.kept.get(gang).map_or(0, Vec::len), at)
            })
            .collect();
        // Of several places the one where most is kept for it; then the first.
        let best = |fits: fn(&Seen) -> u32| {
            let fitting = counts.iter().filter(|it| fits(it) >= nodes);
            fitting.max_by_key(|(_, _, kept, at)| (*kept, std::cmp::Reverse(*at))).map(|it| it.3)
        };
        if let Some(at) = best(|(now, ..)| *now) {
            return Spot::Now(at);
        }
        if let Some(at) = best(|(_, all, ..)| *all) {
            return Spot::Later(at);
        }
        let partial = counts.iter().filter(|(_, all, _, at)| *all > 0 && open(&self.places[*at]));
        let most = partial.max_by_key(|(_, all, kept, at)| (*all, *kept, std::cmp::Reverse(*at)));
        Spot::Lacks(most.map(|&(_, all, _, at)| (at, all)))
    }

    /// Gives nodes of a place to a gang: what is kept for it first, then what is there soonest.
    pub fn claim(&mut self, place: usize, gang: &JobId, (slots, nodes): (u32, u32)) {
        let mut left = nodes;
        let kept = self.places[place].kept.remove(gang).unwrap_or_default();
        for at in kept {
            if left > 0 && self.free[at as usize] >= slots {
                self.give(at, gang, (place, slots));
                left -= 1;
            } else {
                self.put_back(place, at);
            }
        }
        for soon in SOON {
            let mut given = Vec::new();
            while left > 0 {
                let bins = &self.places[place].bins[soon as usize];
                let Some(free) = bins.range(slots..).next().map(|(free, _)| *free) else { break };
                let Some(at) = self.pop(place, soon, free) else { break };
                given.push(at);
                left -= 1;
            }
            // Given back only now: no node has a gang twice.
            given.into_iter().for_each(|at| self.give(at, gang, (place, slots)));
        }
    }

    fn give(&mut self, at: u32, gang: &JobId, (place, slots): (usize, u32)) {
        self.taken[at as usize] = true;
        self.gang[at as usize] = Some(gang.clone());
        self.free[at as usize] -= slots;
        self.put_back(place, at);
    }

    fn put_back(&mut self, place: usize, at: u32) {
        let (free, soon) = (self.free[at as usize], self.soon[at as usize]);
        if free > 0 {
            self.places[place].bins[soon as usize].entry(free).or_default().push(at);
        }
    }

    /// Nodes that nobody has or will have, and free slots of those that somebody has: only of
    /// those that take jobs or come.
    pub fn spare(&self, round: &Round<'_>) -> (u32, u64) {
        let (mut whole, mut parts) = (0_u32, 0_u64);
        for (at, free) in self.free.iter().enumerate() {
            if *free == 0 || self.soon[at] == Soon::Back {
                continue;
            }
            let busy = round.fleet.nodes.get(at).is_some_and(Node::is_busy);
            if busy || self.taken[at] {
                parts += u64::from(*free);
            } else {
                whole += 1;
            }
        }
        (whole, parts)
    }
}

/// The instance type that an offer is of.
fn kind(offer: &OfferKey) -> &str {
    offer.as_str().split('/').next().unwrap_or_default()
}

/// How soon a node takes more; none for one that will not.
fn soon(round: &Round<'_>, node: &Node) -> Option<Soon> {
    match node.state {
        State::Ready | State::Busy | State::Idle => round.is_heard(node).then_some(Soon::Now),
        State::Cordoned => (round.is_ours(node) && round.is_heard(node)).then_some(Soon::Back),
        State::Requested | State::Pending | State::Booting => Some(Soon::Later),
        State::Draining
        | State::Terminating
        | State::Quarantined
        | State::Interrupting { .. }
        | State::Lost => None,
    }
}

/// Free slots, of a node that is coming all.
fn room(node: &Node) -> u32 {
    if node.state.is_coming() { node.slots() } else { node.free_slots() }
}
