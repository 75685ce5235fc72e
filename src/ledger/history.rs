//! What is kept of every apply for good: one record each, created once only, chained by
//! checksum; and the configurations that they were made from.
//!
//! `history/<n>` holds the record, `configs/<sha256>` a configuration, `applied/<n>` what
//! stood at the end of the last apply. The state names the last record with its checksum,
//! so that neither a record in the middle nor the last one can be changed unseen.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::hex;
use super::{Applied, Apply, Journal, Ledger, Store, StoreError};

/// The format of records that this version writes.
const FORMAT: u32 = 1;
/// A configuration with more bytes is not kept.
const LARGEST: usize = 8 << 20;

/// The last record of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// The checksum of its bytes.
    pub sha256: String,
}

/// A record of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The format that it is written in.
    pub format: u32,
    /// The checksum of the record before; empty for the first.
    pub prev_sha256: String,
    /// The apply.
    pub apply: Apply,
}

fn key(number: u64) -> String {
    format!("history/{number:010}")
}

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Writes the applies that have no record yet, oldest first, and says so in the ledger.
pub(super) async fn keep(store: &dyn Store, ledger: &mut Ledger) -> Result<(), StoreError> {
    let mut head = ledger.history.clone();
    let last = ledger.applies.len().saturating_sub(1);
    let mut shift = 0;
    for (at, apply) in ledger.applies.iter_mut().enumerate() {
        apply.number += shift;
        // One that has not ended may still go on, unless another one began after it.
        if apply.number <= head.number || (apply.ended.is_none() && at == last) {
            continue;
        }
        let wanted = apply.number;
        head = write(store, &head, apply).await?;
        shift += apply.number - wanted;
    }
    ledger.total += shift;
    ledger.history = head;
    Ok(())
}

async fn write(store: &dyn Store, head: &Head, apply: &mut Apply) -> Result<Head, StoreError> {
    let mut prev = head.clone();
    loop {
        let record =
            Kept { format: FORMAT, prev_sha256: prev.sha256.clone(), apply: apply.clone() };
        let bytes = serde_json::to_vec_pretty(&record).map_err(|error| StoreError::Io {
            place: key(apply.number),
            problem: error.to_string(),
        })?;
        match store.create_new(&key(apply.number), &bytes).await {
            Ok(_) => {}
            // Our own write before a crash, or records that a lost state did not know.
            Err(StoreError::Exists(_)) => {
                let there = store.get(&key(apply.number)).await?;
                if there.is_none_or(|blob| blob.bytes != bytes) {
                    prev = end(store).await?;
                    apply.number = prev.number + 1;
                    continue;
                }
            }
            Err(error) => return Err(error),
        }
        return Ok(Head { number: apply.number, sha256: sum(&bytes) });
    }
}

/// The last record that the store holds.
async fn end(store: &dyn Store) -> Result<Head, StoreError> {
    let Some(last) = store.list("history/").await?.pop() else { return Ok(Head::default()) };
    let number = last.rsplit('/').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let bytes = store.get(&last).await?.map(|blob| blob.bytes).unwrap_or_default();
    Ok(Head { number, sha256: sum(&bytes) })
}

/// One record, with its checksum.
pub async fn record(store: &dyn Store, number: u64) -> Result<Option<(Kept, String)>, StoreError> {
    let Some(blob) = store.get(&key(number)).await? else { return Ok(None) };
    let corrupt = |problem: String| StoreError::Corrupt { place: key(number), problem };
    let kept: Kept = serde_json::from_slice(&blob.bytes)
        .map_err(|error| corrupt(format!("it is not a record of an apply ({error})")))?;
    if kept.format > FORMAT {
        let problem = format!("a newer mlinfra wrote it, in format {}: use that one", kept.format);
        return Err(corrupt(problem));
    }
    Ok(Some((kept, sum(&blob.bytes))))
}

