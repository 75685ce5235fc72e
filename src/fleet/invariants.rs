//! Rules that no decision may break, whatever led to it. They look at what came in and what
//! would go out, and know nothing of how it was decided. They stay on in every build: a
//! decision that breaks one is not carried out.

use std::collections::{BTreeMap, BTreeSet};

use super::cost::{add, times_of};
use super::decision::{Decision, LaunchReason, TurnTo, TurnWhy};
use super::id::{NodeId, OfferKey};
use super::memory::Memory;
use super::round::{age, census};
use super::state::{Node, Offer, State};
use super::why::{Alert, NotLess, NotMore, Rule};
use crate::model::{Moment, Money};

use super::demand::Demand;
use super::pool::Pool;
use super::shrink::RETURNS;
use super::state::Fleet;

/// What the rules look at.
pub(super) struct Case<'a> {
    pub pool: &'a Pool,
    /// The most nodes now.
    pub max: u32,
    pub fleet: &'a Fleet,
    pub demand: &'a Demand,
    pub offers: &'a [Offer],
    /// As it was learned until now, without this decision.
    pub memory: &'a Memory,
    pub now: Moment,
}

/// Every rule that a decision breaks, with how.
pub(super) fn broken(case: &Case<'_>, decision: &Decision) -> Vec<(Rule, String)> {
    let mut out = Vec::new();
    if decision.is_hold() {
        return out;
    }
    if !decision.launches.is_empty() {
        if let Some(why) = &case.fleet.blind {
            out.push((Rule::Known, format!("nodes would be launched beside unknown ones: {why}")));
        }
        max(case, decision, &mut out);
        budget(case, decision, &mut out);
        gang(case, decision, &mut out);
        slot(case, decision, &mut out);
    }
    if !decision.turns.is_empty() {
        turns(case, decision, &mut out);
    }
    out
}

/// A decision that does nothing and says that another would have broken rules.
pub(super) fn hold(decision: &mut Decision, broken: Vec<(Rule, String)>) {
    decision.launches.clear();
    decision.turns.clear();
    decision.not_more.push(NotMore::Broken);
    decision.not_less.push(NotLess::Broken);
    for fate in &mut decision.waiting {
        fate.launched = 0;
    }
    let alerts = broken.into_iter().map(|(rule, what)| Alert::Invariant { rule, what });
    decision.alerts.extend(alerts);
}

type Broken = Vec<(Rule, String)>;

/// Nodes that were decided on a moment ago and do not show yet.
fn unseen(case: &Case<'_>) -> u64 {
    let batches = case.memory.batches.range(case.fleet.last_batch.saturating_add(1)..);
    batches.map(|(_, batch)| u64::from(batch.count)).sum()
}

fn max(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    let more: u64 = decision.launches.iter().map(|launch| u64::from(launch.count)).sum();
    let would = case.fleet.nodes.len() as u64 + unseen(case) + more;
    let max = case.max.min(case.pool.max);
    if would > u64::from(max) {
        out.push((Rule::Max, format!("there would be {would} nodes, and may be {max}")));
    }
}

fn budget(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    let (hourly, monthly) = (case.pool.hourly_budget, case.pool.monthly_budget);
    let share = case.pool.share;
    if hourly.is_none() && monthly.is_none() && share.is_none() {
        return;
    }
    let price = |key: &OfferKey| {
        let offer = case.offers.iter().find(|offer| offer.key == *key);
        offer.and_then(|offer| offer.launch.price)
    };
    let mut rate = census(case.fleet).per_hour;
    for launch in &decision.launches {
        let prices: Option<Vec<Money>> = launch.offers.iter().map(price).collect();
        let dearest = prices.and_then(|prices| prices.into_iter().max());
        let Some(cost) = dearest.and_then(|it| times_of(it, launch.count)) else {
            out.push((Rule::Budget, "an offer has no price that can be counted".to_owned()));
            return;
        };
        rate = add(rate, cost);
    }
    if let Some(budget) = hourly.filter(|budget| rate > *budget) {
        out.push((Rule::Budget, format!("{rate} an hour is more than {budget}")));
    }
    let nodes = case.fleet.nodes.len() as u64 + unseen(case);
    let more = decision.launches.iter().map(|launch| u64::from(launch.count)).sum::<u64>();
    let nodes = u32::try_from(nodes + more).unwrap_or(u32::MAX);
    if let Some((all, budget)) = share.map(|it| (it.used(nodes, rate), it.budget))
        && all > budget
    {
        out.push((Rule::Budget, format!("{all} an hour for the stack is more than {budget}")));
    }
    let month = add(case.memory.spent.sum, rate);
    if let Some(budget) = monthly.filter(|budget| month > *budget) {
        out.push((Rule::Budget, format!("{month} by the next hour is more than {budget}")));
    }
}

