//! What every step works with, and how one call is sent.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::catalog::Tables;
use crate::cloud::{Call, Class, Cloud, Failure, Left, Observed, Phase, Reply, Scope};
use crate::kinds::{KindName, StepId};
use crate::ledger::{Entry, Journal, StoreError};
use crate::model::{Clock, CloudId, Moment, Token};

use super::retry::{self, Next};
use super::{Event, Listener};

/// How long the cloud may hide what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// An intent that is not found by its tag for this long was never carried out.
    pub quiet: Duration,
    /// Nor is it found in this many reads.
    pub reads: u32,
    /// Nodes that were launched are waited for until they are ready. Whoever looks again in a
    /// few seconds anyway need not.
    pub nodes: bool,
}

impl Default for Patience {
    /// AWS speaks of "a few minutes" for EC2 to show what was made.
    fn default() -> Self {
        Self { quiet: Duration::from_secs(300), reads: 4, nodes: true }
    }
}

/// Why a step did not end well.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The cloud said no.
    Failed(Failure),
    /// The ledger could not be written: nothing more may be sent.
    Ledger(StoreError),
    /// An interrupt: the call in flight was finished, the next was not begun.
    Interrupted,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Ledger(error)
    }
}

/// A cloud, a ledger, a clock, somebody who listens, and a way to be stopped.
pub struct Hands<'a> {
    /// The cloud.
    pub cloud: &'a dyn Cloud,
    /// Whose objects, where.
    pub scope: Scope,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The ledger, open for writing.
    pub journal: Mutex<Journal<'a>>,
    /// Who is told.
    pub listener: Listener<'a>,
    /// Set by an interrupt.
    pub stop: CancellationToken,
    /// How long the cloud may hide what was done.
    pub patience: Patience,
    /// Hardware as it is known in the region: what a node that boots is held to.
    pub tables: Tables,
}

