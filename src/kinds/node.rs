//! A node: one instance of a cluster, and the offers it can be launched on.

use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, Setback, Traits};
use crate::model::{GroupName, Link, Moment, Money, ReservationId, SubnetId, TemplateId, Zone};

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
    /// How it is paid.
    #[serde(default)]
    pub market: Market,
    /// The placement group that it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Link<GroupName>>,
    /// The reservation that pays for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
}

impl Node {
    /// What it was launched on, as [`Offer::key`] writes it.
    pub fn key(&self) -> String {
        key(&self.instance_type, &self.zone, self.market, self.reservation.as_ref())
    }
}

fn key(instance: &str, zone: &Zone, market: Market, reserved: Option<&ReservationId>) -> String {
    let reserved: String = reserved.iter().map(|id| format!("/{id}")).collect();
    format!("{instance}/{zone}/{}{reserved}", market.word())
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
    /// The reservation that pays for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// The placement group that it is launched into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Link<GroupName>>,
    /// Network interfaces by card; empty for the one that every instance has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// What a node costs per hour, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// The most that a node on spot may cost per hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Money>,
    /// How many nodes the reservation has room for; none where nobody can know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<u32>,
    /// When its Capacity Block ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Moment>,
    /// Spot took nodes back here of late: it stands behind others for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setback: Option<Setback>,
}

impl Offer {
    /// On demand, with the one interface that every instance has.
    pub fn plain(instance_type: &str, zone: Zone, subnet: Link<SubnetId>) -> Self {
        Self {
            instance_type: instance_type.to_owned(),
            zone,
            subnet,
            market: Market::OnDemand,
            reservation: None,
            placement: None,
            interfaces: Vec::new(),
            price: None,
            max_price: None,
            free: None,
            ends: None,
            setback: None,
        }
    }

    /// Whether it is the same capacity, whatever it costs, has room for, lasts and went through
    /// by now.
    pub fn is_as(&self, other: &Self) -> bool {
        let Self { price, free, ends, setback, .. } = *self;
        *self == Self { price, free, ends, setback, ..other.clone() }
    }

    /// What is asked for when nodes are launched on it, as one word: a refusal is remembered
    /// by it.
    pub fn key(&self) -> String {
        key(&self.instance_type, &self.zone, self.market, self.reservation.as_ref())
    }

    /// The same for people: `p5.48xlarge in us-east-1a, spot`.
    pub fn words(&self) -> String {
        let how = match &self.reservation {
            Some(id) => format!("{} {id}", self.market.word()),
            None => self.market.word().to_owned(),
        };
        format!("{} in {}, {how}", self.instance_type, self.zone)
    }
}

/// How capacity is paid.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// By the second, for as long as it runs.
    #[default]
    OnDemand,
    /// By the second, cheaper, until AWS wants it back.
    Spot,
    /// In an on-demand capacity reservation, which is paid whether it is used or not.
    Reserved,
    /// In a Capacity Block, which was paid in advance and ends at a fixed time.
    CapacityBlock,
}

impl Market {
    /// The market of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::OnDemand, Self::Spot, Self::Reserved, Self::CapacityBlock]
            .into_iter()
            .find(|market| market.word() == word)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
            Self::CapacityBlock => "capacity-block",
        }
    }
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// The network card.
    pub card: i32,
    /// The device number on the card.
    pub device: i32,
    /// What it carries.
    pub kind: InterfaceKind,
}

/// What a network interface carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InterfaceKind {
    /// IP only.
    #[serde(rename = "interface")]
    Ip,
    /// IP and EFA.
    #[serde(rename = "efa")]
    Efa,
    /// EFA without an IP address.
    #[serde(rename = "efa-only")]
    EfaOnly,
}

impl Kind for Node {
    const TRAITS: Traits = Traits {
        title: "node",
        in_place: &[],
        // The template may go while nodes that came from it stay.
        soft: &["template"],
        idempotence: Idempotence::Token,
        ready_within: 900,
        // The instances, what EC2 says of them, and the requests of those on spot.
        budget: Budget { list: 3, detail: 0 },
        ..Traits::COMMON
    };
}
