//! What stood at the end of the last apply: by it changes of other hands are told from
//! changes of the configuration.
//!
//! The last field of the object, `sha256`, is the checksum of the object without it. Byte
//! for byte: a flip in it can no more pass for drift than one in the state for intent.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::hex;
use super::{Store, StoreError};
use crate::cloud::{Live, Observed, Phase, Seen};
use crate::kinds::{KindName, Spec};
use crate::model::{Address, CloudId, Moment};

/// The format that this version writes. The first one had no checksum.
const FORMAT: u32 = 2;
const UNSEALED: u32 = 1;
/// What stands around the checksum.
const SEAL: (&[u8], &[u8]) = (b",\"sha256\":\"", b"\"}");
/// The field with what stood, and how far in front it begins at most.
const OBJECTS: &[u8] = b"\"objects\":";
const HEAD: usize = 200;
/// Digits of a checksum.
const DIGITS: usize = 64;
const PREFIX: &str = "applied/";
const GOOD: &str = "state, journal and history do not depend on it";

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

/// What the ledger holds of the last apply, against what the cloud shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Baseline {
    /// Nothing: none got so far, or it was lost.
    Absent,
    /// The cloud shows just that.
    Same {
        /// The number of the apply.
        number: u64,
    },
    /// The cloud may show something else.
    Other(Applied),
}

/// The end of the object as it would be written now.
#[derive(Serialize)]
struct Now<'a> {
    objects: BTreeMap<&'a CloudId, Stands<'a>>,
    blind: BTreeSet<KindName>,
}

#[derive(Serialize)]
struct Stands<'a> {
    address: &'a Address,
    generation: u32,
    #[serde(flatten)]
    spec: &'a Spec,
}

impl Applied {
    /// What the cloud shows now.
    pub fn of(number: u64, at: Moment, observed: Observed) -> Self {
        let live = observed.live.into_iter().filter(|(_, live)| live.phase.stands());
        let objects = live.filter_map(|(id, live)| match live.seen {
            Seen::Spec(spec) => {
                let (address, generation) = (live.owner.address, live.owner.generation);
                Some((id, Stood { address, generation, spec }))
            }
            Seen::Blind(_) => None,
        });
        let blind = observed.blind.into_keys().collect();
        Self { format: FORMAT, number, at, objects: objects.collect(), blind }
    }

    fn key(number: u64) -> String {
        format!("{PREFIX}{number:010}")
    }

