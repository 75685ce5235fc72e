//! One apply from its first record to its last: begin, execute, look again, end.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::cloud::Observed;
use crate::kinds::{KindName, Plan};
use crate::ledger::{Applied, Entry, Ledger, Site, StoreError, Who};
use crate::model::{Address, Moment};
use crate::plan::Refusal;

use super::Outcome;
use super::hands::{Hands, Trouble};

/// Plans against what the cloud shows.
pub type Planner<'a> = &'a (dyn Fn(&Observed, &Ledger) -> Result<Plan, Refusal> + Sync);

/// How an apply ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// How its steps went.
    pub outcome: Outcome,
    /// What a new plan would still do; none when the cloud could not be asked.
    pub left: Option<Plan>,
}

impl Ended {
    /// Everything was done, and the cloud shows it.
    pub fn is_converged(&self) -> bool {
        self.outcome.is_complete() && self.left.as_ref().is_some_and(Plan::is_empty)
    }
}

impl Hands<'_> {
    /// Runs a plan, looks again, and writes down how it ended.
    pub async fn run(
        &self,
        plan: &Plan,
        start: Start,
        planner: Planner<'_>,
    ) -> Result<Ended, StoreError> {
        let Start { who, names, config, targets, refresh } = start;
        let config = match config {
            Some((digest, bytes)) => {
                let kept = self.journal.lock().await.keep_config(&digest, &bytes).await?;
                kept.then_some(digest)
            }
            None => None,
        };
        let (at, steps, plan_sum) = (self.now(), plan.steps.len(), Some(digest(plan)));
        let whole = targets.is_empty();
        let site = Some(Site::of(&self.scope));
        let begin = Entry::Begin { at, who, steps, names, plan: plan_sum, config, targets, site };
        self.note(begin).await?;
        let outcome = self.execute(plan).await;
        if let Some(error) = outcome.ledger {
            return Err(error);
        }
        let (left, observed) = self.verify((&outcome, at), planner).await;
        let text = match (&left, outcome.is_complete()) {
            // Nothing was to be changed: whether the configuration holds was not asked.
            (Some(_), true) if refresh => "refreshed",
            (Some(plan), true) if plan.is_empty() && whole => "converged",
            // Of the rest nothing is known.
            (Some(plan), true) if plan.is_empty() => "targeted",
            (_, true) => "applied, with changes left",
            (_, false) if outcome.failed.is_empty() => "interrupted",
            (_, false) => "failed",
        };
        let outputs = left.as_ref().map(outputs).unwrap_or_default();
        let mut journal = self.journal.lock().await;
        let end = Entry::End { at: self.now(), outcome: text.to_owned(), outputs };
        journal.append(end).await?;
        if let Some(observed) = observed {
            let applied = Applied::of(journal.ledger.total, self.now(), observed);
            journal.keep_applied(&applied).await?;
        }
        journal.finish(self.now()).await?;
        drop(journal);
        Ok(Ended { outcome, left })
    }

    /// Looks until a new plan is empty. After a failure or an interrupt one look is
    /// enough: it is known that something is left.
    async fn verify(
        &self,
        (outcome, began): (&Outcome, Moment),
        planner: Planner<'_>,
    ) -> (Option<Plan>, Option<Observed>) {
        let begun = Instant::now();
        let mut pause = Duration::from_secs(1);
        loop {
            let mut observed = if outcome.is_complete() {
                match self.until_visible().await {
                    Ok(observed) => observed,
                    Err(_) => return (None, None),
                }
            } else {
                self.look().await
            };
            // What comes due with time alone, while it was carried out, is the next one's.
            observed.at = began;
            let plan = {
                let journal = self.journal.lock().await;
                planner(&observed, &journal.ledger)
            };
            let Ok(plan) = plan else { return (None, Some(observed)) };
            if plan.is_empty() || !outcome.is_complete() || begun.elapsed() > self.patience.quiet {
                return (Some(plan), Some(observed));
            }
            if self.pause(pause).await.is_err() {
                return (Some(plan), Some(observed));
            }
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }
}

/// The checksum of a plan.
fn digest(plan: &Plan) -> String {
    let mut sum = Sum(Sha256::new());
    // A plan can always be written, and so can what takes it.
    drop(serde_json::to_writer(BufWriter::new(&mut sum), plan));
    sum.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes the checksum of what is written to it, so that a large plan needs no copy as text.
struct Sum(Sha256);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is written down when an apply begins.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Who runs it.
    pub who: Who,
    /// Names that the author chose.
    pub names: BTreeSet<(KindName, String)>,
    /// The configuration and its checksum.
    pub config: Option<(String, Vec<u8>)>,
    /// The parts of the stack that it is for; none for the whole.
    pub targets: Vec<String>,
    /// What the cloud shows is only taken over.
    pub refresh: bool,
}

/// The outputs that may be written down: known, and not sensitive.
fn outputs(plan: &Plan) -> Map<String, Value> {
    let shown = plan.outputs.iter().filter(|(_, output)| !output.sensitive);
    shown.map(|(name, output)| (name.clone(), output.value.clone())).collect()
}

/// What [`converge`] needs to know beside the hands.
pub struct Convergence<'a> {
    /// Whether an address is still declared.
    pub wanted: &'a (dyn Fn(&Address) -> bool + Sync),
    /// Plans against what the cloud shows.
    pub planner: Planner<'a>,
    /// What is written down when it begins.
    pub start: Start,
}

/// Why there was no apply.
#[derive(Clone, Debug, PartialEq)]
pub enum NoApply {
    /// Recovery did not end well.
    Trouble(Trouble),
    /// The planner said no.
    Refused(Refusal),
    /// The ledger.
    Ledger(StoreError),
}

/// Recovers, plans, applies, looks again: an apply without a question in between.
pub async fn converge(hands: &Hands<'_>, task: Convergence<'_>) -> Result<(Plan, Ended), NoApply> {
    let observed = hands.recover(task.wanted).await.map_err(NoApply::Trouble)?;
    let plan = {
        let journal = hands.journal.lock().await;
        (task.planner)(&observed, &journal.ledger).map_err(NoApply::Refused)?
    };
    let ended = hands.run(&plan, task.start, task.planner).await.map_err(NoApply::Ledger)?;
    Ok((plan, ended))
}
