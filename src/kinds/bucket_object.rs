//! S3 object with a content of ours: what is too long to stand where it is needed.
//!
//! Another content is another object (a new generation of its key), so that whoever was told of
//! the former one still finds it until nobody needs it any more.

use serde::{Deserialize, Serialize};

use super::{Budget, Home, Idempotence, Kind, Tags, Traits};
use crate::model::{BucketArn, CloudId, Link, Text};

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketObject {
    /// The bucket.
    pub bucket: Link<BucketArn>,
    /// Its name in it.
    pub key: String,
    /// What is in it.
    pub content: Text,
    /// Tags; S3 takes ten, of which five are ours.
    pub tags: Tags,
}

impl Kind for BucketObject {
    const TRAITS: Traits = Traits {
        title: "bucket object",
        in_place: &["tags"],
        idempotence: Idempotence::Name,
        // The buckets that may hold one. For each: what is in its bucket, its tags, its content.
        budget: Budget { list: 1, detail: 3 },
        ..Traits::COMMON
    };

    fn name_mut(&mut self) -> Option<&mut String> {
        Some(&mut self.key)
    }

    fn computed_id(&self, _home: &Home) -> Option<CloudId> {
        self.bucket.id().map(|bucket| CloudId(format!("{bucket}/{}", self.key)))
    }

    fn is_precious(&self) -> bool {
        false
    }

    fn claim(&self) -> Option<String> {
        self.bucket.id().map(|bucket| format!("{} in {bucket}", self.key))
    }
}
