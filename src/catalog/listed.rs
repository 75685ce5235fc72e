//! The Price List API's answers: of each product the one price that a stack pays.
//!
//! An item is a JSON text with a product and its terms, as its guide shows it
//! (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>).
//! What is no price on demand, is nothing, or is of capacity that stands unused is left out.

use rust_decimal::Decimal;
use serde_json::Value;

use super::fresh::Fresh;
use super::services::Unit;
use crate::model::Money;

/// The term under which something is paid as it is used.
const ON_DEMAND: &str = "OnDemand";

/// What is asked of one service of the price list: its code, and fields that must have values.
pub struct Question {
    /// The code.
    pub service: &'static str,
    /// Field and value; the region is added where the product has one.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether its products stand in regions.
    pub regional: bool,
}

/// Everything that is asked for one region.
pub const QUESTIONS: &[Question] = &[
    Question {
        service: "AmazonEC2",
        fields: &[
            ("operatingSystem", "Linux"),
            ("tenancy", "Shared"),
            ("preInstalledSw", "NA"),
            ("capacitystatus", "Used"),
        ],
        regional: true,
    },
    Question { service: "AmazonEC2", fields: &[("volumeApiName", "gp3")], regional: true },
    Question { service: "AmazonEC2", fields: &[("volumeApiName", "io2")], regional: true },
    Question { service: "AmazonEC2", fields: &[("productFamily", "NAT Gateway")], regional: true },
    Question { service: "AmazonVPC", fields: &[], regional: true },
    Question { service: "AmazonEFS", fields: &[], regional: true },
    Question { service: "AmazonFSx", fields: &[("fileSystemType", "Lustre")], regional: true },
    Question {
        service: "AmazonRoute53",
        fields: &[("productFamily", "DNS Zone")],
        regional: false,
    },
];

/// Usage types without the prefix of their region, what we call them, and their unit.
const USAGES: &[(&str, &str, Unit)] = &[
    ("NatGateway-Hours", "nat-gateway", Unit::Hour),
    ("PublicIPv4:InUseAddress", "public-ipv4", Unit::Hour),
    ("EBS:VolumeUsage.gp3", "gp3-storage", Unit::Month),
    ("EBS:VolumeP-IOPS.gp3", "gp3-iops", Unit::Month),
    ("EBS:VolumeP-Throughput.gp3", "gp3-throughput", Unit::Month),
    ("EBS:VolumeUsage.io2", "io2-storage", Unit::Month),
    ("EBS:VolumeP-IOPS.io2", "io2-iops", Unit::Month),
    ("EBS:VolumeP-IOPS.io2.tier2", "io2-iops-2", Unit::Month),
    ("EBS:VolumeP-IOPS.io2.tier3", "io2-iops-3", Unit::Month),
    ("TimedStorage-ByteHrs", "efs-storage", Unit::Month),
    ("IATimedStorage-ByteHrs", "efs-storage-ia", Unit::Month),
    ("TimedStorage-Z-ByteHrs", "efs-storage-one-zone", Unit::Month),
    ("ProvisionedTP-MiBpsHrs", "efs-throughput", Unit::Month),
    ("HostedZone", "hosted-zone", Unit::Month),
];

/// How something that is no node is paid, by our name for it.
pub fn unit_of(name: &str) -> Option<Unit> {
    let usage = USAGES.iter().find(|(_, known, _)| *known == name).map(|(_, _, unit)| *unit);
    usage.or_else(|| name.starts_with("lustre-").then_some(Unit::Month))
}

/// Takes one item of an answer over; whether it had a price that a stack can pay. An error
/// where it is no JSON.
pub fn take(item: &str, out: &mut Fresh) -> Result<bool, serde_json::Error> {
    let item: Value = serde_json::from_str(item)?;
    let attributes = &item["product"]["attributes"];
    let Some((unit, usd)) = on_demand(&item["terms"][ON_DEMAND]) else { return Ok(false) };
    let text = |name: &str| attributes[name].as_str().unwrap_or_default();
    let usage = bare(text("usagetype"));
    let taken = match (text("instanceType"), text("fileSystemType")) {
        ("", "") => service(usage, unit, usd),
        ("", "Lustre") => lustre(attributes, unit).map(|name| (name, (Unit::Month, usd))),
        ("", _) => None,
        (name, _) => {
            let ours =
                usage.starts_with("BoxUsage") && unit == "Hrs" && is_shared_linux(attributes);
            if ours {
                out.prices.insert(name.to_owned(), usd);
            }
            return Ok(ours);
        }
    };
    let found = taken.is_some();
    out.services.extend(taken);
    Ok(found)
}

