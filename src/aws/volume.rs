//! EBS volumes.

use aws_sdk_ec2::types::{ResourceType, Volume as WireVolume, VolumeType};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, Provisioned, Volume};
use crate::model::{CloudId, Zone, tags};

fn phase(volume: &WireVolume) -> Phase {
    let state = volume.state.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_lowercase().as_str() {
        "available" | "in-use" => Phase::Ready,
        "deleting" => Phase::Leaving,
        "deleted" => Phase::Gone,
        "error" => Phase::Failed("the volume is in the state error".to_owned()),
        _ => Phase::Pending,
    }
}

fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

fn wire(api: &str, value: u32) -> Result<i32, Failure> {
    i32::try_from(value).map_err(|bad| super::failure::invalid(api, format!("{value}: {bad}")))
}

fn read(volume: WireVolume) -> Option<Found> {
    let phase = phase(&volume);
    if phase == Phase::Gone {
        return None;
    }
    let all = ec2::tags_of(volume.tags);
    // The disks of nodes carry the tags of their launch; they come and go with the node.
    if all.contains_key(tags::BATCH) {
        return None;
    }
    let volume_type = volume.volume_type.map(|t| t.as_str().to_owned()).unwrap_or_default();
    let spec = Volume {
        zone: Zone(volume.availability_zone.unwrap_or_default()),
        provisioned: Provisioned {
            size: number(volume.size).unwrap_or_default(),
            iops: number(volume.iops),
            // Of other types it is not provisioned.
            throughput: number(volume.throughput).filter(|_| volume_type == "gp3"),
            volume_type,
        },
        encrypted: volume.encrypted == Some(true),
        kms_key: found::chosen_key(&all, volume.kms_key_id),
        snapshot: volume.snapshot_id.filter(|id| !id.is_empty()),
        precious: found::is_precious(&all),
        tags: found::user_tags(&all),
    };
    Some(Found::new(volume.volume_id.unwrap_or_default(), all, spec).in_phase(phase))
}

impl Aws {
    pub(super) async fn list_volumes(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request = || self.ec2.describe_volumes().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeVolumes", request(), volumes);
        Ok(all.into_iter().filter_map(read).collect())
    }

    pub(super) async fn create_volume(
        &self,
        spec: &Volume,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateVolume";
        let tags = found::data_tags(owner, &spec.tags, (spec.precious, spec.kms_key.as_ref()));
        let Provisioned { size, volume_type, iops, throughput } = &spec.provisioned;
        let request = self
            .ec2
            .create_volume()
            .availability_zone(spec.zone.as_str())
            .size(wire(API, *size)?)
            .volume_type(VolumeType::from(volume_type.as_str()))
            .set_iops(iops.map(|iops| wire(API, iops)).transpose()?)
            .set_throughput(throughput.map(|rate| wire(API, rate)).transpose()?)
            .encrypted(spec.encrypted)
            .set_kms_key_id(spec.kms_key.clone())
            .set_snapshot_id(spec.snapshot.clone())
            .client_token(owner.token.as_str())
            .tag_specifications(ec2::tag_on_create(ResourceType::Volume, &tags));
        ec2::made(API, self.send(API, request.send()).await?.volume_id)
    }

