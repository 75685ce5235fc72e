//! Route table, with its routes and associations: those carry no tags, so they are
//! fields of the table.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, Set, Tags, Traits};
use crate::model::{GatewayId, Link, NatId, SubnetId, VpcId};

/// A route table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// The VPC it belongs to.
    pub vpc: Link<VpcId>,
    /// Routes that somebody created (not the local one, not those of endpoints).
    pub routes: Vec<Route>,
    /// The subnets that use it.
    pub subnets: Vec<Link<SubnetId>>,
    /// Tags.
    pub tags: Tags,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Where packets want to go.
    pub destination: String,
    /// Where they are sent.
    pub target: Target,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An internet gateway.
    Gateway(Link<GatewayId>),
    /// A NAT gateway.
    Nat(Link<NatId>),
    /// Nothing that still exists: AWS reports `blackhole`.
    Blackhole(String),
    /// Something that mlinfra does not make; seen, never wanted.
    Other(String),
}

impl Kind for RouteTable {
    const TRAITS: Traits = Traits {
        title: "route table",
        in_place: &["routes", "subnets", "tags"],
        sets: &[
            Set { field: "routes", key: Some("destination") },
            Set { field: "subnets", key: None },
        ],
        soft: &["routes", "subnets"],
        dismantle: &["subnets"],
        idempotence: Idempotence::Token,
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { routes: Vec::new(), subnets: Vec::new(), ..self.clone() }
    }
}

impl RouteTable {
    /// Sorted: AWS returns routes and associations in no order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.routes.sort();
        self.subnets.sort();
        self
    }
}
