//! S3 buckets: found by the stack's prefix, read setting by setting.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, Delete, ObjectIdentifier,
    Tag, Tagging,
};

use super::found::{self, Found, TagChange};
use super::{Aws, failure};
use crate::cloud::{Class, Failure, Left, Owner, Phase, Reply, Scope, Seen};
use crate::kinds::{Bucket, Change, Edit, Home, KindName, Tags};
use crate::model::{CloudId, tags};

fn id_of(home: &Home, name: &str) -> CloudId {
    CloudId(home.arn("s3", name))
}

fn wire_tags(api: &str, from: &Tags) -> Result<Vec<Tag>, Failure> {
    from.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|bad| failure::invalid(api, bad.to_string()))
}

/// What the create call says besides the name.
fn configuration(home: &Home, all: &Tags) -> Result<CreateBucketConfiguration, Failure> {
    // The oldest region is the default and must not be named.
    let region = home.region.as_str();
    let place = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    Ok(CreateBucketConfiguration::builder()
        .set_location_constraint(place)
        .set_tags(Some(wire_tags("s3:CreateBucket", all)?))
        .build())
}

/// A name of this form lies in the account's own namespace.
fn namespace(home: &Home, name: &str) -> Option<BucketNamespace> {
    let suffix = format!("-{}-{}-an", home.account, home.region);
    name.ends_with(&suffix).then_some(BucketNamespace::AccountRegional)
}

