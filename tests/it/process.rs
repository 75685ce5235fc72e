//! The process as a whole: the real binary, in folders of its own, against the simulated
//! region. `bench` holds the folder and the ways to start and to end it, `killed` the
//! deaths that nobody announced, `waits` the service before its first apply, `signals` its end.

mod bench;
mod beside;
mod killed;
mod signals;
mod waits;

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bench::{Bench, Clock, Done, Kept};

/// The undisturbed run: every object by address and kind, with how many of them.
fn whole() -> BTreeMap<String, usize> {
    static WHOLE: OnceLock<BTreeMap<String, usize>> = OnceLock::new();
    let apply = || {
        let bench = Bench::new();
        assert_eq!(bench.run(&["apply", "--yes"]).code, Some(0));
        bench.objects()
    };
    WHOLE.get_or_init(apply).clone()
}

/// What must hold after the next apply, whatever came before it.
fn converges(bench: &Bench) {
    let apply = bench.run(&["apply", "--yes"]);
    assert_eq!(apply.code, Some(0), "the next apply: {apply:#?}");
    converged(bench);
}

fn converged(bench: &Bench) {
    let plan = bench.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "the plan after it: {plan:#?}");
    assert_eq!(bench.objects(), whole());
    assert_eq!(bench.orphans(), 0);
}

/// An apply that waits for its NAT gateway: a minute and a half in real time.
fn waiting(bench: &Bench) -> bench::Running {
    let running = bench.start(&["apply", "--yes"], Clock::Real);
    running.wait_for("waiting for NAT gateway");
    running
}

#[test]
fn an_interrupt_says_what_is_left_and_the_next_apply_goes_on() {
    let bench = Bench::new();
    let running = waiting(&bench);
    running.signal("INT");
    let done = running.end();
    assert_eq!(done.code, Some(130), "{done:#?}");
    assert!(done.out.contains("not begun") && done.out.contains("mlinfra apply"), "{done:#?}");
    println!("{}", done.out.lines().find(|line| line.contains("steps done")).unwrap());
    let plan = bench.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2), "there is something left: {plan:#?}");
    converges(&bench);
}

#[test]
fn a_second_interrupt_ends_at_once_and_the_next_apply_goes_on() {
    let bench = Bench::new();
    // So slow an answer that after the first interrupt calls are in flight for long.
    bench.set("latency_ms", "3000");
    let running = bench.start(&["apply", "--yes"], Clock::Real);
    running.wait_for("creating");
    running.signal("INT");
    running.wait_for("Interrupt again");
    let begun = Instant::now();
    running.signal("INT");
    let done = running.end();
    assert_eq!(done.code, Some(130), "{done:#?}");
    let took = begun.elapsed();
    // Sooner than the calls in flight could have been answered.
    assert!(took < Duration::from_millis(2800), "it ends promptly: {took:?}");
    assert!(done.err.contains("the next apply goes on from there"), "{done:#?}");
    bench.set("latency_ms", "40");
    converges(&bench);
}

#[test]
fn of_two_applies_at_once_the_second_is_told_who_is_first_and_changes_nothing() {
    let bench = Bench::new();
    let first = waiting(&bench);
    // Until it has come to where only time helps, however busy the machine is.
    let mut ledger = bench.tree(".mlinfra");
    for _ in 0..60 {
        std::thread::sleep(Duration::from_millis(1500));
        let now = bench.tree(".mlinfra");
        if now == std::mem::replace(&mut ledger, now.clone()) {
            break;
        }
    }
    let world = bench.objects();
    for verb in ["apply", "destroy"] {
        let second = bench.run(&[verb, "--yes"]);
        assert_eq!(second.code, Some(1), "{second:#?}");
        let holder = format!("process {}, `mlinfra apply` since", first.pid());
        assert!(second.err.contains(&holder), "{second:#?}");
        assert!(second.err.contains("lock goes with its process"), "{second:#?}");
    }
    assert_eq!((bench.tree(".mlinfra"), bench.objects()), (ledger, world));
    // Reading needs no lock.
    assert_eq!(bench.run(&["plan"]).code, Some(0));
    first.signal("KILL");
    assert_eq!(first.end().code, None);
    converges(&bench);
}

