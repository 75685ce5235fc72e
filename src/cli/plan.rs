//! `mlinfra plan`

use crate::ledger::Ledger;
use crate::model::{Problem, Sources};

use super::args::{Global, PlanArgs};
use super::connect;
use super::halt::Halt;
use super::order::Order;
use super::terminal::Terminal;
use super::{CHANGES, DONE, PROBLEM, planfile, select, tell};

pub fn run(global: &Global, terminal: &Terminal, args: &PlanArgs) -> Result<u8, Halt> {
    terminal.announce();
    let runtime = connect::runtime(global)?;
    let selection = select::of(&args.select)?;
    let lasts = planfile::duration("--expires", &args.expires)?;
    if let Some(path) = &args.out {
        planfile::writable(path)?;
    }
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let open = unfinished(&ledger);
        if let (Some(_), Some(first)) = (&args.out, open.first()) {
            return Err(planfile::unfinished(&first.summary));
        }
        let left = session.left_behind(&ledger).await;
        let former = ledger.outputs.clone().into_iter().collect();
        let observed = session.observe(&mut ledger, args.destroy).await?;
        let (plan, bill) = session.priced_plan(&ledger, &observed, args.destroy, &selection)?;
        terminal.problems(&session.stack.warnings, &session.stack.loaded.sources);
        let store = session.read_store()?;
        let outside = tell::find(terminal, &*store, &ledger, &observed).await?;
        let refresh_only = selection.refresh_only;
        tell::outside(terminal, global, &plan, (outside.as_ref(), refresh_only));
        tell::nodes(terminal, &observed, (&ledger, args.destroy));
        let order = Order::of(args.destroy, selection);
        tell::plan(terminal, (&plan, &bill), &order, &former);
        select::warn(terminal, &order.selection);
        let refused = order.is_judged() && session.judge(terminal, &plan, &bill);
        terminal.problems(&open, &Sources::default());
        terminal.problems(left.as_slice(), &Sources::default());
        if args.timings {
            tell::timings(terminal, session.side.cloud());
        }
        let differs = refresh_only && outside.as_ref().is_some_and(|one| !one.found.is_empty());
        // As for Terraform, whose scripts take 2 for what an apply would write down.
        let outputs = !args.destroy && tell::writes_outputs(&plan, &former);
        let changes = differs || outputs || !plan.is_empty();
        let code = if args.detailed_exitcode && changes { CHANGES } else { DONE };
        if refused {
            return Ok(PROBLEM);
        }
        if let Some(path) = &args.out {
            let (destroy, selection) = (args.destroy, order.selection);
            let made = planfile::Made { observed, plan, bill, outside, destroy, selection };
            planfile::save(terminal, path, &planfile::make(&session, &ledger, made, lasts))?;
        }
        Ok(code)
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
