//! `mlinfra show`

use std::collections::BTreeMap;

use crate::ledger::Ledger;
use crate::show::outputs::Output;
use crate::show::{objects, state_json};

use super::DONE;
use super::args::{Global, VarArgs};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &VarArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, args).await?;
        let mut ledger = session.read_ledger().await?;
        let mut observed = session.side.cloud().observe(&session.scope(&ledger)).await;
        ledger.reconcile(&mut observed);
        if global.json {
            terminal.json(&state_json::json(&observed, &outputs(&ledger)));
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