/// What a gang is launched is all that it lacks: with the nodes that it has, which stand
/// together and have room, it can start.
fn gang(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    for launch in &decision.launches {
        let LaunchReason::Gang { shape, have, .. } = &launch.reason else { continue };
        let (count, nodes) = (launch.count, shape.nodes.max(1));
        let whole = launch.whole && count.saturating_add(*have) == nodes;
        if !whole || *have > most_together(case, shape.gpus) {
            out.push((Rule::Gang, format!("{count} nodes, beside {have}, for a gang of {nodes}")));
        }
    }
}

/// The most nodes at one place that have, or will have, that much room.
fn most_together(case: &Case<'_>, gpus: u32) -> u32 {
    let mut places: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let roomy = |node: &&Node| {
        let takes = node.state.is_serving() || node.state == State::Cordoned;
        node.state.is_coming() || (takes && node.free_slots() >= gpus)
    };
    for node in case.fleet.nodes.iter().filter(roomy) {
        let kind = node.offer.as_str().split('/').next().unwrap_or_default();
        let place = if case.pool.together { (node.zone.as_str(), kind) } else { ("", "") };
        *places.entry(place).or_default() += 1;
    }
    let unseen = u32::try_from(unseen(case)).unwrap_or(u32::MAX);
    let most = places.into_values().max().unwrap_or(0);
    // Where nodes may stand anywhere, those that do not show yet stand with the others.
    if case.pool.together { most.max(unseen) } else { most.saturating_add(unseen) }
}

fn slot(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    let mut seen = BTreeSet::new();
    for launch in &decision.launches {
        let number = launch.batch;
        let given = number <= case.fleet.last_batch || case.memory.batches.contains_key(&number);
        if given || !seen.insert(number) || launch.count == 0 || launch.offers.is_empty() {
            out.push((Rule::Slot, format!("batch {number} cannot be launched")));
        }
    }
}

fn turns(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    let nodes: BTreeMap<&NodeId, &Node> =
        case.fleet.nodes.iter().map(|node| (&node.id, node)).collect();
    let known = case.demand.is_known() && case.fleet.blind.is_none();
    let mut seen = BTreeSet::new();
    for turn in &decision.turns {
        let id = &turn.node;
        let Some(node) = nodes.get(id) else {
            out.push((Rule::Once, format!("{id} is not there")));
            continue;
        };
        if !seen.insert(id) {
            out.push((Rule::Once, format!("{id} is told two things")));
        }
        if turn.to == TurnTo::Terminate && ends_work(node) {
            out.push((Rule::Busy, format!("{id} has a job and would be ended")));
        }
        if !known && is_smaller(turn.to, &turn.why) {
            out.push((Rule::Known, format!("{id} would go, and the demand is not known")));
        }
        let returns = case.memory.returns.get(id);
        let often = returns.is_some_and(|(times, at)| {
            *times >= RETURNS && age(case.now, *at).0 < 3600 && age(case.now, node.since).0 < 3600
        });
        if turn.to == TurnTo::Cordon && often && matches!(turn.why, TurnWhy::Idle { .. }) {
            out.push((Rule::Reversal, format!("{id} goes back and forth")));
        }
    }
    shrinks(case, decision, out);
}

/// Whether ending a node would end a job. One that is on its way out already is ended again.
fn ends_work(node: &Node) -> bool {
    node.may_work() && node.state != State::Terminating
}

