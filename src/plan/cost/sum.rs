//! Sums of what is billed by the hour and by the month, kept apart so that both stay exact.

use std::iter::Sum as Summed;
use std::ops::Add;

use crate::model::Money;

/// At which point a bill is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the plan.
    Before,
    /// After it.
    After,
    /// After it, with as few nodes as every cluster may have.
    Floor,
    /// After it, with as many.
    Ceiling,
}

impl When {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Floor, Self::Ceiling];

    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        }
    }
}

/// What a number of things cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Per hour, of what is billed by the hour.
    pub hourly: Money,
    /// Per month, of what is billed by the month.
    pub monthly: Money,
    /// How many of them have a price that is not known, or not wholly.
    pub unknown: u32,
}

impl Sum {
    /// Per hour. A month has 730.
    pub fn per_hour(self) -> Money {
        self.hourly + self.monthly.per_hour()
    }

    /// Per month of 730 hours.
    pub fn per_month(self) -> Money {
        self.hourly.per_month() + self.monthly
    }

    /// Every price in it is known.
    pub fn is_whole(self) -> bool {
        self.unknown == 0
    }
}

impl Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hourly: self.hourly + other.hourly,
            monthly: self.monthly + other.monthly,
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }
}

impl Summed for Sum {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}
