//! The lock of a ledger in an object store: one object, `lock/<scope>`, that its holder
//! rewrites while it lives.
//!
//! Whoever finds it held watches it. When it changes its holder is alive. When it has stood
//! unchanged for a whole lease, on the watcher's own clock that only goes forward, its
//! holder is gone or may not act any more, and exactly that version is replaced, with the
//! next epoch. A holder acts only within three quarters of a lease from before its last
//! write was sent, so that it stops before anybody may take over, and what it has sent by
//! then has a quarter to arrive. A lock that was let go of stays as an object without a
//! holder: its epoch goes on, and no conditional delete is needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Cell, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::object_store::ObjectStore;
use super::{Holder, Lock, LockStatus, Reach, StoreError, Version};

/// The content of the lock object.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sheet {
    /// Nobody, when it was let go of.
    holder: Option<Holder>,
    /// Goes up by one with every holder.
    epoch: u64,
    /// How long it lasts without being rewritten.
    lease_ms: u64,
    /// How often it was rewritten.
    beat: u64,
    /// How far the ledger reached when this was written.
    #[serde(default)]
    reach: Option<Reach>,
    /// Its last holder let go of it, and nothing of it can be on its way any more.
    #[serde(default)]
    clean: bool,
}

/// No lease is longer, whatever a lock says.
const LONGEST: Duration = Duration::from_secs(3600);

fn key(scope: &str) -> String {
    format!("lock/{scope}")
}

struct Found {
    sheet: Sheet,
    version: Version,
    /// Written by this process.
    own: bool,
}

/// Reads the lock. One that cannot be read is held by nobody knows whom: it is watched and
/// taken over like any other.
async fn read(store: &ObjectStore, scope: &str) -> Result<Option<Found>, StoreError> {
    let key = key(scope);
    let Some(blob) = store.sealed(&key).await? else { return Ok(None) };
    let version = blob.version.clone();
    let read = store.opened(&key, blob).ok();
    let own = read.as_ref().is_some_and(|read| store.is_own(&read.nonce));
    let sheet = read.and_then(|read| serde_json::from_slice(&read.bytes).ok());
    let sheet = sheet.unwrap_or_else(|| Sheet {
        holder: Some(Holder {
            who: "a lock that cannot be read".to_owned(),
            pid: 0,
            doing: "?".to_owned(),
            since: "?".to_owned(),
        }),
        epoch: 0,
        lease_ms: store.manners.lease.as_millis().try_into().unwrap_or(u64::MAX),
        beat: 0,
        reach: None,
        clean: false,
    });
    Ok(Some(Found { sheet, version, own }))
}

fn bytes(sheet: &Sheet) -> Vec<u8> {
    serde_json::to_vec_pretty(sheet).unwrap_or_default()
}

/// Who holds it, and how far the ledger reached.
pub(super) async fn look(store: &ObjectStore, scope: &str) -> Result<LockStatus, StoreError> {
    let Some(Found { sheet, .. }) = read(store, scope).await? else {
        return Ok(LockStatus::default());
    };
    Ok(LockStatus { holder: sheet.holder, reach: sheet.reach })
}

/// Takes the lock, now or from a holder that is gone, or says who has it.
pub(super) async fn take(
    store: &ObjectStore,
    scope: &str,
    holder: &Holder,
) -> Result<Arc<dyn Lock>, StoreError> {
    let pace = &store.manners.pace;
    let key = key(scope);
    // Which version has been watched, and since when.
    let mut watched: Option<(Option<Version>, Duration)> = None;
    let mut told = false;
    loop {
        let found = read(store, scope).await?;
        let version = found.as_ref().map(|found| found.version.clone());
        let (current, since) = watched.get_or_insert_with(|| (version.clone(), pace.now()));
        if let Some(Found { sheet: Sheet { holder: Some(other), lease_ms, .. }, .. }) = &found {
            if *current != version {
                return Err(StoreError::Held(Box::new(other.clone())));
            }
            let lease = Duration::from_millis(*lease_ms).min(LONGEST);
            let left = lease.saturating_sub(pace.now().saturating_sub(*since));
            if !left.is_zero() {
                if !std::mem::replace(&mut told, true) {
                    (store.manners.waiting)(other, lease);
                }
                let look = (lease / 10).max(Duration::from_millis(20));
                pace.sleep(left.min(look)).await;
                continue;
            }
        }
        if found.is_none() {
            store.probe().await?;
        }
        let before = found.map(|found| found.sheet);
        let clean = before.as_ref().is_none_or(|sheet| sheet.holder.is_none() && sheet.clean);
        let (epoch, reach) = before.map_or((0, None), |sheet| (sheet.epoch, sheet.reach));
        let sheet = Sheet {
            holder: Some(holder.clone()),
            epoch: epoch + 1,
            lease_ms: u64::try_from(store.manners.lease.as_millis()).unwrap_or(u64::MAX),
            beat: 0,
            reach,
            clean,
        };
        let begun = pace.now();
        // Whoever was faster is told of in the next round.
        if let Some(version) = store.write(&key, &bytes(&sheet), version.as_ref()).await? {
            return Ok(Lease::begin(store, scope, (sheet, version), begun));
        }
    }
}

