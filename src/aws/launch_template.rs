//! Launch templates. What they say stands in their versions, and one list call gives
//! the newest and the default version of all templates of the account.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplate as WireTemplate, LaunchTemplateVersion, ResourceType, ResponseLaunchTemplateData,
};

use super::found::{self, Found};
use super::template_data as data;
use super::{Aws, ec2, failure, pages};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, LaunchTemplate};
use crate::model::{CloudId, tags};

/// Contents by template and version.
type Versions = BTreeMap<(String, i64), ResponseLaunchTemplateData>;

fn by_version(all: Vec<LaunchTemplateVersion>) -> Versions {
    let entry = |one: LaunchTemplateVersion| {
        Some(((one.launch_template_id?, one.version_number?), one.launch_template_data?))
    };
    all.into_iter().filter_map(entry).collect()
}

impl Aws {
    pub(super) async fn list_templates(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request = || {
            let request = self.ec2.describe_launch_templates();
            // For ids there is a list of its own, which takes no number of results.
            match wanted.name() {
                Some(ec2::TEMPLATE_ID) => request.set_launch_template_ids(wanted.values.clone()),
                Some(_) | None => request.filters(wanted.clone()).max_results(200),
            }
        };
        let all = pages!(self, "ec2:DescribeLaunchTemplates", request(), launch_templates);
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let versions = self.newest_versions().await;
        Ok(found::each(all, |template| self.look_at_template(template, &versions)).await)
    }

    async fn newest_versions(&self) -> Result<Versions, Failure> {
        let request = || {
            let request = self.ec2.describe_launch_template_versions().max_results(200);
            request.versions("$Latest").versions("$Default")
        };
        let all =
            pages!(self, "ec2:DescribeLaunchTemplateVersions", request(), launch_template_versions);
        Ok(by_version(all))
    }

    /// Version 1 is what we made; it is in the list unless somebody has added versions
    /// and made another one the default.
    async fn look_at_template(
        &self,
        template: WireTemplate,
        versions: &Result<Versions, Failure>,
    ) -> Found {
        let all = ec2::tags_of(template.tags);
        let id = template.launch_template_id.unwrap_or_default();
        let first = match versions {
            Err(failure) => Err(failure.clone()),
            Ok(versions) => match versions.get(&(id.clone(), 1)) {
                Some(data) => Ok(data.clone()),
                None => self.first_version(&id).await,
            },
        };
        let spec = first.map(|first| LaunchTemplate {
            name: template.launch_template_name.unwrap_or_default(),
            image_from: all.get(tags::IMAGE).cloned().unwrap_or_default(),
            default_version: template.default_version_number.unwrap_or(1),
            tags: found::user_tags(&all),
            ..data::read(first)
        });
        Found::read(CloudId(id), all, spec)
    }

    /// What version 1 of a template says.
    pub(super) async fn first_version(
        &self,
        id: &str,
    ) -> Result<ResponseLaunchTemplateData, Failure> {
        const API: &str = "ec2:DescribeLaunchTemplateVersions";
        let request =
            self.ec2.describe_launch_template_versions().launch_template_id(id).versions("1");
        let found = self.send(API, request.send()).await?;
        let first = found.launch_template_versions.unwrap_or_default().into_iter().next();
        first
            .and_then(|version| version.launch_template_data)
            .ok_or_else(|| failure::strange(API, format!("{id} has no version 1")))
    }

    pub(super) async fn create_template(
        &self,
        spec: &LaunchTemplate,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateLaunchTemplate";
        let image = [(tags::IMAGE, spec.image_from.as_str())];
        let all = found::birth_tags(owner, &spec.tags, &image);
        let request = self
            .ec2
            .create_launch_template()
            .launch_template_name(&spec.name)
            .client_token(owner.token.as_str())
            .launch_template_data(data::wire(spec)?)
            .tag_specifications(ec2::tag_on_create(ResourceType::LaunchTemplate, &all));
        match self.send(API, request.send()).await {
            Ok(answer) => {
                // AWS makes templates that cannot be launched, and says so in passing.
                for error in answer.warning.and_then(|warning| warning.errors).unwrap_or_default() {
                    let text = error.message.unwrap_or_default();
                    tracing::warn!(template = spec.name, "launch template: {text}");
                }
                ec2::made(API, answer.launch_template.and_then(|made| made.launch_template_id))
            }
            Err(failure) if failure.class == Class::Exists => {
                let request = self.ec2.describe_launch_templates();
                let request = request.launch_template_names(&spec.name);
                let found = self.send("ec2:DescribeLaunchTemplates", request.send()).await;
                let found = found.map(|found| {
                    let one = found.launch_templates.unwrap_or_default().into_iter().next()?;
                    Some((CloudId(one.launch_template_id?), ec2::tags_of(one.tags)))
                });
                found::holder(owner, failure, found)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_template(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("default_version", Change::Put(to)) => {
                let to: i64 = found::value(edit, to)?;
                let request = self
                    .ec2
                    .modify_launch_template()
                    .launch_template_id(id.as_str())
                    .default_version(to.to_string());
                self.send("ec2:ModifyLaunchTemplate", request.send()).await.map(|_| ())
            }
            ("tags", _) => self.edit_ec2_tags(KindName::LaunchTemplate, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::LaunchTemplate, edit))
            }
        }
    }

    pub(super) async fn delete_template(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_launch_template().launch_template_id(id.as_str());
        self.send("ec2:DeleteLaunchTemplate", request.send()).await.map(|_| ())
    }

    pub(super) async fn template_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_launch_templates().launch_template_ids(id.as_str());
        let found = self.send("ec2:DescribeLaunchTemplates", request.send()).await?;
        Ok(found.launch_templates.unwrap_or_default().first().map_or(Phase::Gone, |_| Phase::Ready))
    }
}
