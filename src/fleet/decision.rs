//! What is to be done, and why: typed, so that every printer must know every reason.

use serde::{Deserialize, Serialize};

use super::demand::Shape;
use super::id::{JobId, NodeId, OfferKey, Seconds};
use super::why::{Alert, Considered, NotLess, NotMore};
use crate::model::{Moment, Money};

/// What came of looking once. Whoever executes it carries out `turns`, then `launches`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Batches of nodes to ask for.
    pub launches: Vec<Launch>,
    /// Nodes that turn to another state.
    pub turns: Vec<Turn>,
    /// What the numbers were.
    pub sums: Sums,
    /// What becomes of the jobs that wait, like with like, the first to be served first.
    pub waiting: Vec<Fate>,
    /// Why no more nodes are asked for than those.
    pub not_more: Vec<NotMore>,
    /// Why no more nodes go than those.
    pub not_less: Vec<NotLess>,
    /// Offers in the order in which they would be tried, with what speaks against them.
    pub considered: Vec<Considered>,
    /// What a person should know of.
    pub alerts: Vec<Alert>,
    /// When to look again at the latest, if nothing happens before.
    pub wake: Option<Moment>,
    /// What was heard of the demand.
    #[serde(default)]
    pub heard: Heard,
    /// Jobs that do not count now, for people: those that wait for something else than nodes.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// What was heard of the demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "heard", rename_all = "snake_case")]
pub enum Heard {
    /// All of it.
    #[default]
    All,
    /// Not all of it; what some said last still counts.
    Partly {
        /// Since when not all.
        since: Moment,
        /// What failed, for people.
        why: String,
    },
    /// Nothing that counts.
    Nothing {
        /// Since when.
        since: Moment,
        /// What failed, for people.
        why: String,
    },
}

impl Heard {
    /// Since when it is not all.
    pub fn since(&self) -> Option<Moment> {
        match self {
            Self::All => None,
            Self::Partly { since, .. } | Self::Nothing { since, .. } => Some(*since),
        }
    }
}

impl Decision {
    /// Nothing is to be done.
    pub fn is_hold(&self) -> bool {
        self.launches.is_empty() && self.turns.is_empty()
    }
}

/// Nodes to ask for, in one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// Its number. The record of a batch is created once only, so that whoever executes the
    /// same decision twice launches once.
    pub batch: u64,
    /// How many nodes.
    pub count: u32,
    /// All of them in one place, or none.
    pub whole: bool,
    /// Where, in the order in which it is tried.
    pub offers: Vec<OfferKey>,
    /// What for.
    pub reason: LaunchReason,
}

/// What nodes are launched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LaunchReason {
    /// One job of several nodes.
    Gang {
        /// Which, where it has a name.
        job: Option<JobId>,
        /// What it needs.
        shape: Shape,
        /// How many of its nodes are there or come already, at the place of the others.
        have: u32,
    },
    /// Jobs that fit on one node each.
    Jobs {
        /// How many of them.
        jobs: u32,
        /// The accelerators that they need in all.
        gpus: u64,
    },
    /// Whoever comes next, by what was learned of arrivals.
    HeadRoom,
    /// The fewest nodes that there must be.
    Minimum,
    /// One node, to see whether launches work again.
    Probe,
}

/// One node turns to another state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Which.
    pub node: NodeId,
    /// To what.
    pub to: TurnTo,
    /// Why.
    pub why: TurnWhy,
}

/// What a node is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnTo {
    /// Take no more jobs.
    Cordon,
    /// Take jobs again.
    Uncordon,
    /// Finish, or save and give back, what you have.
    Drain,
    /// Go. Said only to nodes without jobs.
    Terminate,
    /// Take no more jobs, and stay to be looked at.
    Quarantine,
}

/// Why a node turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum TurnWhy {
    /// It had no work for that long.
    Idle {
        /// How long.
        idle: Seconds,
    },
    /// It was cordoned, and no work came since.
    StillIdle,
    /// Work came while it was on its way out.
    WorkCame,
    /// There are more than the most that there may be.
    AboveMax,
    /// It costs more than the budget allows, and has no work.
    AboveBudget,
    /// It says that it has failed, or never came to serve.
    Unhealthy {
        /// How.
        how: String,
    },
    /// It has been in a state for too long.
    TimedOut {
        /// How long.
        after: Seconds,
    },
    /// The cloud takes it away then.
    Interrupted {
        /// When.
        deadline: Moment,
    },
    /// Nothing has been heard of it for that long.
    Lost {
        /// How long.
        silent: Seconds,
    },
    /// It was told to go and is still there.
    Lingers {
        /// How long.
        after: Seconds,
    },
}

/// The numbers behind a decision, in nodes unless they say something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// That take jobs.
    pub serving: u32,
    /// That have jobs.
    pub busy: u32,
    /// That may have jobs: no agent says so or otherwise.
    #[serde(default)]
    pub unheard: u32,
    /// On their way to take jobs.
    pub coming: u32,
    /// On their way out.
    pub going: u32,
    /// That waiting jobs need beyond what is free or comes.
    pub missing: u32,
    /// That are kept for who comes next.
    pub head_room: u32,
    /// Bounds as they are now.
    pub min: u32,
    /// Bounds as they are now.
    pub max: u32,
    /// That are wanted in all.
    pub target: u32,
    /// Jobs that wait.
    pub jobs_waiting: u32,
    /// Accelerators that they need.
    pub gpus_waiting: u64,
    /// Accelerators that no job has, on nodes that take jobs.
    pub gpus_free: u64,
    /// What all nodes cost per hour, as far as it is known.
    pub per_hour: Money,
    /// What was spent this month, as far as it is known.
    pub this_month: Money,
}

/// What becomes of jobs that wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fate {
    /// What each of them needs.
    pub shape: Shape,
    /// Their priority.
    pub priority: i32,
    /// The first of them, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<JobId>,
    /// How many there are.
    pub jobs: u32,
    /// How many have room on nodes that take jobs.
    pub on_free: u32,
    /// How many have room on nodes that are coming.
    pub on_coming: u32,
    /// How many have nodes launched for them now.
    pub launched: u32,
    /// Why the rest has nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<NotMore>,
}

impl Fate {
    /// Of no job yet.
    pub(super) fn none(shape: Shape, priority: i32, first: Option<JobId>) -> Self {
        let (jobs, on_free, on_coming, launched, held) = (0, 0, 0, 0, None);
        Self { shape, priority, first, jobs, on_free, on_coming, launched, held }
    }
}