/// An ordinary node: what is asked for, seen again in the answer. A Capacity Block is listed
/// as a market of its own, and a reservation that nobody uses as a usage of its own.
fn is_shared_linux(attributes: &Value) -> bool {
    let is = |name: &str, wanted: &str| attributes[name].as_str().is_none_or(|it| it == wanted);
    is("operatingSystem", "Linux")
        && is("tenancy", "Shared")
        && is("preInstalledSw", "NA")
        && is("capacitystatus", "Used")
        && is("marketoption", ON_DEMAND)
}

/// Of terms on demand the price of the first unit, where it is not nothing.
fn on_demand(terms: &Value) -> Option<(&str, Money)> {
    let dimensions = terms.as_object()?.values().filter_map(|term| {
        let dimensions = term["priceDimensions"].as_object()?;
        Some(dimensions.values())
    });
    let first = dimensions.flatten().find(|one| one["beginRange"].as_str() == Some("0"))?;
    let usd: Decimal = first["pricePerUnit"]["USD"].as_str()?.parse().ok()?;
    (usd > Decimal::ZERO).then_some((first["unit"].as_str()?, Money::new(usd)))
}

/// A usage type without its region, which has capital letters and digits only: `EUC1-`.
fn bare(usage: &str) -> &str {
    let is_region = |head: &str| {
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        (2..=5).contains(&head.len()) && head.chars().all(fits)
    };
    match usage.split_once('-') {
        Some((head, rest)) if is_region(head) => rest,
        Some(_) | None => usage,
    }
}

fn service(usage: &str, unit: &str, usd: Money) -> Option<(String, (Unit, Money))> {
    let (_, name, ours) = USAGES.iter().find(|(known, _, _)| *known == usage)?;
    // A GiB per second is a thousand and twenty-four of what a volume asks for.
    let usd = match unit {
        "GiBps-mo" | "GiBps-Mo" => usd.over(1024)?,
        _ => usd,
    };
    let hourly = matches!(unit, "Hrs" | "hours" | "Hours" | "Hour");
    (hourly == (*ours == Unit::Hour)).then(|| ((*name).to_owned(), (*ours, usd)))
}

/// Tiers of MB/s per TiB that only one deployment has
/// (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/using-fsx-lustre.html>): 200 is left
/// out, because both a scratch and a persistent file system are listed under it.
const TIERS: &[(&str, &str, &str)] = &[
    ("SSD", "125", "persistent-2"),
    ("SSD", "250", "persistent-2"),
    ("SSD", "500", "persistent-2"),
    ("SSD", "1000", "persistent-2"),
    ("SSD", "50", "persistent-1"),
    ("SSD", "100", "persistent-1"),
];

