//! The ledger on S3: the six calls of [`Objects`], each with the owner that is expected.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::{Aws, failure, timeouts};
use crate::cloud::{Class, Failure};
use crate::ledger::{Blob, Miss, Objects, Version};
use crate::model::{AccountId, Region};

/// Where a ledger is kept.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The bucket.
    pub bucket: String,
    /// The folder in it.
    pub folder: String,
    /// The bucket's region.
    pub region: Region,
    /// Whose the bucket must be; the caller's when none is named.
    pub account: Option<AccountId>,
    /// The key that encrypts it.
    pub kms_key: Option<String>,
    /// How long a lock lasts: no attempt of a call may take a quarter of it.
    pub lease: Duration,
}

/// A folder of a bucket.
#[derive(Debug)]
pub struct Bucket {
    s3: aws_sdk_s3::Client,
    shelf: Shelf,
    owner: String,
}

/// What a failed call says about its condition. The codes decide: the SDK has repeated
/// what it takes for harmless by now, and never a conflict.
fn miss(failure: &Failure) -> Miss {
    match (failure.code.as_str(), failure.class) {
        ("PreconditionFailed" | "HTTP 412", _) => Miss::Condition,
        ("ConditionalRequestConflict" | "OperationAborted" | "HTTP 409", _) => Miss::Conflict,
        (_, Class::Throttled | Class::Unavailable | Class::Settling) => {
            Miss::Unanswered(failure.to_string())
        }
        (
            _,
            Class::InUse
            | Class::Capacity
            | Class::Quota
            | Class::Denied
            | Class::Expired
            | Class::Exists
            | Class::Gone
            | Class::Mismatch
            | Class::Invalid
            | Class::Unknown,
        ) => Miss::Refused(failure.to_string()),
    }
}

fn is_absent(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), "NoSuchKey" | "NotFound" | "HTTP 404")
}

fn version(api: &str, e_tag: Option<String>) -> Result<Version, Miss> {
    let told = e_tag.map(Version);
    told.ok_or_else(|| Miss::Refused(failure::strange(api, "it has no ETag").to_string()))
}

impl Aws {
    /// A folder of a bucket, to keep a ledger in.
    pub fn bucket(&self, shelf: Shelf) -> Bucket {
        let attempt = (shelf.lease.as_secs() / 4).clamp(1, 10);
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(aws_config::Region::new(shelf.region.0.clone()))
            .force_path_style(self.path_style)
            .timeout_config(timeouts(attempt))
            .interceptor(self.counter.clone());
        let owner = shelf.account.as_ref().unwrap_or(&self.home().account).0.clone();
        Bucket { s3: aws_sdk_s3::Client::from_conf(config.build()), shelf, owner }
    }
}

impl Bucket {
    fn key(&self, key: &str) -> String {
        format!("{}/{key}", self.shelf.folder)
    }

    async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        unless: Option<&Version>,
    ) -> Result<Version, Miss> {
        const API: &str = "s3:PutObject";
        let request = self
            .s3
            .put_object()
            .bucket(&self.shelf.bucket)
            .key(self.key(key))
            .expected_bucket_owner(&self.owner)
            .content_type("application/json")
            .body(ByteStream::from(bytes.to_vec()));
        let request = match &self.shelf.kms_key {
            Some(key) => request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key.as_str()),
            None => request,
        };
        let request = match unless {
            None => request.if_none_match("*"),
            Some(Version(e_tag)) => request.if_match(e_tag),
        };
        match request.send().await.map_err(|error| failure::of(API, &error)) {
            Ok(PutObjectOutput { e_tag, .. }) => version(API, e_tag),
            // What was to be replaced is not there.
            Err(failure) if unless.is_some() && is_absent(&failure) => Err(Miss::Condition),
            Err(failure) => Err(miss(&failure)),
        }
    }
}

#[async_trait]
impl Objects for Bucket {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.shelf.bucket, self.shelf.folder)
    }

    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss> {
        const API: &str = "s3:GetObject";
        let request = self
            .s3
            .get_object()
            .bucket(&self.shelf.bucket)
            .key(self.key(key))
            .expected_bucket_owner(&self.owner);
        let answer = request.send().await.map_err(|error| failure::of(API, &error));
        let answer = match answer {
            Err(failure) if is_absent(&failure) => return Ok(None),
            answer => answer.map_err(|failure| miss(&failure))?,
        };
        let version = version(API, answer.e_tag)?;
        let body = answer.body.collect().await;
        let body = body.map_err(|error| Miss::Unanswered(format!("{API}: {error}")))?;
        Ok(Some(Blob { bytes: body.to_vec(), version }))
    }

    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        self.put(key, bytes, None).await
    }

    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss> {
        self.put(key, bytes, Some(version)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Miss> {
        let request = self
            .s3
            .delete_object()
            .bucket(&self.shelf.bucket)
            .key(self.key(key))
            .expected_bucket_owner(&self.owner);
        match request.send().await.map_err(|error| failure::of("s3:DeleteObject", &error)) {
            Ok(_) => Ok(()),
            Err(failure) if is_absent(&failure) => Ok(()),
            Err(failure) => Err(miss(&failure)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss> {
        let folder = self.key("");
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .s3
                .list_objects_v2()
                .bucket(&self.shelf.bucket)
                .prefix(self.key(prefix))
                .expected_bucket_owner(&self.owner)
                .set_continuation_token(token.take());
            let page = request.send().await;
            let page = page.map_err(|error| miss(&failure::of("s3:ListObjectsV2", &error)))?;
            let found = page.contents.unwrap_or_default().into_iter().filter_map(|one| one.key);
            keys.extend(found.filter_map(|key| key.strip_prefix(&folder).map(str::to_owned)));
            match page.next_continuation_token {
                Some(next) if !next.is_empty() => token = Some(next),
                Some(_) | None => break,
            }
        }
        keys.sort();
        Ok(keys)
    }
}
