//! The fleet as it was just observed: nodes with their states, and what came of launches.

use serde::{Deserialize, Serialize};

use super::id::{JobId, NodeId, OfferKey};
use crate::kinds::{self, Market};
use crate::model::{Moment, Money, Zone};

/// Everything that is known of a cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Its nodes, those that were asked for and have no instance yet included; without those
    /// that are gone.
    pub nodes: Vec<Node>,
    /// What came of single launch calls, in the order of their numbers. What the memory knows
    /// already is passed over, so the last hundred may stand here every time.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// The highest number of a batch whose record exists. Numbers are given once: a memory that
    /// was lost goes on behind it.
    #[serde(default)]
    pub last_batch: u64,
    /// Part of it could not be observed, and why. Then nothing goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<String>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Which.
    pub id: NodeId,
    /// What it is doing.
    pub state: State,
    /// Since when.
    pub since: Moment,
    /// The batch that it was launched in.
    pub batch: u64,
    /// What it was launched on.
    pub offer: OfferKey,
    /// Where it stands.
    pub zone: Zone,
    /// How it is paid.
    #[serde(default)]
    pub market: Market,
    /// What it costs per hour, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// When it was asked for.
    pub launched_at: Moment,
    /// Its accelerators; 0 for a node that takes one job of whatever kind.
    pub gpus: u32,
    /// How many of them no job has.
    pub free: u32,
    /// The jobs on it, where the engine names them. It is busy by its state and by `free`, not
    /// by this.
    #[serde(default)]
    pub jobs: Vec<JobId>,
    /// When it was last heard of, where its agent or engine reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Moment>,
    /// Its cordon, or its order to drain, was set by a decision and not by a person: its tag says
    /// so. Others are left alone.
    #[serde(default)]
    pub own_mark: bool,
    /// It is not as the configuration wants nodes by now. It goes before its equals.
    #[serde(default)]
    pub outdated: bool,
    /// Nobody says whether it has a job: no agent speaks for it.
    #[serde(default)]
    pub unheard: bool,
}

/// What a node is doing. The edges:
///
/// ```text
/// Requested → Pending → Booting → Ready ⇄ Busy ⇄ Idle → Cordoned → Draining → Terminating → gone
///                                          ↑               │
///                                          └── uncordoned ─┘ when work arrives
/// any of them → Quarantined, Interrupting, Lost → Terminating
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for; the cloud has named no instance yet.
    Requested,
    /// The cloud has named it; it does not run.
    Pending,
    /// It runs and is being set up or checked.
    Booting,
    /// It takes jobs and has had none yet.
    Ready,
    /// It has jobs.
    Busy,
    /// It has none left.
    Idle,
    /// It takes no more jobs; it has none, or keeps those that it has.
    Cordoned,
    /// Its jobs have been told to end, or it waits for their end.
    Draining,
    /// It was told to go.
    Terminating,
    /// It was found bad: it takes no jobs, and is kept for somebody to look at.
    Quarantined,
    /// The cloud takes it away then.
    Interrupting {
        /// When it is gone.
        deadline: Moment,
    },
    /// Nothing is heard of it. Its jobs may still run.
    Lost,
}

impl State {
    /// It in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Booting => "booting",
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Idle => "idle",
            Self::Cordoned => "cordoned",
            Self::Draining => "draining",
            Self::Terminating => "terminating",
            Self::Quarantined => "quarantined",
            Self::Interrupting { deadline: _ } => "interrupting",
            Self::Lost => "lost",
        }
    }

    /// It takes jobs, or has them and will take more.
    pub fn is_serving(self) -> bool {
        matches!(self, Self::Ready | Self::Busy | Self::Idle)
    }

    /// It is on its way to take jobs.
    pub fn is_coming(self) -> bool {
        matches!(self, Self::Requested | Self::Pending | Self::Booting)
    }
}

impl Node {
    /// How many jobs of one accelerator it takes: a node without any takes one job.
    pub fn slots(&self) -> u32 {
        self.gpus.max(1)
    }

    /// How many of them no job has, by its state and by what the engine says.
    pub fn free_slots(&self) -> u32 {
        let free = if self.gpus == 0 { u32::from(self.state != State::Busy) } else { self.free };
        free.min(self.slots())
    }

    /// Whether a job is on it, by any sign. What has one is never ended.
    pub fn is_busy(&self) -> bool {
        self.state == State::Busy
            || !self.jobs.is_empty()
            || (self.gpus > 0 && self.free < self.gpus && !self.state.is_coming())
    }

    /// Whether a job may be on it: by a sign, or since nobody would give one. Such a node is
    /// never ended. What has failed, or does not serve yet, has none.
    pub fn may_work(&self) -> bool {
        let served = !self.state.is_coming() && self.state != State::Quarantined;
        self.is_busy() || (self.unheard && served)
    }
}

/// What came of one launch call: one offer of one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Rising, without a number twice.
    pub number: u64,
    /// The batch that it is of.
    pub batch: u64,
    /// What was asked for.
    pub offer: OfferKey,
    /// When it ended.
    pub at: Moment,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a launch call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// So many instances.
    Started {
        /// How many.
        count: u32,
    },
    /// Nodes that had started and came to nothing before they took a job.
    Failed {
        /// How many.
        count: u32,
    },
    /// The cloud has none there now.
    NoCapacity,
    /// A quota forbids it: nothing is tried on this offer until somebody has it raised.
    Quota {
        /// The cloud's words.
        why: String,
    },
    /// The request itself is refused, so every other would be.
    Blocked {
        /// The cloud's words.
        why: String,
    },
}

/// Somewhere nodes can be had: type × zone × market × reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Its name, [`kinds::Offer::key`] of `launch`.
    pub key: OfferKey,
    /// Accelerators of a node.
    pub gpus: u32,
    /// The offer itself, with its price.
    pub launch: kinds::Offer,
}

impl Offer {
    /// An offer whose nodes have so many accelerators.
    pub fn new(launch: kinds::Offer, gpus: u32) -> Self {
        Self { key: launch.key().into(), gpus, launch }
    }
}
