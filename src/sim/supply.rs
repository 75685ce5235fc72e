//! What capacity the simulated region has to give: reservations, prices on spot, quotas in
//! vCPUs, nodes that end as they start, and the account's budget of launches.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::cloud::SpotPrice;
use crate::kinds::{Market, Node, Tags};
use crate::model::{Moment, Money, Region as RegionName, Zone};

/// In which way a node never comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unfit {
    /// Its boot check fails.
    Check,
    /// It says nothing, and its status checks never end.
    Silent,
}

/// Knobs of supply. The defaults hinder nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Supply {
    /// Capacity that is kept for the account, by id.
    pub reservations: BTreeMap<String, Kept>,
    /// Prices on spot: `type` (in each zone) or `type@zone`.
    pub spot: BTreeMap<String, Decimal>,
    /// Prices that a refresh of the catalogue is told, of types and of services.
    pub prices: BTreeMap<String, Decimal>,
    /// vCPUs by the code of their quota; absent for plenty.
    pub vcpus: BTreeMap<String, u64>,
    /// How many nodes of each launch end before they are ready: `type` or `type@zone`.
    pub stillborn: BTreeMap<String, u64>,
    /// Nodes whose boot check fails: `type` or `type@zone`.
    pub unfit: BTreeMap<String, Share>,
    /// Nodes that never say anything: `type` or `type@zone`.
    pub silent: BTreeMap<String, Share>,
    /// What the cloud says of a node, by its id.
    pub notices: BTreeMap<String, Notice>,
    /// Nodes that may be launched at once, and more of them per second; none for no limit.
    pub launches: Option<(u64, u64)>,
    /// The same of calls that launch.
    pub launch_calls: Option<(u64, u64)>,
}

/// So many nodes of each launch, or of the first launches of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many of a launch.
    pub nodes: u32,
    /// Of launches up to this number; none for all of them.
    pub launches: Option<u32>,
}

impl Share {
    /// Reads `1`, or `1,2`: one node of each of the first two launches.
    fn read(text: &str) -> Option<Self> {
        let (nodes, launches) = match text.split_once(',') {
            None => (text, None),
            Some((nodes, launches)) => (nodes, Some(launches.trim().parse().ok()?)),
        };
        Some(Self { nodes: nodes.trim().parse().ok()?, launches })
    }

    fn text(self) -> String {
        let launches = self.launches.map(|it| format!(",{it}")).unwrap_or_default();
        format!("{}{launches}", self.nodes)
    }

    fn has(self, number: u32, batch: u32) -> bool {
        number < self.nodes && self.launches.is_none_or(|launches| batch <= launches)
    }
}

/// What the cloud says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Its machine is to be retired.
    Retirement,
    /// It is to be restarted.
    Reboot,
    /// Its status checks fail.
    Impaired,
    /// Spot takes it back.
    Interruption,
}

impl Notice {
    const ALL: [(&'static str, Self); 4] = [
        ("retirement", Self::Retirement),
        ("reboot", Self::Reboot),
        ("impaired", Self::Impaired),
        ("interruption", Self::Interruption),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(word, _)| word)
    }
}

/// The word of a reservation that is not open.
const TARGETED: &str = "targeted";

/// Kept capacity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The type of its nodes.
    pub instance_type: String,
    /// Where.
    pub zone: Zone,
    /// For how many.
    pub total: u32,
    /// A reservation or a Capacity Block.
    pub market: Market,
    /// Only those that name it get in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub targeted: bool,
    /// The placement group that it was made in, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<String>,
    /// When it ends, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Moment>,
    /// Its tags.
    pub tags: Tags,
}

impl Kept {
    /// Reads `type,zone,count`, then `capacity-block` or `targeted`, `placement=` with a
    /// group's name, `ends=` with a time, and `key=value` in any order.
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(',').map(str::trim);
        let (instance_type, zone) = (words.next()?.to_owned(), Zone::from(words.next()?));
        let total = words.next()?.parse().ok()?;
        let (mut market, mut tags) = (Market::Reserved, Tags::new());
        let (mut targeted, mut placement, mut ends) = (false, None, None);
        for word in words {
            match word.split_once('=') {
                Some(("placement", name)) => placement = Some(name.to_owned()),
                Some(("ends", at)) => ends = Some(Moment::read(at)?),
                Some((key, value)) => drop(tags.insert(key.to_owned(), value.to_owned())),
                None if word == Market::CapacityBlock.word() => market = Market::CapacityBlock,
                None if word == TARGETED => targeted = true,
                None => return None,
            }
        }
        zone.letter()?;
        Some(Self { instance_type, zone, total, market, targeted, placement, ends, tags })
    }

    fn text(&self) -> String {
        let mut out = format!("{},{},{}", self.instance_type, self.zone, self.total);
        if self.market == Market::CapacityBlock {
            out.push_str(",capacity-block");
        }
        out.extend(self.targeted.then(|| format!(",{TARGETED}")));
        out.extend(self.placement.iter().map(|name| format!(",placement={name}")));
        out.extend(self.ends.map(|at| format!(",ends={at}")));
        out.extend(self.tags.iter().map(|(key, value)| format!(",{key}={value}")));
        out
    }
}

