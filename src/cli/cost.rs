//! `mlinfra cost`

use crate::plan::Selection;
use crate::show;

use super::DONE;
use super::args::{CostArgs, Global};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &CostArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let observed = session.observe(&mut ledger, false).await?;
        let whole = Selection::default();
        let (_, bill) = session.priced_plan(&ledger, &observed, false, &whole)?;
        if global.json {
            terminal.json(&show::cost_json::document(&bill));
        } else {
            terminal.print(&show::cost::table(&bill, &terminal.screen));
        }
        Ok(DONE)
    })
}
