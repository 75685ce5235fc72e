//! IAM roles, found under the stack's path.

use std::collections::BTreeSet;

use aws_sdk_iam::types::Role as WireRole;

use super::Aws;
use super::found::{self, Found, TagChange};
use super::iam::{self, marked};
use crate::cloud::{Class, Failure, Owner, Phase, Scope};
use crate::kinds::{Change, Edit, InlinePolicy, Kind, KindName, Role, Tags};
use crate::model::{CloudId, Text};

impl Aws {
    pub(super) async fn list_roles(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let request = || self.iam.list_roles().path_prefix(iam::path(scope)).max_items(1000);
        let mut all = marked!(self, "iam:ListRoles", request(), |page| page.roles);
        let known: BTreeSet<_> = all.iter().map(|role| role.role_name.clone()).collect();
        for name in iam::chosen(scope, KindName::Role, &known) {
            let request = self.iam.get_role().role_name(name);
            match self.send("iam:GetRole", request.send()).await {
                Ok(found) => all.extend(found.role),
                Err(failure) if failure.class == Class::Gone => {}
                Err(failure) => return Err(failure),
            }
        }
        found::each(all, |role| self.look_at_role(scope, role))
            .await
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }

    async fn look_at_role(&self, scope: &Scope, role: WireRole) -> Result<Option<Found>, Failure> {
        let tags = match self.role_tags(&role.role_name).await {
            Ok(tags) if found::is_ours(scope, &tags) => tags,
            Ok(_) => return Ok(None),
            Err(failure) if failure.class == Class::Gone => return Ok(None),
            Err(failure) => return Err(failure),
        };
        Ok(Some(self.whole_role(role, tags).await))
    }

    /// A role by its name, whoever owns it.
    pub(super) async fn find_role(&self, name: &str) -> Result<Option<Found>, Failure> {
        let request = self.iam.get_role().role_name(name);
        let Some(role) = self.send("iam:GetRole", request.send()).await?.role else {
            return Ok(None);
        };
        let tags = self.role_tags(name).await?;
        Ok(Some(self.whole_role(role, tags).await))
    }

    async fn whole_role(&self, role: WireRole, tags: Tags) -> Found {
        let id = CloudId(role.arn.clone());
        let spec = self.read_role(role, &tags).await;
        Found::read(id, tags, spec)
    }

    async fn role_tags(&self, name: &str) -> Result<Tags, Failure> {
        let request = || self.iam.list_role_tags().role_name(name);
        Ok(iam::tags_of(marked!(self, "iam:ListRoleTags", request(), |page| page.tags)))
    }

    async fn read_role(&self, role: WireRole, tags: &Tags) -> Result<Role, Failure> {
        let name = role.role_name.as_str();
        let (policies, managed) =
            futures_util::join!(self.role_policies(name), self.attached_policies(name));
        Ok(Role {
            trust: iam::document(role.assume_role_policy_document.as_deref().unwrap_or_default()),
            path: role.path,
            description: role.description.unwrap_or_default(),
            policies: policies?,
            managed: managed?,
            tags: found::user_tags(tags),
            name: role.role_name,
        })
    }

    async fn role_policies(&self, role: &str) -> Result<Vec<InlinePolicy>, Failure> {
        let request = || self.iam.list_role_policies().role_name(role);
        let names = marked!(self, "iam:ListRolePolicies", request(), |page| page.policy_names);
        let read = |name: String| async move {
            let request = self.iam.get_role_policy().role_name(role).policy_name(&name);
            let found = self.send("iam:GetRolePolicy", request.send()).await?;
            Ok(InlinePolicy { name, document: iam::document(&found.policy_document) })
        };
        let all: Result<Vec<_>, _> = found::each(names, read).await.into_iter().collect();
        let mut all = all?;
        all.sort();
        Ok(all)
    }

    async fn attached_policies(&self, role: &str) -> Result<Vec<String>, Failure> {
        let request = || self.iam.list_attached_role_policies().role_name(role);
        let all = marked!(self, "iam:ListAttachedRolePolicies", request(), |page| {
            page.attached_policies.unwrap_or_default()
        });
        let mut all: Vec<_> = all.into_iter().filter_map(|policy| policy.policy_arn).collect();
        all.sort();
        Ok(all)
    }