impl Supply {
    /// Changes one knob of a group; none when it is not one or the value is not for it.
    pub(super) fn set(&mut self, group: &str, name: String, value: &str) -> Option<()> {
        match (group, value) {
            ("reservation", "none") => drop(self.reservations.remove(&name)),
            ("reservation", _) if name.starts_with("cr-") => {
                self.reservations.insert(name, Kept::read(value)?);
            }
            ("spot", "default") => drop(self.spot.remove(&name)),
            ("spot", _) => drop(self.spot.insert(name, value.parse().ok()?)),
            ("price", "default") => drop(self.prices.remove(&name)),
            ("price", _) => drop(self.prices.insert(name, value.parse().ok()?)),
            ("vcpus", "none") => drop(self.vcpus.remove(&name)),
            ("vcpus", _) => drop(self.vcpus.insert(name, value.parse().ok()?)),
            ("stillborn", "none") => drop(self.stillborn.remove(&name)),
            ("stillborn", _) => drop(self.stillborn.insert(name, value.parse().ok()?)),
            ("unfit", "none") => drop(self.unfit.remove(&name)),
            ("unfit", _) => drop(self.unfit.insert(name, Share::read(value)?)),
            ("silent", "none") => drop(self.silent.remove(&name)),
            ("silent", _) => drop(self.silent.insert(name, Share::read(value)?)),
            ("notice", "none") => drop(self.notices.remove(&name)),
            ("notice", word) if name.starts_with("i-") => {
                let found = Notice::ALL.into_iter().find(|(known, _)| *known == word)?.1;
                self.notices.insert(name, found);
            }
            (_, _) => return None,
        }
        Some(())
    }

    /// Every knob as the text that sets it.
    pub(super) fn list(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let kept = self.reservations.iter();
        out.extend(kept.map(|(id, kept)| (format!("reservation.{id}"), kept.text())));
        out.extend(self.spot.iter().map(|(k, v)| (format!("spot.{k}"), v.to_string())));
        out.extend(self.prices.iter().map(|(k, v)| (format!("price.{k}"), v.to_string())));
        out.extend(self.vcpus.iter().map(|(k, v)| (format!("vcpus.{k}"), v.to_string())));
        out.extend(self.stillborn.iter().map(|(k, v)| (format!("stillborn.{k}"), v.to_string())));
        out.extend(self.unfit.iter().map(|(k, v)| (format!("unfit.{k}"), v.text())));
        out.extend(self.silent.iter().map(|(k, v)| (format!("silent.{k}"), v.text())));
        let notices = self.notices.iter();
        out.extend(notices.map(|(k, v)| (format!("notice.{k}"), v.word().to_owned())));
        for (name, rate) in [("launches", self.launches), ("launch_calls", self.launch_calls)] {
            let text = rate.map(|(most, refill)| format!("{most},{refill}"));
            out.push((name.to_owned(), text.unwrap_or_else(|| "none".to_owned())));
        }
        out
    }

    /// The price on spot: as set, or a made-up part of the price on demand, another in each
    /// zone; none of what has none.
    pub(super) fn spot(
        &self,
        region: &RegionName,
        instance_type: &str,
        zone: &Zone,
    ) -> Option<SpotPrice> {
        let set = in_zone(&self.spot, instance_type, zone).map(Money::new);
        let usd = set.or_else(|| {
            let known = Catalog::shipped().get(instance_type)?;
            known.markets.contains(&Market::Spot).then_some(())?;
            let full = Catalog::shipped().price(region, instance_type, Market::OnDemand)?;
            let letters = instance_type.bytes().chain(zone.as_str().bytes());
            let sum = letters.fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
            let part = Decimal::new(i64::from(30 + sum % 30), 2);
            Some(Money::new((full.usd.dollars() * part).round_dp(4)))
        })?;
        Some(SpotPrice { usd, day: "simulated".to_owned() })
    }

    /// How many nodes of a launch end before they are ready.
    pub(super) fn stillborn(&self, instance_type: &str, zone: &Zone) -> u64 {
        in_zone(&self.stillborn, instance_type, zone).unwrap_or(0)
    }

    /// In which way a node of a launch never comes up.
    pub(super) fn unfit(&self, node: &Node, number: u32, batch: u32) -> Option<Unfit> {
        let has = |all: &BTreeMap<String, Share>| {
            let share = in_zone(all, &node.instance_type, &node.zone);
            share.is_some_and(|share| share.has(number, batch))
        };
        match (has(&self.unfit), has(&self.silent)) {
            (true, _) => Some(Unfit::Check),
            (false, true) => Some(Unfit::Silent),
            (false, false) => None,
        }
    }
}

/// Reads `1000,2`: so many at once, and so many more per second; or `none`.
pub(super) fn rate(value: &str) -> Option<Option<(u64, u64)>> {
    if value == "none" {
        return Some(None);
    }
    let (most, refill) = value.split_once(',')?;
    Some(Some((most.trim().parse().ok()?, refill.trim().parse().ok()?)))
}

/// What is set for a type in a zone, or for the type.
fn in_zone<T: Copy>(all: &BTreeMap<String, T>, instance_type: &str, zone: &Zone) -> Option<T> {
    all.get(&format!("{instance_type}@{zone}")).or_else(|| all.get(instance_type)).copied()
}
