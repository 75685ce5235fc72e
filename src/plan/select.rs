//! Parts of a plan: `--target`, `--replace`, `--refresh-only`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::cloud::Observed;
use crate::kinds::{Step, Why};
use crate::model::{Address, Place};
use crate::stack::Desired;

/// What is asked of a plan beside the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Only these, and what they need; everything when empty.
    pub targets: BTreeSet<Place>,
    /// These get a successor although they could stay.
    pub replace: BTreeSet<Address>,
    /// Nothing is done; only the outputs follow what the cloud shows.
    pub refresh_only: bool,
}

impl Selection {
    /// Everything, as it is declared.
    pub fn is_whole(&self) -> bool {
        self.targets.is_empty() && !self.refresh_only
    }

    /// The same once it was carried out: what was replaced stays.
    #[must_use]
    pub fn afterwards(&self) -> Self {
        Self { replace: BTreeSet::new(), ..self.clone() }
    }

    /// Refuses what names nothing, or too much.
    pub fn check(&self, desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
        if self.targets.is_empty() && self.replace.is_empty() {
            return Ok(());
        }
        let live: BTreeSet<&Address> =
            observed.live.values().map(|live| &live.owner.address).collect();
        let declared = desired.specs.keys().chain(desired.fleets.keys());
        let all: BTreeSet<&Address> = live.iter().copied().chain(declared).collect();
        for target in &self.targets {
            if !all.iter().any(|address| target.covers(address)) {
                return Err(absent(&target.to_string(), &all));
            }
        }
        for address in &self.replace {
            if live.contains(address) {
                continue;
            }
            let block = Place::from(address.clone());
            let parts: Vec<String> =
                live.iter().filter(|live| block.covers(live)).map(ToString::to_string).collect();
            let address = address.to_string();
            return Err(match parts.is_empty() {
                true => absent(&address, &live),
                false => Refusal::Several { address, parts },
            });
        }
        Ok(())
    }

    /// The steps that it wants, each with all that it needs. Steps need only steps before
    /// them, so one pass from the end finds all.
    pub(super) fn of(&self, steps: Vec<Step>) -> Vec<Step> {
        if self.refresh_only {
            return Vec::new();
        }
        if self.targets.is_empty() {
            return steps;
        }
        let mut wanted: Vec<bool> =
            steps.iter().map(|step| self.targets.iter().any(|t| t.covers(&step.address))).collect();
        for (at, step) in steps.iter().enumerate().rev() {
            if wanted[at] {
                step.needs.iter().for_each(|need| wanted[*need] = true);
            }
        }
        let mut place = vec![0; steps.len()];
        let mut out: Vec<Step> = Vec::new();
        for (at, mut step) in steps.into_iter().enumerate().filter(|(at, _)| wanted[*at]) {
            place[at] = out.len();
            step.needs.iter_mut().for_each(|need| *need = place[*need]);
            if step.why == Why::Destroyed {
                step.why = Why::Requested;
            }
            out.push(step);
        }
        out
    }
}

/// A few addresses that somebody may have meant.
fn absent(address: &str, all: &BTreeSet<&Address>) -> Refusal {
    let mut near: Vec<(f64, String)> = all
        .iter()
        .map(|known| known.to_string())
        .map(|known| (strsim::jaro_winkler(address, &known), known))
        .filter(|(like, _)| *like > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let like = near.into_iter().take(3).map(|(_, known)| known).collect();
    Refusal::Absent { address: address.to_owned(), like }
}
