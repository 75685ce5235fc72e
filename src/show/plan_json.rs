//! A plan as JSON, in the shape of `terraform show -json`, so that the readers of those
//! plans (comments on pull requests, policies) read ours. What Terraform has no word for
//! stands under the key `mlinfra`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::item::{self, Act, Doomed, Item, Order, Sums};
use super::outputs::{self, OutputChange};
use super::value::{self, Shape};
use crate::kinds::{Action, Plan, Spec, Step, Why};
use crate::model::Address;

/// The format that this is: a minor step only adds keys.
pub const FORMAT: &str = "1.2";

/// The plan for machines. `former` are the outputs of the last apply, where known.
pub fn json(plan: &Plan, former: Option<&BTreeMap<String, Value>>) -> Value {
    let Plan { base, steps, unchanged, outputs } = plan;
    let changes: Vec<Value> = item::items(plan).iter().map(resource_change).collect();
    let nothing = BTreeMap::new();
    let output_changes: Map<String, Value> =
        outputs::changes(outputs, Some(former.unwrap_or(&nothing)))
            .iter()
            .map(|change| (change.name.to_owned(), output_change(change)))
            .collect();
    let Sums { add, change, delete, launch, terminate } = item::sums(plan);
    let steps: Vec<Value> = steps.iter().enumerate().map(|(id, step)| own(id, step)).collect();
    json!({
        "format_version": FORMAT,
        "resource_changes": changes,
        "output_changes": output_changes,
        "applyable": !plan.is_empty(),
        "complete": true,
        "errored": false,
        "mlinfra": {
            "base": base,
            "unchanged": unchanged,
            "summary": { "add": add, "change": change, "delete": delete,
                "launch": launch, "terminate": terminate },
            "steps": steps,
        },
    })
}

fn resource_change(item: &Item<'_>) -> Value {
    let mut out = head(item.address);
    let mut change = Change::default();
    let kind = match &item.act {
        Act::Create { spec, generation: _ } => {
            change.actions = &["create"];
            change.after = Some(fields(spec));
            spec.kind().word()
        }
        Act::Update { id: _, was, spec } => {
            change.actions = &["update"];
            (change.before, change.after) = (Some(fields(was)), Some(fields(spec)));
            spec.kind().word()
        }
        Act::Delete(Doomed { id, was, empty_first: _ }) => {
            change.actions = &["delete"];
            change.before = Some(fields(was));
            if item.whys.contains(&&Why::Superseded) {
                out.insert("deposed".to_owned(), json!(id));
            }
            was.kind().word()
        }
        Act::Replace { order, spec, generation: _, old } => {
            change.actions = match order {
                Order::DeleteFirst => &["delete", "create"],
                Order::CreateFirst => &["create", "delete"],
            };
            change.before = old.first().map(|old| fields(old.was));
            change.after = Some(fields(spec));
            change.replace_paths = item.forced().iter().map(|field| json!([field])).collect();
            spec.kind().word()
        }
        Act::Launch { batch, count, template, offers, tags } => {
            change.actions = &["create"];
            change.after = Some(json!({ "batch": batch, "count": count, "template": template,
                "offers": offers, "tags": tags }));
            out.insert("count".to_owned(), json!(count));
            "node"
        }
        Act::Terminate { nodes, was } => {
            change.actions = &["delete"];
            change.before = Some(json!({ "ids": nodes, "nodes": was }));
            out.insert("count".to_owned(), json!(nodes.len()));
            "node"
        }
    };
    out.insert("type".to_owned(), json!(kind));
    out.insert("change".to_owned(), change.json());
    if let Some(reason) = item.whys.iter().find_map(|why| reason(why, &item.act)) {
        out.insert("action_reason".to_owned(), json!(reason));
    }
    Value::Object(out)
}

fn fields(spec: &Spec) -> Value {
    Value::Object(spec.fields())
}

/// What says which object it is. The `type` is filled in later; it keeps its place.
fn head(address: &Address) -> Map<String, Value> {
    let Address { module, block: _, name, key, part: _ } = address;
    let mut out = Map::new();
    out.insert("address".to_owned(), json!(address.to_string()));
    if !module.is_empty() {
        let path: Vec<String> = module.iter().map(ToString::to_string).collect();
        out.insert("module_address".to_owned(), json!(path.join(".")));
    }
    out.insert("mode".to_owned(), json!("managed"));
    out.insert("type".to_owned(), Value::Null);
    out.insert("name".to_owned(), json!(name.as_str()));
    if let Some(key) = key {
        out.insert("index".to_owned(), value::key(key));
    }
    out.insert("provider_name".to_owned(), json!("mlinfra"));
    out
}

