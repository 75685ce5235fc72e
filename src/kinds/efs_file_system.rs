//! EFS file system with its mount targets: those carry no tags, so they are a field of it.

use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, Set, Tags, Traits};
use crate::model::{Link, SecurityGroupId, SubnetId};

/// An EFS file system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfsFileSystem {
    /// How fast it is: one call sets both.
    pub throughput: EfsThroughput,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// The KMS key that encrypts it, where the author chose one; kept as a tag, because AWS
    /// names its own key in the same place.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// After so many days without use a file moves to the storage class for infrequent access.
    #[serde(default)]
    pub infrequent_after: Option<u32>,
    /// AWS Backup copies it every day.
    #[serde(default)]
    pub backup: bool,
    /// Where it can be mounted: at most one in a zone.
    pub targets: Vec<MountTarget>,
    /// Whether its data forbids deleting it; kept as a tag.
    pub precious: bool,
    /// Tags.
    pub tags: Tags,
}

/// How fast a file system is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfsThroughput {
    /// `elastic`, `bursting` or `provisioned`.
    pub mode: String,
    /// MiB per second, when provisioned.
    pub provisioned: Option<u32>,
}

/// The address of a file system in a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountTarget {
    /// Where it stands.
    pub subnet: Link<SubnetId>,
    /// Its firewall.
    pub groups: Vec<Link<SecurityGroupId>>,
}

impl Kind for EfsFileSystem {
    const TRAITS: Traits = Traits {
        title: "EFS file system",
        in_place: &["throughput", "infrequent_after", "backup", "targets", "precious", "tags"],
        sets: &[Set { field: "targets", key: Some("subnet") }],
        dismantle: &["targets"],
        opaque: true,
        // The creation token: a replay is refused with the id of what it made.
        idempotence: Idempotence::Token,
        ready_within: 600,
        // The network interfaces of all targets come in one more list; of each its targets, its
        // lifecycle and its backup policy.
        budget: Budget { list: 2, detail: 3 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { targets: Vec::new(), infrequent_after: None, ..self.clone() }
    }

    fn is_precious(&self) -> bool {
        self.precious
    }
}

impl EfsFileSystem {
    /// Sorted: AWS returns targets in no order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for target in &mut self.targets {
            target.groups.sort();
        }
        self.targets.sort();
        self
    }
}
