//! Making something so that it exists exactly once, whatever dies when.
//!
//! The intent is durable before the call is sent; the ids are durable before anything
//! is read. In between, an answer may be lost. What then tells whether the call was
//! carried out depends on the call: its client token, its unique name, or the tag that
//! it puts on what it makes.

use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{Call, Class, Failure, Owner};
use crate::kinds::{Idempotence, StepId};
use crate::ledger::Entry;
use crate::model::{CloudId, Moment, Token};

use super::Event;
use super::hands::{Hands, Trouble};

/// Where only the tag tells, each lost answer costs a quiet period: after so many the
/// next run goes on.
const UNANSWERED: u32 = 4;

/// How sure we are that an intent was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// It was never sent.
    Never,
    /// It may have been carried out.
    Perhaps,
}

/// How a call has fared so far.
struct Tries {
    /// Until when it may have been carried out: where the quiet period begins.
    since: Moment,
    sent: Sent,
    begun: Instant,
    failures: u32,
    /// Answers that were lost.
    unanswered: u32,
}

impl Tries {
    /// It may have been carried out at any time until now: the quiet period begins here,
    /// whenever the intent was written.
    fn lost(&mut self, now: Moment) {
        self.sent = Sent::Perhaps;
        self.unanswered += 1;
        self.since = now;
    }

    /// Nothing was made, for certain, and nothing can be on its way: the intent is closed.
    /// Otherwise it stays open, and the next run resolves it. (A replayed token speaks for
    /// the first call too; a tag was looked for just before.)
    fn is_certain(&self, failure: &Failure, idempotence: Idempotence) -> bool {
        failure.is_definitive()
            && (self.sent == Sent::Never
                || idempotence != Idempotence::Name
                || failure.class == Class::Exists)
    }
}

/// What is to become of an open intent of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It is carried out.
    Yes,
    /// It is found and left to the planner, or dropped.
    No,
}

