//! Why a step is there, in words.

use std::collections::BTreeSet;

use crate::kinds::{Trait, Why};

/// A reason in words; none where the item itself says it all.
pub(super) fn why(why: &Why) -> Option<String> {
    Some(match why {
        Why::Missing | Why::Changed | Why::Moved | Why::Adopted | Why::Forgotten => return None,
        Why::Replaces { ids: _, fields } if fields.is_empty() => "must be replaced".to_owned(),
        Why::Replaces { ids: _, fields } => {
            format!("must be replaced: {} cannot change in place", fields.join(", "))
        }
        Why::Failed { text } => format!("the cloud reports that the former one failed: {text}"),
        Why::Superseded => "a successor stands at its address".to_owned(),
        Why::Removed => "is no longer declared".to_owned(),
        Why::Destroyed => "the whole stack is destroyed".to_owned(),
        Why::Grow { from, to } => format!("grows from {from} to {to} nodes"),
        Why::Shrink { from, to } => format!("shrinks from {from} to {to} nodes"),
        Why::Outdated { what } => outdated(what),
        Why::Unhealthy { how } => match how.as_slice() {
            [one] => one.clone(),
            several => format!("failed: {}", several.join("; ")),
        },
        Why::Kept => "failed, and was kept to be looked at for long enough".to_owned(),
        Why::Led => "its machines must be healthy first".to_owned(),
        Why::Requested => "asked for on the command line".to_owned(),
        Why::Vanished { id } => {
            format!("{id:?}, which was to be adopted or replaced, is not there")
        }
    })
}

/// The same within a replacement, which has one line for both of its halves and marks
/// the fields that force it.
pub(super) fn why_replaced(reason: &Why) -> Option<String> {
    match reason {
        Why::Superseded => None,
        Why::Replaces { ids: _, fields } if !fields.is_empty() => None,
        Why::Missing
        | Why::Changed
        | Why::Replaces { .. }
        | Why::Failed { .. }
        | Why::Removed
        | Why::Destroyed
        | Why::Grow { .. }
        | Why::Shrink { .. }
        | Why::Outdated { .. }
        | Why::Unhealthy { .. }
        | Why::Kept
        | Why::Moved
        | Why::Requested
        | Why::Adopted
        | Why::Vanished { .. }
        | Why::Led
        | Why::Forgotten => why(reason),
    }
}

fn outdated(what: &BTreeSet<Trait>) -> String {
    let (ill, unlike): (Vec<&Trait>, Vec<&Trait>) = what.iter().partition(|one| one.is_illness());
    let unlike: Vec<&str> = unlike.iter().map(|one| one.words()).collect();
    let unlike = match unlike.as_slice() {
        [] => None,
        [one] => Some(format!("their {one} is not the wanted one")),
        several => Some(format!("their {} are not the wanted ones", several.join(" and "))),
    };
    let ill = ill.iter().map(|one| one.words().to_owned());
    ill.chain(unlike).collect::<Vec<_>>().join("; ")
}
