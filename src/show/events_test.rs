//! Runs as lines and as a summary, exactly.

use std::time::Duration;

use super::events::Progress;
use super::fixture::{fresh, mixed};
use super::golden::check;
use super::screen::Screen;
use crate::apply::Event;
use crate::cloud::{Class, Failure, Left};
use crate::kinds::Plan;
use crate::model::{Address, CloudId};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn done(step: usize, ids: &[&str], took: u64) -> Event {
    let ids = ids.iter().map(|id| CloudId::from(*id)).collect();
    Event::Done { step, ids, took: ms(took) }
}

fn waiting(step: usize, what: &str) -> Event {
    Event::Waiting { step, what: what.to_owned() }
}

/// A log of events, each with its milliseconds.
fn log<'a>(plan: &'a Plan, events: &[(u64, Event)]) -> (String, Progress<'a>) {
    let mut progress = Progress::new(plan, Screen::PLAIN);
    let mut out = String::new();
    for (at, event) in events {
        if let Some(said) = progress.hear(event, ms(*at)) {
            out.push_str(&said.stamped(&format!("12:00:{:02}", at / 1000)));
        }
    }
    (out, progress)
}

#[test]
fn a_run_that_succeeds() {
    let plan = Plan { steps: fresh().steps.into_iter().take(4).collect(), ..Plan::default() };
    let address = Address::from_tag("network.main/vpc").expect("an address");
    let mut events = vec![
        (0, Event::Recovering { address, how: "found by its tag, adopted".to_owned() }),
        (0, Event::Settling { wait: ms(5_000) }),
        (100, Event::Started { step: 0 }),
        (100, Event::Calling { step: 0, what: "create VPC".to_owned() }),
        (500, waiting(0, "throttled: AWS asks for fewer calls of EC2, tried again in a moment")),
        (900, waiting(0, "throttled: AWS asks for fewer calls of EC2, tried again in a moment")),
        (31_000, waiting(0, "throttled: AWS asks for fewer calls of EC2, tried again in a moment")),
        (32_100, done(0, &["vpc-0a1"], 32_000)),
    ];
    for step in 1..4 {
        events.push((32_200, Event::Started { step }));
        events.push((33_000, done(step, &[&format!("subnet-{step}")], 800)));
    }
    let (lines, progress) = log(&plan, &events);
    check("run_done.log", &lines);
    check("run_done.txt", &progress.summary(ms(33_000)));
    assert!(progress.is_complete());
    assert_eq!(progress.counted(), (4, 4));
}

#[test]
fn a_run_that_fails() {
    let plan = fresh();
    let fail = |class, left, api: &str, code: &str, text: &str| {
        let mut failure = Failure::new(class, left, api, code, text);
        failure.request = Some("3f2c-11".to_owned());
        failure
    };
    let words = "There is not enough capacity\u{1b}[2J.";
    let capacity = fail(
        Class::Capacity,
        Left::Nothing,
        "ec2:RunInstances",
        "InsufficientInstanceCapacity",
        words,
    );
    let limit = fail(
        Class::Quota,
        Left::Nothing,
        "ec2:CreateNatGateway",
        "NatGatewayLimitExceeded",
        "5 at most",
    );
    let lost = fail(Class::Unavailable, Left::Unknown, "s3:CreateBucket", "Timeout", "");
    let denied = fail(Class::Denied, Left::Nothing, "ec2:CreateTags", "UnauthorizedOperation", "");
    let mut events = vec![(0, Event::Started { step: 0 }), (900, done(0, &["vpc-0a1"], 900))];
    for step in 1..7 {
        events.push((1000, Event::Started { step }));
        events.push((2000, done(step, &[&format!("subnet-{step}")], 1000)));
    }
    events.extend([
        (2000, Event::Started { step: 7 }),
        (2100, Event::Failed { step: 7, failure: limit, took: ms(100) }),
        (2000, Event::Started { step: 9 }),
        (2200, Event::Failed { step: 9, failure: lost, took: ms(200) }),
        (2200, Event::Started { step: 8 }),
        (2200, Event::Calling { step: 8, what: "create NAT gateway".to_owned() }),
        (2200, Event::Calling { step: 8, what: "set tags of NAT gateway nat-2".to_owned() }),
        (2300, Event::Failed { step: 8, failure: denied, took: ms(100) }),
        (2300, Event::Started { step: 11 }),
        (
            2300,
            Event::Calling { step: 11, what: "launch 4 × p5.48xlarge in us-east-1a".to_owned() },
        ),
        (
            2400,
            Event::Calling { step: 11, what: "launch 4 × p5.48xlarge in us-east-1b".to_owned() },
        ),
        (9000, Event::Failed { step: 11, failure: capacity, took: ms(6700) }),
        (9000, Event::Skipped { step: 10, because: 7 }),
        (9100, Event::Stopping),
    ]);
    let (lines, progress) = log(&plan, &events);
    check("run_failed.log", &lines);
    check("run_failed.txt", &progress.summary(ms(9_100)));
    assert!(!progress.is_complete() && progress.is_stopping());
}

