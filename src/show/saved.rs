//! Saved plans: what stands in front of one, and why one does not hold any more.

use serde_json::{Map, Value};

use super::screen::Untrusted;
use super::value;
use super::words;
use crate::kinds::Step;
use crate::plan::saved::{Difference, Odd, Saved, What};

/// How many differences are told in full.
const TOLD: usize = 20;

/// What stands in front of a saved plan.
pub fn head(saved: &Saved) -> String {
    let Saved { by, created, expires, home, ledger, .. } = saved;
    format!(
        "A plan for stack {} in {} (account {}), made by {} at {created}.\n\
         It was made against state {} of the ledger, and can be applied until {expires}.\n\n",
        home.stack,
        home.region,
        home.account,
        Untrusted(by),
        ledger.serial,
    )
}

/// Changes in the cloud, one in a line.
pub fn world(differences: &[Difference]) -> String {
    lines(differences.iter().flat_map(|difference| {
        let Difference { address, kind, id, what } = difference;
        let name = format!("{address} ({} {})", kind.title(), id.short());
        match what {
            What::Appeared => vec![format!("{name} was not there")],
            What::Vanished => vec![format!("{name} is gone")],
            What::Other(text) => vec![format!("{name}: {text}")],
            What::Fields(fields) => fields
                .iter()
                .map(|(field, was, is)| {
                    format!("{name}: {field} is {}, was {}", value::inline(is), value::inline(was))
                })
                .collect(),
        }
    }))
}

/// Steps that differ between a saved plan and the one that comes out now.
pub fn steps(odd: &[Odd<'_>]) -> String {
    let told = |step: &Step| format!("{}: {}", step.address, words::doing(&step.action));
    lines(odd.iter().flat_map(|Odd { was, is }| match (was, is) {
        (Some(was), Some(is)) => {
            let fields = match (was.action.spec(), is.action.spec()) {
                (Some(old), Some(new)) => fields(&old.fields(), &new.fields()),
                (Some(_) | None, Some(_) | None) => Vec::new(),
            };
            if fields.is_empty() {
                return vec![format!("{} differs", told(is))];
            }
            fields.iter().map(|field| format!("{}: {field}", told(is))).collect()
        }
        (None, Some(is)) => vec![format!("{} would be done now", told(is))],
        (Some(was), None) => vec![format!("{} would not be done any more", told(was))],
        (None, None) => Vec::new(),
    }))
}

fn fields(was: &Map<String, Value>, is: &Map<String, Value>) -> Vec<String> {
    let inline = |value: Option<&Value>| value::inline(value.unwrap_or(&Value::Null));
    let odd = is.iter().filter(|(name, value)| was.get(*name) != Some(*value));
    odd.map(|(name, value)| {
        format!("{name} is {}, was {}", inline(Some(value)), inline(was.get(name)))
    })
    .collect()
}

fn lines(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(TOLD);
    if more > 0 {
        all.truncate(TOLD);
        all.push(format!("and {more} more"));
    }
    all.join("\n")
}
