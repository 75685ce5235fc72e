//! The settings of a bucket: each has a call to read it, one to write it and, most
//! of them, one to remove it.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketVersioningStatus,
    ExpirationStatus, LifecycleExpiration, LifecycleRule as WireRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};

use super::bucket::absent;
use super::{Aws, failure};
use crate::cloud::Failure;
use crate::kinds::{Encryption, LifecycleRule, canonical_json};
use crate::model::Text;

fn unbuilt(api: &str) -> impl Fn(BuildError) -> Failure + '_ {
    move |bad| failure::invalid(api, bad.to_string())
}

fn wire_encryption(want: &Encryption) -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(want.algorithm.as_str()))
        .set_kms_master_key_id(want.key.clone())
        .build()?;
    // One data key per bucket instead of per object: a hundredth of the KMS bill.
    let bucket_key = want.algorithm.starts_with("aws:kms").then_some(true);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .set_bucket_key_enabled(bucket_key)
        .build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build()
}

fn wire_rule(want: &LifecycleRule) -> Result<WireRule, BuildError> {
    let expiration = want.expire_days.map(|days| LifecycleExpiration::builder().days(days).build());
    let noncurrent = want
        .noncurrent_days
        .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
    let abort = want
        .abort_upload_days
        .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
    WireRule::builder()
        .id(&want.id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&want.prefix).build())
        .set_expiration(expiration)
        .set_noncurrent_version_expiration(noncurrent)
        .set_abort_incomplete_multipart_upload(abort)
        .build()
}

/// A rule that is switched off is no rule. One that says more than ours can say gets
/// another name, so that it shows as a difference.
fn read_rule(found: WireRule) -> Option<LifecycleRule> {
    if found.status != ExpirationStatus::Enabled {
        return None;
    }
    #[allow(deprecated)] // Rules older than filters hold their prefix here.
    let old_prefix = found.prefix;
    let filter = found.filter.unwrap_or_else(|| LifecycleRuleFilter::builder().build());
    let more = filter.tag.is_some()
        || filter.and.is_some()
        || filter.object_size_greater_than.is_some()
        || filter.object_size_less_than.is_some()
        || found.transitions.is_some_and(|t| !t.is_empty())
        || found.noncurrent_version_transitions.is_some_and(|t| !t.is_empty());
    let id = found.id.unwrap_or_default();
    Some(LifecycleRule {
        id: if more { format!("{id} (and more)") } else { id },
        prefix: filter.prefix.or(old_prefix).unwrap_or_default(),
        expire_days: found.expiration.and_then(|e| e.days),
        noncurrent_days: found.noncurrent_version_expiration.and_then(|e| e.noncurrent_days),
        abort_upload_days: found
            .abort_incomplete_multipart_upload
            .and_then(|abort| abort.days_after_initiation),
    })
}

/// Sends a request about one bucket of our account.
macro_rules! about {
    ($aws:expr, $api:literal, $request:expr, $name:expr) => {
        $aws.send(
            $api,
            $request.bucket($name).expected_bucket_owner($aws.home().account.as_str()).send(),
        )
        .await
    };
}

impl Aws {
    pub(super) async fn bucket_versioning(&self, name: &str) -> Result<bool, Failure> {
        let answer = about!(self, "s3:GetBucketVersioning", self.s3.get_bucket_versioning(), name)?;
        Ok(answer.status == Some(BucketVersioningStatus::Enabled))
    }

    pub(super) async fn put_bucket_versioning(&self, name: &str, on: bool) -> Result<(), Failure> {
        let status =
            if on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let to = VersioningConfiguration::builder().status(status).build();
        let request = self.s3.put_bucket_versioning().versioning_configuration(to);
        about!(self, "s3:PutBucketVersioning", request, name).map(|_| ())
    }

    pub(super) async fn bucket_encryption(
        &self,
        name: &str,
    ) -> Result<Option<Encryption>, Failure> {
        let answer = about!(self, "s3:GetBucketEncryption", self.s3.get_bucket_encryption(), name);
        let answer = absent(answer, &["ServerSideEncryptionConfigurationNotFoundError"])?;
        let rules = answer.and_then(|a| a.server_side_encryption_configuration).map(|c| c.rules);
        let first = rules.unwrap_or_default().into_iter().next();
        let default = first.and_then(|rule| rule.apply_server_side_encryption_by_default);
        Ok(default.map(|default| Encryption {
            algorithm: default.sse_algorithm.as_str().to_owned(),
            key: default.kms_master_key_id,
        }))
    }

    pub(super) async fn put_bucket_encryption(
        &self,
        name: &str,
        to: Option<Encryption>,
    ) -> Result<(), Failure> {
        const API: &str = "s3:PutBucketEncryption";
        match to {
            Some(want) => {
                let to = wire_encryption(&want).map_err(unbuilt(API))?;
                let request =
                    self.s3.put_bucket_encryption().server_side_encryption_configuration(to);
                about!(self, "s3:PutBucketEncryption", request, name).map(|_| ())
            }
            None => {
                let request = self.s3.delete_bucket_encryption();
                about!(self, "s3:DeleteBucketEncryption", request, name).map(|_| ())
            }
        }
    }

