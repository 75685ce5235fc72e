//! Placement group.

use serde::{Deserialize, Serialize};

use super::{Home, Idempotence, Kind, Tags, Traits};
use crate::model::CloudId;

/// A placement group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementGroup {
    /// Its name, unique in the region.
    pub name: String,
    /// `cluster`: close together, for the least latency between nodes.
    pub strategy: String,
    /// Tags.
    pub tags: Tags,
}

impl Kind for PlacementGroup {
    const TRAITS: Traits =
        Traits { title: "placement group", idempotence: Idempotence::Name, ..Traits::COMMON };

    fn name_mut(&mut self) -> Option<&mut String> {
        Some(&mut self.name)
    }

    fn computed_id(&self, home: &Home) -> Option<CloudId> {
        Some(CloudId(home.arn("ec2", &format!("placement-group/{}", self.name))))
    }

    fn claim(&self) -> Option<String> {
        Some(format!("placement group {}", self.name))
    }
}