/// Whether a turn makes the fleet smaller because less is wanted.
fn is_smaller(to: TurnTo, why: &TurnWhy) -> bool {
    let unwanted = match why {
        TurnWhy::Idle { .. } | TurnWhy::StillIdle | TurnWhy::AboveMax | TurnWhy::AboveBudget => {
            true
        }
        TurnWhy::WorkCame
        | TurnWhy::Unhealthy { .. }
        | TurnWhy::TimedOut { .. }
        | TurnWhy::Interrupted { .. }
        | TurnWhy::Lost { .. }
        | TurnWhy::Lingers { .. } => false,
    };
    unwanted && to != TurnTo::Uncordon
}

/// Not more begin to go in a minute than may.
fn shrinks(case: &Case<'_>, decision: &Decision, out: &mut Broken) {
    let cordons = decision.turns.iter().filter(|turn| turn.to == TurnTo::Cordon).count() as u64;
    let downs: u64 = case.memory.downs.iter().map(|(_, count)| u64::from(*count)).sum();
    let total = case.fleet.nodes.len() as u64 + unseen(case);
    let most = (total.saturating_mul(case.pool.max_down_percent.into())).div_ceil(100);
    if cordons > 0 && cordons + downs > most {
        out.push((Rule::Reversal, format!("{cordons} nodes more would go in a minute of {most}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::decision::{Launch, Turn};
    use crate::fleet::demand::{Job, Shape, Work};
    use crate::fleet::id::Seconds;
    use crate::fleet::memory::Batch;
    use crate::fleet::pool::Share;
    use crate::kinds;
    use crate::model::{Link, SubnetId, Zone};

    const NOW: Moment = Moment(1_790_000_000_000);

    /// A case that says nothing against any decision of those below, and its parts.
    struct Bench {
        pool: Pool,
        fleet: Fleet,
        demand: Demand,
        offers: Vec<Offer>,
        memory: Memory,
    }

    impl Bench {
        fn new() -> Self {
            let subnet = Link::Id(SubnetId("subnet-1".to_owned()));
            let mut offer = kinds::Offer::plain("p5.48xlarge", Zone("a".to_owned()), subnet);
            offer.price = Some(Money::new(10.into()));
            let offers = vec![Offer::new(offer, 8)];
            let node = |id: &str, state, free| Node {
                id: id.into(),
                state,
                since: Moment(NOW.0 - 1_000_000),
                batch: 1,
                offer: offers[0].key.clone(),
                zone: Zone("a".to_owned()),
                market: kinds::Market::OnDemand,
                price: Some(Money::new(10.into())),
                launched_at: Moment(NOW.0 - 2_000_000),
                gpus: 8,
                free,
                jobs: Vec::new(),
                heard_at: None,
                own_mark: false,
                outdated: false,
                unheard: false,
            };
            let nodes = vec![node("busy", State::Busy, 4), node("idle", State::Idle, 8)];
            let fleet = Fleet { nodes, last_batch: 1, ..Fleet::default() };
            let jobs = vec![Job::depth(1, Shape::gang(8, 3))];
            let demand = Demand::known(Work { waiting: jobs, ..Work::default() });
            let mut pool = Pool::new("cluster.a", (0, 6), 8);
            pool.hourly_budget = Some(Money::new(60.into()));
            Self { pool, fleet, demand, offers, memory: Memory::default() }
        }

        fn broken(&self, decision: &Decision) -> Vec<Rule> {
            let Self { pool, fleet, demand, offers, memory } = self;
            let case = Case { pool, max: pool.max, fleet, demand, offers, memory, now: NOW };
            broken(&case, decision).into_iter().map(|(rule, _)| rule).collect()
        }

        fn launch(&self, batch: u64, count: u32, reason: LaunchReason) -> Decision {
            let offers = vec![self.offers[0].key.clone()];
            let launches = vec![Launch { batch, count, whole: true, offers, reason }];
            Decision { launches, ..Decision::default() }
        }
    }

    fn turn(node: &str, to: TurnTo, why: TurnWhy) -> Decision {
        Decision { turns: vec![Turn { node: node.into(), to, why }], ..Decision::default() }
    }

    fn gang(have: u32) -> LaunchReason {
        LaunchReason::Gang { job: None, shape: Shape::gang(8, 3), have }
    }

    #[test]
    fn what_keeps_the_rules_passes() {
        let bench = Bench::new();
        let idle = TurnWhy::Idle { idle: Seconds(1000) };
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), []);
        assert_eq!(bench.broken(&turn("idle", TurnTo::Cordon, idle)), []);
        assert_eq!(bench.broken(&turn("idle", TurnTo::Terminate, TurnWhy::StillIdle)), []);
    }

    #[test]
    fn every_rule_sees_who_breaks_it() {
        let bench = Bench::new();
        let idle = || TurnWhy::Idle { idle: Seconds(1000) };
        let many = bench.launch(2, 5, LaunchReason::HeadRoom);
        assert_eq!(bench.broken(&many), [Rule::Max, Rule::Budget]);
        let split = bench.launch(2, 1, gang(1));
        assert_eq!(bench.broken(&split), [Rule::Gang]);
        let parts = bench.launch(2, 1, gang(2));
        assert_eq!(bench.broken(&parts), [Rule::Gang], "only one of its nodes is free");
        assert_eq!(bench.broken(&bench.launch(1, 2, gang(1))), [Rule::Slot]);
        let ends = turn("busy", TurnTo::Terminate, TurnWhy::StillIdle);
        assert_eq!(bench.broken(&ends), [Rule::Busy]);
        assert_eq!(bench.broken(&turn("gone", TurnTo::Cordon, idle())), [Rule::Once]);
        let mut twice = turn("idle", TurnTo::Drain, TurnWhy::StillIdle);
        twice.turns.push(twice.turns[0].clone());
        assert_eq!(bench.broken(&twice), [Rule::Once]);
        let mut flood = turn("idle", TurnTo::Cordon, idle());
        flood.turns.extend(turn("busy", TurnTo::Cordon, idle()).turns);
        assert_eq!(bench.broken(&flood), [Rule::Reversal]);
    }

    #[test]
    fn rules_look_at_what_is_known_and_remembered() {
        let idle = || TurnWhy::Idle { idle: Seconds(1000) };
        let mut bench = Bench::new();
        bench.demand = Demand::Error { age: None, why: "no answer".to_owned() };
        assert_eq!(bench.broken(&turn("idle", TurnTo::Cordon, idle())), [Rule::Known]);
        let mut bench = Bench::new();
        bench.fleet.blind = Some("a page was not read".to_owned());
        assert_eq!(
            bench.broken(&turn("idle", TurnTo::Terminate, TurnWhy::AboveMax)),
            [Rule::Known]
        );
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), [Rule::Known]);
        let mut bench = Bench::new();
        bench.memory.returns.insert("idle".into(), (RETURNS, NOW));
        assert_eq!(bench.broken(&turn("idle", TurnTo::Cordon, idle())), [Rule::Reversal]);
        let mut bench = Bench::new();
        let batch = Batch { at: NOW, count: 3, gang: None };
        bench.memory.batches.insert(2, batch);
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), [Rule::Max, Rule::Slot]);
        let mut bench = Bench::new();
        bench.pool.hourly_budget = None;
        let dollars = |number: i64| Money::new(number.into());
        let share = |elsewhere| Share {
            budget: dollars(100),
            elsewhere: dollars(elsewhere),
            beside: dollars(1),
        };
        // Two nodes that stand and two that come, at ten dollars and a disk each.
        bench.pool.share = Some(share(56));
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), []);
        bench.pool.share = Some(share(57));
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), [Rule::Budget]);
        bench.pool.share = None;
        bench.pool.monthly_budget = Some(Money::new(50.into()));
        bench.memory.spent.sum = Money::new(20.into());
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), [Rule::Budget]);
        bench.offers[0].launch.price = None;
        assert_eq!(bench.broken(&bench.launch(2, 2, gang(1))), [Rule::Budget]);
    }

    #[test]
    fn what_breaks_a_rule_is_not_done_and_is_told() {
        let bench = Bench::new();
        let mut decision = bench.launch(2, 5, LaunchReason::HeadRoom);
        hold(&mut decision, vec![(Rule::Max, "there would be 7".to_owned())]);
        assert!(decision.is_hold());
        assert!(matches!(decision.alerts[..], [Alert::Invariant { rule: Rule::Max, .. }]));
    }
}
