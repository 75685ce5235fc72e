//! Floor 5: verdicts on a finished plan. Pure; one file per guard rail.
//!
//! A rail looks at the plan's effect and returns problems: an error refuses the plan, a warning
//! is told. Whoever adds one writes its file and its line in [`judge`].

mod budget;

use crate::kinds::Plan;
use crate::model::{Problem, Severity};
use crate::plan::cost::Bill;
use crate::stack::Config;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The `stack` block.
    pub config: &'a Config,
    /// What is to be done.
    pub plan: &'a Plan,
    /// What it costs.
    pub bill: &'a Bill,
}

/// A guard rail.
trait Rail {
    /// What it has to say.
    fn judge(&self, subject: Subject<'_>) -> Vec<Problem>;
}

/// What all rails have to say, refusals first.
pub fn judge(subject: Subject<'_>) -> Vec<Problem> {
    let rails: [&dyn Rail; 1] = [&budget::Budgeted];
    let mut found: Vec<Problem> = rails.iter().flat_map(|rail| rail.judge(subject)).collect();
    found.sort_by_key(|problem| problem.severity);
    found
}

/// Whether a plan may not be carried out.
pub fn refuses(verdict: &[Problem]) -> bool {
    verdict.iter().any(|problem| problem.severity == Severity::Error)
}
