//! What the cloud shows now. It is potentially incomplete and outdated, and says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kinds::{KindName, Setback, Spec, Tags};
use crate::model::{Address, CloudId, Moment, Zone};

use super::{Condition, Interrupted, Owner};

/// Everything that carries the stack's tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// By id.
    pub live: BTreeMap<CloudId, Live>,
    /// Kinds that could not be listed, and why.
    pub blind: BTreeMap<KindName, String>,
    /// Objects with the stack's tag whose other tags cannot be read, and why.
    pub unreadable: BTreeMap<CloudId, String>,
    /// Objects that were looked for in order to be adopted, by the address that wants them;
    /// none where there is no such object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub strays: BTreeMap<Address, Option<Stray>>,
    /// How nodes are, by their own word and the cloud's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<CloudId, Condition>,
    /// Why the cloud's word on nodes could not be had, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unjudged: Option<String>,
    /// Nodes on spot that were taken back: those that have ended and are still shown, and those
    /// that are remembered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub interrupted: BTreeMap<CloudId, Interrupted>,
    /// When it was seen, on the clock of whoever looked; the epoch where nobody says.
    #[serde(default)]
    pub at: Moment,
}

impl Observed {
    /// What is seen of some kinds.
    #[must_use]
    pub fn only(mut self, kinds: &BTreeSet<KindName>) -> Self {
        self.live.retain(|_, live| kinds.contains(&live.kind));
        self.blind.retain(|kind, _| kinds.contains(kind));
        let live = &self.live;
        self.conditions.retain(|id, _| live.contains_key(id));
        if !kinds.contains(&KindName::Node) {
            self.interrupted.clear();
        }
        self
    }

    /// Without the cloud's own word on nodes.
    #[must_use]
    pub fn unjudged(mut self) -> Self {
        for condition in self.conditions.values_mut() {
            (condition.checks, condition.announced) = (None, Vec::new());
        }
        self
    }

    /// What was seen before, with some kinds as they were seen since. Of what the cloud itself says
    /// of nodes there is only what was said since.
    #[must_use]
    pub fn renewed(&self, kinds: &BTreeSet<KindName>, new: Self) -> Self {
        let mut out = new;
        let old = self.live.iter().filter(|(_, live)| !kinds.contains(&live.kind));
        out.live.extend(old.map(|(id, live)| (id.clone(), live.clone())));
        let old = self.blind.iter().filter(|(kind, _)| !kinds.contains(*kind));
        out.blind.extend(old.map(|(kind, why)| (*kind, why.clone())));
        out.strays.clone_from(&self.strays);
        out
    }

    /// All nodes on spot that were interrupted: what still stands, what has ended and is still
    /// shown, and what is remembered.
    pub fn interruptions(&self) -> BTreeMap<CloudId, Interrupted> {
        let mut all = BTreeMap::new();
        for (id, condition) in &self.conditions {
            if let Some(Spec::Node(node)) = self.live.get(id).and_then(Live::spec) {
                all.extend(Interrupted::of(node, condition).map(|it| (id.clone(), it)));
            }
        }
        // What is remembered has a time.
        all.extend(self.interrupted.iter().map(|(id, it)| (id.clone(), it.clone())));
        all
    }

    /// Where spot took nodes back of late, by instance type and zone. What has no time is of now.
    pub fn setbacks(&self) -> BTreeMap<(String, Zone), Setback> {
        let mut places: BTreeMap<(String, Zone), Vec<Moment>> = BTreeMap::new();
        for Interrupted { instance_type, zone, at } in self.interruptions().into_values() {
            let at = at.map_or(self.at, |at| at.min(self.at));
            places.entry((instance_type, zone)).or_default().push(at);
        }
        let each = places.into_iter();
        each.filter_map(|(place, all)| Some((place, Setback::of(all, self.at)?))).collect()
    }
}

/// An object that was looked for by its id or name, whoever owns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stray {
    /// Its id.
    pub id: CloudId,
    /// All of its tags.
    pub tags: Tags,
    /// What it is.
    pub seen: Seen,
    /// How far it is.
    pub phase: Phase,
    /// It holds data that would be lost with it.
    pub holds_data: bool,
}

impl Stray {
    /// Nobody has deleted it.
    pub fn stands(&self) -> bool {
        self.phase.stands()
    }
}

/// One object of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Its kind.
    pub kind: KindName,
    /// Whose it is.
    pub owner: Owner,
    /// What it is.
    pub seen: Seen,
    /// How far it is.
    pub phase: Phase,
    /// It holds data that would be lost with it.
    pub holds_data: bool,
    /// On nodes: which launch it came from.
    pub batch: Option<u32>,
}

/// What could be read of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// All of it.
    Spec(Spec),
    /// It is there, but a read of its details failed: nothing is done to it.
    Blind(String),
}

/// How far an object is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Being made.
    Pending,
    /// Ready for use.
    Ready,
    /// Being deleted.
    Leaving,
    /// The cloud has given it up.
    Failed(String),
    /// Not there.
    Gone,
}

impl Phase {
    /// Nobody has deleted it.
    pub fn stands(&self) -> bool {
        match self {
            Self::Pending | Self::Ready | Self::Failed(_) => true,
            Self::Leaving | Self::Gone => false,
        }
    }
}

impl Live {
    /// What it is, when that could be read.
    pub fn spec(&self) -> Option<&Spec> {
        match &self.seen {
            Seen::Spec(spec) => Some(spec),
            Seen::Blind(_) => None,
        }
    }

    /// Can serve: it is not on its way out and has not failed.
    pub fn is_usable(&self) -> bool {
        match self.phase {
            Phase::Pending | Phase::Ready => true,
            Phase::Leaving | Phase::Failed(_) | Phase::Gone => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_without_a_time_is_of_now_and_none_is_of_later() {
        let now = Moment(1_000_000_000);
        let of = |at| {
            let zone = Zone::from("us-east-1a");
            let one = Interrupted { instance_type: "g5.xlarge".to_owned(), zone, at };
            let interrupted = BTreeMap::from([("i-1".into(), one)]);
            let observed = Observed { at: now, interrupted, ..Observed::default() };
            observed.setbacks().into_values().next().map(|it| it.until)
        };
        assert_eq!(of(None), Some(now.plus(1800)));
        assert_eq!(of(Some(now.plus(90))), Some(now.plus(1800)));
        assert_eq!(of(Some(Moment(now.0 - 600_000))), Some(now.plus(1200)));
        assert_eq!(of(Some(Moment(now.0 - 1_800_000))), None);
    }
}
