//! Reads and conditional writes in an object store, from which a ledger is made.
//!
//! Every write carries a nonce of its own. When the store says that a condition does not
//! hold (412), the object is read: under the write's own nonce it was carried out before,
//! by a request whose answer was lost; otherwise somebody else's stands there. A conflict
//! (409) says neither: the object is read, and the write is sent again a few times. The
//! two are never mixed. Every object also carries a checksum of its key and content.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::objects::{Miss, Objects, Pace};
use super::store::hex;
use super::{Blob, Holder, StoreError, Version};

/// How often one write is sent.
const TRIES: u32 = 5;
/// The first pause between two of them; the others double.
const PAUSE: Duration = Duration::from_millis(200);
/// What every object begins with.
const MAGIC: &str = "mlinfra-ledger-1";

/// Told while a lock is waited for: by whom it is held, and how long it will be watched.
pub type Waiting = Arc<dyn Fn(&Holder, Duration) + Send + Sync>;

/// How a process uses an object store.
#[derive(Clone)]
pub struct Manners {
    /// Random, once per process.
    pub nonce: String,
    /// How long a lock lasts without a sign of life.
    pub lease: Duration,
    /// The clock.
    pub pace: Arc<dyn Pace>,
    /// Who is told of waiting.
    pub waiting: Waiting,
}

/// A ledger in an object store.
#[derive(Clone)]
pub struct ObjectStore {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) manners: Manners,
    count: Arc<AtomicU64>,
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStore").field("place", &self.objects.place()).finish_non_exhaustive()
    }
}

/// An object that was read.
pub(super) struct Read {
    /// Of the write that made it.
    pub nonce: String,
    pub bytes: Vec<u8>,
    pub version: Version,
}

fn sum(nonce: &str, key: &str, bytes: &[u8]) -> String {
    let head = format!("{nonce}\n{key}\n");
    hex(&Sha256::new().chain_update(head).chain_update(bytes).finalize())
}

/// `magic nonce checksum\n content`
fn seal(nonce: &str, key: &str, bytes: &[u8]) -> Vec<u8> {
    let mut sealed = format!("{MAGIC} {nonce} {}\n", sum(nonce, key, bytes)).into_bytes();
    sealed.extend_from_slice(bytes);
    sealed
}

fn unseal(key: &str, sealed: &[u8]) -> Result<(String, Vec<u8>), &'static str> {
    let strange = "it is not an object of a ledger";
    let end = sealed.iter().position(|byte| *byte == b'\n').ok_or(strange)?;
    let head = std::str::from_utf8(&sealed[..end]).map_err(|_| strange)?;
    let words: Vec<&str> = head.split(' ').collect();
    let [MAGIC, nonce, told] = words[..] else { return Err(strange) };
    let bytes = &sealed[end + 1..];
    if sum(nonce, key, bytes) != told {
        return Err("its checksum does not match its content");
    }
    Ok((nonce.to_owned(), bytes.to_vec()))
}

impl ObjectStore {
    /// A ledger among these objects.
    pub fn new(objects: Arc<dyn Objects>, manners: Manners) -> Self {
        Self { objects, manners, count: Arc::default() }
    }

    fn io(&self, key: &str, problem: String) -> StoreError {
        StoreError::Io { place: self.place(key), problem }
    }

