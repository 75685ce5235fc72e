//! What one command adds to the configuration by hand, and the part of the plan that it
//! carries out.

use crate::kinds::{Action, Plan, Step};
use crate::model::{Place, Problem};
use crate::stack::{Adoption, Desired};

use super::halt::Halt;

/// What a command wants beside the configuration.
#[derive(Clone, Debug)]
pub enum Hand {
    /// An object at a place of the configuration.
    Adopt(Place, Adoption),
    /// Nothing of what stands at a place.
    Forget(Place),
}

/// Reads an address as people write it.
pub fn place(text: &str) -> Result<Place, Halt> {
    text.parse::<Place>().map_err(|bad| {
        let help = "write it as in the configuration: bucket.data, 'bucket.data[\"eu\"]',\n\
                    network.main/vpc, module.base.bucket.data";
        Halt::one("F006", bad.to_string(), help)
    })
}

impl Hand {
    /// Adds it to what is wanted.
    pub fn alter(&self, desired: &mut Desired) -> Result<(), Vec<Problem>> {
        let wrong = |text, help| vec![Problem::error("S003", text).help(help)];
        match self {
            Self::Adopt(place, adoption) => desired
                .adopts(place, adoption.clone())
                .map_err(|(text, help): (String, String)| wrong(text, help)),
            Self::Forget(place) => {
                let mut declared = desired.specs.keys().chain(desired.fleets.keys());
                if declared.any(|address| place.holds(address)) {
                    let text = format!("{place} is still declared: it would be made again");
                    let help = "remove its block from the configuration first";
                    return Err(wrong(text, help.to_owned()));
                }
                desired.forget.push(place.clone());
                Ok(())
            }
        }
    }

    /// Whether a step is what the command is for.
    fn is_mine(&self, step: &Step) -> bool {
        match (self, &step.action) {
            (Self::Adopt(place, _), Action::Adopt { .. })
            | (Self::Forget(place), Action::Forget { .. }) => place.holds(&step.address),
            (Self::Adopt(..) | Self::Forget(_), _) => false,
        }
    }

    /// The part of a plan that the command carries out. None of these steps needs another.
    pub fn part(&self, plan: Plan) -> Plan {
        let mine = plan.steps.into_iter().filter(|step| self.is_mine(step));
        let steps = mine.map(|step| Step { needs: Vec::new(), ..step }).collect();
        Plan { steps, ..plan }
    }

    /// What apply would change of what was adopted.
    pub fn rest(&self, plan: &Plan) -> Plan {
        let Self::Adopt(place, _) = self else { return Plan::default() };
        let rest = plan.steps.iter().filter(|step| place.holds(&step.address));
        let rest = rest.filter(|step| !self.is_mine(step)).cloned();
        let steps = rest.map(|step| Step { needs: Vec::new(), ..step }).collect();
        Plan { steps, ..Plan::default() }
    }
}
