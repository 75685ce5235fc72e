//! What the service tells about itself: the same for `/status`, the page and the metrics.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::fleet::{Decision, Demand, State, Sums};
use crate::model::{Moment, Money};

use super::kept::Pause;
use super::tick::Look;

/// Samples that are kept: an hour of looks every ten seconds.
const SAMPLES: usize = 360;

/// What the service tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Of this shape.
    pub format_version: String,
    /// Of mlinfra.
    pub version: String,
    /// The stack.
    pub stack: String,
    /// The region.
    pub region: String,
    /// When the service began.
    pub started_at: Moment,
    /// When it last looked to the end.
    pub ticked_at: Option<Moment>,
    /// Seconds between two looks.
    pub every_s: u32,
    /// Whether it decides; another service does where it does not, and whether it is not known
    /// yet.
    pub leader: Option<bool>,
    /// Why it cannot look, or the configuration cannot be read again.
    pub problem: Option<String>,
    /// Clusters by name.
    pub clusters: BTreeMap<String, ClusterStatus>,
    /// Counts since the service began.
    pub counts: Counts,
}

/// What has been counted since the service began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Looks.
    pub ticks: u64,
    /// Looks that came to nothing.
    pub failed: u64,
}

/// One cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// When it was last looked at.
    pub at: Moment,
    /// Why nothing could be decided.
    pub blocked: Option<String>,
    /// Why nothing may be done.
    pub pause: Option<Pause>,
    /// Whether the demand is known: `known`, `stale` or `error`.
    pub demand: String,
    /// Seconds since the oldest part of it was told.
    pub demand_age_s: Option<u32>,
    /// What failed.
    pub demand_problem: Option<String>,
    /// The numbers.
    pub sums: Sums,
    /// Nodes by state.
    pub nodes: BTreeMap<String, u32>,
    /// The last decision.
    pub decision: Decision,
    /// The last ones that did something, oldest first.
    pub log: Vec<(Moment, Decision)>,
    /// Numbers over time, oldest first.
    pub samples: VecDeque<Sample>,
}

/// Numbers at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Moment,
    /// Jobs that wait.
    pub jobs: u32,
    /// Nodes that have jobs.
    pub busy: u32,
    /// Nodes that take jobs and have none.
    pub free: u32,
    /// Nodes on their way to take jobs.
    pub coming: u32,
    /// Nodes on their way out.
    pub going: u32,
    /// What all cost per hour.
    pub per_hour: Money,
}

impl ClusterStatus {
    /// Takes in what came of a look.
    pub fn looked(&mut self, look: &Look, demand: &Demand) {
        let Look { at, fleet, decision, orders: _, pause, outcome: _ } = look;
        (self.at, self.blocked, self.pause) = (*at, None, pause.clone());
        (self.demand, self.demand_age_s, self.demand_problem) = told(demand);
        self.nodes.clear();
        for node in &fleet.nodes {
            *self.nodes.entry(word(node.state).to_owned()).or_default() += 1;
        }
        let sums = decision.sums;
        self.sums = sums;
        let (busy, free) = (sums.busy, sums.serving.saturating_sub(sums.busy));
        let (coming, going, per_hour) = (sums.coming, sums.going, sums.per_hour);
        let jobs = sums.jobs_waiting;
        self.samples.push_back(Sample { at: *at, jobs, busy, free, coming, going, per_hour });
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
        if !decision.is_hold() {
            self.log.push((*at, decision.clone()));
            let over = self.log.len().saturating_sub(100);
            self.log.drain(..over);
        }
        self.decision = decision.clone();
    }
}

/// A state in one word.
pub fn word(state: State) -> &'static str {
    match state {
        State::Requested => "requested",
        State::Pending => "pending",
        State::Booting => "booting",
        State::Ready => "ready",
        State::Busy => "busy",
        State::Idle => "idle",
        State::Cordoned => "cordoned",
        State::Draining => "draining",
        State::Terminating => "terminating",
        State::Quarantined => "quarantined",
        State::Interrupting { deadline: _ } => "interrupting",
        State::Lost => "lost",
    }
}

fn told(demand: &Demand) -> (String, Option<u32>, Option<String>) {
    match demand {
        Demand::Known { work: _, age } => ("known".to_owned(), Some(age.0), None),
        Demand::Stale { work: _, age, why } => ("stale".to_owned(), Some(age.0), Some(why.clone())),
        Demand::Error { age, why } => ("error".to_owned(), age.map(|it| it.0), Some(why.clone())),
    }
}

/// Where the loop writes and the server reads.
#[derive(Debug, Default)]
pub struct Board(Mutex<Status>);

impl Board {
    /// A copy of what stands there.
    pub fn read(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it.
    pub fn write(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