    pub(super) fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.objects.place())
    }

    pub(super) fn fresh(&self) -> String {
        format!("{}-{}", self.manners.nonce, self.count.fetch_add(1, Ordering::SeqCst))
    }

    /// Whether a write under this nonce was one of this process.
    pub(super) fn is_own(&self, nonce: &str) -> bool {
        nonce.rsplit_once('-').is_some_and(|(process, _)| process == self.manners.nonce)
    }

    /// Sends a call until it is answered, a few times. A condition that does not hold is an
    /// answer.
    pub(super) async fn answered<T, F>(
        &self,
        key: &str,
        call: impl Fn() -> F,
    ) -> Result<Option<T>, StoreError>
    where
        F: Future<Output = Result<T, Miss>>,
    {
        let mut pause = PAUSE;
        let mut last = String::new();
        for _ in 0..TRIES {
            last = match call().await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Miss::Condition) => return Ok(None),
                Err(Miss::Refused(text)) => return Err(self.io(key, text)),
                Err(Miss::Conflict) => "others write to it at the same time".to_owned(),
                Err(Miss::Unanswered(text)) => text,
            };
            self.manners.pace.sleep(pause).await;
            pause *= 2;
        }
        Err(self.io(key, format!("{last} ({TRIES} tries)")))
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Read>, StoreError> {
        let Some(blob) = self.sealed(key).await? else { return Ok(None) };
        self.opened(key, blob).map(Some)
    }

    /// An object as it stands there, damaged or not.
    pub(super) async fn sealed(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        Ok(self.answered(key, || self.objects.get(key)).await?.flatten())
    }

    pub(super) fn opened(&self, key: &str, blob: Blob) -> Result<Read, StoreError> {
        let Blob { bytes, version } = blob;
        let (nonce, bytes) = unseal(key, &bytes).map_err(|problem| StoreError::Corrupt {
            place: self.place(key),
            problem: problem.to_owned(),
        })?;
        Ok(Read { nonce, bytes, version })
    }

    /// One conditional write. `None` says that somebody else's stands there.
    pub(super) async fn write(
        &self,
        key: &str,
        bytes: &[u8],
        condition: Option<&Version>,
    ) -> Result<Option<Version>, StoreError> {
        let nonce = self.fresh();
        let sealed = seal(&nonce, key, bytes);
        let mut pause = PAUSE;
        let mut last = String::new();
        for _ in 0..TRIES {
            let answer = match condition {
                None => self.objects.put_new(key, &sealed).await,
                Some(version) => self.objects.put_if(key, &sealed, version).await,
            };
            match answer {
                Ok(version) => return Ok(Some(version)),
                Err(Miss::Refused(text)) => return Err(self.io(key, text)),
                Err(Miss::Condition) => {
                    let found = self.read(key).await?;
                    return Ok(found.filter(|found| found.nonce == nonce).map(|own| own.version));
                }
                Err(Miss::Conflict) => {
                    let found = self.read(key).await?;
                    let now = found.as_ref().map(|found| &found.version);
                    match found.as_ref().filter(|found| found.nonce == nonce) {
                        Some(own) => return Ok(Some(own.version.clone())),
                        None if now != condition => return Ok(None),
                        None => last = "others write to it at the same time".to_owned(),
                    }
                }
                // It may have taken effect. Sent again it will say so.
                Err(Miss::Unanswered(text)) => last = text,
            }
            self.manners.pace.sleep(pause).await;
            pause *= 2;
        }
        Err(self.io(key, format!("{last} ({TRIES} tries)")))
    }

    /// Refuses a store that takes conditional writes and ignores their conditions: with it
    /// two applies at once would both believe to be alone.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let key = format!("probe/{}", self.fresh());
        let objects = &self.objects;
        let first = self.answered(&key, || objects.put_new(&key, b"first")).await?;
        let anew = self.answered(&key, || objects.put_new(&key, b"anew")).await?;
        let stale = match (&first, anew.is_some()) {
            (Some(first), false) => {
                self.answered(&key, || objects.put_if(&key, b"second", first)).await?;
                self.answered(&key, || objects.put_if(&key, b"stale", first)).await?
            }
            (_, _) => None,
        };
        self.answered(&key, || objects.delete(&key)).await?;
        let ignored = match (anew, stale) {
            (Some(_), _) => "If-None-Match",
            (None, Some(_)) => "If-Match",
            (None, None) => return Ok(()),
        };
        Err(StoreError::Unfit {
            place: self.objects.place(),
            problem: format!(
                "it ignores {ignored}: a write that must not replace anything did. Two applies \
                 at once would both believe to be alone"
            ),
        })
    }
}
