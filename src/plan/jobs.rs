//! Jobs that a plan would end: those that nobody tells of, and those that are not waited for.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Condition, Health, Observed};
use crate::kinds::{Action, Plan};
use crate::model::{Address, Block, CloudId};

/// What a plan does to the jobs of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Nodes that can serve, and end without anybody knowing whether they work.
    pub unheard: BTreeSet<CloudId>,
    /// Nodes that say that they work, and end at once; with the job that they name.
    pub cut: BTreeMap<CloudId, Option<String>>,
}

/// The clusters of whose jobs there is something to tell. Machines of a service have none.
pub fn jobs(plan: &Plan, observed: &Observed) -> BTreeMap<Address, Jobs> {
    let mut out: BTreeMap<Address, Jobs> = BTreeMap::new();
    for step in &plan.steps {
        let Action::Terminate { nodes, drain, .. } = &step.action else { continue };
        if step.address.block != Block::Cluster {
            continue;
        }
        let of = out.entry(step.address.owner()).or_default();
        for id in nodes {
            let condition = observed.conditions.get(id);
            match condition {
                Some(it) if it.is_busy() && *drain => {}
                Some(it) if it.is_busy() => drop(of.cut.insert(id.clone(), it.job.clone())),
                Some(it) if it.tells_of_jobs() || !serves(it, id, observed) => {}
                Some(_) | None => drop(of.unheard.insert(id.clone())),
            }
        }
    }
    out.retain(|_, jobs| *jobs != Jobs::default());
    out
}

/// One that never came up, or has failed, was given no job.
fn serves(condition: &Condition, id: &CloudId, observed: &Observed) -> bool {
    let health = observed.live.get(id).map(|live| condition.health(&live.phase));
    match health {
        Some(Health::Serving | Health::Impaired(_)) => condition.quarantine.is_none(),
        Some(Health::Starting | Health::Failed(_)) | None => false,
    }
}
