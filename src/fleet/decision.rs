//! What is to be done, and why: typed, so that every printer must know every reason.

use serde::{Deserialize, Serialize};

use super::demand::Shape;
use super::id::{JobId, NodeId, OfferKey, Seconds};
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
    /// The rest of its batch never came, and its gang cannot start without.
    Partial,
}

/// The numbers behind a decision, in nodes unless they say something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// That take jobs.
    pub serving: u32,
    /// That have jobs.
    pub busy: u32,
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

/// Why no more nodes are asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NotMore {
    /// All that is wanted is there or comes.
    Enough,
    /// There may be no more nodes.
    Max {
        /// The most.
        max: u32,
    },
    /// It would cost more per hour than the budget allows.
    HourlyBudget {
        /// The budget.
        budget: Money,
        /// What would be paid per hour.
        would_be: Money,
    },
    /// It would cost more this month than the budget allows.
    MonthlyBudget {
        /// The budget.
        budget: Money,
        /// What would have been paid after one more hour of everything.
        would_be: Money,
    },
    /// A budget must hold, and no offer has a price.
    NoPrice,
    /// As many were asked for in the last minute as may be.
    Rate {
        /// How many.
        per_minute: u32,
    },
    /// Too many launches failed one after the other.
    CircuitOpen {
        /// When one node is tried.
        probe_at: Moment,
    },
    /// Every offer was refused lately.
    NoOffer {
        /// When the first of them is tried again.
        retry_at: Option<Moment>,
    },
    /// No node of any offer is large enough.
    TooLarge {
        /// What is wanted.
        shape: Shape,
    },
    /// Nothing is known of the demand.
    NotKnown,
    /// Somebody said so.
    Paused,
    /// What would have been decided breaks a rule.
    Broken,
}

/// Why no more nodes go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NotLess {
    /// No node is without work.
    NoneIdle,
    /// They have been without work for too short a time.
    NotIdleEnough {
        /// How many.
        nodes: u32,
        /// When the first has.
        until: Moment,
    },
    /// Waiting jobs will have them.
    Nominated {
        /// How many.
        nodes: u32,
    },
    /// There may be no fewer nodes.
    Min {
        /// The fewest.
        min: u32,
    },
    /// They are kept for who comes next.
    HeadRoom {
        /// How many.
        nodes: u32,
    },
    /// More were wanted a moment ago.
    Stabilising {
        /// Until when.
        until: Moment,
    },
    /// As many have begun to go in the last minute as may.
    Rate {
        /// When the next may.
        until: Moment,
    },
    /// The demand is not known, or not all of it.
    NotKnown,
    /// The demand fell to nothing and has not been seen so often enough.
    ZeroNotConfirmed {
        /// In how many decisions.
        seen: u32,
        /// In how many it must.
        of: u32,
    },
    /// Not all nodes could be observed.
    Blind,
    /// Somebody said so.
    Paused,
    /// What would have been decided breaks a rule.
    Broken,
}

/// An offer and what is thought of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Considered {
    /// Which.
    pub offer: OfferKey,
    /// What an accelerator that is used costs per hour on it.
    pub per_gpu: Option<Money>,
    /// Why it is not tried; none when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// What speaks against an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "against", rename_all = "snake_case")]
pub enum Against {
    /// It was refused lately.
    Refused {
        /// When it is tried again.
        until: Moment,
    },
    /// A quota forbids it.
    Quota,
    /// Its nodes are too small for any job that waits.
    TooSmall,
    /// Its reservation has no room.
    Full,
}

/// What a person should know of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// A decision would have broken a rule and was not taken. It is a defect of ours.
    Invariant {
        /// Which rule.
        rule: Rule,
        /// How.
        what: String,
    },
    /// Launches fail one after the other.
    CircuitOpen {
        /// How many have.
        failures: u32,
    },
    /// The cloud refuses the request itself.
    Blocked {
        /// The cloud's words.
        why: String,
    },
    /// A quota is reached.
    Quota {
        /// On which offer.
        offer: OfferKey,
        /// The cloud's words.
        why: String,
    },
    /// A node was told to go and does not.
    Lingers {
        /// Which.
        node: NodeId,
    },
    /// Nothing is heard of a node that may still have jobs.
    Silent {
        /// Which.
        node: NodeId,
    },
    /// A number that nobody can mean was not believed.
    Absurd {
        /// Which.
        what: String,
    },
    /// The clock stands before what has been decided already.
    ClockWentBack,
    /// A budget is used up.
    BudgetReached,
    /// A schedule cannot be read.
    BadSchedule {
        /// Its line of cron.
        cron: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A rule that no decision may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Never more nodes than the most.
    Max,
    /// Never past a budget.
    Budget,
    /// No node with a job is ended.
    Busy,
    /// Nothing goes because of what is not known.
    Known,
    /// The nodes of a gang come together or not at all.
    Gang,
    /// No number of a batch is given twice.
    Slot,
    /// A node is told one thing at a time.
    Once,
    /// A node does not go back and forth without end.
    Reversal,
}
