//! S3 objects with a content of ours, in buckets that hold nothing else.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Tag, Tagging};

use super::found::{self, Found, TagChange};
use super::{Aws, failure};
use crate::cloud::{Class, Failure, Left, Owner, Phase, Scope, Seen};
use crate::kinds::{BucketObject, Edit, KindName, Tags};
use crate::model::{BucketArn, CloudId, Link, Text};

/// Bucket and key of `arn:aws:s3:::bucket/key`.
fn parts(id: &CloudId) -> Result<(&str, &str), Failure> {
    let parts = id.as_str().split_once(":::").and_then(|(_, rest)| rest.split_once('/'));
    parts.ok_or_else(|| failure::invalid("s3", format!("{id} is no object in a bucket")))
}

/// As a header of PutObject: a query string.
fn header(tags: &Tags) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let one = |byte: u8| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(one).collect()
    };
    let pairs = tags.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Aws {
    /// What is in the buckets that are made for such objects.
    pub(super) async fn list_objects(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let buckets = self.bucket_names(&scope.object_prefix()).await?;
        let mut ids = Vec::new();
        for found in found::each(buckets, |bucket| self.keys(bucket)).await {
            match found {
                Ok(found) => ids.extend(found),
                // It has just gone.
                Err(failure) if failure.class == Class::Gone => {}
                Err(failure) => return Err(failure),
            }
        }
        found::each(ids, |id| self.look_at_object(scope, id))
            .await
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }

    async fn keys(&self, bucket: String) -> Result<Vec<CloudId>, Failure> {
        let arn = self.home().arn("s3", &bucket);
        let owner = self.home().account.as_str();
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .s3
                .list_objects_v2()
                .bucket(&bucket)
                .expected_bucket_owner(owner)
                .set_continuation_token(token.take());
            let page = self.send("s3:ListObjectsV2", request.send()).await?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
            match page.next_continuation_token {
                Some(next) if page.is_truncated == Some(true) => token = Some(next),
                Some(_) | None => break,
            }
        }
        Ok(keys.into_iter().map(|key| CloudId(format!("{arn}/{key}"))).collect())
    }

    /// Reads the tags, and the content only when the stack owns it.
    async fn look_at_object(&self, scope: &Scope, id: CloudId) -> Result<Option<Found>, Failure> {
        let all = match self.object_tags(&id).await {
            Ok(all) if found::is_ours(scope, &all) => all,
            Ok(_) => return Ok(None),
            Err(failure) if failure.class == Class::Gone => return Ok(None),
            Err(failure) if failure.class == Class::Denied => {
                let why = format!("its tags cannot be read: {failure}");
                return Ok(Some(Found { unreadable: Some(why), ..Found::blind(id, Tags::new()) }));
            }
            Err(failure) => return Err(failure),
        };
        Ok(Some(self.whole_object(id, all).await))
    }

    async fn whole_object(&self, id: CloudId, all: Tags) -> Found {
        match self.read_object(&id, &all).await {
            Ok(spec) => Found::new(id, all, spec),
            Err(why) => Found { seen: Seen::Blind(why.to_string()), ..Found::blind(id, all) },
        }
    }

    /// An object by its ARN, whoever owns it.
    pub(super) async fn find_object(&self, id: &CloudId) -> Result<Option<Found>, Failure> {
        let all = self.object_tags(id).await?;
        Ok(Some(self.whole_object(id.clone(), all).await))
    }

    async fn object_tags(&self, id: &CloudId) -> Result<Tags, Failure> {
        let (bucket, key) = parts(id)?;
        let owner = self.home().account.as_str();
        let request =
            self.s3.get_object_tagging().bucket(bucket).key(key).expected_bucket_owner(owner);
        let answer = self.send("s3:GetObjectTagging", request.send()).await?;
        Ok(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    async fn read_object(&self, id: &CloudId, all: &Tags) -> Result<BucketObject, Failure> {
        const API: &str = "s3:GetObject";
        let (bucket, key) = parts(id)?;
        let owner = self.home().account.as_str();
        let request = self.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(owner);
        let answer = self.send(API, request.send()).await?;
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| failure::strange(API, error.to_string()))?.into_bytes();
        Ok(BucketObject {
            bucket: Link::Id(BucketArn(self.home().arn("s3", bucket))),
            key: key.to_owned(),
            content: Text::Known(String::from_utf8_lossy(&bytes).into_owned()),
            tags: found::user_tags(all),
        })
    }

    /// Never over one that is there.
    pub(super) async fn create_object(
        &self,
        spec: &BucketObject,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "s3:PutObject";
        let id = CloudId(format!("{}/{}", found::id_of(API, &spec.bucket)?, spec.key));
        let (bucket, key) = parts(&id)?;
        let content = found::known(API, &spec.content)?.to_owned();
        let request = self
            .s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .expected_bucket_owner(self.home().account.as_str())
            .if_none_match("*")
            .content_type("text/plain")
            .tagging(header(&found::birth_tags(owner, &spec.tags, &[])))
            .body(ByteStream::from(content.into_bytes()));
        match self.send(API, request.send()).await {
            Ok(_) => Ok(id),
            Err(failure) if matches!(failure.code.as_str(), "PreconditionFailed" | "HTTP 412") => {
                let tags = self.object_tags(&id).await.map(|tags| Some((id.clone(), tags)));
                found::holder(owner, taken(&id), tags)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_object(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        if edit.field != "tags" {
            return Err(found::unknown(KindName::BucketObject, edit));
        }
        const API: &str = "s3:PutObjectTagging";
        // The only call there is replaces the whole set.
        let mut all = self.object_tags(id).await?;
        match found::tag_change(KindName::BucketObject, edit)? {
            TagChange::Add(new) => all.extend(new),
            TagChange::Remove(keys) => all.retain(|key, _| !keys.contains(key)),
        }
        let tags = all.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>();
        let tagging = tags.and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build());
        let tagging = tagging.map_err(|bad| failure::invalid(API, bad.to_string()))?;
        let (bucket, key) = parts(id)?;
        let owner = self.home().account.as_str();
        let request = self.s3.put_object_tagging().bucket(bucket).key(key).tagging(tagging);
        self.send(API, request.expected_bucket_owner(owner).send()).await.map(|_| ())
    }

    /// All of its versions.
    pub(super) async fn delete_object(&self, id: &CloudId) -> Result<(), Failure> {
        let (bucket, key) = parts(id)?;
        while self.delete_versions(bucket, Some(key)).await?.more {}
        Ok(())
    }

    pub(super) async fn object_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        self.object_tags(id).await.map(|_| Phase::Ready)
    }
}

fn taken(id: &CloudId) -> Failure {
    let text = format!("{id} exists, and this stack did not make it");
    Failure::new(Class::Exists, Left::Nothing, "s3:PutObject", "PreconditionFailed", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_a_bucket_and_a_key_and_tags_are_a_query() {
        let id = CloudId::from("arn:aws:s3:::llm-setup-train/mlinfra/setup-g2");
        assert_eq!(parts(&id).ok(), Some(("llm-setup-train", "mlinfra/setup-g2")));
        assert!(parts(&CloudId::from("arn:aws:s3:::bucket")).is_err());
        let tags = Tags::from([("mlinfra:stack".to_owned(), "a b&c".to_owned())]);
        assert_eq!(header(&tags), "mlinfra%3Astack=a%20b%26c");
    }
}
