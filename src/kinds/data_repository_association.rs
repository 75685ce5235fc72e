//! What ties a Lustre file system to a bucket.

use serde::{Deserialize, Serialize};

use super::{Idempotence, Kind, Tags, Traits};
use crate::model::{BucketArn, FileSystemId, Link};

/// A data repository association.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRepositoryAssociation {
    /// The file system.
    pub file_system: Link<FileSystemId>,
    /// The folder of it that shows the bucket.
    pub path: String,
    /// The bucket.
    pub bucket: Link<BucketArn>,
    /// What goes over by itself: one call sets both ways.
    pub events: Events,
    /// Tags.
    pub tags: Tags,
}

/// Which changes go over by themselves: `NEW`, `CHANGED`, `DELETED`, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// From the bucket to the file system.
    pub import: Vec<String>,
    /// From the file system to the bucket.
    pub export: Vec<String>,
}

impl Kind for DataRepositoryAssociation {
    const TRAITS: Traits = Traits {
        title: "data repository association",
        in_place: &["events", "tags"],
        idempotence: Idempotence::Token,
        ready_within: 1800,
        ..Traits::COMMON
    };

    fn claim(&self) -> Option<String> {
        // Folders of two associations must not overlap.
        self.file_system.id().map(|id| format!("{} of {id}", self.path))
    }
}
