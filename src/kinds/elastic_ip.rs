//! Elastic IP address.

use serde::{Deserialize, Serialize};

use super::{Kind, KindName, Tags, Traits};

/// An Elastic IP address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticIp {
    /// Tags.
    pub tags: Tags,
}

impl Kind for ElasticIp {
    const TRAITS: Traits = Traits {
        title: "Elastic IP",
        // A gateway cannot be detached while the VPC maps a public address.
        follows: &[KindName::InternetGateway],
        ..Traits::COMMON
    };
}
