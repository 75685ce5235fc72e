//! Objects that have another address now: they are tagged anew.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::cloud::{Live, Observed};
use crate::kinds::{Action, KindName, Spec, Tags, Why};
use crate::model::{Address, CloudId, tags};
use crate::stack::Desired;

use super::settle::Standing;
use super::{Draft, Refusal};

/// Where objects stand that belong elsewhere now.
pub(super) type Former = BTreeMap<CloudId, Address>;

/// Refuses to bring two objects to one address, one of which is there or comes from a third
/// place.
pub(super) fn conflicts(standing: &Standing<'_>, former: &Former) -> Result<(), Refusal> {
    let touched: BTreeSet<&Address> = standing
        .iter()
        .filter(|(_, found)| found.iter().any(|(id, _)| former.contains_key(*id)))
        .map(|(address, _)| *address)
        .collect();
    for to in touched {
        let usable = standing[to].iter().filter(|(_, live)| live.is_usable());
        let place = |id, live| former.get(id).or_else(|| half_moved(live, &standing[to], former));
        let places: BTreeMap<&Address, &CloudId> =
            usable.map(|(id, live)| (place(*id, live).unwrap_or(to), *id)).collect();
        let others: Vec<_> = places.iter().filter(|(from, _)| **from != to).collect();
        if let (Some((from, _)), true) = (others.first(), places.len() > 1) {
            let mut ids: Vec<CloudId> = places.values().map(|id| (*id).clone()).collect();
            ids.sort();
            return Err(Refusal::Occupied { from: (**from).clone(), to: to.clone(), ids });
        }
    }
    Ok(())
}

/// Nodes are tagged one by one: of a fleet whose move was cut off some have their new address
/// already. Such a node was launched from a template of those that are left behind, and says that
/// it comes from where they stand. Gives that place.
fn half_moved<'a>(
    node: &Live,
    there: &[(&CloudId, &Live)],
    former: &'a Former,
) -> Option<&'a Address> {
    let template = |live: &Live| match live.spec() {
        Some(Spec::Node(node)) => Some(node.template.clone()),
        Some(_) | None => None,
    };
    let (named, from) = (node.owner.named.as_ref()?, template(node)?);
    there.iter().find_map(|(id, left)| {
        let place = former.get(*id)?;
        let same = left.owner.named.as_ref().unwrap_or(place) == named
            && template(left).as_ref() == Some(&from);
        same.then_some(place)
    })
}

/// Adds the steps that tag what stays.
pub(super) fn steps(
    draft: &mut Draft<'_>,
    desired: &Desired,
    observed: &Observed,
    former: &Former,
) {
    let stays: BTreeSet<&CloudId> = draft.staying.values().collect();
    let mut ends = BTreeSet::new();
    let mut changed = BTreeSet::new();
    for (address, action, _) in &draft.steps {
        if let Action::Terminate { nodes, .. } = action {
            ends.extend(nodes);
        }
        if let Action::Update { .. } = action {
            changed.insert(address);
        }
    }
    let mut moves: BTreeMap<(&Address, &Address), Vec<&CloudId>> = BTreeMap::new();
    for (id, from) in former {
        let Some(live) = observed.live.get(id) else { continue };
        if stays.contains(id) || (draft.nodes.contains(id) && !ends.contains(id)) {
            moves.entry((&live.owner.address, from)).or_default().push(id);
        }
    }
    let mut steps = Vec::new();
    for ((to, from), ids) in moves {
        let Some(live) = ids.first().and_then(|id| observed.live.get(*id)) else { continue };
        if !changed.contains(to) {
            draft.unchanged = draft.unchanged.saturating_sub(ids.len());
        }
        let named = live.owner.named.as_ref().unwrap_or(from).to_tag();
        let mut new =
            Tags::from([(tags::ADDRESS.to_owned(), to.to_tag()), (tags::NAMED.to_owned(), named)]);
        if let Some(name) = renamed(desired, live, to) {
            new.insert(tags::NAME.to_owned(), name);
        }
        let ids = ids.into_iter().cloned().collect();
        let action = Action::Move { kind: live.kind, ids, from: from.clone(), tags: new };
        steps.push((to.clone(), action, Why::Moved));
    }
    draft.steps.extend(steps);
}

/// The name for consoles, where it is ours: it says the address.
fn renamed(desired: &Desired, live: &Live, to: &Address) -> Option<String> {
    let (tags, name) = if live.kind == KindName::Node {
        let tags = json!(desired.fleets.get(to)?.tags);
        (tags, tags::name(&desired.stack, &to.owner()))
    } else {
        (live.spec()?.fields().remove("tags")?, tags::name(&desired.stack, to))
    };
    (tags.get(tags::NAME)?.as_str()? == name).then_some(name)
}
