//! FSx for Lustre file system.

use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, Tags, Traits};
use crate::model::{Link, SecurityGroupId, SubnetId};

/// A Lustre file system on SSD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LustreFileSystem {
    /// The one subnet that it stands in.
    pub subnet: Link<SubnetId>,
    /// Its firewall. AWS never returns it: it is read off its network interfaces.
    pub groups: Vec<Link<SecurityGroupId>>,
    /// `SCRATCH_2`, `PERSISTENT_1` or `PERSISTENT_2`.
    pub deployment: String,
    /// The version of Lustre; associations with buckets want 2.12 or later.
    pub version: String,
    /// GiB.
    pub size: u32,
    /// MB per second and TiB, of persistent ones.
    pub throughput: Option<u32>,
    /// `LZ4` or `NONE`.
    pub compression: String,
    /// The KMS key that encrypts it, where the author chose one; kept as a tag, because AWS
    /// names its own key in the same place.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// Whether its data forbids deleting it; kept as a tag.
    pub precious: bool,
    /// Tags.
    pub tags: Tags,
}

impl Kind for LustreFileSystem {
    const TRAITS: Traits = Traits {
        title: "Lustre file system",
        in_place: &["size", "throughput", "compression", "precious", "tags"],
        opaque: true,
        idempotence: Idempotence::Token,
        ready_within: 3600,
        // The network interfaces of all of them come in one more list.
        budget: Budget { list: 2, detail: 0 },
        ..Traits::COMMON
    };

    fn is_precious(&self) -> bool {
        self.precious
    }

    fn cannot_become(&self, want: &Self) -> &'static [&'static str] {
        // File systems grow and never shrink.
        if want.size < self.size { &["size"] } else { &[] }
    }
}
