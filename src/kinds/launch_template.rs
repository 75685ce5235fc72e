//! Launch template: everything about a node but what it runs on and where; that is its offer's.
//!
//! A template is never changed: another content is another template (a new
//! generation), so that its version 1 always means the same, a replayed launch
//! is exact, and a node is judged by the id of the template it came from.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, KindName, Tags, Traits};
use crate::model::{ImageId, Link, ProfileArn, SecurityGroupId, Text};

/// A launch template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchTemplate {
    /// Its name, unique in the region.
    pub name: String,
    /// The image that nodes boot.
    pub image: ImageId,
    /// The image as the author wrote it; kept as a tag, so that a newer image behind
    /// the same name moves nothing.
    pub image_from: String,
    /// The rights of the node.
    pub profile: Link<ProfileArn>,
    /// Its firewall.
    pub groups: Vec<Link<SecurityGroupId>>,
    /// The root disk.
    pub disk: Disk,
    /// What cloud-init runs, before base64.
    pub user_data: Text,
    /// The metadata service.
    pub metadata: Metadata,
    /// What `shutdown` on the node does: `terminate` ends its bill.
    pub on_shutdown: String,
    /// The version that `$Default` means; always 1.
    pub default_version: i64,
    /// Tags.
    pub tags: Tags,
}

/// User data as it is sent: what is longer than EC2 takes (16 KiB before base64) is
/// compressed, and cloud-init reads both.
pub fn packed(user_data: &str) -> Vec<u8> {
    const LONGEST: usize = 16_384;
    if user_data.len() <= LONGEST {
        return user_data.as_bytes().to_vec();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let written = gzip.write_all(user_data.as_bytes()).and_then(|()| gzip.finish());
    written.unwrap_or_else(|_| user_data.as_bytes().to_vec())
}

/// User data as it was written: [`packed`] undone. None when it is no text, or is more than
/// a megabyte of it.
pub fn unpacked(sent: &[u8]) -> Option<String> {
    const MOST: u64 = 1 << 20;
    if !sent.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(sent.to_vec()).ok();
    }
    let mut text = String::new();
    let read = GzDecoder::new(sent).take(MOST + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= MOST).then_some(text)
}

/// The root disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The device name that the image boots from.
    pub device: String,
    /// GiB.
    pub size: i32,
    /// `gp3`
    pub volume_type: String,
    /// Operations per second.
    pub iops: Option<i32>,
    /// MiB per second.
    pub throughput: Option<i32>,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// The KMS key that encrypts it, where the author chose one.
    #[serde(default)]
    pub kms_key: Option<String>,
}

/// The instance metadata service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// `required`: IMDSv2 only.
    pub tokens: String,
    /// 1: containers behind a bridge do not reach it.
    pub hop_limit: i32,
    /// Tags are readable on the node.
    pub tags: bool,
}

impl Kind for LaunchTemplate {
    const TRAITS: Traits = Traits {
        title: "launch template",
        in_place: &["default_version", "tags"],
        soft: &["profile", "groups"],
        idempotence: Idempotence::Token,
        // What its user data fetches, until no node boots from it any more.
        follows: &[KindName::BucketObject],
        // The contents of all templates come in one more paged list.
        budget: Budget { list: 2, detail: 0 },
        ..Traits::COMMON
    };

    fn name_mut(&mut self) -> Option<&mut String> {
        Some(&mut self.name)
    }
}
