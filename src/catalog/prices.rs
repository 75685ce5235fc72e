//! Prices, each with the day on which it was read and where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kinds::Market;
use crate::model::{Money, Region};

/// What a unit of something costs: of an instance type an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars.
    pub usd: Money,
    /// The day on which it was read, as `2026-07-20`.
    pub day: String,
    /// Where it was read.
    pub source: String,
}

/// What is paid for a node, as its market decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid<'a> {
    /// It stands in capacity that is paid whether it is used or not.
    Before,
    /// What a table says.
    Listed(&'a Price),
    /// US dollars per hour, as the cloud asks just now.
    Asked(Money),
    /// Nobody can say.
    Unknown,
}

impl Paid<'_> {
    /// For each hour that it runs; nothing of what was paid before.
    pub fn per_hour(self) -> Option<Money> {
        match self {
            Self::Before => Some(Money::ZERO),
            Self::Listed(price) => Some(price.usd),
            Self::Asked(usd) => Some(usd),
            Self::Unknown => None,
        }
    }
}

/// What the prices beneath a line are from.
const SOURCE: &str = "# source: ";

/// Reads the table. A source holds until the next one.
pub(super) fn read(text: &str) -> BTreeMap<(Region, String, Market), Price> {
    let mut source = "";
    let mut out = BTreeMap::new();
    for line in text.lines() {
        if let Some(next) = line.strip_prefix(SOURCE) {
            source = next.trim();
        }
        out.extend(super::rows(line).filter_map(|row| self::row(&row, source)));
    }
    out
}

fn row(words: &[&str], source: &str) -> Option<((Region, String, Market), Price)> {
    let [region, name, market, usd, day] = words else { return None };
    let key = (Region::from(*region), (*name).to_owned(), Market::from_word(market)?);
    let (usd, day) = (Money::new(usd.parse().ok()?), (*day).to_owned());
    Some((key, Price { usd, day, source: source.to_owned() }))
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
            assert!(price.usd > Money::ZERO, "{name}");
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

    #[test]
    fn the_market_decides_what_is_paid() {
        let paid = |market, asked: Option<&str>| {
            let asked = asked.map(|usd| Money::new(usd.parse().expect("a number")));
            let found = Catalog::shipped().paid(&"us-east-1".into(), "p5.48xlarge", market, asked);
            (matches!(found, Paid::Listed(_)), found.per_hour().map(|usd| usd.to_string()))
        };
        let usd = |text: &str| Some(text.to_owned());
        assert_eq!(paid(Market::OnDemand, None), (true, usd("$55.04")));
        assert_eq!(paid(Market::OnDemand, Some("55.04")), (true, usd("$55.04")));
        assert_eq!(paid(Market::OnDemand, Some("50")), (false, usd("$50.00")));
        assert_eq!(paid(Market::Spot, Some("20")), (false, usd("$20.00")));
        assert_eq!(paid(Market::Spot, None), (false, None));
        assert_eq!(paid(Market::Reserved, Some("20")), (false, usd("$0.00")));
        assert_eq!(paid(Market::CapacityBlock, None), (false, usd("$0.00")));
    }
}
