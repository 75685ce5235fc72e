//! Floor 6: the hands. Runs a plan on a cloud and keeps the ledger ahead of it.

mod event;

pub use event::{Event, Listener};
