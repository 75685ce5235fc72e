//! The loop: who leads looks at every cluster, sleeps, and looks again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cloud::Observed;
use crate::demand::Answer;
use crate::fleet::{Alert, Heard, Pool};
use crate::ledger::{Holder, Lock, Store, StoreError};
use crate::model::Address;
use crate::show::decision;

use super::kept::Kept;
use super::purse::Purse;
use super::status::{Board, ClusterStatus};
use super::tick::{Blocked, Cluster, Eye, Look};

/// The lock of whoever decides, in the stack's ledger.
pub const LEADER: &str = "autoscale";

/// A stack and its surroundings, as they were last read.
#[async_trait]
pub trait World: Send + Sync {
    /// What the cloud shows of the stack.
    async fn observe(&self) -> Observed;
    /// The clusters that are resized.
    fn clusters(&self, observed: &Observed) -> Result<Vec<Cluster<'_>>, String>;
    /// Nodes with the stack's tags that no cluster of it declares.
    fn orphans(&self, _observed: &Observed) -> u64 {
        0
    }
    /// What a cluster's queues say now. Never waits for long, and never fails: what cannot be
    /// known is a demand too.
    async fn demand(&self, cluster: &Address) -> Answer;
    /// Whoever looks, with everything that is needed to act.
    fn eye(&self, stop: &CancellationToken) -> Eye<'_>;
    /// The stack's ledger, where the leader's lock is.
    fn store(&self) -> &dyn Store;
    /// For whoever finds that locked.
    fn holder(&self) -> Holder;
}

/// Reads a stack anew.
#[async_trait(?Send)]
pub trait Reader {
    /// The stack as it is now, or what is wrong with it.
    async fn read(&self) -> Result<Box<dyn World>, String>;
    /// Whether its files have changed since this was last asked.
    fn has_changed(&self) -> bool;
}

/// The service.
pub struct Service {
    /// Where stacks come from.
    pub reader: Box<dyn Reader>,
    /// Time between two looks.
    pub every: Duration,
    /// Time on the wall that a look takes at least, beside a clock that jumps: such a clock never
    /// lets anybody wait. Zero where time is as it is everywhere.
    pub pace: Duration,
    /// Where it tells what it does.
    pub board: Arc<Board>,
    /// Set by whoever wants it to end.
    pub stop: CancellationToken,
    /// Rung by whoever has news: a changed stack, a message.
    pub bell: Arc<Notify>,
    /// Rung by whoever wants the stack to be read again.
    pub again: Arc<Notify>,
    /// Where it says what happens, for its log.
    pub say: Box<dyn Fn(&str) + Send + Sync>,
}

/// How often prices, reservations and the stack's files are read again although nobody has said
/// that they changed.
const REFRESH: Duration = Duration::from_secs(300);

/// What kept each cluster from being looked at when that was last said, by its name; the stack's
/// own trouble under no name.
type Told = BTreeMap<String, String>;

/// Under which name it was told that the demand of a cluster is not known.
fn unknown(cluster: &str) -> String {
    format!("{cluster} demand")
}

impl Service {
    /// Runs until it is told to stop. A lock that is held is given back.
    pub async fn run(&self) -> Result<(), String> {
        let mut world = self.reader.read().await?;
        let mut lead: Option<Arc<dyn Lock>> = None;
        let mut read_at = tokio::time::Instant::now();
        let mut told = Told::new();
        while !self.stop.is_cancelled() {
            self.lead(&*world, &mut lead).await;
            let mut wake = None;
            if lead.is_some() {
                wake = self.tick(&*world, &mut told).await;
            }
            let asked = self.sleep(wake).await;
            if self.stop.is_cancelled() {
                break;
            }
            let news = self.reader.has_changed() || asked;
            if news || read_at.elapsed() >= REFRESH {
                read_at = tokio::time::Instant::now();
                tokio::select! {
                    () = self.read_again(&mut world, news) => {}
                    () = self.stop.cancelled() => break,
                }
            }
        }
        if let Some(lock) = lead {
            // Whoever comes next waits a lease longer, and nothing else.
            let _ = lock.release().await;
        }
        (self.say)("ended");
        Ok(())
    }

