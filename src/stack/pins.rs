//! What lives already and must not move when the world around it changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::Observed;
use crate::kinds::Spec;
use crate::model::{Address, ImageId, Zone};

/// What lives already and must not move when the world around it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// The zones of a network's subnets.
    pub zones: BTreeMap<Address, BTreeSet<Zone>>,
    /// The image of a launch template, and the name that it was found by.
    pub images: BTreeMap<Address, (String, ImageId)>,
}

impl Pins {
    /// Reads them off the cloud.
    pub fn of(observed: &Observed) -> Self {
        let mut pins = Self::default();
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
