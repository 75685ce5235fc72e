//! Plans and runs of ten thousand changes, exactly: they stay readable.

use std::time::Duration;

use serde_json::json;

use super::events::Progress;
use super::fixture::{bucket, create, delete, step, update};
use super::golden::check;
use super::plan::text;
use super::screen::Screen;
use crate::apply::Event;
use crate::cloud::{Class, Failure, Left};
use crate::kinds::{Action, Plan, Spec, Step, Why};
use crate::model::CloudId;

const VERBOSE: Screen = Screen { verbose: true, ..Screen::PLAIN };

fn named(at: usize, tags: serde_json::Value) -> Spec {
    bucket(&format!("acme-{at}"), at.is_multiple_of(2), json!("{\"Statement\":[]}"), tags)
}

/// Changes of every sort: separate blocks, keys of one block, modules.
fn crowd() -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let mut add = |tag: String, action, why| steps.push(step(&tag, action, why, &[]));
    for i in 0..6000 {
        add(format!("bucket.b{i}"), create(named(i, json!({}))), Why::Missing);
    }
    for i in 0..2000 {
        let change = update(
            &format!("acme-{i}"),
            named(i, json!({"n": i.to_string()})),
            named(i, json!({"n": (i + 1).to_string()})),
        );
        add(format!("module.m{}.bucket.data={i}", i % 10), change, Why::Changed);
    }
    for i in 0..1000 {
        add(
            format!("bucket.old{i}"),
            delete(&format!("old-{i}"), named(i, json!({}))),
            Why::Removed,
        );
    }
    for i in 0..499 {
        let (was, spec) = (named(i, json!({})), named(i + 1, json!({})));
        let (ids, fields) = (vec![CloudId::from("acme")], vec!["name".to_owned()]);
        let successor = Action::Create { spec, generation: 2, named: None };
        add(format!("bucket.moved={i}"), successor, Why::Replaces { ids, fields });
        add(format!("bucket.moved={i}"), delete(&format!("acme-{i}"), was), Why::Superseded);
    }
    let empty = Action::Delete {
        id: CloudId::from("acme-full"),
        was: named(0, json!({})),
        empty_first: true,
    };
    add("bucket.full".to_owned(), empty, Why::Removed);
    Plan { steps, ..Plan::default() }
}

#[test]
fn a_plan_of_ten_thousand_changes_stays_readable() {
    let plan = crowd();
    let shown = text(&plan, &Screen::PLAIN);
    check("plan_crowd.txt", &shown);
    assert!(shown.lines().count() < 200);
    assert!(shown.ends_with("Plan: 6499 to add, 2000 to change, 1500 to delete.\n"), "{shown}");
    // Nothing is lost with -v.
    let all = text(&plan, &VERBOSE);
    for tag in ["bucket.b5999", "module.m9.bucket.data[1999]", "bucket.old999", "bucket.moved[498]"]
    {
        assert!(all.contains(tag), "{tag}");
    }
}

#[test]
fn a_plan_stays_readable_where_nothing_is_alike() {
    let steps = (0..2000).map(|i| {
        let tags: serde_json::Map<_, _> = (0..11)
            .filter(|bit| i >> bit & 1 == 1)
            .map(|bit| (format!("t{bit}"), json!("x")))
            .collect();
        let note = Why::Failed { text: format!("reason {i}") };
        let long = bucket(&format!("b-{i}"), true, json!("x\n".repeat(40)), json!(tags));
        let was = bucket(&format!("b-{i}"), false, json!("y\n".repeat(40)), json!({}));
        step(
            &format!("module.m{}.bucket.b{i}/part-x{i}", i % 700),
            update("b", was, long),
            note,
            &[],
        )
    });
    let plan = Plan { steps: steps.collect(), ..Plan::default() };
    let shown = text(&plan, &Screen::PLAIN);
    assert!(shown.lines().count() < 200, "{shown}");
    assert!(shown.contains("2000 to change"));
}

#[test]
fn a_plan_that_a_person_can_read_is_told_in_full() {
    let mut plan = crowd();
    plan.steps.truncate(100);
    assert!(text(&plan, &Screen::PLAIN).contains("bucket.b99"));
}

/// A run of a plan in which every hundredth step fails.
fn run(screen: Screen) -> (String, String) {
    let plan = crowd();
    let mut progress = Progress::new(&plan, screen);
    let mut out = String::new();
    let mut hear = |event: Event, seconds: usize| {
        let now = Duration::from_secs(seconds as u64);
        if let Some(said) = progress.hear(&event, now) {
            out.push_str(&said.stamped("12:00:00"));
        }
    };
    for at in 0..plan.steps.len() - 500 {
        hear(Event::Started { step: at }, at / 50);
        hear(Event::Calling { step: at, what: "create bucket".to_owned() }, at / 50);
        let took = Duration::from_secs(1);
        if at % 100 == 99 {
            let failure = Failure::new(Class::Denied, Left::Nothing, "s3", "AccessDenied", "no");
            hear(Event::Failed { step: at, failure, took }, at / 50 + 1);
        } else {
            hear(Event::Done { step: at, ids: vec![CloudId::from("acme")], took }, at / 50 + 1);
        }
    }
    for at in plan.steps.len() - 500..plan.steps.len() {
        hear(Event::Skipped { step: at, because: 99 }, 200);
    }
    let summary = progress.summary(Duration::from_secs(200));
    (out, summary)
}

#[test]
fn a_run_of_ten_thousand_steps_stays_readable() {
    let (log, summary) = run(Screen::PLAIN);
    check("run_crowd.log", &log);
    check("run_crowd.txt", &summary);
    assert!(log.lines().count() < 100 && summary.lines().count() < 150);
    assert!(log.contains("9999 of 9999 steps"));
    let (log, summary) = run(VERBOSE);
    assert!(log.lines().count() > 20_000 && summary.matches("AccessDenied").count() >= 94);
}
