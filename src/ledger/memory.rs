//! A store in memory, for tests and simulations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Blob, Holder, Lock, LockStatus, Store, StoreError, Version};

/// Keys and bytes. Clones share their content, as two processes share a bucket.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    keys: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    locks: Arc<Mutex<BTreeMap<String, Holder>>>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// Forgets locks: what happens when the process that held them dies.
    pub fn break_locks(&self) {
        open(&self.locks).clear();
    }

    /// All keys, for tests.
    pub fn keys(&self) -> BTreeSet<String> {
        open(&self.keys).keys().cloned().collect()
    }
}

#[derive(Debug)]
struct Held {
    scope: Mutex<Option<String>>,
    locks: Arc<Mutex<BTreeMap<String, Holder>>>,
}

impl Held {
    fn let_go(&self) {
        if let Some(scope) = open(&self.scope).take() {
            open(&self.locks).remove(&scope);
        }
    }
}

#[async_trait]
impl Lock for Held {
    async fn release(&self) -> Result<(), StoreError> {
        self.let_go();
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        let found = open(&self.keys).get(key).cloned();
        Ok(found.map(|bytes| Blob { version: Version::of(&bytes), bytes }))
    }

    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        let mut keys = open(&self.keys);
        if keys.contains_key(key) {
            return Err(StoreError::Exists(key.to_owned()));
        }
        keys.insert(key.to_owned(), bytes.to_vec());
        Ok(Version::of(bytes))
    }

    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        let mut keys = open(&self.keys);
        match keys.get_mut(key) {
            Some(old) if Version::of(old) == *version => {
                *old = bytes.to_vec();
                Ok(Version::of(bytes))
            }
            Some(_) | None => Err(StoreError::Lost(key.to_owned())),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(open(&self.keys).keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        open(&self.keys).remove(key);
        Ok(())
    }

    async fn look_at_lock(&self, scope: &str) -> Result<LockStatus, StoreError> {
        Ok(LockStatus { holder: open(&self.locks).get(scope).cloned(), reach: None })
    }

    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        let mut locks = open(&self.locks);
        if let Some(other) = locks.get(scope) {
            return Err(StoreError::Held(Box::new(other.clone())));
        }
        locks.insert(scope.to_owned(), holder.clone());
        Ok(Arc::new(Held {
            scope: Mutex::new(Some(scope.to_owned())),
            locks: Arc::clone(&self.locks),
        }))
    }
}
