//! What capacity there is to be had, as far as a cloud tells before it is asked for it.

use std::collections::BTreeMap;

use crate::kinds::{Market, Tags};
use crate::model::{Money, ReservationId, Zone};

/// Capacity that is kept for this account: an on-demand reservation or a Capacity Block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// Which of the two it is.
    pub market: Market,
    /// Of which type its nodes are.
    pub instance_type: String,
    /// Where.
    pub zone: Zone,
    /// How many nodes it has room for now.
    pub free: u32,
    /// How many it was made for.
    pub total: u32,
    /// Why nothing can be launched in it now, where that is so.
    pub closed: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// What a node on spot costs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotPrice {
    /// US dollars per hour.
    pub usd: Money,
    /// Since which day.
    pub day: String,
}

/// Prices on spot by instance type and zone.
pub type SpotPrices = BTreeMap<(String, Zone), SpotPrice>;
