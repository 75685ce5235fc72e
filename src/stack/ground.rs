//! Where a cluster stands: in a network of the stack, or in subnets that exist already.

use std::collections::BTreeMap;

use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, SubnetId, VpcId, Zone};

use super::expansion::Expansion;
use super::network;

/// Where a cluster stands.
pub(super) enum Ground {
    /// A network of the stack.
    Network(Address),
    /// Subnets of somebody else, one per zone.
    Subnets(VpcId, BTreeMap<Zone, SubnetId>),
}

impl Ground {
    /// Reads it off the block; none when it is wrong or not known.
    pub(super) fn of(x: &mut Expansion<'_>, block: &Evaluated) -> Option<Self> {
        let help = "write network = network.<name>, or subnets = lookup.subnets.<name>";
        match (block.attr("network"), block.attr("subnets")) {
            (Some(network), None) => network.address().cloned().map(Self::Network),
            (None, Some(subnets)) if subnets.holds_unknown() => None,
            (None, Some(subnets)) => {
                let vpc = subnets.get("vpc").and_then(Value::as_str)?;
                let zones = subnets.get("zones").and_then(Value::as_map).into_iter().flatten();
                let zone = |(zone, id): (&String, &Value)| {
                    Some((Zone(zone.clone()), SubnetId::from(id.as_str()?)))
                };
                Some(Self::Subnets(VpcId::from(vpc), zones.filter_map(zone).collect()))
            }
            (None, None) => {
                let text = format!("a {} stands in a network or in subnets", block.word);
                x.problem(block, text, help);
                None
            }
            (Some(_), Some(_)) => {
                let text =
                    format!("a {} stands in a network or in subnets, not in both", block.word);
                x.problem(block, text, help);
                None
            }
        }
    }

    /// Its VPC.
    pub(super) fn vpc(&self) -> Link<VpcId> {
        match self {
            Self::Network(network) => Link::To(network.with_part("vpc")),
            Self::Subnets(vpc, _) => Link::Id(vpc.clone()),
        }
    }

    /// Its zones.
    pub(super) fn zones(&self, x: &Expansion<'_>) -> Vec<Zone> {
        match self {
            Self::Network(network) => x.networks.get(network).cloned().unwrap_or_default(),
            Self::Subnets(_, zones) => zones.keys().cloned().collect(),
        }
    }

    /// The subnet in a zone.
    pub(super) fn subnet(&self, zone: &Zone) -> Option<Link<SubnetId>> {
        match self {
            Self::Network(network) => {
                Some(Link::To(network::private_subnet(network, zone.letter()?)))
            }
            Self::Subnets(_, zones) => zones.get(zone).cloned().map(Link::Id),
        }
    }
}