    pub(super) async fn edit_volume(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        const API: &str = "ec2:ModifyVolume";
        match (edit.field.as_str(), &edit.change) {
            ("provisioned", Change::Put(to)) => {
                let Provisioned { size, volume_type, iops, throughput } = found::value(edit, to)?;
                let request = self
                    .ec2
                    .modify_volume()
                    .volume_id(id.as_str())
                    .size(wire(API, size)?)
                    .volume_type(VolumeType::from(volume_type.as_str()))
                    .set_iops(iops.map(|iops| wire(API, iops)).transpose()?)
                    .set_throughput(throughput.map(|rate| wire(API, rate)).transpose()?);
                self.send(API, request.send()).await.map(|_| ())
            }
            ("precious", Change::Put(to)) => {
                let edit = found::precious_edit(found::value(edit, to)?);
                self.edit_ec2_tags(KindName::Volume, id.as_str(), &edit).await
            }
            ("tags", _) => self.edit_ec2_tags(KindName::Volume, id.as_str(), edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::Volume, edit))
            }
        }
    }

    pub(super) async fn delete_volume(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_volume().volume_id(id.as_str());
        self.send("ec2:DeleteVolume", request.send()).await.map(|_| ())
    }

    /// A new size shows, and can be used, once the modification has left its first state.
    pub(super) async fn volume_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_volumes().volume_ids(id.as_str());
        let found = self.send("ec2:DescribeVolumes", request.send()).await?;
        let phase = found.volumes.unwrap_or_default().first().map_or(Phase::Gone, phase);
        if phase != Phase::Ready {
            return Ok(phase);
        }
        let request = self.ec2.describe_volumes_modifications().volume_ids(id.as_str());
        let found = match self.send("ec2:DescribeVolumesModifications", request.send()).await {
            Ok(found) => found.volumes_modifications.unwrap_or_default(),
            // It was never modified.
            Err(failure) if failure.class == Class::Gone => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let state = |of: &aws_sdk_ec2::types::VolumeModification| {
            of.modification_state.as_ref().map(|state| state.as_str().to_owned())
        };
        let under_way = found.iter().any(|one| ec2::is(state(one).as_deref(), "modifying"));
        Ok(if under_way { Phase::Pending } else { Phase::Ready })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_s_disk_is_no_volume_of_its_own() {
        let tag = |key: &str| aws_sdk_ec2::types::Tag::builder().key(key).value("1").build();
        let disk = WireVolume::builder().volume_id("vol-1").tags(tag(tags::STACK));
        assert!(read(disk.clone().build()).is_some());
        assert!(read(disk.tags(tag(tags::BATCH)).build()).is_none());
    }

    #[test]
    fn a_volume_is_read_as_it_was_written() {
        let wire = WireVolume::builder()
            .volume_id("vol-1")
            .availability_zone("us-east-1a")
            .size(500)
            .volume_type(VolumeType::Gp3)
            .iops(6000)
            .throughput(250)
            .encrypted(true)
            .snapshot_id("")
            .state(aws_sdk_ec2::types::VolumeState::InUse)
            .tags(aws_sdk_ec2::types::Tag::builder().key(tags::PRECIOUS).value("false").build())
            .build();
        let found = read(wire).expect("a volume");
        let spec = Volume {
            zone: Zone::from("us-east-1a"),
            provisioned: Provisioned {
                size: 500,
                volume_type: "gp3".to_owned(),
                iops: Some(6000),
                throughput: Some(250),
            },
            encrypted: true,
            kms_key: None,
            snapshot: None,
            precious: false,
            tags: crate::kinds::Tags::new(),
        };
        assert_eq!(found.seen, crate::cloud::Seen::Spec(spec.into()));
        assert_eq!(found.phase, Phase::Ready);
    }

    #[test]
    fn a_key_is_the_author_s_only_where_a_tag_says_so() {
        let arn = "arn:aws:kms:us-east-1:123456789012:key/1";
        let wire = WireVolume::builder().volume_id("vol-1").encrypted(true).kms_key_id(arn);
        let key = |wire: WireVolume| match read(wire).expect("a volume").seen {
            crate::cloud::Seen::Spec(crate::kinds::Spec::Volume(volume)) => volume.kms_key,
            other => panic!("{other:?}"),
        };
        assert_eq!(key(wire.clone().build()), None);
        let tag = aws_sdk_ec2::types::Tag::builder().key(tags::KMS_KEY).value(arn).build();
        assert_eq!(key(wire.tags(tag).build()).as_deref(), Some(arn));
    }
}
