//! IAM role with its policies.

use serde::{Deserialize, Serialize};

use super::{Budget, Home, Idempotence, Kind, Set, Tags, Traits};
use crate::model::{CloudId, Text};

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, unique in the account, ignoring case and path.
    pub name: String,
    /// `/mlinfra/<region>/<stack>/`: by it roles are found that left the configuration.
    pub path: String,
    /// What it is for.
    pub description: String,
    /// Who may take it, as canonical JSON.
    pub trust: Text,
    /// Policies written into it.
    pub policies: Vec<InlinePolicy>,
    /// ARNs of policies attached to it.
    pub managed: Vec<String>,
    /// Tags.
    pub tags: Tags,
}

/// A policy written into a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InlinePolicy {
    /// Its name within the role.
    pub name: String,
    /// Canonical JSON.
    pub document: Text,
}

impl Kind for Role {
    const TRAITS: Traits = Traits {
        title: "IAM role",
        in_place: &["description", "trust", "policies", "managed", "tags"],
        sets: &[Set { field: "policies", key: Some("name") }, Set { field: "managed", key: None }],
        dismantle: &["policies", "managed"],
        idempotence: Idempotence::Name,
        // Tags, inline policies and one read each of ours, attached policies.
        budget: Budget { list: 1, detail: 4 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { policies: Vec::new(), managed: Vec::new(), ..self.clone() }
    }

    fn computed_id(&self, home: &Home) -> Option<CloudId> {
        Some(CloudId(home.arn("iam", &format!("role{}{}", self.path, self.name))))
    }

    fn claim(&self) -> Option<String> {
        Some(format!("role {}", self.name.to_lowercase()))
    }
}
