//! Which nodes go. Only those without work, after a while, a few at a time, and never because
//! of what is not known; and nodes that are of no use any more, whatever is known of the demand.

use super::decision::{TurnTo, TurnWhy};
use super::id::Seconds;
use super::round::{Round, after, age};
use super::state::{Node, State};
use super::stock::Stock;
use super::why::{Alert, NotLess};

/// A node that does not do as it was told is told again after that.
const AGAIN: Seconds = Seconds(60);
/// How often in an hour a node may come back from a cordon: each time it then stays for twice
/// as long, and after so many for the whole hour.
pub(super) const RETURNS: u32 = 4;
/// A demand that fell to nothing is looked at again after that.
const LOOK: Seconds = Seconds(10);

/// Turns nodes whose state has lasted too long, or which the cloud takes away.
pub(super) fn worn(round: &mut Round<'_>) {
    if round.fleet.blind.is_some() {
        return;
    }
    let fleet = round.fleet;
    for (at, node) in fleet.nodes.iter().enumerate() {
        let lasted = age(round.now, node.since);
        let limits = &round.pool.limits;
        let (limit, why) = match node.state {
            State::Requested => (limits.requested, TurnWhy::TimedOut { after: lasted }),
            State::Pending => (limits.pending, TurnWhy::TimedOut { after: lasted }),
            State::Booting => (limits.booting, TurnWhy::TimedOut { after: lasted }),
            State::Quarantined => (limits.quarantined, TurnWhy::TimedOut { after: lasted }),
            State::Terminating => (limits.terminating, TurnWhy::Lingers { after: lasted }),
            State::Lost => (limits.lost, TurnWhy::Lost { silent: lasted }),
            State::Interrupting { deadline } => {
                interrupted(round, node, TurnWhy::Interrupted { deadline });
                continue;
            }
            State::Ready | State::Busy | State::Idle => {
                if silent(round, node) {
                    leave(round, (at, node));
                }
                continue;
            }
            State::Cordoned | State::Draining => continue,
        };
        if lasted < limit {
            if node.state != State::Quarantined {
                round.wake(after(node.since, limit));
            }
            continue;
        }
        if node.state == State::Terminating {
            round.alert(Alert::Lingers { node: node.id.clone() });
        } else if node.may_work() {
            round.alert(Alert::Silent { node: node.id.clone() });
            continue;
        }
        leave(round, (at, node));
        tell(round, node, TurnTo::Terminate, why);
    }
}

/// Nobody counts on a node from now on.
fn leave(round: &mut Round<'_>, (at, node): (usize, &Node)) {
    round.leaving[at] = true;
    let census = &mut round.census;
    if node.state.is_coming() {
        (census.coming, census.going) = (census.coming - 1, census.going + 1);
    } else if node.state.is_serving() {
        (census.serving, census.going) = (census.serving - 1, census.going + 1);
    }
}

/// The cloud takes a node away: its jobs save what they have, while there is time.
fn interrupted(round: &mut Round<'_>, node: &Node, why: TurnWhy) {
    let to = if node.may_work() { TurnTo::Drain } else { TurnTo::Terminate };
    tell(round, node, to, why);
}

/// A node that serves and is not heard of: only one that has no job by any sign may be ended.
/// Whether it is.
fn silent(round: &mut Round<'_>, node: &Node) -> bool {
    let Some(heard) = node.heard_at else { return false };
    let silent = age(round.now, heard);
    if silent < round.pool.limits.suspect {
        return false;
    }
    if silent < round.pool.limits.lost || node.may_work() {
        round.alert(Alert::Silent { node: node.id.clone() });
        return false;
    }
    tell(round, node, TurnTo::Terminate, TurnWhy::Lost { silent });
    true
}

/// Tells a node, unless it has just been told.
fn tell(round: &mut Round<'_>, node: &Node, to: TurnTo, why: TurnWhy) {
    let lingers = node.state == State::Terminating;
    let again = if lingers { round.pool.limits.terminating } else { AGAIN };
    let told = round.memory.told.get(&node.id);
    if told.is_none_or(|at| age(round.now, *at) >= again) {
        round.turn(node, to, why);
    }
}

