//! What happens, as one JSON object per line, in the shape of `terraform apply -json`.
//! Readers of that stream ignore types that they do not know: `recovering`,
//! `apply_skipped` and `stopping` are ours.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::change_json::{self, Changed};
use super::cost_json;
use super::item::{self, Sums};
use super::outputs::{self, Output};
use super::summary;
use super::terraform::{Named, VERSION};
use super::words;
use crate::apply::Event;
use crate::cloud::Failure;
use crate::kinds::{Action, Plan, Step, StepId};
use crate::model::CloudId;
use crate::plan::cost::Bill;

/// The version of the stream; a minor step only adds keys and types.
pub const UI: &str = "1.2";

/// An event of a run: as many lines as it concerns resources, and none for an event about a
/// step that the plan does not have. `elapsed` tells for how long a step has been running.
pub fn event_json(
    event: &Event,
    plan: &Plan,
    elapsed: impl Fn(StepId) -> Duration,
    timestamp: &str,
) -> Vec<Value> {
    let step = |id: &StepId| plan.steps.get(*id);
    let one =
        |id: &StepId, lines: &dyn Fn(&Step) -> Vec<Value>| step(id).map(lines).unwrap_or_default();
    match event {
        Event::Recovering { address, how } => {
            let extra = json!({ "address": address.to_string(), "how": how });
            let text = format!("{address}: an earlier run was cut off here: {how}");
            vec![line("info", &text, timestamp, "recovering", &extra)]
        }
        Event::Settling { wait } => {
            let extra = json!({ "wait_seconds": wait.as_secs_f64() });
            vec![line("info", &words::settling(*wait), timestamp, "settling", &extra)]
        }
        Event::Started { step: id } => one(id, &|step| {
            let text = format!("{}...", words::doing(&step.action));
            hooks(step, "apply_start", &text, timestamp, &|_| json!({}))
        }),
        Event::Calling { step: id, what } | Event::Waiting { step: id, what } => one(id, &|step| {
            let whole = Named::new(&step.address, change_json::step_kind(step));
            let extra = json!({ "elapsed_seconds": elapsed(*id).as_secs(), "what": what });
            vec![hook(step, &whole, "apply_progress", what, timestamp, &extra)]
        }),
        Event::Done { step: id, ids, took } => one(id, &|step| {
            let text = format!("{} in {}", words::done(&step.action, ids), words::span(*took));
            hooks(step, "apply_complete", &text, timestamp, &|at| {
                let mut extra = json!({ "elapsed_seconds": took.as_secs() });
                if let (Some(id), Some(map)) = (ids.get(at), extra.as_object_mut()) {
                    map.extend(identity(id));
                }
                extra
            })
        }),
        Event::Failed { step: id, failure, took } => one(id, &|step| {
            let text = format!("{} failed: {failure}", words::doing(&step.action));
            let mut lines = hooks(step, "apply_errored", &text, timestamp, &|_| {
                failed(failure, step, took.as_secs())
            });
            lines.push(diagnostic(&problem(step, &text, failure), timestamp));
            lines
        }),
        Event::Skipped { step: id, because } => one(id, &|skipped| {
            let Some(cause) = step(because) else { return Vec::new() };
            let because = cause.address.to_string();
            let text = format!("skipped, because {because} failed");
            hooks(skipped, "apply_skipped", &text, timestamp, &|_| json!({ "because": because }))
        }),
        Event::Stopping => vec![line("warn", "Stopping", timestamp, "stopping", &json!({}))],
    }
}

