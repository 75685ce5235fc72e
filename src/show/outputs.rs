//! Outputs: what `output` prints, and how a plan changes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::fold::{Page, Row};
use super::screen::{Ink, Screen};
use super::value::{self, Shape};
use crate::kinds::{OutputPlan, Plan};

/// What stands for a value that is not shown.
const HIDDEN: &str = "(sensitive value)";

/// What happens to an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
    Delete,
    Keep,
}

impl Verb {
    /// Terraform's word in documents.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Keep => "no-op",
        }
    }

    /// Terraform's word in its stream of events.
    pub(super) fn stream_word(self) -> &'static str {
        match self {
            Self::Create | Self::Update | Self::Delete => self.word(),
            Self::Keep => "noop",
        }
    }
}

/// An output before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OutputChange<'a> {
    pub name: &'a str,
    pub verb: Verb,
    pub before: Option<&'a Value>,
    pub after: Option<&'a Value>,
    pub sensitive: bool,
}

impl OutputChange<'_> {
    /// Something becomes of it.
    pub(super) fn is_one(&self) -> bool {
        self.verb != Verb::Keep
    }
}

/// What becomes of each output. Where the former values are not known, all are new.
pub(super) fn changes<'a>(
    outputs: &'a BTreeMap<String, OutputPlan>,
    former: Option<&'a BTreeMap<String, Value>>,
) -> Vec<OutputChange<'a>> {
    let old_names = former.into_iter().flat_map(BTreeMap::keys);
    let names: BTreeSet<&String> = outputs.keys().chain(old_names).collect();
    let change = |name: &'a String| {
        let before = former.and_then(|former| former.get(name));
        let after = outputs.get(name);
        let verb = match (before, after) {
            (Some(before), Some(after)) if *before == after.value => Verb::Keep,
            (Some(_), Some(_)) => Verb::Update,
            (None, _) => Verb::Create,
            (Some(_), None) => Verb::Delete,
        };
        OutputChange {
            name,
            verb,
            before,
            after: after.map(|after| &after.value),
            // Of a secret nothing is kept, so that the former value of one that goes was none.
            sensitive: after.is_some_and(|after| after.sensitive),
        }
    };
    names.into_iter().map(change).collect()
}

/// The section about outputs of a plan that does nothing else. Of a secret nothing is kept
/// from apply to apply, so that such a plan changes none.
pub(super) fn alone(
    page: &mut Page,
    outputs: &BTreeMap<String, OutputPlan>,
    former: &BTreeMap<String, Value>,
) {
    let shown = outputs.iter().filter(|(_, output)| !output.sensitive);
    let shown = shown.map(|(name, output)| (name.clone(), output.clone())).collect();
    section(page, &shown, Some(former));
}

/// How a plan changes outputs, by itself; nothing where it changes none.
pub(super) fn text_of_changes(
    plan: &Plan,
    former: &BTreeMap<String, Value>,
    screen: &Screen,
) -> String {
    let mut page = Page::new(*screen);
    if plan.is_empty() {
        alone(&mut page, &plan.outputs, former);
    } else {
        section(&mut page, &plan.outputs, Some(former));
    }
    page.finish()
}

/// The section of a plan about outputs.
pub(super) fn section(
    page: &mut Page,
    outputs: &BTreeMap<String, OutputPlan>,
    former: Option<&BTreeMap<String, Value>>,
) {
    let mut changes = changes(outputs, former);
    changes.retain(|change| change.verb != Verb::Keep);
    if changes.is_empty() {
        return;
    }
    page.gap();
    page.row(&Row::at(0).words(Ink::Bold, "Changes to Outputs:"));
    let wide = changes.iter().map(|change| change.name.chars().count()).max().unwrap_or(0);
    for OutputChange { name, verb, before, after, sensitive } in changes {
        let (ink, mark) = match verb {
            Verb::Create => (Ink::Add, "+"),
            Verb::Update => (Ink::Change, "~"),
            Verb::Delete => (Ink::Remove, "-"),
            Verb::Keep => (Ink::Plain, " "),
        };
        let row = Row::marked(2, ink, mark).hang(6).words(Ink::Plain, format!("{name:wide$} = "));
        page.row(&match (sensitive, before, after) {
            (true, _, _) => row.words(Ink::Dim, HIDDEN),
            (false, Some(before), Some(after)) => row
                .solid(Ink::Plain, value::inline(before))
                .words(Ink::Plain, " -> ")
                .solid(Ink::Plain, value::inline(after)),
            (false, _, Some(one)) | (false, Some(one), None) => {
                row.solid(Ink::Plain, value::inline(one))
            }
            (false, None, None) => row,
        });
    }
}

/// An output of the last apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its value.
    pub value: Value,
    /// Shown only when it is asked for by name, or as JSON.
    pub sensitive: bool,
}

