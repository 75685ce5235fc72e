//! The ledger in memory, and the `state` that is its folded form on disk.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::store::hex;
use super::{Apply, Booted, Boots, Done, Entry, Head, Made, Making, Record, Site, StoreError};
use crate::cloud::{Call, Class, Interrupted, Observed};
use crate::kinds::{KindName, Setback};
use crate::model::{Address, CloudId, Moment, TemplateId, Token};

/// The format that this version writes; older readers refuse a newer `min_reader`.
const FORMAT: u32 = 1;
/// How many applies stay in `state` although they have their own records.
const HISTORY: usize = 10;
/// Milliseconds for which closed intents and deletions are remembered: longer than any
/// cloud takes to show what was done.
const REMEMBERED: i64 = 3_600_000;

/// What mlinfra remembers of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Random, once per ledger: tokens of two ledgers never meet.
    pub lineage: String,
    /// Goes up by one with every fold.
    pub serial: u64,
    /// Intents by token.
    pub records: BTreeMap<Token, Record>,
    /// Objects that were deleted, and when: the cloud may show them a while longer.
    pub deleted: BTreeMap<CloudId, Moment>,
    /// Names that the author chose, now or earlier.
    pub names: BTreeSet<(KindName, String)>,
    /// Outputs after the last apply.
    pub outputs: Map<String, Value>,
    /// The last applies, oldest first.
    pub applies: Vec<Apply>,
    /// How many applies there were.
    #[serde(default)]
    pub total: u64,
    /// The last apply that has a record of its own.
    #[serde(default)]
    pub history: Head,
    /// Where the last apply took place; none before the first, and from former versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
    /// Offers that had no capacity when they were last asked, by [`crate::kinds::Offer::key`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, Refusal>,
    /// Fleets whose last nodes have failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub boots: BTreeMap<Address, Boots>,
    /// Nodes that spot took back, each with the time at which that was first seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub interruptions: BTreeMap<CloudId, Interrupted>,
}

/// An offer had no capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When it last had none.
    pub at: Moment,
    /// How often in a row.
    pub times: u32,
}

/// What stands in the file. The body is JSON when it is read, the ledger when written.
#[derive(Serialize, Deserialize)]
struct Envelope<B> {
    format: u32,
    min_reader: u32,
    lineage: String,
    serial: u64,
    prev_sha256: String,
    /// Of all the other fields.
    sha256: String,
    body: B,
}

impl<B: Serialize> Envelope<B> {
    fn digest(&self) -> String {
        let Self { format, min_reader, lineage, serial, prev_sha256, sha256: _, body } = self;
        let all = (format, min_reader, lineage, serial, prev_sha256, body);
        hex(&Sha256::digest(serde_json::to_vec(&all).unwrap_or_default()))
    }
}

/// All that a state of any format is sure to have.
#[derive(Deserialize)]
struct Versions {
    format: u32,
    min_reader: u32,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(lineage: &str) -> Self {
        Self { lineage: lineage.to_owned(), ..Self::default() }
    }

    /// Nothing was ever done with it: it may go without loss.
    pub fn is_blank(&self) -> bool {
        self.applies.is_empty() && self.records.is_empty() && self.names.is_empty()
    }

    /// Open intents, in the order of their tokens.
    pub fn open_intents(&self) -> impl Iterator<Item = (&Token, &Making)> {
        self.records.iter().filter_map(|(token, record)| match record {
            Record::Making(making) => Some((token, &**making)),
            Record::Made(_) => None,
        })
    }

    /// What was made, by token.
    pub fn made(&self) -> impl Iterator<Item = (&Token, &Made)> {
        self.records.iter().filter_map(|(token, record)| match record {
            Record::Made(made) => Some((token, made)),
            Record::Making(_) => None,
        })
    }

    /// Takes one entry in.
    pub fn fold(&mut self, entry: &Entry) {
        match entry {
            Entry::Begin { at, who, steps, names, plan, config, targets, site } => {
                self.names.extend(names.iter().cloned());
                self.site = site.clone().or(self.site.take());
                self.total += 1;
                self.applies.push(Apply {
                    serial: Some(self.serial),
                    plan: plan.clone(),
                    config: config.clone(),
                    targets: targets.clone(),
                    ..Apply::begun(self.total, *at, who, *steps)
                });
            }
            Entry::Intent { at, attempt, call } => {
                if let Some(owner) = call.owner() {
                    let making = Making { at: *at, attempt: *attempt, call: call.clone() };
                    self.records.insert(owner.token.clone(), Record::Making(Box::new(making)));
                }
            }
            Entry::Commit { at, token, ids } => self.commit(*at, token, ids),
            Entry::Refused { at, token, failure } => self.refuse(*at, token, failure.class),
            Entry::Did { at, address, verb, ids, failure, took } => {
                if failure.is_none() && (verb == "delete" || verb == "terminate") {
                    self.deleted.extend(ids.iter().map(|id| (id.clone(), *at)));
                }
                if let Some(apply) = self.applies.last_mut() {
                    apply.done.push(Done {
                        at: Some(*at),
                        address: address.clone(),
                        verb: verb.clone(),
                        ids: ids.clone(),
                        failure: failure.as_ref().map(ToString::to_string),
                        took: *took,
                    });
                }
            }
            Entry::Booted { at: _, address, template, nodes } => {
                self.boot(address, template, nodes);
            }
            Entry::Interrupted { at, nodes } => {
                for (id, node) in nodes {
                    let node = Interrupted { at: node.at.or(Some(*at)), ..node.clone() };
                    self.interruptions.entry(id.clone()).or_insert(node);
                }
            }
            Entry::Retry { at: _ } => self.boots.clear(),
            Entry::End { at, outcome, outputs } => {
                self.outputs = outputs.clone();
                if let Some(apply) = self.applies.last_mut() {
                    apply.ended = Some(*at);
                    apply.outcome = outcome.clone();
                }
            }
        }
    }