/// A sub-resource that is not there is an error with a code of its own.
pub(super) fn absent<T>(answer: Result<T, Failure>, codes: &[&str]) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if codes.contains(&failure.code.as_str()) => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Aws {
    /// Names of this region's buckets that begin so.
    pub(super) async fn bucket_names(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .s3
                .list_buckets()
                .prefix(prefix)
                .bucket_region(self.home().region.as_str())
                .max_buckets(1000)
                .set_continuation_token(token.take());
            let page = self.send("s3:ListBuckets", request.send()).await?;
            names.extend(page.buckets.unwrap_or_default().into_iter().filter_map(|b| b.name));
            match page.continuation_token {
                Some(next) if !next.is_empty() => token = Some(next),
                Some(_) | None => break,
            }
        }
        names.retain(|name| name.starts_with(prefix));
        Ok(names)
    }

    pub(super) async fn list_buckets(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let mut names = self.bucket_names(&scope.bucket_prefix()).await?;
        let chosen = scope.names.iter().filter(|(kind, _)| *kind == KindName::Bucket);
        names.extend(chosen.map(|(_, name)| name.clone()));
        names.sort();
        names.dedup();
        found::each(names, |name| self.look_at_bucket(scope, name))
            .await
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }

    /// Reads the tags, and the rest only when the stack owns it.
    async fn look_at_bucket(&self, scope: &Scope, name: String) -> Result<Option<Found>, Failure> {
        let id = id_of(self.home(), &name);
        let all = match self.bucket_tags(&name).await {
            Ok(Some(all)) if found::is_ours(scope, &all) => all,
            Ok(_) => return Ok(None),
            Err(failure) if failure.class == Class::Gone => return Ok(None),
            Err(failure) if failure.class == Class::Denied => {
                // A stranger's bucket under a name that the author chose looks the same;
                // the check before every create tells.
                if scope.names.contains(&(KindName::Bucket, name)) {
                    return Ok(None);
                }
                let why = format!("its tags cannot be read: {failure}");
                return Ok(Some(Found { unreadable: Some(why), ..Found::blind(id, Tags::new()) }));
            }
            Err(failure) => return Err(failure),
        };
        Ok(Some(self.whole_bucket(name, id, all).await))
    }

    /// A bucket by its name, whoever owns it.
    pub(super) async fn find_bucket(&self, name: &str) -> Result<Option<Found>, Failure> {
        let all = self.bucket_tags(name).await?.unwrap_or_default();
        let id = id_of(self.home(), name);
        Ok(Some(self.whole_bucket(name.to_owned(), id, all).await))
    }

    async fn whole_bucket(&self, name: String, id: CloudId, all: Tags) -> Found {
        let (spec, holds) =
            futures_util::join!(self.read_bucket(&name, &all), self.holds_objects(&name));
        match (spec, holds) {
            (Ok(spec), Ok(holds_data)) => Found { holds_data, ..Found::new(id, all, spec) },
            (Err(why), _) | (_, Err(why)) => {
                Found { seen: Seen::Blind(why.to_string()), ..Found::blind(id, all) }
            }
        }
    }

    async fn bucket_tags(&self, name: &str) -> Result<Option<Tags>, Failure> {
        let owner = self.home().account.as_str();
        let request = self.s3.get_bucket_tagging().bucket(name).expected_bucket_owner(owner);
        let answer = self.send("s3:GetBucketTagging", request.send()).await;
        let answer = absent(answer, &["NoSuchTagSet"])?;
        Ok(answer.map(|answer| answer.tag_set.into_iter().map(|t| (t.key, t.value)).collect()))
    }

    async fn read_bucket(&self, name: &str, all: &Tags) -> Result<Bucket, Failure> {
        let (versioning, encryption, access, ownership, policy, lifecycle) = futures_util::join!(
            self.bucket_versioning(name),
            self.bucket_encryption(name),
            self.bucket_access(name),
            self.bucket_ownership(name),
            self.bucket_policy(name),
            self.bucket_lifecycle(name),
        );
        Ok(Bucket {
            name: name.to_owned(),
            versioning: versioning?,
            encryption: encryption?,
            public_access_block: access?,
            ownership: ownership?,
            policy: policy?,
            lifecycle: lifecycle?,
            precious: found::is_precious(all),
            tags: found::user_tags(all),
        })
    }

    async fn holds_objects(&self, name: &str) -> Result<bool, Failure> {
        let owner = self.home().account.as_str();
        let request =
            self.s3.list_object_versions().bucket(name).max_keys(1).expected_bucket_owner(owner);
        let page = self.send("s3:ListObjectVersions", request.send()).await?;
        Ok(page.versions.is_some_and(|v| !v.is_empty())
            || page.delete_markers.is_some_and(|m| !m.is_empty()))
    }

    pub(super) async fn create_bucket(
        &self,
        spec: &Bucket,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "s3:CreateBucket";
        let id = id_of(self.home(), &spec.name);
        // In us-east-1 a second create answers 200 and resets the access lists, so the
        // tags are read before.
        match self.bucket_tags(&spec.name).await {
            Ok(Some(found)) if found::is_intent(owner, &found) => return Ok(id),
            Ok(_) => return Err(taken(&spec.name)),
            Err(failure) if failure.class == Class::Gone => {}
            Err(failure) if failure.class == Class::Denied && failure.code != "NoCredentials" => {
                return Err(Failure { text: failure.to_string(), ..taken(&spec.name) });
            }
            Err(failure) => return Err(failure),
        }
        let precious = [found::precious(spec.precious)];
        let all = found::birth_tags(owner, &spec.tags, &precious);
        let request = self
            .s3
            .create_bucket()
            .bucket(&spec.name)
            .create_bucket_configuration(configuration(self.home(), &all)?)
            .set_bucket_namespace(namespace(self.home(), &spec.name));
        match self.send(API, request.send()).await {
            Ok(_) => Ok(id),
            // The SDK may have sent it twice, when the first answer was lost.
            Err(failure) if failure.class == Class::Exists => {
                match self.bucket_tags(&spec.name).await {
                    // Another account's.
                    Err(no) if no.class == Class::Denied => Err(failure),
                    found => {
                        let tags = found.map(|tags| Some((id, tags.unwrap_or_default())));
                        found::holder(owner, failure, tags)
                    }
                }
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_bucket(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        let name = id.short();
        match (edit.field.as_str(), &edit.change) {
            ("versioning", Change::Put(to)) => {
                self.put_bucket_versioning(name, found::value(edit, to)?).await
            }
            ("encryption", Change::Put(to)) => {
                self.put_bucket_encryption(name, found::value(edit, to)?).await
            }
            ("public_access_block", Change::Put(to)) => {
                self.put_bucket_access(name, found::value(edit, to)?).await
            }
            ("ownership", Change::Put(to)) => {
                self.put_bucket_ownership(name, found::value(edit, to)?).await
            }
            ("policy", Change::Put(to)) => {
                self.put_bucket_policy(name, found::value(edit, to)?).await
            }
            ("lifecycle", Change::Put(to)) => {
                self.put_bucket_lifecycle(name, found::value(edit, to)?).await
            }
            ("precious", Change::Put(to)) => {
                let word = found::value::<bool>(edit, to)?.to_string();
                let tag = Tags::from([(tags::PRECIOUS.to_owned(), word)]);
                self.edit_bucket_tags(name, TagChange::Add(tag)).await
            }
            ("tags", _) => {
                let change = found::tag_change(KindName::Bucket, edit)?;
                self.edit_bucket_tags(name, change).await
            }
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::Bucket, edit))
            }
        }
    }

    /// The only call there is replaces the whole set.
    async fn edit_bucket_tags(&self, name: &str, change: TagChange) -> Result<(), Failure> {
        const API: &str = "s3:PutBucketTagging";
        let mut all = self.bucket_tags(name).await?.unwrap_or_default();
        match change {
            TagChange::Add(new) => all.extend(new),
            TagChange::Remove(keys) => all.retain(|key, _| !keys.contains(key)),
        }
        let tagging = Tagging::builder().set_tag_set(Some(wire_tags(API, &all)?)).build();
        let tagging = tagging.map_err(|bad| failure::invalid(API, bad.to_string()))?;
        let owner = self.home().account.as_str();
        let request =
            self.s3.put_bucket_tagging().bucket(name).expected_bucket_owner(owner).tagging(tagging);
        self.send(API, request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_bucket(&self, id: &CloudId) -> Result<(), Failure> {
        let owner = self.home().account.as_str();
        let request = self.s3.delete_bucket().bucket(id.short()).expected_bucket_owner(owner);
        self.send("s3:DeleteBucket", request.send()).await.map(|_| ())
    }

    /// Deletes one page of versions and delete markers.
    pub(super) async fn empty_bucket(&self, id: &CloudId) -> Result<Reply, Failure> {
        self.delete_versions(id.short(), None).await
    }

    /// The same, of one object where one is named.
    pub(super) async fn delete_versions(
        &self,
        name: &str,
        only: Option<&str>,
    ) -> Result<Reply, Failure> {
        const API: &str = "s3:DeleteObjects";
        let owner = self.home().account.as_str();
        let request = self
            .s3
            .list_object_versions()
            .bucket(name)
            .set_prefix(only.map(str::to_owned))
            .max_keys(1000)
            .expected_bucket_owner(owner);
        let page = self.send("s3:ListObjectVersions", request.send()).await?;
        let more = page.is_truncated.unwrap_or(false);
        let versions = page.versions.unwrap_or_default();
        let markers = page.delete_markers.unwrap_or_default();
        let all = versions.into_iter().map(|v| (v.key, v.version_id));
        let all = all.chain(markers.into_iter().map(|m| (m.key, m.version_id)));
        let mut doomed = Vec::new();
        for (key, version) in all {
            let key = key.unwrap_or_default();
            if only.is_some_and(|only| key != only) {
                continue;
            }
            let object = ObjectIdentifier::builder().key(key).set_version_id(version).build();
            doomed.push(object.map_err(|bad| failure::strange(API, bad.to_string()))?);
        }
        if doomed.is_empty() {
            return Ok(Reply { ids: Vec::new(), more });
        }
        let delete = Delete::builder().set_objects(Some(doomed)).quiet(true).build();
        let delete = delete.map_err(|bad| failure::strange(API, bad.to_string()))?;
        let request =
            self.s3.delete_objects().bucket(name).expected_bucket_owner(owner).delete(delete);
        let answer = self.send(API, request.send()).await?;
        // It answers 200 whatever happened to the single objects.
        match answer.errors.unwrap_or_default().into_iter().next() {
            None => Ok(Reply { ids: Vec::new(), more }),
            Some(error) => {
                let code = error.code.unwrap_or_default();
                let (class, _) = failure::classify(API, &code, "", None);
                let key = error.key.unwrap_or_default();
                let text = format!("{key}: {}", error.message.unwrap_or_default());
                Err(Failure::new(class, Left::Something, API, &code, text))
            }
        }
    }

    pub(super) async fn bucket_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let owner = self.home().account.as_str();
        let request = self.s3.head_bucket().bucket(id.short()).expected_bucket_owner(owner);
        self.send("s3:HeadBucket", request.send()).await.map(|_| Phase::Ready)
    }
}

