//! VPC.

use serde::{Deserialize, Serialize};

use super::{Budget, Kind, Tags, Traits};

/// A VPC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// Its addresses.
    pub cidr: String,
    /// The resolver at the VPC's `.2` address.
    pub dns_support: bool,
    /// Names for instances; private DNS and EFS need it.
    pub dns_hostnames: bool,
    /// Tags.
    pub tags: Tags,
}

impl Kind for Vpc {
    const TRAITS: Traits = Traits {
        title: "VPC",
        in_place: &["dns_support", "dns_hostnames", "tags"],
        // DescribeVpcAttribute answers one attribute of one VPC per call.
        budget: Budget { list: 1, detail: 2 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { dns_support: true, dns_hostnames: false, ..self.clone() }
    }
}