/// All outputs for people.
pub fn text(outputs: &BTreeMap<String, Output>, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if outputs.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "No outputs. Declare one with an `output` block."));
    }
    for (name, Output { value, sensitive }) in outputs {
        let row = Row::at(0).hang(2).words(Ink::Plain, format!("{name} = "));
        if *sensitive {
            page.row(&row.words(Ink::Dim, HIDDEN));
        } else {
            page.row(&row.solid(Ink::Plain, literal(value)));
        }
    }
    page.finish()
}

/// As [`value::inline`], but complete: an output is there to be copied.
fn literal(value: &Value) -> String {
    match value::shape(value) {
        Shape::Plain(text) | Shape::Link(text) => text,
        Shape::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Shape::Later(_) => value::LATER.to_owned(),
        Shape::List(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Shape::Map(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", value::name(key), literal(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// One output: what `output NAME` prints. With `raw` a text stands without quotes and as
/// it is, for a script; it is then not for a terminal.
pub fn one(output: &Output, raw: bool) -> String {
    let Output { value, sensitive: _ } = output;
    match value {
        Value::String(text) if raw => text.clone(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => format!("{}\n", super::screen::Untrusted(&literal(value))),
    }
}

/// All outputs for machines, in Terraform's shape.
pub fn json(outputs: &BTreeMap<String, Output>) -> Value {
    let each = outputs.iter().map(|(name, Output { value, sensitive })| {
        let shown = json!({ "sensitive": sensitive, "type": kind(value), "value": value });
        (name.clone(), shown)
    });
    Value::Object(each.collect())
}

/// A state document of Terraform's, version 4, with these outputs and nothing else: enough
/// for `data "terraform_remote_state"`.
pub fn terraform_state(outputs: &BTreeMap<String, Output>, serial: u64, lineage: &str) -> Value {
    let each = outputs.iter().map(|(name, Output { value, sensitive })| {
        let mut shown = json!({ "value": value, "type": kind(value) });
        if let (Some(map), true) = (shown.as_object_mut(), sensitive) {
            map.insert("sensitive".to_owned(), json!(true));
        }
        (name.clone(), shown)
    });
    json!({
        "version": 4,
        "terraform_version": super::terraform::VERSION,
        "serial": serial,
        "lineage": lineage,
        "outputs": Value::Object(each.collect()),
        "resources": [],
        "check_results": null,
    })
}

/// Terraform's name for the type of a value.
pub(super) fn kind(value: &Value) -> Value {
    match value {
        Value::Null => json!("dynamic"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => json!(["tuple", items.iter().map(kind).collect::<Vec<_>>()]),
        Value::Object(map) => {
            let types: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), kind(value))).collect();
            json!(["object", types])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> BTreeMap<String, Output> {
        let of = |value, sensitive| Output { value, sensitive };
        BTreeMap::from([
            ("hosts".to_owned(), of(json!(["10.0.0.1", "10.0.0.2"]), false)),
            ("key".to_owned(), of(json!("s3cret"), true)),
            ("queue".to_owned(), of(json!({"url": "https://x", "depth": 3}), false)),
        ])
    }

    #[test]
    fn outputs_as_text() {
        let wanted = "\
hosts = [\"10.0.0.1\", \"10.0.0.2\"]
key = (sensitive value)
queue = {url = \"https://x\", depth = 3}
";
        assert_eq!(text(&some(), &Screen::PLAIN), wanted);
        assert_eq!(one(&some()["key"], true), "s3cret");
        assert_eq!(one(&some()["key"], false), "\"s3cret\"\n");
        let none = "No outputs. Declare one with an `output` block.\n";
        assert_eq!(text(&BTreeMap::new(), &Screen::PLAIN), none);
    }

    #[test]
    fn outputs_as_json() {
        let wanted = json!({
            "hosts": {"sensitive": false, "type": ["tuple", ["string", "string"]],
                "value": ["10.0.0.1", "10.0.0.2"]},
            "key": {"sensitive": true, "type": "string", "value": "s3cret"},
            "queue": {"sensitive": false, "type": ["object", {"url": "string", "depth": "number"}],
                "value": {"url": "https://x", "depth": 3}},
        });
        assert_eq!(json(&some()), wanted);
    }

    #[test]
    fn changes_to_outputs() {
        let plan = |value, sensitive| OutputPlan { value, sensitive };
        let outputs = BTreeMap::from([
            ("new".to_owned(), plan(json!("a"), false)),
            ("other".to_owned(), plan(json!(2), false)),
            ("same".to_owned(), plan(json!(true), false)),
            ("secret".to_owned(), plan(json!("x"), true)),
        ]);
        let former = BTreeMap::from([
            ("gone".to_owned(), json!("once")),
            ("other".to_owned(), json!(1)),
            ("same".to_owned(), json!(true)),
            ("secret".to_owned(), json!("w")),
        ]);
        let mut page = Page::new(Screen::PLAIN);
        section(&mut page, &outputs, Some(&former));
        let wanted = "\
Changes to Outputs:
  - gone   = \"once\"
  + new    = \"a\"
  ~ other  = 1 -> 2
  ~ secret = (sensitive value)
";
        assert_eq!(page.finish(), wanted);
    }
}
