//! How the commands tell a plan: as text, as lines of JSON, or as drift.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cloud::{Cloud, Observed};
use crate::kinds::Plan;
use crate::ledger::{Applied, Boots, Ledger, Store, StoreError};
use crate::model::{Address, Problem, Severity, Sources};
use crate::plan::cost::Bill;
use crate::plan::drift::Outside;
use crate::plan::{self, Jobs, Spared};
use crate::show::{self, event_json};
use crate::stack::Desired;

use super::args::Global;
use super::halt::Halt;
use super::machine::stamp;
use super::order::{Goal, Order};
use super::terminal::Terminal;

/// A plan as text. That nothing is left to destroy says nothing about the configuration.
pub fn text(
    (plan, bill): (&Plan, &Bill),
    order: &Order,
    former: &BTreeMap<String, Value>,
    terminal: &Terminal,
) -> String {
    if plan.is_empty() && !order.selection.is_whole() {
        return show::plan::nothing_for(&order.selection, plan, former, &terminal.screen);
    }
    if order.goal == Goal::Nothing && plan.is_empty() {
        return "The stack owns nothing: there is nothing to destroy.\n".to_owned();
    }
    match order.goal {
        Goal::Adopt if plan.is_empty() => return "It is the stack's already.\n".to_owned(),
        Goal::Forget if plan.is_empty() => {
            return "Nothing of the stack stands there: there is nothing to forget.\n".to_owned();
        }
        Goal::Stack | Goal::Nothing | Goal::Adopt | Goal::Forget | Goal::Rollback => {}
    }
    let bill = order.is_about_all().then_some(bill);
    show::plan::text_after(plan, (bill, Some(former)), &terminal.screen)
}

/// A plan, and what it does to the bill.
pub fn plan(
    terminal: &Terminal,
    (plan, bill): (&Plan, &Bill),
    order: &Order,
    former: &BTreeMap<String, Value>,
) {
    if !terminal.json {
        terminal.print(&text((plan, bill), order, former, terminal));
        terminal.print(&cost(plan, order, bill, terminal));
        return;
    }
    stream(terminal, plan, former);
    if order.is_about_all() {
        terminal.json_line(&event_json::cost(bill, &stamp()));
    }
}

/// What a plan does to the bill. Where nothing is said of the stack, nothing is said of it.
pub fn cost(plan: &Plan, order: &Order, bill: &Bill, terminal: &Terminal) -> String {
    let gone = order.is_destroy() && plan.is_empty();
    if gone || !order.is_about_all() {
        return String::new();
    }
    let headed = show::plan::headed(plan, &terminal.screen);
    show::cost::plan(bill, &headed, &terminal.screen)
}

/// A plan as lines of JSON.
pub fn stream(terminal: &Terminal, plan: &Plan, former: &BTreeMap<String, Value>) {
    for change in event_json::planned_changes(plan, &stamp()) {
        terminal.json_line(&change);
    }
    terminal.json_line(&event_json::change_summary(plan, &stamp()));
    if let Some(outputs) = event_json::planned_outputs(plan, former, &stamp()) {
        terminal.json_line(&outputs);
    }
}

/// What others have changed since the last apply: in front of a plan that there is something,
/// and all of it where only that was asked for.
pub fn outside(
    terminal: &Terminal,
    global: &Global,
    plan: &Plan,
    (outside, refresh_only): (Option<&Outside>, bool),
) {
    let Some(outside) = outside else {
        if refresh_only {
            let text = "the ledger does not hold what was applied: what others have changed \
                        cannot be told";
            let help = "`mlinfra plan` compares with the configuration; after the next apply the \
                        ledger holds it";
            let problem = Problem::warning("D001", text).help(help);
            terminal.problems(&[problem], &Sources::default());
        }
        return;
    };
    if global.json {
        for line in show::drift::events(outside, &stamp()) {
            terminal.json_line(&line);
        }
    } else if refresh_only {
        terminal.print(&show::drift::all(outside, &terminal.screen));
    } else if !plan.is_empty() {
        // What asks for nothing, such as a field that is to be ignored, would be told every day.
        terminal.print(&show::drift::note(outside, &terminal.screen));
    }
}

/// Nodes that are not as they should be.
pub fn nodes(terminal: &Terminal, observed: &Observed) {
    if terminal.json {
        for line in show::node_notes::events(observed, &stamp()) {
            terminal.json_line(&line);
        }
    } else {
        terminal.print(&show::node_notes::text(observed, &terminal.screen));
    }
}

/// Fleets that get no more nodes.
pub fn stopped(ledger: &Ledger, destroy: bool) -> Vec<Problem> {
    if destroy {
        return Vec::new();
    }
    let stopped = ledger.boots.iter().filter(|(_, boots)| boots.stop());
    let problem = |(address, boots): (&Address, &Boots)| {
        let text = format!(
            "{}: the last {} nodes have failed, and no more are launched: {}",
            address.owner(),
            boots.failed.len(),
            boots.words()
        );
        let help = "another template is a new start; where something else was to blame and is \
                    mended, `mlinfra apply --retry`";
        Problem::warning("P017", text).help(help)
    };
    stopped.map(problem).collect()
}

