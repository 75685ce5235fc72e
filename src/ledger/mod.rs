//! Floor 3: the memory of intent.
//!
//! Before a call that makes something, the exact call and its token are durable here;
//! after it, the ids. The cloud stays the truth: a ledger that is lost costs history
//! and open intents, nothing else.
//!
//! On disk: `state` is a whole, replaced atomically and rarely; `journal/<serial>/<seq>`
//! holds what happened since, one record each, created once only and chained by
//! checksum, and kept until the fold after theirs. A writer that finds its next record
//! taken has been deposed and stops.
//!
//! `history/<n>`, `configs/<sha256>` and `applied/<n>` are kept beside them: [`history`].
//!
//! A [`Store`] is a folder, memory, or an [`ObjectStore`] over six calls that S3 keeps. In
//! the last a lock is a lease ([`lease`](self)), and every writer first appends a fence:
//! whoever wrote before can neither append nor fold any more.

mod applied;
mod apply;
mod boots;
mod chain;
mod disk;
mod entry;
mod file;
mod folder;
pub mod history;
mod journal;
mod lease;
mod log;
mod memory;
mod migrate;
mod object_ledger;
mod object_store;
mod objects;
mod state;
mod store;
mod verify;

pub use applied::{Applied, Baseline, Stood};
pub use apply::{Apply, Done};
pub use boots::{Booted, Boots};
pub use entry::{Entry, Made, Making, Record, Site, Who};
pub use file::FileStore;
pub use folder::FolderObjects;
pub use history::Head;
pub use journal::Journal;
pub use memory::MemoryStore;
pub use migrate::{End, Migrated, migrate};
pub use object_store::{Manners, ObjectStore, Waiting};
pub use objects::{Miss, Objects, Pace};
pub use state::{Ledger, Refusal};
pub use store::{Blob, Holder, Lock, LockStatus, Reach, Store, StoreError, Version};
pub use verify::{Damage, Report, verify};