fn lustre(attributes: &Value, unit: &str) -> Option<String> {
    let text = |name: &str| attributes[name].as_str().unwrap_or_default();
    let speed = text("throughputCapacity");
    let fits = |(media, tier, _): &&(&str, &str, &str)| {
        *media == text("storageType") && *tier == speed && unit == "GB-Mo"
    };
    let (_, tier, deployment) = TIERS.iter().find(fits)?;
    Some(format!("lustre-{deployment}-{tier}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Region;
    use serde_json::json;

    /// An item in the shape that the guide shows.
    fn item(attributes: &Value, unit: &str, usd: &str) -> String {
        let price = json!({
            "unit": unit, "beginRange": "0", "endRange": "Inf", "appliesTo": [],
            "description": "", "rateCode": "S.J.6", "pricePerUnit": { "USD": usd },
        });
        let term = json!({
            "sku": "S", "offerTermCode": "J", "effectiveDate": "2026-11-01T00:00:00Z",
            "termAttributes": {}, "priceDimensions": { "S.J.6": price },
        });
        let product = json!({ "sku": "S", "productFamily": "x", "attributes": attributes });
        let terms = json!({ "OnDemand": { "S.J": term }, "Reserved": {} });
        json!({ "product": product, "serviceCode": "x", "terms": terms, "version": "1",
                "publicationDate": "2026-11-26T00:00:00Z" })
        .to_string()
    }

    fn empty() -> Fresh {
        Fresh::new(Region::from("eu-central-1"), "2026-11-27".to_owned(), "x".to_owned())
    }

    fn node(usage: &str, status: &str, market: &str) -> Value {
        json!({ "instanceType": "p5.48xlarge", "operatingSystem": "Linux", "tenancy": "Shared",
                "preInstalledSw": "NA", "capacitystatus": status, "marketoption": market,
                "usagetype": usage, "regionCode": "eu-central-1" })
    }

    #[test]
    fn of_a_type_the_hour_on_demand_is_taken_and_nothing_else() {
        let mut out = empty();
        let usage = "EUC1-BoxUsage:p5.48xlarge";
        let mut take = |item: &str| super::take(item, &mut out).expect("JSON");
        let good = item(&node(usage, "Used", "OnDemand"), "Hrs", "68.8000000000");
        assert!(take(&good));
        // A Capacity Block costs nothing by the hour; unused reservations are another product.
        assert!(!take(&item(&node(usage, "Used", "CapacityBlock"), "Hrs", "0.0000000000")));
        assert!(!take(&item(&node(usage, "Used", "CapacityBlock"), "Hrs", "31.464")));
        let unused = node("EUC1-UnusedBox:p5.48xlarge", "UnusedCapacityReservation", "OnDemand");
        assert!(!take(&item(&unused, "Hrs", "99")));
        let mut dedicated = node("EUC1-DedicatedUsage:p5.48xlarge", "Used", "OnDemand");
        dedicated["tenancy"] = "Dedicated".into();
        assert!(!take(&item(&dedicated, "Hrs", "99")));
        let mut windows = node(usage, "Used", "OnDemand");
        windows["operatingSystem"] = "Windows".into();
        assert!(!take(&item(&windows, "Hrs", "99")));
        let reserved = good.replace("\"OnDemand\":", "\"Reserved2\":");
        assert!(!take(&reserved));
        assert!(super::take("{", &mut empty()).is_err());
        assert_eq!(out.prices.len(), 1);
        assert_eq!(out.prices["p5.48xlarge"].to_string(), "$68.80");
    }

    #[test]
    fn services_are_known_by_their_usage_in_whatever_region() {
        let mut out = empty();
        let mut take = |usage: &str, unit: &str, usd: &str| {
            super::take(&item(&json!({ "usagetype": usage }), unit, usd), &mut out).expect("JSON")
        };
        assert!(take("EUC1-NatGateway-Hours", "Hrs", "0.052"));
        assert!(!take("EUC1-NatGateway-Bytes", "GB", "0.052"));
        assert!(take("PublicIPv4:InUseAddress", "Hrs", "0.005"));
        assert!(take("EU-EBS:VolumeUsage.gp3", "GB-Mo", "0.0952"));
        assert!(take("EUC1-EBS:VolumeP-Throughput.gp3", "GiBps-mo", "48.6400000000"));
        assert!(take("EUC1-EBS:VolumeP-IOPS.io2.tier2", "IOPS-Mo", "0.0546"));
        assert!(take("HostedZone", "HostedZone", "0.5"));
        // Another unit is another price.
        assert!(!take("EUC1-EBS:VolumeUsage.io2", "Hrs", "0.1"));
        let of = |name: &str| out.services.get(name).map(|(_, usd)| usd.dollars().to_string());
        assert_eq!(of("gp3-throughput").as_deref(), Some("0.0475"));
        assert_eq!(of("nat-gateway").as_deref(), Some("0.052"));
        assert_eq!(of("io2-iops-2").as_deref(), Some("0.0546"));
        assert_eq!(of("io2-storage"), None);
        assert_eq!(out.services["hosted-zone"].0, Unit::Month);
    }

    #[test]
    fn lustre_is_taken_where_its_tier_says_which_it_is() {
        let mut out = empty();
        for (speed, media, usd) in [
            ("125", "SSD", "0.174"),
            ("1000", "SSD", "0.72"),
            ("200", "SSD", "0.29"),
            ("12", "HDD", "0.025"),
        ] {
            let attributes = json!({ "fileSystemType": "Lustre", "storageType": media,
                "throughputCapacity": speed, "usagetype": "EUC1-Storage" });
            super::take(&item(&attributes, "GB-Mo", usd), &mut out).expect("JSON");
        }
        let names: Vec<&String> = out.services.keys().collect();
        assert_eq!(names, ["lustre-persistent-2-1000", "lustre-persistent-2-125"]);
    }
}
