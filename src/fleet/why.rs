//! Why no more is done than that, and what a person should know of: one variant for each
//! reason, so that every printer must know all of them.

use serde::{Deserialize, Serialize};

use super::demand::Shape;
use super::id::{NodeId, OfferKey, QueueId};
use crate::model::{Moment, Money};

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
        /// What is paid per hour before any more.
        would_be: Money,
    },
    /// All of the stack would cost more per hour than its budget allows.
    StackBudget {
        /// The stack's budget.
        budget: Money,
        /// What is paid per hour for all of it before any more.
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
    /// Not all nodes could be observed: there may be as many as may be.
    Blind,
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
    /// No agent says which of them have work.
    Unheard {
        /// How many.
        nodes: u32,
        /// Why some may.
        because: Unheard,
    },
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

/// Why nodes without an agent may have work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unheard {
    /// Jobs wait or run.
    Work,
    /// Not every source says what runs.
    NotTold,
    /// The demand is not known, or not all of it.
    NotKnown,
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
    /// The cloud's own checks of a node's machine fail.
    Impaired {
        /// Which.
        node: NodeId,
        /// The cloud's words.
        what: String,
    },
    /// A number that nobody can mean was not believed.
    Absurd {
        /// Which.
        what: String,
    },
    /// Jobs that no node of the cluster can ever run.
    Misfit {
        /// Who told of them.
        source: QueueId,
        /// Which, and why.
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
