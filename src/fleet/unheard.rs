//! Nodes of which nobody says whether they work, since no agent speaks for them. What the sources
//! say of all jobs together is all there is to go by: such a node is without work only while
//! nothing at all waits or runs, by sources that tell of what runs too. How many of them have work
//! is guessed, so that more are asked for when they do; which of them is never guessed, so that
//! none with a job is ended.

use std::borrow::Cow;

use super::decide::decide as heard;
use super::decision::Decision;
use super::demand::{Demand, Job, Work};
use super::id::Seconds;
use super::memory::{Lull, Memory};
use super::pool::Pool;
use super::round::age;
use super::state::{Fleet, Node, Offer, State};
use super::why::{NotLess, Unheard};
use crate::model::Moment;

/// So long after a job or a node has come it may be that nobody has taken the job yet. Whatever
/// still waits then finds none of these nodes free.
const TAKES: Seconds = Seconds::minutes(2);

/// What has become of what is remembered, by a look.
fn after(lull: Lull, demand: &Demand, now: Moment) -> Lull {
    let begun = |before: Option<Moment>, is: bool| is.then(|| before.unwrap_or(now));
    let waits = demand.work().is_some_and(|work| !work.waiting.is_empty());
    Lull { quiet: begun(lull.quiet, busy(demand).is_none()), waits: begun(lull.waits, waits) }
}

/// Why it cannot be said that nothing works; none where it can.
fn busy(demand: &Demand) -> Option<Unheard> {
    match demand {
        Demand::Stale { .. } | Demand::Error { .. } => Some(Unheard::NotKnown),
        Demand::Known { work, .. } if !work.tells_running => Some(Unheard::NotTold),
        Demand::Known { work, .. } if work.waiting.is_empty() && work.running.is_empty() => None,
        Demand::Known { .. } => Some(Unheard::Work),
    }
}

/// How large the fleet is to be, and what is to be done about it. Total, and the same for the
/// same input. The memory comes out as it is to be stored before the decision is carried out.
pub fn decide(
    pool: &Pool,
    fleet: &Fleet,
    demand: &Demand,
    offers: &[Offer],
    mut memory: Memory,
    now: Moment,
) -> (Decision, Memory) {
    let any = fleet.nodes.iter().any(|node| node.unheard);
    memory.lull = if any { after(memory.lull, demand, now) } else { Lull::default() };
    let seen = if any { seen(fleet, demand, memory.lull, now) } else { Cow::Borrowed(fleet) };
    let (mut decision, memory) = heard(pool, &seen, demand, offers, memory, now);
    let nodes = fleet.nodes.iter().filter(|node| node.unheard && node.may_work()).count();
    if let (Some(because), 1..) = (busy(demand), nodes) {
        let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
        decision.sums.unheard = nodes;
        decision.not_less.retain(|it| *it != NotLess::NoneIdle);
        decision.not_less.insert(0, NotLess::Unheard { nodes, because });
    }
    (decision, memory)
}

/// The fleet with what can be said of such nodes.
fn seen<'a>(fleet: &'a Fleet, demand: &Demand, lull: Lull, now: Moment) -> Cow<'a, Fleet> {
    let mut fleet = fleet.clone();
    if let Some(quiet) = lull.quiet {
        for node in fleet.nodes.iter_mut().filter(|node| node.unheard) {
            node.unheard = false;
            // A node comes up, and goes, in a time of its own.
            if node.state.is_serving() {
                node.since = node.since.max(quiet);
            }
        }
    } else if let Some(work) = demand.work().filter(|work| work.tells_running) {
        occupied(&mut fleet, work);
    } else {
        let old = |since: Moment| age(now, since) >= TAKES;
        let all = lull.waits.is_some_and(old);
        let taken = |node: &&mut Node| node.unheard && node.state.is_serving() && old(node.since);
        fleet.nodes.iter_mut().filter(|_| all).filter(taken).for_each(fill);
    }
    Cow::Owned(fleet)
}

/// It takes no more.
fn fill(node: &mut Node) {
    (node.state, node.free) = (State::Busy, 0);
}

