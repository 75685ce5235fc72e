//! What others have changed: what the cloud shows against what it showed at the end of the
//! last apply. The configuration has no say in it, so that what was edited there and not
//! applied yet is no drift.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cloud::{Live, Observed, Phase};
use crate::kinds::{KindName, Spec, differing};
use crate::ledger::{Applied, Baseline, Ledger, Stood};
use crate::model::{Address, CloudId};

/// One object that others have changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Where it was declared at the last apply.
    pub address: Address,
    /// Which object.
    pub id: CloudId,
    /// Its kind.
    pub kind: KindName,
    /// What it was at the end of the last apply, if it was there.
    pub was: Option<Spec>,
    /// What has become of it.
    pub change: Changed,
}

/// What has become of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// These fields have other values.
    Fields(Vec<Field>),
    /// It is not there any more.
    Gone,
    /// It is there, and its tags say that it is another's or nobody's.
    Disowned {
        /// The stack that its tags name, if any.
        stack: Option<String>,
    },
    /// Its tags say another address.
    Moved {
        /// Which.
        to: Address,
    },
    /// The cloud has given it up.
    Failed {
        /// In the cloud's words.
        text: String,
    },
    /// It carries the stack's tags, and no apply has made it.
    Appeared,
}

/// A field with another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value at the end of the last apply.
    pub before: Value,
    /// Its value now.
    pub now: Value,
}

/// What others have changed, as a plan tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    /// Since which apply.
    pub number: u64,
    /// The objects.
    pub found: Vec<Drift>,
}

impl Outside {
    /// Against what the last apply left; none when the ledger does not hold that. Whether an
    /// object still exists that is not seen as the stack's is not asked.
    pub fn of(baseline: &Baseline, ledger: &Ledger, observed: &Observed) -> Option<Self> {
        match baseline {
            Baseline::Absent => None,
            Baseline::Same { number } => Some(Self { number: *number, found: Vec::new() }),
            Baseline::Other(applied) => {
                let found = drift(applied, ledger, observed);
                Some(Self { number: applied.number, found })
            }
        }
    }
}

/// Every change, by address. `Gone` is what is not seen as the stack's: whoever can look
/// finds out whether it exists.
pub fn drift(applied: &Applied, ledger: &Ledger, observed: &Observed) -> Vec<Drift> {
    let (ids, addresses) = touched(applied, ledger);
    let ours = |id: &CloudId, address: &Address| ids.contains(id) || addresses.contains(address);
    let mut out = Vec::new();
    for (id, stood) in &applied.objects {
        if ours(id, &stood.address) {
            continue;
        }
        let live = observed.live.get(id).filter(|live| live.phase.stands());
        let Some(change) = live.map_or(Some(Changed::Gone), |live| changed(stood, live)) else {
            continue;
        };
        let (address, kind) = (stood.address.clone(), stood.spec.kind());
        // What cannot be seen is not gone.
        let unseen = observed.blind.contains_key(&kind) || observed.unreadable.contains_key(id);
        if change == Changed::Gone && unseen {
            continue;
        }
        out.push(Drift { address, id: id.clone(), kind, was: Some(stood.spec.clone()), change });
    }
    for (id, live) in observed.live.iter().filter(|(_, live)| live.phase.stands()) {
        let address = &live.owner.address;
        let known = applied.objects.contains_key(id) || applied.blind.contains(&live.kind);
        if !known && !ours(id, address) {
            let (address, id) = (address.clone(), id.clone());
            let (kind, was, change) = (live.kind, None, Changed::Appeared);
            out.push(Drift { address, id, kind, was, change });
        }
    }
    out.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
    out
}

fn changed(stood: &Stood, live: &Live) -> Option<Changed> {
    if live.owner.address != stood.address {
        return Some(Changed::Moved { to: live.owner.address.clone() });
    }
    // What cannot be read was refused before.
    let now = live.spec()?;
    let fields = differing(&stood.spec, now);
    if !fields.is_empty() {
        let (before, after) = (stood.spec.fields(), now.fields());
        let value =
            |of: &Map<String, Value>, name: &String| of.get(name).cloned().unwrap_or(Value::Null);
        let field =
            |name: String| Field { before: value(&before, &name), now: value(&after, &name), name };
        return Some(Changed::Fields(fields.into_iter().map(field).collect()));
    }
    match &live.phase {
        Phase::Failed(text) => Some(Changed::Failed { text: text.clone() }),
        Phase::Pending | Phase::Ready | Phase::Leaving | Phase::Gone => None,
    }
}

/// What an apply that died, or did not get to its end, has touched since: nobody can tell
/// its changes from those of others.
fn touched(applied: &Applied, ledger: &Ledger) -> (BTreeSet<CloudId>, BTreeSet<Address>) {
    let later = ledger.applies.iter().filter(|apply| apply.number > applied.number);
    let done = later.flat_map(|apply| &apply.done);
    let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for step in done {
        ids.extend(step.ids.iter().cloned());
        addresses.insert(step.address.clone());
    }
    let open = ledger.open_intents().filter_map(|(_, making)| making.call.owner());
    addresses.extend(open.map(|owner| owner.address.clone()));
    addresses.extend(ledger.made().map(|(_, made)| made.address.clone()));
    (ids, addresses)
}
