//! Notes on how far the demand rose within the time of a boot, and which spare nodes would have
//! been of use.

use serde::{Deserialize, Serialize};

/// Spare nodes are told apart up to these numbers; of large fleets, some together.
pub(super) const BANDS: [u32; COUNT] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
pub(super) const COUNT: usize = 12;
/// So many notes of all cases are believed beside those of one.
const PRIOR: f64 = 100.0;
/// Uses that must be seen before what they say of an age counts as much as what was expected.
const DOUBT: f64 = 20.0;

/// Where the demand once stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    /// When, in milliseconds.
    pub at: i64,
    /// What came lately then.
    pub case: u16,
    /// Where it stood.
    #[serde(default)]
    pub level: u64,
    /// Demand up to here was served without spare nodes, if it fits in the parts that were free.
    pub base: u64,
    /// How far it rose, less what the free parts took.
    pub most: u64,
    /// Accelerators that came since for jobs which take whole nodes: parts are of no use to them.
    #[serde(default)]
    pub whole: u64,
    /// Jobs that each band of spare nodes would have let start.
    pub jobs: [f64; COUNT],
    /// Nodes of each band that were expected to be used.
    pub guess: [f64; COUNT],
    /// How long ago each was of use.
    pub ages: [u8; COUNT],
}

/// Uses that were seen, and that were expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Odds(pub f64, pub f64);

impl Odds {
    /// How many times as many as expected.
    pub fn factor(self) -> f64 {
        (self.0 + DOUBT) / (self.1 + DOUBT)
    }
}

/// What came of the notes on one case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    /// How many.
    pub looks: f64,
    /// Jobs that each band of spare nodes would have let start.
    pub jobs: [f64; COUNT],
    /// Nodes of each band that would have been used.
    pub used: [f64; COUNT],
}

/// How often in the time of a boot, by band.
#[derive(Clone, Copy, Default)]
pub(super) struct Guess {
    pub jobs: [f64; COUNT],
    pub used: [f64; COUNT],
}

impl Guess {
    /// How often the last node that is used is of a band: the next band has none.
    pub fn last(&self, band: usize) -> f64 {
        let each = |at: usize| self.used.get(at).map_or(0.0, |used| used / width(at));
        (each(band) - each(band + 1)).max(0.0)
    }
}

/// Nodes of a band.
fn width(band: usize) -> f64 {
    f64::from(BANDS[band] - start(band))
}

impl Case {
    /// What is guessed of a case, where `usual` is what is known without it.
    pub fn guess(&self, usual: &Guess) -> Guess {
        let share = |seen: f64, usual: f64| (seen + PRIOR * usual) / (self.looks + PRIOR);
        Guess {
            jobs: std::array::from_fn(|at| share(self.jobs[at], usual.jobs[at])),
            used: std::array::from_fn(|at| share(self.used[at], usual.used[at])),
        }
    }

    /// One more note.
    pub fn add(&mut self, look: &Look, gpus: u64) {
        self.looks += 1.0;
        for at in 0..COUNT {
            self.jobs[at] += look.jobs[at];
            self.used[at] += look.used(at, gpus);
        }
    }

    /// Makes all of it count less.
    pub fn scale(&mut self, by: f64) {
        let tables = self.jobs.iter_mut().chain(&mut self.used);
        tables.chain([&mut self.looks]).for_each(|it| *it *= by);
    }
}

/// Spare nodes below a band.
pub(super) fn start(band: usize) -> u32 {
    band.checked_sub(1).map_or(0, |below| BANDS[below])
}

impl Look {
    /// Nodes of a band that were used, or would have been.
    pub fn used(&self, band: usize, size: u64) -> f64 {
        let nodes = (self.most - self.base).div_ceil(size);
        nodes.min(BANDS[band].into()).saturating_sub(start(band).into()) as f64
    }

    /// The demand rises to that level, with so many jobs for each accelerator. What takes whole
    /// nodes needs spare ones at once, the rest only when the free parts are used up.
    pub fn rise(&mut self, to: u64, each: f64, (size, whole): (u64, u64)) {
        self.whole = self.whole.saturating_add(whole);
        let risen = to.saturating_sub(self.level);
        let whole = self.whole.min(risen);
        let beside = (risen - whole).saturating_sub(self.base.saturating_sub(self.level));
        let level = self.base.saturating_add(whole).saturating_add(beside);
        let from = self.most;
        if level <= from {
            return;
        }
        for (at, end) in BANDS.into_iter().enumerate() {
            let edge = |nodes: u32| self.base.saturating_add(size.saturating_mul(nodes.into()));
            let (low, high) = (edge(start(at)).max(from), edge(end).min(level));
            self.jobs[at] += each * high.saturating_sub(low) as f64;
        }
        self.most = level;
    }
}
