//! The vocabulary of plans. It stands on this floor because the planner and the
//! autoscaler both write plans, and neither knows the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Care, KindName, Node, Offer, Spec, Tags};
use crate::model::{Address, CloudId, HostedZoneId, Link, TemplateId};

/// A step's place in its plan.
pub type StepId = usize;

/// What is to be done to one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where the object is, or was, declared.
    pub address: Address,
    /// What to do.
    pub action: Action,
    /// Why; for people only, apply never reads it.
    pub why: Why,
    /// Steps that must have succeeded before.
    pub needs: Vec<StepId>,
}

/// What to do. There is no Replace: a replacement is a Create now and a Delete at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make it.
    Create {
        /// What it shall be.
        spec: Spec,
        /// How often the address was replaced, from 1.
        generation: u32,
        /// The address by which its name was computed, when it succeeds one that has moved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<Address>,
    },
    /// Change it in place.
    Update {
        /// Which object.
        id: CloudId,
        /// What it is.
        was: Spec,
        /// What it shall be.
        spec: Spec,
        /// The fields that differ.
        fields: Vec<String>,
    },
    /// Delete it.
    Delete {
        /// Which object.
        id: CloudId,
        /// What it is.
        was: Spec,
        /// Whether contents go with it: the author has allowed that.
        empty_first: bool,
    },
    /// Start nodes on the first offer that has capacity.
    Launch {
        /// The number of this launch within its cluster.
        batch: u32,
        /// How many.
        count: u32,
        /// All of them on one offer, or none; otherwise an offer that has room for some starts
        /// those, and the next one the rest.
        #[serde(default = "gang")]
        gang: bool,
        /// What to start.
        template: Link<TemplateId>,
        /// Where, best first.
        offers: Vec<Offer>,
        /// Tags for people.
        tags: Tags,
        /// What is done about those that do not come up.
        #[serde(default)]
        care: Care,
    },
    /// Mark nodes that have failed, so that they are kept for a while and count no more.
    Quarantine {
        /// Which.
        nodes: Vec<CloudId>,
        /// What they are.
        was: Vec<Node>,
        /// How each of them has failed.
        reasons: Vec<String>,
        /// For how long they are kept.
        seconds: u32,
    },
    /// Terminate nodes.
    Terminate {
        /// Which.
        nodes: Vec<CloudId>,
        /// What they are.
        was: Vec<Node>,
        /// They finish their jobs before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        drain: bool,
        /// These nodes serve before: they take their place.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        once: Vec<CloudId>,
    },
    /// Let a name lead to nodes, once they say that they are healthy.
    Point {
        /// The hosted zone that it stands in.
        zone: Link<HostedZoneId>,
        /// The name.
        name: String,
        /// Seconds for which an answer may be kept.
        ttl: u32,
        /// Nodes that stand already, and must be healthy.
        nodes: Vec<CloudId>,
        /// The same of those that earlier steps launch here.
        launched: bool,
        /// Addresses of nodes that it still leads to until a later step.
        with: Vec<String>,
        /// What it leads to now.
        was: Vec<String>,
        /// Seconds that nodes may take to become healthy.
        patience: u32,
    },
    /// Give objects another address: their tags change, nothing else.
    Move {
        /// Their kind.
        kind: KindName,
        /// Which objects.
        ids: Vec<CloudId>,
        /// Where they were declared until now.
        from: Address,
        /// The tags that they get.
        tags: Tags,
    },
    /// Make an object that exists the stack's, by its tags.
    Adopt {
        /// Which object.
        id: CloudId,
        /// What it is.
        spec: Spec,
    },
    /// Make an object nobody's, by its tags; it stays as it is.
    Forget {
        /// Which object.
        id: CloudId,
        /// What it is.
        was: Spec,
    },
}