/// A failed step as a problem: readers that look for nothing else find it.
fn problem(step: &Step, text: &str, failure: &Failure) -> Value {
    json!({
        "severity": "error",
        "code": "A004",
        "summary": format!("{}: {text}", step.address),
        "detail": super::advice::next(failure.class, failure, step),
        "address": change_json::step_names(step).first().map(Named::full),
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
pub(super) fn line(
    level: &str,
    message: &str,
    timestamp: &str,
    kind: &str,
    extra: &Value,
) -> Value {
    let mut out = Map::new();
    out.insert("@level".to_owned(), json!(level));
    out.insert("@message".to_owned(), json!(message));
    out.insert("@module".to_owned(), json!("mlinfra.ui"));
    out.insert("@timestamp".to_owned(), json!(timestamp));
    out.insert("type".to_owned(), json!(kind));
    out.extend(extra.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Value::Object(out)
}

/// A line for each resource of a step; of nodes, each.
fn hooks(
    step: &Step,
    kind: &str,
    text: &str,
    timestamp: &str,
    extra: &dyn Fn(usize) -> Value,
) -> Vec<Value> {
    let names = change_json::step_names(step);
    let each = names.iter().enumerate();
    each.map(|(at, named)| hook(step, named, kind, text, timestamp, &extra(at))).collect()
}

fn hook(
    step: &Step,
    named: &Named<'_>,
    kind: &str,
    text: &str,
    timestamp: &str,
    extra: &Value,
) -> Value {
    let Step { address, action, why: _, needs: _ } = step;
    let (verb, id) = facts(action);
    let mut hook = Map::new();
    hook.insert("resource".to_owned(), named.line());
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

/// Terraform's word for an action, the object's id.
fn facts(action: &Action) -> (&'static str, Option<&CloudId>) {
    match action {
        Action::Create { spec: _, generation: _, named: _ } => ("create", None),
        Action::Update { id, was: _, spec: _, fields: _ } => ("update", Some(id)),
        Action::Delete { id, was: _, empty_first: _ } => ("delete", Some(id)),
        Action::Launch { .. } => ("create", None),
        Action::Quarantine { nodes, .. } => ("update", nodes.first()),
        Action::Terminate { .. } => ("delete", None),
        Action::Point { was, .. } if was.is_empty() => ("create", None),
        Action::Point { .. } => ("update", None),
        Action::Move { ids, .. } => ("move", ids.first()),
        Action::Adopt { id, spec: _ } => ("import", Some(id)),
        Action::Forget { id, was: _ } => ("forget", Some(id)),
    }
}

/// One `planned_change` line per resource that the plan touches.
pub fn planned_changes(plan: &Plan, timestamp: &str) -> Vec<Value> {
    change_json::touched(plan).iter().map(|change| planned(change, timestamp)).collect()
}

fn planned(changed: &Changed<'_>, timestamp: &str) -> Value {
    let action = changed.action();
    let mut change = json!({ "resource": changed.named.line(), "action": action });
    if let (Some(map), Some(reason)) = (change.as_object_mut(), changed.stream_reason()) {
        map.insert("reason".to_owned(), json!(reason));
    }
    if let (Some(map), Some(previous)) = (change.as_object_mut(), &changed.previous) {
        map.insert("previous_resource".to_owned(), previous.line());
    }
    if let (Some(map), Some(id)) = (change.as_object_mut(), changed.importing) {
        map.insert("importing".to_owned(), json!({ "id": id }));
    }
    let text = format!("{}: Plan to {action}", changed.named.address);
    line("info", &text, timestamp, "planned_change", &json!({ "change": change }))
}

/// What a plan makes of the outputs.
pub fn planned_outputs(
    plan: &Plan,
    former: &BTreeMap<String, Value>,
    timestamp: &str,
) -> Option<Value> {
    let changes = outputs::changes(&plan.outputs, Some(former));
    let shown: Map<String, Value> = changes
        .iter()
        .map(|change| {
            let shown =
                json!({ "sensitive": change.sensitive, "action": change.verb.stream_word() });
            (change.name.to_owned(), shown)
        })
        .collect();
    let text = format!("Outputs: {}", shown.len());
    (!shown.is_empty())
        .then(|| line("info", &text, timestamp, "outputs", &json!({ "outputs": shown })))
}

/// Which program, and which version of the stream.
pub fn version(program: &str, timestamp: &str) -> Value {
    let extra = json!({ "mlinfra": program, "terraform": VERSION, "ui": UI });
    line("info", &format!("mlinfra {program}"), timestamp, "version", &extra)
}

/// Sums of a plan, before it is applied.
pub fn change_summary(plan: &Plan, timestamp: &str) -> Value {
    let sums = item::sums(plan);
    summed(sums, "plan", &super::plan::totals(sums), timestamp)
}

/// What the plan does to the bill.
pub fn cost(bill: &Bill, timestamp: &str) -> Value {
    let text = super::cost::line(bill);
    line("info", &text, timestamp, "cost", &json!({ "cost": cost_json::json(bill) }))
}

/// Sums of what a run has done.
pub fn applied_summary(plan: &Plan, done: &[StepId], timestamp: &str) -> Value {
    let steps = done.iter().filter_map(|id| plan.steps.get(*id));
    let sums = steps.fold(Sums::default(), |sums, step| sums.with(&step.action));
    summed(sums, "apply", &format!("Apply: {}.", summary::made(sums)), timestamp)
}

fn summed(sums: Sums, operation: &str, text: &str, timestamp: &str) -> Value {
    let Sums { add, change, delete, launch, quarantine, terminate, moved, adopted, forgotten } =
        sums;
    // A node is a resource like any other to whoever counts the lines before.
    let mut changes = json!({ "add": add + launch, "change": change + quarantine, "import": adopted,
        "remove": delete + terminate, "operation": operation,
        "launch": launch, "terminate": terminate });
    for (name, number) in [("quarantine", quarantine), ("move", moved), ("forget", forgotten)] {
        if let (Some(map), true) = (changes.as_object_mut(), number > 0) {
            map.insert(name.to_owned(), json!(number));
        }
    }
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
            Event::Settling { wait: Duration::from_millis(2500) },
            Event::Started { step: 0 },
            Event::Calling { step: 0, what: "set versioning".to_owned() },
            Event::Waiting { step: 5, what: "waiting for the nodes to be gone".to_owned() },
            Event::Done { step: 3, ids: vec!["nat-2".into()], took },
            Event::Done { step: 5, ids: Vec::new(), took },
            Event::Failed { step: 2, failure: denied, took },
            Event::Skipped { step: 4, because: 2 },
            Event::Stopping,
        ];
        let since = |_| Duration::from_secs(7);
        let lines: Vec<String> = events
            .iter()
            .flat_map(|event| event_json(event, &plan, since, NOW))
            .map(|line| line.to_string())
            .collect();
        check("events.jsonl", &(lines.join("\n") + "\n"));
        assert_eq!(
            event_json(&Event::Started { step: 99 }, &plan, since, NOW),
            Vec::<Value>::new()
        );
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
        let former = BTreeMap::from([("bucket".to_owned(), json!("acme-datasets"))]);
        lines.extend(planned_outputs(&plan, &former, NOW));
        lines.push(applied_summary(&plan, &[0, 1], NOW));
        lines.push(outputs(&outs, NOW));
        lines.push(diagnostic(&problem, NOW));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert!(!text.contains("hunter2"));
        check("run.jsonl", &text);
    }
}
