//! NAT gateway.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, KindName, Tags, Traits};
use crate::model::{AllocationId, Link, SubnetId};

/// A public NAT gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatGateway {
    /// The public subnet it stands in.
    pub subnet: Link<SubnetId>,
    /// The address that it sends from.
    pub address: Link<AllocationId>,
    /// Tags.
    pub tags: Tags,
}

impl Kind for NatGateway {
    const TRAITS: Traits = Traits {
        title: "NAT gateway",
        idempotence: Idempotence::Token,
        // Creating it needs the VPC's gateway attached; detaching that needs its address gone.
        follows: &[KindName::InternetGateway],
        ready_within: 900,
        ..Traits::COMMON
    };

    fn claim(&self) -> Option<String> {
        self.address.id().map(|address| format!("address {address}"))
    }
}
