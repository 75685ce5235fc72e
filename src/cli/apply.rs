//! `mlinfra apply`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::apply::{Ended, Event, Hands, Patience, Start};
use crate::kinds::Plan;
use crate::ledger::{Journal, Lock, Store};
use crate::model::{Address, Problem, Sources};
use crate::plan::cost::Bill;
use crate::policy;
use crate::show::{self, event_json};

use super::args::{ApplyArgs, Global, RunArgs};
use super::closing::Closing;
use super::connect::{self, Session};
use super::fleet_lock::FleetLocks;
use super::halt::Halt;
use super::live::Live;
use super::machine::{aside, dice, stamp};
use super::order::{Goal, Order};
use super::store::SCOPE;
use super::terminal::Terminal;
use super::{DONE, INTERRUPTED, PROBLEM, advise, ask, planfile, select, site, tell};

pub fn run(global: &Global, terminal: &Terminal, args: &ApplyArgs) -> Result<u8, Halt> {
    terminal.announce();
    let mut order = match &args.plan {
        Some(path) => Order::saved(planfile::read(path)?),
        None => Order::apply(select::of(&args.select)?),
    };
    order.retry = args.retry;
    go(global, terminal, &args.run, &order)
}

/// Plans, asks, applies.
pub fn go(global: &Global, terminal: &Terminal, args: &RunArgs, order: &Order) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = order.session(global, args).await?;
        let store = session.store()?;
        let lock = store.lock(SCOPE, &session.holder(&order.verb())).await?;
        let verb = order.verb();
        let mut fleets = match order.goal {
            Goal::Nothing => FleetLocks::all(&session, terminal, &verb).await?,
            Goal::Stack | Goal::Adopt | Goal::Forget | Goal::Rollback => FleetLocks::default(),
        };
        let work = Work { global, terminal, session: &session, order };
        let stop = CancellationToken::new();
        let asked = AtomicBool::new(false);
        let code = tokio::select! {
            code = work.run((&*store, &lock, &mut fleets), args, &stop, &asked) => code,
            () = interrupts(terminal, &stop, &asked) => {
                // What was on its way may still arrive.
                lock.taint();
                terminal.say(
                    "\nAborted. What was begun is written down;\nthe next apply goes on from there.\n",
                );
                Ok(INTERRUPTED)
            }
        };
        // Who waits for it would only wait longer; what went wrong before matters more.
        fleets.release().await;
        let released = lock.release().await;
        let code = code?;
        released?;
        if args.timings {
            tell::timings(terminal, session.side.cloud());
        }
        Ok(code)
    })
}

/// The first interrupt asks the executor to stop; the second returns. While a person is
/// being asked the first one is enough.
async fn interrupts(terminal: &Terminal, stop: &CancellationToken, asking: &AtomicBool) {
    loop {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        if stop.is_cancelled() || asking.load(Ordering::SeqCst) {
            return;
        }
        // At once: calls in flight may take a while, and silence looks like being ignored.
        terminal.say(
            "\nInterrupted: calls in flight are finished first.\nInterrupt again to end at once.\n",
        );
        stop.cancel();
    }
}

/// What comes of planning.
struct Planned {
    plan: Plan,
    bill: Bill,
    /// What stands is to be written down as what the last apply left, although there is nothing
    /// to do.
    renew: bool,
    /// What is to be said about it.
    notes: Vec<Problem>,
}

/// One apply or destroy.
struct Work<'a> {
    global: &'a Global,
    terminal: &'a Terminal,
    session: &'a Session,
    order: &'a Order,
}

