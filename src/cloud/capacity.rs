//! What capacity there is to be had, as far as a cloud tells before it is asked for it.

use std::collections::BTreeMap;

use crate::kinds::{Market, Tags};
use crate::model::{GroupName, Moment, Money, ReservationId, Zone};

/// From so many seconds before its end a Capacity Block is left, as Karpenter does: then AWS says
/// that it ends, ten minutes before it begins to take machines back
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-monitor.html>).
const LEFT: i64 = 40 * 60;
/// From so many seconds before its end AWS takes machines back.
const TAKEN: i64 = 30 * 60;

/// When AWS takes back the machines of a Capacity Block that ends.
pub fn taken_back(ends: Moment) -> Moment {
    Moment(ends.0.saturating_sub(TAKEN * 1000))
}

/// Whether the machines of a Capacity Block that ends should be left by now.
pub fn is_closing(ends: Moment, now: Moment) -> bool {
    now.0 >= ends.0.saturating_sub(LEFT * 1000)
}

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
    /// What fits goes into it without naming it.
    pub open: bool,
    /// The placement group that it was made in: what is launched in it must name that group
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-cpg.html>).
    pub group: Option<GroupName>,
    /// How many nodes it has room for now.
    pub free: u32,
    /// How many it was made for.
    pub total: u32,
    /// When a Capacity Block ends, and its machines with it.
    pub ends: Option<Moment>,
    /// Why nothing can be launched in it now, where that is so.
    pub closed: Option<String>,
    /// It is a Capacity Block that is to be left, because it ends.
    pub leaving: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Reservation {
    /// The same at a moment: nothing is launched any more in a Capacity Block that is to be left.
    #[must_use]
    pub fn at(self, now: Moment) -> Self {
        let soon = self.ends.filter(|ends| is_closing(*ends, now));
        let why = |ends| {
            let taken = taken_back(ends);
            format!("ends at {ends}, and AWS takes its machines back from {taken} on")
        };
        let leaving = soon.is_some();
        Self { closed: self.closed.or_else(|| soon.map(why)), leaving, ..self }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn block(ends: i64) -> Reservation {
        Reservation {
            id: "cr-1".into(),
            market: Market::CapacityBlock,
            instance_type: "p5.48xlarge".to_owned(),
            zone: "us-east-1a".into(),
            open: false,
            group: None,
            free: 4,
            total: 4,
            ends: Some(Moment(ends)),
            closed: None,
            leaving: false,
            tags: Tags::new(),
        }
    }

    #[test]
    fn a_block_is_left_forty_minutes_before_its_end_and_taken_thirty_before() {
        let end = 100 * 60_000;
        assert_eq!(block(end).at(Moment(60 * 60_000 - 1)).closed, None);
        let closed = block(end).at(Moment(60 * 60_000)).closed.expect("closed");
        assert_eq!(
            closed,
            "ends at 1970-01-01T01:40:00Z, and AWS takes its machines back from \
             1970-01-01T01:10:00Z on"
        );
        assert!(block(end).at(Moment(60 * 60_000)).leaving);
        assert!(!block(end).at(Moment(60 * 60_000 - 1)).leaving);
        let full = Reservation { closed: Some("is scheduled".to_owned()), ..block(end) };
        assert_eq!(full.at(Moment(end)).closed.as_deref(), Some("is scheduled"));
        assert_eq!(Reservation { ends: None, ..block(0) }.at(Moment(end)).closed, None);
    }
}
