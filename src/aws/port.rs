//! The port: which file answers for which kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::found::Found;
use super::{Aws, ec2, failure};
use crate::cloud::{
    Ask, Call, CallCounts, Caller, Class, Cloud, Condition, Facts, Failure, Make, Measure,
    Observed, Permissions, Phase, Pulse, Reply, Running, Scope, Stray,
};
use crate::kinds::{Edit, KindName, Spec};
use crate::model::CloudId;

#[async_trait]
impl Cloud for Aws {
    async fn caller(&self) -> Result<Caller, Failure> {
        Ok(self.caller.clone())
    }

    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        self.find_facts(ask).await
    }

    async fn observe(&self, scope: &Scope) -> Observed {
        let all = KindName::ALL.iter().copied().collect();
        let mut observed = self.glance(scope, &all).await;
        self.judge(&mut observed).await;
        observed
    }

    async fn glance(&self, scope: &Scope, kinds: &BTreeSet<KindName>) -> Observed {
        let lists = kinds.iter().map(|kind| self.list(*kind, scope));
        let mut observed = Observed::default();
        for (kind, list) in kinds.iter().zip(join_all(lists).await) {
            match list {
                Ok(all) => all.into_iter().for_each(|one| one.place(*kind, scope, &mut observed)),
                Err(failure) => {
                    observed.blind.insert(*kind, failure.to_string());
                }
            }
        }
        observed
    }

    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        match call {
            Call::Create(make) => {
                let id = self.create(make).await.map_err(settling)?;
                Ok(Reply { ids: vec![id], more: false })
            }
            Call::Edit { kind, id, edit } => {
                self.edit(*kind, id, edit).await.map_err(settling)?;
                Ok(Reply::default())
            }
            Call::Empty { id } => self.empty_bucket(id).await,
            Call::Delete { id, was } => match self.delete(id, was).await {
                Ok(()) => Ok(Reply::default()),
                Err(failure) if failure.class == Class::Gone => Ok(Reply::default()),
                Err(failure) => Err(failure),
            },
            Call::Launch(launch) => self.launch(launch).await.map_err(settling),
            Call::Terminate { ids } => self.terminate(ids).await,
        }
    }

    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure> {
        self.find_one(kind, name).await
    }

    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        match self.phase_of(kind, id).await {
            Err(failure) if failure.class == Class::Gone => Ok(Phase::Gone),
            answer => answer,
        }
    }

    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        self.node_conditions(nodes).await
    }

    async fn quota(&self, service: &str, code: &str) -> Result<Option<u64>, Failure> {
        self.quota_of(service, code).await
    }

    async fn usage(&self, of: &Measure) -> Result<u64, Failure> {
        self.usage_of(of).await
    }

    async fn pulse(&self) -> Pulse {
        self.pulse_now().await
    }

    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions {
        self.allowed(actions).await
    }

    async fn running(&self) -> Result<Running, Failure> {
        self.running_now().await
    }

    /// EC2 promises no bound ("a few seconds to minutes"); nearly all of it is over by then, and
    /// what is not makes a step fail, no more.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    fn lag(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn calls(&self) -> CallCounts {
        self.counter.counts()
    }
}

/// What is made, changed or started names other objects, and itself, by ids that some
/// call has returned: one that is not found is one that is not known everywhere yet.
fn settling(failure: Failure) -> Failure {
    if failure.class == Class::Gone {
        return Failure { class: Class::Settling, ..failure };
    }
    failure
}

