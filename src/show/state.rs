//! How far the steps of a run are.

use std::time::Duration;

use super::advice::Failed;
use super::screen::Ink;
use super::words;
use crate::kinds::StepId;
use crate::model::CloudId;

/// How far a step is.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not begun.
    Open,
    /// Under way.
    Running {
        /// Since when, on the run's own clock.
        since: Duration,
        /// What it does or waits for.
        now: String,
        /// When a log last heard of it.
        heard: Duration,
        /// Its first call.
        first: Option<String>,
        /// It has gone on to another call.
        further: bool,
    },
    /// Succeeded.
    Done { ids: Vec<CloudId> },
    /// Failed for good.
    Failed(Failed),
    /// Not begun, because another failed.
    Skipped { because: StepId },
}

impl State {
    /// Whether it is under way.
    pub(super) fn is_running(&self) -> bool {
        match self {
            Self::Running { .. } => true,
            Self::Open | Self::Done { .. } | Self::Failed(_) | Self::Skipped { .. } => false,
        }
    }

    /// Begun, and doing this.
    pub(super) fn begun(since: Duration, doing: &str) -> Self {
        Self::Running { since, now: doing.to_owned(), heard: since, first: None, further: false }
    }
}

/// The sign of a step and its colour.
pub(super) fn ink(action: &crate::kinds::Action) -> (Ink, &'static str) {
    let mark = words::mark(action);
    let ink = match mark {
        "+" => Ink::Add,
        "~" | "->" | "in" => Ink::Change,
        "out" => Ink::Warn,
        _ => Ink::Remove,
    };
    (ink, mark)
}
