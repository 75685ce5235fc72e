//! Reports, exactly, and under hostile and huge plans.

use std::collections::BTreeMap;

use serde_json::json;

use super::Report;
use crate::kinds::{Plan, Why};
use crate::show::fixture::{at, bill, bucket, create, fresh, mixed, step};
use crate::show::golden::check;

fn report<'a>(plan: &'a Plan, former: &'a BTreeMap<String, serde_json::Value>) -> Report<'a> {
    Report {
        plan,
        bill: None,
        former,
        stack: "llm".to_owned(),
        place: "Region us-east-1, account 000000000000".to_owned(),
        made: "Made at 2026-11-23T09:30:00Z by mlinfra 0.1.0".to_owned(),
        destroy: false,
        remarks: vec!["Note: 1 object has changed outside of mlinfra since apply 3.".to_owned()],
        problems: vec!["warning[B002]: it could grow\n".to_owned()],
        whole: "mlinfra plan -v".to_owned(),
    }
}

#[test]
fn reports_of_plans() {
    let former = BTreeMap::from([("vpc".to_owned(), json!("vpc-1"))]);
    let bill = bill();
    for (name, plan) in [("fresh", fresh()), ("mixed", mixed())] {
        let report = Report { bill: Some(&bill), ..report(&plan, &former) };
        check(&format!("report_{name}.md"), &report.markdown());
        // What it looks like stands in files of its own.
        let html = report.html();
        let (head, rest) = html.split_once("<style>").expect("a style");
        let (_, body) = rest.split_once("</style>").expect("its end");
        check(&format!("report_{name}.html"), &format!("{head}<style/>{body}"));
        check(&format!("report_{name}.svg"), &report.svg());
        check(&format!("report_{name}.dot"), &report.dot());
    }
    let nothing = Plan { unchanged: 7, ..Plan::default() };
    let former = BTreeMap::new();
    let report = Report { problems: vec![], remarks: vec![], ..report(&nothing, &former) };
    check("report_nothing.md", &report.markdown());
    assert!(report.html().contains("No changes. The cloud matches the configuration."));
    assert!(report.svg().contains("No changes."));
}

/// So many buckets, each with a policy that only it has.
fn many(number: usize, policy: &str) -> Plan {
    let mut plan = Plan::default();
    for i in 0..number {
        let tag = format!("bucket.b{i}");
        let policy = format!("{policy}{i}");
        let made = bucket(&format!("acme-{i}"), i % 2 == 0, json!(policy), json!({}));
        plan.steps.push(step(&tag, create(made), Why::Missing, &[]));
    }
    plan
}

#[test]
fn a_comment_stays_below_the_limit_and_says_what_it_leaves_out() {
    let former = BTreeMap::new();
    let mut plan = many(100, "{\"x\":\"y\"}");
    for (i, one) in plan.steps.iter_mut().enumerate() {
        let failed = "`@all` ".repeat(200) + &i.to_string();
        one.why = Why::Failed { text: failed };
    }
    let report = Report { problems: vec!["é".repeat(70_000)], ..report(&plan, &former) };
    let text = report.markdown();
    assert!(text.len() < 65_536 && text.len() > 50_000, "{}", text.len());
    assert!(text.starts_with("<!-- mlinfra-plan:llm -->\n"));
    let cut = "**Cut:** the changes of ";
    assert!(text.contains(cut) && text.contains("mlinfra plan -v"), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn ten_thousand_changes_are_folded() {
    let former = BTreeMap::new();
    let mut plan = many(10_000, "");
    for at in 1..10_000 {
        plan.steps[at].needs.push(at - 1);
    }
    let report = report(&plan, &former);
    for text in [report.markdown(), report.html(), report.svg(), report.dot()] {
        assert!(text.len() < 65_536, "{}", text.len());
        assert!(text.contains("bucket.*") || text.contains("bucket&#46;&#42;"), "{text}");
    }
}

#[test]
fn what_others_wrote_stays_text_in_every_format() {
    let bad = "</script><img src=x onerror=alert(1)> `@octocat` | ![x](http://evil) \"]; \
               --> ]]> \u{1b}[2J\u{202e}\n# heading";
    let mut plan = many(1, "");
    plan.steps[0].address = at("bucket.data=x");
    plan.steps[0].why = Why::Failed { text: bad.to_owned() };
    let former = BTreeMap::from([("o".to_owned(), json!(bad))]);
    let remarks = vec![bad.to_owned()];
    let problems = vec![bad.to_owned()];
    let report = Report { remarks, problems, ..report(&plan, &former) };
    let html = report.html();
    assert!(!html.contains("<img") && !html.contains("</script>") && !html.contains('\u{1b}'));
    let svg = report.svg();
    assert!(!svg.contains("<img") && !svg.contains("]]>"));
    let dot = report.dot();
    assert!(dot.lines().all(|line| !line.starts_with("# heading")));
    let markdown = report.markdown();
    let mut fenced = false;
    for line in markdown.lines() {
        fenced ^= line.starts_with("```");
        assert!(fenced || !(line.starts_with("# heading") || line.contains('@')), "{line}");
    }
    assert!(!markdown.contains('\u{202e}'));
}