impl Aws {
    async fn list(&self, kind: KindName, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let wanted = ec2::of_stack(scope);
        match kind {
            KindName::Vpc => self.list_vpcs(&wanted).await,
            KindName::Subnet => self.list_subnets(&wanted).await,
            KindName::InternetGateway => self.list_internet_gateways(&wanted).await,
            KindName::ElasticIp => self.list_addresses(&wanted).await,
            KindName::NatGateway => self.list_nat_gateways(&wanted).await,
            KindName::RouteTable => self.list_route_tables(&wanted).await,
            KindName::VpcEndpoint => self.list_endpoints(&wanted).await,
            KindName::SecurityGroup => self.list_groups(&wanted).await,
            KindName::HostedZone => self.list_zones(scope).await,
            KindName::Bucket => self.list_buckets(scope).await,
            KindName::BucketObject => self.list_objects(scope).await,
            KindName::Queue => self.list_queues(scope).await,
            KindName::Volume => self.list_volumes(&wanted).await,
            KindName::EfsFileSystem => self.list_efs(scope).await,
            KindName::LustreFileSystem => self.list_lustre(scope).await,
            KindName::DataRepositoryAssociation => self.list_associations(scope).await,
            KindName::Role => self.list_roles(scope).await,
            KindName::InstanceProfile => self.list_profiles(scope).await,
            KindName::PlacementGroup => self.list_placement_groups(&wanted).await,
            KindName::LaunchTemplate => self.list_templates(&wanted).await,
            KindName::Node => self.list_nodes(scope).await,
        }
    }

    async fn create(&self, make: &Make) -> Result<CloudId, Failure> {
        let owner = &make.owner;
        match &make.spec {
            Spec::Vpc(spec) => self.create_vpc(spec, owner).await,
            Spec::Subnet(spec) => self.create_subnet(spec, owner).await,
            Spec::InternetGateway(spec) => self.create_internet_gateway(spec, owner).await,
            Spec::ElasticIp(spec) => self.create_address(spec, owner).await,
            Spec::NatGateway(spec) => self.create_nat_gateway(spec, owner).await,
            Spec::RouteTable(spec) => self.create_route_table(spec, owner).await,
            Spec::VpcEndpoint(spec) => self.create_endpoint(spec, owner).await,
            Spec::SecurityGroup(spec) => self.create_group(spec, owner).await,
            Spec::HostedZone(spec) => self.create_zone(spec, owner).await,
            Spec::Bucket(spec) => self.create_bucket(spec, owner).await,
            Spec::BucketObject(spec) => self.create_object(spec, owner).await,
            Spec::Queue(spec) => self.create_queue(spec, owner).await,
            Spec::Volume(spec) => self.create_volume(spec, owner).await,
            Spec::EfsFileSystem(spec) => self.create_efs(spec, owner).await,
            Spec::LustreFileSystem(spec) => self.create_lustre(spec, owner).await,
            Spec::DataRepositoryAssociation(spec) => self.create_association(spec, owner).await,
            Spec::Role(spec) => self.create_role(spec, owner).await,
            Spec::InstanceProfile(spec) => self.create_profile(spec, owner).await,
            Spec::PlacementGroup(spec) => self.create_placement_group(spec, owner).await,
            Spec::LaunchTemplate(spec) => self.create_template(spec, owner).await,
            Spec::Node(_) => Err(not_so("create")),
        }
    }

    async fn edit(&self, kind: KindName, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match kind {
            KindName::Vpc => self.edit_vpc(id, edit).await,
            KindName::Subnet => self.edit_subnet(id, edit).await,
            KindName::InternetGateway => self.edit_internet_gateway(id, edit).await,
            KindName::ElasticIp => self.edit_address(id, edit).await,
            KindName::NatGateway => self.edit_nat_gateway(id, edit).await,
            KindName::RouteTable => self.edit_route_table(id, edit).await,
            KindName::VpcEndpoint => self.edit_endpoint(id, edit).await,
            KindName::SecurityGroup => self.edit_group(id, edit).await,
            KindName::HostedZone => self.edit_zone(id, edit).await,
            KindName::Bucket => self.edit_bucket(id, edit).await,
            KindName::BucketObject => self.edit_object(id, edit).await,
            KindName::Queue => self.edit_queue(id, edit).await,
            KindName::Volume => self.edit_volume(id, edit).await,
            KindName::EfsFileSystem => self.edit_efs(id, edit).await,
            KindName::LustreFileSystem => self.edit_lustre(id, edit).await,
            KindName::DataRepositoryAssociation => self.edit_association(id, edit).await,
            KindName::Role => self.edit_role(id, edit).await,
            KindName::InstanceProfile => self.edit_profile(id, edit).await,
            KindName::PlacementGroup => self.edit_placement_group(id, edit).await,
            KindName::LaunchTemplate => self.edit_template(id, edit).await,
            KindName::Node if edit.field == "tags" => {
                self.edit_ec2_tags(kind, id.as_str(), edit).await
            }
            KindName::Node => Err(not_so("edit")),
        }
    }

