//! Whether there is room for a launch: quotas, capacity, reservations, prices.

use super::look;
use super::rules::{Caller, refuse};
use super::supply::Kept;
use crate::catalog::Catalog;
use crate::cloud::{Class, Failure, Launch};
use crate::kinds::{KindName, Market, Node, Spec};
use crate::model::{GroupName, Link, ReservationId};

impl Caller<'_> {
    /// How many nodes of a launch start: all of them, or as many as can be had.
    pub(super) fn room(&self, api: &str, launch: &Launch) -> Result<u32, Failure> {
        let (offer, settings) = (&launch.offer, &self.world.settings);
        let (name, zone) = (&offer.instance_type, &offer.zone);
        let open = settings.zones_of(self.region).contains(zone);
        if !open || !settings.offers(name, zone) {
            let text = format!("Your requested instance type ({name}) is not supported in {zone}");
            return Err(refuse(Class::Capacity, api, "Unsupported", text));
        }
        self.quota(api, KindName::Node, u64::from(launch.count))?;
        self.vcpus(api, launch)?;
        self.price(api, launch)?;
        if let Some(id) = &offer.reservation {
            return self.reserved(api, launch, id);
        }
        let all = settings.capacity_of(name, zone, None);
        let all = all.map(|room| room.saturating_sub(self.world.crowd(name, zone)));
        let own = settings.capacity_of(name, zone, Some(offer.market));
        let own = own.map(|room| room.saturating_sub(self.beside(launch)));
        let free = all.into_iter().chain(own).min().unwrap_or_else(|| u64::from(launch.count));
        grant(launch, free).ok_or_else(|| {
            let text = format!("We currently do not have sufficient {name} capacity in {zone}");
            refuse(Class::Capacity, api, "InsufficientInstanceCapacity", text)
        })
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let here = self.world.objects.values();
        here.filter(|object| object.stands() && object.region == *self.region)
            .filter_map(|it| if let Spec::Node(node) = &it.spec { Some(node) } else { None })
    }

    /// How many nodes of an offer's type, zone and market run.
    fn beside(&self, launch: &Launch) -> u64 {
        let offer = &launch.offer;
        let same = |node: &&Node| {
            (&node.instance_type, &node.zone, node.market)
                == (&offer.instance_type, &offer.zone, offer.market)
        };
        self.nodes().filter(same).count() as u64
    }

    /// How many nodes a reservation still has room for.
    pub(super) fn free_in(&self, id: &str, total: u32) -> u32 {
        let inside = |node: &&Node| node.reservation.as_ref().is_some_and(|it| it.as_str() == id);
        let taken = self.nodes().filter(inside).count();
        total.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// The placement group that a reservation was made in.
    pub(super) fn group_of(&self, kept: &Kept) -> Option<GroupName> {
        let home = look::home(self.world, self.region);
        let arn = |name| home.arn("ec2", &format!("placement-group/{name}"));
        kept.placement.as_ref().map(|name| GroupName(arn(name)))
    }

    /// The same of the reservation that a launch names.
    pub(super) fn group_kept(&self, launch: &Launch) -> Option<GroupName> {
        let id = launch.offer.reservation.as_ref()?;
        self.group_of(self.world.settings.supply.reservations.get(id.as_str())?)
    }

    fn reserved(&self, api: &str, launch: &Launch, id: &ReservationId) -> Result<u32, Failure> {
        let offer = &launch.offer;
        let Some(kept) = self.world.settings.supply.reservations.get(id.as_str()) else {
            let text = format!("The capacity reservation '{id}' does not exist");
            let code = "InvalidCapacityReservationId.NotFound";
            return Err(refuse(Class::Invalid, api, code, text));
        };
        if (&kept.instance_type, &kept.zone, kept.market)
            != (&offer.instance_type, &offer.zone, offer.market)
        {
            let text = format!("{id} is for {} in {}", kept.instance_type, kept.zone);
            return Err(refuse(Class::Invalid, api, "InvalidParameterCombination", text));
        }
        // EC2's own words for it are not published.
        if let Some(group) = self.group_of(kept)
            && offer.placement.as_ref().and_then(Link::id) != Some(&group)
        {
            let text = format!("{id} is in the placement group {group}");
            return Err(refuse(Class::Invalid, api, "InvalidParameterCombination", text));
        }
        grant(launch, u64::from(self.free_in(id.as_str(), kept.total))).ok_or_else(|| {
            let text = format!("{id} does not have sufficient capacity");
            refuse(Class::Capacity, api, "ReservationCapacityExceeded", text)
        })
    }

    fn vcpus(&self, api: &str, launch: &Launch) -> Result<(), Failure> {
        let supply = &self.world.settings.supply;
        let offer = &launch.offer;
        let quota = Catalog::quota(&offer.instance_type, offer.market);
        let Some((quota, most)) =
            quota.and_then(|quota| Some((quota, *supply.vcpus.get(&quota.code)?)))
        else {
            return Ok(());
        };
        let each = |name: &str| Catalog::shipped().get(name).map_or(0, |it| u64::from(it.vcpus));
        let same = |node: &&Node| {
            Catalog::quota(&node.instance_type, node.market).is_some_and(|it| it == quota)
        };
        let used: u64 = self.nodes().filter(same).map(|node| each(&node.instance_type)).sum();
        if used + each(&offer.instance_type) * u64::from(launch.count) <= most {
            return Ok(());
        }
        let code = match offer.market {
            Market::Spot => "MaxSpotInstanceCountExceeded",
            Market::OnDemand | Market::Reserved | Market::CapacityBlock => "VcpuLimitExceeded",
        };
        let text = format!(
            "You have requested more vCPU capacity than your current vCPU limit of {most} allows"
        );
        Err(refuse(Class::Quota, api, code, text))
    }

    fn price(&self, api: &str, launch: &Launch) -> Result<(), Failure> {
        let offer = &launch.offer;
        if offer.market != Market::Spot {
            return Ok(());
        }
        let now = self.world.settings.supply.spot(self.region, &offer.instance_type, &offer.zone);
        match (now, offer.max_price) {
            (Some(now), Some(most)) if now.usd > most => {
                let text =
                    format!("Your Spot request price is lower than the minimum, {}", now.usd);
                Err(refuse(Class::Capacity, api, "SpotMaxPriceTooLow", text))
            }
            (_, _) => Ok(()),
        }
    }
}

/// How many of a launch there is room for; none when that will not do.
fn grant(launch: &Launch, free: u64) -> Option<u32> {
    let fits = u32::try_from(free).unwrap_or(u32::MAX).min(launch.count);
    (fits == launch.count || (!launch.whole && fits > 0)).then_some(fits)
}
