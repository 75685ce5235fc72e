//! Objects that exist and are to be the stack's: planned as if they were, and tagged first.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Live, Observed, Owner, Phase, Seen, Stray};
use crate::kinds::{Action, Why};
use crate::model::{Address, CloudId, Token, tags};
use crate::stack::{Adoption, Desired};

use super::{Draft, Refusal};

/// What is adopted.
#[derive(Default)]
pub(super) struct Adopted {
    /// By its id: where.
    at: BTreeMap<CloudId, Address>,
    /// What might be replaced and is not there: whoever had to delete it before its successor
    /// was made may have died in between.
    gone: BTreeMap<Address, String>,
}

/// The cloud with what is to be adopted at its address.
pub(super) fn take<'o>(
    desired: &Desired,
    observed: Cow<'o, Observed>,
) -> Result<(Cow<'o, Observed>, Adopted), Refusal> {
    let mut adopted = Adopted::default();
    if desired.adopt.is_empty() {
        return Ok((observed, adopted));
    }
    let usable = observed.live.values().filter(|live| live.is_usable());
    let standing: BTreeSet<&Address> = usable.map(|live| &live.owner.address).collect();
    let mut fresh = Vec::new();
    for (address, adoption) in &desired.adopt {
        // Once it is the stack's the block says nothing more.
        let (false, Some(spec)) = (standing.contains(address), desired.specs.get(address)) else {
            continue;
        };
        let refuse = |why: String| {
            let (address, id) = (address.clone(), adoption.id.clone());
            Refusal::Adopt { address, id, why }
        };
        let stray = match observed.strays.get(address) {
            Some(Some(stray)) if !(adoption.replace && leaving(desired, address, stray)) => stray,
            Some(None | Some(_)) if adoption.replace => {
                adopted.gone.insert(address.clone(), adoption.id.clone());
                continue;
            }
            Some(None | Some(_)) => {
                let why = format!("there is no {} of that id or name", spec.kind().title());
                return Err(refuse(why));
            }
            None => return Err(refuse("it has not been looked for".to_owned())),
        };
        owned(desired, address, stray).map_err(&refuse)?;
        let (stack, token) = (desired.stack.clone(), Token(String::new()));
        let owner = Owner { stack, address: address.clone(), generation: 1, token, named: None };
        let live = Live {
            kind: spec.kind(),
            owner,
            seen: stray.seen.clone(),
            phase: stray.phase.clone(),
            holds_data: stray.holds_data,
            batch: None,
        };
        adopted.at.insert(stray.id.clone(), address.clone());
        fresh.push((stray.id.clone(), live));
    }
    let mut observed = observed.into_owned();
    observed.live.extend(fresh);
    Ok((Cow::Owned(observed), adopted))
}

/// It has been this stack's here, and goes.
fn leaving(desired: &Desired, address: &Address, stray: &Stray) -> bool {
    matches!(stray.phase, Phase::Leaving | Phase::Gone)
        && stray.tags.get(tags::STACK).is_none_or(|stack| *stack == desired.stack.as_str())
        && stray.tags.get(tags::ADDRESS).is_none_or(|at| *at == address.to_tag())
}

/// Why an object cannot be had.
fn owned(desired: &Desired, address: &Address, stray: &Stray) -> Result<(), String> {
    let at = stray.tags.get(tags::ADDRESS);
    match stray.tags.get(tags::STACK) {
        None => {}
        // An apply was cut off behind the adoption, and the cloud shows its tags late.
        Some(stack) if *stack == desired.stack.as_str() && at == Some(&address.to_tag()) => {}
        Some(stack) if *stack == desired.stack.as_str() => {
            let at = at.map_or("an unknown address", String::as_str);
            return Err(format!("it is this stack's already, at {at}"));
        }
        Some(other) => return Err(format!("it belongs to the stack {other:?}")),
    }
    match (&stray.phase, &stray.seen) {
        (Phase::Pending | Phase::Ready, Seen::Spec(_)) => Ok(()),
        (Phase::Pending | Phase::Ready, Seen::Blind(why)) => Err(format!("cannot see it: {why}")),
        (Phase::Leaving | Phase::Gone, _) => Err("it is being deleted".to_owned()),
        (Phase::Failed(why), _) => Err(format!("the cloud has given it up: {why}")),
    }
}

/// Adds the steps that tag what is adopted; refuses where it would not stay.
pub(super) fn steps(
    draft: &mut Draft<'_>,
    desired: &Desired,
    observed: &Observed,
    adopted: &Adopted,
) -> Result<(), Refusal> {
    for (address, id) in &adopted.gone {
        let here =
            draft.steps.iter_mut().filter(|(at, _, why)| at == address && *why == Why::Missing);
        for (.., why) in here {
            *why = Why::Vanished { id: id.clone() };
        }
    }
    for (id, address) in &adopted.at {
        if draft.staying.get(address) != Some(id) {
            let allowed =
                desired.adopt.get(address).is_some_and(|Adoption { replace, .. }| *replace);
            let mut there = draft.steps.iter().filter(|(at, ..)| at == address);
            let forced = there.find_map(|(.., why)| {
                let Why::Replaces { fields, .. } = why else { return None };
                Some(fields.join(", "))
            });
            if !allowed {
                let why = format!(
                    "it would be replaced, because it differs in what cannot change in place: {}",
                    forced.unwrap_or_default()
                );
                return Err(Refusal::Adopt { address: address.clone(), id: id.to_string(), why });
            }
        }
        let Some(spec) = observed.live.get(id).and_then(Live::spec).cloned() else { continue };
        // What gets a successor is tagged first too: whoever dies in between would leave it as
        // nobody's.
        let changes = draft.steps.iter().any(|(at, ..)| at == address);
        draft.unchanged -= usize::from(!changes).min(draft.unchanged);
        let action = Action::Adopt { id: id.clone(), spec };
        draft.steps.push((address.clone(), action, Why::Adopted));
    }
    Ok(())
}
