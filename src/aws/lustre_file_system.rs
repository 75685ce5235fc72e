//! FSx for Lustre. The list has no filter and shows the whole account; security groups are
//! read off network interfaces, since FSx never returns them.

use std::collections::BTreeMap;

use aws_sdk_fsx::types::{
    CreateFileSystemLustreConfiguration, DataCompressionType, FileSystem, FileSystemType,
    LustreDeploymentType, StorageType, UpdateFileSystemLustreConfiguration,
};

use super::found::{self, Found};
use super::{Aws, ec2, failure, fsx, pages};
use crate::cloud::{Failure, Owner, Phase, Scope, Seen};
use crate::kinds::{Change, Edit, KindName, LustreFileSystem};
use crate::model::{CloudId, Link, SecurityGroupId, SubnetId};

const LIST: &str = "fsx:DescribeFileSystems";

/// Groups by network interface.
pub(super) type Groups = BTreeMap<String, Vec<Link<SecurityGroupId>>>;

fn phase(system: &FileSystem) -> Phase {
    let state = system.lifecycle.as_ref().map(|state| state.as_str()).unwrap_or_default();
    match state.to_ascii_uppercase().as_str() {
        "CREATING" => Phase::Pending,
        "DELETING" => Phase::Leaving,
        "FAILED" => {
            let details = system.failure_details.as_ref().and_then(|why| why.message.clone());
            Phase::Failed(details.unwrap_or_else(|| "the file system has failed".to_owned()))
        }
        // Updating and misconfigured ones hold their data, and may be mounted.
        _ => Phase::Ready,
    }
}

/// What an update that is under way leads to: it shows for hours beside the former values.
fn target(system: &FileSystem) -> Option<&FileSystem> {
    let under_way = ["PENDING", "IN_PROGRESS", "UPDATED_OPTIMIZING", "OPTIMIZING"];
    system.administrative_actions.as_deref().unwrap_or_default().iter().find_map(|action| {
        let status = action.status.as_ref().map(|status| status.as_str());
        status.filter(|status| under_way.contains(status))?;
        action.target_file_system_values.as_ref()
    })
}

fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

fn wire(api: &str, value: u32) -> Result<i32, Failure> {
    i32::try_from(value).map_err(|bad| failure::invalid(api, format!("{value}: {bad}")))
}

fn read(system: &FileSystem, groups: &Groups) -> Found {
    let phase = phase(system);
    let tags = fsx::tags_of(system.tags.clone());
    let id = system.file_system_id.clone().unwrap_or_default();
    let interfaces = system.network_interface_ids.clone().unwrap_or_default();
    let groups = interfaces.first().and_then(|interface| groups.get(interface));
    let groups = match (groups, &phase) {
        (Some(groups), _) => groups.clone(),
        (None, Phase::Failed(_) | Phase::Leaving | Phase::Gone) => Vec::new(),
        (None, Phase::Pending | Phase::Ready) => {
            let why = "its security groups cannot be seen: it has no network interface yet";
            let seen = Seen::Blind(why.to_owned());
            return Found { seen, ..Found::blind(id, tags) }.in_phase(phase);
        }
    };
    let later = target(system);
    let lustre = system.lustre_configuration.as_ref();
    let lustre_later = later.and_then(|later| later.lustre_configuration.as_ref());
    let compression = lustre_later
        .and_then(|lustre| lustre.data_compression_type.as_ref())
        .or(lustre.and_then(|lustre| lustre.data_compression_type.as_ref()));
    let deployment = lustre.and_then(|lustre| lustre.deployment_type.as_ref());
    let subnet = system.subnet_ids.as_deref().unwrap_or_default().first().cloned();
    let spec = LustreFileSystem {
        subnet: Link::Id(SubnetId(subnet.unwrap_or_default())),
        groups,
        deployment: deployment.map(|of| of.as_str().to_owned()).unwrap_or_default(),
        version: system.file_system_type_version.clone().unwrap_or_default(),
        size: number(later.and_then(|later| later.storage_capacity))
            .or(number(system.storage_capacity))
            .unwrap_or_default(),
        throughput: number(lustre_later.and_then(|lustre| lustre.per_unit_storage_throughput))
            .or(number(lustre.and_then(|lustre| lustre.per_unit_storage_throughput))),
        compression: compression.map_or("NONE", |of| of.as_str()).to_owned(),
        kms_key: found::chosen_key(&tags, system.kms_key_id.clone()),
        precious: found::is_precious(&tags),
        tags: found::user_tags(&tags),
    };
    Found::new(id, tags, spec).in_phase(phase)
}

