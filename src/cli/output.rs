//! `mlinfra output`

use std::collections::BTreeMap;

use crate::kinds::Plan;
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
        let plan = session.plan(&mut ledger, false).await?;
        let all = of(&plan);
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
        if global.json {
            terminal.json(&output.value);
        } else {
            terminal.print(&outputs::one(output, args.raw));
        }
        Ok(DONE)
    })
}

/// The outputs of a plan.
pub fn of(plan: &Plan) -> BTreeMap<String, Output> {
    let outputs = plan.outputs.iter().map(|(name, output)| {
        let (value, sensitive) = (output.value.clone(), output.sensitive);
        (name.clone(), Output { value, sensitive })
    });
    outputs.collect()
}
