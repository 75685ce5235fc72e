//! Floor 1: one file per kind of cloud object.
//!
//! A kind is a serde struct that serves both as what is wanted and as what is seen,
//! plus a few facts about it as constants: which fields change in place, which are
//! sets that change item by item, how a create call is made idempotent. The planner,
//! the executor, the simulated region and the printers know kinds only through this
//! table, so that a new kind costs one file here, one in `aws/` and one word below.

mod bucket;
mod bucket_object;
mod canonical;
mod care;
mod data_repository_association;
mod edit;
mod efs_file_system;
mod elastic_ip;
mod hosted_zone;
mod instance_profile;
mod internet_gateway;
mod launch_template;
mod lustre_file_system;
mod nat_gateway;
mod node;
mod placement_group;
mod queue;
mod role;
mod route_table;
mod security_group;
mod seek;
mod setback;
mod step;
mod subnet;
mod table;
mod volume;
mod vpc;
mod vpc_endpoint;
pub mod walk;

pub use bucket::{Bucket, Encryption, LifecycleRule};
pub use bucket_object::BucketObject;
pub use canonical::{canonical, canonical_json};
pub use care::{Care, Share};
pub use data_repository_association::{DataRepositoryAssociation, Events};
pub use edit::{Change, Edit, differing, dismantle, edits, keeping};
pub use efs_file_system::{EfsFileSystem, EfsThroughput, MountTarget};
pub use elastic_ip::ElasticIp;
pub use hosted_zone::{HostedZone, Record};
pub use instance_profile::InstanceProfile;
pub use internet_gateway::InternetGateway;
pub use launch_template::{Disk, LaunchTemplate, Metadata, packed, unpacked};
pub use lustre_file_system::LustreFileSystem;
pub use nat_gateway::NatGateway;
pub use node::{Interface, InterfaceKind, Market, Node, Offer};
pub use placement_group::PlacementGroup;
pub use queue::{DeadLetter, Queue};
pub use role::{InlinePolicy, Role};
pub use route_table::{Route, RouteTable, Target};
pub use security_group::{Peer, Rule, SecurityGroup};
pub use setback::Setback;
pub use step::{Action, OutputPlan, Plan, Step, StepId, Trait, Why};
pub use subnet::Subnet;
pub use table::{KindName, Spec};
pub use volume::{Provisioned, Volume};
pub use vpc::Vpc;
pub use vpc_endpoint::VpcEndpoint;

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{AccountId, CloudId, Region};

/// Tags that the author sees: keys that `model::tags::is_reserved` are never in it.
pub type Tags = BTreeMap<String, String>;

/// Where a stack lives; names and ARNs are computed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl Home {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        if self.region.as_str().starts_with("cn-") {
            "aws-cn"
        } else if self.region.as_str().starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// `arn:<partition>:<service>:<region>:<account>:<rest>`
    pub fn arn(&self, service: &str, rest: &str) -> String {
        let (partition, Self { account, region }) = (self.partition(), self);
        match service {
            "s3" => format!("arn:{partition}:s3:::{rest}"),
            "iam" => format!("arn:{partition}:iam::{account}:{rest}"),
            _ => format!("arn:{partition}:{service}:{region}:{account}:{rest}"),
        }
    }
}

/// How a create call whose answer was lost is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotence {
    /// The call takes our client token: replaying it is definitive.
    Token,
    /// The name is unique: a replay says that it exists, and its tags say whether it is ours.
    Name,
    /// Neither: only the intent tag finds it, after a quiet period.
    Tag,
}

/// A field whose items are added and removed one API call each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// The field.
    pub field: &'static str,
    /// The item's key where adding an item replaces the one with the same key.
    pub key: Option<&'static str>,
}

/// How many API calls a refresh may cost: a test holds the adapter to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// List calls per page, whatever the number of objects.
    pub list: u32,
    /// Detail reads per owned object.
    pub detail: u32,
}

/// Facts about one kind, as data, for rooms that know no kind by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What people call it: `NAT gateway`.
    pub title: &'static str,
    /// Fields that the cloud changes in place; any other change is a replacement.
    pub in_place: &'static [&'static str],
    /// Fields that are set in place while empty, and replaced once they hold something.
    pub attach: &'static [&'static str],
    /// Fields that change item by item.
    pub sets: &'static [Set],
    /// Fields whose links do not keep the other object from being deleted.
    pub soft: &'static [&'static str],
    /// Fields that are emptied before the object can be deleted.
    pub dismantle: &'static [&'static str],
    /// Whether it holds data cannot be seen: it is taken to, and that goes with it.
    pub opaque: bool,
    /// How a lost create is found again.
    pub idempotence: Idempotence,
    /// Kinds of the same block that come before it at birth and after it at death,
    /// although no link says so.
    pub follows: &'static [KindName],
    /// Seconds within which it is ready for use after its last call.
    pub ready_within: u32,
    /// What a refresh may cost.
    pub budget: Budget,
}

impl Traits {
    /// The commonest answers; a kind overrides what differs.
    pub const COMMON: Self = Self {
        title: "",
        in_place: &["tags"],
        attach: &[],
        sets: &[],
        soft: &[],
        dismantle: &[],
        opaque: false,
        idempotence: Idempotence::Tag,
        follows: &[],
        ready_within: 300,
        budget: Budget { list: 1, detail: 0 },
    };
}

/// What every kind says about itself.
pub trait Kind: Serialize + DeserializeOwned + Clone + PartialEq + Debug {
    /// The facts.
    const TRAITS: Traits;

    /// What it is right after the create call, before the edits that complete it.
    /// The executor sends the difference, so a crash in between is an ordinary update.
    #[must_use]
    fn born(&self) -> Self {
        self.clone()
    }

    /// The name that must be unique: a replacement gets its generation as suffix.
    fn name_mut(&mut self) -> Option<&mut String> {
        None
    }

    /// Its id when that follows from its name.
    fn computed_id(&self, _home: &Home) -> Option<CloudId> {
        None
    }

    /// Its data forbids deleting it, unless the author has said otherwise.
    fn is_precious(&self) -> bool {
        true
    }

    /// Fields that change in place, but not from this value to that one.
    fn cannot_become(&self, _want: &Self) -> &'static [&'static str] {
        &[]
    }

    /// What only one living object can hold (a CIDR within a VPC, an address): two
    /// specs with the same claim cannot coexist, so the old one is deleted first.
    fn claim(&self) -> Option<String> {
        None
    }
}
