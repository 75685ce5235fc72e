//! Replays of what was once submitted, on virtual time: what would it have cost, and who would
//! have waited, under our policy and under its peers'.
//!
//! The rules are those by which the peers were compared before, so figures can be checked:
//! a node is paid from its request on, is there after `boot`, and takes jobs as a scheduler
//! places them that packs and backfills. Jobs run exactly as long as they once did.

mod act;
mod adaptive;
mod depth;
mod faults;
mod market;
mod ours;
mod outcome;
mod peers;
mod place;
mod rule;
mod run;
mod series;
mod trace;
mod unit;
mod world;

pub use faults::Faults;
pub use market::Market;
pub use ours::Ours;
pub use outcome::Outcome;
pub use peers::{Peer, Replay};
pub use series::{Point, Series};
pub use trace::{BadRow, Job, Trace};
pub use unit::SECOND;
pub use world::Setting;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_ours;
