//! Large stacks: what they cost in calls, and how their cost grows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mlinfra::cloud::{CallCounts, Cloud};
use mlinfra::kinds::KindName;
use mlinfra::model::Moment;
use mlinfra::serve::autoscale::Glance;
use mlinfra::sim::Settings;

use crate::lab::Lab;

/// Clusters of at most a thousand nodes, which is what one launch can start.
fn clusters(nodes: u32) -> String {
    let mut text =
        "stack \"s\" {\n  region = \"us-east-1\"\n}\nnetwork \"n\" {}\nbucket \"b\" {}\n\
                    queue \"q\" {}\n"
            .to_owned();
    for at in 0..nodes.div_ceil(1000) {
        let nodes = (nodes - at * 1000).min(1000);
        text.push_str(&format!(
            "cluster \"c{at}\" {{\n  network = network.n\n  instance_type = \"g5.xlarge\"\n  \
             nodes = {nodes}\n  queue = queue.q\n}}\n"
        ));
    }
    text
}

/// The calls of one refresh of a cluster that was applied, and what it found.
async fn refresh(nodes: u32) -> (BTreeMap<String, u64>, BTreeMap<KindName, u64>) {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&clusters(nodes)).await;
    let (_, ended) = lab.apply(&desired).await.expect("an apply");
    assert!(ended.is_converged(), "{ended:?}");
    let before = lab.region.calls();
    let observed = lab.region.observe(&lab.scope(&desired)).await;
    let calls = since(&lab, &before);
    let mut found = BTreeMap::new();
    for live in observed.live.values() {
        *found.entry(live.kind).or_default() += 1;
    }
    (calls, found)
}

/// One list per kind (two where the kind says so), one more for each further page, and
/// the detail reads that kinds have declared.
fn allowed(found: &BTreeMap<KindName, u64>) -> u64 {
    let one = |kind: &KindName| {
        let (budget, found) = (kind.traits().budget, found.get(kind).copied().unwrap_or(0));
        let pages = found.div_ceil(1000).max(1);
        u64::from(budget.list) * pages + u64::from(budget.detail) * found
    };
    KindName::ALL.iter().map(one).sum()
}

/// What a region was asked since then, by API.
fn since(lab: &Lab, before: &CallCounts) -> BTreeMap<String, u64> {
    let calls = lab.region.calls().into_iter();
    let more = calls.map(|(api, now)| {
        let before = before.get(&api).map_or(0, |before| before.calls);
        (api, now.calls - before)
    });
    more.filter(|(_, calls)| *calls > 0).collect()
}

/// A service looks every ten seconds: everything once, then what a fleet can see change.
#[tokio::test(start_paused = true)]
async fn a_look_of_the_autoscaler_at_a_thousand_nodes_costs_four_lists_and_no_more() {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&clusters(1000)).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let (scope, glance) = (lab.scope(&desired), Glance::default());
    let before = lab.region.calls();
    let whole = glance.look(&lab.region, &scope, now(&lab)).await;
    let first = since(&lab, &before);
    let before = lab.region.calls();
    let again = glance.look(&lab.region, &scope, now(&lab)).await;
    let second = since(&lab, &before);
    let all = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>();
    println!("1,000 nodes: the first look {} calls, each later one {second:?}", all(&first));
    assert!(all(&first) > 30 && second.len() <= 5 && all(&second) <= 6, "{first:?} {second:?}");
    assert_eq!(again.live, whole.live, "nothing is missing");
    let node = whole.conditions.keys().next().expect("a node");
    lab.region.foreign_delete(node.as_str()).expect("ended");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let later = glance.look(&lab.region, &scope, now(&lab)).await;
    assert!(
        later.live.get(node).is_none_or(|live| !live.phase.stands()),
        "what comes and goes is seen"
    );
}

fn now(lab: &Lab) -> Moment {
    Moment(i64::try_from(lab.region.now()).expect("a time"))
}

