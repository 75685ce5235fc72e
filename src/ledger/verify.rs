//! The whole ledger, checked: every state that is kept, and the records after each, are one
//! chain of checksums. What is damaged is named, with the last point up to which all is good.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::chain::{Chain, state_key};
use super::state::previous;
use super::store::hex;
use super::{Applied, Journal, Ledger, Reach, Store, StoreError, history};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file or key.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many states were read: the one in force, and former ones.
    pub states: u64,
    /// How many records were read.
    pub records: u64,
    /// Up to where all is good.
    pub good: Option<Reach>,
    /// What is not.
    pub damage: Vec<Damage>,
}

impl Report {
    /// Takes a part in, or what is wrong with it. What only hinders reading is passed on.
    fn take<T>(&mut self, part: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match part {
            Ok(part) => Ok(Some(part)),
            Err(StoreError::Corrupt { place, problem }) => {
                self.damage.push(Damage { place, problem });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn wrong(&mut self, place: &str, problem: impl Into<String>) {
        self.damage.push(Damage { place: place.to_owned(), problem: problem.into() });
    }
}

/// Reads everything that a store holds of a ledger.
pub async fn verify(store: &dyn Store, scope: &str) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut keys: Vec<(Option<u64>, String)> = Vec::new();
    for key in store.list("backups/").await? {
        match key.strip_prefix("backups/").and_then(|number| number.parse().ok()) {
            Some(serial) => keys.push((Some(serial), key)),
            None => report.wrong(&key, "it is none of the ledger's"),
        }
    }
    keys.push((None, "state".to_owned()));
    let kept = oldest_journal(store, &keys).await?;
    // The checksum of the state before, and its number.
    let mut before: Option<(u64, String)> = None;
    let mut seen = BTreeSet::new();
    for (number, key) in keys {
        let Some(blob) = report.take(store.get(&key).await)?.flatten() else { continue };
        report.states += 1;
        let Some(ledger) = report.take(Ledger::from_bytes(&key, &blob.bytes))? else { continue };
        let serial = ledger.serial;
        if number.is_some_and(|number| number != serial) {
            report.wrong(&key, format!("it holds state {serial}"));
        }
        let told = previous(&blob.bytes);
        if let Some((former, sum)) = before.filter(|(former, _)| former + 1 == serial)
            && told.as_deref() != Some(sum.as_str())
        {
            report.wrong(&key, format!("it does not follow from state {former} that is kept"));
        }
        let sum = hex(&Sha256::digest(&blob.bytes));
        seen.insert(serial);
        if serial >= kept {
            journal(store, serial, &sum, &mut report).await?;
        }
        before = Some((serial, sum));
    }
    if seen.is_empty() {
        journal(store, 0, "", &mut report).await?;
    }
    let opened = Journal::open(store, "").await;
    let lock = store.look_at_lock(scope).await?;
    if let Some(journal) = report.take(opened)?
        && let Some(told) = lock.reach
        && journal.reach() < told
    {
        let here = journal.reach();
        let problem = format!(
            "the ledger reached state {} and record {}, and ends at state {} and record {}",
            told.serial, told.records, here.serial, here.records
        );
        report.wrong(&state_key(&told, &here), problem);
    }
    beside(store, &mut report).await?;
    report.damage.dedup_by(|one, other| one.place == other.place);
    Ok(report)
}

/// The first state whose journal is still needed: the one before the state in force. Those
/// before it are let go when a state is written, many records at once, so that a writer
/// that dies there leaves some of them, which nobody reads and the next writer removes.
async fn oldest_journal(
    store: &dyn Store,
    states: &[(Option<u64>, String)],
) -> Result<u64, StoreError> {
    let in_force = match store.get("state").await {
        Ok(blob) => blob.and_then(|blob| Ledger::from_bytes("state", &blob.bytes).ok()),
        Err(StoreError::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    // One that is lost followed the last former one.
    let former = states.iter().filter_map(|(serial, _)| *serial).max();
    let in_force = in_force.map_or_else(|| former.map_or(0, |last| last + 1), |state| state.serial);
    Ok(in_force.saturating_sub(1))
}

/// What is kept beside states and journals: the history, its configurations, and what the
/// last apply left.
async fn beside(store: &dyn Store, report: &mut Report) -> Result<(), StoreError> {
    let state = report.take(store.get("state").await)?.flatten();
    let ledger = state.and_then(|blob| Ledger::from_bytes("state", &blob.bytes).ok());
    if let Some(ledger) = ledger {
        let chain = history::verify(store, &ledger).await;
        report.take(chain)?;
    }
    let config = history::bad_config(store).await;
    if let Some(key) = report.take(config)?.flatten() {
        report.wrong(&key, "it is not the configuration that its name says");
    }
    for error in Applied::verify(store).await? {
        report.take(Err::<(), _>(error))?;
    }
    Ok(())
}

/// The records that follow one state.
async fn journal(
    store: &dyn Store,
    serial: u64,
    sum: &str,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut chain = Chain::after(serial, sum);
    let read = chain.read(store, |_| {}).await;
    let whole = report.take(read)?.is_some();
    report.records += chain.records;
    // Damage further up is not outweighed by what is good further down.
    if report.damage.is_empty() || (!whole && report.damage.len() == 1) {
        report.good = Some(Reach { serial, records: chain.records });
    }
    Ok(())
}
