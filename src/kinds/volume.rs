//! EBS volume.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, Tags, Traits};
use crate::model::Zone;

/// A volume that outlives the nodes that attach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The zone that it stands in: only nodes there can attach it.
    pub zone: Zone,
    /// How large and how fast it is. One field, because AWS takes one modification at a time
    /// and four in a day: each of them must change all that is to change.
    pub provisioned: Provisioned,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// The KMS key that encrypts it, where the author chose one; kept as a tag, because AWS
    /// names its own key in the same place.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The snapshot that it was made from.
    pub snapshot: Option<String>,
    /// Whether its data forbids deleting it; kept as a tag.
    pub precious: bool,
    /// Tags.
    pub tags: Tags,
}

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provisioned {
    /// GiB.
    pub size: u32,
    /// `gp3` or `io2`.
    pub volume_type: String,
    /// Operations per second.
    pub iops: Option<u32>,
    /// MiB per second; on gp3 only.
    pub throughput: Option<u32>,
}

impl Kind for Volume {
    const TRAITS: Traits = Traits {
        title: "EBS volume",
        in_place: &["provisioned", "precious", "tags"],
        opaque: true,
        idempotence: Idempotence::Token,
        // A modification takes minutes before the new size can be used.
        ready_within: 1800,
        ..Traits::COMMON
    };

    fn is_precious(&self) -> bool {
        self.precious
    }

    fn cannot_become(&self, want: &Self) -> &'static [&'static str] {
        // Volumes grow and never shrink.
        if want.provisioned.size < self.provisioned.size { &["provisioned"] } else { &[] }
    }
}
