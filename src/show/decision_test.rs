//! Every reason of the autoscaler, exactly.

use std::collections::BTreeSet;

use serde_json::Value;

use super::decision::explain;
use super::golden::check;
use super::schemas;
use crate::fleet::{
    Against, Alert, Considered, Decision, Fate, Heard, Launch, LaunchReason, NotLess, NotMore,
    Rule, Seconds, Shape, Sums, Turn, TurnTo, TurnWhy, Unheard,
};
use crate::model::{Moment, Money};

/// 2026-11-28 09:30:00 UTC
const AT: Moment = Moment(1_795_858_200_000);

fn dollars(number: i64) -> Money {
    Money::new(number.into())
}

fn turn(node: &str, to: TurnTo, why: TurnWhy) -> Turn {
    Turn { node: node.into(), to, why }
}

fn turns() -> Vec<Turn> {
    let idle = |seconds| TurnWhy::Idle { idle: Seconds(seconds) };
    let mut turns: Vec<Turn> =
        (1..=5).map(|n| turn(&format!("i-{n}"), TurnTo::Cordon, idle(300 + n))).collect();
    turns.extend([
        turn("i-6", TurnTo::Cordon, idle(90)),
        turn("i-7", TurnTo::Terminate, TurnWhy::StillIdle),
        turn("i-8", TurnTo::Uncordon, TurnWhy::WorkCame),
        turn("i-9", TurnTo::Cordon, TurnWhy::AboveMax),
        turn("i-10", TurnTo::Cordon, TurnWhy::AboveBudget),
        turn("i-11", TurnTo::Terminate, TurnWhy::TimedOut { after: Seconds(1805) }),
        turn("i-12", TurnTo::Drain, TurnWhy::Interrupted { deadline: AT }),
        turn("i-13", TurnTo::Quarantine, TurnWhy::Lost { silent: Seconds(5400) }),
        turn(
            "i-15",
            TurnTo::Quarantine,
            TurnWhy::Unhealthy { how: "check: 7 of 8 GPUs".to_owned() },
        ),
        turn("i-14", TurnTo::Terminate, TurnWhy::Lingers { after: Seconds(301) }),
    ]);
    turns
}

fn launches() -> Vec<Launch> {
    let gang = |job: Option<&str>, shape| {
        let job = job.map(Into::into);
        LaunchReason::Gang { job, shape, have: 0 }
    };
    let reasons = [
        (4, gang(Some("train-7"), Shape::gang(8, 4))),
        (2, gang(None, Shape::gang(0, 2))),
        (1, LaunchReason::Jobs { jobs: 1, gpus: 1 }),
        (3, LaunchReason::Jobs { jobs: 3, gpus: 0 }),
        (1, LaunchReason::HeadRoom),
        (2, LaunchReason::Minimum),
        (1, LaunchReason::Probe),
    ];
    let offers = ["p5.48xlarge/us-east-1a/on-demand", "p5.48xlarge/us-east-1b/spot", "c", "d"];
    let launch = |(at, (count, reason)): (usize, (u32, LaunchReason))| Launch {
        batch: 7,
        count,
        whole: at < 3,
        offers: offers.iter().take(at % 5).map(|it| (*it).into()).collect(),
        reason,
    };
    reasons.into_iter().enumerate().map(launch).collect()
}

fn alerts() -> Vec<Alert> {
    let rules = [
        Rule::Max,
        Rule::Budget,
        Rule::Busy,
        Rule::Known,
        Rule::Gang,
        Rule::Slot,
        Rule::Once,
        Rule::Reversal,
    ];
    let why = "UnauthorizedOperation: no".to_owned();
    let broken = |rule| Alert::Invariant { rule, what: "9 of 8".to_owned() };
    let mut alerts: Vec<Alert> = rules.into_iter().map(broken).collect();
    alerts.extend([
        Alert::CircuitOpen { failures: 5 },
        Alert::Blocked { why: why.clone() },
        Alert::Quota { offer: "a".into(), why },
        Alert::Lingers { node: "i-1".into() },
        Alert::Silent { node: "i-2".into() },
        Alert::Absurd { what: "4294967295 jobs".to_owned() },
        Alert::Impaired {
            node: "i-0a".into(),
            what: "EC2's system check fails since 2026-11-28T09:00:00Z".to_owned(),
        },
        Alert::Misfit { source: "q1".into(), what: "big needs 16 accelerators".to_owned() },
        Alert::ClockWentBack,
        Alert::BudgetReached,
        Alert::BadSchedule { cron: "* *".to_owned(), why: "it has 2 fields".to_owned() },
    ]);
    alerts
}

fn not_more() -> Vec<NotMore> {
    vec![
        NotMore::Enough,
        NotMore::Max { max: 16 },
        NotMore::HourlyBudget { budget: dollars(400), would_be: dollars(450) },
        NotMore::StackBudget { budget: dollars(900), would_be: dollars(880) },
        NotMore::MonthlyBudget { budget: dollars(9000), would_be: dollars(9001) },
        NotMore::NoPrice,
        NotMore::Rate { per_minute: 1 },
        NotMore::CircuitOpen { probe_at: AT },
        NotMore::NoOffer { retry_at: Some(AT) },
        NotMore::NoOffer { retry_at: None },
        NotMore::TooLarge { shape: Shape::single(16) },
        NotMore::NotKnown,
        NotMore::Blind,
        NotMore::Paused,
        NotMore::Broken,
    ]
}

