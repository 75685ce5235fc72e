//! The life of nodes: who counts as ready, who is set aside and made up for, and when no more
//! are launched.

use std::collections::BTreeMap;
use std::time::Duration;

use mlinfra::apply::Ended;
use mlinfra::cloud::{Class, Left, Phase};
use mlinfra::kinds::{Action, KindName, Plan};
use mlinfra::ledger::Journal;
use mlinfra::model::{CloudId, Moment, tags};
use mlinfra::sim::{ObjectView, Region, Settings};

use crate::lab::{Death, Lab};

const STACK: &str = r#"
stack "r" { region = "us-east-1" }
network "n" { cidr = "10.0.0.0/16" }
cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 4
  image         = "ubuntu-24.04"
  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
"#;

fn lab(pairs: &[(&str, &str)]) -> Lab {
    let mut settings = Settings::default();
    for (key, value) in [("latency_ms", "10"), ("boot_seconds", "30")].iter().chain(pairs) {
        settings.set(key, value).expect("a setting");
    }
    Lab::new(settings)
}

fn nodes(region: &Region) -> Vec<ObjectView> {
    let mut all = region.snapshot();
    all.retain(|it| it.kind == KindName::Node && it.phase.stands());
    all
}

fn kept(region: &Region) -> Vec<ObjectView> {
    let mut all = nodes(region);
    all.retain(|it| it.tags.contains_key(tags::QUARANTINE));
    all
}

async fn done(lab: &Lab, text: &str) -> (Plan, Ended) {
    let desired = lab.desired(text).await;
    lab.apply(&desired).await.expect("an apply")
}

fn failure(ended: &Ended) -> &mlinfra::cloud::Failure {
    ended.outcome.failed.values().next().expect("a step that failed")
}

fn has(plan: &Plan, verb: &str) -> bool {
    plan.steps.iter().any(|step| step.action.verb() == verb)
}

/// A node serves by its own word, not because its machine runs.
#[tokio::test(start_paused = true)]
async fn an_apply_ends_when_every_node_says_that_it_is_ready() {
    let lab = lab(&[("report_seconds", "200")]);
    let begun = tokio::time::Instant::now();
    let (_, ended) = done(&lab, STACK).await;
    assert!(ended.is_converged());
    assert!(begun.elapsed() >= Duration::from_secs(230), "{:?}", begun.elapsed());
    // Without an agent EC2's status checks say so, which take as long.
    let bare = STACK.lines().filter(|line| !line.contains("agent") && !line.contains("  url"));
    let bare: Vec<_> = bare.filter(|line| !line.contains("sha256") && *line != "  }").collect();
    let other = self::lab(&[("report_seconds", "200")]);
    let begun = tokio::time::Instant::now();
    assert!(done(&other, &bare.join("\n")).await.1.is_converged());
    assert!(begun.elapsed() >= Duration::from_secs(230), "{:?}", begun.elapsed());
}

/// One of four fails its boot check: it is marked, kept, replaced, and ends an hour later.
#[tokio::test(start_paused = true)]
async fn a_node_that_fails_is_kept_replaced_and_ended_in_time() {
    let lab = lab(&[("unfit.g5.xlarge", "1,1")]);
    let (_, ended) = done(&lab, STACK).await;
    assert!(ended.is_converged(), "{ended:#?}");
    let aside = kept(&lab.region);
    assert_eq!((nodes(&lab.region).len(), aside.len()), (5, 1));
    let reason = &aside[0].tags[tags::QUARANTINE_REASON];
    assert_eq!(reason, "check: uncorrected ECC errors on GPU 0 simulated");
    let until = Moment::read(&aside[0].tags[tags::QUARANTINE]).expect("a time");
    let now = i64::try_from(lab.region.now()).expect("a time");
    assert!(until.0 > now + 3_000_000 && until.0 <= now + 3_600_000, "{until}");

    // Nothing is to be done about it for an hour; then it ends, and nothing else does.
    let desired = lab.desired(STACK).await;
    assert!(lab.plan(&desired).await.expect("a plan").is_empty());
    lab.region.advance(Duration::from_secs(3601)).expect("time");
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    let [step] = plan.steps.as_slice() else { panic!("{plan:#?}") };
    assert!(
        matches!(&step.action, Action::Terminate { nodes, .. } if *nodes == [aside[0].id.clone()])
    );
    assert!(ended.is_converged());
    assert_eq!((nodes(&lab.region).len(), kept(&lab.region).len()), (4, 0));
}

