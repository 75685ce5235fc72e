//! One look at one cluster: what is there, what is wanted, what is decided, what is done.
//!
//! The memory is written before anything is done. Whoever dies behind that has launched nothing
//! that the next look would not find, and two who look at once write once.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::apply::{Hands, Listener, Outcome, Patience, Trouble};
use crate::catalog::Tables;
use crate::cloud::{Cloud, Observed, Scope};
use crate::demand::Answer;
use crate::fleet::{self, Decision, Demand, Memory, Offer, Pool};
use crate::ledger::{Holder, Journal, Store, StoreError, Version, Who};
use crate::model::{Address, Clock, Moment};
use crate::stack;

use super::care::{self, Aside};
use super::ground::{Ground, Missing};
use super::hear::{hear, too_small};
use super::kept::{Kept, Pause};
use super::orders::{Orders, orders};
use super::record::Recording;
use super::signs::Signs;
use super::view::View;

/// What the lock of a fleet's ledger is called.
pub const SCOPE: &str = "fleet";

/// A cluster that is resized.
pub struct Cluster<'a> {
    /// The address of its nodes.
    pub address: Address,
    /// What the stack says of them.
    pub fleet: stack::Fleet,
    /// How it is resized.
    pub pool: Pool,
    /// Its own ledger.
    pub store: &'a dyn Store,
}

/// What decides.
pub type Decide = fn(&Pool, &fleet::Fleet, &Demand, &[Offer], Memory, Moment) -> (Decision, Memory);

/// Who looks, and with what.
pub struct Eye<'a> {
    /// The cloud.
    pub cloud: &'a dyn Cloud,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Whose objects, where.
    pub scope: Scope,
    /// For the history.
    pub who: Who,
    /// For whoever finds it locked.
    pub holder: Holder,
    /// A new ledger's own name.
    pub lineage: String,
    /// Who is told what is done.
    pub listener: Listener<'a>,
    /// Set by an interrupt.
    pub stop: CancellationToken,
    /// Hardware as it is known in the region.
    pub tables: Tables,
    /// What decides.
    pub decide: Decide,
    /// Nothing is done or written.
    pub dry: bool,
}

/// What came of a look.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: Moment,
    /// The nodes.
    pub fleet: fleet::Fleet,
    /// What was decided.
    pub decision: Decision,
    /// What it comes to.
    pub orders: Orders,
    /// Why nothing may be done.
    pub pause: Option<Pause>,
    /// How it went; none where nothing was to be done, or was done.
    pub outcome: Option<Outcome>,
    /// How long it took to decide.
    pub took: Duration,
    /// What else is seen of the nodes.
    pub signs: Signs,
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Blocked {
    /// Something that nodes stand on is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// Another service has decided at the same time, or holds the fleet.
    #[error("{0}")]
    Elsewhere(StoreError),
    /// The ledger.
    #[error(transparent)]
    Ledger(StoreError),
    /// The cloud, or an interrupt.
    #[error("{}", words(.0))]
    Trouble(Trouble),
}

fn words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Failed(failure) => failure.to_string(),
        Trouble::Ledger(error) => error.to_string(),
        Trouble::Interrupted => "interrupted".to_owned(),
    }
}

impl From<StoreError> for Blocked {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists(_)
            | StoreError::Lost(_)
            | StoreError::Held(_)
            | StoreError::Deposed(_) => Self::Elsewhere(error),
            StoreError::Moved { .. }
            | StoreError::Taken { .. }
            | StoreError::Unfit { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Io { .. } => Self::Ledger(error),
        }
    }
}

impl From<Trouble> for Blocked {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Ledger(error) => error.into(),
            Trouble::Failed(_) | Trouble::Interrupted => Self::Trouble(trouble),
        }
    }
}