fn not_less() -> Vec<NotLess> {
    vec![
        NotLess::NoneIdle,
        NotLess::NotIdleEnough { nodes: 2, until: AT },
        NotLess::Nominated { nodes: 1 },
        NotLess::Min { min: 2 },
        NotLess::HeadRoom { nodes: 1 },
        NotLess::Stabilising { until: AT },
        NotLess::Rate { until: AT },
        NotLess::NotKnown,
        NotLess::Unheard { nodes: 2, because: Unheard::Work },
        NotLess::Unheard { nodes: 1, because: Unheard::NotTold },
        NotLess::Unheard { nodes: 2, because: Unheard::NotKnown },
        NotLess::ZeroNotConfirmed { seen: 1, of: 3 },
        NotLess::Blind,
        NotLess::Paused,
        NotLess::Broken,
    ]
}

fn waiting() -> Vec<Fate> {
    let fate = |shape, first: Option<&str>, jobs, (on_free, on_coming, launched), held| Fate {
        shape,
        priority: if jobs == 1 { 5 } else { 0 },
        first: first.map(Into::into),
        jobs,
        on_free,
        on_coming,
        launched,
        held,
    };
    let max = Some(NotMore::Max { max: 16 });
    vec![
        fate(Shape::gang(8, 4), Some("train-7"), 1, (0, 0, 1), None),
        fate(Shape::single(1), Some("a"), 9, (2, 3, 0), max),
        fate(Shape::single(0), None, 2, (0, 0, 0), None),
    ]
}

fn considered() -> Vec<Considered> {
    let all = [
        (Some(7), None),
        (None, Some(Against::Refused { until: AT })),
        (Some(8), Some(Against::Quota)),
        (Some(9), Some(Against::TooSmall)),
        (None, Some(Against::Full)),
    ];
    let one = |(price, against): (Option<i64>, Option<Against>)| Considered {
        offer: "p5.48xlarge/us-east-1a/spot".into(),
        per_gpu: price.map(dollars),
        against,
    };
    all.into_iter().map(one).collect()
}

fn everything() -> Decision {
    let sums = Sums {
        serving: 3,
        busy: 2,
        coming: 1,
        missing: 2,
        head_room: 1,
        max: 16,
        target: 6,
        jobs_waiting: 12,
        gpus_waiting: 41,
        gpus_free: 8,
        per_hour: dollars(220),
        this_month: dollars(1234),
        ..Sums::default()
    };
    Decision {
        launches: launches(),
        turns: turns(),
        sums,
        waiting: waiting(),
        not_more: not_more(),
        not_less: not_less(),
        considered: considered(),
        alerts: alerts(),
        wake: Some(AT),
        heard: Heard::Partly { since: AT, why: "q1: no \u{1b}[31manswer".to_owned() },
        left_out: vec!["q2: 3 jobs wait for another reason: Dependency".to_owned()],
    }
}

#[test]
fn every_reason_reads_well() {
    check("decision.txt", &(explain(&everything()).join("\n") + "\n"));
}

/// Every word by which a reason is known as JSON, wherever it stands.
fn tags(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let tag = ["reason", "why", "alert", "against", "to"].contains(&key.as_str());
            found.extend(value.as_str().filter(|it| tag && !it.contains(' ')).map(str::to_owned));
            tags(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|it| tags(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_schema_knows_every_reason() {
    let schema = schemas::format("autoscale-status").expect("a schema").schema;
    let mut found = BTreeSet::new();
    tags(&serde_json::to_value(everything()).expect("JSON"), &mut found);
    assert!(found.len() > 45, "{found:?}");
    for tag in found {
        assert!(schema.contains(&format!("\"{tag}\"")), "{tag}");
    }
}

#[test]
fn a_demand_that_is_not_known_is_never_called_none() {
    let why = "q: ended with \u{1b}]0;x\u{7}1".to_owned();
    let nothing = |jobs_waiting| Decision {
        heard: Heard::Nothing { since: AT, why: why.clone() },
        sums: Sums { jobs_waiting, ..Sums::default() },
        ..Decision::default()
    };
    let told = explain(&nothing(0)).join("\n");
    assert!(!told.contains("no job waits") && !told.contains('\u{1b}'), "{told}");
    assert!(told.contains("the demand is not known, since 2026-11-28 09:30:00 UTC: q: ended with"));
    let partly = Heard::Partly { since: AT, why: why.clone() };
    let lines = explain(&Decision { heard: partly, ..Decision::default() });
    assert!(lines[2].starts_with("not all of the demand is known, since"), "{lines:?}");
    assert_eq!(lines[3], "no job waits, as far as is known");
}

#[test]
fn nothing_to_do_is_said_and_what_is_too_much_is_counted() {
    let lines = explain(&Decision::default());
    assert_eq!(lines[0], "nothing is done");
    assert_eq!(lines[2], "no job waits");
    let many = waiting().into_iter().cycle().take(23).collect();
    let lines = explain(&Decision { waiting: many, ..Decision::default() });
    assert_eq!(lines.last().map(String::as_str), Some("and 3 groups of jobs more"));
}
