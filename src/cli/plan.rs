//! `mlinfra plan`

use std::path::Path;

use crate::ledger::Ledger;
use crate::model::Problem;
use crate::plan::saved::Saved;
use crate::policy;

use super::args::{Global, PlanArgs};
use super::closing::Closing;
use super::connect;
use super::halt::Halt;
use super::order::Order;
use super::plan_args::PlanFormat;
use super::terminal::Terminal;
use super::{CHANGES, DONE, PROBLEM, advise, planfile, report, select, tell};

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
        let store = session.read_store()?;
        let outside = tell::find(terminal, &*store, &ledger, &observed).await?;
        let refresh_only = selection.refresh_only;
        let seen = (&plan, &ledger, &observed);
        let (notes, advice) = advise::beside(&session, seen, args.destroy).await;
        let order = Order::of(args.destroy, selection);
        if args.shown.format == PlanFormat::Text {
            tell::outside(terminal, global, &plan, (outside.as_ref(), refresh_only));
            tell::nodes(terminal, &observed);
            tell::plan(terminal, (&plan, &bill), &order, &former);
        }
        let verdict = if order.is_judged() { session.judge(&plan, &bill) } else { Vec::new() };
        let sources = &session.stack.loaded.sources;
        let closing = Closing::default()
            .with(&session.stack.warnings, sources)
            .with(&notes, sources)
            .with(&select::part(&order.selection), sources)
            .with(&open, sources)
            .with(left.as_slice(), sources)
            .with(&advice, sources)
            .with(&verdict, sources);
        closing.tell(terminal);
        if args.timings {
            tell::timings(terminal, session.side.cloud());
        }
        let differs = refresh_only && outside.as_ref().is_some_and(|one| !one.found.is_empty());
        // As for Terraform, whose scripts take 2 for what an apply would write down.
        let outputs = !args.destroy && tell::writes_outputs(&plan, &former);
        let changes = differs || outputs || !plan.is_empty();
        let code = if args.detailed_exitcode && changes { CHANGES } else { DONE };
        let (destroy, selection) = (args.destroy, order.selection);
        let made = planfile::Made { observed, plan, bill, outside, destroy, selection };
        let refused = policy::refuses(&verdict);
        let file = args.out.as_deref().filter(|_| !refused);
        let simulated = session.world.is_some();
        hand_out(terminal, args, &closing, (file, simulated), || {
            planfile::make(&session, &ledger, made, lasts)
        })?;
        Ok(if refused { PROBLEM } else { code })
    })
}

/// Prints the plan for other readers, and saves it, where either is wanted.
fn hand_out(
    terminal: &Terminal,
    args: &PlanArgs,
    closing: &Closing,
    (file, simulated): (Option<&Path>, bool),
    saved: impl FnOnce() -> Saved,
) -> Result<(), Halt> {
    if file.is_none() && args.shown.format == PlanFormat::Text {
        return Ok(());
    }
    let saved = saved();
    report::print(terminal, (&saved, file, simulated), args.shown.format, closing);
    let Some(path) = file else { return Ok(()) };
    let mut hint = planfile::save(path, &saved)?;
    if terminal.sandbox {
        hint = format!("{} --sandbox\n", hint.trim_end());
    }
    match (terminal.json, args.shown.format) {
        (true, _) => {}
        (false, PlanFormat::Text) => terminal.print(&hint),
        // Standard output is the document, and nothing else.
        (false, _) => terminal.say(&hint),
    }
    Ok(())
}

/// What an earlier run has left open; the next apply resolves it first.
pub fn unfinished(ledger: &Ledger) -> Vec<Problem> {
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
