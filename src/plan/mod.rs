//! Floor 4: what is wanted and what is there to what is to be done.
//!
//! A synchronous, pure function of plain data. Its rules:
//!
//! * tags alone own: the ledger gives the plan its serial and never vetoes;
//! * the highest generation that can be brought to what is wanted stays;
//! * doomed = owned, visible, not staying: that covers what was removed, what is
//!   replaced and what a crash left over;
//! * a replacement is a Create now and a Delete at the end, unless the two cannot
//!   coexist;
//! * what could not be seen is not acted on.

mod adopt;
pub mod cost;
mod doomed;
pub mod drift;
mod ending;
mod forget;
mod health;
mod jobs;
mod misled;
mod moved;
mod nodes;
mod order;
mod point;
mod refusal;
mod roll;
pub mod saved;
mod select;
mod settle;
mod spread;
mod steps;

pub use health::{Spared, spared};
pub use jobs::{Jobs, jobs};
pub use misled::{Misled, misled};
pub use refusal::Refusal;
pub use select::Selection;

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Live, Observed};
use crate::kinds::{Action, Plan, Why};
use crate::ledger::Ledger;
use crate::model::{Address, CloudId};
use crate::stack::Desired;

/// What stands at each address, and what has to be done there.
#[derive(Default)]
struct Draft<'a> {
    /// The object that stays at an address.
    staying: BTreeMap<Address, CloudId>,
    /// Steps that make or change what is declared, and terminations of nodes.
    steps: Vec<(Address, Action, Why)>,
    /// Nodes about which a decision was made.
    nodes: BTreeSet<CloudId>,
    /// Objects that stay and are no longer the stack's.
    forgotten: BTreeSet<CloudId>,
    /// Objects that go.
    doomed: BTreeMap<CloudId, (&'a Live, Why)>,
    /// How many objects are as declared.
    unchanged: usize,
    /// Where a successor is asked for.
    replace: BTreeSet<Address>,
}

/// Makes the whole plan.
pub fn plan(desired: &Desired, ledger: &Ledger, observed: &Observed) -> Result<Plan, Refusal> {
    plan_for(desired, ledger, observed, &Selection::default())
}

/// Makes the plan, or the part of it that is asked for: a subset of its steps that holds
/// with each step all that it needs.
pub fn plan_for(
    desired: &Desired,
    ledger: &Ledger,
    observed: &Observed,
    selection: &Selection,
) -> Result<Plan, Refusal> {
    refusal::blind(desired, observed)?;
    let order = order::makers_first(desired)?;
    let (observed, former) = desired.moves.relocate(&desired.stack, observed);
    let (observed, adopted) = adopt::take(desired, observed)?;
    let observed = observed.as_ref();
    let mut draft = Draft { replace: selection.replace.clone(), ..Draft::default() };
    let standing = settle::by_address(observed);
    moved::conflicts(&standing, &former)?;
    for address in &order {
        settle::object(&mut draft, desired, &standing, address);
    }
    nodes::fleets(&mut draft, (desired, observed), &standing);
    forget::steps(&mut draft, desired, observed);
    nodes::orphans(&mut draft, &standing, desired.destroy);
    doomed::collect(&mut draft, desired, observed);
    adopt::steps(&mut draft, desired, observed, &adopted)?;
    moved::steps(&mut draft, desired, observed, &former);
    let (unchanged, outputs) = (draft.unchanged, settle::outputs(desired, &draft));
    let steps = selection.of(steps::arrange(desired, draft, observed)?);
    refusal::protected(desired, &steps)?;
    refusal::precious(&steps)?;
    refusal::used(&steps, &selection.replace, observed)?;
    Ok(Plan { base: ledger.serial, steps, unchanged, outputs })
}