/// What the cloud itself says of nodes is not in what is listed: it is asked for every minute.
#[tokio::test(start_paused = true)]
async fn the_cloud_s_own_word_on_nodes_is_never_older_than_a_minute() {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&clusters(2)).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let (scope, glance) = (lab.scope(&desired), Glance::default());
    let first = glance.look(&lab.region, &scope, now(&lab)).await;
    let node = first.conditions.keys().next().expect("a node").clone();
    let (mut seen, mut asked) = (Vec::new(), 0);
    for second in (0..600).step_by(10) {
        if second == 300 {
            lab.region.set(&format!("notice.{node}"), "retirement").expect("a notice");
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        let before = lab.region.calls();
        let observed = glance.look(&lab.region, &scope, now(&lab)).await;
        asked += since(&lab, &before).get(STATUS).copied().unwrap_or(0);
        let told = observed.conditions[&node].announced.len();
        seen.extend((told > 0).then_some(second));
        assert!(told <= 1, "told {told} times");
    }
    assert!((10..=13).contains(&asked), "{asked} calls in ten minutes");
    let first = seen.first().copied().expect("it is seen");
    assert!((300..=360).contains(&first), "seen at {first} s");
}

/// What could not be seen is no ground to stand on: it is asked for again, whole.
#[tokio::test(start_paused = true)]
async fn a_look_that_was_refused_is_not_kept() {
    let lab = Lab::new(Settings::default());
    let desired = lab.desired(&clusters(2)).await;
    assert!(lab.apply(&desired).await.expect("an apply").1.is_converged());
    let (scope, glance) = (lab.scope(&desired), Glance::default());
    lab.region.set("blind", "role").expect("a setting");
    assert!(glance.look(&lab.region, &scope, now(&lab)).await.blind.contains_key(&KindName::Role));
    lab.region.set("blind", "none").expect("a setting");
    assert_eq!(glance.look(&lab.region, &scope, now(&lab)).await.blind.len(), 0);
}

const STATUS: &str = "ec2:DescribeInstanceStatus";

#[tokio::test(start_paused = true)]
async fn a_refresh_of_many_nodes_costs_one_call_per_kind_and_page() {
    let (mut few, found) = refresh(2).await;
    few.remove(STATUS);
    assert_eq!(found[&KindName::Node], 2);
    let all = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>();
    assert!(all(&few) <= allowed(&found), "{few:?}");
    for (nodes, pages) in [(1000, 1), (1001, 2), (10_000, 10)] {
        let (mut calls, found) = refresh(nodes).await;
        // EC2 finds statuses by ids alone, a hundred at a time.
        assert_eq!(calls.remove(STATUS), Some(u64::from(nodes).div_ceil(100)));
        assert_eq!(found[&KindName::Node], u64::from(nodes));
        assert_eq!(calls["ec2:DescribeInstances"], pages);
        assert!(all(&calls) <= allowed(&found), "{nodes} nodes: {calls:?}");
        // As many calls as for two nodes, but for pages and what more clusters consist of.
        if nodes == 1000 {
            assert_eq!(calls, few);
        }
    }
}

const MLINFRA: &str = env!("CARGO_BIN_EXE_mlinfra");
/// How much a command may grow when its stack grows four times as large. Twice as much as
/// linear would be 8, a square 16.
const LINEAR: f64 = 5.2;
/// The same from apply to destroy, whose stack grows eight times as large: the further apart
/// the sizes are, the less of a square goes unnoticed. A square would be 64.
const LINEAR_EIGHT: f64 = 10.0;
/// What validating and planning may cost beside formatting, which is parsing and little
/// else, in the profile in which tests are built.
const VALIDATE: f64 = 1.5;
const PLAN: f64 = 1.8;
/// How often each command is measured; the least counts, since noise only adds.
const RUNS: usize = 3;

/// User CPU seconds of a command. Seconds of the wall would tell how busy the machine is.
fn cpu(folder: &Path, command: &str) -> f64 {
    let script =
        format!("TIMEFORMAT=%U; time {command} >/dev/null 2>said || {{ cat said; exit 1; }}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("MLINFRA_SANDBOX", "1")
        .env("LC_ALL", "C")
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stdout));
    said.trim().parse().unwrap_or_else(|_| panic!("{command}: {said}"))
}

/// Blocks in chains of ten, as `make bench` has them.
fn stack(folder: &Path, blocks: usize) {
    let mut text = "stack \"s\" {\n  region = \"us-east-1\"\n}\n".to_owned();
    for i in 0..blocks {
        let after = if i % 10 == 0 { String::new() } else { format!("bucket.b{}.name", i - 1) };
        let after = if after.is_empty() { "\"nothing\"".to_owned() } else { after };
        text.push_str(&format!(
            "\nbucket \"b{i}\" {{\n  tags = {{\n    number = \"{i}\"\n    after  = {after}\n  }}\n}}\n"
        ));
    }
    std::fs::write(folder.join("main.hcl"), text).expect("a stack");
}

