//! A plan as JSON, in the shape of `terraform show -json PLANFILE`, so that the readers of
//! those plans (comments on pull requests, policies) read ours. What Terraform has no word
//! for stands under the key `mlinfra`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::change_json::{self, Changed};
use super::configuration_json;
use super::cost_json;
use super::drift_json;
use super::item::{self, Sums};
use super::known::{is_unknown, split};
use super::outputs::{self, Output, OutputChange};
use super::state_json::{self, Resource, object, tree};
use super::terraform::VERSION;
use crate::cloud::Observed;
use crate::kinds::{Action, Plan, Step};
use crate::plan::cost::Bill;
use crate::plan::drift::Outside;

/// The format that this is: a minor step only adds keys.
pub const FORMAT: &str = "1.2";

/// A plan with all that was known when it was made.
pub struct Document<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the cloud showed.
    pub observed: &'a Observed,
    /// The outputs of the last apply.
    pub former: &'a BTreeMap<String, Value>,
    /// The variables; a sensitive one has no value here.
    pub variables: &'a BTreeMap<String, Option<Value>>,
    /// When it was made.
    pub created: String,
    /// What others have changed since the last apply; none when nobody can tell.
    pub outside: Option<&'a Outside>,
    /// Nothing but that was asked for.
    pub refresh_only: bool,
    /// A new plan is empty once it was applied.
    pub complete: bool,
    /// What it costs.
    pub cost: &'a Bill,
}

/// The plan for machines.
pub fn json(document: &Document<'_>) -> Value {
    let Document { plan, observed, former, variables, created, outside, .. } = document;
    let Plan { base, steps, unchanged, outputs } = plan;
    let changes = change_json::all(plan, observed);
    let outputs_after = outputs::changes(outputs, Some(former));
    let output_changes: Map<String, Value> = outputs_after
        .iter()
        .map(|change| (change.name.to_owned(), output_change(change)))
        .collect();
    let variables: Map<String, Value> = variables
        .iter()
        .map(|(name, value)| {
            let shown = value.as_ref().map_or_else(|| json!({}), |value| json!({ "value": value }));
            (name.clone(), shown)
        })
        .collect();
    let Sums { add, change, delete, launch, quarantine, terminate, moved, adopted, forgotten } =
        item::sums(plan);
    let steps: Vec<Value> = steps.iter().enumerate().map(|(id, step)| own(id, step)).collect();
    let summary = json!({ "add": add, "change": change, "delete": delete, "launch": launch,
        "terminate": terminate, "quarantine": quarantine, "move": moved, "adopt": adopted, "forget": forgotten });
    let ours = object([
        ("base", json!(base)),
        ("unchanged", json!(unchanged)),
        ("summary", summary),
        ("steps", Value::Array(steps)),
        ("cost", cost_json::json(document.cost)),
    ]);
    let applyable = applyable(document, &outputs_after);
    let mut out = object([
        ("format_version", json!(FORMAT)),
        ("terraform_version", json!(VERSION)),
        ("variables", Value::Object(variables)),
        ("planned_values", planned_values(&changes, plan)),
        ("resource_changes", Value::Array(changes.iter().map(Changed::json).collect())),
        ("output_changes", Value::Object(output_changes)),
        ("prior_state", state_json::document(observed, &before(former, plan))),
        ("configuration", configuration_json::json(&changes, observed, plan)),
        ("timestamp", json!(created)),
        ("applyable", json!(applyable)),
        ("complete", json!(document.complete)),
        ("errored", json!(false)),
        ("mlinfra", ours),
    ]);
    let found = outside.map_or(&[][..], |outside| &outside.found);
    let drifted = drift_json::outside(found, observed);
    if let (Some(map), true) = (out.as_object_mut(), !drifted.is_empty()) {
        let drifted: Vec<Value> = drifted.iter().map(Changed::json).collect();
        map.insert("resource_drift".to_owned(), json!(drifted));
    }
    out
}

/// Whether apply would do anything, be it to write down what others have changed.
fn applyable(document: &Document<'_>, outputs: &[OutputChange<'_>]) -> bool {
    let Document { plan, outside, refresh_only, .. } = document;
    let taken_over = *refresh_only && outside.is_some_and(|outside| !outside.found.is_empty());
    !plan.is_empty() || outputs.iter().any(OutputChange::is_one) || taken_over
}

/// The outputs of the last apply; one that is a secret by now is not shown.
fn before(former: &BTreeMap<String, Value>, plan: &Plan) -> BTreeMap<String, Output> {
    let each = former.iter().map(|(name, value)| {
        let sensitive = plan.outputs.get(name).is_some_and(|now| now.sensitive);
        let value = if sensitive { Value::Null } else { value.clone() };
        (name.clone(), Output { value, sensitive })
    });
    each.collect()
}

fn planned_values(changes: &[Changed<'_>], plan: &Plan) -> Value {
    let resources = changes.iter().filter(|change| change.deposed.is_none()).filter_map(|change| {
        let after = change.after.as_ref()?;
        Some(Resource::new(&change.named, Some(after)))
    });
    let outputs = plan.outputs.iter().map(|(name, output)| {
        let (known, unknown) = split(&output.value);
        let mut shown = json!({ "sensitive": output.sensitive });
        if let (Some(map), false, false) =
            (shown.as_object_mut(), output.sensitive, is_unknown(&unknown))
        {
            map.insert("type".to_owned(), outputs::kind(&known));
            map.insert("value".to_owned(), known);
        }
        (name.clone(), shown)
    });
    object([
        ("outputs", Value::Object(outputs.collect())),
        ("root_module", tree(resources.collect())),
    ])
}

fn output_change(change: &OutputChange<'_>) -> Value {
    let OutputChange { name: _, verb, before, after, sensitive } = change;
    let (after, unknown) = after.map_or((Value::Null, json!(false)), split);
    let hide = |value: Value| if *sensitive { Value::Null } else { value };
    let mut out = json!({
        "actions": [verb.word()],
        "before": hide(before.cloned().unwrap_or(Value::Null)),
        "after_unknown": unknown,
        "before_sensitive": sensitive,
        "after_sensitive": sensitive,
    });
    if let (Some(map), false) = (out.as_object_mut(), is_unknown(&unknown)) {
        map.insert("after".to_owned(), hide(after));
    }
    out
}

/// A step in our own words; what it makes of which object stands in `resource_changes`.
fn own(id: usize, step: &Step) -> Value {
    let Step { address, action, why, needs } = step;
    let ids = match action {
        Action::Create { .. } | Action::Launch { .. } => json!([]),
        Action::Update { id, .. }
        | Action::Delete { id, .. }
        | Action::Adopt { id, .. }
        | Action::Forget { id, .. } => json!([id]),
        Action::Quarantine { nodes: ids, .. }
        | Action::Terminate { nodes: ids, .. }
        | Action::Point { nodes: ids, .. }
        | Action::Move { ids, .. } => json!(ids),
    };
    let mut out = json!({
        "step": id,
        "address": address.to_string(),
        "action": action.verb(),
        "type": change_json::step_kind(step).word(),
        "ids": ids,
        "why": why,
        "needs": needs,
    });
    if let (Some(map), Action::Launch { count, offers, .. }) = (out.as_object_mut(), action) {
        map.insert("count".to_owned(), json!(count));
        map.insert("offers".to_owned(), json!(offers));
    }
    out
}
