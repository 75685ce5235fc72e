//! EFS file systems with their mount targets. The list has no filter and shows the whole
//! account; targets carry no tags and are found through their file system.

use aws_sdk_efs::types::{
    FileSystemDescription, LifeCycleState, MountTargetDescription, PerformanceMode, Tag,
    ThroughputMode,
};

use super::found::{self, Found, TagChange};
use super::lustre_file_system::Groups;
use super::{Aws, failure};
use crate::cloud::{Class, Failure, Left, Owner, Phase, Scope};
use crate::kinds::{Change, Edit, EfsFileSystem, EfsThroughput, KindName, MountTarget, Tags};
use crate::model::{CloudId, Link, SecurityGroupId, SubnetId};

const KIND: KindName = KindName::EfsFileSystem;
const LIST: &str = "efs:DescribeFileSystems";
const TARGETS: &str = "efs:DescribeMountTargets";

fn tags_of(found: &[Tag]) -> Tags {
    found.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn wire_tags(api: &str, from: &Tags) -> Result<Vec<Tag>, Failure> {
    from.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|bad| failure::invalid(api, bad.to_string()))
}

fn phase(state: &LifeCycleState) -> Phase {
    match state.as_str().to_ascii_lowercase().as_str() {
        "available" | "updating" => Phase::Ready,
        "deleting" => Phase::Leaving,
        "deleted" => Phase::Gone,
        "error" => Phase::Failed("it is in the state error".to_owned()),
        _ => Phase::Pending,
    }
}

/// Targets that nobody has deleted.
fn standing(target: &MountTargetDescription) -> bool {
    phase(&target.life_cycle_state).stands()
}

/// What no list shows of a file system.
#[derive(Default)]
struct Details {
    targets: Vec<MountTargetDescription>,
    infrequent_after: Option<u32>,
    backup: bool,
}

fn read(system: FileSystemDescription, details: &Details, groups: &Groups) -> Found {
    let phase = phase(&system.life_cycle_state);
    let tags = tags_of(&system.tags);
    let target = |target: &MountTargetDescription| {
        let interface = target.network_interface_id.as_deref().unwrap_or_default();
        let groups = groups.get(interface).cloned().unwrap_or_default();
        MountTarget { subnet: Link::Id(SubnetId(target.subnet_id.clone())), groups }
    };
    let mode = system.throughput_mode.as_ref().map_or("bursting", |mode| mode.as_str());
    let spec = EfsFileSystem {
        throughput: EfsThroughput {
            mode: mode.to_owned(),
            // Whole numbers are all that is ever asked for.
            provisioned: system
                .provisioned_throughput_in_mibps
                .filter(|_| mode == "provisioned")
                .map(|rate| rate.round() as u32),
        },
        encrypted: system.encrypted == Some(true),
        kms_key: found::chosen_key(&tags, system.kms_key_id),
        infrequent_after: details.infrequent_after,
        backup: details.backup,
        targets: details.targets.iter().filter(|target| standing(target)).map(target).collect(),
        precious: found::is_precious(&tags),
        tags: found::user_tags(&tags),
    };
    Found::new(system.file_system_id, tags, spec.sorted()).in_phase(phase)
}

impl Aws {
    pub(super) async fn list_efs(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let mut all = self.all_efs().await?;
        all.retain(|system| found::is_ours(scope, &tags_of(&system.tags)));
        self.whole_efs(all).await
    }

