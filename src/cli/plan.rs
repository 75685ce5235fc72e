//! `mlinfra plan`

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Plan;
use crate::ledger::Ledger;
use crate::model::{Problem, Sources};
use crate::show::{self, event_json};

use super::apply::{Goal, told};
use super::args::{Global, PlanArgs};
use super::connect;
use super::halt::Halt;
use super::machine::stamp;
use super::terminal::Terminal;
use super::{CHANGES, DONE};

pub fn run(global: &Global, terminal: &Terminal, args: &PlanArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    terminal.announce();
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let open = unfinished(&ledger);
        let former = ledger.outputs.clone().into_iter().collect();
        let plan = session.plan(&mut ledger, args.destroy).await?;
        terminal.problems(&session.stack.warnings, &session.stack.loaded.sources);
        if global.json {
            stream(terminal, &plan, &former);
        } else {
            let goal = if args.destroy { Goal::Nothing } else { Goal::Stack };
            terminal.print(&told(&plan, goal, &former, terminal));
        }
        terminal.problems(&open, &Sources::default());
        if args.timings {
            let counts = session.side.cloud().calls();
            terminal.say(&show::calls::text(&counts, &terminal.errors));
        }
        Ok(if args.detailed_exitcode && !plan.is_empty() { CHANGES } else { DONE })
    })
}

/// A plan as lines of JSON.
pub fn stream(terminal: &Terminal, plan: &Plan, former: &BTreeMap<String, Value>) {
    for change in event_json::planned_changes(plan, &stamp()) {
        terminal.json_line(&change);
    }
    terminal.json_line(&event_json::change_summary(plan, &stamp()));
    if let Some(outputs) = event_json::planned_outputs(plan, former, &stamp()) {
        terminal.json_line(&outputs);
    }
}

/// What an earlier run has left open; the next apply resolves it first.
fn unfinished(ledger: &Ledger) -> Vec<Problem> {
    let open = ledger.open_intents().filter_map(|(_, making)| {
        let owner = making.call.owner()?;
        let text = format!(
            "an apply was cut off while it began to {} for {}",
            making.call.words(),
            owner.address
        );
        let help = "`mlinfra apply` finds out first whether that was done; until then the plan \
                    above may show it as missing";
        Some(Problem::warning("P005", text).help(help))
    });
    open.collect()
}