/// Terraform's `change` object under construction.
#[derive(Default)]
struct Change {
    actions: &'static [&'static str],
    before: Option<Value>,
    after: Option<Value>,
    replace_paths: Vec<Value>,
}

impl Change {
    fn json(self) -> Value {
        let Self { actions, before, after, replace_paths } = self;
        let (after, unknown) = after.map_or((Value::Null, json!({})), |after| split(&after));
        // What is there has no unknown parts, only links to write as plain ids.
        let before = before.map_or(Value::Null, |before| split(&before).0);
        let mut out = json!({
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": unknown,
            "before_sensitive": false,
            "after_sensitive": false,
        });
        if let (Some(map), false) = (out.as_object_mut(), replace_paths.is_empty()) {
            map.insert("replace_paths".to_owned(), Value::Array(replace_paths));
        }
        out
    }
}

/// A value without what is known only after apply, and the places of that: `true` where
/// a value is unknown, within maps and lists of the same shape.
pub(super) fn split(value: &Value) -> (Value, Value) {
    match value::shape(value) {
        Shape::Plain(_) | Shape::Text(_) => (value.clone(), json!(false)),
        Shape::Later(_) => (Value::Null, json!(true)),
        Shape::Link(_) if value::is_later(value) => (Value::Null, json!(true)),
        Shape::Link(id) => (json!(id), json!(false)),
        Shape::List(items) => {
            let (known, unknown): (Vec<_>, Vec<_>) = items.iter().map(split).unzip();
            (Value::Array(known), Value::Array(unknown))
        }
        Shape::Map(map) => {
            let (mut known, mut unknown) = (Map::new(), Map::new());
            for (key, value) in map {
                let (here, later) = split(value);
                if later == json!(true) {
                    unknown.insert(key.clone(), later);
                    continue;
                }
                if value::is_later(value) {
                    unknown.insert(key.clone(), later);
                }
                known.insert(key.clone(), here);
            }
            (Value::Object(known), Value::Object(unknown))
        }
    }
}

/// Terraform's word for a reason, where it has one.
fn reason(why: &Why, act: &Act<'_>) -> Option<&'static str> {
    let replaces = matches!(act, Act::Replace { .. });
    match why {
        Why::Replaces { .. } if replaces => Some("replace_because_cannot_update"),
        Why::Failed { .. } if replaces => Some("replace_because_tainted"),
        Why::Removed => Some("delete_because_no_resource_config"),
        Why::Missing
        | Why::Changed
        | Why::Replaces { .. }
        | Why::Failed { .. }
        | Why::Superseded
        | Why::Destroyed
        | Why::Grow { .. }
        | Why::Shrink { .. }
        | Why::Outdated => None,
    }
}

fn output_change(change: &OutputChange<'_>) -> Value {
    let OutputChange { name: _, verb, before, after, sensitive } = change;
    let (after, unknown) = after.map_or((Value::Null, json!(false)), split);
    let hide = |value: Value| if *sensitive { Value::Null } else { value };
    json!({
        "actions": [verb.word()],
        "before": hide(before.cloned().unwrap_or(Value::Null)),
        "after": hide(after),
        "after_unknown": unknown,
        "before_sensitive": sensitive,
        "after_sensitive": sensitive,
    })
}

/// A step in our own words; what it makes of which object stands in `resource_changes`.
fn own(id: usize, step: &Step) -> Value {
    let Step { address, action, why, needs } = step;
    let (word, kind, ids) = match action {
        Action::Create { spec, generation: _ } => ("create", spec.kind().word(), json!([])),
        Action::Update { id, was: _, spec, fields: _ } => {
            ("update", spec.kind().word(), json!([id]))
        }
        Action::Delete { id, was, empty_first: _ } => ("delete", was.kind().word(), json!([id])),
        Action::Launch { batch: _, count: _, template: _, offers: _, tags: _ } => {
            ("launch", "node", json!([]))
        }
        Action::Terminate { nodes, was: _ } => ("terminate", "node", json!(nodes)),
    };
    json!({
        "step": id,
        "address": address.to_string(),
        "action": word,
        "type": kind,
        "ids": ids,
        "why": why,
        "needs": needs,
    })
}