impl Work<'_> {
    async fn run(
        &self,
        (store, lock, fleets): (&dyn Store, &Arc<dyn Lock>, &mut FleetLocks),
        args: &RunArgs,
        stop: &CancellationToken,
        asking: &AtomicBool,
    ) -> Result<u8, Halt> {
        let session = self.session;
        let Order { goal, selection, saved, .. } = self.order;
        let journal = Journal::write(store, &dice(), lock).await?;
        session.nothing_left_behind(&journal.ledger).await?;
        session.stands_here(store, &journal.ledger).await?;
        if let Some(saved) = saved {
            planfile::same_ledger(saved, &journal.ledger)?;
        }
        let scope = session.scope(&journal.ledger);
        let former = journal.ledger.outputs.clone().into_iter().collect();
        let (tell, mut events) = unbounded_channel();
        // The listener outlives nobody who listens.
        let listener = |event: Event| drop(tell.send(event));
        let hands = Hands {
            cloud: session.side.cloud(),
            scope: scope.clone(),
            clock: &session.side,
            journal: tokio::sync::Mutex::new(journal),
            listener: &listener,
            stop: stop.clone(),
            patience: Patience::default(),
            tables: session.tables.clone(),
        };
        let Planned { plan, bill, renew, notes } = self.plan(store, &hands, &mut events).await?;
        if self.present((&plan, &bill), &former, &notes) {
            return Ok(PROBLEM);
        }
        if renew && plan.is_empty() && !selection.refresh_only {
            self.terminal.say(self.order.renews());
        }
        let outputs = session.hand.is_none() && tell::outputs_differ(&plan, &former);
        if plan.is_empty() && !outputs && !renew {
            return Ok(DONE);
        }
        if !plan.is_empty() && saved.is_none() && !self.approved(args.yes, asking).await? {
            self.terminal.say("Nothing was changed.\n");
            return Ok(PROBLEM);
        }
        fleets.of(&plan, session, self.terminal, &self.order.verb()).await?;
        let mut live = Live::new(self.terminal, self.global.json, &session.side, &plan);
        let cost = Mutex::default();
        let planner = session.planner(*goal == Goal::Nothing, selection.afterwards(), &cost);
        let targets = selection.targets.iter().map(ToString::to_string).collect();
        let refresh = selection.refresh_only;
        let start = Start { targets, refresh, ..session.start(&self.order.verb(), scope.names) };
        let running = hands.run(&plan, start, &planner);
        let ended = live.attend(running, &mut events).await?;
        let summary = live.end();
        let cost = cost.lock().map(|cost| cost.clone()).unwrap_or_default();
        Ok(self.conclude((&plan, &ended), &summary, &cost, stop))
    }

    /// Whether a person wants it.
    async fn approved(&self, yes: bool, asking: &AtomicBool) -> Result<bool, Halt> {
        asking.store(true, Ordering::SeqCst);
        let (terminal, question) = (*self.terminal, self.order.goal.question());
        // Meanwhile the lock stays alive, however long the person thinks.
        let answer = aside(move || ask::approve(&terminal, yes, question)).await;
        let answer = answer.unwrap_or(Ok(false))?;
        asking.store(!answer, Ordering::SeqCst);
        Ok(answer)
    }

    /// Ties up the loose ends of earlier runs, then plans.
    async fn plan(
        &self,
        store: &dyn Store,
        hands: &Hands<'_>,
        events: &mut UnboundedReceiver<Event>,
    ) -> Result<Planned, Halt> {
        let Order { goal, selection, saved, .. } = self.order;
        let (session, destroy) = (self.session, *goal == Goal::Nothing);
        let declared: BTreeSet<&Address> =
            session.stack.loaded.blocks.iter().filter_map(|block| block.address.as_ref()).collect();
        let wanted = |address: &Address| !destroy && declared.contains(&address.owner());
        let nothing = Plan::default();
        if self.order.retry {
            hands.retry().await?;
        }
        let mut live = Live::new(self.terminal, self.global.json, &session.side, &nothing);
        let mut observed = live.attend(hands.recover(&wanted), events).await?;
        live.end();
        session.seek(&mut observed, destroy).await?;
        let journal = hands.journal.lock().await;
        if let Some(saved) = saved {
            planfile::same_world(saved, &observed)?;
        }
        let (plan, bill) = session.priced_plan(&journal.ledger, &observed, destroy, selection)?;
        if let Some(saved) = saved {
            planfile::same_steps(saved, &plan)?;
        }
        let Some(hand) = &session.hand else {
            let ledger = &journal.ledger;
            let outside = tell::find(self.terminal, store, ledger, &observed).await?;
            let told = (outside.as_ref(), selection.refresh_only);
            tell::outside(self.terminal, self.global, &plan, told);
            tell::nodes(self.terminal, &observed);
            let nothing = destroy && selection.targets.is_empty() && plan.is_empty();
            let renew = match outside {
                Some(_) | None if nothing => site::is_to_be_closed(store, ledger).await,
                // It is lost or damaged, and what stands is known to be as it should.
                None => !destroy && selection.targets.is_empty() && plan.unchanged > 0,
                Some(outside) => selection.refresh_only && !outside.found.is_empty(),
            };
            let seen = (&plan, ledger, &observed);
            let (mut notes, advice) = advise::beside(session, seen, destroy).await;
            notes.extend(advice);
            return Ok(Planned { plan, bill, renew, notes });
        };
        let rest = hand.rest(&plan);
        if !rest.is_empty() && !self.global.json {
            self.terminal.print("What apply will change of it then:\n\n");
            self.terminal.print(&show::plan::text(&rest, &self.terminal.screen));
            self.terminal.print("\n");
        }
        Ok(Planned { plan: hand.part(plan), bill, renew: false, notes: Vec::new() })
    }

    /// Shows what is to be done, and what is to be said against it. True when it may not be done.
    fn present(
        &self,
        (plan, bill): (&Plan, &Bill),
        former: &BTreeMap<String, serde_json::Value>,
        notes: &[Problem],
    ) -> bool {
        let (terminal, session) = (self.terminal, self.session);
        tell::plan(terminal, (plan, bill), self.order, former);
        if self.order.goal == Goal::Rollback && !self.global.json {
            terminal.print(&show::history::lost(plan, &terminal.screen));
        }
        let judged = self.order.is_judged();
        let verdict = if judged { session.judge(plan, bill) } else { Vec::new() };
        let sources = &session.stack.loaded.sources;
        Closing::default()
            .with(&session.stack.warnings, sources)
            .with(notes, sources)
            .with(&select::part(&self.order.selection), sources)
            .with(&verdict, sources)
            .tell(terminal);
        policy::refuses(&verdict)
    }

    /// Says how it ended. A plan that is not empty afterwards is a problem.
    fn conclude(
        &self,
        (plan, ended): (&Plan, &Ended),
        summary: &str,
        cost: &Bill,
        stop: &CancellationToken,
    ) -> u8 {
        let terminal = self.terminal;
        if self.global.json {
            let done: Vec<usize> = ended.outcome.done.keys().copied().collect();
            terminal.json_line(&event_json::applied_summary(plan, &done, &stamp()));
            if ended.is_converged() && self.order.is_about_all() {
                terminal.json_line(&event_json::cost(cost, &stamp()));
            }
            if let Some(left) = &ended.left {
                let outputs = super::output::of(left);
                terminal.json_line(&event_json::outputs(&outputs, &stamp()));
            }
        } else {
            terminal.print(summary);
        }
        if ended.is_converged() {
            if !self.global.json {
                if self.order.is_about_all() {
                    terminal.print(&show::cost::from_now_on(cost, &terminal.screen));
                }
                terminal.print(&self.order.done());
                let shown = |left: &&Plan| !left.outputs.is_empty() && self.session.hand.is_none();
                if let Some(left) = ended.left.as_ref().filter(shown) {
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
