//! The decision: learn from what is observed, give what waits the room that is there or comes,
//! ask for what lacks, let go of what nobody needs, and hold all of it to the rules.

use super::decision::{Decision, Fate, LaunchReason, TurnTo, TurnWhy};
use super::demand::{Demand, Shape, Work};
use super::grow::Grow;
use super::headroom::{Came, Kind, Room, Want};
use super::id::{NodeId, Seconds};
use super::invariants::{self, Case};
use super::learn::{FAILURES, learn};
use super::memory::{Batch, Memory};
use super::pack::{Packed, pack};
use super::pool::Pool;
use super::round::{Round, after};
use super::shrink;
use super::state::{Fleet, Offer};
use super::stock::Stock;
use super::why::NotMore;
use crate::model::Moment;

/// What is older than this is no reason to launch.
const TOO_OLD: Seconds = Seconds::minutes(10);
/// Idle nodes are looked at again after that.
const LOOK: Seconds = Seconds(30);

/// How large the fleet is to be, and what is to be done about it. Total, and the same for the
/// same input. The memory comes out as it is to be stored before the decision is carried out.
pub fn decide(
    pool: &Pool,
    fleet: &Fleet,
    demand: &Demand,
    offers: &[Offer],
    memory: Memory,
    now: Moment,
) -> (Decision, Memory) {
    let mut round = Round::new((pool, fleet, demand), offers, memory, now);
    learn(&mut round);
    arrivals(&mut round);
    shrink::zeros(&mut round);
    shrink::worn(&mut round);
    let mut grow = Grow::new(&mut round);
    if let Some(why) = closed(&round) {
        grow.close(why);
    }
    let mut packed = pack(&round, &mut grow);
    let (spare, parts) = packed.stock.spare(&round);
    let parts = parts.saturating_add(grow.free());
    let gangs = coming_gangs(&packed.fates);
    let room = Room { parts, spare, busy: round.census.busy, gangs };
    let want = head_room(&mut round, room);
    // What was cordoned comes back before anything is launched in its place.
    let have = round.census.have();
    // Nodes in several places may be the fewest and yet keep a gang from ever starting: then
    // those without work make room, and nothing is launched in their place before it has
    // started. Where they would not be room enough the fewest stay.
    let room = round.bounds.max.saturating_sub(round.census.busy);
    let stuck = |fate: &Fate| {
        let held = matches!(fate.held, Some(NotMore::Max { .. }));
        fate.shape.gang && held && fate.shape.nodes <= room
    };
    let stuck = packed.fates.iter().any(stuck);
    let min = if stuck { 0 } else { round.bounds.min };
    // Nor is anything kept for who comes next where nodes have to go: where there are too many,
    // of what stays as much as before.
    let most = match shrink::hurry(&round) {
        _ if stuck => 0,
        Some((above, TurnWhy::AboveMax)) => spare.saturating_sub(above),
        Some(_) => 0,
        None => u32::MAX,
    };
    let want = Want { keep: want.keep.min(most), launch: want.launch.min(most) };
    let lacks = want.launch.saturating_sub(spare).min(round.bounds.max.saturating_sub(have));
    let short = lacks.max(min.saturating_sub(have));
    let (back, beside) = shrink::cordoned(&mut round, &mut packed.stock, short);
    let have = have.saturating_add(back);
    let ahead = ahead(&mut round, &mut grow, lacks.saturating_sub(beside));
    let launched = least(&mut round, &mut grow, (have, min));
    grow.finish(&mut round);
    let head = want.keep.min(spare).max(spare.min(want.launch).saturating_add(ahead));
    let needed = have.saturating_sub(spare).saturating_add(launched).saturating_sub(ahead);
    let target = needed.saturating_add(head).clamp(min, round.bounds.max);
    sums(&mut round, (&packed, head, target));
    shrink::idle(&mut round, &packed.stock, (min, target, launched.saturating_add(back)));
    finish(round, packed)
}

/// Learns from who came since the last look.
fn arrivals(round: &mut Round<'_>) {
    let Some(work) = round.demand.work().filter(|_| round.demand.is_known()) else { return };
    let slots = round.pool.gpus.max(1);
    let (mut waiting, mut least) = (0_u64, u64::MAX);
    for job in &work.waiting {
        let (shape, times) = super::pack::usual(job.shape, slots);
        let each = u64::from(shape.gpus).saturating_mul(shape.nodes.into()).max(1);
        least = least.min(each);
        let count = u64::from(job.count) * u64::from(times);
        waiting = waiting.saturating_add(each.saturating_mul(count));
    }
    let came = came(&mut round.memory, work, slots);
    let (now, used) = (round.now, round.census.used);
    // A queue that lies must not teach: no level above what the cluster may have is looked at.
    let most = u64::from(round.pool.max).saturating_mul(slots.into());
    let level = used.saturating_add(waiting).min(most);
    let kind = Kind { gpus: slots, boot: round.pool.boot };
    let head_room = &mut round.memory.head_room;
    // A queue that only has a length does not say when its jobs came: that it grew does.
    let mut jobs_known = work.waiting.iter().chain(&work.running);
    let dated = !work.arrived.is_empty() || jobs_known.any(|job| job.submitted_at.is_some());
    let grown = level.saturating_sub(head_room.level());
    let jobs = u32::try_from(grown.div_ceil(least)).unwrap_or(u32::MAX);
    let whole = if least >= u64::from(slots) { grown } else { 0 };
    let came = if dated { came } else { Came { jobs, whole } };
    head_room.observe(now, (level, came), kind);
}

