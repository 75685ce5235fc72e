//! One apply, as the ledger and its record of the history hold it.

use serde::{Deserialize, Serialize};

use super::Who;
use crate::model::{Address, CloudId, Moment};

/// One apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Apply {
    /// Its number, from 1.
    #[serde(default)]
    pub number: u64,
    /// When it began.
    pub began: Moment,
    /// When it ended; none while it runs, or when it died.
    pub ended: Option<Moment>,
    /// Who ran it.
    pub who: Who,
    /// How many steps its plan had.
    pub steps: usize,
    /// What was done.
    pub done: Vec<Done>,
    /// How it ended.
    pub outcome: String,
    /// The serial of the state that it began from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// The checksum of its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The checksum of its configuration, when that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The parts of the stack that it was for; none for the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl Apply {
    /// One that begins.
    pub(super) fn begun(number: u64, began: Moment, who: &Who, steps: usize) -> Self {
        Self {
            number,
            began,
            ended: None,
            who: who.clone(),
            steps,
            done: Vec::new(),
            outcome: String::new(),
            serial: None,
            plan: None,
            config: None,
            targets: Vec::new(),
        }
    }
}

/// A step that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "AnyDone")]
pub struct Done {
    /// When it ended.
    pub at: Option<Moment>,
    /// Where.
    pub address: Address,
    /// `create`, `update`, `delete`, …
    pub verb: String,
    /// The objects it concerned.
    pub ids: Vec<CloudId>,
    /// How it failed, if it did.
    pub failure: Option<String>,
    /// Milliseconds since it began.
    pub took: Option<u64>,
}

/// As it is written now, and as it was at first.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyDone {
    First((Address, String, Option<String>)),
    Now {
        at: Option<Moment>,
        address: Address,
        verb: String,
        ids: Vec<CloudId>,
        failure: Option<String>,
        took: Option<u64>,
    },
}

impl From<AnyDone> for Done {
    fn from(any: AnyDone) -> Self {
        match any {
            AnyDone::First((address, verb, failure)) => {
                Self { at: None, address, verb, ids: Vec::new(), failure, took: None }
            }
            AnyDone::Now { at, address, verb, ids, failure, took } => {
                Self { at, address, verb, ids, failure, took }
            }
        }
    }
}
