//! What comes before every plan: the loose ends of earlier runs.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{Observed, Phase};
use crate::kinds::KindName;
use crate::ledger::Entry;
use crate::model::Address;

use super::Event;
use super::hands::{Hands, Trouble};
use super::make::Wanted;

impl Hands<'_> {
    /// Resolves open intents, then waits until everything that was made is visible, and
    /// returns what the cloud shows. `wanted` says whether an address is still declared.
    pub async fn recover(
        &self,
        wanted: &(dyn Fn(&Address) -> bool + Sync),
    ) -> Result<Observed, Trouble> {
        let open: Vec<_> = {
            let journal = self.journal.lock().await;
            journal.ledger.open_intents().map(|(_, making)| making.clone()).collect()
        };
        for making in open {
            let Some(owner) = making.call.owner() else { continue };
            let address = owner.address.clone();
            let how = format!("an earlier run may have begun to {}", making.call.words());
            self.tell(Event::Recovering { address: address.clone(), how });
            let wanted = if wanted(&address) { Wanted::Yes } else { Wanted::No };
            match self.resolve(&making.call, making.at, wanted).await {
                Ok(_) => {}
                // A definitive no closed the intent; the plan will say what is missing.
                Err(Trouble::Failed(failure)) if failure.is_definitive() => {
                    tracing::warn!(code = failure.code, "an open intent was refused");
                }
                Err(trouble) => return Err(trouble),
            }
        }
        self.settle_reads().await?;
        let observed = self.until_visible().await?;
        self.keep_interruptions(&observed).await?;
        Ok(observed)
    }

    /// The cloud shows for an hour that spot took a node back, and does not say when.
    async fn keep_interruptions(&self, observed: &Observed) -> Result<(), Trouble> {
        let nodes = self.journal.lock().await.ledger.unknown_interruptions(observed);
        if !nodes.is_empty() {
            self.note(Entry::Interrupted { at: self.now(), nodes }).await?;
        }
        Ok(())
    }

    /// What was being deleted when a run was cut off stands in no record, and reads may still
    /// show it whole: a plan would build on what is gone.
    async fn settle_reads(&self) -> Result<(), Trouble> {
        let wait = self.cloud.lag();
        let quiet = i64::try_from(self.patience.quiet.as_millis()).unwrap_or(i64::MAX);
        let cut_off = self.journal.lock().await.ledger.cut_off();
        // Long ago every read has caught up.
        if wait.is_zero() || cut_off.is_none_or(|at| self.now().since(at) >= quiet) {
            return Ok(());
        }
        self.tell(Event::Settling { wait });
        self.pause(wait).await
    }

    /// Absence in a list is not absence: what was made a moment ago is waited for, and so
    /// is what an earlier run did not wait for until it was ready.
    pub async fn until_visible(&self) -> Result<Observed, Trouble> {
        let begun = Instant::now();
        loop {
            let observed = self.look().await;
            let missing: BTreeSet<Address> = {
                let journal = self.journal.lock().await;
                let quiet = i64::try_from(self.patience.quiet.as_millis()).unwrap_or(i64::MAX);
                let young = |at| self.now().since(at) < quiet;
                let made = journal.ledger.made().filter(|(_, made)| young(made.at));
                made.map(|(_, made)| made.address.clone()).collect()
            };
            let (address, how) = match (missing.first(), unready(&observed, begun.elapsed())) {
                (Some(address), _) => {
                    let how =
                        format!("waiting for {} new objects to become visible", missing.len());
                    (address.clone(), how)
                }
                (None, Some(waiting)) => waiting,
                (None, None) => return Ok(observed),
            };
            self.tell(Event::Recovering { address, how });
            self.pause(Duration::from_secs(2)).await?;
        }
    }
}

/// An object that is still being made, and worth waiting for. Nodes are not: what comes
/// after them does not stand on them.
fn unready(observed: &Observed, waited: Duration) -> Option<(Address, String)> {
    observed.live.iter().find_map(|(id, live)| {
        let patient = waited.as_secs() < u64::from(live.kind.traits().ready_within);
        let pending = live.phase == Phase::Pending && live.kind != KindName::Node;
        let how = format!("waiting for {} {} to become ready", live.kind.title(), id.short());
        (pending && patient).then(|| (live.owner.address.clone(), how))
    })
}
