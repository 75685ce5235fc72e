//! The last word of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::advice;
use super::fold::{Page, Row, count};
use super::item::Sums;
use super::screen::Ink;
use super::state::{State, ink};
use super::value::stem;
use super::words::{self, span};
use crate::kinds::{Action, Plan, Step, StepId, Why};
use crate::model::{Address, CloudId};

/// Lines about what was done; with more of them only blocks are told apart.
const LINES: usize = 40;
/// Failures that are told in full.
const FAILURES: usize = 10;
/// Steps that are named where one kept them from being begun.
const NAMED: usize = 20;

/// Writes it.
pub(super) fn write(page: &mut Page, plan: &Plan, states: &[State], took: Duration) {
    let found = Found::of(states);
    headline(page, plan, &found, took);
    done(page, plan, &found);
    failures(page, plan, states);
    skipped(page, plan, &found);
    go_on(page, plan, &found);
}

/// Steps by how they ended.
struct Found<'a> {
    done: Vec<(StepId, &'a [CloudId])>,
    failed: Vec<StepId>,
    skipped: BTreeMap<StepId, Vec<StepId>>,
    running: Vec<StepId>,
    open: Vec<StepId>,
}

impl<'a> Found<'a> {
    fn of(states: &'a [State]) -> Self {
        let (done, skipped) = (Vec::new(), BTreeMap::new());
        let (failed, running, open) = (Vec::new(), Vec::new(), Vec::new());
        let mut out = Self { done, failed, skipped, running, open };
        for (id, state) in states.iter().enumerate() {
            match state {
                State::Open => out.open.push(id),
                State::Running { .. } => out.running.push(id),
                State::Done { ids } => out.done.push((id, ids)),
                State::Failed(_) => out.failed.push(id),
                State::Skipped { because } => {
                    out.skipped.entry(*because).or_default().push(id);
                }
            }
        }
        out
    }

    fn is_complete(&self) -> bool {
        let Self { done: _, failed, skipped, running, open } = self;
        failed.is_empty() && skipped.is_empty() && running.is_empty() && open.is_empty()
    }
}

fn headline(page: &mut Page, plan: &Plan, found: &Found<'_>, took: Duration) {
    let actions = found.done.iter().filter_map(|(id, _)| plan.steps.get(*id));
    let sums = actions.fold(Sums::default(), |sums, step| sums.with(&step.action));
    if found.is_complete() {
        let verb = if is_destroy(plan) { "Destroy" } else { "Apply" };
        let text = format!("{verb} complete in {}: {}.", span(took), made(sums));
        page.row(&Row::at(0).words(Ink::Bold, text));
        return;
    }
    let skipped: usize = found.skipped.values().map(Vec::len).sum();
    let mut parts = vec![format!("{} of {} steps done", found.done.len(), plan.steps.len())];
    let others = [
        (found.failed.len(), "failed"),
        (skipped, "skipped"),
        (found.running.len(), "cut off"),
        (found.open.len(), "not begun"),
    ];
    parts.extend(others.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    let verb = if is_destroy(plan) { "Destroy" } else { "Apply" };
    let text = format!("{verb} incomplete after {}: {}.", span(took), parts.join(", "));
    page.row(&Row::at(0).words(Ink::Bad, text));
}

/// `3 added, 0 changed, 1 deleted; 4 nodes launched`
pub(super) fn made(sums: Sums) -> String {
    let Sums { add, change, delete, launch, quarantine, terminate, moved, adopted, forgotten } =
        sums;
    let mut out = format!("{add} added, {change} changed, {delete} deleted");
    let more = [
        (launch, ["node", "nodes"], "launched"),
        (quarantine, ["node", "nodes"], "quarantined"),
        (terminate, ["node", "nodes"], "terminated"),
        (moved, ["object", "objects"], "moved"),
        (adopted, ["object", "objects"], "adopted"),
        (forgotten, ["object", "objects"], "forgotten"),
    ];
    let more: Vec<String> = more
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, [one, many], verb)| format!("{} {verb}", count(number, one, many)))
        .collect();
    if !more.is_empty() {
        out.push_str("; ");
        out.push_str(&more.join(", "));
    }
    out
}

/// The failures, of which the first tell enough to begin mending.
fn failures(page: &mut Page, plan: &Plan, states: &[State]) {
    let mut left = 0;
    let mut shown = 0;
    for (id, state) in states.iter().enumerate() {
        let (Some(step), State::Failed(failed)) = (plan.steps.get(id), state) else {
            continue;
        };
        if shown == FAILURES && !page.is_verbose() {
            left += 1;
            continue;
        }
        shown += 1;
        page.gap();
        page.rows(&advice::rows(failed, step));
    }
    if left > 0 {
        page.gap();
        let steps = count(left, "more step", "more steps");
        let words = format!("{steps} failed; mend the ones above first.");
        page.row(&Row::at(0).words(Ink::Bad, words));
    }
}

