//! What is paid for one object of each kind.

use super::{Origin, Prices, Rate};
use crate::catalog::{Paid, Unit};
use crate::kinds::{Disk, LustreFileSystem, Offer, Provisioned, Spec, Volume};
use crate::model::Money;

/// What every gp3 volume has without paying for it
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>).
const FREE_IOPS: i32 = 3000;
/// MiB per second.
const FREE_THROUGHPUT: i32 = 125;

/// What is paid, in a few words, and how much of it.
pub(super) type Charge = (String, Rate);

impl Rate {
    /// Paid by use alone.
    fn by_use(what: &str) -> Self {
        Self { by_use: Some(what.to_owned()), ..Self::default() }
    }

    /// Adds so many units of what a table has a price for.
    fn add(&mut self, prices: Prices<'_>, name: &str, units: u32) {
        match prices.catalog.service(prices.region, name) {
            Some((unit, price)) => {
                let sum = price.usd * units;
                match unit {
                    Unit::Hour => self.hourly = self.hourly + sum,
                    Unit::Month => self.monthly = self.monthly + sum,
                }
                self.origins.insert(Origin::from(price));
            }
            None => self.unknown.push(name.to_owned()),
        }
    }
}

/// What is paid for an object. Nodes are paid by their offers and templates: see [`node`].
pub(super) fn of(spec: &Spec, prices: Prices<'_>) -> Option<Charge> {
    let mut rate = Rate::default();
    let what = match spec {
        Spec::NatGateway(_) => {
            rate.add(prices, "nat-gateway", 1);
            rate.by_use = Some("traffic".to_owned());
            "NAT gateway"
        }
        Spec::ElasticIp(_) => {
            rate.add(prices, "public-ipv4", 1);
            "public IPv4 address"
        }
        Spec::Bucket(_) => {
            rate = Rate::by_use("storage and requests");
            "bucket"
        }
        Spec::Queue(_) => {
            rate = Rate::by_use("requests");
            "queue"
        }
        Spec::HostedZone(_) => {
            rate.add(prices, "hosted-zone", 1);
            rate.by_use = Some("queries".to_owned());
            "hosted zone"
        }
        Spec::Volume(volume) => return Some(volume_disk(volume, prices)),
        Spec::LustreFileSystem(system) => return Some(lustre(system, prices)),
        Spec::EfsFileSystem(system) => {
            rate.by_use = Some("storage and throughput".to_owned());
            if let Some(speed) = system.throughput.provisioned {
                rate.add(prices, "efs-throughput", speed);
            }
            "EFS file system"
        }
        // What an object costs to keep is less than what can be shown; a gateway endpoint is free
        // (https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
        Spec::BucketObject(_)
        | Spec::VpcEndpoint(_)
        | Spec::Vpc(_)
        | Spec::Subnet(_)
        | Spec::InternetGateway(_)
        | Spec::RouteTable(_)
        | Spec::SecurityGroup(_)
        | Spec::Role(_)
        | Spec::InstanceProfile(_)
        | Spec::PlacementGroup(_)
        | Spec::LaunchTemplate(_)
        | Spec::DataRepositoryAssociation(_)
        | Spec::Node(_) => return None,
    };
    Some((what.to_owned(), rate))
}

/// What is paid for a node on an offer, its disk aside.
pub(super) fn node(offer: &Offer, prices: Prices<'_>) -> Charge {
    let Offer { instance_type, zone, market, price, .. } = offer;
    let what = format!("{instance_type} {}", market.word());
    let mut rate = Rate::default();
    match prices.catalog.paid(prices.region, instance_type, *market, *price) {
        Paid::Before => rate.prepaid = true,
        Paid::Listed(listed) => {
            rate.hourly = listed.usd;
            rate.origins.insert(Origin::from(listed));
        }
        Paid::Asked(price) => {
            rate.hourly = price;
            let source = format!("the {} price in {zone}", market.word());
            rate.origins.insert(Origin { day: None, source });
        }
        Paid::Unknown => rate.unknown.push(what.clone()),
    }
    (what, rate)
}

/// What is paid for a node's root disk.
pub(super) fn disk(disk: &Disk, prices: Prices<'_>) -> Charge {
    let Disk { device: _, size, volume_type, iops, throughput, encrypted: _, kms_key: _ } = disk;
    let units = |number: i32| u32::try_from(number).unwrap_or(0);
    let mut rate = Rate::default();
    let mut what = format!("{volume_type} {size} GiB");
    rate.add(prices, &format!("{volume_type}-storage"), units(*size));
    for (name, unit, value, free) in
        [("iops", "IOPS", iops, FREE_IOPS), ("throughput", "MiB/s", throughput, FREE_THROUGHPUT)]
    {
        let Some(value) = value else { continue };
        what.push_str(&format!(", {value} {unit}"));
        // What gp3 has for nothing every io2 volume pays for.
        if volume_type == "io2" {
            io2(&mut rate, prices, units(*value));
            continue;
        }
        let more = units(value.saturating_sub(free));
        if more > 0 {
            rate.add(prices, &format!("{volume_type}-{name}"), more);
        }
    }
    (what, rate)
}

/// IOPS of an io2 volume: cheaper above 32,000, and again above 64,000
/// (<https://aws.amazon.com/ebs/pricing/>).
fn io2(rate: &mut Rate, prices: Prices<'_>, iops: u32) {
    let tiers =
        [("io2-iops", 0, 32_000), ("io2-iops-2", 32_000, 64_000), ("io2-iops-3", 64_000, u32::MAX)];
    for (name, from, to) in tiers {
        let part = iops.min(to).saturating_sub(from);
        if part > 0 {
            rate.add(prices, name, part);
        }
    }
}

/// What is paid for a volume: the same as for a root disk.
fn volume_disk(volume: &Volume, prices: Prices<'_>) -> Charge {
    let Provisioned { size, volume_type, iops, throughput } = &volume.provisioned;
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let like = Disk {
        device: String::new(),
        size: number(*size),
        volume_type: volume_type.clone(),
        iops: iops.map(number),
        throughput: throughput.map(number),
        encrypted: volume.encrypted,
        kms_key: None,
    };
    disk(&like, prices)
}

/// What is paid for a Lustre file system: by its size, at a price for each speed.
fn lustre(system: &LustreFileSystem, prices: Prices<'_>) -> Charge {
    let deployment = system.deployment.to_ascii_lowercase().replace('_', "-");
    let speed = system.throughput.map(|speed| format!("-{speed}")).unwrap_or_default();
    let mut rate = Rate::default();
    rate.add(prices, &format!("lustre-{deployment}{speed}"), system.size);
    (format!("Lustre {deployment} {} GiB", system.size), rate)
}

/// The root disk of a node whose template is not to be seen.
pub(super) fn unseen_disk() -> Charge {
    let what = "root disk".to_owned();
    let unknown = vec!["root disk of a launch template that is gone".to_owned()];
    (what, Rate { unknown, hourly: Money::ZERO, ..Rate::default() })
}
