//! Plans in the formats for other readers, on standard output and alone there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::plan::saved::Saved;
use crate::show::plan_json::{self, Document};
use crate::show::report::Report;
use crate::show::screen::Screen;
use crate::show::{drift, node_notes};

use super::closing::Closing;
use super::order::Order;
use super::plan_args::PlanFormat;
use super::terminal::Terminal;

/// The width of problems within comments and pages.
const WIDTH: usize = 100;

/// Prints a plan in another format than text, with what is said around it. `file` is the one
/// that it is saved in.
pub fn print(
    terminal: &Terminal,
    (saved, file, simulated): (&Saved, Option<&Path>, bool),
    format: PlanFormat,
    closing: &Closing,
) {
    let former = saved.former.clone().into_iter().collect();
    let mut report = report(saved, file, &former, closing);
    if simulated {
        report.place.push_str(" (simulated)");
        let text = "The region is simulated: nothing is made on AWS, and nothing is billed.";
        report.remarks.insert(0, text.to_owned());
    }
    match format {
        // Text is told as the command goes along.
        PlanFormat::Text => {}
        PlanFormat::Json => terminal.json(&document(saved)),
        PlanFormat::Md => terminal.print(&report.markdown()),
        PlanFormat::Html => terminal.print(&report.html()),
        PlanFormat::Svg => terminal.print(&report.svg()),
        PlanFormat::Dot => terminal.print(&report.dot()),
    }
}

fn report<'a>(
    saved: &'a Saved,
    file: Option<&Path>,
    former: &'a BTreeMap<String, serde_json::Value>,
    closing: &Closing,
) -> Report<'a> {
    let Saved { mlinfra, created, home, destroy, .. } = saved;
    let order = Order::of(*destroy, saved.selection.clone());
    let outside = saved.outside.as_ref().map(|outside| drift::note(outside, &Screen::PLAIN));
    let remarks = [outside.unwrap_or_default(), node_notes::text(&saved.observed, &Screen::PLAIN)];
    let mut remarks: Vec<String> = remarks.into_iter().filter(|text| !text.is_empty()).collect();
    if !saved.selection.targets.is_empty() {
        let names: Vec<String> = saved.selection.targets.iter().map(ToString::to_string).collect();
        let text = format!("This is a part of the plan: {} and what it needs.", names.join(", "));
        remarks.insert(0, text);
    }
    let whole = match file {
        Some(path) => format!("mlinfra show -v {}", path.display()),
        None => "mlinfra plan -v".to_owned(),
    };
    Report {
        plan: &saved.plan,
        bill: order.is_about_all().then_some(&saved.cost),
        former,
        stack: home.stack.to_string(),
        place: format!("Region {}, account {}", home.region, home.account),
        made: format!("Made at {created} by mlinfra {mlinfra}"),
        destroy: *destroy,
        remarks,
        problems: closing.texts(WIDTH),
        whole,
    }
}

/// The plan for programs.
pub fn document(saved: &Saved) -> serde_json::Value {
    let former = saved.former.clone().into_iter().collect();
    plan_json::json(&Document {
        plan: &saved.plan,
        observed: &saved.observed,
        former: &former,
        variables: &saved.variables,
        created: saved.created.to_string(),
        outside: saved.outside.as_ref(),
        refresh_only: saved.selection.refresh_only,
        complete: saved.selection.is_whole(),
        cost: &saved.cost,
    })
}
