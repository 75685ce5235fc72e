//! What others have changed since the last apply, as text and as JSON.

use serde_json::{Map, Value, json};

use super::diff::Diff;
use super::drift_json;
use super::fold::{Page, Row, count};
use super::known::split;
use super::screen::{Ink, Screen};
use crate::cloud::Observed;
use crate::model::Moment;
use crate::plan::drift::{Changed, Drift, Field, Outside};

/// Where the fields of an object begin.
const BODY: usize = 6;

/// Since which apply.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// Its number.
    pub number: u64,
    /// When it ended.
    pub at: Moment,
}

/// For people.
pub fn text(found: &[Drift], since: Since, objects: usize, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let when = since.at.to_string().trim_end_matches('Z').replace('T', " ");
    let since = format!("apply {} ({when})", since.number);
    if found.is_empty() {
        let text = format!(
            "No drift. {} as {since} left {}.",
            count(objects, "object is", "objects are"),
            if objects == 1 { "it" } else { "them" }
        );
        page.row(&Row::at(0).words(Ink::Bold, text));
        return page.finish();
    }
    page.row(&Row::at(0).words(Ink::Plain, format!("Others have changed these since {since}:")));
    page.gap();
    for drift in found {
        object(&mut page, drift);
    }
    page.gap();
    let text = format!("Drift: {} of {}.", found.len(), count(objects, "object", "objects"));
    page.row(&Row::at(0).words(Ink::Bold, text));
    let help = "`mlinfra apply` brings back what the configuration says.";
    page.row(&Row::at(0).words(Ink::Dim, help));
    page.finish()
}

fn object(page: &mut Page, drift: &Drift) {
    let Drift { address, id, kind, was: _, change } = drift;
    let (ink, mark, says) = match change {
        Changed::Fields(_) => (Ink::Change, "~", String::new()),
        Changed::Gone => (Ink::Remove, "-", "is gone".to_owned()),
        Changed::Disowned { stack: None } => {
            (Ink::Warn, "?", "exists, but its tags do not say whose it is".to_owned())
        }
        Changed::Disowned { stack: Some(stack) } => {
            (Ink::Warn, "?", format!("exists, but its tags say that stack {stack} owns it"))
        }
        Changed::Moved { to } => (Ink::Warn, "?", format!("its tags say that it is {to}")),
        Changed::Failed { text } => (Ink::Bad, "!", format!("the cloud has given it up: {text}")),
        Changed::Appeared => {
            (Ink::Add, "+", "carries the stack's tags, and no apply has made it".to_owned())
        }
    };
    let row = Row::marked(2, ink, mark).hang(BODY).words(Ink::Bold, address.to_string());
    let row = row.words(Ink::Plain, "  ").solid(Ink::Plain, kind.title());
    page.row(&row.words(Ink::Plain, " ").words(Ink::Dim, id.short()));
    if !says.is_empty() {
        page.row(&Row::at(BODY).words(Ink::Plain, format!("# {says}")));
    }
    if let Changed::Fields(fields) = change {
        let side = |of: fn(&Field) -> &Value| -> Map<String, Value> {
            fields.iter().map(|field| (field.name.clone(), of(field).clone())).collect()
        };
        let (before, now) = (side(|field| &field.before), side(|field| &field.now));
        page.rows(&Diff::of(&before, &now, &[], BODY));
    }
}

/// For people, where nothing but this was asked for.
pub fn all(outside: &Outside, screen: &Screen) -> String {
    let Outside { number, found } = outside;
    let mut page = Page::new(*screen);
    if found.is_empty() {
        let text = format!("Nothing has changed outside of mlinfra since apply {number}.");
        page.row(&Row::at(0).words(Ink::Bold, text));
        return page.finish();
    }
    let text = format!("Others have changed these since apply {number}:");
    page.row(&Row::at(0).words(Ink::Plain, text));
    page.gap();
    for drift in found {
        object(&mut page, drift);
    }
    page.gap();
    page.finish()
}

/// For people, in front of a plan: that there is something, and where to read of it. Nothing
/// when there is nothing.
pub fn note(outside: &Outside, screen: &Screen) -> String {
    let Outside { number, found } = outside;
    if found.is_empty() {
        return String::new();
    }
    let mut page = Page::new(*screen);
    let objects = count(found.len(), "object has", "objects have");
    let text = format!("Note: {objects} changed outside of mlinfra since apply {number}");
    page.row(&Row::at(0).words(Ink::Warn, text).words(Ink::Plain, " (`mlinfra drift`)."));
    page.gap();
    page.finish()
}

/// For machines: a `resource_drift` line for each resource that is changed or gone.
pub fn events(outside: &Outside, timestamp: &str) -> Vec<Value> {
    // Lines hold no values.
    let all = drift_json::outside(&outside.found, &Observed::default());
    all.iter().map(|change| drift_json::line(change, timestamp)).collect()
}

/// For machines.
pub fn json(found: &[Drift], since: Since, objects: usize) -> Value {
    let all: Vec<Value> = found.iter().map(one).collect();
    json!({
        "format_version": "1.0",
        "since": { "apply": since.number, "at": since.at.to_string() },
        "objects": objects,
        "drift": all,
    })
}

fn one(drift: &Drift) -> Value {
    let Drift { address, id, kind, was: _, change } = drift;
    let mut out = json!({ "address": address.to_string(), "id": id, "type": kind.word() });
    let (word, more) = match change {
        Changed::Fields(fields) => {
            let all: Vec<Value> = fields
                .iter()
                .map(|Field { name, before, now }| {
                    json!({ "field": name, "before": split(before).0, "now": split(now).0 })
                })
                .collect();
            ("changed", json!({ "fields": all }))
        }
        Changed::Gone => ("gone", json!({})),
        Changed::Disowned { stack } => ("disowned", json!({ "stack": stack })),
        Changed::Moved { to } => ("moved", json!({ "to": to.to_string() })),
        Changed::Failed { text } => ("failed", json!({ "text": text })),
        Changed::Appeared => ("appeared", json!({})),
    };
    if let (Some(map), Value::Object(more)) = (out.as_object_mut(), more) {
        map.insert("change".to_owned(), json!(word));
        map.extend(more);
    }
    out
}