/// Every apply, oldest first: those that have a record, and those that have none yet.
pub async fn all(store: &dyn Store, ledger: &Ledger) -> Result<Vec<Apply>, StoreError> {
    let mut out = Vec::new();
    for number in numbers(store).await? {
        if let Some((kept, _)) = record(store, number).await? {
            out.push(kept.apply);
        }
    }
    let last = out.last().map_or(0, |apply: &Apply| apply.number);
    out.extend(ledger.applies.iter().filter(|apply| apply.number > last).cloned());
    Ok(out)
}

/// The last few, oldest first.
pub async fn last(
    store: &dyn Store,
    ledger: &Ledger,
    most: usize,
) -> Result<Vec<Apply>, StoreError> {
    let numbers = numbers(store).await?;
    let mut out = Vec::new();
    for number in &numbers[numbers.len().saturating_sub(most)..] {
        if let Some((kept, _)) = record(store, *number).await? {
            out.push(kept.apply);
        }
    }
    let last = out.last().map_or(0, |apply: &Apply| apply.number);
    out.extend(ledger.applies.iter().filter(|apply| apply.number > last).cloned());
    out.drain(..out.len().saturating_sub(most));
    Ok(out)
}

async fn numbers(store: &dyn Store) -> Result<Vec<u64>, StoreError> {
    let keys = store.list("history/").await?;
    Ok(keys.iter().filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect())
}

/// Follows the chain from its end, which the state names, to its beginning; says how many
/// records it has, or up to which it is good.
pub async fn verify(store: &dyn Store, ledger: &Ledger) -> Result<u64, StoreError> {
    let numbers = numbers(store).await?;
    let last = numbers.last().copied().unwrap_or(0).max(ledger.history.number);
    let mut bad: Option<(u64, String)> = None;
    // What the record after says of this one; none where nobody trustworthy says anything.
    let mut told: Option<String> = None;
    for number in (1..=last).rev() {
        if ledger.history.number == number {
            told = Some(ledger.history.sha256.clone());
        }
        let problem = match record(store, number).await {
            Ok(None) => Some("the record is missing".to_owned()),
            Err(StoreError::Corrupt { problem, .. }) => Some(problem),
            Err(error) => return Err(error),
            Ok(Some((_, sum))) if told.as_ref().is_some_and(|told| *told != sum) => {
                Some("the record was changed".to_owned())
            }
            Ok(Some((kept, _))) if kept.apply.number != number => {
                Some("it is the record of another apply".to_owned())
            }
            Ok(Some((kept, _))) => {
                told = Some(kept.prev_sha256);
                None
            }
        };
        if let Some(problem) = problem {
            (bad, told) = (Some((number, problem)), None);
        }
    }
    match bad {
        None => Ok(last),
        Some((number, problem)) => {
            let problem = format!("{problem}; the history is good up to apply {}", number - 1);
            Err(StoreError::Corrupt { place: key(number), problem })
        }
    }
}

/// The first configuration that is not what its name says.
pub(super) async fn bad_config(store: &dyn Store) -> Result<Option<String>, StoreError> {
    for key in store.list("configs/").await? {
        let bytes = store.get(&key).await?.map(|blob| blob.bytes).unwrap_or_default();
        if key.strip_prefix("configs/") != Some(sum(&bytes).as_str()) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Keeps a configuration under its digest, unless it is there or too large; says whether it
/// is kept.
async fn keep_config(store: &dyn Store, digest: &str, bytes: &[u8]) -> Result<bool, StoreError> {
    if bytes.len() > LARGEST {
        return Ok(false);
    }
    match store.create_new(&format!("configs/{digest}"), bytes).await {
        Ok(_) | Err(StoreError::Exists(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// A configuration by its digest.
pub async fn config(store: &dyn Store, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(store.get(&format!("configs/{digest}")).await?.map(|blob| blob.bytes))
}

impl Journal<'_> {
    /// Keeps a configuration; says whether it is kept.
    pub async fn keep_config(&self, digest: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        keep_config(self.store, digest, bytes).await
    }

    /// Keeps what stands at the end of an apply.
    pub async fn keep_applied(&self, applied: &Applied) -> Result<(), StoreError> {
        applied.keep(self.store).await
    }
}
