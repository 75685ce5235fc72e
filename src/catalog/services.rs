//! Prices of what is no instance: NAT gateways, addresses, volumes.

use std::collections::BTreeMap;

use super::Price;
use crate::model::{Money, Region};

/// What an hour or a month of something is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Each of it, by the hour.
    Hour,
    /// A unit of its size, by the month.
    Month,
}

impl Unit {
    /// The unit of a table's word; `GiB-month` is a month.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "hour" => Some(Self::Hour),
            word if word == "month" || word.ends_with("-month") => Some(Self::Month),
            _ => None,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Month => "month",
        }
    }
}

/// What is paid, by region and name.
pub(super) type Services = BTreeMap<(Region, String), (Unit, Price)>;

/// Reads the table.
pub(super) fn read(text: &str) -> Services {
    super::rows(text).filter_map(|row| self::row(&row)).collect()
}

fn row(words: &[&str]) -> Option<((Region, String), (Unit, Price))> {
    let [region, what, unit, usd, day, source] = words else { return None };
    let usd = Money::new(usd.parse().ok()?);
    let price = Price { usd, day: (*day).to_owned(), source: (*source).to_owned() };
    Some(((Region::from(*region), (*what).to_owned()), (Unit::from_word(unit)?, price)))
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;

    #[test]
    fn every_line_is_read() {
        let text = include_str!("services.csv");
        let table = read(text);
        assert_eq!(rows(text).count(), table.len());
        assert!(table.values().all(|(_, price)| price.usd > Money::ZERO));
    }
}
