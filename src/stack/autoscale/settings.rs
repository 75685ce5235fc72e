//! What a cluster is resized by, as it was written: data alone, which every part of the stack may
//! hold.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::model::Money;

/// What decides how many nodes a cluster has, between its fewest and its most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Autoscale {
    /// Where it is told how much work there is. At least one.
    pub sources: Vec<Source>,
    /// Seconds for which a node stays without work before it goes.
    pub idle_timeout: u32,
    /// How much of a hundred it is worth that nobody waits: 0 is the cheapest.
    pub latency_target: u8,
    /// Nodes that stand ready in any case.
    pub spare: u32,
    /// Seconds for which the fleet keeps what was wanted before it becomes smaller.
    pub stabilisation: u32,
    /// The most nodes that may be asked for in a minute.
    pub max_up: u32,
    /// The most nodes that may begin to go in a minute, in percent of those that serve.
    pub max_down: u32,
    /// How often in a row nothing must be wanted before that is believed.
    pub zero_confirm: u32,
    /// Seconds for which a node without work takes no more jobs before it goes.
    pub cordon_time: u32,
    /// Seconds that a node takes to its first job, until that has been seen.
    pub boot: u32,
    /// Bounds that change with the time of day.
    pub schedules: Vec<Schedule>,
    /// The most that its nodes may cost in an hour.
    pub per_hour: Option<Money>,
    /// The most that its nodes may cost in a calendar month.
    pub per_month: Option<Money>,
}

/// A source of demand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// What it is: the label of its block.
    pub kind: &'static str,
    /// What it is called; no two of one cluster are called the same.
    pub name: String,
    /// What one job needs, where it does not say.
    pub job: Job,
    /// Seconds within which it must answer.
    pub timeout: u32,
    /// More jobs than this are not believed.
    pub most: u32,
    /// It says what runs, too: where it says nothing, nothing runs.
    pub tells_running: bool,
    /// What its own table holds, as far as it is written. Times are seconds; a queue is its
    /// URL and name.
    pub settings: Map<String, Json>,
}

/// What one job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Accelerators on each of its nodes; 0 takes a whole node.
    pub gpus: u32,
    /// How many nodes.
    pub nodes: u32,
    /// All of them start it together.
    pub gang: bool,
    /// Higher goes first.
    pub priority: i32,
    /// It may run where its node may be taken away.
    pub preemptible: bool,
}

impl Default for Job {
    /// A whole node, which is never too little.
    fn default() -> Self {
        Self { gpus: 0, nodes: 1, gang: false, priority: 0, preemptible: false }
    }
}

/// Bounds from a point in time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// When, in the five fields of cron.
    pub cron: String,
    /// Whose clock.
    pub timezone: String,
    /// For how many seconds; none for until another begins.
    pub lasts: Option<u32>,
    /// The fewest nodes then.
    pub min: Option<u32>,
    /// The most nodes then.
    pub max: Option<u32>,
}
