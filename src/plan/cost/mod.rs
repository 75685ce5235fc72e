//! What a stack costs: what is paid for, how much of it there is before a plan and after it.
//!
//! A pure function of what is wanted, what is there, the plan and the prices. What has no
//! known price is named and never counted as nothing; what is paid by use is named and not
//! counted at all. List prices: discounts, taxes and traffic are not in it.

mod charges;
mod sum;
mod tally;

pub use sum::{Sum, When};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Price};
use crate::cloud::Observed;
use crate::kinds::Plan;
use crate::model::{Address, Money, Region};
use crate::stack::Desired;

/// Where prices are looked up.
#[derive(Clone, Copy, Debug)]
pub struct Prices<'a> {
    /// The tables.
    pub catalog: &'a Catalog,
    /// The region.
    pub region: &'a Region,
}

/// What a stack costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// One line for what is alike at an address, in the order of addresses.
    pub lines: Vec<Line>,
}

/// A number of like things that are paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where they are declared.
    pub address: Address,
    /// What they are, in a few words.
    pub what: String,
    /// What one costs.
    pub rate: Rate,
    /// How many there are now.
    pub before: u32,
    /// How many there are once the plan was carried out.
    pub after: u32,
    /// How many there are then at least: of a fleet that follows its queue, its smallest size.
    pub floor: u32,
    /// How many there may be then.
    pub ceiling: u32,
}

/// What one thing costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rate {
    /// Per hour, of what AWS bills by the hour.
    pub hourly: Money,
    /// Per month, of what AWS bills by the month.
    pub monthly: Money,
    /// What of it has no known price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What of it is paid by use, and is not in these figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_use: Option<String>,
    /// It was paid already: a node in a reservation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepaid: bool,
    /// Where these figures are from.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub origins: BTreeSet<Origin>,
}

/// Where a price is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The day on which it was read; none for what was asked just now.
    pub day: Option<String>,
    /// Where it was read.
    pub source: String,
}

impl From<&Price> for Origin {
    fn from(price: &Price) -> Self {
        Self { day: Some(price.day.clone()), source: price.source.clone() }
    }
}

/// What the stack costs before the plan and after it.
pub fn bill(desired: &Desired, observed: &Observed, plan: &Plan, prices: Prices<'_>) -> Bill {
    tally::of(desired, observed, plan, prices)
}

impl Bill {
    /// The sum of all lines.
    pub fn sum(&self, when: When) -> Sum {
        self.lines.iter().map(|line| line.sum(when)).sum()
    }

    /// Lines by the block that they belong to.
    pub fn blocks(&self) -> BTreeMap<Address, Vec<&Line>> {
        let mut out: BTreeMap<Address, Vec<&Line>> = BTreeMap::new();
        for line in &self.lines {
            out.entry(line.address.owner()).or_default().push(line);
        }
        out
    }

    /// Where the prices in it are from.
    pub fn origins(&self) -> BTreeSet<&Origin> {
        self.lines.iter().flat_map(|line| &line.rate.origins).collect()
    }

    /// Nothing in it is paid for, at any time.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Line {
    /// How many there are.
    pub fn count(&self, when: When) -> u32 {
        match when {
            When::Before => self.before,
            When::After => self.after,
            When::Floor => self.floor,
            When::Ceiling => self.ceiling,
        }
    }

    /// What they cost.
    pub fn sum(&self, when: When) -> Sum {
        let count = self.count(when);
        let unknown = if self.rate.unknown.is_empty() { 0 } else { count };
        Sum { hourly: self.rate.hourly * count, monthly: self.rate.monthly * count, unknown }
    }
}
