//! `mlinfra show`

use crate::show::objects;

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
            terminal.json(&objects::json(&observed));
        } else {
            terminal.print(&objects::text(&observed, &terminal.screen));
        }
        Ok(DONE)
    })
}
