//! `mlinfra drift`

use crate::cloud::{Observed, Seen};
use crate::ledger::{Applied, Ledger};
use crate::model::{Problem, Sources, tags};
use crate::plan::drift::{Changed, Drift, drift};
use crate::plan::{Refusal, Selection};
use crate::show;
use crate::show::drift::Since;

use super::args::{Global, VarArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::terminal::Terminal;
use super::{CHANGES, DONE};

/// Objects that are looked for one by one when they are not seen as the stack's.
const LOOKS: usize = 50;

pub fn run(global: &Global, terminal: &Terminal, args: &VarArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, args).await?;
        let store = session.read_store()?;
        let mut ledger = session.read_ledger().await?;
        let Some(applied) = Applied::last(&*store).await.map_err(super::tell::broken)? else {
            return by_configuration(global, terminal, &session, &mut ledger).await;
        };
        let observed = session.observe(&mut ledger, false).await?;
        blind(&applied, &observed)?;
        let mut found = drift(&applied, &ledger, &observed);
        look(&session, &mut found).await?;
        let since = Since { number: applied.number, at: applied.at };
        let objects = applied.objects.len();
        if global.json {
            terminal.json(&show::drift::json(&found, since, objects));
        } else {
            terminal.print(&show::node_notes::text(&observed, &terminal.screen));
            let text = show::drift::text(&found, since, objects, &terminal.screen);
            terminal.print(&terminal.hinted(&text));
            terminal.problems(&unsure(&applied, &ledger), &Sources::default());
        }
        Ok(if found.is_empty() { DONE } else { CHANGES })
    })
}

/// Without a record of what was applied there is only the configuration to compare with.
async fn by_configuration(
    global: &Global,
    terminal: &Terminal,
    session: &Session,
    ledger: &mut Ledger,
) -> Result<u8, Halt> {
    let text = "the ledger does not hold what was applied: compared with the configuration";
    let help = "what was edited there and not applied yet shows here too; after the next apply\n\
                only the changes of others do";
    terminal.problems(&[Problem::warning("D001", text).help(help)], &Sources::default());
    let observed = session.observe(ledger, false).await?;
    let plan = session.plan(ledger, &observed, false, &Selection::default())?;
    if global.json {
        let former = ledger.outputs.clone().into_iter().collect();
        super::tell::stream(terminal, &plan, &former);
    } else {
        terminal.print(&show::plan::text(&plan, &terminal.screen));
    }
    Ok(if plan.is_empty() { DONE } else { CHANGES })
}

/// What cannot be seen may have changed.
fn blind(applied: &Applied, observed: &Observed) -> Result<(), Halt> {
    let stood = |kind| applied.objects.values().any(|stood| stood.spec.kind() == kind);
    let kind = observed.blind.iter().find(|(kind, _)| stood(**kind));
    if let Some((kind, why)) = kind {
        let what = format!("any {}", kind.title());
        return Err(Refusal::Blind { what, why: why.clone() }.into());
    }
    for (id, live) in &observed.live {
        if let Seen::Blind(why) = &live.seen {
            let what = format!("{} ({} {id})", live.owner.address, live.kind.title());
            return Err(Refusal::Blind { what, why: why.clone() }.into());
        }
    }
    if let Some((id, why)) = observed.unreadable.iter().next() {
        return Err(Refusal::Blind { what: id.to_string(), why: why.clone() }.into());
    }
    Ok(())
}

/// Of what is not seen as the stack's: whether it exists.
async fn look(session: &Session, found: &mut [Drift]) -> Result<(), Halt> {
    let gone = found.iter_mut().filter(|drift| drift.change == Changed::Gone);
    for drift in gone.filter(|drift| drift.kind.can_be_found()).take(LOOKS) {
        let stray = session.side.cloud().find(drift.kind, drift.id.as_str()).await?;
        if let Some(stray) = stray.filter(crate::cloud::Stray::stands) {
            let stack = stray.tags.get(tags::STACK).cloned();
            drift.change = Changed::Disowned { stack };
        }
    }
    Ok(())
}

/// Applies that did not get so far as to write down what they left.
fn unsure(applied: &Applied, ledger: &Ledger) -> Vec<Problem> {
    let later = ledger.applies.iter().filter(|apply| apply.number > applied.number);
    let problem = |apply: &crate::ledger::Apply| {
        let text = format!("apply {} was cut off: what it touched is left out here", apply.number);
        Problem::warning("D002", text).help("`mlinfra apply` goes on from there")
    };
    later.map(problem).collect()
}