    pub(super) async fn bucket_access(&self, name: &str) -> Result<bool, Failure> {
        let answer =
            about!(self, "s3:GetPublicAccessBlock", self.s3.get_public_access_block(), name);
        let answer = absent(answer, &["NoSuchPublicAccessBlockConfiguration"])?;
        let block = answer.and_then(|answer| answer.public_access_block_configuration);
        Ok(block.is_some_and(|block| {
            let all = [
                block.block_public_acls,
                block.ignore_public_acls,
                block.block_public_policy,
                block.restrict_public_buckets,
            ];
            all.iter().all(|one| *one == Some(true))
        }))
    }

    pub(super) async fn put_bucket_access(&self, name: &str, block: bool) -> Result<(), Failure> {
        if !block {
            let request = self.s3.delete_public_access_block();
            return about!(self, "s3:DeletePublicAccessBlock", request, name).map(|_| ());
        }
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self.s3.put_public_access_block().public_access_block_configuration(all);
        about!(self, "s3:PutPublicAccessBlock", request, name).map(|_| ())
    }

    pub(super) async fn bucket_ownership(&self, name: &str) -> Result<Option<String>, Failure> {
        let request = self.s3.get_bucket_ownership_controls();
        let answer = about!(self, "s3:GetBucketOwnershipControls", request, name);
        let answer = absent(answer, &["OwnershipControlsNotFoundError"])?;
        let rules = answer.and_then(|answer| answer.ownership_controls).map(|all| all.rules);
        let first = rules.unwrap_or_default().into_iter().next();
        Ok(first.map(|rule| rule.object_ownership.as_str().to_owned()))
    }

    pub(super) async fn put_bucket_ownership(
        &self,
        name: &str,
        to: Option<String>,
    ) -> Result<(), Failure> {
        const API: &str = "s3:PutBucketOwnershipControls";
        let Some(to) = to else {
            let request = self.s3.delete_bucket_ownership_controls();
            return about!(self, "s3:DeleteBucketOwnershipControls", request, name).map(|_| ());
        };
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::from(to.as_str()))
            .build()
            .map_err(unbuilt(API))?;
        let all = OwnershipControls::builder().rules(rule).build().map_err(unbuilt(API))?;
        let request = self.s3.put_bucket_ownership_controls().ownership_controls(all);
        about!(self, "s3:PutBucketOwnershipControls", request, name).map(|_| ())
    }

    pub(super) async fn bucket_policy(&self, name: &str) -> Result<Option<Text>, Failure> {
        let answer = about!(self, "s3:GetBucketPolicy", self.s3.get_bucket_policy(), name);
        let text = absent(answer, &["NoSuchBucketPolicy"])?.and_then(|answer| answer.policy);
        Ok(text.map(|text| Text::Known(canonical_json(&text).unwrap_or(text))))
    }

    pub(super) async fn put_bucket_policy(
        &self,
        name: &str,
        to: Option<Text>,
    ) -> Result<(), Failure> {
        match to {
            Some(to) => {
                let text = super::found::known("s3:PutBucketPolicy", &to)?;
                let request = self.s3.put_bucket_policy().policy(text);
                about!(self, "s3:PutBucketPolicy", request, name).map(|_| ())
            }
            None => {
                let request = self.s3.delete_bucket_policy();
                about!(self, "s3:DeleteBucketPolicy", request, name).map(|_| ())
            }
        }
    }

    pub(super) async fn bucket_lifecycle(&self, name: &str) -> Result<Vec<LifecycleRule>, Failure> {
        let request = self.s3.get_bucket_lifecycle_configuration();
        let answer = about!(self, "s3:GetBucketLifecycleConfiguration", request, name);
        let answer = absent(answer, &["NoSuchLifecycleConfiguration"])?;
        let rules = answer.and_then(|answer| answer.rules).unwrap_or_default();
        let mut rules: Vec<_> = rules.into_iter().filter_map(read_rule).collect();
        rules.sort();
        Ok(rules)
    }

    pub(super) async fn put_bucket_lifecycle(
        &self,
        name: &str,
        to: Vec<LifecycleRule>,
    ) -> Result<(), Failure> {
        const API: &str = "s3:PutBucketLifecycleConfiguration";
        if to.is_empty() {
            let request = self.s3.delete_bucket_lifecycle();
            return about!(self, "s3:DeleteBucketLifecycle", request, name).map(|_| ());
        }
        let rules = to.iter().map(wire_rule).collect::<Result<_, _>>().map_err(unbuilt(API))?;
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let all = all.map_err(unbuilt(API))?;
        let request = self.s3.put_bucket_lifecycle_configuration().lifecycle_configuration(all);
        about!(self, "s3:PutBucketLifecycleConfiguration", request, name).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_back_as_they_were_sent() {
        let want = LifecycleRule {
            id: "tmp".to_owned(),
            prefix: "tmp/".to_owned(),
            expire_days: Some(14),
            noncurrent_days: None,
            abort_upload_days: Some(7),
        };
        let wire = wire_rule(&want).expect("a rule");
        assert_eq!(read_rule(wire), Some(want));
    }

    #[test]
    fn a_kms_key_is_used_once_per_bucket() {
        let want = Encryption { algorithm: "aws:kms".to_owned(), key: None };
        let wire = wire_encryption(&want).expect("encryption");
        assert_eq!(wire.rules[0].bucket_key_enabled, Some(true));
    }
}
