//! What a ledger asks of an object store: six calls, of which two are conditional. S3
//! keeps them, and so does a folder ([`super::FolderObjects`]) or a test.

use std::time::Duration;

use async_trait::async_trait;

use super::{Blob, Version};

/// Why an object store did not do as told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The condition does not hold (412, or 404 where something should stand). When an
    /// answer was lost before, that may be because of the caller's own write.
    Condition,
    /// Somebody else writes at the same moment (409). It says nothing about who wins.
    Conflict,
    /// No answer, or one that says to try again. The call may have taken effect.
    Unanswered(String),
    /// A definitive no, in the store's words.
    Refused(String),
}

/// Objects by key.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Where they are, for people: `s3://bucket/folder`.
    fn place(&self) -> String;
    /// Reads an object.
    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss>;
    /// Writes an object that must not exist.
    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss>;
    /// Replaces exactly this version.
    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss>;
    /// Deletes an object; one that is absent is fine.
    async fn delete(&self, key: &str) -> Result<(), Miss>;
    /// Every key with a prefix, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss>;
}

/// A clock of this machine that only goes forward, and waiting by it. Leases are judged by
/// nothing else: no two machines' clocks are ever compared.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Since any fixed moment.
    fn now(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, time: Duration);
}