    /// All of the region, whoever's they are.
    pub(super) async fn all_efs(&self) -> Result<Vec<FileSystemDescription>, Failure> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self.efs.describe_file_systems().max_items(100).set_marker(marker.take());
            let page = self.send(LIST, request.send()).await?;
            all.extend(page.file_systems.unwrap_or_default());
            match page.next_marker {
                Some(next) if !next.is_empty() => marker = Some(next),
                Some(_) | None => return Ok(all),
            }
        }
    }

    /// A file system by its id, whoever owns it.
    pub(super) async fn find_efs(&self, id: &str) -> Result<Vec<Found>, Failure> {
        let found = self.efs_systems(id).await?;
        self.whole_efs(found).await
    }

    async fn efs_systems(&self, id: &str) -> Result<Vec<FileSystemDescription>, Failure> {
        let request = self.efs.describe_file_systems().file_system_id(id);
        Ok(self.send(LIST, request.send()).await?.file_systems.unwrap_or_default())
    }

    /// At most one target in a zone: one page holds them all.
    async fn targets(&self, id: &str) -> Result<Vec<MountTargetDescription>, Failure> {
        let request = self.efs.describe_mount_targets().file_system_id(id).max_items(100);
        Ok(self.send(TARGETS, request.send()).await?.mount_targets.unwrap_or_default())
    }

    async fn details(&self, id: &str) -> Result<Details, Failure> {
        Ok(Details {
            targets: self.targets(id).await?,
            infrequent_after: self.efs_infrequent_after(id).await?,
            backup: self.efs_backup(id).await?,
        })
    }

    async fn whole_efs(&self, all: Vec<FileSystemDescription>) -> Result<Vec<Found>, Failure> {
        let read_one = |system: FileSystemDescription| async move {
            // What leaves has nothing to speak of, and may be gone already.
            let details = match phase(&system.life_cycle_state) {
                Phase::Leaving | Phase::Gone => Ok(Details::default()),
                Phase::Pending | Phase::Ready | Phase::Failed(_) => {
                    self.details(&system.file_system_id).await
                }
            };
            (system, details)
        };
        let all = found::each(all, read_one).await;
        let of = |details: &Details| {
            let targets = details.targets.iter();
            targets.filter_map(|target| target.network_interface_id.clone()).collect()
        };
        let interfaces: Vec<Vec<String>> =
            all.iter().filter_map(|(_, details)| details.as_ref().ok().map(of)).collect();
        let groups = self.interface_groups(interfaces.concat()).await?;
        let whole = |(system, details): (FileSystemDescription, Result<_, Failure>)| match details {
            Ok(details) => read(system, &details, &groups),
            Err(failure) => {
                let tags = tags_of(&system.tags);
                let id = CloudId(system.file_system_id);
                Found::read::<EfsFileSystem>(id, tags, Err(failure))
            }
        };
        Ok(all.into_iter().map(whole).collect())
    }

    /// A used creation token is refused with the id of what it made, which lives as long as
    /// that: the second answer to a call whose first was lost.
    pub(super) async fn create_efs(
        &self,
        spec: &EfsFileSystem,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "efs:CreateFileSystem";
        let tags = found::data_tags(owner, &spec.tags, (spec.precious, spec.kms_key.as_ref()));
        let request = self
            .efs
            .create_file_system()
            .creation_token(owner.token.as_str())
            .performance_mode(PerformanceMode::GeneralPurpose)
            .throughput_mode(ThroughputMode::from(spec.throughput.mode.as_str()))
            .set_provisioned_throughput_in_mibps(spec.throughput.provisioned.map(f64::from))
            .encrypted(spec.encrypted)
            .set_kms_key_id(spec.kms_key.clone())
            .backup(spec.backup)
            .set_tags(Some(wire_tags(API, &tags)?));
        match self.send(API, request.send()).await {
            Ok(made) => Ok(CloudId(made.file_system_id)),
            Err(failure) if failure.code == "FileSystemAlreadyExists" => {
                self.made_before(owner, &tags, failure).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// What a creation token has made. EFS does not compare requests; the tags tell whether it
    /// was this one.
    async fn made_before(
        &self,
        owner: &Owner,
        tags: &Tags,
        taken: Failure,
    ) -> Result<CloudId, Failure> {
        let request = self.efs.describe_file_systems().creation_token(owner.token.as_str());
        let unknown = |failure: Failure| Failure { left: Left::Unknown, ..failure };
        let found = self.send(LIST, request.send()).await.map_err(unknown)?;
        match found.file_systems.unwrap_or_default().into_iter().next() {
            Some(system) if tags_of(&system.tags) == *tags => Ok(CloudId(system.file_system_id)),
            Some(_) => Err(Failure { class: Class::Mismatch, ..taken }),
            None => Err(unknown(Failure { class: Class::Settling, ..taken })),
        }
    }

    pub(super) async fn edit_efs(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("throughput", Change::Put(to)) => {
                let EfsThroughput { mode, provisioned } = found::value(edit, to)?;
                let request = self
                    .efs
                    .update_file_system()
                    .file_system_id(id.as_str())
                    .throughput_mode(ThroughputMode::from(mode.as_str()))
                    .set_provisioned_throughput_in_mibps(provisioned.map(f64::from));
                self.send("efs:UpdateFileSystem", request.send()).await.map(|_| ())
            }
            ("infrequent_after", Change::Put(to)) => {
                self.put_efs_lifecycle(id.as_str(), found::value(edit, to)?).await
            }
            ("backup", Change::Put(to)) => {
                self.put_efs_backup(id.as_str(), found::value(edit, to)?).await
            }
            ("targets", Change::Add(item)) => self.add_target(id, found::value(edit, item)?).await,
            ("targets", Change::Remove(item)) => {
                self.remove_target(id, found::value(edit, item)?).await
            }
            ("precious", Change::Put(to)) => {
                let edit = found::precious_edit(found::value(edit, to)?);
                self.edit_efs_tags(id, &edit).await
            }
            ("tags", _) => self.edit_efs_tags(id, edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KIND, edit))
            }
        }
    }

    async fn target_in(
        &self,
        id: &CloudId,
        subnet: &str,
    ) -> Result<Option<MountTargetDescription>, Failure> {
        let all = self.targets(id.as_str()).await?;
        Ok(all.into_iter().find(|target| standing(target) && target.subnet_id == subnet))
    }

    /// One in a subnet that has one already gets other groups.
    async fn add_target(&self, id: &CloudId, target: MountTarget) -> Result<(), Failure> {
        const API: &str = "efs:CreateMountTarget";
        let subnet = found::id_of(API, &target.subnet)?;
        let id_of = |group: &Link<SecurityGroupId>| found::id_of(API, group);
        let groups: Vec<String> = target.groups.iter().map(id_of).collect::<Result<_, _>>()?;
        if let Some(found) = self.target_in(id, &subnet).await? {
            let request = self
                .efs
                .modify_mount_target_security_groups()
                .mount_target_id(found.mount_target_id)
                .set_security_groups(Some(groups));
            let api = "efs:ModifyMountTargetSecurityGroups";
            return self.send(api, request.send()).await.map(|_| ());
        }
        let request = self
            .efs
            .create_mount_target()
            .file_system_id(id.as_str())
            .subnet_id(subnet)
            .set_security_groups(Some(groups));
        match self.send(API, request.send()).await {
            // Our own, which did not show yet; or one in another subnet of the zone that goes.
            Err(failure) if failure.code == "MountTargetConflict" => {
                Err(Failure { class: Class::Settling, ..failure })
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn remove_target(&self, id: &CloudId, target: MountTarget) -> Result<(), Failure> {
        const API: &str = "efs:DeleteMountTarget";
        let subnet = found::id_of(API, &target.subnet)?;
        let Some(found) = self.target_in(id, &subnet).await? else { return Ok(()) };
        let request = self.efs.delete_mount_target().mount_target_id(found.mount_target_id);
        found::or_gone(self.send(API, request.send()).await)
    }

    async fn edit_efs_tags(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match found::tag_change(KIND, edit)? {
            TagChange::Add(new) => {
                let tags = Some(wire_tags("efs:TagResource", &new)?);
                let request = self.efs.tag_resource().resource_id(id.as_str()).set_tags(tags);
                self.send("efs:TagResource", request.send()).await.map(|_| ())
            }
            TagChange::Remove(keys) => {
                let keys = Some(keys);
                let request = self.efs.untag_resource().resource_id(id.as_str()).set_tag_keys(keys);
                self.send("efs:UntagResource", request.send()).await.map(|_| ())
            }
        }
    }

    pub(super) async fn delete_efs(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.efs.delete_file_system().file_system_id(id.as_str());
        self.send("efs:DeleteFileSystem", request.send()).await.map(|_| ())
    }

    /// Ready with all of its targets: whoever mounts before fails.
    pub(super) async fn efs_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let found = self.efs_systems(id.as_str()).await?;
        let phase_of = found.first().map_or(Phase::Gone, |system| phase(&system.life_cycle_state));
        if phase_of != Phase::Ready {
            return Ok(phase_of);
        }
        let targets = self.targets(id.as_str()).await?;
        let waits = targets.iter().any(|target| phase(&target.life_cycle_state) == Phase::Pending);
        Ok(if waits { Phase::Pending } else { Phase::Ready })
    }
}