/// As many of these nodes have work as what runs needs beside the others: the oldest first, since
/// it must be the same ones at each look.
fn occupied(fleet: &mut Fleet, work: &Work) {
    let heard = fleet.nodes.iter().filter(|node| !node.unheard && node.state.is_serving());
    let elsewhere: u64 = heard.map(|it| u64::from(it.slots() - it.free_slots())).sum();
    let largest = fleet.nodes.iter().map(Node::slots).max().unwrap_or(1);
    let needs = work.running.iter().map(|job| needs(job, largest)).sum::<u64>();
    let mut left = needs.saturating_sub(elsewhere);
    let mut nodes: Vec<&mut Node> =
        fleet.nodes.iter_mut().filter(|it| it.unheard && it.state.is_serving()).collect();
    nodes.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    for node in nodes {
        let slots = node.slots();
        if left >= u64::from(slots) {
            fill(node);
        } else if left > 0 {
            node.free = u32::try_from(u64::from(slots) - left).unwrap_or(0).min(node.gpus);
        }
        left = left.saturating_sub(u64::from(slots));
    }
}

/// Slots that jobs take, where nodes have so many.
fn needs(job: &Job, slots: u32) -> u64 {
    let shape = job.shape;
    let each = if shape.gpus == 0 { slots } else { shape.gpus };
    u64::from(job.count)
        .saturating_mul(u64::from(each))
        .saturating_mul(u64::from(shape.nodes.max(1)))
}

#[cfg(test)]
mod tests {
    use super::super::demand::Shape;
    use super::super::why::NotMore;
    use super::*;
    use crate::fleet::TurnTo;
    use crate::kinds;
    use crate::model::{Link, Zone};

    const SECOND: i64 = 1000;

    fn offer() -> Offer {
        let subnet = Link::Id("subnet-1".into());
        Offer::new(kinds::Offer::plain("p5.48xlarge", Zone::from("a"), subnet), 8)
    }

    /// So many nodes that are ready since then, one after the other.
    fn fleet(count: u32) -> Fleet {
        let node = |number: u32| Node {
            id: format!("i-{number}").into(),
            state: State::Ready,
            since: Moment(i64::from(number) * SECOND),
            batch: 1,
            offer: offer().key,
            zone: Zone::from("a"),
            market: kinds::Market::OnDemand,
            price: None,
            launched_at: Moment(0),
            gpus: 8,
            free: 8,
            jobs: Vec::new(),
            heard_at: None,
            own_mark: false,
            outdated: false,
            unheard: true,
        };
        Fleet { nodes: (1..=count).map(node).collect(), last_batch: 1, ..Fleet::default() }
    }

    fn pool() -> Pool {
        Pool { latency_target: crate::fleet::LatencyTarget::CHEAPEST, ..Pool::new("c", (0, 9), 8) }
    }

    fn work(waiting: u32, running: u32, tells_running: bool) -> Demand {
        let of = |count: u32| match count {
            0 => Vec::new(),
            1.. => vec![Job::depth(count, Shape::single(8))],
        };
        let (waiting, running) = (of(waiting), of(running));
        Demand::known(Work { waiting, running, tells_running, ..Work::default() })
    }

    /// What is decided at so many seconds, each by the memory of the one before.
    fn looks(fleet: &Fleet, all: &[(i64, Demand)]) -> Vec<Decision> {
        let mut memory = Memory::default();
        let look = |(second, demand): &(i64, Demand)| {
            let now = Moment(second * SECOND);
            let before = std::mem::take(&mut memory);
            let (decision, after) = decide(&pool(), fleet, demand, &[offer()], before, now);
            memory = after;
            decision
        };
        all.iter().map(look).collect()
    }

    fn cordons(decision: &Decision) -> usize {
        decision.turns.iter().filter(|turn| turn.to == TurnTo::Cordon).count()
    }

    /// What waits is served by those that are free as far as can be told, and more come for the
    /// rest.
    fn launched(decision: &Decision) -> u32 {
        decision.launches.iter().map(|launch| launch.count).sum()
    }

