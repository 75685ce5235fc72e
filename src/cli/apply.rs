//! `mlinfra apply`

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::apply::{Ended, Event, Hands, Patience};
use crate::kinds::Plan;
use crate::ledger::{FileStore, Journal, Store};
use crate::model::{Address, Problem, Sources};
use crate::show;

use super::args::{ApplyArgs, Global};
use super::connect::{self, Session};
use super::halt::Halt;
use super::live::{Live, stamp};
use super::terminal::Terminal;
use super::{DONE, INTERRUPTED, PROBLEM, ask};

pub fn run(global: &Global, terminal: &Terminal, args: &ApplyArgs) -> Result<u8, Halt> {
    go(global, terminal, args, Goal::Stack)
}

/// What is wanted in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The configuration.
    Stack,
    /// Nothing.
    Nothing,
}

impl Goal {
    fn verb(self) -> &'static str {
        match self {
            Self::Stack => "apply",
            Self::Nothing => "destroy",
        }
    }
}

/// Plans, asks, applies.
pub fn go(global: &Global, terminal: &Terminal, args: &ApplyArgs, goal: Goal) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let store = FileStore::open(&session.ledger_folder())?;
        let _lock = store.lock("stack", &session.holder(goal.verb())).await?;
        let work = Work { global, terminal, session: &session, goal };
        let stop = CancellationToken::new();
        let asked = AtomicBool::new(false);
        let code = tokio::select! {
            code = work.run(&store, args, &stop, &asked) => code?,
            () = interrupts(&stop, &asked) => {
                terminal.say("\nAborted. What was begun is written down; the next apply goes on from there.\n");
                INTERRUPTED
            }
        };
        if args.timings {
            let counts = session.side.cloud().calls();
            terminal.say(&show::calls::text(&counts, &terminal.errors));
        }
        Ok(code)
    })
}

/// The first interrupt asks the executor to stop; the second returns. While a person is
/// being asked the first one is enough.
async fn interrupts(stop: &CancellationToken, asking: &AtomicBool) {
    loop {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        if stop.is_cancelled() || asking.load(Ordering::SeqCst) {
            return;
        }
        stop.cancel();
    }
}

/// One apply or destroy.
struct Work<'a> {
    global: &'a Global,
    terminal: &'a Terminal,
    session: &'a Session,
    goal: Goal,
}