/// What is to be said about a plan of nodes: fleets that get no more of them, jobs that would end
/// with theirs, and failures that are too many at once.
pub fn notes(
    (plan, ledger, observed): (&Plan, &Ledger, &Observed),
    desired: Option<&Desired>,
    destroy: bool,
) -> Vec<Problem> {
    let mut out = stopped(ledger, destroy);
    out.extend(jobs(plan, observed, destroy));
    let failed = desired.map(|desired| plan::spared(desired, observed, plan)).unwrap_or_default();
    out.extend(failed.iter().map(spared));
    out
}

/// Too many have failed at once to be replaced.
pub fn spared(one: &Spared) -> Problem {
    let Spared { cluster, failed, most } = one;
    let mut hows: Vec<&str> = failed.values().map(String::as_str).collect();
    hows.sort_unstable();
    hows.dedup();
    let text = format!(
        "{cluster}: {} nodes have failed at once, more than {most}: none of them is replaced or \
         ended: {}",
        failed.len(),
        hows.join("; ")
    );
    let help = "so many at once are hardly the machines' fault: look at the image, `setup` and \
                what they have in common. Another template renews them, `--replace` does so as \
                they are, and `health { max_unhealthy = … }` lets more fail";
    Problem::warning("P020", text).help(help)
}

/// Jobs that would end with their nodes.
fn jobs(plan: &Plan, observed: &Observed, destroy: bool) -> Vec<Problem> {
    let mut out = Vec::new();
    for (cluster, Jobs { unheard, cut }) in plan::jobs(plan, observed) {
        if !cut.is_empty() {
            let named: Vec<&str> = cut.values().flatten().map(String::as_str).collect();
            let named = match named.as_slice() {
                [] => String::new(),
                names => format!(": {}", names.join(", ")),
            };
            let jobs = counted(cut.len(), "the job on 1 node is", "the jobs on", "nodes are");
            let text = format!("{cluster}: {jobs} not waited for{named}");
            let help = "`mlinfra nodes` shows who works; to let them finish, destroy later";
            out.push(Problem::warning("P019", text).help(help));
        }
        if !unheard.is_empty() {
            let nodes = counted(unheard.len(), "the node", "the", "nodes");
            let text = format!(
                "{cluster}: no agent tells of jobs on {nodes} to be terminated: whatever runs \
                 there is ended"
            );
            let help = if destroy {
                "`mlinfra ssh NODE` shows what runs there"
            } else {
                "let it finish first; a node with an `agent` says when it works, and ends after \
                 its job"
            };
            out.push(Problem::warning("P019", text).help(help));
        }
    }
    out
}

/// `the node`, or `the 3 nodes`.
fn counted(number: usize, one: &str, before: &str, after: &str) -> String {
    match number {
        1 => one.to_owned(),
        many => format!("{before} {many} {after}"),
    }
}

/// What others have changed since the last apply. Where that cannot be told a plan is as good
/// as without: the cloud is the state.
pub async fn find(
    terminal: &Terminal,
    store: &dyn Store,
    ledger: &Ledger,
    observed: &Observed,
) -> Result<Option<Outside>, Halt> {
    match Applied::against(store, observed).await {
        Ok(baseline) => Ok(Outside::of(&baseline, ledger, observed)),
        Err(error @ StoreError::Corrupt { .. }) => {
            let mut problems = broken(error).problems;
            for problem in &mut problems {
                problem.severity = Severity::Warning;
            }
            terminal.problems(&problems, &Sources::default());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Which calls were made, and how long they took.
pub fn timings(terminal: &Terminal, cloud: &dyn Cloud) {
    terminal.say(&show::calls::text(&cloud.calls(), &terminal.errors));
}

/// Whether outputs are a change of their own. A ledger that was lost beside objects that stand
/// tells nothing of outputs, and its loss changes no plan.
pub fn writes_outputs(plan: &Plan, former: &BTreeMap<String, Value>) -> bool {
    (plan.base > 0 || plan.unchanged == 0) && outputs_differ(plan, former)
}

/// Whether outputs would be written down that the ledger does not hold.
pub fn outputs_differ(plan: &Plan, former: &BTreeMap<String, Value>) -> bool {
    let shown = plan.outputs.iter().filter(|(_, output)| !output.sensitive);
    let now: BTreeMap<_, _> =
        shown.map(|(name, output)| (name.clone(), output.value.clone())).collect();
    now != *former
}

/// From what is damaged no drift is told: all of it could be false.
pub fn broken(error: StoreError) -> Halt {
    if let StoreError::Corrupt { place, problem } = &error {
        let help = "plans and applies do not need it, and the next apply writes it anew. To see\n\
                    now what others have changed, bring it back from a copy of the ledger;\n\
                    without it (move it away) drift compares with the configuration";
        let text = format!("what was applied cannot be told: {place}: {problem}");
        return Halt::one("D003", text, help);
    }
    error.into()
}
