//! `mlinfra history`

use crate::ledger::{Apply, Ledger, Store, StoreError, history};
use crate::show;

use super::DONE;
use super::args::{Global, HistoryArgs, HistoryCommand};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &HistoryArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session_to_ledger(global, &args.vars).await?;
        let store = session.read_store()?;
        let ledger = super::store::ledger_in(&*store).await?;
        match &args.command {
            None => {
                let applies = history::all(&*store, &ledger).await?;
                if global.json {
                    terminal.json(&show::history::json(&applies));
                } else {
                    terminal.print(&show::history::table(&applies, &terminal.screen));
                }
            }
            Some(HistoryCommand::Show { number }) => {
                let apply = find(&*store, &ledger, *number).await?;
                if global.json {
                    terminal.json(&show::history::one(&apply));
                } else {
                    terminal.print(&show::history::text(&apply, &terminal.screen));
                }
            }
            Some(HistoryCommand::Verify) => {
                let number = history::verify(&*store, &ledger).await.map_err(broken)?;
                let text = format!("The chain is whole: {number} applies, none changed.\n");
                terminal.print(&text);
            }
        }
        Ok(DONE)
    })
}

/// A broken chain says nothing about the cloud.
fn broken(error: StoreError) -> Halt {
    if let StoreError::Corrupt { place, problem } = &error {
        let help = "plans and applies do not read the history; bring the record back from a\n\
                    copy of the ledger, or find out who has changed it";
        return Halt::one("H006", format!("{place}: {problem}"), help);
    }
    error.into()
}

/// One apply, also when it has no record of its own yet.
pub async fn find(store: &dyn Store, ledger: &Ledger, number: u64) -> Result<Apply, Halt> {
    if let Some((kept, _)) = history::record(store, number).await? {
        return Ok(kept.apply);
    }
    let open = ledger.applies.iter().find(|apply| apply.number == number);
    open.cloned().ok_or_else(|| {
        let help = "`mlinfra history` lists those that there are";
        Halt::one("H001", format!("there was no apply {number}"), help)
    })
}
