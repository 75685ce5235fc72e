//! Floor 2: tables of what AWS offers, as readable data with a date.

mod expect;
mod fresh;
mod images;
mod instances;
mod limits;
mod listed;
mod need;
mod prices;
mod quotas;
mod regions;
mod services;
mod tables;

pub use expect::{Maker, expectation};
pub use fresh::{Fresh, Stale};
pub use images::{
    ImageQuery, image_architecture, image_disk, image_driver, image_lacks_driver, image_names,
    image_of_parameter, image_query, is_image_id, is_parameter, is_public_image_parameter,
};
pub use instances::{Accelerator, InstanceType, is_type_name};
pub use limits::{Counted, Limit};
pub use listed::{QUESTIONS, Question, take, unit_of};
pub use need::{AcceleratorNeed, BadNeed, Need, Size};
pub use prices::{Paid, Price};
pub use quotas::Quota;
pub use regions::{region_doubt, region_slip};
pub use services::Unit;
pub use tables::Tables;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::kinds::Market;
use crate::model::{Money, Region};

/// What AWS offers, and for how much.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    types: BTreeMap<String, InstanceType>,
    prices: BTreeMap<(Region, String, Market), Price>,
    services: services::Services,
    /// Types that only a region has told of, and that no need without accelerators means.
    extra: BTreeMap<String, InstanceType>,
}

/// The day on which the table of hardware was read, and where.
const HARDWARE: (&str, &str) =
    ("2026-11-24", "https://github.com/getmoto/moto/tree/master/moto/ec2/resources");

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    extra: BTreeMap::new(),
    types: instances::read(include_str!("instance_types.csv")),
    prices: prices::read(include_str!("prices.csv")),
    services: services::read(include_str!("services.csv")),
});

static LIMITS: LazyLock<Vec<Limit>> = LazyLock::new(|| limits::read(include_str!("limits.csv")));

static QUOTAS: LazyLock<Vec<Quota>> = LazyLock::new(|| quotas::read(include_str!("quotas.csv")));

impl Catalog {
    /// The quota that nodes of a type count against; none where that is not documented.
    pub fn quota(instance_type: &str, market: Market) -> Option<&'static Quota> {
        QUOTAS.iter().find(|quota| quota.counts(instance_type, market))
    }

    /// The quota that something else counts against, by its word in the table.
    pub fn limit(what: &str) -> Option<&'static Limit> {
        LIMITS.iter().find(|limit| limit.what == what)
    }

    /// The one that every binary carries.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// From when and where the shipped table of hardware is.
    pub fn hardware() -> (&'static str, &'static str) {
        HARDWARE
    }

    /// With what a region told over it. The shipped facts of a type stay: they are compared
    /// with the makers' pages, and EC2's own answers are wrong in places.
    pub(super) fn over(mut self, fresh: &Fresh) -> Self {
        let price =
            |usd: Money| Price { usd, day: fresh.day.clone(), source: fresh.source.clone() };
        for (name, found) in &fresh.types {
            if !self.types.contains_key(name) {
                let named =
                    if found.accelerator.is_some() { &mut self.types } else { &mut self.extra };
                named.insert(name.clone(), found.clone());
            }
        }
        for (name, usd) in &fresh.prices {
            let key = (fresh.region.clone(), name.clone(), Market::OnDemand);
            self.prices.insert(key, price(*usd));
        }
        for (name, (unit, usd)) in &fresh.services {
            self.services.insert((fresh.region.clone(), name.clone()), (*unit, price(*usd)));
        }
        self
    }

    /// Looks an instance type up. AWS has many more, most of them without accelerators.
    pub fn get(&self, name: &str) -> Option<&InstanceType> {
        self.types.get(name).or_else(|| self.extra.get(name))
    }

    /// Accelerators of an instance type; none of one that nobody knows.
    pub fn gpus(&self, name: &str) -> u32 {
        self.get(name).map_or(0, InstanceType::accelerators)
    }

    /// All that a need can mean.
    pub fn types(&self) -> impl Iterator<Item = &InstanceType> {
        self.types.values()
    }

    /// What a node costs per hour; none where that is not known.
    pub fn price(&self, region: &Region, name: &str, market: Market) -> Option<&Price> {
        self.prices.get(&(region.clone(), name.to_owned(), market))
    }

    /// What is paid for a node per hour. What the cloud asks counts more than what is listed.
    pub fn paid(
        &self,
        region: &Region,
        name: &str,
        market: Market,
        asked: Option<Money>,
    ) -> Paid<'_> {
        match market {
            Market::Reserved | Market::CapacityBlock => return Paid::Before,
            Market::OnDemand | Market::Spot => {}
        }
        match (asked, self.price(region, name, market)) {
            (Some(asked), Some(listed)) if asked == listed.usd => Paid::Listed(listed),
            (Some(asked), _) => Paid::Asked(asked),
            (None, Some(listed)) => Paid::Listed(listed),
            (None, None) => Paid::Unknown,
        }
    }

    /// What something else costs, such as `nat-gateway`; none where that is not known.
    pub fn service(&self, region: &Region, name: &str) -> Option<&(Unit, Price)> {
        self.services.get(&(region.clone(), name.to_owned()))
    }

    /// What has a price in a region and is no node.
    pub fn services<'a>(
        &'a self,
        region: &'a Region,
    ) -> impl Iterator<Item = (&'a str, &'a (Unit, Price))> {
        let here = self.services.iter().filter(move |((at, _), _)| at == region);
        here.map(|((_, name), found)| (name.as_str(), found))
    }

    /// Every price, with the name of what it is for.
    pub fn all_prices(&self) -> impl Iterator<Item = (&str, &Price)> {
        let types = self.prices.iter().map(|((_, name, _), price)| (name.as_str(), price));
        types.chain(self.services.iter().map(|((_, name), (_, price))| (name.as_str(), price)))
    }
}

/// The lines of a table that hold data.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let data = |line: &&str| !line.starts_with('#') && !line.trim().is_empty();
    text.lines().filter(data).map(|line| line.split(',').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_has_a_day_and_a_source() {
        let day = |text: &str| {
            let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
            let counts: Vec<usize> = text.split('-').map(digits).collect();
            text.len() == 10 && counts == [4, 2, 2]
        };
        let mut count = 0;
        for (name, price) in Catalog::shipped().all_prices() {
            assert!(day(&price.day), "{name}: {:?}", price.day);
            assert!(price.source.starts_with("https://"), "{name}: {:?}", price.source);
            count += 1;
        }
        assert!(count > 200, "{count}");
        assert!(!day("2026-1-1") && !day("20260101--") && !day(""));
    }
}
