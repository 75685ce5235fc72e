//! Keeping the autoscaler away from a fleet that is ended: its ledger is locked meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cloud::Observed;
use crate::kinds::{Action, Plan};
use crate::ledger::{Lock, StoreError};
use crate::model::Address;
use crate::serve::autoscale::{Kept, SCOPE};

use super::connect::Session;
use super::halt::Halt;
use super::terminal::Terminal;

/// An action on a fleet ends within this time: a launch waits for no node.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(2);

/// Fleets that are kept from the autoscaler.
#[derive(Default)]
pub struct FleetLocks(BTreeMap<Address, Arc<dyn Lock>>);

impl FleetLocks {
    /// All fleets that are declared: before it is looked what there is to destroy.
    pub async fn all(session: &Session, terminal: &Terminal, verb: &str) -> Result<Self, Halt> {
        let mut locks = Self::default();
        let declared = session.desired(&Observed::default(), false);
        let desired = declared.map_err(|found| session.halt(found))?;
        for address in desired.fleets.keys() {
            locks.take(session, terminal, (address, verb)).await?;
        }
        Ok(locks)
    }

    /// Those of which a plan ends nodes.
    pub async fn of(
        &mut self,
        plan: &Plan,
        session: &Session,
        terminal: &Terminal,
        verb: &str,
    ) -> Result<(), Halt> {
        for step in &plan.steps {
            if matches!(step.action, Action::Terminate { .. }) {
                self.take(session, terminal, (&step.address, verb)).await?;
            }
        }
        Ok(())
    }

    async fn take(
        &mut self,
        session: &Session,
        terminal: &Terminal,
        (address, verb): (&Address, &str),
    ) -> Result<(), Halt> {
        if self.0.contains_key(address) || !session.has_fleet_store(address) {
            return Ok(());
        }
        let store = session.fleet_store(address)?;
        // Nobody has ever resized it.
        if !Kept::is_there(store.as_ref()).await? {
            return Ok(());
        }
        let (begun, mut told) = (Instant::now(), false);
        loop {
            match store.lock(SCOPE, &session.holder(verb)).await {
                Ok(lock) => {
                    self.0.insert(address.clone(), lock);
                    return Ok(());
                }
                Err(StoreError::Held(holder)) if begun.elapsed() < PATIENCE => {
                    if !told {
                        let cluster = address.owner();
                        terminal.say(&format!("Waiting: {cluster} is in the hands of {holder}.\n"));
                    }
                    told = true;
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lets go of them.
    pub async fn release(self) {
        for lock in self.0.into_values() {
            // Whoever comes next waits a lease longer, and nothing else.
            let _ = lock.release().await;
        }
    }
}
