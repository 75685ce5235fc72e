//! Why there is no plan.

use std::collections::BTreeSet;

use crate::cloud::{Live, Observed, Seen};
use crate::kinds::walk::{self, FoundTarget};
use crate::kinds::{Action, KindName, Spec, Step, Why};
use crate::model::{Address, CloudId};
use crate::stack::Desired;

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
    /// Whether it holds data cannot be seen: it is taken to.
    #[error(
        "{address} ({id}) would be {}, and is precious: its data would go with it",
        ending(fields)
    )]
    Opaque {
        /// Where it is, or was, declared.
        address: Address,
        /// Which object.
        id: CloudId,
        /// What of it cannot change in place; empty when it is no longer wanted.
        fields: Vec<String>,
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
    /// Something that was asked for by its address is nowhere.
    #[error("nothing is declared, and nothing found, at {address}")]
    Absent {
        /// The address, as it was given.
        address: String,
        /// Addresses that are like it.
        like: Vec<String>,
    },
    /// Others stand on what would have to go before its successor can come.
    #[error("{address} cannot be replaced alone: {} on it",
        match users.as_slice() { [one] => format!("{one} stands"), all => format!("{} stand", join(all)) })]
    Used {
        /// What is to be replaced.
        address: Address,
        /// What stands on it.
        users: Vec<Address>,
    },
    /// An address that names several objects, where one is meant.
    #[error("{address} is more than one object")]
    Several {
        /// The address, as it was given.
        address: String,
        /// The objects.
        parts: Vec<String>,
    },
}

/// Refuses to delete what its block's `lifecycle` protects. What the cloud itself has given up
/// may go.
pub(super) fn protected(desired: &Desired, steps: &[Step]) -> Result<(), Refusal> {
    if desired.precious.is_empty() {
        return Ok(());
    }
    for Step { address, action, why, .. } in steps {
        let Action::Delete { id, .. } = action else { continue };
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
            | Why::Outdated { .. }
            | Why::Unhealthy { .. }
            | Why::Kept
            | Why::Moved
            | Why::Led
            | Why::Requested
            | Why::Adopted
            | Why::Vanished { .. }
            | Why::Forgotten => false,
        };
        if desired.precious.contains(&address.owner()) {
            let (address, id) = (address.clone(), id.clone());
            return Err(Refusal::Protected { address, id, replaced });
        }
    }
    Ok(())
}

fn join(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Refuses a successor for what has to go first and cannot, because others hold it. Such a
/// step would fail halfway, after it has taken the object apart.
pub(super) fn used(
    steps: &[Step],
    replace: &BTreeSet<Address>,
    observed: &Observed,
) -> Result<(), Refusal> {
    let ending: BTreeSet<&CloudId> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Delete { id, .. } => Some(id),
            Action::Create { .. }
            | Action::Update { .. }
            | Action::Launch { .. }
            | Action::Quarantine { .. }
            | Action::Terminate { .. }
            | Action::Point { .. }
            | Action::Move { .. }
            | Action::Adopt { .. }
            | Action::Forget { .. } => None,
        })
        .collect();
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| replace.contains(&step.address)) {
        let Action::Delete { id, was, .. } = &step.action else { continue };
        let is_first = steps.iter().skip(at).any(|other| {
            other.address == step.address
                && matches!(other.action, Action::Create { .. })
                && other.needs.contains(&at)
        });
        if !is_first {
            continue;
        }
        let stays = |(user, live): &(&CloudId, &Live)| {
            live.kind != KindName::Node && !ending.contains(*user) && holds(live, id, was, step)
        };
        let users: BTreeSet<Address> = observed
            .live
            .iter()
            .filter(stays)
            .map(|(_, live)| live.owner.address.clone())
            .collect();
        if !users.is_empty() {
            let (address, users) = (step.address.clone(), users.into_iter().collect());
            return Err(Refusal::Used { address, users });
        }
    }
    Ok(())
}

/// Whether an object keeps another one from being deleted.
fn holds(live: &Live, id: &CloudId, was: &Spec, step: &Step) -> bool {
    let traits = live.kind.traits();
    let follows =
        traits.follows.contains(&was.kind()) && live.owner.address.owner() == step.address.owner();
    let links = live.spec().map(walk::links).unwrap_or_default();
    let to = |found: &walk::Found| {
        matches!(&found.target, FoundTarget::Id(to) if to == id)
            && !traits.soft.contains(&found.field.as_str())
    };
    follows || links.iter().any(to)
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

/// Refuses to delete what holds data. What the cloud itself has given up may go.
pub(super) fn precious(steps: &[Step]) -> Result<(), Refusal> {
    for Step { address, action, why, .. } in steps {
        let Action::Delete { id, was, empty_first } = action else { continue };
        let given_up = matches!(why, Why::Failed { .. });
        if !was.is_precious() {
            continue;
        }
        let (address, id) = (address.clone(), id.clone());
        if *empty_first {
            return Err(Refusal::Precious { address, id });
        }
        if was.kind().traits().opaque && !given_up {
            let fields = forced(steps, &address);
            return Err(Refusal::Opaque { address, id, fields });
        }
    }
    Ok(())
}

/// What forces a successor at an address.
fn forced(steps: &[Step], address: &Address) -> Vec<String> {
    let at = steps.iter().filter(|step| step.address == *address);
    let forcing = |step: &Step| match &step.why {
        Why::Replaces { fields, .. } => fields.clone(),
        Why::Missing
        | Why::Changed
        | Why::Failed { .. }
        | Why::Superseded
        | Why::Removed
        | Why::Destroyed
        | Why::Grow { .. }
        | Why::Shrink { .. }
        | Why::Outdated { .. }
        | Why::Unhealthy { .. }
        | Why::Kept
        | Why::Moved
        | Why::Adopted
        | Why::Vanished { .. }
        | Why::Forgotten
        | Why::Led
        | Why::Requested => Vec::new(),
    };
    at.flat_map(forcing).collect()
}

fn ending(fields: &[String]) -> String {
    match fields {
        [] => "deleted".to_owned(),
        fields => format!("replaced, since {} cannot change so in place", fields.join(", ")),
    }
}
