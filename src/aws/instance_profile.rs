//! Instance profiles, found under the stack's path.

use std::collections::BTreeSet;

use aws_sdk_iam::types::InstanceProfile as WireProfile;

use super::Aws;
use super::found::{self, Found, TagChange};
use super::iam::{self, marked};
use crate::cloud::{Class, Failure, Owner, Phase, Scope};
use crate::kinds::{Change, Edit, InstanceProfile, Kind, KindName, Tags};
use crate::model::{CloudId, Link, RoleArn};

fn read(profile: WireProfile, tags: &Tags) -> InstanceProfile {
    let mut roles: Vec<_> =
        profile.roles.into_iter().map(|role| Link::Id(RoleArn(role.arn))).collect();
    roles.sort();
    InstanceProfile {
        name: profile.instance_profile_name,
        path: profile.path,
        roles,
        tags: found::user_tags(tags),
    }
}

impl Aws {
    pub(super) async fn list_profiles(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let request =
            || self.iam.list_instance_profiles().path_prefix(iam::path(scope)).max_items(1000);
        let mut all =
            marked!(self, "iam:ListInstanceProfiles", request(), |page| page.instance_profiles);
        let known: BTreeSet<_> = all.iter().map(|one| one.instance_profile_name.clone()).collect();
        for name in iam::chosen(scope, KindName::InstanceProfile, &known) {
            match self.profile(&name).await {
                Ok(found) => all.extend(found),
                Err(failure) if failure.class == Class::Gone => {}
                Err(failure) => return Err(failure),
            }
        }
        found::each(all, |profile| self.look_at_profile(profile))
            .await
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }

    /// The list shows no tags; reading one profile does.
    async fn look_at_profile(&self, profile: WireProfile) -> Result<Option<Found>, Failure> {
        match self.profile(&profile.instance_profile_name).await {
            Ok(found) => Ok(found.map(|found| {
                let tags = iam::tags_of(found.tags.clone().unwrap_or_default());
                Found::new(CloudId(found.arn.clone()), tags.clone(), read(found, &tags))
            })),
            Err(failure) if failure.class == Class::Gone => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A profile by its name, whoever owns it.
    pub(super) async fn find_profile(&self, name: &str) -> Result<Option<Found>, Failure> {
        match self.profile(name).await? {
            Some(profile) => self.look_at_profile(profile).await,
            None => Ok(None),
        }
    }

    async fn profile(&self, name: &str) -> Result<Option<WireProfile>, Failure> {
        let request = self.iam.get_instance_profile().instance_profile_name(name);
        let found = self.send("iam:GetInstanceProfile", request.send()).await?;
        Ok(found.instance_profile)
    }

    pub(super) async fn create_profile(
        &self,
        spec: &InstanceProfile,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "iam:CreateInstanceProfile";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .iam
            .create_instance_profile()
            .instance_profile_name(&spec.name)
            .path(&spec.path)
            .set_tags(Some(iam::wire_tags(API, &tags)?));
        let answer = self.send(API, request.send()).await;
        let computed = spec.computed_id(self.home()).unwrap_or(CloudId(String::new()));
        match answer {
            Ok(answer) => Ok(answer.instance_profile.map_or(computed, |one| CloudId(one.arn))),
            Err(failure) if failure.class == Class::Exists => {
                let found = self.profile(&spec.name).await;
                let tags = |one: WireProfile| iam::tags_of(one.tags.unwrap_or_default());
                let found = found.map(|found| Some((computed, tags(found?))));
                found::holder(owner, failure, found)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_profile(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("roles", Change::Add(item)) => self.add_role(id.short(), edit, item).await,
            ("roles", Change::Remove(item)) => {
                const API: &str = "iam:RemoveRoleFromInstanceProfile";
                let role = CloudId(found::id_of(API, &found::value::<Link<RoleArn>>(edit, item)?)?);
                let request = self
                    .iam
                    .remove_role_from_instance_profile()
                    .instance_profile_name(id.short())
                    .role_name(role.short());
                found::or_gone(self.send(API, request.send()).await)
            }
            ("tags", _) => self.edit_profile_tags(id.short(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::InstanceProfile, edit))
            }
        }
    }

    /// A profile holds one role; one that holds this very role is full as well.
    async fn add_role(
        &self,
        profile: &str,
        edit: &Edit,
        item: &serde_json::Value,
    ) -> Result<(), Failure> {
        const API: &str = "iam:AddRoleToInstanceProfile";
        let role = CloudId(found::id_of(API, &found::value::<Link<RoleArn>>(edit, item)?)?);
        let request = self
            .iam
            .add_role_to_instance_profile()
            .instance_profile_name(profile)
            .role_name(role.short());
        match self.send(API, request.send()).await {
            Err(failure) if matches!(failure.class, Class::Quota | Class::Exists) => {
                let there = self.profile(profile).await?;
                let roles = there.map(|there| there.roles).unwrap_or_default();
                let same = roles.iter().any(|one| one.role_name == role.short());
                if same { Ok(()) } else { Err(failure) }
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn edit_profile_tags(&self, name: &str, edit: &Edit) -> Result<(), Failure> {
        match found::tag_change(KindName::InstanceProfile, edit)? {
            TagChange::Add(new) => {
                let new = iam::wire_tags("iam:TagInstanceProfile", &new)?;
                let request = self.iam.tag_instance_profile().instance_profile_name(name);
                let request = request.set_tags(Some(new));
                self.send("iam:TagInstanceProfile", request.send()).await.map(|_| ())
            }
            TagChange::Remove(keys) => {
                let request = self.iam.untag_instance_profile().instance_profile_name(name);
                let request = request.set_tag_keys(Some(keys));
                self.send("iam:UntagInstanceProfile", request.send()).await.map(|_| ())
            }
        }
    }

    pub(super) async fn delete_profile(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.iam.delete_instance_profile().instance_profile_name(id.short());
        self.send("iam:DeleteInstanceProfile", request.send()).await.map(|_| ())
    }

    pub(super) async fn profile_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        Ok(self.profile(id.short()).await?.map_or(Phase::Gone, |_| Phase::Ready))
    }
}