fn taken(name: &str) -> Failure {
    let text = format!("a bucket {name} exists that this stack did not make");
    Failure::new(Class::Exists, Left::Nothing, "s3:CreateBucket", "BucketAlreadyExists", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Region};

    fn home(region: &str) -> Home {
        Home { account: AccountId::from("123456789012"), region: Region::from(region) }
    }

    #[test]
    fn the_oldest_region_is_not_named() {
        let place = |region| {
            let made = configuration(&home(region), &Tags::new()).expect("a configuration");
            made.location_constraint.map(|place| place.as_str().to_owned())
        };
        assert_eq!(place("us-east-1"), None);
        assert_eq!(place("eu-central-1").as_deref(), Some("eu-central-1"));
    }

    #[test]
    fn a_name_of_the_account_namespace_is_asked_for_as_such() {
        let home = home("us-east-1");
        assert!(namespace(&home, "llm-data-123456789012-us-east-1-an").is_some());
        assert!(namespace(&home, "llm-data-210987654321-us-east-1-an").is_none());
    }

    #[test]
    fn a_bucket_is_precious_unless_it_says_not() {
        let tag = |value: &str| Tags::from([(tags::PRECIOUS.to_owned(), value.to_owned())]);
        assert!(found::is_precious(&Tags::new()));
        assert!(found::is_precious(&tag("true")));
        assert!(!found::is_precious(&tag("false")));
    }
}
