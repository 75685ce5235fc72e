//! Head-room by a quantile of what arrived in the last day: the best rule of the first
//! replays, and a peer for ours.

use std::collections::VecDeque;

use super::unit::SECOND;
use super::world::World;

/// Bins of that length, at least; the time a boot takes, if that is longer.
const BIN: i64 = 60 * SECOND;
/// What is remembered.
const WINDOW: i64 = 86_400 * SECOND;
const RHYTHM: i64 = 60 * SECOND;
const FIRST: i64 = 600 * SECOND;
const MOST: u32 = 16;

/// Head-room that is learned.
#[derive(Clone, Debug)]
pub(super) struct Adaptive {
    quantile: f64,
    bin: i64,
    /// (number of the bin, accelerators that arrived in it)
    bins: VecDeque<(i64, u32)>,
    heard: usize,
    /// Nodes.
    pub head: u32,
}

impl Adaptive {
    /// For a quantile, with bins of a boot.
    pub fn new(quantile: f64, boot: i64) -> Self {
        Self { quantile, bin: boot.max(BIN), bins: VecDeque::new(), heard: 0, head: 0 }
    }

    pub fn first(&self) -> i64 {
        FIRST
    }

    pub fn rhythm(&self) -> i64 {
        RHYTHM
    }

    /// Takes note of what has arrived.
    pub fn hear(&mut self, world: &World) {
        while let Some(job) = world.jobs.get(self.heard).filter(|job| job.submit <= world.now) {
            let bin = job.submit / self.bin;
            match self.bins.back_mut() {
                Some((last, sum)) if *last == bin => *sum += job.gpus,
                Some(_) | None => self.bins.push_back((bin, job.gpus)),
            }
            self.heard += 1;
        }
    }

    /// Sets the head-room anew.
    pub fn learn(&mut self, world: &World) {
        let now = world.now / self.bin;
        let all = WINDOW / self.bin;
        while self.bins.front().is_some_and(|(bin, _)| *bin < now - all) {
            self.bins.pop_front();
        }
        let mut sums: Vec<u32> = self.bins.iter().map(|(_, sum)| *sum).collect();
        sums.sort_unstable();
        let all = all as usize;
        let at = ((self.quantile * all as f64) as usize).min(all - 1);
        let quiet = all.saturating_sub(sums.len());
        let quantile = at.checked_sub(quiet).and_then(|at| sums.get(at)).copied().unwrap_or(0);
        let missing = quantile.saturating_sub(world.fragments());
        self.head = missing.div_ceil(world.setting.gpus).min(MOST);
    }
}