/// Launches had no choice once.
fn gang() -> bool {
    true
}

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Why {
    /// Declared, and not in the cloud.
    Missing,
    /// The cloud shows other values than the configuration.
    Changed,
    /// These fields cannot change in place, so a successor is made.
    Replaces {
        /// What it succeeds.
        ids: Vec<CloudId>,
        /// The fields that force it.
        fields: Vec<String>,
    },
    /// The cloud reports that the former one failed.
    Failed {
        /// In the cloud's words.
        text: String,
    },
    /// A successor stands at its address.
    Superseded,
    /// It is no longer declared.
    Removed,
    /// The whole stack goes.
    Destroyed,
    /// Too few nodes.
    Grow {
        /// How many there are.
        from: u32,
        /// How many there shall be.
        to: u32,
    },
    /// Too many nodes.
    Shrink {
        /// How many there are.
        from: u32,
        /// How many there shall be.
        to: u32,
    },
    /// These things about them are not the wanted ones.
    Outdated {
        /// Which.
        what: BTreeSet<Trait>,
    },
    /// They have failed.
    Unhealthy {
        /// How, each reason once.
        how: Vec<String>,
    },
    /// They had failed, and were kept for long enough.
    Kept,
    /// A `moved` block says so.
    Moved,
    /// The author wants it in the stack.
    Adopted,
    /// What was to be adopted, and might be replaced, is not there (any more).
    Vanished {
        /// Its id or name, as the author wrote it.
        id: String,
    },
    /// The author wants it out of the stack.
    Forgotten,
    /// A name leads to other nodes than it should.
    Led,
    /// A person asked for it by its address: a successor, or its end.
    Requested,
}

/// What nodes can have otherwise than it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// Their launch template.
    Template,
    /// Their instance type.
    InstanceType,
    /// Their subnet.
    Subnet,
    /// Their placement group.
    PlacementGroup,
    /// They say that they are unhealthy.
    Health,
    /// AWS retires the machine under them.
    Retirement,
    /// Spot takes them back.
    Interruption,
    /// Their Capacity Block ends.
    BlockEnd,
    /// The cloud's checks of them fail.
    Impaired,
}

impl Trait {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::InstanceType => "instance type",
            Self::Subnet => "subnet",
            Self::PlacementGroup => "placement group",
            Self::Health => "health",
            Self::Retirement => "AWS retires their machine",
            Self::Interruption => "spot takes them back",
            Self::BlockEnd => "their Capacity Block ends",
            Self::Impaired => "EC2's status checks fail",
        }
    }

    /// It says what is wrong by itself; the others name what is not as it is wanted.
    pub fn is_illness(self) -> bool {
        match self {
            Self::Template
            | Self::InstanceType
            | Self::Subnet
            | Self::PlacementGroup
            | Self::Health => false,
            Self::Retirement | Self::Interruption | Self::BlockEnd | Self::Impaired => true,
        }
    }
}

/// What a value of the configuration will be after apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputPlan {
    /// Plain JSON in which deferred texts stand as `{"$text": …}`.
    pub value: serde_json::Value,
    /// Never shown.
    pub sensitive: bool,
}

/// A plan: everything that apply will do, in an order in which it can be done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The serial of the ledger it was made against.
    pub base: u64,
    /// What to do; a step needs only steps before it.
    pub steps: Vec<Step>,
    /// How many objects are as declared.
    pub unchanged: usize,
    /// Outputs after apply.
    pub outputs: BTreeMap<String, OutputPlan>,
}

impl Plan {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Action {
    /// The word for it in records and JSON.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::Launch { .. } => "launch",
            Self::Quarantine { .. } => "quarantine",
            Self::Terminate { .. } => "terminate",
            Self::Point { .. } => "point",
            Self::Move { .. } => "move",
            Self::Adopt { .. } => "adopt",
            Self::Forget { .. } => "forget",
        }
    }

    /// The spec that a person thinks of: what it shall be, or what it was.
    pub fn spec(&self) -> Option<&Spec> {
        match self {
            Self::Create { spec, .. } | Self::Update { spec, .. } | Self::Adopt { spec, .. } => {
                Some(spec)
            }
            Self::Delete { was, .. } | Self::Forget { was, .. } => Some(was),
            Self::Launch { .. }
            | Self::Quarantine { .. }
            | Self::Terminate { .. }
            | Self::Point { .. }
            | Self::Move { .. } => None,
        }
    }
}