/// Nodes that were cordoned for want of work: they come back when somebody needs them, and go
/// when nobody did. `back` more than those that waiting jobs need come back. How many came, and
/// how many of them beside those that jobs need.
pub(super) fn cordoned(round: &mut Round<'_>, stock: &mut Stock, back: u32) -> (u32, u32) {
    let fleet = round.fleet;
    // Those that jobs need count, too, so that no more come back than there may be.
    let needed = fleet.nodes.iter().zip(&stock.taken);
    let needed = needed.filter(|(node, taken)| node.state == State::Cordoned && **taken).count();
    let room = round.bounds.max.saturating_sub(round.census.have());
    let back = back.min(room.saturating_sub(needed as u32));
    let (mut came, mut beside) = (0, 0);
    for (at, node) in fleet.nodes.iter().enumerate() {
        let ours = round.is_ours(node);
        if !ours || !matches!(node.state, State::Cordoned | State::Draining) {
            continue;
        }
        // Where it is not known whether there is work, it stays as it is.
        let may_work = node.may_work() && round.demand.is_known();
        let wanted = stock.taken[at] || node.is_busy() || may_work;
        let can = node.state == State::Cordoned && round.is_heard(node) && !round.pool.paused;
        if can && (wanted || beside < back) {
            beside += u32::from(!wanted);
            came += 1;
            stock.taken[at] = true;
            round.turn(node, TurnTo::Uncordon, TurnWhy::WorkCame);
            continue;
        }
        if node.may_work() || !round.may_shrink() {
            continue;
        }
        let since = round.memory.cordons.get(&node.id).copied().unwrap_or(node.since);
        if age(round.now, since) < round.pool.recheck {
            round.wake(after(since, round.pool.recheck));
        } else if unconfirmed(round).is_none() {
            tell(round, node, TurnTo::Terminate, TurnWhy::StillIdle);
        }
    }
    (came, beside)
}

/// Counts decisions in which nothing was wanted.
pub(super) fn zeros(round: &mut Round<'_>) {
    let work = round.demand.work().filter(|_| round.demand.is_known());
    let Some(work) = work else { return };
    let none = work.waiting.is_empty() && work.running.is_empty() && round.census.busy == 0;
    // Who asks twice in one moment has seen it once.
    let again = round.before.is_some_and(|before| before == round.now);
    let more = u32::from(!again || round.memory.zeros == 0);
    round.memory.zeros = if none { round.memory.zeros.saturating_add(more) } else { 0 };
}

/// A demand that fell to nothing and was not seen so often enough.
fn unconfirmed(round: &Round<'_>) -> Option<NotLess> {
    let (seen, of) = (round.memory.zeros, round.pool.zero_confirm);
    (seen > 0 && seen < of).then_some(NotLess::ZeroNotConfirmed { seen, of })
}

/// Nodes without work, the first to go first.
fn candidates<'a>(round: &Round<'a>, stock: &Stock) -> Vec<&'a Node> {
    let idle = |(at, node): &(usize, &Node)| {
        let serves = matches!(node.state, State::Ready | State::Idle);
        let free = !node.may_work() && !stock.taken[*at] && !round.leaving[*at];
        serves && free && round.is_heard(node)
    };
    let fleet = round.fleet;
    let mut out: Vec<&Node> =
        fleet.nodes.iter().enumerate().filter(idle).map(|(_, it)| it).collect();
    // Outdated ones first, then the dearest, then those that are idle for the longest.
    out.sort_by(|one, other| {
        let key = |node: &Node| (node.outdated, node.price);
        key(other)
            .cmp(&key(one))
            .then(one.since.cmp(&other.since))
            .then_with(|| one.id.cmp(&other.id))
    });
    out
}

/// Why nodes go before their time.
pub(super) fn hurry(round: &Round<'_>) -> Option<(u32, TurnWhy)> {
    let census = round.census;
    let above = (census.serving + census.coming).saturating_sub(round.bounds.max);
    let hourly = round.pool.hourly_budget.is_some_and(|budget| census.per_hour > budget);
    let monthly = round.pool.monthly_budget.is_some_and(|most| round.memory.spent.sum >= most);
    let shared = round
        .pool
        .share
        .is_some_and(|share| share.used(census.total(), census.per_hour) > share.budget);
    if hourly || monthly || shared {
        return Some((u32::MAX, TurnWhy::AboveBudget));
    }
    (above > 0).then_some((above, TurnWhy::AboveMax))
}

