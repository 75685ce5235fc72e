//! SIGKILL at random times. Lanes of a few kills each run side by side, since a process
//! that waits for a cloud costs nothing. MLINFRA_KILLS says how many kills, MLINFRA_SEED
//! which.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::bench::{Bench, Clock, Kept, Running};
use super::converged;
use crate::dice::{Dice, number};

const KILLS_PER_LANE: u64 = 5;
const AT_ONCE: u64 = 4;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Applies of one configuration.
    Apply,
    /// Applies with other numbers of nodes, and destroys, in any order.
    Any,
}

#[derive(Default)]
struct Tally {
    kills: AtomicUsize,
    /// The process had ended by itself before.
    late: AtomicUsize,
    /// Intents that were found open by the plan after a kill.
    open: AtomicUsize,
}

/// One more death of an apply; it is repeated when the process was faster.
fn kill(bench: &Bench, work: Work, dice: &mut Dice, tally: &Tally, left: &mut bool) {
    loop {
        // In jumping time an apply takes a fraction of a second and gets past what takes
        // minutes; in real time the cloud's answers and lags are as slow as they are set.
        let (clock, within) = match dice.roll(3) {
            0 => (Clock::Jumps, 120),
            _ => (Clock::Real, 2500),
        };
        let (verb, nodes) = match (work, dice.roll(4), dice.roll(3)) {
            (Work::Any, 0, _) => ("destroy", 2),
            (Work::Any, _, nodes) => ("apply", 1 + nodes),
            (Work::Apply, ..) => ("apply", 2),
        };
        let args = [verb, "--yes", "--var", &format!("nodes={nodes}")];
        let running: Running = bench.start(&args, clock);
        // A lock in a bucket is waited for while the last who died is watched.
        let watched = if std::mem::take(left) && dice.roll(4) > 0 { 1000 } else { 0 };
        std::thread::sleep(Duration::from_millis(watched + dice.roll(within)));
        running.signal("KILL");
        let done = running.end();
        let plan = bench.run(&["plan"]);
        assert_eq!(plan.code, Some(0), "the ledger after a kill can be read: {plan:#?}");
        if plan.err.contains("P005") || plan.out.contains("P005") {
            tally.open.fetch_add(1, Ordering::SeqCst);
        }
        if done.code.is_none() {
            *left = bench.kept == Kept::Bucket;
            tally.kills.fetch_add(1, Ordering::SeqCst);
            return;
        }
        assert_eq!(done.code, Some(0), "undisturbed: {done:#?}");
        tally.late.fetch_add(1, Ordering::SeqCst);
    }
}

fn lane(kept: Kept, seed: u64, kills: u64, tally: &Tally) {
    let mut dice = Dice(seed);
    let bench = Bench::with(kept);
    for (key, value) in [("latency_ms", "15"), ("visibility_ms", "400"), ("boot_seconds", "1")] {
        bench.set(key, value);
    }
    let work = if seed.is_multiple_of(2) { Work::Apply } else { Work::Any };
    let mut left = false;
    for _ in 0..kills {
        kill(&bench, work, &mut dice, tally, &mut left);
    }
    let apply = bench.run(&["apply", "--yes"]);
    assert_eq!(apply.code, Some(0), "seed {seed}: the next apply: {apply:#?}");
    converged(&bench);
    let whole = bench.run(&["ledger", "verify"]);
    assert_eq!(whole.code, Some(0), "the whole chain: {whole:#?}");
    let left = bench.tree(bench.ledger()).into_keys();
    let drafts = left.filter(|path| path.to_string_lossy().contains(".draft")).count();
    assert_eq!(drafts, 0, "drafts of the dead are swept away");
}

#[test]
fn kills_at_random_times_leave_no_orphan_no_double_and_a_ledger_that_can_be_read() {
    many_kills(Kept::Folder);
}

#[test]
fn kills_at_random_times_with_a_ledger_in_a_bucket_leave_no_more() {
    many_kills(Kept::Bucket);
}

fn many_kills(kept: Kept) {
    let kills: u64 = number("MLINFRA_KILLS").unwrap_or(30);
    let seed: u64 = number("MLINFRA_SEED").unwrap_or(1);
    let tally = Tally::default();
    let lanes = kills.div_ceil(KILLS_PER_LANE);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(lanes) {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::SeqCst) as u64)
                    && at < lanes
                {
                    let mine = KILLS_PER_LANE.min(kills - at * KILLS_PER_LANE);
                    lane(kept, seed * 1000 + at, mine, &tally);
                }
            });
        }
    });
    let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
    println!(
        "kills, {kept:?}: {} in {lanes} stacks (seed {seed}), {} with intents left open, {} came too late; \
         converged in one apply each; 0 orphans, 0 doubles, 0 unreadable ledgers",
        count(&tally.kills),
        count(&tally.open),
        count(&tally.late),
    );
    assert_eq!(count(&tally.kills) as u64, kills);
}
