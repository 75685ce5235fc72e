//! The one writer of a ledger: appends records, and folds them into the state.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::chain::{AT_ONCE, Chain, Chained, key, state_key};
use super::history;
use super::store::hex;
use super::{Blob, Entry, Ledger, Lock, Reach, Store, StoreError, Version};
use crate::model::{Address, Moment, Token};

/// How many former states are kept.
const BACKUPS: u64 = 20;

/// How often a writer begins anew because the one before it wrote meanwhile.
const TAKEOVERS: u32 = 10;

/// A ledger that is open for writing. The lock is held by whoever opened it.
pub struct Journal<'s> {
    pub(super) store: &'s dyn Store,
    /// What is known by now.
    pub ledger: Ledger,
    state: Option<(Version, String)>,
    seq: u64,
    prev: String,
    lock: Option<Arc<dyn Lock>>,
    /// Its fence stands in the journal at hand.
    fenced: bool,
    /// Records that are not written yet.
    waiting: Vec<(String, Vec<u8>)>,
    /// Records that were ever taken in, and of these the ones that are durable.
    staged: u64,
    written: u64,
    /// Why nothing more can be written.
    broken: Option<StoreError>,
    /// Records wait for somebody who flushes them.
    shared: bool,
    /// Rings when records were written, or cannot be.
    news: Arc<Notify>,
}

/// Reads a state; of one that cannot be trusted it says where the last good one is.
async fn read_state(store: &dyn Store, bytes: &[u8]) -> Result<Ledger, StoreError> {
    let read = Ledger::from_bytes("state", bytes);
    let Err(StoreError::Corrupt { place, problem }) = &read else { return read };
    // Of one that a newer mlinfra wrote nothing is lost: it is only not ours to read.
    if Ledger::newer(bytes).is_some() {
        return read;
    }
    let problem = format!("{problem}; {}", last_good(store).await?);
    Err(StoreError::Corrupt { place: place.clone(), problem })
}

/// The state; where the store finds it damaged, with where the last good one is.
async fn state(store: &dyn Store) -> Result<Option<Blob>, StoreError> {
    let read = store.get("state").await;
    if let Err(StoreError::Corrupt { place, problem }) = &read {
        let (place, good) = (place.clone(), last_good(store).await?);
        return Err(StoreError::Corrupt { place, problem: format!("{problem}; {good}") });
    }
    read
}

/// Where the last former state is that can be read.
async fn last_good(store: &dyn Store) -> Result<String, StoreError> {
    for key in store.list("backups/").await?.into_iter().rev() {
        // One that is damaged too is not the last good one.
        let Some(blob) = store.get(&key).await.ok().flatten() else { continue };
        if Ledger::from_bytes(&key, &blob.bytes).is_ok() {
            return Ok(format!("the last good one before it is {key}"));
        }
    }
    Ok("there is no former one".to_owned())
}

/// A journal that goes on from a later state: states are durable before their journals
/// begin, so that the state at hand is missing or an old one.
async fn beyond(store: &dyn Store, serial: u64) -> Result<Option<String>, StoreError> {
    let first = key(serial + 1, 0);
    Ok(store.list_from("journal/", &first).await?.into_iter().next())
}

async fn behind(store: &dyn Store, key: &str, serial: u64) -> Result<StoreError, StoreError> {
    let good = last_good(store).await?;
    let problem = format!(
        "it is missing or older than {key}, which follows a state later than number {serial}; {good}"
    );
    Ok(StoreError::Corrupt { place: "state".to_owned(), problem })
}

