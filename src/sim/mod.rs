//! Floor 5: a simulated AWS region behind the port.
//!
//! It serves the newcomer without an account, the property tests and the crash tests.
//! It is deterministic: what happens follows from its seed, its clock (tokio's, so that
//! months pass in a second where that clock is paused) and the calls that it gets. It
//! knows kinds only through their traits and links; `physics.rs` has the few facts in
//! which they differ beyond those.

mod ask;
mod budget;
mod compute;
mod condition;
mod error;
mod file;
mod foreign;
mod keys;
mod look;
mod lookup;
mod object;
mod physics;
mod probe;
mod refusal;
mod region;
mod room;
mod rules;
mod see;
mod settings;
mod status;
mod supply;
mod survey;
#[cfg(test)]
mod tests;
mod world;

pub use error::SimError;
pub use foreign::ObjectView;
pub use keys::KEYS;
pub use region::Region;
pub use settings::{ACCOUNT, Fault, FaultKind, Settings};
pub use status::Status;