impl Hands<'_> {
    /// Makes something. The call's owner gets its token here.
    pub(super) async fn make(
        &self,
        step: StepId,
        build: impl FnOnce(Token) -> Call,
        owner: (&crate::model::Address, u32, u32),
    ) -> Result<Vec<CloudId>, Trouble> {
        if self.stop.is_cancelled() {
            return Err(Trouble::Interrupted);
        }
        let (address, generation, attempt) = owner;
        let at = self.now();
        let (call, record) = {
            let mut journal = self.journal.lock().await;
            journal.confirm().await?;
            let call = build(journal.mint(address, generation, attempt));
            let record = journal.stage(Entry::Intent { at, attempt, call: call.clone() }).await?;
            (call, record)
        };
        self.durable(record).await?;
        self.pursue(Some(step), &call, at, Sent::Never).await
    }

    /// Resolves an open intent of an earlier run.
    pub(super) async fn resolve(
        &self,
        call: &Call,
        since: Moment,
        wanted: Wanted,
    ) -> Result<Vec<CloudId>, Trouble> {
        match wanted {
            Wanted::Yes => self.pursue(None, call, since, Sent::Perhaps).await,
            Wanted::No => {
                let Some(owner) = call.owner() else { return Ok(Vec::new()) };
                let found = self.await_visible(owner, since, self.patience.quiet).await?;
                if found.is_empty() {
                    let failure = Failure::new(
                        Class::Gone,
                        crate::cloud::Left::Nothing,
                        &call.words(),
                        "NeverCarriedOut",
                        "",
                    );
                    self.refuse(owner, failure).await?;
                    Ok(Vec::new())
                } else {
                    self.commit(owner, found).await
                }
            }
        }
    }

    async fn pursue(
        &self,
        step: Option<StepId>,
        call: &Call,
        since: Moment,
        sent: Sent,
    ) -> Result<Vec<CloudId>, Trouble> {
        let Some(owner) = call.owner() else { return Ok(Vec::new()) };
        let idempotence = call.kind().traits().idempotence;
        let begun = Instant::now();
        let mut tries = Tries { since, sent, begun, failures: 0, unanswered: 0 };
        loop {
            if tries.sent == Sent::Perhaps {
                let found = self.look_back(call, owner, &mut tries).await?;
                if !found.is_empty() {
                    return self.commit(owner, found).await;
                }
            }
            self.announce(step, call).await?;
            let mut failure = match self.act(call, tries.failures + 1).await {
                Ok(reply) => return self.commit(owner, reply.ids).await,
                Err(failure) => failure,
            };
            tries.failures += 1;
            if failure.class == Class::Exists && idempotence != Idempotence::Name {
                // Not a name that is taken but an address or a range: its former holder was
                // deleted just before and lets go within minutes.
                failure.class = Class::Settling;
            } else if failure.class == Class::Exists {
                // Our own write, whose answer was lost on the way, or somebody else's.
                let patience = match tries.sent {
                    Sent::Never => Duration::from_secs(20),
                    Sent::Perhaps => self.patience.quiet,
                };
                let found = self.await_visible(owner, self.now(), patience).await?;
                if !found.is_empty() {
                    return self.commit(owner, found).await;
                }
            }
            if !failure.is_definitive() {
                tries.lost(self.now());
            }
            let certain = tries.is_certain(&failure, idempotence);
            if idempotence == Idempotence::Tag && tries.unanswered >= UNANSWERED {
                return Err(Trouble::Failed(failure));
            }
            match self.pause_after(step, failure, tries.failures, tries.begun).await {
                Ok(()) => {}
                Err(Trouble::Failed(failure)) if certain => {
                    self.refuse(owner, failure.clone()).await?;
                    return Err(Trouble::Failed(failure));
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// What an earlier try has made, as far as it can be told before the next one.
    async fn look_back(
        &self,
        call: &Call,
        owner: &Owner,
        tries: &mut Tries,
    ) -> Result<Vec<CloudId>, Trouble> {
        match call.kind().traits().idempotence {
            // The replay itself says what happened.
            Idempotence::Token => Ok(Vec::new()),
            Idempotence::Name => self.await_visible(owner, tries.since, Duration::ZERO).await,
            Idempotence::Tag => {
                let waiting = Instant::now();
                let found = self.await_visible(owner, tries.since, self.patience.quiet).await?;
                if found.is_empty() {
                    // It was never carried out, and is sent anew: should this process die,
                    // the next one must count its quiet period from here. The wait says
                    // nothing about how patient we were with the call.
                    tries.sent = Sent::Never;
                    tries.begun += waiting.elapsed();
                    self.renew(call, self.now()).await?;
                }
                Ok(found)
            }
        }
    }

    /// Looks for what an intent made until it shows, or until it cannot be there: the
    /// quiet period is over, and it was not there in several reads.
    async fn await_visible(
        &self,
        owner: &Owner,
        since: Moment,
        quiet: Duration,
    ) -> Result<Vec<CloudId>, Trouble> {
        let mut reads = 0;
        loop {
            let found = self.find(&owner.token).await;
            reads += 1;
            let waited = u64::try_from(self.now().since(since)).unwrap_or(0);
            let over = waited >= u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
            if !found.is_empty() || (over && (quiet.is_zero() || reads >= self.patience.reads)) {
                return Ok(found);
            }
            let address = owner.address.clone();
            let how = format!("waiting to see whether it exists ({reads} reads so far)");
            self.tell(Event::Recovering { address, how });
            let left = quiet.saturating_sub(Duration::from_millis(waited));
            let pause = (left / self.patience.reads.max(1))
                .clamp(Duration::from_secs(2), Duration::from_secs(30));
            self.pause(pause).await?;
        }
    }

    /// Writes down that an open intent is sent once more.
    async fn renew(&self, call: &Call, at: Moment) -> Result<(), Trouble> {
        let mut journal = self.journal.lock().await;
        let token = call.owner().map(|owner| &owner.token);
        let open = journal.ledger.open_intents().find(|(other, _)| Some(*other) == token);
        let attempt = open.map_or(1, |(_, making)| making.attempt);
        Ok(journal.append(Entry::Intent { at, attempt, call: call.clone() }).await?)
    }

    async fn commit(&self, owner: &Owner, ids: Vec<CloudId>) -> Result<Vec<CloudId>, Trouble> {
        let (at, token) = (self.now(), owner.token.clone());
        self.note(Entry::Commit { at, token, ids: ids.clone() }).await?;
        Ok(ids)
    }

    async fn refuse(&self, owner: &Owner, failure: Failure) -> Result<(), Trouble> {
        let (at, token) = (self.now(), owner.token.clone());
        Ok(self.note(Entry::Refused { at, token, failure }).await?)
    }
}
