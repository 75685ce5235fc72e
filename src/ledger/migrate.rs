//! A ledger from one store to another: whole, once, and never over another history.
//!
//! What is copied first is not looked at before the state stands: dying anywhere on the way
//! leaves a ledger that can be moved again. Last, the state that was left behind is replaced
//! by a word that says where it went, so that nobody goes on writing there: two ledgers with
//! one name would hand out the same tokens twice.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::state::Gone;
use super::store::hex;
use super::{Blob, Journal, Ledger, Lock, Store, StoreError};
use crate::model::Moment;

/// What has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// There was nothing to move.
    Nothing,
    /// It stood there before.
    Already,
    /// It is moved: its serial, and how many applies it remembers.
    Moved(u64, usize),
}

/// One end of the way.
pub struct End<'s> {
    /// The store.
    pub store: &'s dyn Store,
    /// Its lock.
    pub lock: &'s Arc<dyn Lock>,
    /// Its name for people.
    pub place: &'s str,
}

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl End<'_> {
    fn refused(&self, problem: &str) -> StoreError {
        StoreError::Taken { place: self.place.to_owned(), problem: problem.to_owned() }
    }

    async fn state(&self) -> Result<Option<Blob>, StoreError> {
        self.store.get("state").await
    }

    /// Whether this ledger was, at some time, exactly this state.
    async fn has_been(&self, serial: u64, sha256: &str) -> Result<bool, StoreError> {
        for key in ["state".to_owned(), format!("backups/{serial:010}")] {
            if self.store.get(&key).await?.is_some_and(|blob| sum(&blob.bytes) == sha256) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// No record stands behind the state.
    async fn is_folded(&self, serial: u64) -> Result<bool, StoreError> {
        Ok(self.store.list(&format!("journal/{serial:010}/")).await?.is_empty())
    }
}

/// Moves a ledger. Both locks are held.
pub async fn migrate(from: &End<'_>, to: &End<'_>, now: Moment) -> Result<Migrated, StoreError> {
    if let Some(gone) = from.state().await?.and_then(|blob| Gone::read(&blob.bytes)) {
        return match to.has_been(gone.serial, &gone.sha256).await? {
            true => Ok(Migrated::Already),
            false => Err(StoreError::Moved { place: from.place.to_owned(), to: gone.moved_to }),
        };
    }
    let mut journal = Journal::write(from.store, "", from.lock).await?;
    if journal.ledger.is_blank() {
        return Ok(Migrated::Nothing);
    }
    // A fence alone is folded too: then a state is all there is to copy.
    if journal.reach().records > 0 {
        journal.finish(now).await?;
    }
    let Some(state) = from.state().await? else { return Ok(Migrated::Nothing) };
    let ledger = Ledger::from_bytes("state", &state.bytes)?;
    let there = to.state().await?;
    let ours = (ledger.serial, sum(&state.bytes));
    match &there {
        Some(blob) if blob.bytes == state.bytes => {}
        // Cut off before the last word, and used since.
        Some(_) if to.has_been(ours.0, &ours.1).await? => {}
        Some(blob) => over(from, to, &ledger, blob).await?,
        // Fences of those who looked in do not count.
        None if Journal::open(to.store, "").await?.ledger.is_blank() => {}
        None => return Err(to.refused("an apply that was cut off has left records there")),
    }
    if !to.has_been(ours.0, &ours.1).await? {
        copy(from, to, &state, there.as_ref()).await?;
    }
    let gone = Gone::new(to.place, &ledger.lineage, ours.0, ours.1);
    from.store.replace_if("state", &gone.to_bytes(), &state.version).await?;
    Ok(Migrated::Moved(ledger.serial, ledger.applies.len()))
}

/// Whether what stands there may be replaced: it must be an earlier state of this ledger.
async fn over(
    from: &End<'_>,
    to: &End<'_>,
    ledger: &Ledger,
    there: &Blob,
) -> Result<(), StoreError> {
    let (lineage, serial, sha256) = match Gone::read(&there.bytes) {
        Some(Gone { lineage, serial, sha256, .. }) => (lineage, serial, sha256),
        None => {
            if Journal::open(to.store, "").await?.ledger.is_blank() {
                return Ok(());
            }
            let other = Ledger::from_bytes("state", &there.bytes)?;
            if !to.is_folded(other.serial).await? {
                return Err(to.refused("an apply that was cut off has left records there"));
            }
            (other.lineage, other.serial, sum(&there.bytes))
        }
    };
    if lineage != ledger.lineage {
        return Err(to.refused("another ledger stands there, with a history of its own"));
    }
    if serial > ledger.serial {
        return Err(to.refused("the ledger there is newer than the one to be moved"));
    }
    if !from.has_been(serial, &sha256).await? {
        return Err(to.refused("the ledger there has a history that the one to be moved lacks"));
    }
    Ok(())
}

async fn copy(
    from: &End<'_>,
    to: &End<'_>,
    state: &Blob,
    there: Option<&Blob>,
) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    for beside in ["backups/", "configs/", "history/", "applied/"] {
        keys.extend(from.store.list(beside).await?);
    }
    for key in keys {
        let Some(blob) = from.store.get(&key).await? else { continue };
        match to.store.create_new(&key, &blob.bytes).await {
            Ok(_) => {}
            Err(StoreError::Exists(_)) => {
                // Left by an earlier move, or by one that was cut off.
                let old = to.store.get(&key).await?.filter(|old| old.bytes != blob.bytes);
                if let Some(old) = old {
                    to.store.replace_if(&key, &blob.bytes, &old.version).await?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    to.lock.confirm().await?;
    match there {
        Some(old) => to.store.replace_if("state", &state.bytes, &old.version).await?,
        None => to.store.create_new("state", &state.bytes).await?,
    };
    Ok(())
}
