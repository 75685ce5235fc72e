//! Security group and its rules.

use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, Set, Tags, Traits};
use crate::model::{Link, SecurityGroupId, VpcId};

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// Its name, unique within the VPC, ignoring case.
    pub name: String,
    /// What it is for; AWS wants one.
    pub description: String,
    /// The VPC it belongs to.
    pub vpc: Link<VpcId>,
    /// Who may send to its members.
    pub ingress: Vec<Rule>,
    /// Where its members may send to.
    pub egress: Vec<Rule>,
    /// Tags.
    pub tags: Tags,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// First and last port; none for all.
    pub ports: Option<(i32, i32)>,
    /// The other side.
    pub peer: Peer,
    /// Why.
    pub description: String,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Members of the same group.
    Itself,
    /// Addresses.
    Cidr(String),
    /// Members of another group.
    Group(Link<SecurityGroupId>),
    /// A prefix list; seen, never wanted.
    PrefixList(String),
}

impl Rule {
    /// Everything, to or from one side.
    pub fn all(peer: Peer, description: &str) -> Self {
        Self { protocol: "-1".to_owned(), ports: None, peer, description: description.to_owned() }
    }
}

impl Kind for SecurityGroup {
    const TRAITS: Traits = Traits {
        title: "security group",
        in_place: &["ingress", "egress", "tags"],
        sets: &[Set { field: "ingress", key: None }, Set { field: "egress", key: None }],
        dismantle: &["ingress", "egress"],
        idempotence: Idempotence::Name,
        // The rules of all groups come in one more paged list.
        budget: Budget { list: 2, detail: 0 },
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        // AWS gives every fresh group leave to send anywhere.
        let egress = vec![Rule::all(Peer::Cidr("0.0.0.0/0".to_owned()), "")];
        Self { ingress: Vec::new(), egress, ..self.clone() }
    }

    fn claim(&self) -> Option<String> {
        self.vpc.id().map(|vpc| format!("{} in {vpc}", self.name.to_lowercase()))
    }

    fn name_mut(&mut self) -> Option<&mut String> {
        Some(&mut self.name)
    }
}
