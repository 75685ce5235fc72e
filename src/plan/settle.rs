//! What stays at an address, and what has to be done to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cloud::{Live, Observed, Phase};
use crate::kinds::{Action, KindName, OutputPlan, Spec, Why, differing, keeping, walk};
use crate::model::{Address, CloudId};
use crate::stack::Desired;

use super::{Draft, point};

/// Live objects by the address in their tags, best candidate first: the highest
/// generation, then the smallest id, so that two runs choose alike.
pub(super) type Standing<'a> = BTreeMap<&'a Address, Vec<(&'a CloudId, &'a Live)>>;

pub(super) fn by_address(observed: &Observed) -> Standing<'_> {
    let mut standing: Standing<'_> = BTreeMap::new();
    for (id, live) in &observed.live {
        standing.entry(&live.owner.address).or_default().push((id, live));
    }
    for found in standing.values_mut() {
        found.sort_by(|(a, x), (b, y)| (y.owner.generation, a).cmp(&(x.owner.generation, b)));
    }
    standing
}

/// Decides about one declared object. The objects that it links to were decided before.
pub(super) fn object(
    draft: &mut Draft<'_>,
    desired: &Desired,
    standing: &Standing<'_>,
    address: &Address,
) {
    let Some(declared) = desired.specs.get(address) else { return };
    let staying = &draft.staying;
    // A spec was checked when it was made: filling in ids cannot make it unreadable.
    let wanted =
        walk::settle(declared, &|to| staying.get(to).cloned()).unwrap_or_else(|_| declared.clone());
    let empty = Vec::new();
    let found = standing.get(address).unwrap_or(&empty);
    let candidates = found.iter().filter(|(_, live)| live.kind == wanted.kind());

    let mut highest = 0;
    let mut named = None;
    let mut why = Why::Missing;
    let mut replaced = Vec::new();
    for (id, live) in candidates {
        highest = highest.max(live.owner.generation);
        if named.is_none() {
            named = live.owner.named.clone();
        }
        if let Phase::Failed(text) = &live.phase {
            why = Why::Failed { text: text.clone() };
        }
        let (true, Some(have)) = (live.is_usable(), live.spec()) else { continue };
        if draft.replace.contains(address) {
            why = if why == Why::Missing { Why::Requested } else { why };
            continue;
        }
        let mut wanted = at_generation(&wanted, live.owner.generation);
        if wanted.kind() == KindName::HostedZone {
            wanted = Cow::Owned(point::keeping(desired, address, have, &wanted));
        }
        if let Some(fields) = desired.ignore.get(address) {
            wanted = Cow::Owned(keeping(have, &wanted, fields));
        }
        let fields = differing(have, &wanted);
        let forcing = forcing(have, &wanted, &fields);
        if forcing.is_empty() {
            draft.staying.insert(address.clone(), (*id).clone());
            if fields.is_empty() {
                draft.unchanged += 1;
            } else {
                let (id, was) = ((*id).clone(), have.clone());
                let spec = wanted.into_owned();
                let action = Action::Update { id, was, spec, fields };
                draft.steps.push((address.clone(), action, Why::Changed));
            }
            return;
        }
        replaced.push((*id).clone());
        if let Why::Missing = why {
            why = Why::Replaces { ids: Vec::new(), fields: forcing };
        }
    }
    if let Why::Replaces { ids, .. } = &mut why {
        *ids = replaced;
    }
    let generation = highest + 1;
    let action = Action::Create { spec: wanted.at_generation(generation), generation, named };
    draft.steps.push((address.clone(), action, why));
}

/// What is wanted of the n-th object at an address. The first has no suffix anywhere.
fn at_generation(wanted: &Spec, generation: u32) -> Cow<'_, Spec> {
    match generation {
        0 | 1 => Cow::Borrowed(wanted),
        2.. => Cow::Owned(wanted.clone().at_generation(generation)),
    }
}

/// The fields among `fields` that cannot change in place.
fn forcing(have: &Spec, want: &Spec, fields: &[String]) -> Vec<String> {
    if fields.is_empty() {
        return Vec::new();
    }
    let traits = have.kind().traits();
    let values = have.fields();
    let closed = have.cannot_become(want);
    let is_open = |field: &str| {
        (traits.in_place.contains(&field) && !closed.contains(&field))
            || (traits.attach.contains(&field)
                && values.get(field).is_none_or(serde_json::Value::is_null))
    };
    fields.iter().filter(|field| !is_open(field)).cloned().collect()
}

/// Outputs with every id that is known by now.
pub(super) fn outputs(desired: &Desired, draft: &Draft<'_>) -> BTreeMap<String, OutputPlan> {
    let mut outputs = desired.outputs.clone();
    for output in outputs.values_mut() {
        walk::fill(&mut output.value, &|to| draft.staying.get(to).cloned());
    }
    outputs
}
