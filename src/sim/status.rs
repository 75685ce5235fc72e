//! What `mlinfra sandbox status` shows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::region::Region;
use crate::cloud::Phase;
use crate::kinds::KindName;
use crate::model::tags;

/// The world at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Simulated milliseconds since it began.
    pub now_ms: u64,
    /// Every setting, as text.
    pub settings: Vec<(String, String)>,
    /// Region → stack (empty for nobody's) → kind → how many.
    pub objects: BTreeMap<String, BTreeMap<String, BTreeMap<KindName, u64>>>,
    /// How many of them are being made or deleted.
    pub moving: u64,
}

impl Region {
    /// The world at a glance.
    pub fn status(&self) -> Status {
        let mut status = Status {
            settings: self.settings().list(),
            now_ms: self.now(),
            objects: BTreeMap::new(),
            moving: 0,
        };
        for object in self.snapshot() {
            let stack = object.tags.get(tags::STACK).cloned().unwrap_or_default();
            let region = status.objects.entry(object.region.to_string()).or_default();
            *region.entry(stack).or_default().entry(object.kind).or_default() += 1;
            status.moving += u64::from(matches!(object.phase, Phase::Pending | Phase::Leaving));
        }
        status
    }
}
