//! What the simulated region sells: every type of the shipped table that a zone of it offers,
//! at the shipped prices of the first region or at those that are set.

use super::Region;
use super::refusal::{broken, refusal};
use super::world::World;
use crate::catalog::{Catalog, Fresh, unit_of};
use crate::cloud::Failure;
use crate::kinds::Market;
use crate::model::{Money, Region as RegionName};

/// Who tells.
const SOURCE: &str = "the simulated region";
/// Where a region without prices of its own has them from.
const FIRST: &str = "us-east-1";

impl Region {
    /// Answers what `mlinfra catalog refresh` asks, on a day of the caller's.
    pub async fn survey(&self, day: &str) -> Result<Fresh, Failure> {
        const APIS: [&str; 4] = [
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstanceTypeOfferings",
            "ec2:DescribeSpotPriceHistory",
            "pricing:GetProducts",
        ];
        self.travel(2 * APIS.len() as u64).await;
        let mut inner = self.inner();
        for api in APIS {
            inner.count(api, 1);
            if let Some(failure) = inner.fault(api, false)?.and_then(|fault| refusal(fault, api)) {
                return Err(failure);
            }
        }
        let told = inner.turn(|world, _| (sold(world, self.name(), day), None));
        told.map_err(|why| broken(APIS[0], &why))
    }
}

fn sold(world: &World, region: &RegionName, day: &str) -> Fresh {
    let (settings, shipped) = (&world.settings, Catalog::shipped());
    let mut out = Fresh::new(region.clone(), day.to_owned(), SOURCE.to_owned());
    let set = |name: &str| settings.supply.prices.get(name).copied().map(Money::new);
    let first = RegionName::from(FIRST);
    for found in shipped.types() {
        let all = settings.zones_of(region);
        let zones: Vec<_> =
            all.into_iter().filter(|zone| settings.offers(&found.name, zone)).collect();
        if zones.is_empty() {
            continue;
        }
        let listed = |at: &RegionName| {
            shipped.price(at, &found.name, Market::OnDemand).map(|price| price.usd)
        };
        let price = set(&found.name).or_else(|| listed(region)).or_else(|| listed(&first));
        out.prices.extend(price.map(|usd| (found.name.clone(), usd)));
        for zone in &zones {
            let spot = settings.supply.spot(region, &found.name, zone);
            out.spot.extend(spot.map(|spot| ((found.name.clone(), zone.clone()), spot.usd)));
        }
        out.zones.insert(found.name.clone(), zones.into_iter().collect());
        out.types.insert(found.name.clone(), found.clone());
    }
    for (name, (unit, price)) in shipped.services(&first) {
        out.services.insert(name.to_owned(), (*unit, price.usd));
    }
    for (name, usd) in &settings.supply.prices {
        let unit = unit_of(name).map(|unit| (unit, Money::new(*usd)));
        out.services.extend(unit.map(|found| (name.clone(), found)));
    }
    out
}