/// Which jobs came that were not known of.
fn came(memory: &mut Memory, work: &Work, slots: u32) -> Came {
    let known = memory.counted;
    let (mut came, mut last) = (Came::default(), known);
    let mut see = |at: Moment, shape: Shape, count: u32| {
        if known.is_none_or(|known| at > known) {
            last = last.max(Some(at));
            came.jobs = came.jobs.saturating_add(count);
            let (shape, times) = super::pack::usual(shape, slots);
            if shape.gpus >= slots {
                let each = u64::from(shape.gpus).saturating_mul(shape.nodes.into());
                let all = each.saturating_mul(u64::from(count) * u64::from(times));
                came.whole = came.whole.saturating_add(all);
            }
        }
    };
    // The oldest first: what is known of already need not be looked at.
    let new = work.arrived.iter().rev().take_while(|it| known.is_none_or(|known| it.at > known));
    new.for_each(|it| see(it.at, it.shape, it.count));
    if work.arrived.is_empty() {
        let all = work.waiting.iter().chain(&work.running);
        all.filter_map(|job| Some((job.submitted_at?, job.shape, job.count)))
            .for_each(|(at, shape, count)| see(at, shape, count));
    }
    memory.counted = last;
    came
}

/// Accelerators of gangs whose nodes come.
fn coming_gangs(fates: &[Fate]) -> u64 {
    let gangs = fates.iter().filter(|fate| fate.shape.gang);
    gangs.fold(0, |sum, Fate { shape, on_coming, launched, .. }| {
        let each = u64::from(shape.gpus).saturating_mul(shape.nodes.into());
        let count = u64::from(*on_coming).saturating_add(u64::from(*launched));
        each.saturating_mul(count).saturating_add(sum)
    })
}

/// How many spare nodes there are to be: as many as are worth their price, and those that the
/// author wants in any case.
fn head_room(round: &mut Round<'_>, room: Room) -> Want {
    if room.spare > 0 {
        round.wake(after(round.now, LOOK));
    }
    let want = round.memory.head_room.want(room, round.pool.latency_target);
    let least = round.pool.spare;
    Want { keep: want.keep.max(least), launch: want.launch.max(least) }
}

/// Launches for who comes next: only on what is known, and not where launches fail.
fn ahead<'a>(round: &mut Round<'a>, grow: &mut Grow<'a>, nodes: u32) -> u32 {
    let works = round.memory.circuit.failures == 0;
    if nodes == 0 || !works || !round.demand.is_known() || closed(round).is_some() {
        return 0;
    }
    let launched = grow.plain(nodes, &LaunchReason::HeadRoom);
    round.memory.head_room.launched(launched);
    launched
}

/// Why nothing may be asked for.
fn closed(round: &Round<'_>) -> Option<NotMore> {
    if round.pool.paused {
        return Some(NotMore::Paused);
    }
    if round.fleet.blind.is_some() {
        return Some(NotMore::Blind);
    }
    let usable = match round.demand {
        Demand::Known { .. } => true,
        Demand::Stale { age, .. } => *age < TOO_OLD,
        Demand::Error { .. } => false,
    };
    (!usable).then_some(NotMore::NotKnown)
}

/// The fewest nodes that there must be do not depend on what is known of the demand. How many
/// nodes are asked for in all.
fn least<'a>(round: &mut Round<'a>, grow: &mut Grow<'a>, (have, min): (u32, u32)) -> u32 {
    if grow.launched() == 0 && grow.may_probe() {
        return grow.plain(1, &LaunchReason::Probe);
    }
    let launched = grow.launched();
    let lacks = min.saturating_sub(have.saturating_add(launched));
    if lacks == 0 {
        return launched;
    }
    if closed(round) == Some(NotMore::NotKnown) {
        grow.reopen(round);
    }
    launched + grow.plain(lacks, &LaunchReason::Minimum)
}

