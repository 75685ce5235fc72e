//! Private hosted zone of Route 53, with its records: those carry no tags, so they are fields
//! of the zone.

use serde::{Deserialize, Serialize};

use super::{Budget, Idempotence, Kind, Set, Tags, Traits};
use crate::model::{Link, VpcId};

/// A zone that answers in its VPCs alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostedZone {
    /// Its name, without the last dot.
    pub name: String,
    /// Where it answers.
    pub vpcs: Vec<Link<VpcId>>,
    /// What it answers. Who declares a zone leaves out the records that follow its nodes:
    /// those are pointed at them by a step of their own.
    pub records: Vec<Record>,
    /// Tags.
    pub tags: Tags,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The question, a type and a name: `A mlflow.llm.internal`.
    pub ask: String,
    /// Seconds for which an answer may be kept.
    pub ttl: u32,
    /// The answers.
    pub values: Vec<String>,
}

impl Record {
    /// The addresses behind a name.
    pub fn addresses(name: &str, ttl: u32, mut values: Vec<String>) -> Self {
        values.sort();
        Self { ask: format!("A {name}"), ttl, values }
    }

    /// Its type and its name.
    pub fn parts(&self) -> (&str, &str) {
        self.ask.split_once(' ').unwrap_or(("", &self.ask))
    }
}

impl Kind for HostedZone {
    const TRAITS: Traits = Traits {
        title: "hosted zone",
        in_place: &["vpcs", "records", "tags"],
        sets: &[Set { field: "vpcs", key: None }, Set { field: "records", key: Some("ask") }],
        // AWS lets a VPC go that a zone answers in.
        soft: &["vpcs"],
        dismantle: &["records"],
        // The caller's reference is unique for ever.
        idempotence: Idempotence::Name,
        ready_within: 900,
        // Tags come for ten zones at a time; what a zone answers, and where, for one.
        budget: Budget { list: 2, detail: 2 },
        ..Traits::COMMON
    };

    /// `CreateHostedZone` takes one VPC and no tags: until it has them, its reference owns it.
    fn born(&self) -> Self {
        let vpcs = self.vpcs.iter().take(1).cloned().collect();
        Self { vpcs, records: Vec::new(), tags: Tags::new(), ..self.clone() }
    }

    /// A private zone always has a VPC: its last one cannot be taken away first.
    fn cannot_become(&self, want: &Self) -> &'static [&'static str] {
        let stays = self.vpcs.iter().any(|vpc| want.vpcs.contains(vpc));
        if stays { &[] } else { &["vpcs"] }
    }

    fn claim(&self) -> Option<String> {
        let vpc = self.vpcs.first().and_then(Link::id)?;
        Some(format!("{} in {vpc}", self.name))
    }
}

impl HostedZone {
    /// Sorted: AWS returns what a zone holds in an order of its own.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.vpcs.sort();
        self.records.sort();
        self
    }
}
