//! `mlinfra show`

use std::collections::BTreeMap;
use std::path::Path;

use crate::ledger::Ledger;
use crate::show::outputs::Output;
use crate::show::plan_json::{self, Document};
use crate::show::{self, objects, state_json};

use super::args::{Global, ShowArgs};
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, connect, planfile, select};

pub fn run(global: &Global, terminal: &Terminal, args: &ShowArgs) -> Result<u8, Halt> {
    if let Some(path) = &args.plan {
        return saved(global, terminal, path);
    }
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let observed = session.observe(&mut ledger, false).await?;
        let outputs = outputs(&ledger);
        // What was read is no longer needed, and the document is as large again.
        drop((session, ledger));
        if global.json {
            terminal.json(&state_json::json(&observed, &outputs));
        } else {
            terminal.print(&objects::text(&observed, &terminal.screen));
        }
        Ok(DONE)
    })
}

/// The outputs of the last apply; of sensitive ones nothing is kept.
fn outputs(ledger: &Ledger) -> BTreeMap<String, Output> {
    let each = ledger
        .outputs
        .iter()
        .map(|(name, value)| (name.clone(), Output { value: value.clone(), sensitive: false }));
    each.collect()
}

/// A saved plan, as it was: neither the cloud nor the configuration is asked.
fn saved(global: &Global, terminal: &Terminal, path: &Path) -> Result<u8, Halt> {
    let saved = planfile::read(path)?;
    let former = saved.former.clone().into_iter().collect();
    if global.json {
        terminal.json(&plan_json::json(&Document {
            plan: &saved.plan,
            observed: &saved.observed,
            former: &former,
            variables: &saved.variables,
            created: saved.created.to_string(),
            outside: saved.outside.as_ref(),
            refresh_only: saved.selection.refresh_only,
            complete: saved.selection.is_whole(),
            cost: &saved.cost,
        }));
        return Ok(DONE);
    }
    terminal.print(&show::saved::head(&saved));
    let told = (saved.outside.as_ref(), saved.selection.refresh_only);
    super::tell::outside(terminal, global, &saved.plan, told);
    let order = super::order::Order::of(saved.destroy, saved.selection);
    terminal.print(&super::tell::text(&saved.plan, &order, &former, terminal));
    terminal.print(&super::tell::cost(&saved.plan, &order, &saved.cost, terminal));
    select::warn(terminal, &order.selection);
    Ok(DONE)
}