    fn commit(&mut self, at: Moment, token: &Token, ids: &[CloudId]) {
        let Some(Record::Making(making)) = self.records.get(token) else { return };
        let Some(owner) = making.call.owner() else { return };
        // An ARN comes back when an object of the same name is made again.
        for id in ids {
            self.deleted.remove(id);
        }
        if let Call::Launch(launch) = &making.call {
            self.refusals.remove(&launch.offer.key());
        }
        let address = owner.address.clone();
        let made = Made { at, address, ids: ids.to_vec() };
        self.records.insert(token.clone(), Record::Made(made));
    }

    fn boot(&mut self, address: &Address, template: &TemplateId, nodes: &[Booted]) {
        let known = self.boots.remove(address).filter(|known| known.template == *template);
        let mut boots = known.unwrap_or_else(|| Boots::of(template));
        boots.take(nodes);
        if !boots.failed.is_empty() {
            self.boots.insert(address.clone(), boots);
        }
    }

    fn refuse(&mut self, at: Moment, token: &Token, class: Class) {
        if let Some(Record::Making(making)) = self.records.remove(token)
            && let Call::Launch(launch) = &making.call
            && class == Class::Capacity
        {
            let key = launch.offer.key();
            let times = self.refusals.get(&key).map_or(0, |last| last.times);
            self.refusals.insert(key, Refusal { at, times: times + 1 });
        }
    }

    /// Since when nothing is known of the last run, if it did not write down that it ended.
    pub fn cut_off(&self) -> Option<Moment> {
        let last = self.applies.last().filter(|apply| apply.ended.is_none())?;
        Some(last.done.last().and_then(|done| done.at).unwrap_or(last.began))
    }

    /// Compares with what the cloud shows: what was made and is visible needs no more
    /// watching; what was deleted and is still shown is taken out; where spot took nodes back is
    /// known for longer than it is shown.
    pub fn reconcile(&mut self, observed: &mut Observed) {
        let remembered = self.interruptions.iter().map(|(id, it)| (id.clone(), it.clone()));
        observed.interrupted.extend(remembered);
        observed.live.retain(|id, _| !self.deleted.contains_key(id));
        self.records.retain(|_, record| match record {
            Record::Making(_) => true,
            Record::Made(made) => !made.ids.iter().all(|id| observed.live.contains_key(id)),
        });
    }

    /// Interruptions that are shown and of which nothing is known yet.
    pub fn unknown_interruptions(&self, observed: &Observed) -> BTreeMap<CloudId, Interrupted> {
        let mut all = observed.interruptions();
        all.retain(|id, _| !self.interruptions.contains_key(id));
        all
    }

    /// Forgets what every cloud has long since shown.
    pub fn prune(&mut self, now: Moment) {
        self.records.retain(|_, record| match record {
            Record::Making(_) => true,
            Record::Made(made) => now.since(made.at) < REMEMBERED,
        });
        self.deleted.retain(|_, at| now.since(*at) < REMEMBERED);
        self.refusals.retain(|_, refusal| now.since(refusal.at) < REMEMBERED);
        self.interruptions
            .retain(|_, node| node.at.is_some_and(|at| now.since(at) < Setback::REMEMBERED));
        // What has no record of its own yet is not let go.
        let kept = self.applies.iter().filter(|apply| apply.number <= self.history.number);
        let surplus = kept.count().min(self.applies.len().saturating_sub(HISTORY));
        self.applies.drain(..surplus);
    }

    /// Applies had no numbers once.
    fn count(&mut self) {
        if self.total == 0 {
            for (number, apply) in (1..).zip(&mut self.applies) {
                (apply.number, self.total) = (number, number);
            }
        }
    }

    /// As bytes, chained to the state before.
    pub(super) fn to_bytes(&self, prev_sha256: &str) -> Vec<u8> {
        let mut envelope = Envelope {
            format: FORMAT,
            min_reader: FORMAT,
            lineage: self.lineage.clone(),
            serial: self.serial,
            prev_sha256: prev_sha256.to_owned(),
            sha256: String::new(),
            body: self,
        };
        envelope.sha256 = envelope.digest();
        serde_json::to_vec_pretty(&envelope).unwrap_or_default()
    }

