//! What `mlinfra doctor` asks about the caller and the account, beside what everybody asks.

use std::collections::BTreeMap;

use crate::kinds::Market;
use crate::model::Moment;

/// Whether the caller may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Somebody who knows has said so.
    Allowed,
    /// The same.
    Denied,
    /// Nobody who knows could be asked, for this reason.
    Unknown(String),
}

/// What the caller may do, by the name of the action.
pub type Permissions = BTreeMap<String, Permission>;

/// Nodes by type and market.
pub type Running = BTreeMap<(String, Market), u32>;

/// What a quota counts, beside vCPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Elastic IP addresses.
    Addresses,
    /// VPCs.
    Vpcs,
    /// GiB of EBS volumes of a type, root disks of machines included.
    Disks(String),
    /// GiB of Lustre file systems of a deployment.
    Lustre(String),
    /// EFS file systems.
    FileSystems,
    /// IAM roles, of the whole account.
    Roles,
    /// IAM instance profiles, of the whole account.
    Profiles,
}

/// What is known of the credentials and of the cloud's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The cloud's clock, as its last answer said.
    pub clock: Option<Moment>,
    /// When the credentials end; none for those that last, and where that is not known.
    pub ends: Option<Moment>,
}
