//! What the service tells about itself: the same for `/status`, the page and the metrics.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::demand::Answer;
use crate::fleet::{Decision, Demand, Pool, Sums};
use crate::model::{Moment, Money};
use crate::show::decision::{actions, explain};

use super::kept::{self, Pause};
use super::meters::Meters;
use super::tick::Look;

/// The format of [`Status`] as JSON. A minor step only adds keys.
pub const FORMAT: &str = "1.0";

/// Samples that are kept: an hour of looks every ten seconds.
const SAMPLES: usize = 360;
/// Decisions that did something, and are kept.
const LOG: usize = 100;

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
    /// The number of the lease by which it leads, where the store counts them.
    pub lease_epoch: Option<u64>,
    /// Why it cannot look.
    pub problem: Option<String>,
    /// Why the configuration as it is now cannot be used; the one before is in force.
    pub unread: Option<String>,
    /// Clusters by name.
    pub clusters: BTreeMap<String, ClusterStatus>,
    /// Counts since the service began.
    pub counts: Counts,
    /// Nodes with the stack's tags that no cluster of it declares. Told as a metric.
    #[serde(skip)]
    pub orphans: Option<u64>,
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
    /// What it says, for people; the first [`ClusterStatus::acts`] lines are what it does.
    pub words: Vec<String>,
    /// How many lines.
    pub acts: usize,
    /// The last ones that did something, oldest first.
    pub log: Vec<Taken>,
    /// Numbers over time, oldest first.
    pub samples: VecDeque<Sample>,
    /// Counts and measures. They are told as metrics.
    #[serde(skip)]
    pub meters: Meters,
}

/// A decision that did something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// When it was taken.
    pub at: Moment,
    /// It.
    pub decision: Decision,
    /// What it says, for people; the first [`Taken::acts`] lines are what it does.
    pub words: Vec<String>,
    /// How many lines.
    pub acts: usize,
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
    /// One of which nothing is known but what is written down.
    pub fn remembered(last: Option<(Moment, Decision)>, log: Vec<(Moment, Decision)>) -> Self {
        let taken = |(at, decision): (Moment, Decision)| {
            let (words, acts) = (explain(&decision), actions(&decision).len());
            Taken { at, decision, words, acts }
        };
        let log = log.into_iter().map(taken).collect();
        let Some(Taken { at, decision, words, acts }) = last.map(taken) else {
            return Self { log, ..Self::default() };
        };
        Self { at, sums: decision.sums, decision, words, acts, log, ..Self::default() }
    }

    /// A look came to nothing.
    pub fn blocked(&mut self, why: String) {
        self.meters.blocked += 1;
        self.blocked = Some(why);
    }

    /// Takes in what came of a look.
    pub fn looked(&mut self, look: &Look, answer: &Answer, pool: &Pool) {
        self.meters.looked(look, answer, pool);
        let Look { at, fleet, decision, orders: _, pause, outcome: _, took: _, signs: _ } = look;
        (self.at, self.blocked, self.pause) = (*at, None, pause.clone());
        (self.demand, self.demand_age_s, self.demand_problem) = told(&answer.demand);
        self.nodes.clear();
        for node in &fleet.nodes {
            *self.nodes.entry(node.state.word().to_owned()).or_default() += 1;
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
        (self.decision, self.words) = (kept::shown(decision), explain(decision));
        self.acts = actions(decision).len();
        if !decision.is_hold() {
            let (decision, words) = (self.decision.clone(), self.words.clone());
            self.log.push(Taken { at: *at, decision, words, acts: self.acts });
            let over = self.log.len().saturating_sub(LOG);
            self.log.drain(..over);
        }
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
#[derive(Debug)]
pub struct Board {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    status: Status,
    written: Option<Instant>,
    looked: Option<Instant>,
}

/// How long ago the loop gave signs of life, by a clock that nobody sets: that of a simulated
/// region jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Since the last look ended.
    pub since_look: Option<Duration>,
    /// Since anything was written.
    pub since_word: Option<Duration>,
    /// Since the service began.
    pub up: Duration,
}

impl Default for Board {
    fn default() -> Self {
        Self { began: now(), inner: Mutex::default() }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long ago something was, and nothing else")]
fn now() -> Instant {
    Instant::now()
}

impl Board {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what stands there.
    pub fn read(&self) -> Status {
        self.inner().status.clone()
    }

    /// Asks something of what stands there, without a copy of it.
    pub fn ask<T>(&self, question: impl FnOnce(&Status) -> T) -> T {
        question(&self.inner().status)
    }

    /// How long ago it was written.
    pub fn pulse(&self) -> Pulse {
        let (inner, now) = (self.inner(), now());
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        Pulse {
            since_look: since(inner.looked),
            since_word: since(inner.written),
            up: now.saturating_duration_since(self.began),
        }
    }

    /// Changes it.
    pub fn write(&self, change: impl FnOnce(&mut Status)) {
        let mut inner = self.inner();
        let before = inner.status.counts.ticks;
        change(&mut inner.status);
        inner.written = Some(now());
        if inner.status.counts.ticks != before {
            inner.looked = inner.written;
        }
    }
}
