//! What the simulated region answers a doctor.

use std::collections::BTreeSet;

use super::Region;
use super::refusal::broken;
use super::world::World;
use crate::cloud::{Failure, Measure, Permission, Permissions, Pulse, Running};
use crate::kinds::{KindName, Spec};
use crate::model::{CloudId, Link, Moment, Region as RegionName};

impl Region {
    /// Its clock, which may be set ahead of ours, and when the credentials end.
    pub(super) fn pulse_now(&self) -> Pulse {
        let settings = self.settings();
        let now = i64::try_from(self.now()).unwrap_or(i64::MAX);
        let after = |seconds: i64| Moment(now.saturating_add(seconds.saturating_mul(1000)));
        Pulse {
            clock: Some(after(settings.clock_skew)),
            ends: settings.session_seconds.map(|left| after(left.try_into().unwrap_or(i64::MAX))),
        }
    }

    /// What the settings forbid.
    pub(super) fn allowed(&self, actions: &BTreeSet<String>) -> Permissions {
        let denied = self.settings().denied;
        let judge = |action: &String| match denied.contains(action) {
            true => (action.clone(), Permission::Denied),
            false => (action.clone(), Permission::Allowed),
        };
        actions.iter().map(judge).collect()
    }

    /// How much there is of what a quota counts, whoever's it is.
    pub(super) fn usage_of(&self, of: &Measure) -> Result<u64, Failure> {
        let told = self.inner().turn(|world, _| (count(world, self.name(), of), None));
        told.map_err(|why| broken("servicequotas:GetServiceQuota", &why))
    }

    /// Nodes, whoever's they are.
    pub(super) fn running_now(&self) -> Result<Running, Failure> {
        let count = |world: &World| {
            let mut out = Running::new();
            let here = world.objects.values().filter(|it| it.region == *self.name() && it.stands());
            for object in here {
                if let Spec::Node(node) = &object.spec {
                    *out.entry((node.instance_type.clone(), node.market)).or_default() += 1;
                }
            }
            out
        };
        let told = self.inner().turn(|world, _| (count(world), None));
        told.map_err(|why| broken("ec2:DescribeInstances", &why))
    }
}

fn count(world: &World, region: &RegionName, of: &Measure) -> u64 {
    let here = world.objects.values().filter(|it| it.region == *region && it.stands());
    match of {
        Measure::Addresses => world.count(region, KindName::ElasticIp),
        Measure::Vpcs => world.count(region, KindName::Vpc),
        Measure::FileSystems => world.count(region, KindName::EfsFileSystem),
        Measure::Roles => everywhere(world, KindName::Role),
        Measure::Profiles => everywhere(world, KindName::InstanceProfile),
        Measure::Disks(kind) => here.map(|object| disk(world, &object.spec, kind)).sum(),
        Measure::Lustre(deployment) => {
            let size = |spec: &Spec| {
                let Spec::LustreFileSystem(it) = spec else { return 0 };
                if it.deployment == *deployment { u64::from(it.size) } else { 0 }
            };
            here.map(|object| size(&object.spec)).sum()
        }
    }
}

/// What the account has in every region.
fn everywhere(world: &World, kind: KindName) -> u64 {
    let all = world.objects.values().filter(|it| it.spec.kind() == kind && it.stands());
    all.count() as u64
}

/// GiB of a volume, or of the root disk of a node.
fn disk(world: &World, spec: &Spec, kind: &str) -> u64 {
    if let Spec::Volume(volume) = spec {
        let provisioned = &volume.provisioned;
        return if provisioned.volume_type == kind { u64::from(provisioned.size) } else { 0 };
    }
    let Spec::Node(node) = spec else { return 0 };
    let id = Link::id(&node.template).map(|id| CloudId(id.0.clone()));
    match id.and_then(|id| world.objects.get(&id)).map(|object| &object.spec) {
        Some(Spec::LaunchTemplate(template)) if template.disk.volume_type == kind => {
            u64::try_from(template.disk.size).unwrap_or(0)
        }
        Some(_) | None => 0,
    }
}
