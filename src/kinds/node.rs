//! A node: one instance of a cluster, and the offers it can be launched on.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, Traits};
use crate::model::{Link, SubnetId, TemplateId, Zone};

/// A node as wanted and as seen. Everything else about it stands in its template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The template it was launched from.
    pub template: Link<TemplateId>,
    /// Where it runs.
    pub subnet: Link<SubnetId>,
    /// The zone of that subnet.
    pub zone: Zone,
    /// Its instance type.
    pub instance_type: String,
}

/// Somewhere nodes can be had. A launch walks down an ordered list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The instance type.
    pub instance_type: String,
    /// The zone.
    pub zone: Zone,
    /// The subnet in that zone.
    pub subnet: Link<SubnetId>,
    /// How it is paid.
    pub market: Market,
}

/// How capacity is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// By the second, for as long as it runs.
    OnDemand,
}

impl Kind for Node {
    const TRAITS: Traits = Traits {
        title: "node",
        in_place: &[],
        // The template may go while nodes that came from it stay.
        soft: &["template"],
        idempotence: Idempotence::Token,
        ready_within: 900,
        ..Traits::COMMON
    };
}
