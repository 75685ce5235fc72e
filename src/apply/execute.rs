//! Running a plan: as many steps at once as their links allow.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tracing::Instrument;

use crate::cloud::{Class, Failure};
use crate::kinds::{Action, Plan, Step, StepId};
use crate::ledger::{Entry, StoreError};
use crate::model::{Address, CloudId};

use super::Event;
use super::hands::{Hands, Trouble};

/// Steps that run at once. AWS's own limits are kept by the adapter.
const AT_ONCE: usize = 16;

/// How a plan went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Steps that succeeded, and what they made or concerned.
    pub done: BTreeMap<StepId, Vec<CloudId>>,
    /// Steps that failed.
    pub failed: BTreeMap<StepId, Failure>,
    /// Steps that were not begun, and the one that failed before them.
    pub skipped: BTreeMap<StepId, StepId>,
    /// Steps that an interrupt kept from being begun or finished.
    pub interrupted: Vec<StepId>,
    /// The ledger could not be written.
    pub ledger: Option<StoreError>,
}

impl Outcome {
    /// Everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.skipped.is_empty()
            && self.interrupted.is_empty()
            && self.ledger.is_none()
    }

    fn ended(&self, step: StepId) -> bool {
        self.done.contains_key(&step)
            || self.failed.contains_key(&step)
            || self.skipped.contains_key(&step)
    }
}

/// A step, when it began, and how it ended.
type Ended = (StepId, Instant, Result<Vec<CloudId>, Trouble>);
type Running<'f> = Pin<Box<dyn Future<Output = Ended> + Send + 'f>>;

impl Hands<'_> {
    /// Runs a plan. Other branches go on when one fails.
    pub async fn execute(&self, plan: &Plan) -> Outcome {
        let mut outcome = Outcome::default();
        let made: Mutex<BTreeMap<Address, CloudId>> = Mutex::default();
        let ids = |address: &Address| {
            made.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
        };
        let nodes: Mutex<BTreeMap<Address, Vec<CloudId>>> = Mutex::default();
        let launched = |address: &Address| {
            let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
            nodes.get(address).cloned().unwrap_or_default()
        };
        let mut board = Board::new(plan);
        if let Err(error) = self.journal.lock().await.share(true).await {
            outcome.ledger = Some(error);
        }
        let mut running: FuturesUnordered<Running<'_>> = FuturesUnordered::new();
        let mut told = false;
        loop {
            while running.len() < AT_ONCE && !self.must_stop(&outcome) {
                let Some(at) = board.take() else { break };
                self.tell(Event::Started { step: at });
                let (ids, launched) = (&ids, &launched);
                let step = &plan.steps[at];
                let span =
                    tracing::info_span!("step", address = %step.address, verb = step.action.verb());
                let work = async move {
                    let begun = Instant::now();
                    (at, begun, self.carry_out(at, step, (ids, launched)).await)
                };
                running.push(Box::pin(work.instrument(span)));
            }
            if self.stop.is_cancelled() && !told {
                self.tell(Event::Stopping);
                told = true;
            }
            let Some((at, begun, result)) = self.next(&mut running, &mut outcome).await else {
                break;
            };
            if let Ok(found) = &result {
                known(&plan.steps[at], found, (&made, &nodes));
            }
            if let Err(error) = self.close(plan, (at, begun), &result).await {
                outcome.ledger = Some(error);
            }
            self.settle(at, begun, result, &mut outcome, &mut board);
        }
        if let Err(error) = self.journal.lock().await.share(false).await {
            outcome.ledger = Some(error);
        }
        let left = (0..plan.steps.len()).filter(|step| !outcome.ended(*step));
        outcome.interrupted = left.collect();
        outcome
    }

    /// The next step that ends. When none of them can go on, what they want to have written
    /// down is written, all of it at once.
    async fn next(
        &self,
        running: &mut FuturesUnordered<Running<'_>>,
        outcome: &mut Outcome,
    ) -> Option<Ended> {
        loop {
            let ended = poll_fn(|context| match running.poll_next_unpin(context) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                // Whoever holds the journal is one of them, and will be heard of again.
                Poll::Pending if self.journal.try_lock().is_ok_and(|j| j.is_behind()) => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            });
            if let Some(ended) = ended.await {
                return ended;
            }
            if let Err(error) = self.journal.lock().await.flush().await {
                outcome.ledger = Some(error);
            }
        }
    }

    fn must_stop(&self, outcome: &Outcome) -> bool {
        let expired = |failure: &Failure| failure.class == Class::Expired;
        self.stop.is_cancelled() || outcome.ledger.is_some() || outcome.failed.values().any(expired)
    }

    /// Writes down how a step ended.
    async fn close(
        &self,
        plan: &Plan,
        (at, begun): (StepId, Instant),
        result: &Result<Vec<CloudId>, Trouble>,
    ) -> Result<(), StoreError> {
        let step = &plan.steps[at];
        let (ids, failure) = match result {
            Ok(ids) => (ids.clone(), None),
            Err(Trouble::Failed(failure)) => (Vec::new(), Some(failure.clone())),
            Err(Trouble::Ledger(_) | Trouble::Interrupted) => return Ok(()),
        };
        let (at, address) = (self.now(), step.address.clone());
        let verb = step.action.verb().to_owned();
        let took = u64::try_from(begun.elapsed().as_millis()).ok();
        // What exists is known since its commit: this one waits for the next write.
        let did = Entry::Did { at, address, verb, ids, failure, took };
        self.journal.lock().await.stage(did).await?;
        Ok(())
    }

    fn settle(
        &self,
        at: StepId,
        begun: Instant,
        result: Result<Vec<CloudId>, Trouble>,
        outcome: &mut Outcome,
        board: &mut Board,
    ) {
        let took = begun.elapsed();
        match result {
            Ok(ids) => {
                self.tell(Event::Done { step: at, ids: ids.clone(), took });
                outcome.done.insert(at, ids);
                board.done(at);
            }
            Err(Trouble::Failed(failure)) => {
                self.tell(Event::Failed { step: at, failure: failure.clone(), took });
                outcome.failed.insert(at, failure);
                for step in board.beyond(at) {
                    if !outcome.ended(step) {
                        self.tell(Event::Skipped { step, because: at });
                        outcome.skipped.insert(step, at);
                    }
                }
            }
            // Without a ledger nothing more may be sent, by any step.
            Err(Trouble::Ledger(error)) => {
                outcome.ledger = Some(error);
                self.stop.cancel();
            }
            Err(Trouble::Interrupted) => {}
        }
    }
}