    async fn delete(&self, id: &CloudId, was: &Spec) -> Result<(), Failure> {
        match was {
            Spec::Vpc(_) => self.delete_vpc(id).await,
            Spec::Subnet(_) => self.delete_subnet(id).await,
            Spec::InternetGateway(_) => self.delete_internet_gateway(id).await,
            Spec::ElasticIp(_) => self.delete_address(id).await,
            Spec::NatGateway(_) => self.delete_nat_gateway(id).await,
            Spec::RouteTable(_) => self.delete_route_table(id).await,
            Spec::VpcEndpoint(_) => self.delete_endpoint(id).await,
            Spec::SecurityGroup(_) => self.delete_group(id).await,
            Spec::Bucket(_) => self.delete_bucket(id).await,
            Spec::BucketObject(_) => self.delete_object(id).await,
            Spec::Queue(_) => self.delete_queue(id).await,
            Spec::Volume(_) => self.delete_volume(id).await,
            Spec::HostedZone(_) => self.delete_zone(id).await,
            Spec::EfsFileSystem(_) => self.delete_efs(id).await,
            Spec::LustreFileSystem(_) => self.delete_lustre(id).await,
            Spec::DataRepositoryAssociation(_) => self.delete_association(id).await,
            Spec::Role(_) => self.delete_role(id).await,
            Spec::InstanceProfile(_) => self.delete_profile(id).await,
            Spec::PlacementGroup(_) => self.delete_placement_group(id).await,
            Spec::LaunchTemplate(_) => self.delete_template(id).await,
            Spec::Node(_) => self.terminate(std::slice::from_ref(id)).await.map(|_| ()),
        }
    }

    async fn phase_of(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        match kind {
            KindName::Vpc => self.vpc_phase(id).await,
            KindName::Subnet => self.subnet_phase(id).await,
            KindName::InternetGateway => self.internet_gateway_phase(id).await,
            KindName::ElasticIp => self.address_phase(id).await,
            KindName::NatGateway => self.nat_gateway_phase(id).await,
            KindName::RouteTable => self.route_table_phase(id).await,
            KindName::VpcEndpoint => self.endpoint_phase(id).await,
            KindName::SecurityGroup => self.group_phase(id).await,
            KindName::Bucket => self.bucket_phase(id).await,
            KindName::BucketObject => self.object_phase(id).await,
            KindName::Queue => self.queue_phase(id).await,
            KindName::Volume => self.volume_phase(id).await,
            KindName::HostedZone => self.zone_phase(id).await,
            KindName::EfsFileSystem => self.efs_phase(id).await,
            KindName::LustreFileSystem => self.lustre_phase(id).await,
            KindName::DataRepositoryAssociation => self.association_phase(id).await,
            KindName::Role => self.role_phase(id).await,
            KindName::InstanceProfile => self.profile_phase(id).await,
            KindName::PlacementGroup => self.placement_group_phase(id).await,
            KindName::LaunchTemplate => self.template_phase(id).await,
            KindName::Node => self.node_phase(id).await,
        }
    }
}

/// Nodes are launched and terminated.
fn not_so(what: &str) -> Failure {
    failure::invalid(what, "nodes are launched in batches and never changed")
}
