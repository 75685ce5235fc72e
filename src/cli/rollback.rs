//! `mlinfra rollback`

use crate::lang::Snapshot;
use crate::ledger::{Apply, Store};
use crate::show;

use super::apply;
use super::args::{Global, RollbackArgs};
use super::halt::Halt;
use super::order::{Order, Written};
use super::terminal::Terminal;
use super::{connect, history};

pub fn run(global: &Global, terminal: &Terminal, args: &RollbackArgs) -> Result<u8, Halt> {
    let number = args.number;
    let read = async {
        let session = connect::session_to_ledger(global, &args.run.vars).await?;
        let store = session.read_store()?;
        let ledger = super::store::ledger_in(&*store).await?;
        let apply = history::find(&*store, &ledger, number).await?;
        refuse(&apply, args.force)?;
        let snapshot = snapshot(&*store, &apply).await?;
        Ok::<_, Halt>((session.stack.config, snapshot))
    };
    let (config, snapshot) = connect::runtime(global)?.block_on(read)?;
    let order =
        Order::rollback(Written { number, snapshot, stack: config.stack, backend: config.backend });
    apply::go(global, terminal, &args.run, &order)
}

/// Not every apply can be gone back to.
fn refuse(apply: &Apply, force: bool) -> Result<(), Halt> {
    let Apply { number, who, .. } = apply;
    if who.verb == "destroy" {
        let text = format!("apply {number} destroyed the stack");
        return Err(Halt::one("H002", text, "`mlinfra destroy` does that again"));
    }
    let outcome = show::history::outcome(apply);
    if !apply.targets.is_empty() && !force {
        let text = format!("apply {number} was for a part only: {}", apply.targets.join(", "));
        let help = "go back to one of the whole stack; with --force the configuration of this one\n\
                    is planned as a whole";
        return Err(Halt::one("H002", text, help));
    }
    if outcome == "refreshed" && !force {
        let text = format!("apply {number} changed nothing in the cloud: it was a refresh");
        let help = "go back to the apply before it; with --force the configuration of this one\n\
                    is planned as a whole";
        return Err(Halt::one("H002", text, help));
    }
    if outcome != "converged" && !force {
        let text = format!("apply {number} did not get to its end: {outcome}");
        let help = "go back to one that converged; with --force the configuration of this one\n\
                    is planned as a whole";
        return Err(Halt::one("H002", text, help));
    }
    Ok(())
}

async fn snapshot(store: &dyn Store, apply: &Apply) -> Result<Snapshot, Halt> {
    let number = apply.number;
    let gone = |why: &str| {
        let text = format!("the configuration of apply {number} cannot be had: {why}");
        let commit = apply.who.commit.as_ref();
        let help = match commit.map(|commit| commit.trim_end_matches('+')) {
            Some(commit) => {
                format!("it was made from git commit {commit}: check that out and apply")
            }
            None => "apply an older configuration from your own records".to_owned(),
        };
        Halt::one("H003", text, help)
    };
    let Some(digest) = &apply.config else { return Err(gone("it was not kept")) };
    let Some(bytes) = crate::ledger::history::config(store, digest).await? else {
        return Err(gone("it is no longer in the ledger"));
    };
    let snapshot: Snapshot = serde_json::from_slice(&bytes)
        .map_err(|error| gone(&format!("it is damaged ({error})")))?;
    if snapshot.digest() != *digest {
        return Err(gone("it was changed"));
    }
    Ok(snapshot)
}
