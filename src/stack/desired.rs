//! What the configuration wants, as plain data: the planner's first argument.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds::{Care, KindName, Node, Offer, OutputPlan, Spec, Tags};
use crate::model::{Address, Place, Problem, StackName};

use super::autoscale::settings::Autoscale;
use super::moved::Moves;

/// Everything that a stack wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Whose it is.
    pub stack: StackName,
    /// Objects by address.
    pub specs: BTreeMap<Address, Spec>,
    /// Fleets of nodes by address.
    pub fleets: BTreeMap<Address, Fleet>,
    /// What must stand before an object although no link says so.
    pub after: BTreeMap<Address, BTreeSet<Address>>,
    /// Outputs.
    pub outputs: BTreeMap<String, OutputPlan>,
    /// Names that the author chose and that no prefix of ours covers.
    pub names: BTreeSet<(KindName, String)>,
    /// What has another address now than its tags say.
    pub moves: Moves,
    /// Fields of objects whose differences are left alone.
    pub ignore: BTreeMap<Address, BTreeSet<String>>,
    /// Blocks whose objects are never deleted or replaced.
    pub precious: BTreeSet<Address>,
    /// Objects that exist and are to be the stack's.
    pub adopt: BTreeMap<Address, Adoption>,
    /// Places whose objects are no longer the stack's, and stay.
    pub forget: Vec<Place>,
    /// The whole stack goes: nothing is wanted, on purpose.
    pub destroy: bool,
}

/// An object that is to be the stack's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its id, name or ARN.
    pub id: String,
    /// A successor may take its place.
    pub replace: bool,
}

/// A number of like nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// How many; of a range the fewest.
    pub count: u32,
    /// The most that there may be. Where that is more, the autoscaler launches and ends them,
    /// and plans leave them alone.
    pub most: u32,
    /// All of them are launched or none.
    pub gang: bool,
    /// How many more than wanted may run while nodes are renewed.
    pub surge: u32,
    /// How many fewer than wanted may run while nodes are renewed.
    pub max_unavailable: u32,
    /// The address of their launch template.
    pub template: Address,
    /// Where they may run, best first.
    pub offers: Vec<Offer>,
    /// Where they may not run although it was considered.
    pub rejected: Vec<Rejected>,
    /// What its author may want to know of how they are got. For people alone.
    pub advice: Vec<Problem>,
    /// Instance types that its nodes may be; empty for any. Not the same as its offers: a type
    /// that nobody sells today is no reason to end the nodes that run on it.
    pub types: BTreeSet<String>,
    /// How it is resized. For the service alone: no plan looks at it.
    pub autoscale: Option<Autoscale>,
    /// The name that leads to them.
    pub published: Option<Published>,
    /// Tags for people.
    pub tags: Tags,
    /// What is done about nodes that fail.
    pub care: Care,
}

/// A name that leads to the nodes of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The hosted zone that it stands in.
    pub zone: Address,
    /// The name.
    pub name: String,
    /// Seconds for which an answer may be kept.
    pub ttl: u32,
    /// Seconds that a node may take from its launch until it is healthy.
    pub patience: u32,
}

/// What was considered and will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// An instance type, or one in a zone and a market.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Fleet {
    /// Its nodes are the autoscaler's.
    pub fn is_scaled(&self) -> bool {
        self.most > self.count
    }

    /// Its nodes work on jobs, which they finish before they end. Those that serve behind a
    /// name have none.
    pub fn has_jobs(&self) -> bool {
        self.published.is_none()
    }

    /// Whether a node is of a type that it may have. Where it stands and how it is paid are no
    /// reasons to end a running job: they count for the next launch.
    pub fn admits(&self, node: &Node) -> bool {
        self.types.is_empty() || self.types.contains(&node.instance_type)
    }
}

impl Desired {
    /// Nothing, on purpose.
    pub fn nothing(stack: StackName) -> Self {
        Self {
            stack,
            specs: BTreeMap::new(),
            fleets: BTreeMap::new(),
            after: BTreeMap::new(),
            outputs: BTreeMap::new(),
            names: BTreeSet::new(),
            moves: Moves::default(),
            ignore: BTreeMap::new(),
            precious: BTreeSet::new(),
            adopt: BTreeMap::new(),
            forget: Vec::new(),
            destroy: true,
        }
    }

    /// An empty stack, to add to.
    pub fn empty(stack: StackName) -> Self {
        Self { destroy: false, ..Self::nothing(stack) }
    }
}
