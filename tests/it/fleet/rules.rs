//! The rules of a fleet once more, by other means than the code that is tested: what a decision
//! would do to the fleet as it was seen.

use mlinfra::fleet::{
    Decision, Demand, Fleet, LaunchReason, Node, Offer, Pool, State, TurnTo, TurnWhy,
};
use mlinfra::model::{Moment, Money};

use super::world::defect;

/// Holds a decision to the rules.
pub fn judge(
    (pool, offers): (&Pool, &[Offer]),
    (fleet, demand, now): (&Fleet, &Demand, Moment),
    decision: &Decision,
) -> Result<(), String> {
    if let Some(alert) = defect(decision) {
        return Err(format!("a rule had to stop it: {alert:?}"));
    }
    let more: u32 = decision.launches.iter().map(|launch| launch.count).sum();
    if more > 0 && fleet.nodes.len() as u32 + more > pool.max {
        return Err(format!("{more} nodes beside {} of {}", fleet.nodes.len(), pool.max));
    }
    if let Some(budget) = pool.hourly_budget.filter(|_| more > 0) {
        let dearest = |keys: &[mlinfra::fleet::OfferKey]| -> Option<Money> {
            let offers = offers.iter().filter(|offer| keys.contains(&offer.key));
            offers.map(|offer| offer.launch.price).max()?
        };
        let mut rate: Money = fleet.nodes.iter().filter_map(|node| node.price).sum();
        for launch in &decision.launches {
            rate = rate + dearest(&launch.offers).ok_or("no price")? * launch.count;
        }
        if rate > budget {
            return Err(format!("{rate} an hour of {budget}"));
        }
    }
    for launch in &decision.launches {
        if let LaunchReason::Gang { shape, have, .. } = launch.reason
            && (!launch.whole || launch.count + have != shape.nodes)
        {
            return Err(format!("a gang was split: {launch:?}"));
        }
    }
    taken_back(pool, (fleet, now), decision)?;
    for turn in &decision.turns {
        let node = fleet.nodes.iter().find(|node| node.id == turn.node).ok_or("no such node")?;
        if turn.to == TurnTo::Terminate && node.is_busy() {
            return Err(format!("{} is busy and would be ended", turn.node));
        }
        let unwanted = matches!(
            turn.why,
            TurnWhy::Idle { .. } | TurnWhy::StillIdle | TurnWhy::AboveMax | TurnWhy::AboveBudget
        );
        if unwanted && (!demand.is_known() || fleet.blind.is_some()) {
            return Err(format!("{turn:?} without knowing"));
        }
    }
    Ok(())
}

/// Nothing is launched beside a node that was cordoned for want of work and would do: it comes
/// back first, unless nothing was heard of it for long. Where gangs wait, one may be kept for a gang that has not enough of them yet.
fn taken_back(
    pool: &Pool,
    (fleet, now): (&Fleet, Moment),
    decision: &Decision,
) -> Result<(), String> {
    if decision.launches.is_empty() || decision.waiting.iter().any(|fate| fate.shape.gang) {
        return Ok(());
    }
    let back = |node: &Node| {
        let turns = decision.turns.iter().filter(|turn| turn.to == TurnTo::Uncordon);
        turns.map(|turn| &turn.node).any(|id| *id == node.id)
    };
    let stays = |node: &&Node| {
        let quiet = node.heard_at.map_or(0, |heard| now.since(heard) / 1000);
        let heard = quiet < i64::from(pool.limits.suspect.0);
        node.state == State::Cordoned && node.own_mark && heard && !node.is_busy() && !back(node)
    };
    let left: Vec<&Node> = fleet.nodes.iter().filter(stays).collect();
    let spare = decision
        .launches
        .iter()
        .any(|launch| matches!(launch.reason, LaunchReason::HeadRoom | LaunchReason::Minimum));
    let least = decision
        .waiting
        .iter()
        .filter(|fate| fate.launched > 0)
        .map(|fate| if fate.shape.gpus == 0 { pool.gpus.max(1) } else { fate.shape.gpus });
    let least = least.min().unwrap_or(if spare { 0 } else { u32::MAX });
    match left.iter().find(|node| node.slots() >= least) {
        Some(node) => Err(format!("{:?} beside {}", decision.launches, node.id)),
        None => Ok(()),
    }
}
