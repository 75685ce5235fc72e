//! How the cloud differs from the configuration, when nothing is done about it:
//! `--refresh-only`.

use serde_json::Value;

use super::drift_json;
use super::fold::{Page, Row};
use super::item::{self, Act, Item};
use super::screen::{Ink, Screen};
use super::value;
use super::words::nodes;
use crate::kinds::{Plan, Spec, differing};

/// For people. `plan` is what would be done about it.
pub fn text(plan: &Plan, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let items = item::items(plan);
    if items.is_empty() {
        page.row(&Row::at(0).words(Ink::Bold, "The cloud matches the configuration."));
        return page.finish();
    }
    page.row(&Row::at(0).words(Ink::Bold, "The cloud differs from the configuration:"));
    page.gap();
    for item in items {
        for line in lines(&item) {
            let ink = item.act.symbol().ink();
            let row = Row::at(2).hang(4).words(ink, item.address.to_string());
            page.row(&row.words(Ink::Plain, format!(" {line}")));
        }
    }
    page.gap();
    page.finish()
}

fn lines(item: &Item<'_>) -> Vec<String> {
    match &item.act {
        Act::Create { spec, generation: _ } => {
            vec![format!("({}) is missing", spec.kind().title())]
        }
        Act::Update { id: _, was, spec } => fields(was, spec),
        Act::Delete(doomed) => {
            vec![format!("({}) is there and not declared", doomed.was.kind().title())]
        }
        Act::Replace { order: _, spec, generation: _, old } => {
            old.first().map(|old| fields(old.was, spec)).unwrap_or_default()
        }
        Act::Launch { count, .. } => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            vec![format!("lacks {}", nodes(count))]
        }
        Act::Terminate { nodes: ids, was: _ } => vec![format!("has {} too many", nodes(ids.len()))],
        Act::Move { kind: _, ids: _, from } => vec![format!("still says that it is {from}")],
        Act::Adopt { id, spec } => {
            vec![format!("({} {}) is not the stack's yet", spec.kind().title(), id.short())]
        }
        Act::Forget { id, was } => {
            vec![format!("({} {}) is still the stack's", was.kind().title(), id.short())]
        }
    }
}

fn fields(was: &Spec, wanted: &Spec) -> Vec<String> {
    let (is, wants) = (was.fields(), wanted.fields());
    let show = |value: Option<&Value>| value::inline(value.unwrap_or(&Value::Null));
    let line = |name: &String| {
        let (is, wants) = (show(is.get(name)), show(wants.get(name)));
        format!("{name} is {is}, and should be {wants}")
    };
    differing(was, wanted).iter().map(line).collect()
}

/// For machines, where the ledger does not hold what was applied: a `resource_drift` line for
/// each resource that is not as the configuration says.
pub fn json(plan: &Plan, timestamp: &str) -> Vec<Value> {
    drift_json::drifted(plan).iter().map(|change| drift_json::line(change, timestamp)).collect()
}
