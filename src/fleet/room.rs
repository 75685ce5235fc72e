//! What may be asked for at all: the most nodes, pace, launches that fail, money.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::cost::{add, times_of};
use super::id::Seconds;
use super::learn::{FAILURES, PROBE};
use super::round::{Round, after};
use super::why::{Alert, NotMore};
use crate::model::Money;

/// What may still be asked for.
pub(super) struct Room {
    /// Nodes.
    pub nodes: u32,
    /// What binds them.
    pub binds: NotMore,
    /// Nodes if pace did not matter, and whether nothing was asked for in the last minute.
    pub most: u32,
    pub rested: bool,
    /// Nodes up to the most that there may be, and that; all of them while it does not matter.
    pub left: (u32, u32),
    /// Dollars per hour, where there is a budget, and what binds them.
    pub money: Option<(Money, NotMore)>,
}

/// How many times a price goes into an amount.
pub(super) fn fitting(money: Money, price: Money) -> u32 {
    if price <= Money::ZERO {
        return u32::MAX;
    }
    let times = money.dollars().checked_div(price.dollars()).unwrap_or(Decimal::ZERO);
    times.floor().to_u32().unwrap_or(if times > Decimal::ZERO { u32::MAX } else { 0 })
}

/// What may be asked for at all.
pub(super) fn room(round: &mut Round<'_>) -> Room {
    let (pool, now) = (round.pool, round.now);
    let max = round.bounds.max;
    let mut nodes = max.saturating_sub(round.census.total());
    let mut binds = NotMore::Max { max };
    let ups: u32 = round.memory.ups.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
    let left = (nodes, max);
    let (mut most, rested) = (nodes, ups == 0 && pool.max_up_per_minute > 0);
    let pace = pool.max_up_per_minute.saturating_sub(ups);
    if pace < nodes {
        (nodes, binds) = (pace, NotMore::Rate { per_minute: pool.max_up_per_minute });
        if let Some((at, _)) = round.memory.ups.first().copied() {
            round.wake(after(at, Seconds(60)));
        }
    }
    let circuit = &round.memory.circuit;
    if circuit.failures >= FAILURES {
        let last = circuit.probed_at.or(circuit.open_since).unwrap_or(now);
        let probe_at = after(last, PROBE);
        let coming = round.census.coming.saturating_add(round.census.unseen);
        let probe = u32::from(probe_at <= now && coming == 0);
        if probe < nodes {
            (nodes, binds) = (probe, NotMore::CircuitOpen { probe_at });
            most = probe;
            round.wake(probe_at);
        }
    }
    most = most.max(nodes);
    Room { nodes, binds, most, rested, left, money: money(round) }
}

/// Dollars per hour that may still be spent, and the budget that binds them.
fn money(round: &mut Round<'_>) -> Option<(Money, NotMore)> {
    let (rate, spent) = (round.census.per_hour, round.memory.spent.sum);
    // What was decided on and does not show yet is paid, too, at the dearest price.
    let dearest = round.offers.iter().filter_map(|offer| offer.launch.price).max();
    let unseen = dearest.and_then(|price| times_of(price, round.census.unseen));
    let rate = add(rate, unseen.unwrap_or_default());
    let left = |budget: Money, used: Money| {
        let left = budget.dollars().checked_sub(used.dollars()).unwrap_or_default();
        Money::new(left.max(Decimal::ZERO))
    };
    let hourly = round
        .pool
        .hourly_budget
        .map(|budget| (left(budget, rate), NotMore::HourlyBudget { budget, would_be: rate }));
    // One more hour of all that runs is set aside, since what runs cannot be ended at will.
    let monthly = round.pool.monthly_budget.map(|budget| {
        let would_be = add(spent, rate);
        (left(budget, would_be), NotMore::MonthlyBudget { budget, would_be })
    });
    let nodes = round.census.total();
    let cheapest = round.offers.iter().filter_map(|offer| offer.launch.price).min();
    let shared = round.pool.share.map(|share| {
        let would_be = share.used(nodes, rate);
        let left = share.without_disks(left(share.budget, would_be), cheapest);
        (left, NotMore::StackBudget { budget: share.budget, would_be })
    });
    let least = [hourly, monthly, shared].into_iter().flatten().min_by_key(|(money, _)| *money);
    if least.as_ref().is_some_and(|(money, _)| *money <= Money::ZERO) {
        round.alert(Alert::BudgetReached);
    }
    least
}
