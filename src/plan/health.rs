//! Which nodes of a fleet count: who has failed is made up for, kept for a while to be looked
//! at, and ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Announced, Condition, Health, Live, Observed};
use crate::kinds::{Action, Care, Node, Plan, Spec, Trait, Why};
use crate::model::{Address, CloudId, Moment};

use crate::stack::{Desired, Fleet};

use super::Draft;
use super::ending::{Found, terminate};

/// Launch times are AWS's and the clock is ours: a node is silent only after twice its time.
const SLACK: u32 = 2;

/// The nodes of a fleet by what becomes of them.
#[derive(Default)]
pub(super) struct Sorted<'a> {
    /// They serve, or are about to.
    pub counted: Vec<Found<'a>>,
    /// They have failed, and were kept for long enough.
    over: Vec<Found<'a>>,
    /// They have failed just now, and how.
    failed: Vec<(Found<'a>, String)>,
    /// How many are kept already.
    kept: usize,
}

/// Sorts them. A node of which nothing is known is taken for good: nobody has said otherwise. Where
/// too many have failed at once, they count as before, whoever they are.
pub(super) fn sort<'a>(nodes: Vec<Found<'a>>, fleet: &Fleet, observed: &Observed) -> Sorted<'a> {
    let mut out = each(nodes, &fleet.care, observed);
    if out.failed.len() > most(fleet) {
        out.counted.extend(out.failed.drain(..).map(|(found, _)| found));
    }
    out
}

/// How many may have failed at once.
fn most(fleet: &Fleet) -> usize {
    usize::try_from(fleet.care.max_unhealthy.of(fleet.count)).unwrap_or(usize::MAX)
}

/// Nodes of a cluster that have failed, and are too many to be the machines' fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spared {
    /// The cluster.
    pub cluster: Address,
    /// They have failed, and how.
    pub failed: BTreeMap<CloudId, String>,
    /// How many might have.
    pub most: usize,
}

/// What a plan leaves as it is, because too much has failed at once.
pub fn spared(desired: &Desired, observed: &Observed, plan: &Plan) -> Vec<Spared> {
    let mut out = Vec::new();
    // Another template, or a smaller number, ends them all the same.
    let mut ended = BTreeSet::new();
    for step in &plan.steps {
        if let Action::Terminate { nodes, .. } = &step.action {
            ended.extend(nodes);
        }
    }
    for (address, fleet) in desired.fleets.iter().filter(|(_, fleet)| !fleet.is_scaled()) {
        let own = observed.live.iter().filter(|(_, live)| live.owner.address == *address);
        let nodes = own.filter_map(|(id, live)| match live.spec() {
            Some(Spec::Node(node)) if live.is_usable() => Some((id, live, node)),
            Some(_) | None => None,
        });
        let failed = each(nodes.collect(), &fleet.care, observed).failed;
        let most = most(fleet);
        if failed.len() <= most {
            continue;
        }
        let failed = failed.into_iter().filter(|((id, ..), _)| !ended.contains(id));
        let failed: BTreeMap<_, _> = failed.map(|((id, ..), how)| (id.clone(), how)).collect();
        if !failed.is_empty() {
            out.push(Spared { cluster: address.owner(), failed, most });
        }
    }
    out
}

fn each<'a>(nodes: Vec<Found<'a>>, care: &Care, observed: &Observed) -> Sorted<'a> {
    let mut out = Sorted::default();
    for found in nodes {
        let (id, live, _) = found;
        let condition = observed.conditions.get(id).filter(|_| care.boot > 0);
        let Some(condition) = condition else {
            out.counted.push(found);
            continue;
        };
        match (&condition.quarantine, failure(condition, live, care, observed.at)) {
            (Some(kept), _) if kept.until.is_some_and(|until| until <= observed.at) => {
                out.over.push(found);
            }
            (Some(_), _) => out.kept += 1,
            (None, Some(how)) => out.failed.push((found, how)),
            (None, None) => out.counted.push(found),
        }
    }
    out
}

