//! What happens, as one JSON object per line, in the shape of `terraform apply -json`.
//! Readers of that stream ignore types that they do not know: `recovering`,
//! `apply_skipped` and `stopping` are ours.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::item::{self, Act, Item, Order, Sums};
use super::outputs::{self, Output};
use super::summary;
use super::value;
use super::words;
use crate::apply::Event;
use crate::cloud::Failure;
use crate::kinds::{Action, Plan, Step, StepId};
use crate::model::{Address, CloudId};

/// The version of the stream; a minor step only adds keys and types.
pub const UI: &str = "1.2";

/// An event of a run. None for an event about a step that the plan does not have.
pub fn event_json(event: &Event, plan: &Plan, timestamp: &str) -> Option<Value> {
    let step = |id: &StepId| plan.steps.get(*id);
    Some(match event {
        Event::Recovering { address, how } => {
            let extra = json!({ "address": address.to_string(), "how": how });
            let text = format!("{address}: an earlier run was cut off here: {how}");
            line("info", &text, timestamp, "recovering", &extra)
        }
        Event::Started { step: id } => {
            let step = step(id)?;
            hook(
                step,
                "apply_start",
                &format!("{}...", words::doing(&step.action)),
                timestamp,
                &json!({}),
            )
        }
        Event::Calling { step: id, what } | Event::Waiting { step: id, what } => {
            hook(step(id)?, "apply_progress", what, timestamp, &json!({ "what": what }))
        }
        Event::Done { step: id, ids, took } => {
            let step = step(id)?;
            let text = format!("{} in {}", words::done(&step.action, ids), words::span(*took));
            let mut extra = json!({ "elapsed_seconds": took.as_secs() });
            if let ([id], Some(map)) = (ids.as_slice(), extra.as_object_mut()) {
                map.extend(identity(id));
            } else if let (false, Some(map)) = (ids.is_empty(), extra.as_object_mut()) {
                map.insert("ids".to_owned(), json!(ids));
            }
            hook(step, "apply_complete", &text, timestamp, &extra)
        }
        Event::Failed { step: id, failure, took } => {
            let step = step(id)?;
            let text = format!("{} failed: {failure}", words::doing(&step.action));
            let extra = failed(failure, step, took.as_secs());
            hook(step, "apply_errored", &text, timestamp, &extra)
        }
        Event::Skipped { step: id, because } => {
            let because = step(because)?.address.to_string();
            let text = format!("skipped, because {because} failed");
            hook(step(id)?, "apply_skipped", &text, timestamp, &json!({ "because": because }))
        }
        Event::Stopping => line("warn", "Stopping", timestamp, "stopping", &json!({})),
    })
}

fn failed(failure: &Failure, step: &Step, seconds: u64) -> Value {
    let Failure { class, left: _, api: _, code: _, text: _, request: _ } = failure;
    json!({
        "elapsed_seconds": seconds,
        "failure": failure,
        "next": super::advice::next(*class, failure, step),
    })
}

