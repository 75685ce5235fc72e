//! The history of a stack, as a table, apply by apply, and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::words;
use crate::kinds::{Action, KindName, Plan};
use crate::ledger::{Apply, Done};
use crate::model::Moment;

/// The column in which details begin.
const DETAIL: usize = 13;

/// How an apply ended, in a word or two.
pub fn outcome(apply: &Apply) -> &str {
    match apply.ended {
        Some(_) => &apply.outcome,
        None => "unfinished",
    }
}

fn took(apply: &Apply) -> Option<Duration> {
    let millis = apply.ended?.since(apply.began);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

/// `2026-11-24 09:30:00`
pub(super) fn when(at: Moment) -> String {
    let text = at.to_string().replace('T', " ");
    text.split(['.', 'Z']).next().unwrap_or_default().to_owned()
}

/// A line for each apply.
pub fn table(applies: &[Apply], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    if applies.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "Nothing was applied yet."));
        return page.finish();
    }
    let rows: Vec<[String; 6]> = applies
        .iter()
        .rev()
        .map(|apply| {
            let failed = apply.done.iter().filter(|done| done.failure.is_some()).count();
            let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
            [
                apply.number.to_string(),
                when(apply.began),
                apply.who.verb.clone(),
                format!("{}{failed}", count(apply.steps, "step", "steps")),
                outcome(apply).to_owned(),
                apply.who.user.clone(),
            ]
        })
        .collect();
    let wide = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let wides: Vec<usize> = (0..6).map(wide).collect();
    for row in &rows {
        let [number, when, verb, steps, outcome, user] = row;
        let ink = match outcome.as_str() {
            "converged" => Ink::Plain,
            _ => Ink::Warn,
        };
        let text =
            format!("{number:>0$}  {when}  {verb:1$}  {steps:2$}  ", wides[0], wides[2], wides[3]);
        let last = format!("{outcome:0$}", wides[4]);
        page.row(
            &Row::at(0)
                .solid(Ink::Plain, text)
                .solid(ink, last)
                .solid(Ink::Dim, format!("  {user}")),
        );
    }
    page.finish()
}

/// Everything about one apply.
pub fn text(apply: &Apply, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let head = format!("Apply {}: {}, {}", apply.number, apply.who.verb, outcome(apply));
    page.row(&Row::at(0).words(Ink::Bold, head));
    let mut line = |name: &str, text: String| {
        let row = Row::at(2).hang(DETAIL).solid(Ink::Dim, format!("{name:10} "));
        page.row(&row.words(Ink::Plain, text));
    };
    let span = took(apply).map_or_else(
        || "; it died, or still runs".to_owned(),
        |took| format!(", took {}", words::span(took)),
    );
    line("began", format!("{}{span}", when(apply.began)));
    line("by", format!("{} as {}", apply.who.user, apply.who.arn));
    if let Some(commit) = &apply.who.commit {
        let clean = commit.trim_end_matches('+');
        let more = if clean == commit { "" } else { " and changes that were not committed" };
        line("commit", format!("{clean}{more}"));
    }
    if let Some(plan) = &apply.plan {
        line("plan", plan.clone());
    }
    match &apply.config {
        Some(config) => line("config", config.clone()),
        None => line("config", "not kept".to_owned()),
    }
    if !apply.targets.is_empty() {
        line("targets", format!("{}; the rest was left alone", apply.targets.join(", ")));
    }
    let failed = apply.done.iter().filter(|done| done.failure.is_some()).count();
    let done = apply.done.len() - failed;
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    line("steps", format!("{done} of {} done{failed}", apply.steps));
    let wide = apply.done.iter().map(|done| done.address.to_string().chars().count());
    let wide = wide.max().unwrap_or(0).min(40);
    for done in &apply.done {
        page.row(&step(done, wide));
    }
    page.finish()
}

fn step(done: &Done, wide: usize) -> Row {
    let Done { at: _, address, verb, ids, failure, took } = done;
    let (mark, ink) = if failure.is_some() { ("!", Ink::Bad) } else { ("·", Ink::Dim) };
    let address = address.to_string();
    let row =
        Row::marked(4, ink, mark).hang(8).solid(Ink::Plain, format!("{address:wide$}  {verb:9} "));
    let row = match failure {
        Some(text) => row.words(Ink::Bad, text),
        None => {
            let ids: Vec<&str> = ids.iter().map(crate::model::CloudId::short).collect();
            row.words(Ink::Dim, ids.join(", "))
        }
    };
    match took {
        Some(millis) => {
            let span = words::span(Duration::from_millis(*millis));
            row.words(Ink::Dim, format!(" {span}"))
        }
        None => row,
    }
}

/// What a plan that goes back cannot bring back.
pub fn lost(plan: &Plan, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    for step in &plan.steps {
        let Action::Create { spec, .. } = &step.action else { continue };
        let what = if spec.kind() == KindName::Bucket {
            "objects"
        } else if spec.kind() == KindName::Queue {
            "messages"
        } else {
            continue;
        };
        let text =
            format!("{} is made anew and empty: the {what} that it held are gone.", step.address);
        page.row(&Row::at(0).words(Ink::Warn, text));
    }
    page.finish()
}

/// The applies for machines.
pub fn json(applies: &[Apply]) -> Value {
    let all: Vec<Value> = applies.iter().map(one).collect();
    json!({ "format_version": "1.0", "applies": all })
}

/// One apply for machines.
pub fn one(apply: &Apply) -> Value {
    let Apply { number, began, ended, who, steps, done, outcome: _, serial, plan, config, targets } =
        apply;
    let done: Vec<Value> = done
        .iter()
        .map(|Done { at, address, verb, ids, failure, took }| {
            json!({ "at": at.map(|at| at.to_string()), "address": address.to_string(),
                "action": verb, "ids": ids, "failure": failure, "took_ms": took })
        })
        .collect();
    json!({
        "number": number,
        "began": began.to_string(),
        "ended": ended.map(|ended| ended.to_string()),
        "outcome": outcome(apply),
        "verb": who.verb,
        "arn": who.arn,
        "user": who.user,
        "commit": who.commit.as_ref().map(|commit| commit.trim_end_matches('+')),
        "dirty": who.commit.as_ref().map(|commit| commit.ends_with('+')),
        "serial": serial,
        "plan_sha256": plan,
        "config_sha256": config,
        "targets": targets,
        "planned": steps,
        "steps": done,
    })
}