type Line<'a> = (String, &'a Action, Vec<&'a [CloudId]>);

/// What was done, by address, in the order in which each address first came.
fn lines<'a>(
    plan: &'a Plan,
    found: &Found<'a>,
    name: impl Fn(&Address) -> String,
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut places: BTreeMap<(String, &str, String), usize> = BTreeMap::new();
    for (id, ids) in &found.done {
        let Some(step) = plan.steps.get(*id) else { continue };
        let (name, what) = (name(&step.address), words::what(&step.action));
        let key = (name.clone(), words::mark(&step.action), what);
        match places.get(&key).and_then(|place| lines.get_mut(*place)) {
            Some(line) => line.2.push(ids),
            None => {
                places.insert(key, lines.len());
                lines.push((name, &step.action, vec![ids]));
            }
        }
    }
    lines
}

/// What was done, with what is alike on one line.
fn done(page: &mut Page, plan: &Plan, found: &Found<'_>) {
    let mut lines = lines(plan, found, stem);
    if lines.len() > LINES && !page.is_verbose() {
        lines = self::lines(plan, found, |address| format!("{}.*", address.block.word()));
    }
    let wide = lines.iter().map(|line| line.0.chars().count()).max().unwrap_or(0).min(40);
    for (stem, action, ids) in lines {
        let (ink, mark) = ink(action);
        let row = Row::marked(2, ink, mark).words(Ink::Plain, format!("{stem:wide$}  "));
        let row = row.hang(6).words(Ink::Plain, words::what(action));
        page.row(&match ids.as_slice() {
            [one] => {
                let shorts: Vec<&str> = one.iter().map(CloudId::short).collect();
                row.words(Ink::Dim, format!(" {}", shorts.join(", ")))
            }
            several => row.words(Ink::Plain, format!(" × {}", several.len())),
        });
    }
}

fn skipped(page: &mut Page, plan: &Plan, found: &Found<'_>) {
    let address =
        |id: &StepId| plan.steps.get(*id).map_or_else(String::new, |step| step.address.to_string());
    let shown = if page.is_verbose() { found.skipped.len() } else { FAILURES };
    for (because, steps) in found.skipped.iter().take(shown) {
        page.gap();
        // The waves of one fleet have one name.
        let mut all: Vec<String> = steps.iter().map(address).collect();
        all.dedup();
        let few = if page.is_verbose() { all.len() } else { NAMED };
        if all.len() > few {
            let more = format!("and {} more", all.len() - few);
            all.truncate(few);
            all.push(more);
        }
        let text = format!("Skipped, because {} failed: ", address(because));
        page.row(&Row::at(0).hang(2).words(Ink::Warn, text).list(Ink::Plain, &all));
    }
}

/// What remains to be done, and how.
fn go_on(page: &mut Page, plan: &Plan, found: &Found<'_>) {
    if found.is_complete() {
        return;
    }
    page.gap();
    let mut text = String::new();
    if !found.running.is_empty() {
        let steps = count(found.running.len(), "step was", "steps were");
        text.push_str(&format!(
            "{steps} cut off in the middle: what was begun in the cloud carries the tags of this \
             stack and is found again. "
        ));
    }
    let bills = found.done.iter().any(|(id, _)| {
        plan.steps.get(*id).is_some_and(|step| matches!(step.action, Action::Launch { .. }))
    });
    if bills {
        text.push_str("Nodes that were launched run and are billed. ");
    }
    text.push_str(if is_destroy(plan) {
        "What is gone stays gone. `mlinfra destroy` plans again from what is in the cloud and \
         removes the rest."
    } else {
        "What was done stays done. `mlinfra apply` plans again from what is in the cloud and does \
         the rest; `mlinfra destroy` removes all of it."
    });
    page.row(&Row::at(0).words(Ink::Plain, text));
}

/// Everything goes, on purpose.
fn is_destroy(plan: &Plan) -> bool {
    let goes = |step: &Step| match step.action {
        Action::Delete { .. } | Action::Terminate { .. } => {
            matches!(step.why, Why::Destroyed | Why::Requested)
        }
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Launch { .. }
        | Action::Point { .. }
        | Action::Quarantine { .. }
        | Action::Move { .. }
        | Action::Adopt { .. }
        | Action::Forget { .. } => false,
    };
    !plan.steps.is_empty() && plan.steps.iter().all(goes)
}