/// The same where a lock is a lease, and the first is stopped for longer than that.
#[test]
fn an_apply_that_was_frozen_past_its_lease_changes_nothing_more() {
    let bench = Bench::with(Kept::Bucket);
    let first = waiting(&bench);
    let second = bench.run(&["apply", "--yes"]);
    assert_eq!(second.code, Some(1), "while it lives it is not robbed: {second:#?}");
    let holder = format!("process {}, `mlinfra apply` since", first.pid());
    assert!(second.err.contains(&holder), "{second:#?}");
    first.signal("STOP");
    let second = bench.run(&["apply", "--yes"]);
    assert_eq!(second.code, Some(0), "{second:#?}");
    assert!(second.err.contains(&holder), "it says for whom it waits: {second:#?}");
    let (ledger, world) = (bench.tree(bench.ledger()), bench.objects());
    first.signal("CONT");
    let done = first.end();
    assert_eq!(done.code, Some(1), "{done:#?}");
    let told = ["the lock was taken over by", "another mlinfra wrote to this ledger"];
    assert!(told.iter().any(|text| done.err.contains(text)), "{done:#?}");
    assert_eq!((bench.tree(bench.ledger()), bench.objects()), (ledger, world));
    converged(&bench);
}

#[test]
fn a_plan_makes_no_files_and_a_lost_ledger_leaves_it_empty() {
    let bench = Bench::new();
    let before = bench.tree("");
    assert_eq!(bench.run(&["plan", "--detailed-exitcode"]).code, Some(2));
    assert_eq!(bench.tree(""), before);
    converges(&bench);
    let before = bench.tree("");
    for command in [&["plan"][..], &["show"], &["output"], &["plan", "--destroy"]] {
        assert_eq!(bench.run(command).code, Some(0), "{command:?}");
        assert_eq!(bench.tree(""), before, "{command:?}");
    }
    fs::remove_dir_all(bench.path(".mlinfra")).unwrap();
    assert_eq!(bench.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    assert!(!bench.path(".mlinfra").exists());
    assert_eq!(bench.run(&["apply", "--yes"]).code, Some(0));
}

#[test]
fn over_an_apply_that_was_cut_off_no_plan_is_saved_and_none_applied() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["plan", "--out", "before"]).code, Some(0));
    bench.set("latency_ms", "3000");
    let running = bench.start(&["apply", "--yes"], Clock::Real);
    running.wait_for("creating");
    // By then calls are in flight, and what they mean is written down.
    running.signal("INT");
    running.wait_for("Interrupt again");
    running.signal("KILL");
    running.end();
    bench.set("latency_ms", "40");
    let left = bench.objects();
    let done = bench.run(&["plan", "--out", "after"]);
    assert_eq!(done.code, Some(1), "{done:#?}");
    assert!(done.err.contains("P011") && done.err.contains("mlinfra apply"), "{done:#?}");
    assert!(!bench.path("after").exists());
    let done = bench.run(&["apply", "before"]);
    assert_eq!(done.code, Some(1), "{done:#?}");
    assert!(done.err.contains("P011") && done.err.contains("cut off"), "{done:#?}");
    assert_eq!(bench.objects(), left, "nothing was changed");
    converges(&bench);
    let done = bench.run(&["apply", "before"]);
    assert!(done.err.contains("P013") && done.err.contains("ana@"), "{done:#?}");
}

