//! What `init` says between its questions of what it has found out.

use std::collections::BTreeMap;

use crate::kinds::{Market, Offer};
use crate::model::{Money, Region};
use crate::show::doctor::{Check, Status};
use crate::wizard::Note;

use super::halt::Halt;

/// What a node costs where it is bought in the dearest way that is allowed.
pub fn fallback(offers: &[Offer]) -> Option<Money> {
    let mut best: BTreeMap<Market, Money> = BTreeMap::new();
    for offer in offers {
        if let Some(price) = offer.price {
            let least = best.entry(offer.market).or_insert(price);
            *least = price.min(*least);
        }
    }
    best.into_values().max()
}

/// A quota, with the request that raises it.
pub fn quota(check: &Check) -> Note {
    let text = match check.status {
        Status::Good => return Note::Good(check.text.clone()),
        // What could not be asked is not too small.
        Status::Unknown => format!("{}\n{}", check.text, check.help),
        Status::Warning | Status::Failed if check.help.is_empty() => check.text.clone(),
        Status::Warning | Status::Failed => format!("{}. To raise it:\n{}", check.text, check.help),
    };
    Note::Warning(text)
}

/// The region does not answer.
pub fn unasked(region: &Region, halt: &Halt) -> Note {
    let why = halt.problems.first().map(|one| one.summary.clone()).unwrap_or_default();
    let text =
        format!("{region} cannot be asked what it offers: {why}. `<` chooses another region");
    Note::Warning(text)
}

/// Problems as notes.
pub fn told(halt: &Halt) -> Vec<Note> {
    let note = |problem: &crate::model::Problem| {
        let mut text = problem.summary.clone();
        for more in [&problem.detail, &problem.help] {
            if !more.is_empty() {
                text.push_str(&format!("; {more}"));
            }
        }
        Note::Warning(text)
    };
    halt.problems.iter().map(note).collect()
}
