//! Sums of money that saturate: prices come from outside and may be absurd.

use crate::model::Money;

/// So many times a price; none where no decimal holds it.
pub(super) fn times_of(price: Money, times: u32) -> Option<Money> {
    price.dollars().checked_mul(times.into()).map(Money::new)
}

/// The sum of two amounts, or the larger where no decimal holds it.
pub(super) fn add(one: Money, other: Money) -> Money {
    one.dollars().checked_add(other.dollars()).map_or(one.max(other), Money::new)
}
