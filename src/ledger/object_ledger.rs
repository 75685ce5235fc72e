//! A ledger in an object store: every key is an object of its own, and the lock a lease.

use std::sync::Arc;

use async_trait::async_trait;

use super::object_store::{ObjectStore, Read};
use super::{Blob, Holder, Lock, LockStatus, Store, StoreError, Version, lease};

/// Keys of the store's own.
const OWN: [&str; 2] = ["lock/", "probe/"];

#[async_trait]
impl Store for ObjectStore {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        let found = self.read(key).await?;
        Ok(found.map(|Read { bytes, version, .. }| Blob { bytes, version }))
    }

    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        let written = self.write(key, bytes, None).await?;
        written.ok_or_else(|| StoreError::Exists(self.place(key)))
    }

    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        let written = self.write(key, bytes, Some(version)).await?;
        written.ok_or_else(|| StoreError::Lost(self.place(key)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let found = self.answered(prefix, || self.objects.list(prefix)).await?;
        let mut keys = found.unwrap_or_default();
        keys.retain(|key| !OWN.iter().any(|own| key.starts_with(own)));
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.answered(key, || self.objects.delete(key)).await?;
        Ok(())
    }

    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        lease::take(self, scope, holder).await
    }

    async fn look_at_lock(&self, scope: &str) -> Result<LockStatus, StoreError> {
        lease::look(self, scope).await
    }
}
