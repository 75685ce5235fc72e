//! What a region sells, asked of AWS itself: hardware and zones of EC2, prices of the Price
//! List API, which answers from a few regions for all of them
//! (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{InstanceTypeInfo, LocationType};
use aws_sdk_pricing::types::{Filter, FilterType};
use futures_util::future::join_all;
use rust_decimal::Decimal;

use super::{Aws, failure, pages};
use crate::catalog::{Accelerator, Fresh, InstanceType, QUESTIONS, Question, take};
use crate::cloud::{Class, Failure};
use crate::kinds::Market;
use crate::model::{Money, Region, Zone};

const PRODUCTS: &str = "pricing:GetProducts";

/// The region that answers for the prices of another one.
pub(super) fn pricing_region(region: &Region) -> &'static str {
    let name = region.as_str();
    let begins = |heads: &[&str]| heads.iter().any(|head| name.starts_with(head));
    if begins(&["cn-"]) {
        "cn-northwest-1"
    } else if begins(&["eu-", "me-", "af-", "il-"]) {
        "eu-central-1"
    } else if begins(&["ap-"]) {
        "ap-south-1"
    } else {
        "us-east-1"
    }
}

impl Aws {
    /// Asks everything, on a day and at a second of the caller's. Prices on spot may be denied
    /// and are then missing; nothing else may be.
    pub async fn survey(&self, day: &str, now: i64) -> Result<Fresh, Failure> {
        let region = &self.home().region;
        let source = format!("https://api.pricing.{}.amazonaws.com/", pricing_region(region));
        let mut out = Fresh::new(region.clone(), day.to_owned(), source);
        let (types, zones, spot, prices) = futures_util::join!(
            self.hardware(),
            self.sold_in(),
            self.spot_now(now),
            join_all(QUESTIONS.iter().map(|question| self.products(question)))
        );
        (out.types, out.zones, out.spot) = (types?, zones?, spot?);
        for items in prices {
            for item in items? {
                take(&item, &mut out)
                    .map_err(|bad| failure::strange(PRODUCTS, format!("a price: {bad}")))?;
            }
        }
        if out.prices.is_empty() {
            let text = format!("no price of any instance type in {region}");
            return Err(failure::strange(PRODUCTS, text));
        }
        Ok(out)
    }

    /// Every instance type of the region.
    pub async fn hardware(&self) -> Result<BTreeMap<String, InstanceType>, Failure> {
        let request = || self.ec2.describe_instance_types().max_results(100);
        let all = pages!(self, "ec2:DescribeInstanceTypes", request(), instance_types);
        let named = |info: &InstanceTypeInfo| read(info).map(|it| (it.name.clone(), it));
        Ok(all.iter().filter_map(named).collect())
    }

    /// The zones that offer each type.
    async fn sold_in(&self) -> Result<BTreeMap<String, BTreeSet<Zone>>, Failure> {
        let request = || {
            let request = self.ec2.describe_instance_type_offerings();
            request.location_type(LocationType::AvailabilityZone).max_results(1000)
        };
        let all =
            pages!(self, "ec2:DescribeInstanceTypeOfferings", request(), instance_type_offerings);
        let mut out: BTreeMap<String, BTreeSet<Zone>> = BTreeMap::new();
        for one in all {
            if let (Some(kind), Some(zone)) = (one.instance_type, one.location) {
                out.entry(kind.as_str().to_owned()).or_default().insert(Zone(zone));
            }
        }
        Ok(out)
    }

    async fn spot_now(&self, now: i64) -> Result<BTreeMap<(String, Zone), Money>, Failure> {
        match self.spot_history(&BTreeSet::new(), now).await {
            Ok(all) => Ok(all.into_iter().map(|(key, price)| (key, price.usd)).collect()),
            Err(failure) if failure.class == Class::Denied => {
                tracing::warn!(api = failure.api, code = failure.code, "no prices on spot");
                Ok(BTreeMap::new())
            }
            Err(failure) => Err(failure),
        }
    }

    /// The products that a question means.
    async fn products(&self, question: &Question) -> Result<Vec<String>, Failure> {
        let region = self.home().region.as_str();
        let here = question.regional.then_some(("regionCode", region));
        let filters = question.fields.iter().copied().chain(here).map(|(field, value)| {
            let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value);
            filter.build().map_err(|bad| failure::strange(PRODUCTS, bad.to_string()))
        });
        let filters: Vec<Filter> = filters.collect::<Result<_, _>>()?;
        let request = || {
            let request = self.pricing.get_products().service_code(question.service);
            let request = request.set_filters(Some(filters.clone()));
            request.format_version("aws_v1").max_results(100)
        };
        Ok(pages!(self, "pricing:GetProducts", request(), price_list))
    }
}

