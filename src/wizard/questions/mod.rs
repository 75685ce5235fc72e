//! All questions, in the order in which they are asked.

mod check;
mod guard;
mod place;
mod store;
mod train;
mod work;

use super::question::Question;

/// The questions of a stack that is made from nothing.
pub fn all() -> Vec<Question> {
    let mut out = place::questions();
    out.extend(train::questions());
    out.extend(work::questions());
    out.extend(train::size());
    out.extend(store::questions());
    out.extend(guard::questions());
    out
}

/// Where a stack stands and what it is called: asked for a shipped stack, too.
pub(super) fn place() -> Vec<Question> {
    place::questions()
}

/// Where its ledger is, and what holds it: asked for a shipped stack, too.
pub(super) fn ledger() -> Vec<Question> {
    guard::ledger()
}

/// Whether it is written.
pub(super) fn write() -> Question {
    guard::write()
}