/// What was found at each address, by steps that run at once.
type Found<T> = Mutex<BTreeMap<Address, T>>;

/// Keeps what later steps may ask for.
fn known(step: &Step, found: &[CloudId], (made, nodes): (&Found<CloudId>, &Found<Vec<CloudId>>)) {
    if let (Action::Create { .. }, Some(id)) = (&step.action, found.first()) {
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(step.address.clone(), id.clone());
    } else if let Action::Launch { .. } = &step.action {
        let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.entry(step.address.clone()).or_default().extend(found.iter().cloned());
    }
}

/// Which steps may begin.
struct Board {
    waits_for: Vec<usize>,
    needed_by: Vec<Vec<StepId>>,
    ready: std::collections::VecDeque<StepId>,
}

impl Board {
    fn new(plan: &Plan) -> Self {
        let mut needed_by = vec![Vec::new(); plan.steps.len()];
        for (at, step) in plan.steps.iter().enumerate() {
            for need in &step.needs {
                needed_by[*need].push(at);
            }
        }
        let waits_for: Vec<usize> = plan.steps.iter().map(|step| step.needs.len()).collect();
        let ready = (0..plan.steps.len()).filter(|at| waits_for[*at] == 0).collect();
        Self { waits_for, needed_by, ready }
    }

    fn take(&mut self) -> Option<StepId> {
        self.ready.pop_front()
    }

    fn done(&mut self, step: StepId) {
        for next in std::mem::take(&mut self.needed_by[step]) {
            self.waits_for[next] -= 1;
            if self.waits_for[next] == 0 {
                self.ready.push_back(next);
            }
        }
    }

    /// Everything that cannot be done any more.
    fn beyond(&self, step: StepId) -> Vec<StepId> {
        let mut found = BTreeSet::new();
        let mut todo = self.needed_by[step].clone();
        while let Some(next) = todo.pop() {
            if found.insert(next) {
                todo.extend(&self.needed_by[next]);
            }
        }
        found.into_iter().collect()
    }
}
