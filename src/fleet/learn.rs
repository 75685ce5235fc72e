//! What a look teaches before anything is decided: refusals, failures, what was spent, which
//! batches came to something.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::cost::add;
use super::id::Seconds;
use super::memory::{Batch, Circuit, Refusal};
use super::round::{Round, after, age};
use super::state::{Attempt, Node, Outcome, State};
use super::why::Alert;
use crate::model::{Moment, Money};

/// How long an offer that was refused is left alone: Karpenter's three minutes
/// (`pkg/cache/cache.go` of aws/karpenter-provider-aws), twice as long each time.
pub(super) const COOL: Seconds = Seconds::minutes(3);
/// At most: Cluster-Autoscaler's longest back-off of a group (its FAQ).
const COOL_MOST: Seconds = Seconds::minutes(30);
/// A refusal is forgotten after that: the same FAQ.
const FORGET: Seconds = Seconds::minutes(180);
/// A batch that never shows was never asked for: the record is written in the same breath.
const QUIET: Seconds = Seconds(60);
/// So many failures in a row and launches stop (Ray's limit; ParallelCluster has ten).
pub(super) const FAILURES: u32 = 5;
/// How often one node is tried then.
pub(super) const PROBE: Seconds = Seconds::minutes(10);

/// Learns from everything that was observed.
pub(super) fn learn(round: &mut Round<'_>) {
    clock(round);
    spend(round);
    attempts(round);
    batches(round);
    circuit(round);
    forget(round);
}

/// A clock that went back makes what is remembered lie in the future. It then counts from now
/// on: everything takes longer, and nothing goes early.
fn clock(round: &mut Round<'_>) {
    let now = round.now;
    let Some(before) = round.memory.decided_at.replace(now) else { return };
    if before <= now {
        return;
    }
    round.alert(Alert::ClockWentBack);
    let memory = &mut round.memory;
    let past = |at: &mut Moment| *at = (*at).min(now);
    memory.batches.values_mut().for_each(|batch| past(&mut batch.at));
    memory.cordons.values_mut().for_each(past);
    memory.returns.values_mut().for_each(|(_, at)| past(at));
    memory.told.values_mut().for_each(past);
    let spans = [&mut memory.targets, &mut memory.ups, &mut memory.downs];
    spans.into_iter().flatten().for_each(|(at, _)| past(at));
    for refusal in memory.refused.values_mut() {
        past(&mut refusal.at);
        refusal.until = refusal.until.min(after(now, COOL_MOST));
    }
    let circuit = &mut memory.circuit;
    let moments = [&mut circuit.failed_launch, &mut circuit.open_since, &mut circuit.probed_at];
    moments.into_iter().flatten().for_each(past);
    if let Some(until) = &mut memory.spent.until {
        past(until);
    }
}

/// Adds up what the nodes that are there have cost since the last look.
fn spend(round: &mut Round<'_>) {
    let (now, rate) = (round.now, round.census.per_hour);
    let month = month(now);
    let spent = &mut round.memory.spent;
    let since = spent.until.replace(now).unwrap_or(now);
    if spent.month != month {
        // The part of the span that lies in the month before is small, and counts for this one.
        (spent.month, spent.sum) = (month, Money::ZERO);
    }
    let hours = Decimal::from(now.since(since)) / Decimal::from(3_600_000);
    let cost = rate.dollars().checked_mul(hours).map_or(Money::ZERO, Money::new);
    spent.sum = add(spent.sum, cost);
}

/// Months since the year 0, in UTC; 0 for times that no calendar has.
fn month(now: Moment) -> i32 {
    let stamp = Timestamp::from_millisecond(now.0);
    stamp.map_or(0, |stamp| {
        let date = TimeZone::UTC.to_datetime(stamp);
        i32::from(date.year()) * 12 + i32::from(date.month())
    })
}