/// How a node has failed, if it has.
fn failure(condition: &Condition, live: &Live, care: &Care, now: Moment) -> Option<String> {
    match condition.health(&live.phase) {
        Health::Serving | Health::Impaired(_) => None,
        Health::Failed(how) => Some(how),
        Health::Starting => {
            let age = now.since(condition.launched?);
            let late = age > i64::from(care.boot) * 1000 * i64::from(SLACK);
            let minutes = age / 60_000;
            late.then(|| format!("not ready for {minutes} minutes: {}", condition.last_word()))
        }
    }
}

/// What is wrong with a node that still serves.
pub(super) fn wrongs(
    condition: &Condition,
    live: &Live,
    now: Moment,
) -> impl Iterator<Item = Trait> + use<> {
    let impaired = matches!(condition.health(&live.phase), Health::Impaired(_));
    let announced = |is: fn(&Announced) -> bool| condition.announced.iter().any(is);
    let wrongs = [
        (Trait::Retirement, announced(|it| matches!(it, Announced::Retirement { .. }))),
        (Trait::Interruption, announced(|it| matches!(it, Announced::Interruption { .. }))),
        (Trait::BlockEnd, condition.block_closes(now).is_some()),
        (Trait::Impaired, impaired),
    ];
    wrongs.into_iter().filter_map(|(what, wrong)| wrong.then_some(what))
}

/// Nodes that are to serve and do not yet.
pub(super) fn starting(nodes: &[Found<'_>], fleet: &Fleet, observed: &Observed) -> Vec<CloudId> {
    if fleet.care.boot == 0 {
        return Vec::new();
    }
    let starts = |(id, live, _): &&Found<'_>| {
        let condition = observed.conditions.get(*id);
        condition.is_some_and(|it| it.health(&live.phase) == Health::Starting)
    };
    nodes.iter().filter(starts).map(|(id, ..)| (*id).clone()).collect()
}

impl<'a> Sorted<'a> {
    /// Marks those that have failed, as many as are kept, before anything else is done; gives
    /// back those that end at once.
    pub(super) fn mark(
        &mut self,
        draft: &mut Draft<'a>,
        (address, care): (&Address, &Care),
    ) -> Vec<(Found<'a>, String)> {
        let most = usize::try_from(care.keep).unwrap_or(usize::MAX);
        let room = if care.quarantine == 0 { 0 } else { most.saturating_sub(self.kept) };
        let mut failed = std::mem::take(&mut self.failed);
        failed.sort_by_key(|((id, ..), _)| *id);
        let rest = failed.split_off(room.min(failed.len()));
        if !failed.is_empty() {
            let action = Action::Quarantine {
                nodes: failed.iter().map(|((id, ..), _)| (*id).clone()).collect(),
                was: failed.iter().map(|((.., node), _)| Node::clone(node)).collect(),
                reasons: failed.iter().map(|(_, how)| how.clone()).collect(),
                seconds: care.quarantine,
            };
            draft.nodes.extend(failed.iter().map(|((id, ..), _)| (*id).clone()));
            draft.steps.push((address.clone(), action, Why::Unhealthy { how: hows(&failed) }));
        }
        rest
    }

    /// Ends those that are not kept, and those that were kept for long enough. A job that still
    /// runs there ends first, and nothing else waits for it: this comes last.
    pub(super) fn end(
        self,
        draft: &mut Draft<'a>,
        address: &Address,
        failed: &[(Found<'a>, String)],
    ) {
        let nodes: Vec<_> = failed.iter().map(|(found, _)| *found).collect();
        terminate(draft, (address, true), (&nodes, &[]), &Why::Unhealthy { how: hows(failed) });
        terminate(draft, (address, true), (&self.over, &[]), &Why::Kept);
    }
}

/// Each reason once.
fn hows(failed: &[(Found<'_>, String)]) -> Vec<String> {
    let mut out: Vec<String> = failed.iter().map(|(_, how)| how.clone()).collect();
    out.sort();
    out.dedup();
    out
}
