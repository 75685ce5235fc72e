//! `mlinfra plan`

use crate::ledger::Ledger;
use crate::model::{Problem, Sources};
use crate::show;

use super::apply::{Goal, told};
use super::args::{Global, PlanArgs};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{CHANGES, DONE};

pub fn run(global: &Global, terminal: &Terminal, args: &PlanArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let open = unfinished(&ledger);
        let former = ledger.outputs.clone().into_iter().collect();
        let plan = session.plan(&mut ledger, args.destroy).await?;
        if global.json {
            terminal.json(&show::plan_json::json(&plan, Some(&former)));
        } else {
            terminal.problems(&session.stack.warnings, &session.stack.loaded.sources);
            let goal = if args.destroy { Goal::Nothing } else { Goal::Stack };
            terminal.print(&told(&plan, goal, &former, terminal));
            terminal.problems(&open, &Sources::default());
        }
        if args.timings {
            let counts = session.side.cloud().calls();
            terminal.say(&show::calls::text(&counts, &terminal.errors));
        }
        Ok(if args.detailed_exitcode && !plan.is_empty() { CHANGES } else { DONE })
    })
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