/// The least CPU seconds of each command on a small stack and on one four times as large.
fn grown(small: usize, commands: &[&str]) -> Vec<(f64, f64)> {
    let folders = [small, 4 * small].map(|blocks| {
        let folder = tempfile::tempdir().expect("a folder");
        stack(folder.path(), blocks);
        folder
    });
    let mut least = vec![(f64::MAX, f64::MAX); commands.len()];
    for _ in 0..RUNS {
        for (command, (one, four)) in commands.iter().zip(&mut least) {
            let line = format!("{MLINFRA} {command}");
            let [a, b] = [0, 1].map(|at: usize| cpu(folders[at].path(), &line));
            (*one, *four) = (one.min(a), four.min(b));
        }
    }
    least
}

fn is_linear((one, four): (f64, f64)) -> bool {
    four / one <= LINEAR
}

#[test]
fn commands_grow_with_their_stack_and_no_faster() {
    let commands = ["validate", "fmt --check", "plan", "plan -v", "plan --json"];
    let times = grown(1000, &commands);
    for (command, times) in commands.iter().zip(&times) {
        println!("{command}: {:.2} s, {:.2} s, {:.1} times", times.0, times.1, times.1 / times.0);
        assert!(is_linear(*times), "{command}: {times:?} for four times the blocks");
    }
    // Against work of the same sort: formatting is parsing and little else.
    let [validate, fmt, plan] = [0, 1, 2].map(|at: usize| times[at].1 / times[1].1);
    println!("validate {validate:.2}, plan {plan:.2} of fmt {fmt:.2}");
    assert!(validate <= VALIDATE && plan <= PLAN, "validate {validate:.2}, plan {plan:.2} of fmt");
}

/// CPU seconds, user's and system's, that the program may take to start and end beside what any
/// process takes.
const START: f64 = 0.020;
/// Starts in a row, since one is less than a clock tells.
const STARTS: usize = 20;

#[test]
fn the_program_starts_in_twenty_milliseconds_of_work() {
    let measure = |command: &str| {
        let script = format!(
            "TIMEFORMAT='%U %S'; time for ((i = 0; i < {STARTS}; i++)); do {command}; done >/dev/null"
        );
        let output = Command::new("bash").args(["-c", &script]).env("LC_ALL", "C").output();
        let said = String::from_utf8(output.expect("bash runs").stderr).expect("text");
        let times = said.split_whitespace().map(|time| time.parse::<f64>().expect("seconds"));
        times.sum::<f64>() / STARTS as f64
    };
    let least = |command: &str| (0..RUNS).map(|_| measure(command)).fold(f64::MAX, f64::min);
    let (ours, any) = (least(&format!("{MLINFRA} version")), least("/bin/true"));
    println!("a start takes {:.1} ms of CPU, any {:.1} ms", ours * 1e3, any * 1e3);
    assert!(ours > 0.0 && ours - any <= START, "{ours} s, any process {any} s");
}

/// What is measured of a stack from its apply to its end, in this order.
const LIFE: [&str; 8] = [
    "apply --yes",
    "plan",
    "drift",
    "show",
    "output",
    "history",
    "history show 1",
    "destroy --yes",
];

/// The CPU seconds of each of these on a stack of so many blocks.
fn life(blocks: usize) -> [f64; 8] {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), blocks);
    LIFE.map(|command| cpu(folder.path(), &format!("{MLINFRA} {command}")))
}

#[test]
fn an_apply_grows_with_its_stack_and_no_faster() {
    let mut least = [(f64::MAX, f64::MAX); 8];
    for _ in 0..RUNS {
        for (least, (a, b)) in least.iter_mut().zip(life(200).into_iter().zip(life(1600))) {
            *least = (least.0.min(a), least.1.min(b));
        }
    }
    for (command, times) in LIFE.iter().zip(least) {
        println!("{command}: {:.2} s, {:.2} s, {:.1} times", times.0, times.1, times.1 / times.0);
        assert!(times.1 / times.0 <= LINEAR_EIGHT, "{command}: {times:?} for eight times as many");
    }
}

#[test]
fn what_grows_with_the_square_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let square = |n: u32| {
        format!(
            "bash -c 'for ((i = 0; i < {n}; i++)); do for ((j = 0; j < {n}; j++)); do :; done; done'"
        )
    };
    let times = (cpu(folder.path(), &square(150)), cpu(folder.path(), &square(600)));
    assert!(!is_linear(times), "{times:?}");
}
