//! Prices, each with the day on which it was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kinds::Market;
use crate::model::{Money, Region};

/// What something costs per hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars.
    pub usd: Money,
    /// The day on which it was read, as `2026-07-20`.
    pub day: String,
}

/// Reads the table.
pub(super) fn read(text: &str) -> BTreeMap<(Region, String, Market), Price> {
    super::rows(text).filter_map(|row| self::row(&row)).collect()
}

fn row(words: &[&str]) -> Option<((Region, String, Market), Price)> {
    let [region, name, market, usd, day] = words else { return None };
    let key = (Region::from(*region), (*name).to_owned(), Market::from_word(market)?);
    Some((key, Price { usd: Money::new(usd.parse().ok()?), day: (*day).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, rows};
    use super::*;

    #[test]
    fn every_price_is_read_and_is_of_a_known_type() {
        let text = include_str!("prices.csv");
        let table = read(text);
        assert_eq!(rows(text).count(), table.len());
        for ((_, name, _), price) in &table {
            assert!(Catalog::shipped().get(name).is_some(), "{name}");
            assert!(price.usd > Money::ZERO && price.day.len() == 10, "{name}");
        }
    }

    #[test]
    fn a_price_that_nobody_knows_is_none() {
        let price = |region: &str, name: &str, market| {
            let found = Catalog::shipped().price(&Region::from(region), name, market);
            found.map(|price| price.usd.to_string())
        };
        assert_eq!(price("us-east-1", "p5.48xlarge", Market::OnDemand).as_deref(), Some("$55.04"));
        assert_eq!(price("us-east-1", "p5e.48xlarge", Market::OnDemand), None);
        assert_eq!(price("us-east-1", "p5.48xlarge", Market::Spot), None);
        assert_eq!(price("eu-west-1", "p5.48xlarge", Market::OnDemand), None);
    }
}
