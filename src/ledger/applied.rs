//! What stood at the end of the last apply: by it changes of other hands are told from
//! changes of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::cloud::Observed;
use crate::kinds::{KindName, Spec};
use crate::model::{Address, CloudId, Moment};

/// The format that this version writes.
const FORMAT: u32 = 1;

/// What stood at the end of an apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The format that it is written in.
    pub format: u32,
    /// The number of the apply.
    pub number: u64,
    /// When it ended.
    pub at: Moment,
    /// The objects.
    pub objects: BTreeMap<CloudId, Stood>,
    /// Kinds that could not be seen then.
    pub blind: BTreeSet<KindName>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stood {
    /// Where it was declared.
    pub address: Address,
    /// How often the address had been replaced.
    pub generation: u32,
    /// What it was.
    #[serde(flatten)]
    pub spec: Spec,
}

impl Applied {
    /// What the cloud shows now.
    pub fn of(number: u64, at: Moment, observed: &Observed) -> Self {
        let live = observed.live.iter().filter(|(_, live)| live.phase.stands());
        let objects = live.filter_map(|(id, live)| {
            let (address, generation) = (live.owner.address.clone(), live.owner.generation);
            Some((id.clone(), Stood { address, generation, spec: live.spec()?.clone() }))
        });
        let blind = observed.blind.keys().copied().collect();
        Self { format: FORMAT, number, at, objects: objects.collect(), blind }
    }

    fn key(number: u64) -> String {
        format!("applied/{number:010}")
    }

    /// Writes it, and lets go of the ones before.
    pub(super) async fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        let key = Self::key(self.number);
        let bytes = serde_json::to_vec(self)
            .map_err(|error| StoreError::Io { place: key.clone(), problem: error.to_string() })?;
        match store.create_new(&key, &bytes).await {
            Ok(_) => {}
            // Of an apply that died before it was folded: its number is used again.
            Err(StoreError::Exists(_)) => {
                if let Some(blob) = store.get(&key).await? {
                    store.replace_if(&key, &bytes, &blob.version).await?;
                }
            }
            Err(error) => return Err(error),
        }
        for old in store.list("applied/").await?.into_iter().filter(|old| *old != key) {
            store.remove(&old).await?;
        }
        Ok(())
    }

    /// What stood at the end of the last apply that got so far.
    pub async fn last(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let Some(key) = store.list("applied/").await?.pop() else { return Ok(None) };
        let Some(blob) = store.get(&key).await? else { return Ok(None) };
        let corrupt = |problem| StoreError::Corrupt { place: key.clone(), problem };
        let applied: Self = serde_json::from_slice(&blob.bytes)
            .map_err(|error| corrupt(format!("it cannot be read ({error})")))?;
        if applied.format > FORMAT {
            return Err(corrupt("a newer mlinfra wrote it: use that one".to_owned()));
        }
        Ok(Some(applied))
    }
}
