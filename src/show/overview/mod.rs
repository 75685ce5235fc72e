//! A stack as it is now, at a glance: what `status` prints once and `top` draws again and again.

mod draw;
mod grid;
mod json;
#[cfg(test)]
mod overview_test;
mod text;
mod words;

pub use draw::{Key, Tab, Ui, draw};
pub use json::json;
pub use text::text;

use std::collections::BTreeMap;

use crate::model::{Moment, Money};

/// A stack as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The stack.
    pub stack: String,
    /// Its region.
    pub region: String,
    /// Its account.
    pub account: String,
    /// The region is a simulated one.
    pub simulated: bool,
    /// When it was looked at.
    pub at: Moment,
    /// What is wrong, the worst first.
    pub problems: Vec<Trouble>,
    /// Clusters and services, by name.
    pub clusters: Vec<Cluster>,
    /// Nodes, by cluster.
    pub nodes: Vec<Node>,
    /// What it costs; none where that cannot be told.
    pub spend: Option<Spend>,
    /// What a plan would do now.
    pub pending: Pending,
    /// How often it was applied, and how that went last.
    pub last: Option<Last>,
    /// What happened last, the newest first.
    pub events: Vec<Happened>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// It keeps the stack from its work; otherwise somebody should look at it.
    pub grave: bool,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub help: String,
}

/// A cluster, or a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Its name, such as `cluster.train`.
    pub name: String,
    /// The fewest nodes that it is to have.
    pub least: u32,
    /// The most.
    pub most: u32,
    /// Nodes by state.
    pub states: BTreeMap<String, u32>,
    /// What its nodes cost per hour, as far as that is known.
    pub per_hour: Money,
    /// Nodes whose price is not known.
    pub unpriced: u32,
    /// What the autoscaler knows; none for a cluster that is not resized.
    pub scaled: Option<Scaled>,
}

/// What the autoscaler knows of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaled {
    /// When it last decided; never where nobody has looked yet.
    pub at: Option<Moment>,
    /// Jobs that wait.
    pub jobs_waiting: u32,
    /// Accelerators that they need.
    pub gpus_waiting: u64,
    /// Nodes that are wanted in all.
    pub target: u32,
    /// Who has paused it and why.
    pub pause: Option<String>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its cluster.
    pub cluster: String,
    /// Its state, in a word.
    pub state: String,
    /// Its instance type.
    pub instance_type: String,
    /// Its zone.
    pub zone: String,
    /// Spot, on demand, reserved.
    pub market: String,
    /// When it was launched.
    pub launched: Option<Moment>,
    /// What it costs per hour, where that is known.
    pub per_hour: Option<Money>,
    /// What it works on.
    pub job: Option<String>,
    /// Why it is in its state.
    pub reason: Option<String>,
}

/// What the stack costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spend {
    /// Per hour.
    pub per_hour: Money,
    /// In a month of 730 h.
    pub per_month: Money,
    /// Per hour with every cluster at its most nodes.
    pub ceiling: Money,
    /// Things without a known price.
    pub unpriced: u32,
    /// What it may cost per hour.
    pub budget_per_hour: Option<Money>,
    /// What it may cost in a month.
    pub budget_per_month: Option<Money>,
    /// By block, the dearest first: per hour, and in a month.
    pub blocks: Vec<(String, Money, Money)>,
}

/// What a plan would do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pending {
    /// No plan can be made; a problem says why.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// This, as a plan sums it up.
    Changes(String),
    /// The same, although this very configuration was applied: others have changed something.
    Differs(String),
}

/// The last apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Last {
    /// Its number.
    pub number: u64,
    /// The command.
    pub verb: String,
    /// How it ended.
    pub outcome: String,
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Who ran it.
    pub who: String,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Moment,
    /// To what: a cluster, or the stack.
    pub of: String,
    /// What.
    pub text: String,
}