/// Two are enough to be looked at, and each costs money.
#[tokio::test(start_paused = true)]
async fn more_than_are_kept_end_at_once() {
    let lab = lab(&[("unfit.g5.xlarge", "3,1")]);
    assert!(done(&lab, STACK).await.1.is_converged());
    assert_eq!((nodes(&lab.region).len(), kept(&lab.region).len()), (6, 2));
    let none = STACK.replace("  agent", "  health {\n quarantine = \"0s\"\n }\n  agent");
    let other = self::lab(&[("unfit.g5.xlarge", "3,1")]);
    assert!(done(&other, &none).await.1.is_converged());
    assert_eq!((nodes(&other.region).len(), kept(&other.region).len()), (4, 0));
}

/// A node that says nothing has failed when its time is up.
#[tokio::test(start_paused = true)]
async fn silence_is_a_failure_in_the_end() {
    let lab = lab(&[("silent.g5.xlarge", "1,1")]);
    let begun = tokio::time::Instant::now();
    assert!(done(&lab, STACK).await.1.is_converged());
    let took = begun.elapsed();
    assert!((900..1200).contains(&took.as_secs()), "{took:?}");
    let reason = kept(&lab.region)[0].tags[tags::QUARANTINE_REASON].clone();
    assert_eq!(reason, "not ready within 15 minutes: it has said nothing");
}

/// Five in a row: no sixth is launched, by this apply or by the next, until one of three things.
#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_stop_the_launching() {
    let lab = lab(&[("unfit.g5.xlarge", "9")]);
    let text = STACK.replace("nodes         = 4", "nodes         = 1");
    let (_, ended) = done(&lab, &text).await;
    let failed = failure(&ended);
    assert_eq!((failed.class, failed.code.as_str()), (Class::Invalid, "NodesFail"));
    assert!(
        failed.text.starts_with(
            "the last 5 nodes have failed, and no more are launched: check: uncorrected ECC"
        ),
        "{failed}"
    );
    assert_eq!(launched(&lab), 5);
    assert_eq!((nodes(&lab.region).len(), kept(&lab.region).len()), (2, 2));

    // Again: not one is launched, and that is said at once.
    let desired = lab.desired_after(&text, &lab.desired(&text).await).await;
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(has(&plan, "launch"));
    assert_eq!((failure(&ended).code.as_str(), failure(&ended).left), ("NodesFail", Left::Nothing));
    assert_eq!(launched(&lab), 5);

    // Another template is a new start, and so is one that serves.
    lab.region.set("unfit.g5.xlarge", "none").expect("a setting");
    let other = lab.desired_after(&text.replace("ubuntu-24.04", "al2023"), &desired).await;
    assert!(lab.apply(&other).await.expect("an apply").1.is_converged());
    let journal = Journal::open(&lab.store, "reader").await.expect("a ledger");
    assert_eq!(journal.ledger.boots, BTreeMap::new());
}

fn launched(lab: &Lab) -> u64 {
    let calls = mlinfra::cloud::Cloud::calls(&lab.region);
    calls.get("ec2:RunInstances").map_or(0, |row| row.calls)
}

/// The successors do not come up: whoever serves goes on serving.
#[tokio::test(start_paused = true)]
async fn nobody_is_ended_for_a_successor_that_fails() {
    for (key, value) in [("unfit.g5.xlarge", "9"), ("silent.g5.xlarge", "9")] {
        let lab = lab(&[]);
        let old = lab.desired(STACK).await;
        assert!(lab.apply(&old).await.expect("an apply").1.is_converged());
        let first: Vec<CloudId> = nodes(&lab.region).iter().map(|it| it.id.clone()).collect();
        lab.region.set(key, value).expect("a setting");
        let new = lab.desired_after(&STACK.replace("ubuntu-24.04", "al2023"), &old).await;
        let (_, ended) = lab.apply(&new).await.expect("an apply");
        assert_eq!(failure(&ended).code, "NodesFail");
        let alive = nodes(&lab.region);
        assert!(first.iter().all(|id| alive.iter().any(|it| it.id == *id)), "{key}");
    }
}

