//! The ledger for people and programs: what `mlinfra ledger show` and `verify` print.

use serde_json::{Value, json};

use super::screen::{Ink, Screen, Untrusted};
use crate::ledger::{Ledger, LockStatus, Reach, Report};

/// A ledger and what stands around it.
#[derive(Debug)]
pub struct View<'a> {
    /// Where it is kept.
    pub place: &'a str,
    /// What it remembers.
    pub ledger: &'a Ledger,
    /// How far it reaches.
    pub reach: Reach,
    /// Its lock.
    pub lock: &'a LockStatus,
}

/// For people.
pub fn text(view: &View<'_>, screen: &Screen) -> String {
    let View { place, ledger, reach, lock } = view;
    let mut out = format!("{}\n", screen.paint(Ink::Bold, &format!("Ledger {}", Untrusted(place))));
    let mut line = |name: &str, text: String| out.push_str(&format!("  {name:<9}{text}\n"));
    if ledger.is_blank() {
        line("state", "none yet: the first apply begins it".to_owned());
    } else {
        line("lineage", Untrusted(&ledger.lineage).to_string());
        line("state", format!("number {}, and {} since", reach.serial, records(reach.records)));
    }
    line(
        "lock",
        match &lock.holder {
            Some(holder) => format!("held by {}", Untrusted(&holder.to_string())),
            None => "free".to_owned(),
        },
    );
    let open: Vec<_> = ledger.open_intents().collect();
    if open.is_empty() {
        line("open", "nothing: every call that was begun is known to have ended".to_owned());
    }
    for (_, making) in open {
        let address = making.call.owner().map(|owner| owner.address.to_string());
        let (address, words) = (address.unwrap_or_default(), making.call.words());
        line("open", format!("{words} for {}, since {}", Untrusted(&address), making.at));
    }
    line("applies", ledger.applies.len().to_string());
    if let Some(last) = ledger.applies.last() {
        let ended = match (&last.ended, last.outcome.as_str()) {
            (Some(_), outcome) => outcome,
            (None, _) => "not ended: it is running, or was cut off",
        };
        let (verb, who) = (Untrusted(&last.who.verb), Untrusted(&last.who.user));
        line("last", format!("{verb} by {who} at {}: {}", last.began, Untrusted(ended)));
    }
    out
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

/// For programs.
pub fn json(view: &View<'_>) -> Value {
    let View { place, ledger, reach, lock } = view;
    let open = ledger.open_intents().map(|(token, making)| {
        let address = making.call.owner().map(|owner| owner.address.to_string());
        json!({ "token": token, "address": address, "call": making.call.words(),
                "since": making.at.to_string(), "attempt": making.attempt })
    });
    json!({
        "format_version": "1.0",
        "place": place,
        "lineage": ledger.lineage,
        "serial": reach.serial,
        "records": reach.records,
        "lock": lock.holder,
        "open_intents": open.collect::<Vec<_>>(),
        "applies": ledger.applies.len(),
    })
}

/// What a check has found, for people.
pub fn report(place: &str, report: &Report, screen: &Screen) -> String {
    let Report { states, records: read, good, damage } = report;
    let place = Untrusted(place);
    let upto = match good {
        Some(Reach { serial, records }) => format!("state {serial} and record {records}"),
        None => "nothing".to_owned(),
    };
    if damage.is_empty() {
        let states = if *states == 1 { "1 state".to_owned() } else { format!("{states} states") };
        let read = records(*read);
        return format!(
            "The ledger {place} is whole: {states} and {read}, one chain up to {upto}.\n"
        );
    }
    let mut out = String::new();
    for one in damage {
        let (place, problem) = (Untrusted(&one.place), Untrusted(&one.problem));
        out.push_str(&format!("{} {place}: {problem}\n", screen.paint(Ink::Bad, "damaged:")));
    }
    out.push_str(&format!("The last good point of the ledger {place}: {upto}.\n"));
    out
}

/// The same for programs.
pub fn report_json(place: &str, report: &Report) -> Value {
    let Report { states, records, good, damage } = report;
    let damage = damage.iter();
    let damage = damage.map(|one| json!({ "place": one.place, "problem": one.problem }));
    json!({
        "format_version": "1.0",
        "place": place,
        "whole": report.damage.is_empty(),
        "states": states,
        "records": records,
        "good": good,
        "damage": damage.collect::<Vec<_>>(),
    })
}