    fn to_bytes(&self, place: &str) -> Result<Vec<u8>, StoreError> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| StoreError::Io {
            place: place.to_owned(),
            problem: error.to_string(),
        })?;
        let sum = hex(&Sha256::digest(&bytes));
        // Behind the last field, in front of the brace that ends the object.
        bytes.pop();
        bytes.extend([SEAL.0, sum.as_bytes(), SEAL.1].concat());
        Ok(bytes)
    }

    /// Reads what [`Applied::to_bytes`] wrote, and trusts nothing.
    fn from_bytes(key: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let corrupt = |problem: &str| corrupt(key, problem);
        let sealed = whole(key, bytes)?;
        let applied: Self = serde_json::from_slice(bytes)
            .map_err(|error| corrupt(&format!("it cannot be read ({error})")))?;
        if applied.format > FORMAT {
            return Err(corrupt("a newer mlinfra wrote it: use that one"));
        }
        if sealed.is_none() && applied.format != UNSEALED {
            return Err(corrupt("its checksum is missing"));
        }
        if Self::key(applied.number) != key {
            return Err(corrupt(&format!("it is that of apply {}", applied.number)));
        }
        Ok(applied)
    }

    /// Writes it, and lets go of the ones before.
    pub(super) async fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        let key = Self::key(self.number);
        let bytes = self.to_bytes(&key)?;
        match store.create_new(&key, &bytes).await {
            Ok(_) => {}
            // Of an apply that died before it was folded: its number is used again.
            Err(StoreError::Exists(_)) => match store.get(&key).await {
                Ok(Some(blob)) => drop(store.replace_if(&key, &bytes, &blob.version).await?),
                Ok(None) => drop(store.create_new(&key, &bytes).await?),
                Err(StoreError::Corrupt { .. }) => anew(store, &key, &bytes).await?,
                Err(error) => return Err(error),
            },
            Err(StoreError::Corrupt { .. }) => anew(store, &key, &bytes).await?,
            Err(error) => return Err(error),
        }
        for old in store.list(PREFIX).await?.into_iter().filter(|old| *old != key) {
            store.remove(&old).await?;
        }
        Ok(())
    }

    /// What stood at the end of the last apply that got so far.
    pub async fn last(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let Some(key) = store.list(PREFIX).await?.pop() else { return Ok(None) };
        Self::read(store, &key).await
    }

    /// The same, read only where the cloud shows something else: on most days it shows what
    /// it showed then, and its bytes tell.
    pub async fn against(store: &dyn Store, observed: &Observed) -> Result<Baseline, StoreError> {
        let Some(key) = store.list(PREFIX).await?.pop() else { return Ok(Baseline::Absent) };
        let Some(bytes) = get(store, &key).await? else { return Ok(Baseline::Absent) };
        let number = key.strip_prefix(PREFIX).and_then(|number| number.parse().ok());
        let failed = |live: &Live| matches!(live.phase, Phase::Failed(_));
        if let (Some(number), Some((rest, _))) = (number, whole(&key, &bytes)?)
            && !observed.live.values().any(failed)
            && Now::of(observed).ends(rest)
        {
            return Ok(Baseline::Same { number });
        }
        Self::from_bytes(&key, &bytes).map(Baseline::Other)
    }

    async fn read(store: &dyn Store, key: &str) -> Result<Option<Self>, StoreError> {
        let bytes = get(store, key).await?;
        bytes.map(|bytes| Self::from_bytes(key, &bytes)).transpose()
    }

    /// What is wrong with those that a store holds: key and problem.
    pub(super) async fn verify(store: &dyn Store) -> Result<Vec<StoreError>, StoreError> {
        let mut wrong = Vec::new();
        for key in store.list(PREFIX).await? {
            match Self::read(store, &key).await {
                Ok(_) => {}
                Err(error @ StoreError::Corrupt { .. }) => wrong.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(wrong)
    }
}

impl<'a> Now<'a> {
    fn of(observed: &'a Observed) -> Self {
        let live = observed.live.iter().filter(|(_, live)| live.phase.stands());
        let objects = live.filter_map(|(id, live)| {
            let (address, generation) = (&live.owner.address, live.owner.generation);
            Some((id, Stands { address, generation, spec: live.spec()? }))
        });
        Self { objects: objects.collect(), blind: observed.blind.keys().copied().collect() }
    }

    /// Whether an object without its seal ends like that. In front of the objects stand only
    /// numbers, so that the first place that names them is the one.
    fn ends(&self, rest: &[u8]) -> bool {
        let first = rest.windows(OBJECTS.len()).take(HEAD).position(|part| part == OBJECTS);
        let Some(tail) = first.and_then(|at| rest.get(at..)) else { return false };
        let mut likeness = Likeness { tail, begun: false, ended: false };
        // Ten thousand objects are compared as they are written, not written first.
        serde_json::to_writer(&mut likeness, self).is_ok() && likeness.tail.is_empty()
    }
}

/// Compares what is written to it with what it should be, without the braces around it.
struct Likeness<'b> {
    /// What should come next.
    tail: &'b [u8],
    begun: bool,
    ended: bool,
}

impl Write for Likeness<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let skip = usize::from(!self.begun && !bytes.is_empty());
        self.begun |= skip > 0;
        let new = &bytes[skip..];
        match self.tail.strip_prefix(new) {
            Some(tail) => self.tail = tail,
            // The brace that ends it.
            None if self.tail.is_empty() && !self.ended && new == b"}" => self.ended = true,
            None => return Err(std::io::ErrorKind::InvalidData.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn get(store: &dyn Store, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match store.get(key).await {
        Ok(blob) => Ok(blob.map(|blob| blob.bytes)),
        Err(StoreError::Corrupt { place: _, problem }) => Err(corrupt(key, &problem)),
        Err(error) => Err(error),
    }
}

/// Compares the checksum of one that has one; says what goes before the seal.
fn whole<'b>(key: &str, bytes: &'b [u8]) -> Result<Option<Sealed<'b>>, StoreError> {
    let sealed = sealed(bytes);
    if let Some((rest, sum)) = sealed {
        let found = hex(&Sha256::new().chain_update(rest).chain_update(b"}").finalize());
        if found.as_bytes() != sum {
            return Err(corrupt(key, "its checksum does not match its content"));
        }
    }
    Ok(sealed)
}

/// Writes over one that is damaged: nobody can use it any more.
async fn anew(store: &dyn Store, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
    store.remove(key).await?;
    store.create_new(key, bytes).await.map(drop)
}

/// What goes before the seal, and the checksum in it.
type Sealed<'b> = (&'b [u8], &'b [u8]);

fn sealed(bytes: &[u8]) -> Option<Sealed<'_>> {
    let at = bytes.len().checked_sub(SEAL.0.len() + DIGITS + SEAL.1.len())?;
    let (rest, seal) = bytes.split_at(at);
    Some((rest, seal.strip_prefix(SEAL.0)?.strip_suffix(SEAL.1)?))
}

fn corrupt(key: &str, problem: &str) -> StoreError {
    StoreError::Corrupt { place: key.to_owned(), problem: format!("{problem}; {GOOD}") }
}
