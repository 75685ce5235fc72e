//! One look at a fleet: what came in, what is being decided, and the counts that every part
//! of the decision needs.

use super::bounds::{Bounds, bounds};
use super::cost::{add, times_of};
use super::decision::{Decision, Turn, TurnTo, TurnWhy};
use super::demand::Demand;
use super::id::Seconds;
use super::memory::Memory;
use super::pool::Pool;
use super::state::{Fleet, Node, Offer, State};
use super::why::{Alert, NotLess, NotMore};
use crate::model::{Moment, Money};

/// One decision in the making.
pub(super) struct Round<'a> {
    pub pool: &'a Pool,
    pub fleet: &'a Fleet,
    pub demand: &'a Demand,
    pub offers: &'a [Offer],
    pub now: Moment,
    pub bounds: Bounds,
    pub census: Census,
    pub memory: Memory,
    pub decision: Decision,
    /// When the decision before this one was taken.
    pub before: Option<Moment>,
    /// Nodes that count on nobody any more, by their place in the fleet.
    pub leaving: Vec<bool>,
}

/// How many nodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// That take jobs.
    pub serving: u32,
    /// That have jobs.
    pub busy: u32,
    /// On their way to take jobs.
    pub coming: u32,
    /// On their way out, or of no use.
    pub going: u32,
    /// In batches that were decided on and do not show yet.
    pub unseen: u32,
    /// What all of them cost per hour, as far as it is known.
    pub per_hour: Money,
    /// Accelerators that no job has, on nodes that take jobs.
    pub free: u64,
    /// Accelerators that jobs have, in nodes of one slot at least.
    pub used: u64,
}

impl Census {
    /// Those that take jobs, or will.
    pub fn have(self) -> u32 {
        self.serving.saturating_add(self.coming).saturating_add(self.unseen)
    }

    /// All of them, in whatever state.
    pub fn total(self) -> u32 {
        self.have().saturating_add(self.going)
    }
}

/// Counts the nodes of a fleet.
pub(super) fn census(fleet: &Fleet) -> Census {
    let mut out = Census::default();
    // Most nodes cost the same as the one before: multiplied, not added one by one.
    let mut run: (Option<Money>, u32) = (None, 0);
    for node in &fleet.nodes {
        match node.state {
            State::Ready | State::Busy | State::Idle => {
                out.serving += 1;
                out.free += u64::from(node.free_slots());
            }
            State::Requested | State::Pending | State::Booting => out.coming += 1,
            State::Cordoned
            | State::Draining
            | State::Terminating
            | State::Quarantined
            | State::Interrupting { .. }
            | State::Lost => out.going += 1,
        }
        if node.is_busy() {
            out.busy += 1;
            out.used += u64::from(node.slots() - node.free_slots());
        }
        if run.0 == node.price {
            run.1 += 1;
        } else {
            out.per_hour = plus(out.per_hour, run.0, run.1);
            run = (node.price, 1);
        }
    }
    out.per_hour = plus(out.per_hour, run.0, run.1);
    out
}

/// A sum that saturates: prices come from outside and may be absurd.
fn plus(sum: Money, price: Option<Money>, times: u32) -> Money {
    let Some(price) = price else { return sum };
    times_of(price, times).map_or(sum, |more| add(sum, more))
}

/// A moment that much later.
pub(super) fn after(moment: Moment, span: Seconds) -> Moment {
    Moment(moment.0.saturating_add(span.millis()))
}

/// How long since then, in whole seconds.
pub(super) fn age(now: Moment, since: Moment) -> Seconds {
    Seconds(u32::try_from(now.since(since) / 1000).unwrap_or(u32::MAX))
}

impl<'a> Round<'a> {
    /// Nothing is decided yet.
    pub fn new(
        (pool, fleet, demand): (&'a Pool, &'a Fleet, &'a Demand),
        offers: &'a [Offer],
        memory: Memory,
        now: Moment,
    ) -> Self {
        let bounds = bounds(pool, now);
        let census = census(fleet);
        let mut decision = Decision::default();
        decision.alerts.extend(bounds.alerts.iter().cloned());
        let before = memory.decided_at;
        let leaving = vec![false; fleet.nodes.len()];
        Self { pool, fleet, demand, offers, now, bounds, census, memory, decision, before, leaving }
    }

    /// Whether nodes may go because they are not wanted.
    pub fn may_shrink(&self) -> bool {
        self.demand.is_known() && self.fleet.blind.is_none() && !self.pool.paused
    }

    /// Tells a node something.
    pub fn turn(&mut self, node: &Node, to: TurnTo, why: TurnWhy) {
        self.decision.turns.push(Turn { node: node.id.clone(), to, why });
    }

    /// Says why no more is asked for.
    pub fn not_more(&mut self, why: NotMore) {
        if !self.decision.not_more.contains(&why) {
            self.decision.not_more.push(why);
        }
    }

    /// Says why no more goes.
    pub fn not_less(&mut self, why: NotLess) {
        if !self.decision.not_less.contains(&why) {
            self.decision.not_less.push(why);
        }
    }

    /// Tells a person.
    pub fn alert(&mut self, alert: Alert) {
        if !self.decision.alerts.contains(&alert) {
            self.decision.alerts.push(alert);
        }
    }

    /// Looks again then, at the latest.
    pub fn wake(&mut self, at: Moment) {
        let soonest = Moment(self.now.0.saturating_add(1000));
        let at = at.max(soonest);
        self.decision.wake = Some(self.decision.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Whether a node was cordoned by a decision, and not by a person.
    pub fn is_ours(&self, node: &Node) -> bool {
        node.own_mark || self.memory.cordons.contains_key(&node.id)
    }

    /// Whether a node takes jobs, as far as can be told: one that is silent may not.
    pub fn is_heard(&self, node: &Node) -> bool {
        node.heard_at.is_none_or(|at| age(self.now, at) < self.pool.limits.suspect)
    }
}
