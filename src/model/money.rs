//! Sums of money, in US dollars: exact decimals, since a bill is added up from thousands of
//! parts.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// US dollars. In JSON a string, so that no reader rounds it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(Decimal);

/// Hours of a month as AWS's own calculator counts them: 365 × 24 / 12
/// (<https://docs.aws.amazon.com/pricing-calculator/latest/userguide/getting-started.html>).
const HOURS: Decimal = Decimal::from_parts(730, 0, 0, false, 0);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// So many dollars.
    pub fn new(dollars: Decimal) -> Self {
        Self(dollars.normalize())
    }

    /// The number of dollars.
    pub fn dollars(self) -> Decimal {
        self.0
    }

    /// What so much an hour is in a month.
    pub fn per_month(self) -> Self {
        Self::new(self.0 * HOURS)
    }

    /// What so much a month is in an hour.
    pub fn per_hour(self) -> Self {
        Self::new(self.0 / HOURS)
    }

    /// How much it is as a part of another sum, for a picture; nothing of nothing.
    pub fn ratio(self, whole: Self) -> f64 {
        let ratio = self.0.checked_div(whole.0).and_then(|ratio| ratio.to_f64());
        ratio.unwrap_or(0.0)
    }

    /// A part of it; none of nothing.
    pub fn over(self, parts: u32) -> Option<Self> {
        self.0.checked_div(Decimal::from(parts)).map(Self::new)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.0 + other.0)
    }
}

impl Mul<u32> for Money {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self::new(self.0 * Decimal::from(times))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// With cents; below a dollar with as many digits as it takes to tell it from nothing.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.0 != Decimal::ZERO && self.0.abs() < Decimal::ONE;
        let mut shown = self.0.round_dp(if small { 4 } else { 2 });
        if shown.scale() < 2 {
            shown.rescale(2);
        }
        let digits = shown.abs().to_string();
        let (whole, cents) = digits.split_once('.').unwrap_or((&digits, "00"));
        let sign = if shown.is_sign_negative() && !shown.is_zero() { "-" } else { "" };
        write!(f, "{sign}$")?;
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                write!(f, ",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{cents}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::new(text.parse().expect("a number"))
    }

    #[test]
    fn sums_are_exact_and_read_well() {
        let shown = |text: &str| money(text).to_string();
        assert_eq!(shown("0"), "$0.00");
        assert_eq!(shown("55.04"), "$55.04");
        assert_eq!(shown("0.0104"), "$0.0104");
        assert_eq!(shown("0.5"), "$0.50");
        assert_eq!(shown("1234567.891"), "$1,234,567.89");
        assert_eq!(shown("-12.5"), "-$12.50");
        let dime = money("0.1");
        assert_eq!((0..10).map(|_| dime).sum::<Money>(), money("1"));
        assert_eq!(money("55.04") * 16, money("880.64"));
        assert_eq!(money("1").per_month(), money("730"));
        assert_eq!(money("730").per_hour(), money("1"));
        assert_eq!(money("55.04").over(8), Some(money("6.88")));
        assert_eq!(money("55.04").over(0), None);
    }

    #[test]
    fn in_json_it_is_text() {
        let json = serde_json::to_string(&money("21.957642")).expect("JSON");
        assert_eq!(json, "\"21.957642\"");
        assert_eq!(serde_json::from_str::<Money>(&json).ok(), Some(money("21.957642")));
    }
}
