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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::kinds::{ElasticIp, Market, Tags};
    use crate::model::{Link, Region};

    fn usd(text: &str) -> Money {
        Money::new(text.parse().expect("a number"))
    }

    fn volume(kind: &str, iops: Option<i32>, throughput: Option<i32>) -> Disk {
        Disk {
            device: "/dev/sda1".to_owned(),
            size: 100,
            volume_type: kind.to_owned(),
            iops,
            throughput,
            encrypted: true,
            kms_key: None,
        }
    }

    /// By the month, what is not known, and in words.
    fn disk_of(kind: &str, iops: Option<i32>, throughput: Option<i32>) -> (Money, usize, String) {
        let region = Region::from("us-east-1");
        let prices = Prices { catalog: Catalog::shipped(), region: &region };
        let (what, rate) = disk(&volume(kind, iops, throughput), prices);
        assert_eq!(rate.hourly, Money::ZERO);
        (rate.monthly, rate.unknown.len(), what)
    }

    #[test]
    fn gp3_pays_for_what_is_beyond_the_free_part_and_io2_for_all_of_it() {
        // 100 GiB: 8.00 on gp3, 12.50 on io2.
        let free = disk_of("gp3", Some(3000), Some(125));
        assert_eq!(free, (usd("8"), 0, "gp3 100 GiB, 3000 IOPS, 125 MiB/s".to_owned()));
        assert_eq!(disk_of("gp3", None, None), (usd("8"), 0, "gp3 100 GiB".to_owned()));
        assert_eq!(disk_of("gp3", Some(3001), Some(126)).0, usd("8.045")); // 0.005 + 0.04
        assert_eq!(disk_of("io2", Some(100), None).0, usd("19")); // 100 × 0.065
        // The first 32,000 have a price; the parts above have none that is known, each by itself.
        let (first, unknown, _) = disk_of("io2", Some(32_000), None);
        assert_eq!((first, unknown), (usd("2092.5"), 0));
        assert_eq!(disk_of("io2", Some(32_001), None).1, 1);
        assert_eq!(disk_of("io2", Some(64_001), None), {
            (usd("2092.5"), 2, "io2 100 GiB, 64001 IOPS".to_owned())
        });
        // A kind that no table knows.
        assert_eq!(disk_of("st1", None, None).1, 1);
    }

    #[test]
    fn what_no_table_knows_is_named_and_what_is_free_has_no_line() {
        let nowhere = Region::from("mars-north-1");
        let prices = Prices { catalog: Catalog::shipped(), region: &nowhere };
        let address: Spec = ElasticIp { tags: Tags::new() }.into();
        let (what, rate) = of(&address, prices).expect("it is paid");
        assert_eq!((what.as_str(), rate.hourly), ("public IPv4 address", Money::ZERO));
        assert_eq!(rate.unknown, ["public-ipv4"]);
        assert!(rate.origins.is_empty());
    }

    #[test]
    fn the_market_of_an_offer_says_what_a_node_costs() {
        let region = Region::from("us-east-1");
        let prices = Prices { catalog: Catalog::shipped(), region: &region };
        let rate = |market, price: Option<&str>| {
            let subnet = Link::Id("subnet-1".into());
            let offer = Offer::plain("g5.8xlarge", "us-east-1a".into(), subnet);
            node(&Offer { market, price: price.map(usd), ..offer }, prices)
        };
        let (what, listed) = rate(Market::OnDemand, None);
        assert_eq!((what.as_str(), listed.hourly), ("g5.8xlarge on-demand", usd("2.448")));
        assert!(listed.origins.iter().all(|it| it.day.is_some()) && listed.origins.len() == 1);
        let (_, asked) = rate(Market::Spot, Some("0.7"));
        assert_eq!(asked.hourly, usd("0.7"));
        let from = asked.origins.iter().next().expect("who asks");
        assert_eq!(
            (from.day.as_deref(), from.source.as_str()),
            (None, "the spot price in us-east-1a")
        );
        let (_, unknown) = rate(Market::Spot, None);
        assert_eq!((unknown.hourly, unknown.unknown.len()), (Money::ZERO, 1));
        let (_, paid) = rate(Market::CapacityBlock, Some("9"));
        assert!(paid.prepaid && paid.hourly == Money::ZERO && paid.unknown.is_empty());
    }
}