impl<'s> Journal<'s> {
    /// Reads state and journal, to go on writing under a lock. Where the holder before may
    /// only sleep, it is fenced off: it finds its next record taken, and when it may have
    /// been about to fold, the state is another one by then.
    pub async fn write(
        store: &'s dyn Store,
        lineage: &str,
        lock: &Arc<dyn Lock>,
    ) -> Result<Self, StoreError> {
        let mut tries = 0;
        loop {
            let journal = Self::open(store, lineage).await?;
            let mut journal = Self { lock: Some(Arc::clone(lock)), ..journal };
            match journal.take_over().await {
                Ok(()) => return Ok(journal),
                // It wrote meanwhile: its last words are read before anything is begun.
                Err(StoreError::Exists(_) | StoreError::Lost(_)) if tries < TAKEOVERS => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn take_over(&mut self) -> Result<(), StoreError> {
        if let Some(told) = self.lock.as_ref().and_then(|lock| lock.reach())
            && self.reach() < told
        {
            return Err(self.too_short(told));
        }
        // Who has ended all it had begun needs no fence before there is something to write.
        let Some(lock) = self.lock.clone().filter(|lock| !lock.is_clean()) else { return Ok(()) };
        let busy = self.seq > 0;
        self.fence().await?;
        // Without a record in the journal nobody can be about to fold it.
        if busy {
            self.fold_into(self.ledger.clone()).await?;
        }
        lock.settle();
        Ok(())
    }

    /// Where the ledger ends.
    pub fn reach(&self) -> Reach {
        Reach { serial: self.ledger.serial, records: self.seq - self.waiting.len() as u64 }
    }

    fn tell_reach(&self) {
        if let Some(lock) = &self.lock {
            lock.reached(self.reach());
        }
    }

    fn too_short(&self, told: Reach) -> StoreError {
        let here = self.reach();
        StoreError::Corrupt {
            place: state_key(&told, &here),
            problem: format!(
                "it is missing: the ledger reached state {} and {} records, and what is left is \
                 good up to state {} and record {}",
                told.serial, told.records, here.serial, here.records
            ),
        }
    }

    /// The first record of a writer, in every journal that it writes to.
    async fn fence(&mut self) -> Result<(), StoreError> {
        let epoch = self.lock.as_ref().and_then(|lock| lock.epoch());
        if epoch.is_some() && !self.fenced {
            self.put(&Chained { prev_sha256: self.prev.clone(), fence: epoch, entry: None })?;
            self.flush().await?;
            self.fenced = true;
        }
        Ok(())
    }

    /// Fails unless something may still be begun: asked right before every call that
    /// changes the cloud.
    pub async fn confirm(&self) -> Result<(), StoreError> {
        match &self.lock {
            Some(lock) => lock.confirm().await,
            None => Ok(()),
        }
    }

    /// Reads state and journal. `lineage` names the ledger if there is none yet.
    pub async fn open(store: &'s dyn Store, lineage: &str) -> Result<Self, StoreError> {
        loop {
            let blob = state(store).await?;
            let version = blob.as_ref().map(|blob| blob.version.clone());
            let (ledger, state) = match blob {
                Some(blob) => {
                    let ledger = read_state(store, &blob.bytes).await?;
                    (ledger, Some((blob.version, hex(&Sha256::digest(&blob.bytes)))))
                }
                None => (Ledger::new(lineage), None),
            };
            if let Some(key) = beyond(store, ledger.serial).await? {
                // Somebody else may have folded it just now; then the state is another one.
                if store.get("state").await?.map(|blob| blob.version) != version {
                    continue;
                }
                return Err(behind(store, &key, ledger.serial).await?);
            }
            let mut journal = Self::at(store, ledger, state);
            match journal.replay().await {
                // The same: who reads while another folds finds records gone.
                Err(StoreError::Corrupt { .. })
                    if store.get("state").await?.map(|blob| blob.version) != version => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(journal),
            }
        }
    }

    /// Behind a state, before its journal is read.
    fn at(store: &'s dyn Store, ledger: Ledger, state: Option<(Version, String)>) -> Self {
        let prev = state.as_ref().map(|(_, sum)| sum.clone()).unwrap_or_default();
        Self {
            store,
            ledger,
            state,
            seq: 0,
            prev,
            lock: None,
            fenced: false,
            waiting: Vec::new(),
            staged: 0,
            written: 0,
            broken: None,
            shared: false,
            news: Arc::default(),
        }
    }

    async fn replay(&mut self) -> Result<(), StoreError> {
        let mut chain = Chain::after(self.ledger.serial, &self.prev);
        // Without a state the lineage lives in the first record's tokens only, and a
        // new one would do; but open intents must be replayed under their own.
        let read = chain.read(self.store, |entry| self.ledger.fold(entry)).await;
        (self.seq, self.prev) = (chain.records, chain.sum);
        read
    }

    /// Takes one entry in and makes it durable.
    pub async fn append(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.stage(entry).await?;
        self.flush().await
    }

    /// Takes one entry in. It is durable, and may be acted on, once [`Journal::wait_for`]
    /// says so of the number that this gives.
    pub async fn stage(&mut self, entry: Entry) -> Result<u64, StoreError> {
        self.fence().await?;
        let chained = Chained { prev_sha256: self.prev.clone(), fence: None, entry: Some(entry) };
        self.put(&chained)?;
        if let Some(entry) = &chained.entry {
            self.ledger.fold(entry);
        }
        if !self.shared {
            self.flush().await?;
        }
        Ok(self.staged)
    }

    /// From now on records wait until somebody flushes them, so that those of steps that
    /// run at once cost one write; or no longer.
    pub async fn share(&mut self, shared: bool) -> Result<(), StoreError> {
        self.shared = shared;
        self.flush().await
    }

    /// Whether a record waits to be written.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty() && self.broken.is_none()
    }

    /// What to wait for before looking again, unless a record is durable.
    pub fn wait_for(&self, record: u64) -> Result<Option<OwnedNotified>, StoreError> {
        match &self.broken {
            _ if self.written >= record => Ok(None),
            Some(error) => Err(error.clone()),
            None => Ok(Some(Arc::clone(&self.news).notified_owned())),
        }
    }

    /// Makes all records durable.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        // A writer that slept through a takeover and two folds finds its next record free,
        // in a journal that nobody reads any more: before it writes, and in between.
        let done = async {
            self.confirm().await?;
            self.store.create_all(&self.waiting).await?;
            self.confirm().await
        };
        let done = done.await;
        match &done {
            Ok(()) => {
                self.written += self.waiting.len() as u64;
                self.waiting.clear();
                self.tell_reach();
            }
            // What is in memory is ahead of what is written: nothing more may be added.
            Err(error) => {
                self.broken = Some(error.clone());
                self.taint();
            }
        }
        self.news.notify_waiters();
        done
    }

    /// Where no answer came, what was sent may still arrive.
    fn taint(&self) {
        if let Some(lock) = &self.lock {
            lock.taint();
        }
    }

    fn put(&mut self, chained: &Chained) -> Result<(), StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let bytes = serde_json::to_vec(chained).map_err(|error| StoreError::Io {
            place: "journal".to_owned(),
            problem: error.to_string(),
        })?;
        self.prev = hex(&Sha256::digest(&bytes));
        self.waiting.push((key(self.ledger.serial, self.seq), bytes));
        self.seq += 1;
        self.staged += 1;
        Ok(())
    }

