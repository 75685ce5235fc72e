//! What a replay takes from a cluster of the stack.

use crate::catalog::Catalog;
use crate::fleet::Pool;
use crate::kinds::{Market, Offer};
use crate::model::{Address, Money, Place};
use crate::stack::Fleet;

use super::args::{Global, VarArgs};
use super::connect;
use super::fleet_world;
use super::halt::Halt;
use super::offers;

/// A cluster, as far as a replay knows clusters.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Accelerators of a node.
    pub gpus: Option<u32>,
    /// The most nodes.
    pub max_nodes: Option<u32>,
    /// Its settings; without a cluster the defaults.
    pub pool: Option<Pool>,
    /// What a node costs per hour, on the best offer that is not on the spot market.
    pub price: Option<Money>,
    /// On the best offer that is.
    pub spot_price: Option<Money>,
}

/// Looks it up in the stack.
pub fn find(global: &Global, vars: &VarArgs, place: &Place) -> Result<Cluster, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, vars).await?;
        let mut ledger = session.read_ledger().await?;
        let observed = session.observe(&mut ledger, false).await?;
        let desired = session.desired(&observed, false).map_err(|all| session.halt(all))?;
        let mut found = desired.fleets.iter().filter(|(address, _)| place.covers(address));
        match found.next() {
            Some((address, fleet)) => Ok(of(address, fleet, &session.tables)),
            None => Err(offers::unknown(place, desired.fleets.keys())),
        }
    })
}

fn of(address: &Address, fleet: &Fleet, catalog: &Catalog) -> Cluster {
    let price = |spot: bool| {
        let offers = fleet.offers.iter().filter(|offer| (offer.market == Market::Spot) == spot);
        offers.filter_map(|offer: &Offer| offer.price).next()
    };
    let gpus = fleet.offers.first().and_then(|offer| catalog.get(&offer.instance_type));
    let gpus = gpus.map(|known| known.accelerators().max(1));
    let plain = Pool::new("cluster.simulated", (fleet.count, fleet.most), gpus.unwrap_or(1));
    let pool = match &fleet.autoscale {
        // A trace has no time of day.
        Some(it) => {
            Pool { schedules: Vec::new(), ..fleet_world::pool((address, fleet), it, catalog) }
        }
        None => plain,
    };
    Cluster {
        gpus,
        max_nodes: Some(fleet.most),
        pool: Some(pool),
        price: price(false),
        spot_price: price(true),
    }
}