    /// A state of which every byte is as this version writes it: most are, and their content
    /// is read without a tree in between, which would be many times as large.
    fn same(bytes: &[u8]) -> Option<Envelope<Self>> {
        let envelope: Envelope<Self> = serde_json::from_slice(bytes).ok()?;
        let is_good = serde_json::to_vec_pretty(&envelope).is_ok_and(|again| again == bytes)
            && envelope.digest() == envelope.sha256;
        is_good.then_some(envelope)
    }

    /// One that another version wrote, or that is damaged; an error says how.
    fn other(bytes: &[u8]) -> Result<Envelope<Self>, String> {
        let envelope: Envelope<Value> = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is not a ledger ({error})"))?;
        if envelope.digest() != envelope.sha256 {
            return Err("its checksum does not match its content".to_owned());
        }
        let Envelope { format, min_reader, lineage, serial, prev_sha256, sha256, body } = envelope;
        let body = serde_json::from_value(body)
            .map_err(|error| format!("its content cannot be read ({error})"))?;
        Ok(Envelope { format, min_reader, lineage, serial, prev_sha256, sha256, body })
    }

    /// The format of a state that only a newer mlinfra can read.
    pub(super) fn newer(bytes: &[u8]) -> Option<u32> {
        let head: Versions = serde_json::from_slice(bytes).ok()?;
        (head.min_reader > FORMAT).then_some(head.format)
    }

    /// Reads what [`Ledger::to_bytes`] wrote, and trusts nothing.
    pub(super) fn from_bytes(place: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let corrupt = |problem: String| StoreError::Corrupt { place: place.to_owned(), problem };
        if let Some(gone) = Gone::read(bytes) {
            return Err(StoreError::Moved { place: place.to_owned(), to: gone.moved_to });
        }
        if let Some(format) = Self::newer(bytes) {
            return Err(corrupt(format!(
                "it was written in format {format}, and this mlinfra reads up to {FORMAT}: use a newer one"
            )));
        }
        let envelope = match Self::same(bytes) {
            Some(envelope) => envelope,
            None => Self::other(bytes).map_err(corrupt)?,
        };
        let mut ledger = envelope.body;
        ledger.count();
        if (ledger.serial, &ledger.lineage) != (envelope.serial, &envelope.lineage) {
            return Err(corrupt("its head and its content disagree".to_owned()));
        }
        Ok(ledger)
    }
}

/// The checksum of the state before the one in these bytes.
pub(super) fn previous(bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<Envelope<IgnoredAny>>(bytes).ok().map(|envelope| envelope.prev_sha256)
}

/// What stands in the place of a state that was moved to another store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gone {
    /// Where to.
    pub moved_to: String,
    /// Which ledger.
    pub lineage: String,
    /// The number of its last state here.
    pub serial: u64,
    /// The checksum of that state.
    pub sha256: String,
}

impl Gone {
    pub fn new(to: &str, lineage: &str, serial: u64, sha256: String) -> Self {
        Self { moved_to: to.to_owned(), lineage: lineage.to_owned(), serial, sha256 }
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        // A state is long, and it is no such word.
        if !bytes.starts_with(b"{\n  \"moved_to\"") {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_spot_took_nodes_back_is_known_for_longer_than_it_is_shown() {
        let minute = |at: i64| Moment(at * 60_000);
        let nodes = |id: &str| {
            let (instance_type, zone) = ("g5.xlarge".to_owned(), "us-east-1a".into());
            BTreeMap::from([(id.into(), Interrupted { instance_type, zone, at: None })])
        };
        let mut ledger = Ledger::new("l");
        let shown = Observed { interrupted: nodes("i-1"), ..Observed::default() };
        assert_eq!(ledger.unknown_interruptions(&shown), nodes("i-1"));
        ledger.fold(&Entry::Interrupted { at: minute(0), nodes: nodes("i-1") });
        // It is shown still: the time of the first look counts.
        assert!(ledger.unknown_interruptions(&shown).is_empty());
        let behind = |ledger: &mut Ledger, seen: &Observed, at: i64| {
            let mut seen = Observed { at: minute(at), ..seen.clone() };
            ledger.reconcile(&mut seen);
            let found = seen.setbacks().into_values().next();
            found.map(|it| (it.times, it.until.0 / 60_000))
        };
        assert_eq!(behind(&mut ledger, &shown, 29), Some((1, 30)));
        assert_eq!(behind(&mut ledger, &shown, 30), None);
        ledger.fold(&Entry::Interrupted { at: minute(40), nodes: nodes("i-2") });
        assert_eq!(behind(&mut ledger, &Observed::default(), 41), Some((2, 100)));
        let bytes = ledger.to_bytes("");
        assert_eq!(Ledger::from_bytes("here", &bytes), Ok(ledger.clone()));
        ledger.prune(minute(8 * 60));
        assert_eq!(ledger.interruptions.len(), 1, "the first is long past");
    }
}
