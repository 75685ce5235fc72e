//! What the queues want: jobs with shapes, and how far what is known of them can be trusted.

use serde::{Deserialize, Serialize};

use super::id::{JobId, QueueId, Seconds};
use crate::model::Moment;

/// What a cluster's queues said when they were last asked. Only [`Demand::Known`] may make a
/// fleet smaller; what is stale may still make it larger; an error changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Demand {
    /// All of them answered just now.
    Known {
        /// What they said.
        work: Work,
        /// How old the oldest part of it is.
        age: Seconds,
    },
    /// At least one did not answer; this is what was last heard.
    Stale {
        /// What they said.
        work: Work,
        /// How old the oldest part of it is.
        age: Seconds,
        /// What failed, for people.
        why: String,
    },
    /// Nothing is known.
    Error {
        /// Since when, if it was ever known.
        age: Option<Seconds>,
        /// What failed, for people.
        why: String,
    },
}

impl Demand {
    /// Fresh and whole.
    pub fn known(work: Work) -> Self {
        Self::Known { work, age: Seconds(0) }
    }

    /// What is known, however old.
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Known { work, .. } | Self::Stale { work, .. } => Some(work),
            Self::Error { .. } => None,
        }
    }

    /// Whether nodes may go because of it.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known { .. })
    }
}

/// Jobs. What runs is kept apart from what waits, since it must never be counted as waiting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// What has not started. In any order.
    #[serde(default)]
    pub waiting: Vec<Job>,
    /// What has started and not ended, as far as the source says. It takes part in learning
    /// from arrivals, and in nothing else: which nodes are busy stands in the fleet.
    #[serde(default)]
    pub running: Vec<Job>,
    /// What arrived lately, whether it waits, runs or is done, where the source can tell. What
    /// the memory has learned from already is passed over, so a source may repeat itself.
    /// Oldest first. Sources whose jobs have times leave it empty: times of `waiting` and
    /// `running` say the same.
    #[serde(default)]
    pub arrived: Vec<Arrival>,
    /// Every source says what runs, too: where nothing is said of, nothing runs.
    #[serde(default)]
    pub tells_running: bool,
}

/// One job, or a number of them that differ in nothing that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its name; none where the queue tells only how many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// How many like it: the depth of a plain queue, or 1.
    #[serde(default = "one")]
    pub count: u32,
    /// What each needs.
    pub shape: Shape,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// It saves its state when told to: it may run where its node may be taken away.
    #[serde(default)]
    pub preemptible: bool,
    /// When it was handed in; of several the first; none where nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Moment>,
    /// Where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
}

fn one() -> u32 {
    1
}

impl Job {
    /// So many jobs of a shape without names: what a plain queue's depth means.
    pub fn depth(count: u32, shape: Shape) -> Self {
        let (id, submitted_at, queue) = (None, None, None);
        Self { id, count, shape, priority: 0, preemptible: false, submitted_at, queue }
    }
}

/// What a job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Accelerators on each of its nodes. 0 takes a whole node of whatever kind.
    pub gpus: u32,
    /// Nodes. 0 counts as 1.
    #[serde(default = "one")]
    pub nodes: u32,
    /// All of its nodes start it together, or none does. Without it a job of several nodes is
    /// as many jobs of one.
    #[serde(default)]
    pub gang: bool,
}

impl Shape {
    /// A job on one node.
    pub fn single(gpus: u32) -> Self {
        Self { gpus, nodes: 1, gang: false }
    }

    /// A job that starts on all of its nodes together.
    pub fn gang(gpus: u32, nodes: u32) -> Self {
        Self { gpus, nodes, gang: true }
    }

    /// Whether several nodes must start it together.
    pub fn is_gang(self) -> bool {
        self.gang && self.nodes > 1
    }
}

/// Jobs that arrived together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// When.
    pub at: Moment,
    /// What each needs.
    pub shape: Shape,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
}
