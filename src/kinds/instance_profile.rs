//! Instance profile.

use serde::{Deserialize, Serialize};

use super::{Budget, Home, Idempotence, Kind, Set, Tags, Traits};
use crate::model::{CloudId, Link, RoleArn};

/// An instance profile: hands a role to instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceProfile {
    /// Its name, unique in the account.
    pub name: String,
    /// `/mlinfra/<region>/<stack>/`
    pub path: String,
    /// The role in it; AWS allows exactly one.
    pub roles: Vec<Link<RoleArn>>,
    /// Tags.
    pub tags: Tags,
}

impl Kind for InstanceProfile {
    const TRAITS: Traits = Traits {
        title: "instance profile",
        in_place: &["roles", "tags"],
        sets: &[Set { field: "roles", key: None }],
        dismantle: &["roles"],
        idempotence: Idempotence::Name,
        budget: Budget { list: 1, detail: 1 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { roles: Vec::new(), ..self.clone() }
    }

    fn computed_id(&self, home: &Home) -> Option<CloudId> {
        Some(CloudId(home.arn("iam", &format!("instance-profile{}{}", self.path, self.name))))
    }

    fn claim(&self) -> Option<String> {
        Some(format!("profile {}", self.name.to_lowercase()))
    }
}
