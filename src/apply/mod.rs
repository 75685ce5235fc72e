//! Floor 6: the hands. Runs a plan on a cloud and keeps the ledger ahead of it.
//!
//! It decides nothing: a plan holds every spec and id, and what to do after a failure
//! follows from the failure's class (`retry`). What it guarantees is that whatever dies
//! when, the next run finds or finishes what this one began (`make`, `recover`).

mod boot;
mod drain;
mod event;
mod execute;
mod fleet;
mod hands;
mod ids;
mod launch;
mod make;
mod order;
mod point;
mod quota;
mod recover;
mod retry;
mod session;
mod step;

pub use boot::BOOTS;
pub use event::{Event, Listener};
pub use execute::Outcome;
pub use fleet::Mark;
pub use hands::{Hands, Patience, Trouble};
pub use quota::{asked, vcpus_used};
pub use session::{Convergence, Ended, NoApply, Planner, Start, converge};