/// Cordons nodes without work of which there are more than `target`.
pub(super) fn idle(round: &mut Round<'_>, stock: &Stock, (min, target, launched): (u32, u32, u32)) {
    let found = candidates(round, stock);
    let census = round.census;
    let have = census.have().saturating_add(launched);
    let hurry = hurry(round);
    let stable = stabilised(round, target);
    if found.is_empty() {
        let nominated = stock.taken.iter().filter(|taken| **taken).count() as u32;
        let none =
            if nominated > 0 { NotLess::Nominated { nodes: nominated } } else { NotLess::NoneIdle };
        round.not_less(none);
        return;
    }
    if let Some(why) = forbidden(round) {
        round.not_less(why);
        return;
    }
    let urgent = hurry.as_ref().map_or(0, |(count, _)| *count);
    let surplus = have.saturating_sub(stable).max(urgent).min(have.saturating_sub(min));
    if surplus == 0 {
        why_kept(round, (have, target), min);
    }
    let mut left = surplus.min(pace(round, surplus));
    for (at, node) in found.into_iter().enumerate() {
        if left == 0 {
            break;
        }
        let idle = age(round.now, node.since);
        let patience = patience(round, node);
        let (why, due) = match &hurry {
            Some((count, why)) if (at as u32) < *count => (why.clone(), true),
            Some(_) | None => (TurnWhy::Idle { idle }, idle >= patience),
        };
        if due {
            round.turn(node, TurnTo::Cordon, why);
            left -= 1;
        } else {
            let until = after(node.since, patience);
            round.not_less(NotLess::NotIdleEnough { nodes: left, until });
            round.wake(until);
            break;
        }
    }
}

/// Why nothing may go at all.
fn forbidden(round: &mut Round<'_>) -> Option<NotLess> {
    if round.pool.paused {
        return Some(NotLess::Paused);
    }
    if round.fleet.blind.is_some() {
        return Some(NotLess::Blind);
    }
    if !round.demand.is_known() {
        return Some(NotLess::NotKnown);
    }
    let zero = unconfirmed(round);
    if zero.is_some() {
        round.wake(after(round.now, LOOK));
    }
    zero
}

/// Why nodes without work stay although they are not wanted now.
fn why_kept(round: &mut Round<'_>, (have, target): (u32, u32), min: u32) {
    if have <= min {
        round.not_less(NotLess::Min { min });
    } else if have > target
        && let Some((at, _)) = round.memory.targets.first().copied()
    {
        let until = after(at, round.pool.stabilisation);
        round.not_less(NotLess::Stabilising { until });
        round.wake(until);
    } else {
        let nodes = round.decision.sums.head_room;
        round.not_less(NotLess::HeadRoom { nodes });
    }
}

/// The most that was wanted within the time of stabilisation.
fn stabilised(round: &mut Round<'_>, target: u32) -> u32 {
    let (now, span) = (round.now, round.pool.stabilisation);
    let targets = &mut round.memory.targets;
    // Kept falling: what is followed by as much or more never counts again.
    while targets.last().is_some_and(|(_, last)| *last <= target) {
        targets.pop();
    }
    targets.push((now, target));
    let over = targets.partition_point(|(at, _)| age(now, *at) > span && now > *at);
    // What was wanted until then is still wanted at the beginning of the span.
    targets.drain(..over.min(targets.len() - 1));
    targets.first().map_or(target, |(_, most)| *most)
}

/// How many more may begin to go in this minute: a share of those that serve or did. What comes
/// does not count, or each launch would let another node go.
fn pace(round: &mut Round<'_>, surplus: u32) -> u32 {
    let total = u64::from(round.census.serving.saturating_add(round.census.going));
    let most = total.saturating_mul(round.pool.max_down_percent.into()).div_ceil(100);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let downs = round.memory.downs.iter().fold(0_u32, |sum, (_, it)| sum.saturating_add(*it));
    let left = most.saturating_sub(downs);
    if left < surplus {
        let first = round.memory.downs.first().map_or(round.now, |(at, _)| *at);
        let until = after(first, Seconds(60));
        round.not_less(NotLess::Rate { until });
        round.wake(until);
    }
    left
}

/// How long a node stays without work: longer each time that it came back.
fn patience(round: &Round<'_>, node: &Node) -> Seconds {
    let returns = round.memory.returns.get(&node.id).map_or(0, |(times, _)| *times);
    if returns >= RETURNS {
        return Seconds::minutes(60);
    }
    Seconds(round.pool.idle_timeout.0.saturating_mul(1 << returns))
}