impl Eye<'_> {
    /// Looks at a cluster once, and does what follows.
    pub async fn look(
        &self,
        cluster: &Cluster<'_>,
        observed: &Observed,
        answer: &Answer,
    ) -> Result<Look, Blocked> {
        let now = self.clock.now();
        let (mut kept, version) = Kept::read(cluster.store).await?;
        let pause = Pause::read(cluster.store, now).await?;
        let ground = Ground::of((&cluster.address, &cluster.fleet), observed, &self.tables)?;
        let view = View {
            address: &cluster.address,
            wanted: &cluster.fleet,
            template: Some(&ground.template),
            offers: &ground.offers,
            attempts: &kept.attempts,
            catalog: &self.tables,
            now,
        };
        let before = kept.watch.clone();
        let mut fleet = view.of(observed, &mut kept.watch);
        let failed = care::news(&before, (&fleet, observed), kept.next_attempt);
        if !failed.is_empty() {
            kept.attempted(failed);
            fleet.attempts.clone_from(&kept.attempts);
        }
        let paused = cluster.pool.paused || pause.is_some();
        let pool = Pool { paused, ..cluster.pool.clone() };
        let memory = std::mem::take(&mut kept.memory);
        let began = Instant::now();
        let (mut decision, memory) =
            (self.decide)(&pool, &fleet, &answer.demand, &ground.offers, memory, now);
        let took = began.elapsed();
        decision.alerts.extend(care::impaired((&fleet, observed)));
        let before = kept.last.as_ref().map(|(_, decision)| &decision.heard);
        hear(&mut decision, answer, before, now);
        too_small(&mut decision, &answer.demand, &ground.offers);
        let aside = match paused {
            true => Aside::default(),
            false => care::aside(cluster.fleet.care, (&fleet, observed), &decision),
        };
        aside.tell(&mut decision);
        kept.memory = memory;
        kept.decided(now, &decision);
        let wanted = (&cluster.address, &cluster.fleet);
        let offers = ground.offers.as_slice();
        let orders = orders((&decision, &aside), wanted, (&ground.template, offers));
        let signs = Signs::of((&fleet, observed), offers, (&self.tables, &self.scope.home.region));
        let mut look = Look { at: now, fleet, decision, orders, pause, outcome: None, took, signs };
        if self.dry {
            return Ok(look);
        }
        // Also when nothing is to be done: how long a node has been idle, how often nothing was
        // wanted and what has arrived since would be forgotten otherwise.
        let version = kept.write(cluster.store, version.as_ref()).await?;
        if !look.orders.is_empty() {
            look.outcome = Some(self.act(cluster, &look.orders, (kept, version)).await?);
        }
        Ok(look)
    }

    /// Carries out what was decided, under the fleet's own lock.
    async fn act(
        &self,
        cluster: &Cluster<'_>,
        orders: &Orders,
        (mut kept, version): (Kept, Version),
    ) -> Result<Outcome, Blocked> {
        let lock = cluster.store.lock(SCOPE, &self.holder).await?;
        let done = async {
            let journal = Journal::write(cluster.store, &self.lineage, &lock).await?;
            let cloud = Recording::new(self.cloud, self.clock, kept.next_attempt);
            let hands = Hands {
                cloud: &cloud,
                scope: self.scope.clone(),
                clock: self.clock,
                journal: tokio::sync::Mutex::new(journal),
                listener: self.listener,
                stop: self.stop.clone(),
                patience: Patience { nodes: false, ..Patience::default() },
                tables: self.tables.clone(),
            };
            hands.tidy().await?;
            let outcome = hands.obey(&orders.marks, &orders.plan, self.who.clone()).await;
            drop(hands);
            let attempts = cloud.into_attempts();
            if !attempts.is_empty() {
                kept.attempted(attempts);
                kept.write(cluster.store, Some(&version)).await?;
            }
            Ok(outcome?)
        };
        let done = done.await;
        // What fails here costs the next one only time.
        let _ = lock.release().await;
        done
    }
}
