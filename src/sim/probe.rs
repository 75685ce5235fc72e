//! What the simulated region answers a doctor.

use std::collections::BTreeSet;

use super::Region;
use super::refusal::broken;
use super::world::World;
use crate::cloud::{Failure, Permission, Permissions, Pulse, Running};
use crate::kinds::Spec;
use crate::model::Moment;

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
