//! SIGKILL at random times. Lanes of a few kills each run side by side, since a process
//! that waits for a cloud costs nothing. MLINFRA_KILLS says how many kills, MLINFRA_SEED
//! which.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::bench::{Bench, Clock, Running};
use super::converges;

const KILLS_PER_LANE: u64 = 5;
const AT_ONCE: u64 = 4;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// SplitMix64: a failure is replayed by its seed, as far as the machine's load allows.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
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
fn kill(bench: &Bench, dice: &mut Dice, tally: &Tally) {
    loop {
        // In jumping time an apply takes a fraction of a second and gets past what takes
        // minutes; in real time the cloud's answers and lags are as slow as they are set.
        let (clock, within) = match dice.roll(3) {
            0 => (Clock::Jumps, 120),
            _ => (Clock::Real, 2500),
        };
        let verb = if dice.roll(4) == 0 { "destroy" } else { "apply" };
        let nodes = format!("nodes={}", 1 + dice.roll(3));
        let args = [verb, "--yes", "--var", &nodes];
        let running: Running = bench.start(&args, clock);
        std::thread::sleep(Duration::from_millis(dice.roll(within)));
        running.signal("KILL");
        let done = running.end();
        let plan = bench.run(&["plan"]);
        assert_eq!(plan.code, Some(0), "the ledger after a kill can be read: {plan:#?}");
        if plan.err.contains("P005") || plan.out.contains("P005") {
            tally.open.fetch_add(1, Ordering::SeqCst);
        }
        if done.code.is_none() {
            tally.kills.fetch_add(1, Ordering::SeqCst);
            return;
        }
        assert_eq!(done.code, Some(0), "undisturbed: {done:#?}");
        tally.late.fetch_add(1, Ordering::SeqCst);
    }
}

fn lane(seed: u64, kills: u64, tally: &Tally) {
    let mut dice = Dice(seed);
    let bench = Bench::new();
    for (key, value) in [("latency_ms", "15"), ("visibility_ms", "400"), ("boot_seconds", "1")] {
        bench.set(key, value);
    }
    for _ in 0..kills {
        kill(&bench, &mut dice, tally);
    }
    converges(&bench);
    let left = bench.tree(".mlinfra").into_keys();
    let drafts = left.filter(|path| path.to_string_lossy().contains(".draft-")).count();
    assert_eq!(drafts, 0, "drafts of the dead are swept away");
}

#[test]
fn kills_at_random_times_leave_no_orphan_no_double_and_a_ledger_that_can_be_read() {
    let (kills, seed) = (number("MLINFRA_KILLS", 30), number("MLINFRA_SEED", 1));
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
                    lane(seed * 1000 + at, mine, &tally);
                }
            });
        }
    });
    let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
    println!(
        "kills: {} in {lanes} stacks (seed {seed}), {} with intents left open, {} came too late; \
         every next apply converged, 0 orphans, 0 doubles, 0 unreadable ledgers",
        count(&tally.kills),
        count(&tally.open),
        count(&tally.late)
    );
    assert_eq!(count(&tally.kills) as u64, kills);
}
