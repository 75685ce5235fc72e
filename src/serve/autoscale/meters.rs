//! What is counted and measured of one cluster since the service began, for the metrics. Pure:
//! all of it follows from looks, and what no look shows is not guessed.

use std::collections::{BTreeMap, BTreeSet};

use crate::demand::Answer;
use crate::fleet::{
    Against, Alert, Attempt, Decision, Fleet, Node, NodeId, Outcome, Pool, State, TurnTo,
};
use crate::kinds::Action;
use crate::model::{Moment, Money};

use super::histogram::Histogram;
use super::labels::{Place, known_market, place, tag, turned};
use super::queues::Queues;
use super::signs::{Illness, Signs, Taken};
use super::tick::Look;

/// Longer between two looks, and nobody knows what was in between: it is not counted.
const LONGEST_MS: i64 = 300_000;
/// From the request for a node to its first job, in seconds.
const BOOT: &[f64] = &[15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 450.0, 600.0, 900.0, 1800.0];
/// How long it takes to decide, in seconds.
const DECIDE: &[f64] = &[0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

/// What can come of a node that the cloud is about to take away.
pub(super) const TAKEN: [&str; 3] = ["cut_off", "ended", "returned"];
/// What can come of a node's being told to take no more jobs.
pub(super) const OUTCOMES: [&str; 6] =
    ["cut_off", "ended", "returned", "interrupted", "quarantined", "lost"];

/// Counts and measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Meters {
    /// Decisions by what they do and why.
    pub decisions: BTreeMap<(&'static str, String), u64>,
    /// Nodes asked for and ended, by direction, reason and result.
    pub events: BTreeMap<(&'static str, String, &'static str), u64>,
    /// Launch calls by place and result.
    pub attempts: BTreeMap<(Place, &'static str), u64>,
    /// Seconds that nodes were in each state on their way to take jobs.
    pub phases: BTreeMap<&'static str, Histogram>,
    /// Seconds from the request for a node until it took jobs.
    pub launches: Histogram,
    /// Seconds that decisions took.
    pub deciding: Histogram,
    /// Accelerator-seconds with a job.
    pub busy: f64,
    /// Accelerator-seconds without one, on nodes that take jobs.
    pub idle: f64,
    /// What nodes have cost.
    pub cost: Money,
    /// What they would have cost more on demand.
    pub saved: Money,
    /// Nodes that were told to take no more jobs, by what came of it.
    pub drains: BTreeMap<&'static str, u64>,
    /// Nodes that became unhealthy, by what ails them.
    pub ill: BTreeMap<Illness, u64>,
    /// Nodes that the cloud took away or was about to, by who did and what came of it.
    pub interruptions: BTreeMap<(Taken, &'static str), u64>,
    /// Jobs on nodes that were ended by a decision.
    pub killed: u64,
    /// Looks that came to nothing.
    pub blocked: u64,
    /// Nodes by state and place.
    pub nodes: BTreeMap<(&'static str, Place), u64>,
    /// What the sources tell of.
    pub queues: Queues,
    /// Accelerators that jobs need beyond what is free, comes or is asked for.
    pub unmet: u64,
    /// Free accelerators on nodes that have jobs.
    pub fragments: u64,
    /// Offers that are not tried because they were refused lately.
    pub refused: u64,
    /// Too many launches failed one after the other.
    pub circuit: bool,
    /// What is left of this month's budget, where there is one.
    pub left: Option<Money>,
    seen: BTreeMap<NodeId, Before>,
    taken: BTreeMap<NodeId, Taken>,
    sick: Option<BTreeSet<NodeId>>,
    last_attempt: Option<u64>,
    last: Option<Last>,
}

/// What the last look saw flow.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Last {
    at: Moment,
    busy: u64,
    free: u64,
    per_hour: Money,
    saved: Money,
}

/// A node as it was last seen: in a state since then, with a job or without.
type Before = (State, Moment, bool);

impl Default for Meters {
    fn default() -> Self {
        Self {
            decisions: BTreeMap::new(),
            events: BTreeMap::new(),
            attempts: BTreeMap::new(),
            phases: BTreeMap::new(),
            launches: Histogram::new(BOOT),
            deciding: Histogram::new(DECIDE),
            busy: 0.0,
            idle: 0.0,
            cost: Money::ZERO,
            saved: Money::ZERO,
            drains: BTreeMap::new(),
            ill: BTreeMap::new(),
            interruptions: BTreeMap::new(),
            killed: 0,
            blocked: 0,
            nodes: BTreeMap::new(),
            queues: Queues::default(),
            unmet: 0,
            fragments: 0,
            refused: 0,
            circuit: false,
            left: None,
            seen: BTreeMap::new(),
            taken: BTreeMap::new(),
            sick: None,
            last_attempt: None,
            last: None,
        }
    }
}

impl Meters {
    /// Takes in what came of a look.
    pub fn looked(&mut self, look: &Look, answer: &Answer, pool: &Pool) {
        let Look { at, fleet, decision, orders: _, pause: _, outcome: _, took, signs } = look;
        self.deciding.observe(took.as_secs_f64());
        self.decided(decision);
        self.done(look);
        self.learned(&fleet.attempts);
        self.flowed(*at, fleet, (decision.sums.per_hour, signs.saved));
        self.interrupted(fleet, signs);
        self.walked(fleet, *at);
        self.ailed(signs);
        self.nodes.clear();
        for node in &fleet.nodes {
            *self.nodes.entry((node.state.word(), place(node))).or_default() += 1;
        }
        self.queues.heard(&answer.reports);
        self.queues.counted(&answer.demand);
        self.unmet = unmet(decision);
        self.fragments = fleet.nodes.iter().filter(|it| it.state.is_serving()).map(fragment).sum();
        let refused = |against: &Against| matches!(against, Against::Refused { until: _ });
        let against = decision.considered.iter().filter_map(|it| it.against.as_ref());
        self.refused = against.filter(|it| refused(it)).count().try_into().unwrap_or(0);
        let open = |alert: &Alert| matches!(alert, Alert::CircuitOpen { failures: _ });
        self.circuit = decision.alerts.iter().any(open);
        self.left = pool
            .monthly_budget
            .map(|budget| Money::new(budget.dollars() - decision.sums.this_month.dollars()));
    }

    fn decided(&mut self, decision: &Decision) {
        let mut count = |action: &'static str, reason: String| {
            *self.decisions.entry((action, reason)).or_default() += 1;
        };
        for launch in &decision.launches {
            count("launch", tag(&launch.reason, "reason"));
        }
        for turn in &decision.turns {
            count(turned(turn.to), tag(&turn.why, "why"));
        }
        if decision.is_hold() {
            let why = decision.not_more.first().map(|it| tag(it, "why"));
            count("hold", why.unwrap_or_else(|| "enough".to_owned()));
        }
    }

    /// Counts what was done: orders name ends first, then launches, as the decision does.
    fn done(&mut self, look: &Look) {
        let Some(outcome) = &look.outcome else { return };
        let mut launches = look.decision.launches.iter();
        for (id, step) in look.orders.plan.steps.iter().enumerate() {
            let result = match (outcome.done.contains_key(&id), outcome.failed.contains_key(&id)) {
                (true, _) => "done",
                (false, true) => "failed",
                (false, false) => "not_begun",
            };
            let mut count = |direction, reason, number: u64| {
                *self.events.entry((direction, reason, result)).or_default() += number;
            };
            if let Action::Terminate { nodes, .. } = &step.action {
                let gone: BTreeSet<&str> = nodes.iter().map(|it| it.as_str()).collect();
                for turn in &look.decision.turns {
                    if turn.to == TurnTo::Terminate && gone.contains(turn.node.as_str()) {
                        count("down", tag(&turn.why, "why"), 1);
                    }
                }
                let jobs = look.fleet.nodes.iter().filter(|it| gone.contains(it.id.as_str()));
                self.killed += jobs.map(jobs_on).sum::<u64>();
            } else if let Some(launch) = launches.next() {
                count("up", tag(&launch.reason, "reason"), launch.count.into());
            }
        }
    }

    /// Counts launch calls; those before the first look were counted by whoever came before.
    fn learned(&mut self, attempts: &[Attempt]) {
        let newest = attempts.iter().map(|it| it.number).max().unwrap_or(0);
        let before = *self.last_attempt.get_or_insert(newest);
        for Attempt { number, batch: _, offer, at: _, outcome } in attempts {
            if *number <= before {
                continue;
            }
            let mut parts = offer.as_str().split('/').map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            let (instance, zone, market) = (part(), part(), part());
            let place = (instance, zone, known_market(&market));
            let result = match outcome {
                Outcome::Started { count: 0 } => "nothing",
                Outcome::Started { count: 1.. } => "started",
                Outcome::Failed { count: _ } => "failed",
                Outcome::NoCapacity => "no_capacity",
                Outcome::Quota { why: _ } => "quota",
                Outcome::Blocked { why: _ } => "blocked",
            };
            *self.attempts.entry((place, result)).or_default() += 1;
        }
        self.last_attempt = Some(before.max(newest));
    }

    /// What has flowed since the last look, at the rates that it saw.
    fn flowed(&mut self, at: Moment, fleet: &Fleet, (per_hour, saved): (Money, Money)) {
        if let Some(last) = self.last {
            let ms = at.since(last.at).min(LONGEST_MS);
            let whole = u32::try_from(ms).unwrap_or(0);
            let seconds = f64::from(whole) / 1000.0;
            self.busy += number(last.busy) * seconds;
            self.idle += number(last.free) * seconds;
            let hours = rust_decimal::Decimal::from(whole) / rust_decimal::Decimal::from(3_600_000);
            self.cost = self.cost + Money::new(last.per_hour.dollars() * hours);
            self.saved = self.saved + Money::new(last.saved.dollars() * hours);
        }
        // Of those without an agent nobody can tell.
        let serving = fleet.nodes.iter().filter(|it| it.state.is_serving() && !it.unheard);
        let (mut busy, mut free) = (0, 0);
        for node in serving.filter(|it| it.gpus > 0) {
            let none = node.free_slots();
            free += u64::from(none);
            busy += u64::from(node.gpus - none.min(node.gpus));
        }
        self.last = Some(Last { at, busy, free, per_hour, saved });
    }

    /// Follows nodes from state to state.
    fn walked(&mut self, fleet: &Fleet, at: Moment) {
        let mut now = BTreeMap::new();
        for node in &fleet.nodes {
            let same = std::mem::discriminant(&node.state);
            let before = self.seen.remove(&node.id);
            self.drained(before, Some(node.state));
            let since = match before {
                Some((state, since, _)) if std::mem::discriminant(&state) == same => since,
                before => {
                    self.turned(node, before, at);
                    node.since
                }
            };
            now.insert(node.id.clone(), (node.state, since, node.is_busy()));
        }
        for before in std::mem::replace(&mut self.seen, now).into_values() {
            self.drained(Some(before), None);
        }
    }

    /// Counts what came of nodes that the cloud was about to take away.
    fn interrupted(&mut self, fleet: &Fleet, signs: &Signs) {
        let before = std::mem::replace(&mut self.taken, signs.taken.clone());
        for (id, taken) in before.into_iter().filter(|(id, _)| !signs.taken.contains_key(id)) {
            let state = fleet.nodes.iter().find(|node| node.id == id).map(|node| node.state);
            let busy = self.seen.get(&id).is_some_and(|(_, _, busy)| *busy);
            let outcome = match state {
                None | Some(State::Terminating) if busy => "cut_off",
                None | Some(State::Terminating) => "ended",
                Some(_) => "returned",
            };
            *self.interruptions.entry((taken, outcome)).or_default() += 1;
        }
    }

    /// Counts nodes that have become unhealthy; those that were before the first look were
    /// counted by whoever came before.
    fn ailed(&mut self, signs: &Signs) {
        let known = self.sick.replace(signs.ill.keys().cloned().collect());
        let Some(known) = known else { return };
        for (_, illness) in signs.ill.iter().filter(|(id, _)| !known.contains(*id)) {
            *self.ill.entry(illness.clone()).or_default() += 1;
        }
    }

    /// Counts what came of a node's being told to take no more jobs.
    fn drained(&mut self, before: Option<Before>, now: Option<State>) {
        let Some((State::Cordoned | State::Draining, _, busy)) = before else { return };
        let outcome = match now {
            None | Some(State::Terminating) if busy => "cut_off",
            None | Some(State::Terminating) => "ended",
            Some(State::Ready | State::Busy | State::Idle) => "returned",
            Some(State::Interrupting { deadline: _ }) => "interrupted",
            Some(State::Quarantined) => "quarantined",
            Some(State::Lost) => "lost",
            Some(
                State::Cordoned
                | State::Draining
                | State::Requested
                | State::Pending
                | State::Booting,
            ) => return,
        };
        *self.drains.entry(outcome).or_default() += 1;
    }

    fn turned(&mut self, node: &Node, before: Option<Before>, at: Moment) {
        // Whoever was there at the first look was counted by whoever came before.
        let Some((was, since, _)) = before else { return };
        if was.is_coming() {
            let seconds = |from: Moment, to: Moment| {
                f64::from(u32::try_from(to.since(from) / 1000).unwrap_or(u32::MAX))
            };
            let until = node.since.min(at);
            let phase = self.phases.entry(was.word()).or_insert_with(|| Histogram::new(BOOT));
            phase.observe(seconds(since, until));
            if node.state.is_serving() {
                self.launches.observe(seconds(node.launched_at, until));
            }
        }
    }
}

fn unmet(decision: &Decision) -> u64 {
    let held = decision.waiting.iter().map(|it| {
        let served = u64::from(it.on_free) + u64::from(it.on_coming) + u64::from(it.launched);
        let each = u64::from(it.shape.gpus) * u64::from(it.shape.nodes.max(1));
        u64::from(it.jobs).saturating_sub(served) * each
    });
    held.sum()
}

fn fragment(node: &Node) -> u64 {
    let part = node.free > 0 && node.free < node.gpus;
    if part { u64::from(node.free) } else { 0 }
}

/// Jobs that end with a node: as many as are named, or one where only its state tells.
fn jobs_on(node: &Node) -> u64 {
    let named = u64::try_from(node.jobs.len()).unwrap_or(u64::MAX);
    if node.is_busy() { named.max(1) } else { 0 }
}

#[expect(clippy::cast_precision_loss, reason = "no fleet has 2^53 accelerators")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::orders::Orders;
    use super::super::testing::{World, nodes, nodes as nodes_address};
    use super::super::view::{View, Watch};
    use super::*;
    use crate::cloud::Phase;
    use crate::fleet::{Demand, Work};
    use crate::model::CloudId;

    /// What a look at some nodes counts: each by its state, whether it has a job, and its illness.
    fn look(
        meters: &mut Meters,
        now: i64,
        nodes_now: &[(&str, State, bool, Option<&'static str>)],
    ) {
        let mut world = World::new();
        for (id, ..) in nodes_now {
            world.node(id, Phase::Ready, Some("idle"));
        }
        let (address, wanted) = (nodes(), &world.fleet);
        let (offers, attempts, template) = (&[][..], &[][..], Some(&CloudId::from("lt-2")));
        let (catalog, at) = (crate::catalog::Catalog::shipped(), Moment(now));
        let view = View { address: &address, wanted, template, offers, attempts, catalog, now: at };
        let mut fleet = view.of(&world.observed, &mut Watch::default());
        let mut signs = Signs { saved: Money::new(36.into()), ..Signs::default() };
        for (node, (id, state, busy, ill)) in fleet.nodes.iter_mut().zip(nodes_now) {
            (node.state, node.free) = (*state, if *busy { 0 } else { 8 });
            if let Some(check) = ill {
                signs.ill.insert((*id).into(), Illness { check, xid: String::new() });
            }
        }
        let (decision, orders, took) = (Decision::default(), Orders::default(), Duration::ZERO);
        let (pause, outcome) = (None, None);
        let look = Look { at: Moment(now), fleet, decision, orders, pause, outcome, took, signs };
        let demand = Demand::known(Work::default());
        meters.looked(&look, &demand.into(), &Pool::new("c", (0, 9), 8));
    }

    #[test]
    fn what_came_of_interruptions_is_counted_by_who_interrupted() {
        let mut meters = Meters::default();
        let mut look = |nodes: &[(&str, State, bool)], taken: &[(&str, Taken)]| {
            let mut fleet = Fleet::default();
            let busy: BTreeMap<NodeId, Before> = nodes
                .iter()
                .map(|(id, state, busy)| ((*id).into(), (*state, Moment(0), *busy)))
                .collect();
            let taken = taken.iter().map(|(id, taken)| ((*id).into(), *taken)).collect();
            let mut world = World::new();
            nodes.iter().for_each(|(id, ..)| world.node(id, Phase::Ready, Some("idle")));
            let (address, wanted) = (nodes_address(), &world.fleet);
            let (offers, attempts, template) = (&[][..], &[][..], None);
            let (catalog, now) = (crate::catalog::Catalog::shipped(), Moment(0));
            let view = View { address: &address, wanted, template, offers, attempts, catalog, now };
            fleet.nodes = view.of(&world.observed, &mut Watch::default()).nodes;
            for (node, (_, state, _)) in fleet.nodes.iter_mut().zip(nodes) {
                node.state = *state;
            }
            meters.interrupted(&fleet, &Signs { taken, ..Signs::default() });
            meters.seen = busy;
            meters.interruptions.clone()
        };
        let going = State::Interrupting { deadline: Moment(9) };
        let all = [("i-1", going, true), ("i-2", going, false), ("i-3", going, true)];
        let taken = [("i-1", Taken::Spot), ("i-2", Taken::Retirement), ("i-3", Taken::Spot)];
        assert_eq!(look(&all, &taken), BTreeMap::new());
        let told = look(&[("i-3", State::Idle, false)], &[]);
        assert!(told.keys().all(|(_, outcome)| TAKEN.contains(outcome)));
        let want = [
            ((Taken::Spot, "cut_off"), 1),
            ((Taken::Spot, "returned"), 1),
            ((Taken::Retirement, "ended"), 1),
        ];
        assert_eq!(told, BTreeMap::from(want));
    }

    #[test]
    fn what_came_of_nodes_that_were_told_to_go_is_counted_once() {
        use State::{Cordoned, Draining, Idle, Interrupting, Terminating};
        let mut meters = Meters::default();
        let soon = Interrupting { deadline: Moment(9) };
        let plain = |id, state| (id, state, false, None);
        look(&mut meters, 0, &[plain("i-1", Idle), plain("i-2", Idle), plain("i-3", Idle)]);
        let told = [
            plain("i-1", Cordoned),
            plain("i-2", Draining),
            ("i-3", Cordoned, true, None),
            plain("i-4", Cordoned),
            plain("i-5", Cordoned),
        ];
        look(&mut meters, 1, &told);
        assert_eq!(meters.drains, BTreeMap::new());
        let then = [plain("i-1", Idle), plain("i-2", Terminating), plain("i-4", soon)];
        look(&mut meters, 2, &then);
        look(&mut meters, 3, &[plain("i-1", Idle)]);
        assert!(meters.drains.keys().all(|it| OUTCOMES.contains(it)));
        let all = [("returned", 1), ("ended", 2), ("cut_off", 1), ("interrupted", 1)];
        assert_eq!(meters.drains, BTreeMap::from(all), "i-3 went with its job, i-5 without one");
    }

    #[test]
    fn illnesses_and_what_was_saved_are_counted_from_the_first_look_on() {
        let mut meters = Meters::default();
        let node = |id, ill| (id, State::Quarantined, false, ill);
        look(&mut meters, 0, &[node("i-1", Some("check"))]);
        assert_eq!(meters.ill.len(), 0, "somebody has counted it before");
        let now = [node("i-1", Some("check")), node("i-2", Some("watch"))];
        look(&mut meters, 50_000, &now);
        look(&mut meters, 100_000, &now);
        let watch = Illness { check: "watch", xid: String::new() };
        assert_eq!(meters.ill, BTreeMap::from([(watch, 1)]));
        let saved = meters.saved.dollars().round_dp(6);
        assert_eq!(saved, 1.into(), "36 dollars an hour for 100 seconds");
    }
}
