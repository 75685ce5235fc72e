//! The rules of a fleet once more, by other means than the code that is tested: what a decision
//! would do to the fleet as it was seen.

use mlinfra::fleet::{Decision, Demand, Fleet, LaunchReason, Offer, Pool, TurnTo, TurnWhy};
use mlinfra::model::Money;

use super::world::defect;

/// Holds a decision to the rules.
pub fn judge(
    (pool, offers): (&Pool, &[Offer]),
    (fleet, demand): (&Fleet, &Demand),
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
