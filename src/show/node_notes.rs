//! What is known of nodes that are not as they should be: in front of a plan, and in `drift`.

use serde_json::{Value, json};

use super::event_json::line;
use super::fold::{Page, Row};
use super::screen::{Ink, Screen};
use crate::cloud::{Checks, Condition, Observed, Quarantine, taken_back};
use crate::model::{Address, CloudId, Moment};

/// Seconds before its end from which on a Capacity Block is worth a word.
const DAY: u32 = 86_400;

/// One thing about one node.
struct Note<'a> {
    id: &'a CloudId,
    address: &'a Address,
    /// The word for it in JSON.
    word: &'static str,
    text: String,
}

/// What is to be said of a node beside its own word.
pub(super) fn words(condition: &Condition, now: Moment) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if let Some(Quarantine { until, reason }) = &condition.quarantine {
        let until = match until {
            Some(until) => format!("until {until}"),
            None => "until somebody takes its tag mlinfra:quarantine away".to_owned(),
        };
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        out.push(("quarantine", format!("in quarantine {until}{why}")));
    }
    if let Some(Checks::Bad(what)) = &condition.checks {
        out.push(("impaired", what.clone()));
    }
    out.extend(condition.announced.iter().map(|one| (one.word(), one.words())));
    let soon = condition.ends.filter(|ends| now.plus(DAY) >= *ends);
    out.extend(soon.map(|ends| {
        let taken = taken_back(ends);
        let text = format!("its Capacity Block ends at {ends}; AWS takes it back from {taken} on");
        ("capacity-block-end", text)
    }));
    out
}

fn notes(observed: &Observed) -> Vec<Note<'_>> {
    let mut out = Vec::new();
    for (id, condition) in &observed.conditions {
        let Some(live) = observed.live.get(id).filter(|live| live.phase.stands()) else { continue };
        let address = &live.owner.address;
        out.extend(words(condition, observed.at).into_iter().map(|(word, text)| Note {
            id,
            address,
            word,
            text,
        }));
    }
    out
}

/// For people; nothing when all of them are as they should be.
pub fn text(observed: &Observed, screen: &Screen) -> String {
    let notes = notes(observed);
    if notes.is_empty() && observed.unjudged.is_none() {
        return String::new();
    }
    let mut page = Page::new(*screen);
    for Note { id, address, word: _, text } in notes {
        let who = format!("Note: {} of {}:", id.short(), address.owner());
        let row = Row::at(0).hang(6).words(Ink::Warn, who);
        page.row(&row.words(Ink::Plain, format!(" {text}")));
    }
    if let Some(why) = &observed.unjudged {
        let text = format!("Note: what EC2 says of nodes could not be read: {why}");
        page.row(&Row::at(0).hang(6).words(Ink::Warn, text));
    }
    page.gap();
    page.finish()
}

/// For machines: a line each.
pub fn events(observed: &Observed, timestamp: &str) -> Vec<Value> {
    let one = |Note { id, address, word, text }: Note<'_>| {
        let message = format!("{}: {text}", id.short());
        let cluster = address.owner().to_string();
        let node = json!({ "id": id, "cluster": cluster, "notice": word, "text": text });
        line("warn", &message, timestamp, "node_notice", &json!({ "node": node }))
    };
    notes(observed).into_iter().map(one).collect()
}
