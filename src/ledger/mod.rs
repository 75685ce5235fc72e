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

mod entry;
mod file;
mod journal;
mod log;
mod memory;
mod state;
mod store;

pub use entry::{Entry, Made, Making, Record, Who};
pub use file::FileStore;
pub use journal::Journal;
pub use memory::MemoryStore;
pub use state::{Apply, Ledger};
pub use store::{Blob, Holder, Lock, Store, StoreError, Version};