/// One line of the stream: the keys that all have, then the type and its own keys.
fn line(level: &str, message: &str, timestamp: &str, kind: &str, extra: &Value) -> Value {
    let mut out = Map::new();
    out.insert("@level".to_owned(), json!(level));
    out.insert("@message".to_owned(), json!(message));
    out.insert("@module".to_owned(), json!("mlinfra.ui"));
    out.insert("@timestamp".to_owned(), json!(timestamp));
    out.insert("type".to_owned(), json!(kind));
    out.extend(extra.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Value::Object(out)
}

fn hook(step: &Step, kind: &str, text: &str, timestamp: &str, extra: &Value) -> Value {
    let Step { address, action, why: _, needs: _ } = step;
    let (verb, word, id) = facts(action);
    let mut hook = Map::new();
    hook.insert("resource".to_owned(), resource(address, word));
    hook.insert("action".to_owned(), json!(verb));
    hook.extend(id.map(identity).into_iter().flatten());
    hook.extend(extra.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    let level = if kind == "apply_errored" { "error" } else { "info" };
    let text = format!("{address}: {text}");
    line(level, &text, timestamp, kind, &json!({ "hook": hook }))
}

fn identity(id: &CloudId) -> [(String, Value); 2] {
    [("id_key".to_owned(), json!("id")), ("id_value".to_owned(), json!(id))]
}

/// Terraform's word for an action, the kind's word, the object's id.
fn facts(action: &Action) -> (&'static str, &'static str, Option<&CloudId>) {
    match action {
        Action::Create { spec, generation: _ } => ("create", spec.kind().word(), None),
        Action::Update { id, was: _, spec, fields: _ } => ("update", spec.kind().word(), Some(id)),
        Action::Delete { id, was, empty_first: _ } => ("delete", was.kind().word(), Some(id)),
        Action::Launch { .. } => ("create", "node", None),
        Action::Terminate { .. } => ("delete", "node", None),
    }
}

/// Terraform's description of an object.
fn resource(address: &Address, kind: &str) -> Value {
    let Address { module, block: _, name, key, part: _ } = address;
    let module: Vec<String> = module.iter().map(ToString::to_string).collect();
    json!({
        "addr": address.to_string(),
        "module": module.join("."),
        "resource": address.to_string(),
        "implied_provider": "mlinfra",
        "resource_type": kind,
        "resource_name": name.as_str(),
        "resource_key": key.as_ref().map(value::key),
    })
}

/// One `planned_change` line per object that the plan touches.
pub fn planned_changes(plan: &Plan, timestamp: &str) -> Vec<Value> {
    item::items(plan).iter().map(|item| planned(item, timestamp)).collect()
}

fn planned(item: &Item<'_>, timestamp: &str) -> Value {
    let (action, kind) = match &item.act {
        Act::Create { spec, generation: _ } => ("create", spec.kind().word()),
        Act::Update { id: _, was: _, spec } => ("update", spec.kind().word()),
        Act::Delete(doomed) => ("delete", doomed.was.kind().word()),
        Act::Replace { order: Order::CreateFirst | Order::DeleteFirst, spec, .. } => {
            ("replace", spec.kind().word())
        }
        Act::Launch { .. } => ("create", "node"),
        Act::Terminate { .. } => ("delete", "node"),
    };
    let change = json!({ "resource": resource(item.address, kind), "action": action });
    let text = format!("{}: Plan to {action}", item.address);
    line("info", &text, timestamp, "planned_change", &json!({ "change": change }))
}

/// Which program, and which version of the stream.
pub fn version(program: &str, timestamp: &str) -> Value {
    let extra = json!({ "mlinfra": program, "ui": UI });
    line("info", &format!("mlinfra {program}"), timestamp, "version", &extra)
}

/// Sums of a plan, before it is applied.
pub fn change_summary(plan: &Plan, timestamp: &str) -> Value {
    let sums = item::sums(plan);
    summed(sums, "plan", &super::plan::totals(sums), timestamp)
}

/// Sums of what a run has done.
pub fn applied_summary(plan: &Plan, done: &[StepId], timestamp: &str) -> Value {
    let steps = done.iter().filter_map(|id| plan.steps.get(*id));
    let sums = steps.fold(Sums::default(), |sums, step| sums.with(&step.action));
    summed(sums, "apply", &format!("Apply: {}.", summary::made(sums)), timestamp)
}

fn summed(sums: Sums, operation: &str, text: &str, timestamp: &str) -> Value {
    let Sums { add, change, delete, launch, terminate } = sums;
    let changes = json!({ "add": add, "change": change, "import": 0, "remove": delete,
        "launch": launch, "terminate": terminate, "operation": operation });
    line("info", text, timestamp, "change_summary", &json!({ "changes": changes }))
}

/// The outputs after a run. A sensitive one comes without its value, for a stream of
/// events ends up in the log of a build.
pub fn outputs(outputs: &BTreeMap<String, Output>, timestamp: &str) -> Value {
    let mut shown = outputs::json(outputs);
    for (name, Output { value: _, sensitive }) in outputs {
        if let (true, Some(map)) = (*sensitive, shown[name].as_object_mut()) {
            map.remove("value");
        }
    }
    let text = format!("Outputs: {}", outputs.len());
    line("info", &text, timestamp, "outputs", &json!({ "outputs": shown }))
}

/// A problem, given in the shape of `validate -json`: an object with at least `severity`
/// (`error` or `warning`) and `summary`.
pub fn diagnostic(problem: &Value, timestamp: &str) -> Value {
    let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default();
    let (level, word) =
        if text("severity") == "warning" { ("warn", "Warning") } else { ("error", "Error") };
    let message = format!("{word}: {}", text("summary"));
    line(level, &message, timestamp, "diagnostic", &json!({ "diagnostic": problem }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixture::{fresh, mixed};
    use super::super::golden::check;
    use super::*;
    use crate::cloud::{Class, Left};

    const NOW: &str = "2026-11-23T09:30:00Z";

    #[test]
    fn events_in_the_shape_of_terraform() {
        let plan = mixed();
        let denied = Failure::new(
            Class::Denied,
            Left::Nothing,
            "ec2:CreateSubnet",
            "UnauthorizedOperation",
            "no",
        );
        let address = plan.steps[0].address.clone();
        let took = Duration::from_millis(2100);
        let events = [
            Event::Recovering { address, how: "found by its tag".to_owned() },
            Event::Started { step: 0 },
            Event::Calling { step: 0, what: "set versioning".to_owned() },
            Event::Waiting { step: 5, what: "waiting for the nodes to be gone".to_owned() },
            Event::Done { step: 3, ids: vec!["nat-2".into()], took },
            Event::Done { step: 5, ids: Vec::new(), took },
            Event::Failed { step: 2, failure: denied, took },
            Event::Skipped { step: 4, because: 2 },
            Event::Stopping,
        ];
        let lines: Vec<String> = events
            .iter()
            .map(|event| event_json(event, &plan, NOW).expect("a line").to_string())
            .collect();
        check("events.jsonl", &(lines.join("\n") + "\n"));
        assert_eq!(event_json(&Event::Started { step: 99 }, &plan, NOW), None);
    }

    #[test]
    fn the_lines_around_a_run() {
        let plan = fresh();
        let problem = json!({"severity": "warning", "summary": "odd", "detail": ""});
        let output = |value, sensitive| Output { value, sensitive };
        let outs = BTreeMap::from([
            ("a".to_owned(), output(json!(1), false)),
            ("b".to_owned(), output(json!("hunter2"), true)),
        ]);
        let mut lines = vec![version("0.1.0", NOW)];
        lines.extend(planned_changes(&mixed(), NOW));
        lines.push(change_summary(&plan, NOW));
        lines.push(applied_summary(&plan, &[0, 1], NOW));
        lines.push(outputs(&outs, NOW));
        lines.push(diagnostic(&problem, NOW));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert!(!text.contains("hunter2"));
        check("run.jsonl", &text);
    }
}
