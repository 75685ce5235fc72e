//! Floor 2: tables of what AWS offers, as readable data with a date.

mod expect;
mod images;
mod instances;
mod need;
mod prices;
mod quotas;
mod services;

pub use expect::{Maker, expectation};
pub use images::{
    ImageQuery, image_names, image_of_parameter, image_query, is_image_id, is_parameter,
    is_public_image_parameter,
};
pub use instances::{Accelerator, InstanceType};
pub use need::{AcceleratorNeed, BadNeed, Need, Size};
pub use prices::Price;
pub use quotas::Quota;
pub use services::Unit;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::kinds::Market;
use crate::model::Region;

/// What AWS offers, and for how much.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    types: BTreeMap<String, InstanceType>,
    prices: BTreeMap<(Region, String, Market), Price>,
    services: services::Services,
}

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    types: instances::read(include_str!("instance_types.csv")),
    prices: prices::read(include_str!("prices.csv")),
    services: services::read(include_str!("services.csv")),
});

static QUOTAS: LazyLock<Vec<Quota>> = LazyLock::new(|| quotas::read(include_str!("quotas.csv")));

impl Catalog {
    /// The quota that nodes of a type count against; none where that is not documented.
    pub fn quota(instance_type: &str, market: Market) -> Option<&'static Quota> {
        QUOTAS.iter().find(|quota| quota.counts(instance_type, market))
    }

    /// The one that every binary carries.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Looks an instance type up. AWS has many more, most of them without accelerators.
    pub fn get(&self, name: &str) -> Option<&InstanceType> {
        self.types.get(name)
    }

    /// All of them.
    pub fn types(&self) -> impl Iterator<Item = &InstanceType> {
        self.types.values()
    }

    /// What a node costs per hour; none where that is not known.
    pub fn price(&self, region: &Region, name: &str, market: Market) -> Option<&Price> {
        self.prices.get(&(region.clone(), name.to_owned(), market))
    }

    /// What something else costs, such as `nat-gateway`; none where that is not known.
    pub fn service(&self, region: &Region, name: &str) -> Option<&(Unit, Price)> {
        self.services.get(&(region.clone(), name.to_owned()))
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
