//! Where a ledger is kept: five calls that files, memory and S3 can all keep.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which content of a key was read: an ETag on S3, a checksum elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

impl Version {
    /// The checksum of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The content.
    pub bytes: Vec<u8>,
    /// Which content it is.
    pub version: Version,
}

/// Why a store did not do as told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// `create_new` found the key taken.
    #[error("{0} exists already: another mlinfra wrote to this ledger")]
    Exists(String),
    /// `replace_if` found another version.
    #[error("{0} has changed meanwhile: another mlinfra wrote to this ledger")]
    Lost(String),
    /// Somebody holds the lock.
    #[error("the stack is locked by {0}")]
    Held(Box<Holder>),
    /// Somebody else has taken over; this process may begin nothing more.
    #[error("the lock was taken over by {0}")]
    Deposed(String),
    /// The ledger is kept elsewhere by now.
    #[error("{place}: the ledger has moved to {to}")]
    Moved {
        /// Where it was.
        place: String,
        /// Where it is.
        to: String,
    },
    /// Another history would be lost.
    #[error("{place}: {problem}")]
    Taken {
        /// Where it stands.
        place: String,
        /// What stands there.
        problem: String,
    },
    /// The store cannot keep a ledger safe.
    #[error("{place} cannot keep a ledger: {problem}")]
    Unfit {
        /// Which store.
        place: String,
        /// What it does or does not do.
        problem: String,
    },
    /// What is stored cannot be trusted.
    #[error("{place}: {problem}")]
    Corrupt {
        /// Which file or key.
        place: String,
        /// What is wrong with it, and up to where it is good.
        problem: String,
    },
    /// The disk or the network.
    #[error("{place}: {problem}")]
    Io {
        /// Which file or key.
        place: String,
        /// In the system's words.
        problem: String,
    },
}

/// Who holds a lock, for whoever finds it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// `user@host`
    pub who: String,
    /// The process.
    pub pid: u32,
    /// The command, such as `apply`.
    pub doing: String,
    /// Since when, as text.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (process {}, `mlinfra {}` since {})",
            self.who, self.pid, self.doing, self.since
        )
    }
}

/// How far a ledger reaches: its serial, and how many records its journal has since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reach {
    /// The state's.
    pub serial: u64,
    /// Records in its journal.
    pub records: u64,
}

/// What a lock says to whoever looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockStatus {
    /// Who has it.
    pub holder: Option<Holder>,
    /// How far the ledger reached when that was last written down.
    pub reach: Option<Reach>,
}

/// A lock that is held until it is released, or its process dies. Some stores notice a
/// death at once, others when the lease has run out.
#[async_trait]
pub trait Lock: Send + Sync + fmt::Debug {
    /// Fails unless the lock is still held for certain. Asked right before anything is
    /// written or sent, so that a process that was frozen past its lease begins nothing.
    async fn confirm(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Which holder in a row this is, where another may take over while this one sleeps.
    fn epoch(&self) -> Option<u64> {
        None
    }
    /// Whether the holder before ended all it had begun. Otherwise it may only sleep, or a
    /// write of its may still be on its way, and it has to be fenced off.
    fn is_clean(&self) -> bool {
        true
    }
    /// Hears that whoever held it before is fenced off.
    fn settle(&self) {}
    /// Hears that a write may still be on its way.
    fn taint(&self) {}
    /// Hears how far the ledger reaches by now, so that the next holder misses what is
    /// missing at its end.
    fn reached(&self, _reach: Reach) {}
    /// How far it reached when the last holder wrote that down.
    fn reach(&self) -> Option<Reach> {
        None
    }
    /// Lets go of it. What fails here costs others only time.
    async fn release(&self) -> Result<(), StoreError>;
}

/// The five calls, and a lock.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads a key.
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError>;
    /// Writes a key that must not exist. Durable when it returns.
    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError>;
    /// Writes several keys that must not exist, in their order, at the cost of one write
    /// where the store can. A failure may leave the first of them written.
    async fn create_all(&self, records: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        for (key, bytes) in records {
            self.create_new(key, bytes).await?;
        }
        Ok(())
    }
    /// Replaces exactly the version that was read. Durable when it returns.
    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError>;
    /// Keys with a prefix, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
    /// Keys with a prefix from a first one on, in order.
    async fn list_from(&self, prefix: &str, first: &str) -> Result<Vec<String>, StoreError> {
        let mut keys = self.list(prefix).await?;
        keys.retain(|key| key.as_str() >= first);
        Ok(keys)
    }
    /// Removes a key; one that is absent is fine. The records of one journal may all go
    /// with the first of them.
    async fn remove(&self, key: &str) -> Result<(), StoreError>;
    /// Takes the lock of a scope, or says who has it.
    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError>;
    /// Who has the lock of a scope now, as far as can be told. Nothing is waited for.
    async fn look_at_lock(&self, _scope: &str) -> Result<LockStatus, StoreError> {
        Ok(LockStatus::default())
    }
}