    #[test]
    fn one_is_without_work_only_since_nothing_waits_or_runs() {
        let quiet = |second| (second, work(0, 0, true));
        let told = looks(
            &fleet(2),
            &[
                (10_000, work(0, 1, true)),
                quiet(10_010),
                quiet(10_100),
                // The service could not hear: a job may have come and gone.
                (10_150, Demand::Error { age: None, why: "no answer".to_owned() }),
                quiet(10_160),
                quiet(10_180),
                quiet(10_339),
                quiet(10_340),
            ],
        );
        let all: Vec<usize> = told.iter().map(cordons).collect();
        assert_eq!(all, [0, 0, 0, 0, 0, 0, 0, 1], "{told:#?}");
        let why = |because| NotLess::Unheard { nodes: 2, because };
        assert!(told[0].not_less.contains(&why(Unheard::Work)));
        assert!(told[3].not_less.contains(&why(Unheard::NotKnown)));
        assert_eq!((told[0].sums.unheard, told[7].sums.unheard), (2, 0));
    }

    #[test]
    fn a_source_that_does_not_say_what_runs_lets_none_go() {
        let all: Vec<_> = (0..100).map(|it| (10_000 + it * 60, work(0, 0, false))).collect();
        let told = looks(&fleet(2), &all);
        assert!(told.iter().all(Decision::is_hold));
        let why = NotLess::Unheard { nodes: 2, because: Unheard::NotTold };
        assert!(told.iter().all(|it| it.not_less == [why.clone()]), "{:?}", told[0].not_less);
    }

    #[test]
    fn as_many_are_at_work_as_what_runs_needs_and_the_rest_takes_what_waits() {
        let told = looks(&fleet(3), &[(10_000, work(2, 2, true))]);
        assert_eq!((told[0].sums.busy, launched(&told[0])), (2, 1), "one takes one, one lacks");
        let none = looks(&fleet(3), &[(10_000, work(2, 0, true))]);
        assert_eq!((none[0].sums.busy, launched(&none[0])), (0, 0));
        assert_eq!(none[0].not_more, [] as [NotMore; 0], "{:?}", none[0].not_more);
        // Part of a node.
        let small = |count| vec![Job::depth(count, Shape::single(4))];
        let (waiting, running) = (small(4), small(1));
        let work = Work { waiting, running, tells_running: true, ..Work::default() };
        let part = looks(&fleet(2), &[(10_000, Demand::known(work))]);
        assert_eq!((part[0].sums.gpus_free, launched(&part[0])), (12, 1));
    }

    #[test]
    fn where_nobody_says_what_runs_a_job_that_still_waits_finds_none_free() {
        let waits = |second| (second, work(1, 0, false));
        let told = looks(&fleet(2), &[waits(10_000), waits(10_119), waits(10_120)]);
        let all: Vec<u32> = told.iter().map(launched).collect();
        assert_eq!(all, [0, 0, 1]);
        // One that has come a moment ago may not have taken it yet.
        let mut new = fleet(2);
        new.nodes[1].since = Moment(10_100 * SECOND);
        let told = looks(&new, &[waits(10_000), waits(10_130), waits(10_220)]);
        assert_eq!(told.iter().map(launched).collect::<Vec<_>>(), [0, 0, 1]);
        // In between nothing waited.
        let told = looks(&fleet(2), &[waits(10_000), (10_100, work(0, 0, false)), waits(10_130)]);
        assert_eq!(told.iter().map(launched).collect::<Vec<_>>(), [0, 0, 0]);
    }

    #[test]
    fn one_on_its_way_out_comes_back_when_work_does_and_ends_only_when_none_does() {
        let mut fleet = fleet(1);
        (fleet.nodes[0].state, fleet.nodes[0].own_mark) = (State::Cordoned, true);
        let turned = |demand: Demand| {
            let all = [(10_000, work(0, 0, true)), (10_100, work(0, 0, true)), (10_200, demand)];
            looks(&fleet, &all)[2].turns.first().map(|turn| turn.to)
        };
        assert_eq!(turned(work(0, 1, true)), Some(TurnTo::Uncordon));
        assert_eq!(turned(Demand::Error { age: None, why: String::new() }), None);
        assert_eq!(turned(work(0, 0, true)), Some(TurnTo::Terminate));
    }
}