/// Root may write to a folder whatever its mode says, so that the tests, which may be run
/// by root, put something in the ledger's place that cannot hold one.
#[test]
fn without_a_place_for_its_ledger_an_apply_changes_nothing() {
    let bench = Bench::new();
    let refused = |what: &str| {
        let done = bench.run(&["apply", "--yes"]);
        assert_eq!(done.code, Some(1), "{done:#?}");
        assert!(done.err.contains(".mlinfra") && done.err.contains(what), "{done:#?}");
        assert_eq!(bench.region(), (0, 0), "nothing was made");
    };
    fs::write(bench.path(".mlinfra"), "a file").unwrap();
    refused("it is a file where the ledger's folder belongs");
    fs::remove_file(bench.path(".mlinfra")).unwrap();
    std::os::unix::fs::symlink("/tmp", bench.path(".mlinfra")).unwrap();
    refused("symbolic link");
    fs::remove_file(bench.path(".mlinfra")).unwrap();
    // Another place that nobody can write to, root included.
    std::os::unix::fs::symlink("/proc/nothing", bench.path(".mlinfra")).unwrap();
    refused("symbolic link");
    fs::remove_file(bench.path(".mlinfra")).unwrap();
    fs::create_dir_all(bench.path(".mlinfra/lock-stack")).unwrap();
    fs::set_permissions(
        bench.path(".mlinfra"),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    refused("lock-stack");
    fs::remove_dir_all(bench.path(".mlinfra")).unwrap();
    converges(&bench);
}

#[test]
fn with_nobody_to_ask_nothing_is_applied_and_the_flag_is_named() {
    let bench = Bench::new();
    let inputs = [Stdio::null as fn() -> Stdio, Stdio::piped];
    for input in inputs {
        let done = bench.run_with(&["apply"], input());
        assert_eq!(done.code, Some(1), "{done:#?}");
        assert!(done.err.contains("--yes"), "{done:#?}");
        assert!(done.out.contains("20 to add"), "the plan is shown all the same: {done:#?}");
    }
    // Standard input is closed altogether.
    let done = bench.shell("exec \"$MLINFRA\" apply <&-");
    assert_eq!(done.code, Some(1), "{done:#?}");
    assert!(done.err.contains("--yes"), "{done:#?}");
    assert!(bench.objects().is_empty());
    converges(&bench);
}

/// A reader that goes away, and a standard output that is full, are no reason to leave
/// work half done.
#[test]
fn an_output_that_nobody_reads_does_not_stop_an_apply() {
    let bench = Bench::new();
    let done = bench.shell("\"$MLINFRA\" apply --yes >/dev/full 2>&1");
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(bench.objects(), whole());
    let done = bench.shell("set -o pipefail; \"$MLINFRA\" destroy --yes | head -n 1");
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(bench.orphans(), 0);
}

/// The disk is a tmpfs of a few pages, mounted over `.mlinfra` in a mount namespace of the
/// process's own, which goes away with it; what it held is copied out first. Where such a
/// namespace is not to be had, the file size limit of the process stands in for it.
#[test]
fn a_full_disk_is_named_and_nothing_that_was_written_is_lost() {
    let (mut full, mut namespaces) = (0, 0);
    for pages in 1..=14 {
        let bench = Bench::new();
        let (done, namespace) = on_a_small_disk(&bench, pages * 4);
        namespaces += u32::from(namespace);
        if done.code == Some(0) {
            assert!(full >= 3, "it was full before");
            continue;
        }
        full += 1;
        assert_eq!(done.code, Some(1), "{pages} pages: {done:#?}");
        assert!(done.err.contains("the ledger: ") && done.err.contains(".mlinfra/"), "{done:#?}");
        assert!(done.err.contains("with space left on it"), "{done:#?}");
        // The ledger that is left can be read, and knows all that was made.
        let plan = bench.run(&["plan"]);
        assert_eq!(plan.code, Some(0), "{pages} pages: {plan:#?}");
        converges(&bench);
    }
    println!("full disks: {full}, of them with a disk of their own: {namespaces}");
    assert!(full >= 3, "{full}");
}

fn on_a_small_disk(bench: &Bench, kib: u32) -> (Done, bool) {
    let probe = bench.shell("unshare -rm mount -t tmpfs none /mnt");
    if probe.code != Some(0) {
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$MLINFRA\" apply --yes");
        return (bench.shell(&script), false);
    }
    let script = format!(
        "mkdir -m 700 .mlinfra saved && exec unshare -rm sh -c '
           mount -t tmpfs -o size={kib}k,mode=700 none .mlinfra || exit 99
           \"$MLINFRA\" apply --yes; code=$?
           cp -a .mlinfra/. saved/ && exit $code'"
    );
    let done = bench.shell(&script);
    fs::remove_dir(bench.path(".mlinfra")).unwrap();
    fs::rename(bench.path("saved"), bench.path(".mlinfra")).unwrap();
    (done, true)
}
