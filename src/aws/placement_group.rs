//! Placement groups. Known by name, tagged by an id of their own, listed without pages.

use aws_sdk_ec2::types::{PlacementGroup as WireGroup, PlacementStrategy, ResourceType};

use super::found::{self, Found};
use super::{Aws, ec2, failure};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Edit, KindName, PlacementGroup};
use crate::model::CloudId;

fn phase(group: &WireGroup) -> Phase {
    let state = group.state.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_lowercase().as_str() {
        "pending" => Phase::Pending,
        "deleting" => Phase::Leaving,
        "deleted" => Phase::Gone,
        _ => Phase::Ready,
    }
}

impl Aws {
    fn group_id(&self, name: &str) -> CloudId {
        CloudId(self.home().arn("ec2", &format!("placement-group/{name}")))
    }

    pub(super) async fn list_placement_groups(
        &self,
        wanted: &ec2::Filter,
    ) -> Result<Vec<Found>, Failure> {
        let request = self.ec2.describe_placement_groups().filters(wanted.clone());
        let found = self.send("ec2:DescribePlacementGroups", request.send()).await?;
        let all = found.placement_groups.unwrap_or_default().into_iter();
        Ok(all.filter_map(|group| self.read_placement_group(group)).collect())
    }

    fn read_placement_group(&self, group: WireGroup) -> Option<Found> {
        let phase = phase(&group);
        if phase == Phase::Gone {
            return None;
        }
        let tags = ec2::tags_of(group.tags);
        let name = group.group_name.unwrap_or_default();
        let strategy = group.strategy.as_ref().map(|strategy| strategy.as_str().to_owned());
        let id = self.group_id(&name);
        let tags_seen = found::user_tags(&tags);
        let spec = PlacementGroup { name, strategy: strategy.unwrap_or_default(), tags: tags_seen };
        Some(Found::new(id, tags, spec).in_phase(phase))
    }

    async fn placement_group(&self, name: &str) -> Result<Option<WireGroup>, Failure> {
        let request = self.ec2.describe_placement_groups().group_names(name);
        let found = self.send("ec2:DescribePlacementGroups", request.send()).await?;
        Ok(found.placement_groups.unwrap_or_default().into_iter().next())
    }

    pub(super) async fn create_placement_group(
        &self,
        spec: &PlacementGroup,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let request = self
            .ec2
            .create_placement_group()
            .group_name(&spec.name)
            .strategy(PlacementStrategy::from(spec.strategy.as_str()))
            .tag_specifications(ec2::tag_on_create(ResourceType::PlacementGroup, &tags));
        match self.send("ec2:CreatePlacementGroup", request.send()).await {
            Ok(_) => Ok(self.group_id(&spec.name)),
            Err(failure) if failure.class == Class::Exists => {
                let found = self.placement_group(&spec.name).await;
                let id = self.group_id(&spec.name);
                let found = found.map(|group| Some((id, ec2::tags_of(group?.tags))));
                found::holder(owner, failure, found)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn edit_placement_group(
        &self,
        id: &CloudId,
        edit: &Edit,
    ) -> Result<(), Failure> {
        const API: &str = "ec2:DescribePlacementGroups";
        if edit.field != "tags" {
            return Err(found::unknown(KindName::PlacementGroup, edit));
        }
        // Tags hang on an id that nothing else asks for.
        let group = self.placement_group(id.short()).await?.and_then(|group| group.group_id);
        let group = group.ok_or_else(|| failure::strange(API, "a group without an id"))?;
        self.edit_ec2_tags(KindName::PlacementGroup, &group, edit).await
    }

    pub(super) async fn delete_placement_group(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_placement_group().group_name(id.short());
        self.send("ec2:DeletePlacementGroup", request.send()).await.map(|_| ())
    }

    pub(super) async fn placement_group_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        Ok(self.placement_group(id.short()).await?.as_ref().map_or(Phase::Gone, phase))
    }
}
