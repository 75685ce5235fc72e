//! Why there is no plan.

use std::collections::BTreeSet;

use crate::cloud::{Observed, Seen};
use crate::kinds::{KindName, Spec, Why};
use crate::model::{Address, CloudId};
use crate::stack::Desired;

use super::Draft;

/// The planner says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something that the plan would act on could not be seen.
    #[error("cannot see {what}: {why}")]
    Blind {
        /// A kind or an object.
        what: String,
        /// In the cloud's words.
        why: String,
    },
    /// Objects that need each other.
    #[error("these need each other: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<Address>),
    /// A link to what is not declared.
    #[error("{from} refers to {to}, which is not declared")]
    Dangling {
        /// Who refers.
        from: Address,
        /// To what.
        to: Address,
    },
    /// A move would bring two objects to one address.
    #[error("{from} cannot become {to}: two objects would stand there, {}", list(ids))]
    Occupied {
        /// Where the one that moves is.
        from: Address,
        /// Where it is to be.
        to: Address,
        /// All of them.
        ids: Vec<CloudId>,
    },
    /// An object cannot become the stack's.
    #[error("{address} cannot adopt {id}: {why}")]
    Adopt {
        /// Where it is wanted.
        address: Address,
        /// As the author names it.
        id: String,
        /// Why not.
        why: String,
    },
    /// Deleting it would lose data.
    #[error("{address} ({id}) holds data and is precious")]
    Precious {
        /// Where it is, or was, declared.
        address: Address,
        /// Which object.
        id: CloudId,
    },
    /// Its block says that it is never deleted or replaced.
    #[error(
        "{address} ({id}) would be {}, and its block is precious",
        if *replaced { "replaced" } else { "deleted" }
    )]
    Protected {
        /// Where it is declared.
        address: Address,
        /// Which object.
        id: CloudId,
        /// Another one would take its place.
        replaced: bool,
    },
}

/// Refuses to delete what its block's `lifecycle` protects. What the cloud itself has given up
/// may go.
pub(super) fn protected(desired: &Desired, draft: &Draft<'_>) -> Result<(), Refusal> {
    if desired.precious.is_empty() {
        return Ok(());
    }
    for (id, (live, why)) in &draft.doomed {
        let address = &live.owner.address;
        let replaced = match why {
            Why::Failed { .. } => continue,
            Why::Superseded => true,
            Why::Missing
            | Why::Changed
            | Why::Replaces { .. }
            | Why::Removed
            | Why::Destroyed
            | Why::Grow { .. }
            | Why::Shrink { .. }
            | Why::Outdated
            | Why::Moved
            | Why::Adopted
            | Why::Forgotten => false,
        };
        if desired.precious.contains(&address.owner()) {
            let (address, id) = (address.clone(), id.clone());
            return Err(Refusal::Protected { address, id, replaced });
        }
    }
    Ok(())
}

fn list(ids: &[CloudId]) -> String {
    ids.iter().map(CloudId::short).collect::<Vec<_>>().join(" and ")
}

/// Refuses to act on what cannot be seen: a kind that is declared or that a whole
/// destroy must find, or an object of the stack.
pub(super) fn blind(desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
    let mut wanted: BTreeSet<KindName> = desired.specs.values().map(Spec::kind).collect();
    if !desired.fleets.is_empty() {
        wanted.insert(KindName::Node);
    }
    for (kind, why) in &observed.blind {
        if desired.destroy || wanted.contains(kind) {
            return Err(Refusal::Blind { what: format!("any {}", kind.title()), why: why.clone() });
        }
    }
    if let Some((id, why)) = observed.unreadable.iter().next() {
        return Err(Refusal::Blind { what: id.to_string(), why: why.clone() });
    }
    for (id, live) in &observed.live {
        if let Seen::Blind(why) = &live.seen {
            let what = format!("{} ({} {id})", live.owner.address, live.kind.title());
            return Err(Refusal::Blind { what, why: why.clone() });
        }
    }
    Ok(())
}

/// Refuses to delete what holds data.
pub(super) fn precious(draft: &Draft<'_>) -> Result<(), Refusal> {
    for (id, (live, _)) in &draft.doomed {
        if live.holds_data && live.spec().is_none_or(Spec::is_precious) {
            return Err(Refusal::Precious { address: live.owner.address.clone(), id: id.clone() });
        }
    }
    Ok(())
}