    /// A token for a new intent: never the same twice, since a token outlives what it made.
    pub fn mint(&self, address: &Address, generation: u32, attempt: u32) -> Token {
        let Ledger { lineage, serial, .. } = &self.ledger;
        let seed = format!("{lineage}/{serial}/{}/{address}/{generation}/{attempt}", self.seq);
        // FSx takes at most 63 characters of `[A-Za-z0-9_.-]`; EC2 takes 64.
        Token(format!("mli-{}", &hex(&Sha256::digest(seed))[..40]))
    }

    /// Writes the state, then lets go of the records in the one before.
    pub async fn finish(&mut self, now: Moment) -> Result<(), StoreError> {
        // A successor must see that somebody may be about to fold.
        self.fence().await?;
        self.flush().await?;
        let mut next = self.ledger.clone();
        history::keep(self.store, &mut next).await?;
        next.prune(now);
        self.fold_into(next).await
    }

    async fn fold_into(&mut self, mut next: Ledger) -> Result<(), StoreError> {
        let old = self.ledger.serial;
        next.serial = old + 1;
        let (version, prev) = match &self.state {
            Some((version, sum)) => (Some(version.clone()), sum.clone()),
            None => (None, String::new()),
        };
        let bytes = next.to_bytes(&prev);
        let written = match &version {
            Some(version) => {
                self.back_up(old, version).await?;
                self.store.replace_if("state", &bytes, version).await
            }
            None => self.store.create_new("state", &bytes).await,
        };
        let version = written.inspect_err(|_| self.taint())?;
        let sum = hex(&Sha256::digest(&bytes));
        self.ledger = next;
        self.state = Some((version, sum.clone()));
        self.prev = sum;
        self.seq = 0;
        self.fenced = false;
        self.tell_reach();
        // The journal just folded stays until the next fold: a writer that was deposed and
        // does not know it finds its next record taken, and the former state can be put
        // back with all that happened after it.
        let folded = key(old, 0);
        let mut old = self.store.list("journal/").await?;
        old.retain(|key| *key < folded);
        let store = self.store;
        let removals = old.into_iter().map(|key| async move { store.remove(&key).await });
        stream::iter(removals).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn back_up(&self, serial: u64, version: &Version) -> Result<(), StoreError> {
        // Another state than the one that is to be replaced is a successor's.
        let state = self.store.get("state").await?;
        if let Some(blob) = state.filter(|blob| blob.version == *version) {
            match self.store.create_new(&format!("backups/{serial:010}"), &blob.bytes).await {
                Ok(_) | Err(StoreError::Exists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if serial > BACKUPS {
            self.store.remove(&format!("backups/{:010}", serial - BACKUPS)).await?;
        }
        Ok(())
    }
}