    /// Takes the lead, or makes sure of it. Not to know who leads is not to lead.
    async fn lead(&self, world: &dyn World, lead: &mut Option<Arc<dyn Lock>>) {
        if let Some(lock) = lead {
            match lock.confirm().await {
                Ok(()) => return,
                Err(error) => {
                    (self.say)(&format!("does not lead any more: {error}"));
                    *lead = None;
                }
            }
        }
        let holder = world.holder();
        let taken = tokio::select! {
            taken = world.store().lock(LEADER, &holder) => taken,
            () = self.stop.cancelled() => return,
        };
        let (leads, problem) = match taken {
            Ok(lock) => {
                (self.say)("leads");
                *lead = Some(lock);
                (Some(true), None)
            }
            Err(StoreError::Held(_)) => (Some(false), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let epoch = lead.as_ref().and_then(|lock| lock.epoch());
        self.board.write(|status| {
            (status.leader, status.lease_epoch, status.problem) = (leads, epoch, problem);
        });
    }

    /// Looks at every cluster once; returns how soon the next look is wanted.
    async fn tick(&self, world: &dyn World, told: &mut Told) -> Option<Duration> {
        // Nothing has begun: whoever wants the service to end need not wait for the cloud.
        let observed = tokio::select! {
            observed = world.observe() => observed,
            () = self.stop.cancelled() => return None,
        };
        let mut clusters = match world.clusters(&observed) {
            Ok(clusters) => {
                told.remove("");
                clusters
            }
            Err(problem) => {
                self.once(told, "", &problem, &problem);
                self.board.write(|status| status.problem = Some(problem));
                return None;
            }
        };
        let eye = world.eye(&self.stop);
        let mut wake: Option<Duration> = None;
        let mut failed = false;
        let mut purse = Purse::open(&clusters, &observed).await;
        for cluster in &mut clusters {
            purse.share(cluster);
            self.remember(cluster).await;
            if self.stop.is_cancelled() {
                return None;
            }
            // Nor for a source.
            let demand = tokio::select! {
                demand = world.demand(&cluster.address) => demand,
                () = self.stop.cancelled() => return None,
            };
            let looked = eye.look(cluster, &observed, &demand).await;
            failed |= looked.is_err();
            looked.iter().for_each(|look| purse.looked(cluster, look));
            let soon = looked.as_ref().ok().and_then(|look| {
                let ms = look.decision.wake?.since(look.at);
                Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
            });
            wake = wake.into_iter().chain(soon).min();
            self.tell(&cluster.pool, &looked, &demand, told);
        }
        let names: Vec<String> = clusters.iter().map(|it| it.pool.cluster.clone()).collect();
        let is_there = |told: &String| names.iter().any(|it| it == told || unknown(it) == *told);
        told.retain(|name, _| name.is_empty() || is_there(name));
        let (now, orphans) = (eye.clock.now(), world.orphans(&observed));
        self.board.write(|status| {
            status.orphans = Some(orphans);
            status.clusters.retain(|name, _| names.contains(name));
            (status.ticked_at, status.problem) = (Some(now), None);
            status.counts.ticks += 1;
            status.counts.failed += u64::from(failed);
        });
        wake
    }

    /// Says what is new: a service that waits for its first apply would fill its log otherwise.
    fn once(&self, told: &mut Told, name: &str, problem: &str, text: &str) {
        if told.get(name).is_none_or(|before| before != problem) {
            (self.say)(text);
            told.insert(name.to_owned(), problem.to_owned());
        }
    }

    fn tell(&self, pool: &Pool, looked: &Result<Look, Blocked>, answer: &Answer, told: &mut Told) {
        let name = &pool.cluster;
        match looked {
            Ok(look) => {
                if told.remove(name).is_some() {
                    (self.say)(&format!("{name}: is looked after again"));
                }
                self.heard(name, look, told);
                for line in decision::actions(&look.decision) {
                    (self.say)(&format!("{name}: {line}"));
                }
                for failure in look.outcome.iter().flat_map(|it| it.failed.values()) {
                    (self.say)(&format!("{name}: {failure}"));
                }
            }
            Err(blocked) => {
                let waits = match blocked {
                    Blocked::Missing(_) => "; it is looked after as soon as that is there",
                    Blocked::Elsewhere(_) | Blocked::Ledger(_) | Blocked::Trouble(_) => "",
                };
                let problem = blocked.to_string();
                self.once(told, name, &problem, &format!("{name}: {problem}{waits}"));
            }
        }
        self.board.write(|status| {
            let cluster: &mut ClusterStatus = status.clusters.entry(name.clone()).or_default();
            match looked {
                Ok(look) => cluster.looked(look, answer, pool),
                Err(blocked) => cluster.blocked(blocked.to_string()),
            }
        });
    }

    /// Puts up what was done before this process began: a cluster is known after its first look.
    async fn remember(&self, cluster: &Cluster<'_>) {
        let name = &cluster.pool.cluster;
        if self.board.ask(|status| status.clusters.contains_key(name)) {
            return;
        }
        // Where it cannot be read the look says so.
        let Ok((kept, _)) = Kept::read(cluster.store).await else { return };
        if kept.last.is_some() {
            let known = ClusterStatus::remembered(kept.last, kept.log);
            self.board.write(|status| drop(status.clusters.insert(name.clone(), known)));
        }
    }

    /// Says what a person should know of the demand, once.
    fn heard(&self, name: &str, look: &Look, told: &mut Told) {
        let key = unknown(name);
        match (&look.decision.heard, decision::demand_problem(&look.decision.heard)) {
            (Heard::Partly { why, .. } | Heard::Nothing { why, .. }, Some(line)) => {
                self.once(told, &key, why, &format!("{name}: {line}"));
            }
            (_, _) if told.remove(&key).is_some() => {
                (self.say)(&format!("{name}: the demand is known again"));
            }
            (_, _) => {}
        }
        let before = self.board.ask(|status| {
            status.clusters.get(name).map(|it| it.decision.alerts.clone()).unwrap_or_default()
        });
        for alert in look.decision.alerts.iter().filter(|it| is_of_a_source(it)) {
            if !before.contains(alert) {
                (self.say)(&format!("{name}: attention: {}", decision::alert(alert)));
            }
        }
    }

    /// Sleeps until the next look; whether the stack is to be read again.
    async fn sleep(&self, wake: Option<Duration>) -> bool {
        if !self.pace.is_zero() {
            let pace = self.pace;
            // A clock that jumps stands still while a thread is at work.
            let real = tokio::task::spawn_blocking(move || std::thread::sleep(pace));
            tokio::select! {
                _ = real => {}
                () = self.bell.notified() => return false,
                () = self.again.notified() => return true,
                () = self.stop.cancelled() => return false,
            }
        }
        // A look costs calls: nobody may ask for more than one a second, whoever rings.
        let rest = Duration::from_secs(1);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = self.again.notified() => return true,
            () = self.stop.cancelled() => return false,
        }
        let time = wake.map_or(self.every, |it| it.min(self.every)).saturating_sub(rest);
        tokio::select! {
            () = tokio::time::sleep(time) => false,
            () = self.bell.notified() => false,
            () = self.again.notified() => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// Reads the stack again; what is wrong with a new one leaves the old one in force.
    async fn read_again(&self, world: &mut Box<dyn World>, news: bool) {
        match self.reader.read().await {
            Ok(new) => {
                if news {
                    (self.say)("the stack was read again");
                }
                *world = new;
                self.board.write(|status| status.unread = None);
            }
            Err(problem) => {
                let text = format!("the stack as it is now is not used: {problem}");
                // Whoever reads of it in the log finds it on the board.
                self.board.write(|status| status.unread = Some(problem));
                (self.say)(&text);
            }
        }
    }
}

/// What a source has said that should trouble a person.
fn is_of_a_source(alert: &Alert) -> bool {
    matches!(alert, Alert::Absurd { .. } | Alert::Misfit { .. })
}

/// One look at every cluster, without a loop or a lead: for timers, pipelines and people.
pub async fn once(
    world: &dyn World,
    stop: &CancellationToken,
    dry: bool,
) -> Result<BTreeMap<String, (Result<Look, Blocked>, Answer)>, String> {
    let observed = tokio::select! {
        observed = world.observe() => observed,
        () = stop.cancelled() => return Ok(BTreeMap::new()),
    };
    let eye = Eye { dry, ..world.eye(stop) };
    let mut out = BTreeMap::new();
    let mut clusters = world.clusters(&observed)?;
    let mut purse = Purse::open(&clusters, &observed).await;
    for cluster in &mut clusters {
        purse.share(cluster);
        let demand = tokio::select! {
            demand = world.demand(&cluster.address) => demand,
            () = stop.cancelled() => break,
        };
        let looked = eye.look(cluster, &observed, &demand).await;
        looked.iter().for_each(|look| purse.looked(cluster, look));
        out.insert(cluster.pool.cluster.clone(), (looked, demand));
    }
    Ok(out)
}
