//! The machine that mlinfra runs on: its clock and its environment.

use jiff::Timestamp;

use crate::model::Moment;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the room that asks the clock")]
pub fn wall() -> Moment {
    Moment(Timestamp::now().as_millisecond())
}

/// Reads a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The time, for lines of a log.
pub fn stamp() -> String {
    wall().to_string()
}