impl Work<'_> {
    async fn run(
        &self,
        store: &dyn Store,
        args: &ApplyArgs,
        stop: &CancellationToken,
        asking: &AtomicBool,
    ) -> Result<u8, Halt> {
        let (session, destroy) = (self.session, self.goal == Goal::Nothing);
        let journal = Journal::open(store, &lineage()).await?;
        let scope = session.scope(&journal.ledger);
        let names = scope.names.clone();
        let former = journal.ledger.outputs.clone().into_iter().collect();
        let slot: std::sync::Mutex<Option<Live<'_>>> = std::sync::Mutex::new(None);
        let plan;
        let listener = |event: Event| self.hear(&slot, &event);
        let hands = Hands {
            cloud: session.side.cloud(),
            scope,
            clock: &session.side,
            journal: Mutex::new(journal),
            listener: &listener,
            stop: stop.clone(),
            patience: Patience::default(),
        };
        let declared = |address: &Address| {
            let owner = address.owner();
            !destroy
                && session.stack.loaded.blocks.iter().any(|b| b.address.as_ref() == Some(&owner))
        };
        let observed = hands.recover(&declared).await?;
        let desired = session.desired(&observed, destroy).map_err(|found| session.halt(found))?;
        plan = {
            let journal = hands.journal.lock().await;
            crate::plan::plan(&desired, &journal.ledger, &observed)?
        };
        self.present(&plan, &former);
        if plan.is_empty() && !self.outputs_differ(&plan, &former) {
            return Ok(DONE);
        }
        if !plan.is_empty() {
            asking.store(true, Ordering::SeqCst);
            let what = match self.goal {
                Goal::Stack => "perform these actions",
                Goal::Nothing => "delete all of this; there is no way back",
            };
            if !ask::approve(self.terminal, args.yes, what)? {
                self.terminal.say("Nothing was changed.\n");
                return Ok(PROBLEM);
            }
            asking.store(false, Ordering::SeqCst);
        }
        let live = Live::new(self.terminal, self.global.json, &session.side, &plan);
        *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(live);
        let planner = session.planner(destroy);
        let who = session.who(self.goal.verb());
        let ended = {
            let running = hands.run(&plan, who, names, &planner);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    biased;
                    ended = &mut running => break ended?,
                    () = tokio::time::sleep(Live::BEAT), if self.terminal.live => {
                        if let Some(live) = &*slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
                            live.redraw();
                        }
                    }
                }
            }
        };
        let summary =
            slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref().map(Live::end);
        Ok(self.conclude(&plan, &ended, summary.unwrap_or_default(), stop))
    }

    /// Before there is a plan, only recovery speaks.
    fn hear(&self, slot: &std::sync::Mutex<Option<Live<'_>>>, event: &Event) {
        let slot = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*slot {
            Some(live) => live.hear(event),
            None => {
                let nothing = Plan::default();
                Live::new(self.terminal, self.global.json, &self.session.side, &nothing)
                    .hear(event);
            }
        }
    }

    fn present(&self, plan: &Plan, former: &std::collections::BTreeMap<String, serde_json::Value>) {
        let terminal = self.terminal;
        if self.global.json {
            terminal.json_line(&show::event_json::version(env!("CARGO_PKG_VERSION"), &stamp()));
            for change in show::event_json::planned_changes(plan, &stamp()) {
                terminal.json_line(&change);
            }
            terminal.json_line(&show::event_json::change_summary(plan, &stamp()));
        } else {
            terminal.problems(&self.session.stack.warnings, &self.session.stack.loaded.sources);
            terminal.print(&show::plan::text_after(plan, Some(former), &terminal.screen));
        }
    }

    fn outputs_differ(
        &self,
        plan: &Plan,
        former: &std::collections::BTreeMap<String, serde_json::Value>,
    ) -> bool {
        let shown = plan.outputs.iter().filter(|(_, output)| !output.sensitive);
        let now: std::collections::BTreeMap<_, _> =
            shown.map(|(name, output)| (name.clone(), output.value.clone())).collect();
        now != *former
    }

    /// Says how it ended. A plan that is not empty afterwards is a problem.
    fn conclude(
        &self,
        plan: &Plan,
        ended: &Ended,
        summary: String,
        stop: &CancellationToken,
    ) -> u8 {
        let terminal = self.terminal;
        if self.global.json {
            let done: Vec<usize> = ended.outcome.done.keys().copied().collect();
            terminal.json_line(&show::event_json::applied_summary(plan, &done, &stamp()));
            if let Some(left) = &ended.left {
                let outputs = super::output::of(left);
                terminal.json_line(&show::event_json::outputs(&outputs, &stamp()));
            }
        } else {
            terminal.print(&summary);
        }
        if ended.is_converged() {
            if !self.global.json {
                terminal.print("A new plan is empty: the cloud matches the configuration.\n");
                if let Some(left) = ended.left.as_ref().filter(|left| !left.outputs.is_empty()) {
                    let outputs = super::output::of(left);
                    terminal.print(&format!(
                        "\nOutputs:\n\n{}",
                        show::outputs::text(&outputs, &terminal.screen)
                    ));
                }
            }
            return DONE;
        }
        if ended.outcome.is_complete() {
            let text = "every step succeeded, and a new plan is not empty";
            let help = "somebody else may have changed something meanwhile; read the plan below and \
                        apply again";
            terminal.problems(&[Problem::error("A003", text).help(help)], &Sources::default());
            if let Some(left) = ended.left.as_ref().filter(|_| !self.global.json) {
                terminal.print(&show::plan::text(left, &terminal.screen));
            }
        }
        if stop.is_cancelled() { INTERRUPTED } else { PROBLEM }
    }
}

/// A name for a new ledger: tokens of two ledgers never meet.
#[expect(clippy::disallowed_methods, reason = "this is the room that rolls dice")]
fn lineage() -> String {
    Uuid::now_v7().to_string()
}
