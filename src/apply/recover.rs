//! What comes before every plan: the loose ends of earlier runs.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cloud::Observed;
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
        self.until_visible().await
    }

    /// Absence in a list is not absence: what was made a moment ago is waited for.
    pub async fn until_visible(&self) -> Result<Observed, Trouble> {
        loop {
            let observed = self.look().await;
            let missing: BTreeSet<Address> = {
                let journal = self.journal.lock().await;
                let quiet = i64::try_from(self.patience.quiet.as_millis()).unwrap_or(i64::MAX);
                let young = |at| self.now().since(at) < quiet;
                let made = journal.ledger.made().filter(|(_, made)| young(made.at));
                made.map(|(_, made)| made.address.clone()).collect()
            };
            let Some(address) = missing.first() else { return Ok(observed) };
            let how = format!("waiting for {} new objects to become visible", missing.len());
            self.tell(Event::Recovering { address: address.clone(), how });
            self.pause(Duration::from_secs(2)).await?;
        }
    }
}
