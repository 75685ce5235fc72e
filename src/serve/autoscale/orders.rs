//! A decision as what hands can do: nodes to mark, and a plan of launches and ends. Pure.

use std::collections::BTreeMap;

use crate::apply::Mark;
use crate::fleet::{Decision, Offer, OfferKey, Turn, TurnTo};
use crate::kinds::{Action, Plan, Step, Why};
use crate::model::{Address, CloudId, Link, TemplateId};
use crate::stack;

use super::care::Aside;
use super::view::CALLS_PER_BATCH;

/// What a decision comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orders {
    /// Nodes that get a mark, in order.
    pub marks: Vec<(Mark, Vec<CloudId>)>,
    /// Nodes that are ended, and nodes that are launched.
    pub plan: Plan,
}

impl Orders {
    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.plan.is_empty()
    }
}

/// What a decision comes to for the nodes at an address. Those that have failed are named in it
/// already.
pub fn orders(
    (decision, aside): (&Decision, &Aside),
    (address, wanted): (&Address, &stack::Fleet),
    (template, offers): (&CloudId, &[Offer]),
) -> Orders {
    let by_key: BTreeMap<&OfferKey, &Offer> = offers.iter().map(|it| (&it.key, it)).collect();
    let (marks, ends) = turns(&decision.turns);
    let step = |action, why| Step { address: address.clone(), action, why, needs: Vec::new() };
    let mut steps = Vec::new();
    let to = decision.sums.target;
    let from = decision.sums.serving + decision.sums.coming;
    if !aside.keep.is_empty() {
        let reasons: Vec<String> = aside.keep.values().cloned().collect();
        let mut how = reasons.clone();
        how.sort();
        how.dedup();
        // Without what they were: the failures of this fleet are counted by its decisions, which
        // go on trying one node at a time, and not by the ledger.
        let (nodes, was) = (aside.keep.keys().cloned().collect(), Vec::new());
        let action = Action::Quarantine { nodes, was, reasons, seconds: wanted.care.quarantine };
        steps.push(step(action, Why::Unhealthy { how }));
    }
    if !ends.is_empty() {
        let action =
            Action::Terminate { nodes: ends, was: Vec::new(), drain: false, once: Vec::new() };
        steps.push(step(action, Why::Shrink { from, to }));
    }
    for launch in &decision.launches {
        let offers = launch.offers.iter().filter_map(|key| by_key.get(key));
        let action = Action::Launch {
            batch: number(launch.batch),
            count: launch.count,
            gang: launch.whole,
            template: Link::Id(TemplateId::from(template.as_str())),
            offers: offers.map(|it| it.launch.clone()).collect(),
            tags: wanted.tags.clone(),
            care: wanted.care,
        };
        steps.push(step(action, Why::Grow { from, to }));
    }
    Orders { marks, plan: Plan { steps, ..Plan::default() } }
}

/// The first number of the calls of a batch.
fn number(batch: u64) -> u32 {
    u32::try_from(batch).unwrap_or(u32::MAX).saturating_mul(CALLS_PER_BATCH)
}

/// Marks like with like, and nodes to end.
fn turns(turns: &[Turn]) -> (Vec<(Mark, Vec<CloudId>)>, Vec<CloudId>) {
    let mut marks: BTreeMap<Mark, Vec<CloudId>> = BTreeMap::new();
    let mut ends = Vec::new();
    for Turn { node, to, why: _ } in turns {
        let id = CloudId::from(node.as_str());
        let mark = match to {
            // What is bad takes no jobs and stays: no more is asked of it.
            TurnTo::Cordon | TurnTo::Quarantine => Mark::Cordon,
            TurnTo::Uncordon => Mark::Uncordon,
            TurnTo::Drain => Mark::Drain,
            TurnTo::Terminate => {
                ends.push(id);
                continue;
            }
        };
        marks.entry(mark).or_default().push(id);
    }
    (marks.into_iter().collect(), ends)
}
