//! A decision as what hands can do: nodes to mark, and a plan of launches and ends. Pure.

use std::collections::BTreeMap;

use crate::apply::Mark;
use crate::fleet::{Decision, LaunchReason, Offer, OfferKey, Turn, TurnTo};
use crate::kinds::{Action, Plan, Step, Why};
use crate::model::{Address, CloudId, Link, TemplateId};
use crate::stack;

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

/// What a decision comes to for the nodes at an address.
pub fn orders(
    decision: &Decision,
    (address, wanted): (&Address, &stack::Fleet),
    (template, offers): (&CloudId, &[Offer]),
) -> Orders {
    let by_key: BTreeMap<&OfferKey, &Offer> = offers.iter().map(|it| (&it.key, it)).collect();
    let (marks, ends) = turns(&decision.turns);
    let step = |action, why| Step { address: address.clone(), action, why, needs: Vec::new() };
    let mut steps = Vec::new();
    let to = decision.sums.target;
    let from = decision.sums.serving + decision.sums.coming;
    if !ends.is_empty() {
        let action = Action::Terminate { nodes: ends, was: Vec::new(), drain: false };
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

/// What a launch is for, in words.
pub fn words(reason: &LaunchReason) -> String {
    match reason {
        LaunchReason::Gang { job, shape } => {
            let name = job.as_ref().map_or_else(String::new, |job| format!(" {job:?}"));
            format!("a job{name} of {} nodes", shape.nodes)
        }
        LaunchReason::Jobs { jobs: 1, gpus } => format!("1 job with {gpus} accelerators"),
        LaunchReason::Jobs { jobs, gpus } => format!("{jobs} jobs with {gpus} accelerators"),
        LaunchReason::HeadRoom => "whoever comes next".to_owned(),
        LaunchReason::Minimum => "the minimum".to_owned(),
        LaunchReason::Probe => "a probe: whether launches work again".to_owned(),
    }
}

/// What is done, a line each.
pub fn lines(orders: &Orders, decision: &Decision) -> Vec<String> {
    let nodes =
        |count: usize| if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
    let mut lines = Vec::new();
    for (mark, ids) in &orders.marks {
        let verb = match mark {
            Mark::Cordon => "takes out of service",
            Mark::Uncordon => "puts back into service",
            Mark::Drain => "drains",
        };
        lines.push(format!("{verb} {}", nodes(ids.len())));
    }
    for step in &orders.plan.steps {
        if let Action::Terminate { nodes: ids, .. } = &step.action {
            lines.push(format!("ends {}", nodes(ids.len())));
        }
    }
    for launch in &decision.launches {
        let count = usize::try_from(launch.count).unwrap_or(usize::MAX);
        lines.push(format!("launches {} for {}", nodes(count), words(&launch.reason)));
    }
    lines
}
