//! What capacity there is: reservations, prices on spot, quotas.

use std::collections::BTreeSet;

use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{CapacityReservation, InstanceType};
use rust_decimal::Decimal;

use super::{Aws, ec2, pages};
use crate::cloud::{Ask, Class, Failure, Reservation, SpotPrice, SpotPrices, Wish};
use crate::kinds::{Home, Market};
use crate::model::{GroupName, Moment, Money, ReservationId, Zone};

/// What a reservation is. Those for other systems, on hardware of one's own or in a placement
/// group that only another account can name are closed.
fn read(home: &Home, found: CapacityReservation) -> Option<Reservation> {
    let state = found.state.as_ref().map_or("unknown", |state| state.as_str()).to_owned();
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    let platform = word(found.instance_platform.as_ref().map(|it| it.as_str()));
    let tenancy = word(found.tenancy.as_ref().map(|it| it.as_str()));
    let group = found.placement_group_arn.filter(|arn| !arn.is_empty());
    let owner = group.as_deref().and_then(|arn| arn.split(':').nth(4));
    let closed = if state != "active" {
        let from = found.start_date.and_then(|at| at.fmt(DateTimeFormat::DateTime).ok());
        let from = from.filter(|_| state == "scheduled" || state == "pending");
        Some(format!("is {state}{}", from.map(|at| format!(" until {at}")).unwrap_or_default()))
    } else if !platform.is_empty() && platform != "Linux/UNIX" {
        Some(format!("is for {platform}"))
    } else if tenancy == "dedicated" {
        Some("is for dedicated instances".to_owned())
    } else {
        let other = owner.filter(|owner| *owner != home.account.as_str());
        other.map(|owner| format!("is in a placement group of account {owner}"))
    };
    let block = found.reservation_type.as_ref().is_some_and(|it| it.as_str() == "capacity-block");
    let count = |number: Option<i32>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    Some(Reservation {
        id: ReservationId(found.capacity_reservation_id?),
        market: if block { Market::CapacityBlock } else { Market::Reserved },
        instance_type: found.instance_type?,
        zone: Zone(found.availability_zone?),
        open: found.instance_match_criteria.as_ref().is_some_and(|it| it.as_str() == "open"),
        group: group.map(GroupName),
        free: count(found.available_instance_count),
        total: count(found.total_instance_count),
        ends: found.end_date.filter(|_| block).and_then(|at| at.to_millis().ok()).map(Moment),
        closed,
        leaving: false,
        tags: ec2::tags_of(found.tags),
    })
}

impl Aws {
    /// Capacity that is kept for the account. There is no filter for tags.
    pub(super) async fn reservations(&self, ask: &Ask) -> Result<Vec<Reservation>, Failure> {
        let answer = match ask.reservations {
            Wish::No => return Ok(Vec::new()),
            Wish::Welcome | Wish::Needed => self.all_reservations().await,
        };
        let all = match answer {
            // What is only good to know stops nobody, whatever hinders it.
            Err(failure) if ask.reservations == Wish::Welcome => {
                tracing::debug!(code = failure.code, "reservations cannot be seen");
                return Ok(Vec::new());
            }
            answer => answer?,
        };
        let ended = ["expired", "cancelled", "failed", "payment-failed"];
        let stands = |found: &CapacityReservation| {
            !ended.contains(&found.state.as_ref().map_or("", |state| state.as_str()))
        };
        let mut out: Vec<_> =
            all.into_iter().filter(stands).filter_map(|found| read(self.home(), found)).collect();
        out.iter_mut().for_each(|found| *found = found.clone().at(ask.at));
        out.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(out)
    }

    async fn all_reservations(&self) -> Result<Vec<CapacityReservation>, Failure> {
        let request = || self.ec2.describe_capacity_reservations().max_results(1000);
        Ok(pages!(self, "ec2:DescribeCapacityReservations", request(), capacity_reservations))
    }

    /// What spot costs now. Who may not ask still may launch: its prices are then unknown.
    pub(super) async fn spot_prices(&self, ask: &Ask) -> Result<SpotPrices, Failure> {
        if ask.spot.is_empty() {
            return Ok(SpotPrices::new());
        }
        match self.spot_history(&ask.spot, ask.at.0 / 1000).await {
            Err(failure) if failure.class == Class::Denied => {
                tracing::warn!(
                    api = failure.api,
                    code = failure.code,
                    "prices on spot are unknown"
                );
                Ok(SpotPrices::new())
            }
            answer => answer,
        }
    }

    /// From now on: AWS then tells the prices that hold, and no history. Of all types where
    /// none is named.
    pub(super) async fn spot_history(
        &self,
        types: &BTreeSet<String>,
        now: i64,
    ) -> Result<SpotPrices, Failure> {
        let types: Vec<_> = types.iter().map(|name| InstanceType::from(name.as_str())).collect();
        let request = || {
            self.ec2
                .describe_spot_price_history()
                .set_instance_types((!types.is_empty()).then(|| types.clone()))
                .product_descriptions("Linux/UNIX")
                .start_time(DateTime::from_secs(now))
                .max_results(1000)
        };
        let all = pages!(self, "ec2:DescribeSpotPriceHistory", request(), spot_price_history);
        let mut newest = std::collections::BTreeMap::new();
        for one in all {
            let (Some(kind), Some(zone), Some(price), Some(at)) =
                (one.instance_type, one.availability_zone, one.spot_price, one.timestamp)
            else {
                continue;
            };
            let Ok(usd) = price.parse::<Decimal>() else { continue };
            let day = at.fmt(DateTimeFormat::DateTime).unwrap_or_default();
            let day = day.split('T').next().unwrap_or_default().to_owned();
            let entry = (at.secs(), SpotPrice { usd: Money::new(usd), day });
            let key = (kind.as_str().to_owned(), Zone(zone));
            let newer = newest.get(&key).is_none_or(|(old, _): &(i64, SpotPrice)| *old < at.secs());
            if newer {
                newest.insert(key, entry);
            }
        }
        Ok(newest.into_iter().map(|(key, (_, price))| (key, price)).collect())
    }
}