/// A lock that is held, for as long as it is renewed.
struct Lease {
    store: ObjectStore,
    scope: String,
    epoch: u64,
    /// How far the ledger reached when it was taken, and reaches now.
    reach: (Option<Reach>, Cell<Option<Reach>>),
    /// Nothing of a former holder, and of this one, can be on its way.
    clean: AtomicBool,
    /// What stands in the store, when it was last written; none once it was let go of.
    written: Mutex<Option<(Sheet, Version)>>,
    /// Until when it is sure.
    until: Cell<Duration>,
    /// Who has taken it over.
    lost: Cell<Option<String>>,
    heart: Cell<Option<AbortHandle>>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("scope", &self.scope).field("epoch", &self.epoch).finish()
    }
}

fn open<T>(cell: &Cell<T>) -> std::sync::MutexGuard<'_, T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lease {
    fn begin(
        store: &ObjectStore,
        scope: &str,
        written: (Sheet, Version),
        begun: Duration,
    ) -> Arc<dyn Lock> {
        let lease = Arc::new(Self {
            store: store.clone(),
            scope: scope.to_owned(),
            epoch: written.0.epoch,
            reach: (written.0.reach, Cell::new(written.0.reach)),
            clean: AtomicBool::new(written.0.clean),
            written: Mutex::new(Some(written)),
            until: Cell::new(begun + sure(store.manners.lease)),
            lost: Cell::default(),
            heart: Cell::default(),
        });
        let heart = tokio::spawn(beat(Arc::downgrade(&lease), store.clone()));
        *open(&lease.heart) = Some(heart.abort_handle());
        lease
    }

    fn deposed(&self) -> Option<StoreError> {
        open(&self.lost).clone().map(StoreError::Deposed)
    }

    fn lose(&self, to: String) -> StoreError {
        *open(&self.lost) = Some(to.clone());
        StoreError::Deposed(to)
    }

    /// Rewrites the lock. What a write of this process left, of which no answer came, is
    /// taken for what it is.
    async fn renew(&self) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        if let Some(error) = self.deposed() {
            return Err(error);
        }
        let Some((sheet, version)) = written.as_mut() else {
            return Err(self.lose("nobody: it was let go of".to_owned()));
        };
        sheet.beat += 1;
        sheet.reach = *open(&self.reach.1);
        let begun = self.store.manners.pace.now();
        self.put(sheet, version).await?;
        *open(&self.until) = begun + sure(self.store.manners.lease);
        Ok(())
    }

    async fn put(&self, sheet: &Sheet, version: &mut Version) -> Result<(), StoreError> {
        loop {
            let put = self.store.write(&key(&self.scope), &bytes(sheet), Some(version)).await?;
            if let Some(new) = put {
                *version = new;
                return Ok(());
            }
            match read(&self.store, &self.scope).await? {
                Some(found) if found.own && found.sheet.epoch == self.epoch => {
                    *version = found.version;
                }
                Some(Found { sheet: Sheet { holder: Some(other), .. }, .. }) => {
                    return Err(self.lose(other.to_string()));
                }
                Some(_) | None => return Err(self.lose("nobody: it was unlocked".to_owned())),
            }
        }
    }
}

/// How much of a lease its holder relies on.
fn sure(lease: Duration) -> Duration {
    lease / 4 * 3
}

/// Renews a lease while anybody holds it.
async fn beat(lease: Weak<Lease>, store: ObjectStore) {
    let whole = store.manners.lease;
    let mut pause = whole / 3;
    loop {
        store.manners.pace.sleep(pause).await;
        let Some(lease) = lease.upgrade() else { return };
        pause = match lease.renew().await {
            Ok(()) => whole / 3,
            Err(StoreError::Deposed(_)) => return,
            Err(_) => whole / 12,
        };
    }
}

#[async_trait]
impl Lock for Lease {
    async fn confirm(&self) -> Result<(), StoreError> {
        if let Some(error) = self.deposed() {
            return Err(error);
        }
        if self.store.manners.pace.now() < *open(&self.until) {
            return Ok(());
        }
        // This process has slept, or the store has not answered for long. Only the store
        // knows whether somebody else has taken over.
        self.renew().await
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }

    fn is_clean(&self) -> bool {
        self.clean.load(Ordering::SeqCst)
    }

    fn settle(&self) {
        self.clean.store(true, Ordering::SeqCst);
    }

    fn taint(&self) {
        self.clean.store(false, Ordering::SeqCst);
    }

    fn reached(&self, reach: Reach) {
        *open(&self.reach.1) = Some(reach);
    }

    fn reach(&self) -> Option<Reach> {
        self.reach.0
    }

    async fn release(&self) -> Result<(), StoreError> {
        if let Some(heart) = open(&self.heart).take() {
            heart.abort();
        }
        let Some((sheet, mut version)) = self.written.lock().await.take() else { return Ok(()) };
        let (reach, clean) = (*open(&self.reach.1), self.is_clean());
        let free = Sheet { holder: None, reach, clean, ..sheet };
        match self.put(&free, &mut version).await {
            // Somebody else's by now: nothing to let go of.
            Ok(()) | Err(StoreError::Deposed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(heart) = open(&self.heart).take() {
            heart.abort();
        }
    }
}