    pub(super) async fn create_role(&self, spec: &Role, owner: &Owner) -> Result<CloudId, Failure> {
        const API: &str = "iam:CreateRole";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let description = (!spec.description.is_empty()).then(|| spec.description.clone());
        let request = self
            .iam
            .create_role()
            .role_name(&spec.name)
            .path(&spec.path)
            .set_description(description)
            .assume_role_policy_document(found::known(API, &spec.trust)?)
            .set_tags(Some(iam::wire_tags(API, &tags)?));
        let answer = self.send(API, request.send()).await;
        let computed = spec.computed_id(self.home()).unwrap_or(CloudId(String::new()));
        match answer {
            Ok(answer) => Ok(answer.role.map_or(computed, |role| CloudId(role.arn))),
            Err(failure) if failure.class == Class::Exists => {
                let found = self.role_tags(&spec.name).await;
                found::holder(owner, failure, found.map(|tags| Some((computed, tags))))
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_role(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        let role = id.short();
        match (edit.field.as_str(), &edit.change) {
            ("description", Change::Put(to)) => {
                let to: String = found::value(edit, to)?;
                let request = self.iam.update_role().role_name(role).description(to);
                self.send("iam:UpdateRole", request.send()).await.map(|_| ())
            }
            ("trust", Change::Put(to)) => {
                let to: Text = found::value(edit, to)?;
                let document = found::known("iam:UpdateAssumeRolePolicy", &to)?;
                let request = self.iam.update_assume_role_policy().role_name(role);
                let request = request.policy_document(document);
                self.send("iam:UpdateAssumeRolePolicy", request.send()).await.map(|_| ())
            }
            ("policies", Change::Add(item)) => {
                let policy: InlinePolicy = found::value(edit, item)?;
                let document = found::known("iam:PutRolePolicy", &policy.document)?;
                let request = self.iam.put_role_policy().role_name(role);
                let request = request.policy_name(&policy.name).policy_document(document);
                self.send("iam:PutRolePolicy", request.send()).await.map(|_| ())
            }
            ("policies", Change::Remove(item)) => {
                let policy: InlinePolicy = found::value(edit, item)?;
                let request = self.iam.delete_role_policy().role_name(role);
                let request = request.policy_name(policy.name);
                found::or_gone(self.send("iam:DeleteRolePolicy", request.send()).await)
            }
            ("managed", Change::Add(item)) => {
                let arn: String = found::value(edit, item)?;
                let request = self.iam.attach_role_policy().role_name(role).policy_arn(arn);
                self.send("iam:AttachRolePolicy", request.send()).await.map(|_| ())
            }
            ("managed", Change::Remove(item)) => {
                let arn: String = found::value(edit, item)?;
                let request = self.iam.detach_role_policy().role_name(role).policy_arn(arn);
                found::or_gone(self.send("iam:DetachRolePolicy", request.send()).await)
            }
            ("tags", _) => self.edit_role_tags(role, edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::Role, edit))
            }
        }
    }

    async fn edit_role_tags(&self, role: &str, edit: &Edit) -> Result<(), Failure> {
        match found::tag_change(KindName::Role, edit)? {
            TagChange::Add(new) => {
                let new = iam::wire_tags("iam:TagRole", &new)?;
                let request = self.iam.tag_role().role_name(role).set_tags(Some(new));
                self.send("iam:TagRole", request.send()).await.map(|_| ())
            }
            TagChange::Remove(keys) => {
                let request = self.iam.untag_role().role_name(role).set_tag_keys(Some(keys));
                self.send("iam:UntagRole", request.send()).await.map(|_| ())
            }
        }
    }

    pub(super) async fn delete_role(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.iam.delete_role().role_name(id.short());
        self.send("iam:DeleteRole", request.send()).await.map(|_| ())
    }

    pub(super) async fn role_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.iam.get_role().role_name(id.short());
        self.send("iam:GetRole", request.send()).await.map(|_| Phase::Ready)
    }
}
