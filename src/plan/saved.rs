//! A plan in a file: with all that it was made from, so that apply can tell whether it
//! still holds.
//!
//! The file is one line, `mlinfra-plan 1 sha256:…`, and JSON behind it. The checksum is of
//! the format and the JSON: it finds damage, and is no signature. Whoever can write the file
//! can write another one; what protects from that is that apply plans again and goes on only
//! if the same comes out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Selection;
use super::cost::Bill;
use super::drift::Outside;
use crate::cloud::Observed;
use crate::kinds::{Action, KindName, Offer, Plan, Step};
use crate::lang::Snapshot;
use crate::ledger::{Ledger, Site};
use crate::model::{Address, CloudId, Moment};

/// The word that such a file begins with.
pub const MAGIC: &str = "mlinfra-plan";
/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// A plan and all that it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The version of mlinfra that made it.
    pub mlinfra: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub created: Moment,
    /// From when on it is refused.
    pub expires: Moment,
    /// Where it belongs.
    pub home: Site,
    /// The whole stack goes.
    pub destroy: bool,
    /// What was asked for beside the whole.
    pub selection: Selection,
    /// The ledger that it was made against.
    pub ledger: Base,
    /// The checksum of the configuration.
    pub configuration: String,
    /// The configuration.
    pub snapshot: Snapshot,
    /// Its variables; sensitive ones have no value here.
    pub variables: BTreeMap<String, Option<Value>>,
    /// What the cloud showed.
    pub observed: Observed,
    /// The outputs of the last apply.
    pub former: Map<String, Value>,
    /// What others had changed since that; none when nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// What it costs.
    #[serde(default)]
    pub cost: Bill,
    /// The fresh tables that it was made with; none for those in the binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// The plan.
    pub plan: Plan,
}

/// The state of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Which ledger; empty when there was none yet.
    pub lineage: String,
    /// How often it was folded.
    pub serial: u64,
    /// When its last apply began.
    pub applied: Option<Moment>,
}

impl Base {
    /// The state of this ledger.
    pub fn of(ledger: &Ledger) -> Self {
        let applied = ledger.applies.last().map(|apply| apply.began);
        // A ledger without a serial is not on disk yet, and gets its name when it is.
        let lineage = if ledger.serial == 0 { String::new() } else { ledger.lineage.clone() };
        Self { lineage, serial: ledger.serial, applied }
    }
}

/// Why a file is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// Something else.
    #[error("it is not a plan that mlinfra has saved")]
    Foreign,
    /// From another time.
    #[error("it is a plan in format {0}, and this mlinfra reads format {FORMAT}")]
    Format(u32),
    /// Not as it was written.
    #[error("it is damaged: its checksum does not match its content")]
    Damaged,
    /// Whole, and yet not to be read.
    #[error("its content cannot be read: {0}")]
    Unreadable(String),
}

impl Saved {
    /// As bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // The body is behind the head at once: it can be long, and is never there twice.
        let head = |sum: &str| format!("{MAGIC} {FORMAT} sha256:{sum}\n");
        let mut out = head(&digest(FORMAT, &[])).into_bytes();
        let body = out.len();
        // Plain data with texts as keys: serde cannot fail on it.
        drop(serde_json::to_writer(&mut out, self));
        let head = head(&digest(FORMAT, &out[body..]));
        out[..body].copy_from_slice(head.as_bytes());
        out
    }

    /// Reads what [`Saved::to_bytes`] wrote, and trusts nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoPlan> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(NoPlan::Foreign)?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| NoPlan::Foreign)?;
        let rest = head.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(' '));
        let (format, sum) = rest.and_then(|rest| rest.split_once(' ')).ok_or(NoPlan::Foreign)?;
        let body = &bytes[end + 1..];
        let format: u32 = format.parse().map_err(|_| NoPlan::Damaged)?;
        if sum != format!("sha256:{}", digest(format, body)) {
            return Err(NoPlan::Damaged);
        }
        if format != FORMAT {
            return Err(NoPlan::Format(format));
        }
        serde_json::from_slice(body).map_err(|error| NoPlan::Unreadable(error.to_string()))
    }

    /// Whether some bytes are such a file, good or damaged.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC.as_bytes())
    }
}

fn digest(format: u32, body: &[u8]) -> String {
    let sum = Sha256::new().chain_update(format!("{MAGIC} {format}\n")).chain_update(body);
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How an object is another one than when the plan was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is declared.
    pub address: Address,
    /// Its kind.
    pub kind: KindName,
    /// Which.
    pub id: CloudId,
    /// What is different.
    pub what: What,
}

/// What is different.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It is there by now.
    Appeared,
    /// It is gone.
    Vanished,
    /// Its values: field, before, now.
    Fields(Vec<(String, Value, Value)>),
    /// Something about it that is no field: its phase, its contents, its tags.
    Other(String),
}