fn is_lustre(system: &FileSystem) -> bool {
    let kind = system.file_system_type.as_ref().map(|kind| kind.as_str());
    ec2::is(kind, "LUSTRE") && !system.file_system_id.as_deref().unwrap_or_default().is_empty()
}

impl Aws {
    /// The security groups of network interfaces, in one paged list.
    pub(super) async fn interface_groups(&self, ids: Vec<String>) -> Result<Groups, Failure> {
        if ids.is_empty() {
            return Ok(Groups::new());
        }
        // By filter: an interface that has gone meanwhile is no error.
        let filter =
            ec2::Filter::builder().name("network-interface-id").set_values(Some(ids)).build();
        let request =
            || self.ec2.describe_network_interfaces().filters(filter.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeNetworkInterfaces", request(), network_interfaces);
        let groups = all.into_iter().filter_map(|interface| {
            let of = interface.groups.unwrap_or_default().into_iter();
            let mut groups: Vec<_> = of
                .filter_map(|group| group.group_id)
                .map(|id| Link::Id(SecurityGroupId(id)))
                .collect();
            groups.sort();
            Some((interface.network_interface_id?, groups))
        });
        Ok(groups.collect())
    }

    pub(super) async fn list_lustre(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let all = self.lustre_systems().await?;
        let ours = |system: &FileSystem| found::is_ours(scope, &fsx::tags_of(system.tags.clone()));
        self.whole_lustre(all.into_iter().filter(ours).collect()).await
    }

    /// A file system by its id, whoever owns it.
    pub(super) async fn find_lustre(&self, id: &str) -> Result<Vec<Found>, Failure> {
        let request = self.fsx.describe_file_systems().file_system_ids(id);
        let found = self.send(LIST, request.send()).await?.file_systems.unwrap_or_default();
        self.whole_lustre(found.into_iter().filter(is_lustre).collect()).await
    }

    pub(super) async fn lustre_systems(&self) -> Result<Vec<FileSystem>, Failure> {
        let request = || self.fsx.describe_file_systems();
        let all = pages!(self, "fsx:DescribeFileSystems", request(), file_systems);
        Ok(all.into_iter().filter(is_lustre).collect())
    }

    async fn whole_lustre(&self, all: Vec<FileSystem>) -> Result<Vec<Found>, Failure> {
        // All interfaces of a file system have the same groups.
        let first = |system: &FileSystem| system.network_interface_ids.as_ref()?.first().cloned();
        let groups = self.interface_groups(all.iter().filter_map(first).collect()).await?;
        Ok(all.iter().map(|system| read(system, &groups)).collect())
    }

    pub(super) async fn create_lustre(
        &self,
        spec: &LustreFileSystem,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "fsx:CreateFileSystem";
        let tags = found::data_tags(owner, &spec.tags, (spec.precious, spec.kms_key.as_ref()));
        let mut groups = Vec::new();
        for group in &spec.groups {
            groups.push(found::id_of(API, group)?);
        }
        let lustre = CreateFileSystemLustreConfiguration::builder()
            .deployment_type(LustreDeploymentType::from(spec.deployment.as_str()))
            .set_per_unit_storage_throughput(spec.throughput.map(|n| wire(API, n)).transpose()?)
            .data_compression_type(DataCompressionType::from(spec.compression.as_str()))
            .build();
        let request = self
            .fsx
            .create_file_system()
            .client_request_token(owner.token.as_str())
            .file_system_type(FileSystemType::Lustre)
            .file_system_type_version(&spec.version)
            .storage_type(StorageType::Ssd)
            .storage_capacity(wire(API, spec.size)?)
            .subnet_ids(found::id_of(API, &spec.subnet)?)
            .set_security_group_ids(Some(groups))
            .lustre_configuration(lustre)
            .set_kms_key_id(spec.kms_key.clone())
            .set_tags(Some(fsx::wire_tags(&tags)));
        let made = self.send(API, request.send()).await?.file_system;
        ec2::made(API, made.and_then(|system| system.file_system_id))
    }

    pub(super) async fn edit_lustre(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        const API: &str = "fsx:UpdateFileSystem";
        let request = self.fsx.update_file_system().file_system_id(id.as_str());
        let lustre = UpdateFileSystemLustreConfiguration::builder();
        let request = match (edit.field.as_str(), &edit.change) {
            ("tags" | "precious", _) => {
                let resource = format!("file-system/{id}");
                return self.edit_fsx_tags(KindName::LustreFileSystem, &resource, edit).await;
            }
            ("size", Change::Put(to)) => {
                request.storage_capacity(wire(API, found::value(edit, to)?)?)
            }
            ("throughput", Change::Put(to)) => {
                let speed = wire(API, found::value(edit, to)?)?;
                request.lustre_configuration(lustre.per_unit_storage_throughput(speed).build())
            }
            ("compression", Change::Put(to)) => {
                let word: String = found::value(edit, to)?;
                let word = DataCompressionType::from(word.as_str());
                request.lustre_configuration(lustre.data_compression_type(word).build())
            }
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                return Err(found::unknown(KindName::LustreFileSystem, edit));
            }
        };
        self.send(API, request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_lustre(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.fsx.delete_file_system().file_system_id(id.as_str());
        self.send("fsx:DeleteFileSystem", request.send()).await.map(|_| ())
    }

    pub(super) async fn lustre_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.fsx.describe_file_systems().file_system_ids(id.as_str());
        let found = self.send(LIST, request.send()).await?.file_systems.unwrap_or_default();
        Ok(found.first().map_or(Phase::Gone, phase))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_fsx::types::{
        AdministrativeAction, FileSystemLifecycle, LustreFileSystemConfiguration, Status,
    };

    use super::*;

    fn system() -> aws_sdk_fsx::types::builders::FileSystemBuilder {
        let lustre = LustreFileSystemConfiguration::builder()
            .deployment_type(LustreDeploymentType::Persistent2)
            .per_unit_storage_throughput(125);
        FileSystem::builder()
            .file_system_id("fs-1")
            .file_system_type(FileSystemType::Lustre)
            .storage_capacity(1200)
            .lifecycle(FileSystemLifecycle::Available)
            .subnet_ids("subnet-1")
            .network_interface_ids("eni-1")
            .lustre_configuration(lustre.build())
    }

    fn spec(found: Found) -> LustreFileSystem {
        let Seen::Spec(crate::kinds::Spec::LustreFileSystem(spec)) = found.seen else {
            panic!("blind")
        };
        spec
    }

    #[test]
    fn an_update_under_way_counts_as_done() {
        let groups = Groups::from([("eni-1".to_owned(), vec![Link::Id("sg-1".into())])]);
        let later = FileSystem::builder().storage_capacity(2400).build();
        let growing = |status: Status| {
            let action = AdministrativeAction::builder()
                .status(status)
                .target_file_system_values(later.clone());
            spec(read(&system().administrative_actions(action.build()).build(), &groups))
        };
        assert_eq!(growing(Status::InProgress).size, 2400);
        assert_eq!(growing(Status::Failed).size, 1200);
        assert_eq!(growing(Status::Pending).throughput, Some(125));
        assert_eq!(growing(Status::Pending).groups, [Link::Id("sg-1".into())]);
    }

    #[test]
    fn what_has_no_interface_yet_is_not_judged() {
        let none = Groups::new();
        let young = read(&system().lifecycle(FileSystemLifecycle::Creating).build(), &none);
        assert!(matches!(young.seen, Seen::Blind(_)));
        let failed = read(&system().lifecycle(FileSystemLifecycle::Failed).build(), &none);
        assert!(matches!((&failed.seen, &failed.phase), (Seen::Spec(_), Phase::Failed(_))));
    }
}
