//! What is remembered from one decision to the next. It is stored by compare-and-swap; losing
//! it costs what was learned and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::demand::Shape;
use super::headroom::HeadRoom;
use super::id::{JobId, NodeId, OfferKey};
use crate::model::{Moment, Money};

/// Everything that is remembered. The default is that of a fleet that nobody has looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// When the last decision was taken.
    pub decided_at: Option<Moment>,
    /// The number of the next batch.
    pub next_batch: u64,
    /// Batches that were decided on and may not show in the fleet yet, and those that are for a
    /// gang that still waits, by number.
    pub batches: BTreeMap<u64, Batch>,
    /// Which gang a node is kept for. A gang without a name goes by its shape and a number.
    pub nominations: BTreeMap<NodeId, JobId>,
    /// Nodes that were cordoned because they had no work.
    pub cordons: BTreeMap<NodeId, Moment>,
    /// Nodes that were cordoned and came back: how often lately, and when last.
    pub returns: BTreeMap<NodeId, (u32, Moment)>,
    /// When a node was last told to end or to drain, so that it is told again only after a while.
    pub told: BTreeMap<NodeId, Moment>,
    /// Offers that were refused.
    pub refused: BTreeMap<OfferKey, Refusal>,
    /// Launches that failed one after the other.
    pub circuit: Circuit,
    /// The last attempt that was learned from.
    pub last_attempt: u64,
    /// What was wanted lately, for stabilisation; falling, the oldest first.
    pub targets: Vec<(Moment, u32)>,
    /// When how many nodes were asked for lately.
    pub ups: Vec<(Moment, u32)>,
    /// When how many nodes began to go lately.
    pub downs: Vec<(Moment, u32)>,
    /// In how many decisions in a row nothing was wanted.
    pub zeros: u32,
    /// What this month has cost.
    pub spent: Spent,
    /// What was learned of those who come.
    pub head_room: HeadRoom,
    /// Up to when those who came are counted.
    pub counted: Option<Moment>,
    /// Since when there has been work, or none, for the sake of nodes without an agent.
    pub lull: Lull,
}

/// What is remembered for the sake of nodes of which nobody says whether they work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lull {
    /// Since when nothing waits or runs, by every look since.
    pub quiet: Option<Moment>,
    /// Since when something waits, by every look since.
    pub waits: Option<Moment>,
}

/// A batch that was decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// When.
    pub at: Moment,
    /// How many nodes.
    pub count: u32,
    /// The gang that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gang: Option<(JobId, Shape)>,
}

fn long_ago() -> Moment {
    Moment(0)
}

/// An offer that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// When it was tried last.
    #[serde(default = "long_ago")]
    pub at: Moment,
    /// When it may be tried again.
    pub until: Moment,
    /// How often in a row it was refused.
    pub times: u32,
    /// It is a quota that forbids it.
    #[serde(default)]
    pub quota: bool,
}

/// Whether launches work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circuit {
    /// How many nodes in a row never took a job.
    pub failures: u32,
    /// When the last of them was asked for: one that was asked for later and takes jobs shows
    /// that launches work again.
    pub failed_launch: Option<Moment>,
    /// Nodes that were counted and have not gone yet.
    pub counted: BTreeSet<NodeId>,
    /// Since when no launches are made but probes.
    pub open_since: Option<Moment>,
    /// When one node was last tried.
    pub probed_at: Option<Moment>,
}

/// What a calendar month has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// The month, as months since the year 0, in UTC.
    pub month: i32,
    /// Until when it is counted.
    pub until: Option<Moment>,
    /// How much.
    pub sum: Money,
}