/// A run that died after it launched the successors: the next one waits for them before it ends
/// their predecessors.
#[tokio::test(start_paused = true)]
async fn successors_of_an_earlier_run_are_waited_for() {
    let lab = lab(&[("report_seconds", "120")]);
    let text = STACK.replace("  agent", "  rolling {\n surge = 4\n }\n  agent");
    let old = lab.desired(&text).await;
    assert!(lab.apply(&old).await.expect("an apply").1.is_converged());
    let first: Vec<CloudId> = nodes(&lab.region).iter().map(|it| it.id.clone()).collect();
    let new = lab.desired_after(&text.replace("ubuntu-24.04", "al2023"), &old).await;
    let cut = tokio::time::timeout(Duration::from_secs(20), lab.apply(&new)).await;
    assert!(cut.is_err(), "it waits for the successors");
    assert_eq!(nodes(&lab.region).len(), 8);
    let plan = lab.plan(&new).await.expect("a plan");
    let ends = plan.steps.iter().find_map(|step| match &step.action {
        Action::Terminate { once, .. } => Some(once.len()),
        _ => None,
    });
    assert_eq!(ends, Some(4), "{plan:#?}");
    let (region, watch) = (lab.region.clone(), first.clone());
    let observer = tokio::spawn(async move {
        loop {
            let all = nodes(&region);
            let gone = watch.iter().any(|id| !all.iter().any(|it| it.id == *id));
            if gone {
                return region.now();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let born = nodes(&lab.region).iter().filter(|it| !first.contains(&it.id)).count();
    assert_eq!(born, 4);
    let begun = lab.region.now();
    assert!(lab.apply(&new).await.expect("an apply").1.is_converged());
    let gone = observer.await.expect("a time");
    assert!(gone >= begun + 100_000, "{begun} {gone}");
}

/// What AWS announces is acted on: successors first.
#[tokio::test(start_paused = true)]
async fn a_node_whose_machine_goes_is_replaced_first() {
    for (word, says) in
        [("retirement", "retirement"), ("impaired", "impaired"), ("interruption", "interruption")]
    {
        let lab = lab(&[]);
        let desired = lab.desired(STACK).await;
        assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
        let ill = nodes(&lab.region)[1].id.clone();
        lab.region.set(&format!("notice.{ill}"), word).expect("a setting");
        let plan = lab.plan(&desired).await.expect("a plan");
        let verbs: Vec<&str> = plan.steps.iter().map(|step| step.action.verb()).collect();
        assert_eq!(verbs, ["launch", "terminate"], "{word}");
        let why = serde_json::to_string(&plan.steps[1].why).expect("JSON");
        assert!(why.contains(says), "{why}");
        assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
        assert!(!nodes(&lab.region).iter().any(|it| it.id == ill));
    }
    // A reboot is told and nothing else: the node stays.
    let lab = lab(&[]);
    let desired = lab.desired(STACK).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let one = nodes(&lab.region)[1].id.clone();
    lab.region.set(&format!("notice.{one}"), "reboot").expect("a setting");
    assert!(lab.plan(&desired).await.expect("a plan").is_empty());
}

/// A node that turns unhealthy while it works goes on working: it is marked, made up for, and
/// ended only when its time is over and its job has ended.
#[tokio::test(start_paused = true)]
async fn a_job_on_an_unhealthy_node_is_never_killed() {
    let lab = lab(&[]);
    let desired = lab.desired(STACK).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let ill = nodes(&lab.region)[0].id.clone();
    let say = |key: &str, value: Option<&str>| {
        lab.region.foreign_tag(ill.as_str(), key, value).expect("a tag");
    };
    say(tags::STATE, Some("unhealthy"));
    say(tags::REASON, Some("check: reboot after Xid 79"));
    say(tags::JOB, Some("train"));
    let (plan, ended) = lab.apply(&desired).await.expect("an apply");
    let verbs: Vec<&str> = plan.steps.iter().map(|step| step.action.verb()).collect();
    assert_eq!(verbs, ["quarantine", "launch"]);
    assert!(ended.is_converged());
    assert!(nodes(&lab.region).iter().any(|it| it.id == ill));
    lab.region.advance(Duration::from_secs(4000)).expect("time");
    let apply = lab.apply(&desired);
    drop(tokio::time::timeout(Duration::from_secs(7200), apply).await);
    assert!(nodes(&lab.region).iter().any(|it| it.id == ill), "its job was killed");
    say(tags::JOB, None);
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    assert!(!nodes(&lab.region).iter().any(|it| it.id == ill));
}

/// What EC2 says cannot be read: nobody is taken for ready, and the right is named.
#[tokio::test(start_paused = true)]
async fn without_the_right_to_ask_nobody_is_taken_for_ready() {
    let lab = lab(&[("faults", "deny@ec2:DescribeInstanceStatus")]);
    let (_, ended) = done(&lab, STACK).await;
    let failed = failure(&ended);
    assert_eq!((failed.class, failed.left), (Class::Denied, Left::Something));
    assert_eq!(failed.api, "ec2:DescribeInstanceStatus");
    // They stand, and the next apply finds them.
    assert!(done(&lab, STACK).await.1.is_converged());
    assert_eq!(nodes(&lab.region).len(), 4);
}

/// A process dies at every point of a launch of which a node fails, and at every point of the end
/// of its quarantine: nothing is made twice, nothing is left over, one failure counts once.
#[tokio::test(start_paused = true)]
async fn whatever_dies_when_a_failure_counts_once() {
    // All but the nodes stands already: what is before them is proved elsewhere.
    let of = |nodes: &str| STACK.replace("nodes         = 4", &format!("nodes = {nodes}"));
    let plain = lab(&[]);
    let (none, desired) = (plain.desired(&of("0")).await, plain.desired(&of("2")).await);
    let mut deaths = 0;
    for at in 0.. {
        let lab = lab(&[("unfit.g5.xlarge", "1,1")]);
        assert!(lab.apply(&none).await.expect("an apply").1.is_converged());
        let cut = lab.mortal_apply(&desired, &Death::at(at)).await.is_none();
        deaths += usize::from(cut);
        assert!(lab.apply(&desired).await.expect("an apply").1.is_converged(), "death at {at}");
        if cut && kept(&lab.region).is_empty() {
            // Who finds nodes that boot does not wait for them: how they come up is seen later.
            lab.region.advance(Duration::from_secs(60)).expect("time");
            assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
        }
        assert!(lab.doubled().is_empty(), "death at {at}");
        assert_eq!((nodes(&lab.region).len(), kept(&lab.region).len()), (3, 1), "death at {at}");
        let journal = Journal::open(&lab.store, "reader").await.expect("a ledger");
        let failed: usize = journal.ledger.boots.values().map(|it| it.failed.len()).sum();
        assert_eq!(failed, 0, "death at {at}");
        // Its time is over; the run that ends it dies as well.
        lab.region.advance(Duration::from_secs(3700)).expect("time");
        drop(lab.mortal_apply(&desired, &Death::at(at % 24)).await);
        assert!(lab.apply(&desired).await.expect("an apply").1.is_converged(), "death at {at}");
        assert_eq!((nodes(&lab.region).len(), kept(&lab.region).len()), (2, 0), "death at {at}");
        if !cut {
            break;
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 20, "{deaths}");
}

/// A launch that stops hard after a part of it says how many run.
#[tokio::test(start_paused = true)]
async fn a_launch_that_stops_says_how_many_run() {
    let lab = lab(&[("faults", "deny@ec2:RunInstances#2"), ("capacity.g5.xlarge@us-east-1a", "2")]);
    let (_, ended) =
        done(&lab, STACK.replace("nodes         = 4", "nodes         = 6").as_str()).await;
    let failed = failure(&ended);
    assert_eq!(failed.class, Class::Denied, "{failed}");
    assert!(failed.text.ends_with("(2 of 6 nodes run)"), "{failed}");
    assert_eq!(failed.left, Left::Something);
    assert_eq!(nodes(&lab.region).iter().filter(|it| it.phase != Phase::Gone).count(), 2);
}

/// A node that is said not to exist, and that every list shows running, is not taken for gone: it
/// costs money.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_denied_and_runs_is_not_gone() {
    let lab = lab(&[]);
    let (_, ended) = done(&lab, STACK).await;
    assert!(ended.is_converged());
    let denials = ["not_found@ec2:TerminateInstances#1"; 50].join(",");
    let denied = |faults: &str| lab.region.set("faults", faults).expect("faults");
    denied(&denials);
    let fewer = STACK.replace("nodes         = 4", "nodes         = 3");
    let (_, ended) = done(&lab, &fewer).await;
    let failed = failure(&ended);
    assert_eq!((failed.class, failed.left), (Class::Gone, Left::Nothing), "{failed}");
    assert_eq!(nodes(&lab.region).len(), 4);
    denied("");
    let (plan, ended) = done(&lab, &fewer).await;
    assert!(has(&plan, "terminate") && ended.is_converged(), "{plan:#?}");
    assert_eq!(nodes(&lab.region).len(), 3);
}