impl Hands<'_> {
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    pub(super) async fn note(&self, entry: Entry) -> Result<(), StoreError> {
        let record = self.journal.lock().await.stage(entry).await?;
        self.durable(record).await
    }

    /// Waits until a record is durable. While steps run at once, they share writes: the
    /// executor writes when none of them can go on.
    pub(super) async fn durable(&self, record: u64) -> Result<(), StoreError> {
        loop {
            let written = {
                let journal = self.journal.lock().await;
                match journal.wait_for(record)? {
                    None => return Ok(()),
                    Some(written) => written,
                }
            };
            written.await;
        }
    }

    /// Comes right before every call. It fails when somebody else may have taken over: a
    /// process that was frozen past its lease changes nothing.
    pub(super) async fn announce(&self, step: Option<StepId>, call: &Call) -> Result<(), Trouble> {
        if let Some(step) = step {
            self.tell(Event::Calling { step, what: call.words() });
        }
        Ok(self.journal.lock().await.confirm().await?)
    }

    /// Sleeps, unless an interrupt comes.
    pub(super) async fn pause(&self, time: Duration) -> Result<(), Trouble> {
        tokio::select! {
            () = sleep(time) => Ok(()),
            () = self.stop.cancelled() => Err(Trouble::Interrupted),
        }
    }

    /// What the cloud shows, without what we know to be deleted.
    pub async fn look(&self) -> Observed {
        let mut observed = self.cloud.observe(&self.scope).await;
        observed.at = self.now();
        self.journal.lock().await.ledger.reconcile(&mut observed);
        observed
    }

    /// Finds what an intent has made by the tag that it put on it.
    pub(super) async fn find(&self, token: &Token) -> Vec<CloudId> {
        let observed = self.cloud.observe(&self.scope).await;
        let ours = observed.live.into_iter().filter(|(_, live)| live.owner.token == *token);
        ours.map(|(id, _)| id).collect()
    }

    /// Sends one call once. What is logged is listed here, so that nothing else can leak.
    pub(super) async fn act(&self, call: &Call, attempt: u32) -> Result<Reply, Failure> {
        let answer = self.cloud.act(call).await;
        let call = call.words();
        match &answer {
            Ok(reply) => tracing::info!(call, attempt, made = reply.ids.len(), "done"),
            Err(Failure { api, code, request, class, left: _, text: _ }) => {
                tracing::warn!(call, attempt, api, code, request, ?class, "failed");
            }
        }
        answer
    }

    /// Sends a call that makes nothing, again and again while that can help. For these
    /// calls a repeat is harmless, so a lost answer is answered by sending it again.
    pub(super) async fn send(&self, step: StepId, call: &Call) -> Result<Reply, Trouble> {
        self.send_with(step, call, &[]).await
    }

    /// The same; while something still uses the object, the calls that make it let go are
    /// sent again too: one of them may have been told that there was nothing to let go of,
    /// by a cloud that did not know yet.
    pub(super) async fn send_with(
        &self,
        step: StepId,
        call: &Call,
        again: &[Call],
    ) -> Result<Reply, Trouble> {
        let begun = Instant::now();
        let mut failures = 0;
        loop {
            if self.stop.is_cancelled() {
                return Err(Trouble::Interrupted);
            }
            self.announce(Some(step), call).await?;
            let failure = match self.act(call, failures + 1).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            failures += 1;
            let in_use = failure.class == Class::InUse;
            self.pause_after(Some(step), failure, failures, begun).await?;
            for call in again.iter().filter(|_| in_use) {
                // What it says does not matter: the call itself tells whether it helped.
                let _ = self.act(call, failures + 1).await;
            }
        }
    }

    /// Pauses before the same call is sent again, or passes the failure on.
    pub(super) async fn pause_after(
        &self,
        step: Option<StepId>,
        failure: Failure,
        failures: u32,
        begun: Instant,
    ) -> Result<(), Trouble> {
        match retry::next(failure.class, failures, begun.elapsed()) {
            Next::GiveUp => Err(Trouble::Failed(failure)),
            Next::After(time) => {
                if let Some(step) = step {
                    self.tell(Event::Waiting { step, what: reason(&failure) });
                }
                self.pause(time).await
            }
        }
    }

    /// Waits until an object is ready for use.
    pub(super) async fn ready(
        &self,
        step: StepId,
        kind: KindName,
        id: &CloudId,
    ) -> Result<(), Trouble> {
        let limit = Duration::from_secs(kind.traits().ready_within.into());
        let begun = Instant::now();
        let mut wait = Duration::from_secs(1);
        loop {
            let phase = self.cloud.phase(kind, id).await;
            let (class, text) = match phase {
                Ok(Phase::Ready) => return Ok(()),
                Ok(Phase::Failed(text)) => {
                    let failure =
                        Failure::new(Class::Unknown, Left::Something, kind.word(), "Failed", text);
                    return Err(Trouble::Failed(failure));
                }
                // Not visible yet, or a passing refusal to say.
                Ok(Phase::Pending | Phase::Gone) => (Class::Settling, String::new()),
                Ok(Phase::Leaving) => (Class::Unknown, "it is being deleted again".to_owned()),
                Err(failure) if failure.class.may_pass() => (Class::Settling, failure.to_string()),
                Err(failure) if failure.class == Class::Gone => (Class::Settling, String::new()),
                // Only the question was refused: what it was asked about stands.
                Err(failure) => {
                    return Err(Trouble::Failed(Failure { left: Left::Something, ..failure }));
                }
            };
            if class != Class::Settling || begun.elapsed() >= limit {
                let text = format!("not ready within {} s {text}", limit.as_secs());
                let failure =
                    Failure::new(class, Left::Something, kind.word(), "NotReady", text.trim());
                return Err(Trouble::Failed(failure));
            }
            let what = format!("waiting for {} {} to become ready", kind.title(), id.short());
            self.tell(Event::Waiting { step, what });
            self.pause(wait).await?;
            wait = (wait * 2).min(Duration::from_secs(15));
        }
    }

    /// Waits while an object is on its way out; whether it is.
    pub(super) async fn gone(
        &self,
        step: StepId,
        kind: KindName,
        id: &CloudId,
    ) -> Result<bool, Trouble> {
        let begun = Instant::now();
        let mut wait = Duration::from_secs(1);
        loop {
            match self.cloud.phase(kind, id).await {
                Ok(Phase::Leaving) if begun.elapsed() < Duration::from_secs(1200) => {}
                // A list that lags may still show it whole: what depends on its end finds
                // out by itself.
                Ok(Phase::Pending | Phase::Ready) if begun.elapsed() < Duration::from_secs(15) => {}
                Ok(Phase::Pending | Phase::Ready) => return Ok(false),
                Ok(_) | Err(_) => return Ok(true),
            }
            let what = format!("waiting for {} {} to be gone", kind.title(), id.short());
            self.tell(Event::Waiting { step, what });
            self.pause(wait).await?;
            wait = (wait * 2).min(Duration::from_secs(15));
        }
    }
}

/// Why a step waits, in plain words.
fn reason(failure: &Failure) -> String {
    match failure.class {
        Class::Throttled => {
            format!(
                "throttled: AWS asks for fewer calls of {}, tried again in a moment",
                failure.api
            )
        }
        Class::Unavailable => format!("waiting for {} to answer again", failure.api),
        Class::Settling | Class::Gone => {
            format!("waiting for what was just made to be known everywhere ({})", failure.code)
        }
        Class::InUse => format!("waiting for what still uses it to let go ({})", failure.code),
        Class::Capacity
        | Class::Quota
        | Class::Denied
        | Class::Expired
        | Class::Exists
        | Class::Mismatch
        | Class::Invalid
        | Class::Unknown => failure.to_string(),
    }
}
