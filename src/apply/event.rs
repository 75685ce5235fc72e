//! What the executor tells while it works. Data only: `show/` turns it into lines.

use std::time::Duration;

use crate::cloud::Failure;
use crate::kinds::StepId;
use crate::model::{Address, CloudId};

/// Something that happened during apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An intent of an earlier run is being resolved.
    Recovering {
        /// Whose.
        address: Address,
        /// How: found by its tag, sent again, waited for.
        how: String,
    },
    /// An earlier run was cut off, and reads may still show what it has deleted.
    Settling {
        /// For how long that is waited out.
        wait: Duration,
    },
    /// A step has begun.
    Started {
        /// Which.
        step: StepId,
    },
    /// A step sends a call.
    Calling {
        /// Which.
        step: StepId,
        /// The call in a few words.
        what: String,
    },
    /// A step waits: to be ready, for something to let go, for throttling to pass.
    Waiting {
        /// Which.
        step: StepId,
        /// What it does meanwhile, in plain words: `waiting for … to become ready`.
        what: String,
    },
    /// A step has succeeded.
    Done {
        /// Which.
        step: StepId,
        /// What it made.
        ids: Vec<CloudId>,
        /// Since it began.
        took: Duration,
    },
    /// A step has failed for good.
    Failed {
        /// Which.
        step: StepId,
        /// How, and what it left.
        failure: Failure,
        /// Since it began.
        took: Duration,
    },
    /// A step was not begun, because one that it needs failed.
    Skipped {
        /// Which.
        step: StepId,
        /// The step that failed.
        because: StepId,
    },
    /// An interrupt: calls in flight are finished, nothing new is begun.
    Stopping,
}

/// Where events go. Called from the executor, never blocking for long.
pub type Listener<'a> = &'a (dyn Fn(Event) + Send + Sync);