/// What a type is, as the shipped table writes it down too.
fn read(info: &InstanceTypeInfo) -> Option<InstanceType> {
    let network = info.network_info.as_ref()?;
    let cards = network.network_cards.as_deref().unwrap_or_default();
    let is_efa = |card: &&aws_sdk_ec2::types::NetworkCardInfo| {
        let kinds = card.interface_types.as_deref().unwrap_or_default();
        kinds.iter().any(|kind| kind.as_str() == "efa")
    };
    let efa: Vec<i32> =
        cards.iter().filter(is_efa).map(|card| card.network_card_index.unwrap_or(0)).collect();
    let ebs = info.ebs_info.as_ref().and_then(|it| it.ebs_optimized_info.as_ref());
    let ebs = ebs.and_then(|it| it.maximum_bandwidth_in_mbps).unwrap_or(0);
    let markets = info.supported_usage_classes.as_deref().unwrap_or_default();
    let groups = info.placement_group_info.as_ref();
    let groups = groups.and_then(|it| it.supported_strategies.as_deref()).unwrap_or_default();
    let processors = info.processor_info.as_ref()?.supported_architectures.as_deref();
    Some(InstanceType {
        name: info.instance_type.as_ref()?.as_str().to_owned(),
        architecture: processors?.last()?.as_str().to_owned(),
        accelerator: accelerator(info),
        vcpus: count(info.v_cpu_info.as_ref().and_then(|it| it.default_v_cpus)),
        memory: tenths(info.memory_info.as_ref().and_then(|it| it.size_in_mib).unwrap_or(0), 1024),
        gbps: gigabits(network.network_performance.as_deref().unwrap_or_default()),
        cards: i32::try_from(cards.len()).unwrap_or(i32::MAX),
        per_card: cards.first().and_then(|card| card.maximum_network_interfaces).unwrap_or(0),
        efa: i32::try_from(efa.len()).unwrap_or(i32::MAX),
        efa_from: efa.into_iter().min().unwrap_or(0),
        nvme: u32::try_from(
            info.instance_storage_info.as_ref().and_then(|it| it.total_size_in_gb).unwrap_or(0),
        )
        .unwrap_or(0),
        ebs_gbps: tenths(i64::from(ebs), 1000),
        markets: markets.iter().filter_map(|it| Market::from_word(it.as_str())).collect(),
        placement: groups.iter().map(|it| it.as_str().to_owned()).collect(),
    })
}

/// A part of something, in tenths as the shipped table has them: EC2's 22,888 MiB are 22.4 GiB
/// there, and a need of so much must mean the same before and after a refresh.
fn tenths(number: i64, of: u32) -> Decimal {
    (Decimal::from(number) / Decimal::from(of)).round_dp(1)
}

fn count(number: Option<i32>) -> u32 {
    u32::try_from(number.unwrap_or(0)).unwrap_or(0)
}

/// GPUs, or AWS's own chips. A part of a GPU is reported as none of it.
fn accelerator(info: &InstanceTypeInfo) -> Option<Accelerator> {
    let gib = |mib: Option<i32>| tenths(i64::from(mib.unwrap_or(0)), 1024);
    // Names are words in needs and in tables.
    let word = |name: &str| name.replace([' ', ','], "-");
    let gpus = info.gpu_info.as_ref().and_then(|it| it.gpus.as_deref()).unwrap_or_default();
    if let Some(gpu) = gpus.first() {
        let whole = count(gpu.count);
        let name = word(gpu.name.as_deref()?);
        let memory = gib(gpu.memory_info.as_ref().and_then(|it| it.size_in_mib));
        return Some(match whole {
            0 => {
                let count = count(gpu.logical_gpu_count).max(1);
                Accelerator { name: format!("{name}-slice"), count, memory }
            }
            count => Accelerator { name, count, memory },
        });
    }
    let chips = info.neuron_info.as_ref().and_then(|it| it.neuron_devices.as_deref());
    let chip = chips.unwrap_or_default().first()?;
    let memory = gib(chip.memory_info.as_ref().and_then(|it| it.size_in_mib));
    Some(Accelerator { name: word(chip.name.as_deref()?), count: count(chip.count), memory })
}

/// Of "Up to 12.5 Gigabit", "8x 100 Gigabit", "Moderate".
fn gigabits(words: &str) -> Decimal {
    let words: Vec<&str> = words.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| *word == "Gigabit").filter(|at| *at > 0) else {
        return Decimal::ZERO;
    };
    let number: Decimal = words[at - 1].parse().unwrap_or_default();
    let times = at.checked_sub(2).and_then(|at| words[at].strip_suffix('x')?.parse().ok());
    (number * times.unwrap_or(Decimal::ONE)).round_dp(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_as_they_are_written() {
        for (words, number) in [
            ("Up to 12.5 Gigabit", "12.5"),
            ("8x 100 Gigabit", "800"),
            ("3200 Gigabit", "3200"),
            ("Moderate", "0"),
            ("Gigabit", "0"),
        ] {
            assert_eq!(gigabits(words).to_string(), number, "{words}");
        }
    }

    #[test]
    fn prices_are_asked_where_they_are_answered() {
        for (region, at) in [
            ("us-west-2", "us-east-1"),
            ("eu-west-1", "eu-central-1"),
            ("ap-northeast-1", "ap-south-1"),
            ("ca-central-1", "us-east-1"),
        ] {
            assert_eq!(pricing_region(&Region::from(region)), at);
        }
    }
}