/// What has changed in the cloud. Nodes come and go and are not compared.
pub fn world(before: &Observed, now: &Observed) -> Vec<Difference> {
    let mut out = Vec::new();
    let objects = |observed: &'_ Observed| {
        let live = observed.live.iter().filter(|(_, live)| live.kind != KindName::Node);
        live.map(|(id, _)| id.clone()).collect::<BTreeSet<CloudId>>()
    };
    for id in &objects(before) | &objects(now) {
        let (Some(live), what) = (match (before.live.get(&id), now.live.get(&id)) {
            (Some(was), Some(is)) if was == is => continue,
            (Some(was), Some(is)) => (Some(was), changed(was, is)),
            (Some(was), None) => (Some(was), Some(What::Vanished)),
            (None, Some(is)) => (Some(is), Some(What::Appeared)),
            (None, None) => continue,
        }) else {
            continue;
        };
        if let Some(what) = what {
            let (address, kind) = (live.owner.address.clone(), live.kind);
            out.push(Difference { address, kind, id, what });
        }
    }
    out.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
    out
}

fn changed(was: &crate::cloud::Live, is: &crate::cloud::Live) -> Option<What> {
    if was.owner != is.owner {
        return Some(What::Other(format!(
            "its tags say {} now, and said {}",
            is.owner.address, was.owner.address
        )));
    }
    let (old, new) = (was.spec(), is.spec());
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        let (old, new) = (old.fields(), new.fields());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let get = |fields: &Map<String, Value>, name: &str| {
            fields.get(name).cloned().unwrap_or(Value::Null)
        };
        let all = names.into_iter().map(|name| (name.clone(), get(&old, name), get(&new, name)));
        return Some(What::Fields(all.filter(|(_, old, new)| old != new).collect()));
    }
    if old.is_some() != new.is_some() {
        return Some(What::Other("it could not be read both times".to_owned()));
    }
    if was.is_usable() != is.is_usable() {
        let word = if is.is_usable() { "it is in use again" } else { "it is failed or leaving" };
        return Some(What::Other(word.to_owned()));
    }
    (was.holds_data != is.holds_data).then(|| {
        let word = if is.holds_data { "it holds data by now" } else { "it is empty by now" };
        What::Other(word.to_owned())
    })
}

/// A step that is not the same in two plans.
#[derive(Clone, Debug, PartialEq)]
pub struct Odd<'a> {
    /// As it was saved; none when it was not.
    pub was: Option<&'a Step>,
    /// As it came out now; none when it did not.
    pub is: Option<&'a Step>,
}

/// The steps in which two plans differ. Nodes that came or went meanwhile may change how many
/// are launched and which of those that were to be terminated still are; a termination that
/// the saved plan did not name is a difference, and so is an offer that it did not have.
pub fn steps<'a>(saved: &'a Plan, now: &'a Plan) -> Vec<Odd<'a>> {
    let key = |step: &'a Step| (&step.address, step.action.verb());
    let mut left: BTreeMap<(&Address, &str), Vec<&Step>> = BTreeMap::new();
    for step in &saved.steps {
        left.entry(key(step)).or_default().push(step);
    }
    let mut new = Vec::new();
    for step in &now.steps {
        let old = left.entry(key(step)).or_default();
        match old.iter().position(|old| is_covered(&step.action, &old.action)) {
            Some(at) => drop(old.remove(at)),
            // The configuration says how many nodes there are.
            None if matches!(step.action, Action::Launch { .. }) && old.is_empty() => {}
            None => new.push(step),
        }
    }
    let mut odd: Vec<Odd<'_>> = new
        .into_iter()
        .map(|step| Odd { was: left.get_mut(&key(step)).and_then(Vec::pop), is: Some(step) })
        .collect();
    let gone = left.into_values().flatten().filter(|step| !is_about_nodes(&step.action));
    odd.extend(gone.map(|step| Odd { was: Some(step), is: None }));
    odd
}

fn is_about_nodes(action: &Action) -> bool {
    match action {
        Action::Launch { .. }
        | Action::Quarantine { .. }
        | Action::Terminate { .. }
        | Action::Point { .. } => true,
        Action::Move { kind, .. } => *kind == KindName::Node,
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Adopt { .. }
        | Action::Forget { .. } => false,
    }
}

/// Whether an action that is about to be done is what a saved plan showed.
fn is_covered(now: &Action, saved: &Action) -> bool {
    match (now, saved) {
        (
            Action::Launch { template, offers, tags, gang, care, batch: _, count: _ },
            Action::Launch {
                template: t,
                offers: o,
                tags: g,
                gang: whole,
                care: c,
                batch: _,
                count: _,
            },
        ) => {
            // Spot prices move all the time; where nodes may run must be as it was shown.
            let known = |offer: &Offer| o.iter().any(|old| old.is_as(offer));
            template == t && tags == g && gang == whole && care == c && offers.iter().all(known)
        }
        (Action::Quarantine { nodes, .. }, Action::Quarantine { nodes: n, .. })
        | (Action::Terminate { nodes, .. }, Action::Terminate { nodes: n, .. }) => {
            let known: BTreeSet<&CloudId> = n.iter().collect();
            nodes.iter().all(|node| known.contains(node))
        }
        // It leads to nodes, which come and go.
        (Action::Point { name, ttl, .. }, Action::Point { name: n, ttl: t, .. }) => {
            (name, ttl) == (n, t)
        }
        (
            Action::Move { kind: KindName::Node, ids, from, tags },
            Action::Move { kind: KindName::Node, ids: n, from: f, tags: t },
        ) => (from, tags) == (f, t) && ids.iter().all(|node| n.contains(node)),
        (now, saved) => now == saved,
    }
}