#[test]
fn live_lines_show_what_is_under_way_and_fit() {
    let plan = mixed();
    let screen = Screen { width: 50, ..Screen::PLAIN };
    let mut progress = Progress::new(&plan, screen);
    for (at, event) in [
        (0, Event::Started { step: 0 }),
        (0, Event::Started { step: 1 }),
        (0, Event::Started { step: 5 }),
        (3000, done(1, &[], 3000)),
        (4000, waiting(5, "waiting for 2 nodes to be gone\u{1b}[2J, which takes a while")),
    ] {
        progress.hear(&event, ms(at));
    }
    let wanted = [
        "~ bucket.datasets: changing bucket acme-da…  1m05s",
        "- cluster.train/nodes: waiting for 2 nodes…  1m05s",
        "1 of 9 steps done, 2 under way, 6 to come  1m05s",
    ];
    let live = progress.live(ms(65_000));
    assert!(live.iter().all(|line| line.chars().count() <= 50), "{live:?}");
    assert_eq!(live, wanted);
}

#[test]
fn live_lines_say_what_waits_for_what() {
    let plan = fresh();
    let mut progress = Progress::new(&plan, Screen::PLAIN);
    assert!(progress.live(ms(0)).is_empty());
    progress.hear(&Event::Started { step: 0 }, ms(0));
    let live = progress.live(ms(1000));
    let wanted = [
        "+ network.main/vpc: creating VPC  1.0s",
        "  network.main/private-a waits for network.main/vpc",
        "  network.main/private-b waits for network.main/vpc",
        "  network.main/private-c waits for network.main/vpc",
        "0 of 12 steps done, 1 under way, 11 to come  1.0s",
    ];
    assert_eq!(live, wanted);
}

#[test]
fn the_end_of_an_apply_at_three_widths_and_read_aloud() {
    let plan = fresh();
    let bill = super::fixture::bill();
    let end = |screen: Screen| {
        let mut progress = Progress::new(&plan, screen);
        for step in 0..plan.steps.len() {
            progress.hear(&Event::Started { step }, ms(0));
            progress.hear(&done(step, &[&format!("id-{step}")], 800), ms(900));
        }
        progress.summary(ms(185_000)) + &super::cost::from_now_on(&bill, &screen)
    };
    for width in [60, 80, 160] {
        check(&format!("end_{width}.txt"), &end(Screen { width, ..Screen::PLAIN }));
    }
    let plain = Screen { plain: true, width: usize::MAX, ..Screen::PLAIN };
    check("end_plain.txt", &end(plain));
}

#[test]
fn only_what_lasts_stays_above_live_lines() {
    let plan = fresh();
    let mut progress = Progress::new(&plan, Screen::PLAIN);
    let started = progress.hear(&Event::Started { step: 0 }, ms(0)).expect("a line");
    let done = progress.hear(&done(0, &["vpc-1"], 2100), ms(2100)).expect("a line");
    assert_eq!(
        (started.text.as_str(), started.lasting),
        ("+ network.main/vpc: creating VPC...\n", false)
    );
    assert_eq!(
        (done.text.as_str(), done.lasting),
        ("+ network.main/vpc: created vpc-1 in 2.1s\n", true)
    );
}
