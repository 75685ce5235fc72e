//! Gateway endpoint of a VPC.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, Set, Tags, Traits};
use crate::model::{Link, RouteTableId, VpcId};

/// A gateway endpoint: traffic to S3 that costs nothing and leaves the NAT gateway alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpoint {
    /// The VPC it belongs to.
    pub vpc: Link<VpcId>,
    /// `com.amazonaws.<region>.s3`
    pub service: String,
    /// The tables that get a route to it.
    pub route_tables: Vec<Link<RouteTableId>>,
    /// Tags.
    pub tags: Tags,
}

impl Kind for VpcEndpoint {
    const TRAITS: Traits = Traits {
        title: "VPC endpoint",
        in_place: &["route_tables", "tags"],
        sets: &[Set { field: "route_tables", key: None }],
        soft: &["route_tables"],
        idempotence: Idempotence::Token,
        ..Traits::COMMON
    };

    fn claim(&self) -> Option<String> {
        // A table has one route to a service.
        self.vpc.id().map(|vpc| format!("{} in {vpc}", self.service))
    }
}