/// The numbers, for people.
fn sums(round: &mut Round<'_>, (packed, head, target): (&Packed, u32, u32)) {
    let census = round.census;
    let missing: u32 = round.decision.launches.iter().map(|launch| launch.count).sum();
    let sums = &mut round.decision.sums;
    sums.serving = census.serving;
    sums.busy = census.busy;
    sums.coming = census.coming.saturating_add(census.unseen);
    sums.going = census.going;
    sums.missing = missing;
    sums.head_room = head;
    (sums.min, sums.max, sums.target) = (round.bounds.min, round.bounds.max, target);
    for fate in &packed.fates {
        sums.jobs_waiting = sums.jobs_waiting.saturating_add(fate.jobs);
        let each = u64::from(fate.shape.gpus).saturating_mul(fate.shape.nodes.into());
        sums.gpus_waiting = sums.gpus_waiting.saturating_add(each.saturating_mul(fate.jobs.into()));
    }
    sums.gpus_free = census.free;
    sums.per_hour = census.per_hour;
    sums.this_month = round.memory.spent.sum;
}

/// Holds the decision to the rules, and remembers it.
fn finish(mut round: Round<'_>, packed: Packed) -> (Decision, Memory) {
    let Packed { stock, fates, .. } = packed;
    round.decision.waiting = fates;
    if let Some(until) = round.bounds.until {
        round.wake(until);
    }
    let case = Case {
        pool: round.pool,
        max: round.bounds.max,
        fleet: round.fleet,
        demand: round.demand,
        offers: round.offers,
        memory: &round.memory,
        now: round.now,
    };
    let broken = invariants::broken(&case, &round.decision);
    if !broken.is_empty() {
        invariants::hold(&mut round.decision, broken);
        return (round.decision, round.memory);
    }
    nominate(&mut round, &stock);
    remember(&mut round.memory, (round.fleet, round.now), &round.decision);
    (round.decision, round.memory)
}

/// Remembers which gang has which node. What was launched for a gang and has been given to others
/// is not kept for it any more: it has others, too, or is asked for anew.
fn nominate(round: &mut Round<'_>, stock: &Stock) {
    let memory = &mut round.memory;
    memory.nominations.clear();
    for ((node, gang), taken) in round.fleet.nodes.iter().zip(&stock.gang).zip(&stock.taken) {
        if let Some(gang) = gang {
            memory.nominations.insert(node.id.clone(), gang.clone());
        }
        let batch = memory.batches.get_mut(&node.batch).filter(|_| *taken);
        if let Some(batch) = batch
            && batch.gang.as_ref().map(|(of, _)| of) != gang.as_ref()
        {
            batch.gang = None;
        }
    }
}

/// What was decided is remembered, so that it is not decided again.
fn remember(memory: &mut Memory, (fleet, now): (&Fleet, Moment), decision: &Decision) {
    let mut ups = 0_u32;
    for launch in &decision.launches {
        let gang = match &launch.reason {
            LaunchReason::Gang { job: Some(job), shape, .. } => Some((job.clone(), *shape)),
            LaunchReason::Gang { job: None, .. }
            | LaunchReason::Jobs { .. }
            | LaunchReason::HeadRoom
            | LaunchReason::Minimum
            | LaunchReason::Probe => None,
        };
        if memory.circuit.failures >= FAILURES {
            memory.circuit.probed_at = Some(now);
        }
        memory.batches.insert(launch.batch, Batch { at: now, count: launch.count, gang });
        memory.next_batch = memory.next_batch.max(launch.batch.saturating_add(1));
        ups = ups.saturating_add(launch.count);
    }
    if ups > 0 {
        memory.ups.push((now, ups));
    }
    let mut downs = 0_u32;
    for turn in &decision.turns {
        downs += u32::from(turn.to == TurnTo::Cordon);
        told(memory, (&turn.node, now), turn.to);
        if matches!(turn.why, TurnWhy::TimedOut { .. }) {
            failed(memory, fleet, &turn.node);
        }
    }
    if downs > 0 {
        memory.downs.push((now, downs));
    }
}

fn told(memory: &mut Memory, (node, now): (&NodeId, Moment), to: TurnTo) {
    match to {
        TurnTo::Cordon => drop(memory.cordons.insert(node.clone(), now)),
        TurnTo::Uncordon => {
            memory.cordons.remove(node);
            let returns = memory.returns.entry(node.clone()).or_insert((0, now));
            *returns = (returns.0.saturating_add(1), now);
        }
        TurnTo::Drain | TurnTo::Terminate | TurnTo::Quarantine => {
            memory.told.insert(node.clone(), now);
        }
    }
}

/// A node that never took a job counts as a failure, once.
fn failed(memory: &mut Memory, fleet: &Fleet, id: &NodeId) {
    let Some(node) = fleet.nodes.iter().find(|node| node.id == *id) else { return };
    let circuit = &mut memory.circuit;
    if node.state.is_coming() && circuit.counted.insert(id.clone()) {
        circuit.failures = circuit.failures.saturating_add(1);
        circuit.failed_launch = circuit.failed_launch.max(Some(node.launched_at));
    }
}
