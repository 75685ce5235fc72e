//! `mlinfra output`

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Plan;
use crate::plan::Selection;
use crate::show::outputs::{self, Output};

use super::DONE;
use super::args::{Global, OutputArgs};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &OutputArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        // The cloud is the state: outputs follow from it and the configuration.
        let observed = session.observe(&mut ledger, false).await?;
        let plan = session.plan(&ledger, &observed, false, &Selection::default())?;
        let all = of(&plan);
        if args.terraform_state {
            let waiting = all.iter().find(|(_, output)| waits(&output.value));
            if let Some((name, _)) = waiting {
                return Err(unknown(name));
            }
            terminal.json(&outputs::terraform_state(&all, ledger.serial, &ledger.lineage));
            return Ok(DONE);
        }
        let Some(name) = &args.name else {
            if global.json {
                terminal.json(&outputs::json(&all));
            } else {
                terminal.print(&outputs::text(&all, &terminal.screen));
            }
            return Ok(DONE);
        };
        let Some(output) = all.get(name) else {
            let known: Vec<&str> = all.keys().map(String::as_str).collect();
            let help = format!("the stack's outputs are: {}", known.join(", "));
            return Err(Halt::one("O001", format!("there is no output {name:?}"), help));
        };
        if waits(&output.value) {
            return Err(unknown(name));
        }
        if args.raw && (output.value.is_array() || output.value.is_object()) {
            let text = format!("output {name:?} is no text, and --raw prints nothing else");
            return Err(Halt::one("O003", text, "use --json, or an output of a single value"));
        }
        if global.json {
            terminal.json(&output.value);
        } else {
            terminal.print(&outputs::one(output, args.raw));
        }
        Ok(DONE)
    })
}

fn unknown(name: &str) -> Halt {
    let text = format!("output {name:?} holds an id that the cloud has yet to give");
    Halt::one("O002", text, "`mlinfra apply` first")
}

/// Whether a value holds an id that apply fills in.
fn waits(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$text") || map.values().any(waits),
        Value::Array(items) => items.iter().any(waits),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The outputs of a plan.
pub fn of(plan: &Plan) -> BTreeMap<String, Output> {
    let outputs = plan.outputs.iter().map(|(name, output)| {
        let (value, sensitive) = (output.value.clone(), output.sensitive);
        (name.clone(), Output { value, sensitive })
    });
    outputs.collect()
}
