//! `mlinfra ledger`

use std::sync::Arc;

use crate::ledger::{End, Journal, Lock, Migrated, Store, migrate, verify};
use crate::model::{Clock, Moment};
use crate::show::ledger as show;

use super::args::{Global, LedgerArgs, LedgerCommand, LedgerPlace};
use super::connect::{self, Session};
use super::halt::Halt;
use super::machine::{aside, dice};
use super::store::SCOPE;
use super::terminal::Terminal;
use super::{DONE, PROBLEM, ask};

pub fn run(global: &Global, terminal: &Terminal, args: &LedgerArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let work = Work { global, terminal, session: &session };
        match &args.command {
            LedgerCommand::Show => work.show().await,
            LedgerCommand::Verify => work.verify().await,
            LedgerCommand::Unlock { yes } => work.unlock(*yes).await,
            LedgerCommand::Compact => work.compact().await,
            LedgerCommand::Migrate { from } => work.migrate(*from).await,
        }
    })
}

struct Work<'a> {
    global: &'a Global,
    terminal: &'a Terminal,
    session: &'a Session,
}

impl Work<'_> {
    async fn show(&self) -> Result<u8, Halt> {
        let store = self.session.read_store()?;
        let journal = Journal::open(&*store, "").await?;
        let lock = store.look_at_lock(SCOPE).await?;
        let place = self.session.ledger_place();
        let reach = journal.reach();
        let view = show::View { place: &place, ledger: &journal.ledger, reach, lock: &lock };
        if self.global.json {
            self.terminal.json(&show::json(&view));
        } else {
            self.terminal.print(&show::text(&view, &self.terminal.screen));
        }
        Ok(DONE)
    }

    async fn verify(&self) -> Result<u8, Halt> {
        let store = self.session.read_store()?;
        let report = verify(&*store, SCOPE).await?;
        let place = self.session.ledger_place();
        if self.global.json {
            self.terminal.json(&show::report_json(&place, &report));
        } else {
            self.terminal.print(&show::report(&place, &report, &self.terminal.screen));
        }
        Ok(if report.damage.is_empty() { DONE } else { PROBLEM })
    }

    /// Somebody who lives is never robbed: their lock is watched for a lease, as by any
    /// apply.
    async fn unlock(&self, yes: bool) -> Result<u8, Halt> {
        let store = self.session.read_store()?;
        let Some(holder) = store.look_at_lock(SCOPE).await?.holder else {
            self.terminal.print("Nobody holds the lock.\n");
            return Ok(DONE);
        };
        self.terminal.print(&format!("Held by {holder}.\n"));
        let terminal = *self.terminal;
        let question = "take the lock away, if its holder shows no sign of life";
        if !aside(move || ask::approve(&terminal, yes, question)).await.unwrap_or(Ok(false))? {
            self.terminal.say("Nothing was changed.\n");
            return Ok(PROBLEM);
        }
        let lock = store.lock(SCOPE, &self.session.holder("ledger unlock")).await?;
        lock.release().await?;
        self.terminal.print("The lock is free.\n");
        Ok(DONE)
    }

    async fn compact(&self) -> Result<u8, Halt> {
        let store = self.session.read_store()?;
        let lock = store.lock(SCOPE, &self.session.holder("ledger compact")).await?;
        let done = compact(&*store, &lock, self.session.side.now()).await;
        lock.release().await?;
        self.terminal.print(&done?);
        Ok(DONE)
    }

    async fn migrate(&self, from: LedgerPlace) -> Result<u8, Halt> {
        let session = self.session;
        let Some(bucket) = session.bucket_store() else {
            let text = "the stack has no `backend` block: there is no bucket to move to or from";
            let help = "write one first; `mlinfra ledger migrate --from s3` fetches a ledger back\n\
                        before the block is removed";
            return Err(Halt::one("K004", text, help));
        };
        let files = session.file_store()?;
        let holder = session.holder("ledger migrate");
        let file_lock = files.lock(SCOPE, &holder).await?;
        let bucket_lock = bucket.lock(SCOPE, &holder).await?;
        let (place, here) = (session.ledger_place(), session.folder_place());
        let file = End { store: &*files, lock: &file_lock, place: &here };
        let s3 = End { store: &*bucket, lock: &bucket_lock, place: &place };
        let (source, target) = match from {
            LedgerPlace::File => (&file, &s3),
            LedgerPlace::S3 => (&s3, &file),
        };
        let moved = migrate(source, target, session.side.now()).await;
        file_lock.release().await?;
        bucket_lock.release().await?;
        let (from, to) = (source.place, target.place);
        self.terminal.print(&match moved? {
            Migrated::Nothing => format!("There is no ledger in {from}: nothing to move.\n"),
            Migrated::Already => format!("The ledger was moved to {to} before.\n"),
            Migrated::Moved(serial, applies) => format!(
                "The ledger is now in {to}: state {serial}, applies: {applies}.\n\
                 What is left in {from} says so, and is not used any more.\n"
            ),
        });
        Ok(DONE)
    }
}

async fn compact(store: &dyn Store, lock: &Arc<dyn Lock>, now: Moment) -> Result<String, Halt> {
    let mut journal = Journal::write(store, &dice(), lock).await?;
    if journal.ledger.is_blank() {
        return Ok("The ledger is empty: there is nothing to fold.\n".to_owned());
    }
    journal.finish(now).await?;
    Ok(format!("The ledger is folded into state {}.\n", journal.ledger.serial))
}