/// Offers that were refused cool down; the same refusal is not learned from twice.
fn attempts(round: &mut Round<'_>) {
    let fleet = round.fleet;
    let first = fleet.attempts.partition_point(|it| it.number <= round.memory.last_attempt);
    for attempt in fleet.attempts.iter().skip(first) {
        round.memory.last_attempt = attempt.number;
        match &attempt.outcome {
            Outcome::Started { count: 0 } | Outcome::NoCapacity => refuse(round, attempt, false),
            Outcome::Started { .. } => drop(round.memory.refused.remove(&attempt.offer)),
            Outcome::Failed { count } => {
                let circuit = &mut round.memory.circuit;
                circuit.failures = circuit.failures.saturating_add(*count);
                circuit.failed_launch = circuit.failed_launch.max(Some(attempt.at));
            }
            Outcome::Quota { why } => {
                refuse(round, attempt, true);
                let (offer, why) = (attempt.offer.clone(), why.clone());
                round.alert(Alert::Quota { offer, why });
            }
            Outcome::Blocked { why } => {
                round.alert(Alert::Blocked { why: why.clone() });
                let circuit = &mut round.memory.circuit;
                circuit.failures = circuit.failures.max(FAILURES);
                circuit.failed_launch = circuit.failed_launch.max(Some(attempt.at));
            }
        }
    }
}

fn refuse(round: &mut Round<'_>, attempt: &Attempt, quota: bool) {
    let now = round.now;
    let nothing = Refusal { at: now, until: now, times: 0, quota };
    let refusal = round.memory.refused.entry(attempt.offer.clone()).or_insert(nothing);
    refusal.times = refusal.times.saturating_add(1);
    refusal.quota = quota;
    // Nobody raises a quota within minutes.
    let doubled = if quota { 4 } else { (refusal.times - 1).min(4) };
    let span = Seconds(COOL.0 << doubled).min(COOL_MOST);
    refusal.at = attempt.at.min(now);
    refusal.until = after(refusal.at, span).max(refusal.until);
}

/// Batches that show are seen by their nodes. One that does not is on its way for a moment,
/// and then was never asked for.
fn batches(round: &mut Round<'_>) {
    let (fleet, now) = (round.fleet, round.now);
    let memory = &mut round.memory;
    memory.next_batch = memory.next_batch.max(fleet.last_batch.saturating_add(1));
    if memory.batches.is_empty() {
        return;
    }
    let gangs = memory.batches.values().any(|batch| batch.gang.is_some());
    let living: BTreeSet<u64> = match gangs {
        true => fleet.nodes.iter().map(|node| node.batch).collect(),
        false => BTreeSet::new(),
    };
    let unseen =
        |number: u64, batch: &Batch| number > fleet.last_batch && age(now, batch.at) < QUIET;
    memory.batches.retain(|number, batch| {
        unseen(*number, batch) || (batch.gang.is_some() && living.contains(number))
    });
    let coming = memory.batches.iter().filter(|(number, batch)| unseen(**number, batch));
    let coming = coming.fold(0_u32, |sum, (_, batch)| sum.saturating_add(batch.count));
    round.census.unseen = coming;
}

/// A node that takes jobs, and was asked for after the last that failed, closes the circuit.
fn circuit(round: &mut Round<'_>) {
    let (fleet, now) = (round.fleet, round.now);
    let circuit = &mut round.memory.circuit;
    if let Some(failed) = circuit.failed_launch {
        // One that was cordoned for want of work had come up as well.
        let up = |node: &Node| node.state.is_serving() || node.state == State::Cordoned;
        let works = |node: &Node| up(node) && node.launched_at > failed;
        if fleet.nodes.iter().any(works) {
            *circuit =
                Circuit { counted: std::mem::take(&mut circuit.counted), ..Default::default() };
        }
    }
    if !circuit.counted.is_empty() {
        let living: BTreeSet<_> = fleet.nodes.iter().map(|node| &node.id).collect();
        circuit.counted.retain(|node| living.contains(node));
    }
    if circuit.failures >= FAILURES {
        circuit.open_since.get_or_insert(now);
        let failures = circuit.failures;
        round.alert(Alert::CircuitOpen { failures });
    }
}

/// What is about nodes that are gone, or long ago, is forgotten.
fn forget(round: &mut Round<'_>) {
    let (fleet, now) = (round.fleet, round.now);
    let memory = &mut round.memory;
    memory.refused.retain(|_, refusal| now < after(refusal.until, FORGET));
    let minute = Seconds(60);
    memory.ups.retain(|(at, _)| age(now, *at) < minute);
    memory.downs.retain(|(at, _)| age(now, *at) < minute);
    if memory.cordons.is_empty() && memory.told.is_empty() && memory.returns.is_empty() {
        return;
    }
    let living: BTreeSet<_> = fleet.nodes.iter().map(|node| &node.id).collect();
    memory.cordons.retain(|node, _| living.contains(node));
    memory.told.retain(|node, _| living.contains(node));
    let hour = Seconds::minutes(60);
    memory.returns.retain(|node, (_, at)| living.contains(node) && age(now, *at) < hour);
}
