//! In what two environments of a stack differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::diff::Diff;
use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::value;
use crate::kinds::{Offer, Spec};
use crate::model::Address;
use crate::stack::Fleet;

/// What one environment comes to.
pub struct Sides<'a> {
    /// Variables: value, and whether it is secret.
    pub values: &'a BTreeMap<String, (Value, bool)>,
    /// Objects.
    pub specs: &'a BTreeMap<Address, Spec>,
    /// Fleets of nodes.
    pub fleets: &'a BTreeMap<Address, Fleet>,
}

/// What differs.
pub struct Difference {
    /// Variables: one value and the other; none for secrets.
    pub variables: BTreeMap<String, Option<(Value, Value)>>,
    /// Objects in the first and in the second.
    pub objects: BTreeMap<Address, (Fields, Fields)>,
}

/// The fields of an object; none where there is no such object.
type Fields = Option<Map<String, Value>>;

/// Compares two environments, whose objects have the names of one stack.
pub fn compare(from: &Sides<'_>, to: &Sides<'_>) -> Difference {
    let names: BTreeSet<&String> = from.values.keys().chain(to.values.keys()).collect();
    let mut variables = BTreeMap::new();
    for name in names {
        let (a, b) = (from.values.get(name), to.values.get(name));
        if a.map(|(value, _)| value) == b.map(|(value, _)| value) {
            continue;
        }
        let secret = [a, b].into_iter().flatten().any(|(_, secret)| *secret);
        let value = |side: Option<&(Value, bool)>| side.map_or(Value::Null, |(v, _)| v.clone());
        variables.insert(name.clone(), (!secret).then(|| (value(a), value(b))));
    }
    let mut objects = BTreeMap::new();
    let addresses: BTreeSet<&Address> =
        [from, to].iter().flat_map(|side| side.specs.keys().chain(side.fleets.keys())).collect();
    for address in addresses {
        let (a, b) = (fields(from, address), fields(to, address));
        if a != b {
            objects.insert(address.clone(), (a, b));
        }
    }
    Difference { variables, objects }
}

/// The fields of an object, or the number of nodes in a fleet and where they may run.
fn fields(side: &Sides<'_>, address: &Address) -> Fields {
    if let Some(spec) = side.specs.get(address) {
        return Some(spec.fields());
    }
    let Fleet { count, most, gang, offers, tags, surge, max_unavailable, autoscale, .. } =
        side.fleets.get(address)?;
    let mut out = Map::new();
    out.insert("nodes".to_owned(), json!(count));
    if most > count {
        out.insert("max".to_owned(), json!(most));
    }
    out.insert("offers".to_owned(), json!(offers.iter().map(Offer::words).collect::<Vec<_>>()));
    out.insert("gang".to_owned(), json!(gang));
    out.insert("surge".to_owned(), json!(surge));
    out.insert("max_unavailable".to_owned(), json!(max_unavailable));
    if let Some(autoscale) = autoscale {
        out.insert("autoscale".to_owned(), json!(autoscale));
    }
    out.insert("tags".to_owned(), json!(tags));
    Some(out)
}

/// For people: `-` is only in the first, `+` only in the second.
pub fn text(difference: &Difference, (from, to): (&str, &str), screen: &Screen) -> String {
    let Difference { variables, objects } = difference;
    let mut page = Page::new(*screen);
    if !variables.is_empty() {
        page.row(&Row::at(0).words(Ink::Bold, format!("Variables ({from} -> {to}):")));
        let width = variables.keys().map(String::len).max().unwrap_or(0);
        for (name, values) in variables {
            let shown = match values {
                Some((a, b)) => format!("{} -> {}", value::inline(a), value::inline(b)),
                None => "(sensitive) -> another (sensitive)".to_owned(),
            };
            let row = Row::marked(2, Ink::Change, "~").hang(width + 7);
            page.row(&row.words(Ink::Plain, format!("{name:width$} = {shown}")));
        }
        page.gap();
    }
    if !objects.is_empty() {
        page.row(&Row::at(0).words(Ink::Bold, "Objects:"));
    }
    for (address, sides) in objects {
        let (ink, mark) = match sides {
            (Some(_), Some(_)) => (Ink::Change, "~"),
            (None, _) => (Ink::Add, "+"),
            (Some(_), None) => (Ink::Remove, "-"),
        };
        page.row(&Row::marked(2, ink, mark).words(Ink::Plain, address.to_string()));
        if let (Some(a), Some(b)) = sides {
            page.rows(&Diff::of(a, b, &[], 6));
        }
    }
    page.gap();
    page.row(&Row::at(0).words(Ink::Bold, summary(difference, from, to)));
    page.finish()
}

fn summary(difference: &Difference, from: &str, to: &str) -> String {
    let Difference { variables, objects } = difference;
    let sum = |test: fn(bool, bool) -> bool| {
        objects.values().filter(|(a, b)| test(a.is_some(), b.is_some())).count()
    };
    let (only_to, only_from) = (sum(|a, _| !a), sum(|_, b| !b));
    let both = objects.len() - only_to - only_from;
    if variables.is_empty() && objects.is_empty() {
        return format!("{from} and {to} come to the same.");
    }
    let variables = count(variables.len(), "variable", "variables");
    let both = count(both, "object differs", "objects differ");
    format!(
        "{from} and {to} differ in {variables}: {both}, {only_from} only in {from}, {only_to} only \
         in {to}."
    )
}

/// For programs.
pub fn json(difference: &Difference, from: &str, to: &str) -> Value {
    let Difference { variables, objects } = difference;
    let variable = |(name, values): (&String, &Option<(Value, Value)>)| {
        let shape = match values {
            Some((a, b)) => json!({ "before": a, "after": b, "sensitive": false }),
            None => json!({ "before": null, "after": null, "sensitive": true }),
        };
        (name.clone(), shape)
    };
    let object = |(address, (a, b)): (&Address, &(Fields, Fields))| {
        let action = match (a, b) {
            (Some(_), Some(_)) => "update",
            (None, _) => "create",
            (Some(_), None) => "delete",
        };
        json!({
            "address": address.to_string(),
            "change": { "actions": [action], "before": a, "after": b },
        })
    };
    json!({
        "format_version": "1.0",
        "from": from,
        "to": to,
        "variables": variables.iter().map(variable).collect::<Map<_, _>>(),
        "resource_changes": objects.iter().map(object).collect::<Vec<_>>(),
    })
}
