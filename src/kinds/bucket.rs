//! S3 bucket with its settings.

use serde::{Deserialize, Serialize};

use super::{Budget, Home, Idempotence, Kind, Tags, Traits};
use crate::model::{CloudId, Text};

/// A bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Its name, unique in the partition. A name that ends in `-<account>-<region>-an`
    /// lies in the account's own namespace, which nobody else can take.
    pub name: String,
    /// Keeps former versions of every object.
    pub versioning: bool,
    /// How objects are encrypted at rest.
    pub encryption: Option<Encryption>,
    /// All four switches of Block Public Access.
    pub public_access_block: bool,
    /// `BucketOwnerEnforced`: no access control lists.
    pub ownership: Option<String>,
    /// The bucket policy, as canonical JSON.
    pub policy: Option<Text>,
    /// What expires when.
    pub lifecycle: Vec<LifecycleRule>,
    /// Whether its contents forbid deleting it; kept as a tag, because a block that was
    /// removed from the configuration can no longer say so.
    pub precious: bool,
    /// Tags.
    pub tags: Tags,
}

/// Encryption at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// `AES256` or `aws:kms`.
    pub algorithm: String,
    /// The KMS key; none for the AWS managed one.
    pub key: Option<String>,
}

/// One lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// Its name.
    pub id: String,
    /// Objects it applies to; empty for all.
    pub prefix: String,
    /// Days after which an object expires.
    pub expire_days: Option<i32>,
    /// Days after which a former version is deleted.
    pub noncurrent_days: Option<i32>,
    /// Days after which an unfinished upload is dropped.
    pub abort_upload_days: Option<i32>,
}

impl Kind for Bucket {
    const TRAITS: Traits = Traits {
        title: "bucket",
        in_place: &[
            "versioning",
            "encryption",
            "public_access_block",
            "ownership",
            "policy",
            "lifecycle",
            "precious",
            "tags",
        ],
        idempotence: Idempotence::Name,
        // Tags, versioning, encryption, public access, ownership, policy, lifecycle, contents.
        budget: Budget { list: 1, detail: 8 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        // AWS's own defaults are safe by now; they are written all the same, and read back.
        Self {
            versioning: false,
            encryption: None,
            public_access_block: false,
            ownership: None,
            policy: None,
            lifecycle: Vec::new(),
            ..self.clone()
        }
    }

    fn computed_id(&self, home: &Home) -> Option<CloudId> {
        Some(CloudId(home.arn("s3", &self.name)))
    }

    fn is_precious(&self) -> bool {
        self.precious
    }

    fn claim(&self) -> Option<String> {
        Some(format!("bucket {}", self.name))
    }
}
