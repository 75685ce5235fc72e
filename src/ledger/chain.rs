//! The records of a journal: each holds the checksum of the one before it, and the first that
//! of the state that it follows.

use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::hex;
use super::{Entry, Reach, Store, StoreError};

/// How many records are read or removed at once.
pub(super) const AT_ONCE: usize = 16;

/// A record: an entry, or the fence of a writer that has taken over.
#[derive(Serialize, Deserialize)]
pub(super) struct Chained {
    pub prev_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
}

/// Where a record stands.
pub(super) fn key(serial: u64, seq: u64) -> String {
    format!("journal/{serial:010}/{seq:08}")
}

/// The records that follow a state, as far as they were read.
pub(super) struct Chain {
    serial: u64,
    /// How many.
    pub records: u64,
    /// The checksum of the last.
    pub sum: String,
}

impl Chain {
    /// Those that follow a state of this number and checksum.
    pub fn after(serial: u64, sum: &str) -> Self {
        Self { serial, records: 0, sum: sum.to_owned() }
    }

    /// Reads them all, in order, up to the first that is missing or damaged.
    pub async fn read(
        &mut self,
        store: &dyn Store,
        mut fold: impl FnMut(&Entry),
    ) -> Result<(), StoreError> {
        let keys = store.list(&format!("journal/{:010}/", self.serial)).await?;
        let reads = keys.into_iter().map(|key| async move { (store.get(&key).await, key) });
        let mut reads = stream::iter(reads).buffered(AT_ONCE);
        while let Some((blob, at)) = reads.next().await {
            let good = self.records;
            let corrupt = |problem: &str| StoreError::Corrupt {
                place: at.clone(),
                problem: format!("{problem}; the ledger is good up to record {good}"),
            };
            if let Err(StoreError::Corrupt { problem, .. }) = &blob {
                return Err(corrupt(problem));
            }
            let Some(blob) = blob? else { return Err(corrupt("the record is missing")) };
            let chained: Chained = serde_json::from_slice(&blob.bytes)
                .map_err(|_| corrupt("the record cannot be read"))?;
            if chained.prev_sha256 != self.sum || at != key(self.serial, good) {
                return Err(corrupt("a record before it is missing or changed"));
            }
            if let Some(entry) = &chained.entry {
                fold(entry);
            }
            self.sum = hex(&Sha256::digest(&blob.bytes));
            self.records += 1;
        }
        Ok(())
    }
}

/// What is missing when a ledger should reach further than it does.
pub(super) fn state_key(told: &Reach, here: &Reach) -> String {
    if told.serial > here.serial { "state".to_owned() } else { key(here.serial, here.records) }
}
