//! Subnet.

use serde::{Deserialize, Serialize};

use super::{Kind, Tags, Traits};
use crate::model::{Link, VpcId, Zone};

/// A subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The VPC it is cut from.
    pub vpc: Link<VpcId>,
    /// Its addresses; AWS keeps five of them.
    pub cidr: String,
    /// The zone it lies in.
    pub zone: Zone,
    /// Whether instances get a public address by themselves.
    pub public_ips: bool,
    /// Tags.
    pub tags: Tags,
}

impl Kind for Subnet {
    const TRAITS: Traits =
        Traits { title: "subnet", in_place: &["public_ips", "tags"], ..Traits::COMMON };

    fn born(&self) -> Self {
        Self { public_ips: false, ..self.clone() }
    }

    fn claim(&self) -> Option<String> {
        self.vpc.id().map(|vpc| format!("{} in {vpc}", self.cidr))
    }
}
