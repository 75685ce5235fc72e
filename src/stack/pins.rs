//! What lives already and must not move when the world around it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::Tables;
use crate::cloud::Observed;
use crate::kinds::{Setback, Spec};
use crate::lang::Lock;
use crate::model::{Address, ImageId, ReservationId, Zone};

use super::names::Origins;

/// What lives already and must not move when the world around it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// The zones of a network's subnets.
    pub zones: BTreeMap<Address, BTreeSet<Zone>>,
    /// The image of a launch template, and the name that it was found by.
    pub images: BTreeMap<Address, (String, ImageId)>,
    /// How many nodes of a cluster stand, by the reservation that pays for them.
    pub nodes: BTreeMap<Address, BTreeMap<Option<ReservationId>, u32>>,
    /// Where spot took nodes back of late, by instance type and zone.
    pub setbacks: BTreeMap<(String, Zone), Setback>,
    /// Objects whose names were computed from an address that they had before.
    pub origins: Arc<Origins>,
    /// Hardware and prices as they are known in the stack's region.
    pub tables: Tables,
    /// The images that `mlinfra.lock.hcl` pins.
    pub lock: Lock,
}

impl Pins {
    /// Reads them off the cloud.
    pub fn of(observed: &Observed) -> Self {
        let (origins, setbacks) = (Arc::new(origins(observed)), observed.setbacks());
        let mut pins = Self { origins, setbacks, ..Self::default() };
        for live in observed.live.values().filter(|live| live.phase.stands()) {
            if let Some(Spec::Node(node)) = live.spec() {
                let nodes = pins.nodes.entry(live.owner.address.owner()).or_default();
                *nodes.entry(node.reservation.clone()).or_default() += 1;
            }
        }
        for live in observed.live.values().filter(|live| live.is_usable()) {
            let address = &live.owner.address;
            if let Some(Spec::Subnet(subnet)) = live.spec() {
                let zones = pins.zones.entry(address.owner()).or_default();
                zones.insert(subnet.zone.clone());
            }
            if let Some(Spec::LaunchTemplate(template)) = live.spec() {
                let image = (template.image_from.clone(), template.image.clone());
                pins.images.insert(address.clone(), image);
            }
        }
        pins
    }
}

/// By the tags of what lives: of several objects at an address the newest one's.
fn origins(observed: &Observed) -> Origins {
    let mut newest: BTreeMap<&Address, u32> = BTreeMap::new();
    let mut origins = Origins::new();
    for live in observed.live.values().filter(|live| live.is_usable()) {
        let (address, generation) = (&live.owner.address, live.owner.generation);
        if newest.get(address).is_some_and(|found| *found > generation) {
            continue;
        }
        newest.insert(address, generation);
        match &live.owner.named {
            Some(named) if named != address => origins.insert(address.clone(), named.clone()),
            Some(_) | None => origins.remove(address),
        };
    }
    origins
}
