//! How what a block says wrongly becomes a problem.

use crate::lang::{Evaluated, Value};
use crate::model::Problem;

/// A problem with a value.
pub(super) fn wrong(value: &Value, text: impl Into<String>, help: &str) -> Problem {
    let problem = Problem::error("S001", text).help(help);
    // A secret that was written as a literal would be drawn with its line.
    match value.origin.as_ref().filter(|_| !value.holds_sensitive()) {
        Some(span) => problem.at(span, ""),
        None => problem,
    }
}

/// A problem with a place that an attribute names.
pub(super) fn wrong_place(block: &Evaluated, name: &str, text: String, help: &str) -> Problem {
    Problem::error("S003", text).help(help).at(block.place(name), "")
}
