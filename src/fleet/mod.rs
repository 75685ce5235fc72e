//! Floor 4: how large a fleet is to be. Jobs that wait, nodes that are there and offers of
//! more come in; batches to launch and nodes to end go out, each with its reason.
//!
//! Pure: no clock, no randomness, no cloud. The service runs it for a month against AWS, the
//! replay runs a month of it in a second.
//!
//! # The interface
//!
//! ```text
//! decide(&Pool, &Fleet, &Demand, &[Offer], Memory, now: Moment) -> (Decision, Memory)
//! ```
//!
//! * [`Pool`] is what the author wants, [`Fleet`] what was just observed, [`Demand`] what the
//!   queues say, [`Offer`]s where nodes can be had, the best first.
//! * [`Memory`] goes in by value and comes out changed: a replay decides a hundred thousand
//!   times, and would otherwise copy it as often.
//! * The memory is stored (by compare-and-swap) before the decision is carried out. Whoever
//!   dies in between has launched nothing: a batch that never shows in the fleet is forgotten
//!   after a while, and its number is not given again.
//! * A [`Launch`] names its batch. Its record is created once only, so that two who execute one
//!   decision launch once.

mod bounds;
mod cost;
mod decide;
mod decision;
mod demand;
mod grow;
mod headroom;
mod id;
mod invariants;
mod learn;
mod memory;
mod notes;
mod pack;
mod pool;
pub mod replay;
mod room;
mod round;
mod shrink;
mod state;
mod stock;
mod unheard;
mod why;

pub use bounds::check_schedule;
pub use decision::{Decision, Fate, Heard, Launch, LaunchReason, Sums, Turn, TurnTo, TurnWhy};
pub use demand::{Arrival, Demand, Job, Shape, Work};
pub use headroom::HeadRoom;
pub use id::{JobId, NodeId, OfferKey, QueueId, Seconds};
pub use memory::{Batch, Circuit, Lull, Memory, Refusal, Spent};
pub use pool::{LatencyTarget, Limits, Pool, Schedule, Share};
pub use state::{Attempt, Fleet, Node, Offer, Outcome, State};
pub use unheard::decide;
pub use why::{Against, Alert, Considered, NotLess, NotMore, Rule, Unheard};
