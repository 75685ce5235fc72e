//! How the commands tell a plan: as text, as lines of JSON, or as drift.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Plan;
use crate::show::{self, event_json};

use super::args::Global;
use super::machine::stamp;
use super::order::{Goal, Order};
use super::terminal::Terminal;

/// A plan as text. That nothing is left to destroy says nothing about the configuration.
pub fn text(
    plan: &Plan,
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
    show::plan::text_after(plan, Some(former), &terminal.screen)
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

/// How the cloud differs from the configuration. `plan` is what would be done about it.
pub fn drift(terminal: &Terminal, global: &Global, plan: &Plan) {
    if global.json {
        for line in show::refresh::json(plan, &stamp()) {
            terminal.json_line(&line);
        }
    } else {
        terminal.print(&show::refresh::text(plan, &terminal.screen));
    }
}
