//! How much idle capacity is worth its price: learned from how the demand rises and falls.
//!
//! The demand, in accelerators, is a level. Each time it rises, it crosses levels that were
//! left a while ago: by somebody who hands in the next job after a result, by the morning after
//! the night. For every level it is known how long ago it was last in use, and how often it was
//! crossed lately; from all levels together it is learned how likely such a level is to be
//! crossed soon. An idle node covers as many levels as it has accelerators. It is kept for as
//! long as there is a span of time within which the value of the waits that it saves is more
//! than what it costs: the index of Gittins for a rule of when to stop
//! (<https://en.wikipedia.org/wiki/Gittins_index>).
//!
//! Nothing here is a number of some trace; what is not known yet is worth nothing.

use serde::{Deserialize, Serialize};

use super::pool::LatencyTarget;
use crate::model::Moment;

/// Spans of time since a level was left, in seconds, by their ends.
const EDGES: [f64; 20] = [
    0.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1800.0, 3600.0, 5400.0, 7200.0, 10_800.0,
    14_400.0, 21_600.0, 28_800.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0,
];
const SPANS: usize = EDGES.len() - 1;
/// By how often a level was crossed lately.
const PACES: [f64; 6] = [0.5, 1.5, 3.0, 6.0, 12.0, 24.0];
const CLASSES: usize = PACES.len() + 1;
/// Levels above are not looked at one by one.
const LEVELS: usize = 4096;
/// What was seen so long ago counts half, in days.
const HALF_LIFE: f64 = 28.0;
/// How often a level was crossed counts half after so many hours.
const PACE_HALF_LIFE: f64 = 12.0;
/// So much of what all levels have in common is believed of each class.
const PRIOR: f64 = 20.0;
const DAY: i64 = 86_400_000;
/// Tables are made anew after that, in milliseconds.
const REFRESH: i64 = 60_000;

/// What was learned, and the levels as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadRoom {
    /// The level now, in units.
    level: u32,
    /// Accelerators of a unit: 1, in fleets of thousands more.
    unit: u32,
    /// Levels that were ever in use, the lowest first.
    levels: Vec<Level>,
    /// How often a level of a class was left for that long, and was crossed within the span.
    risks: Vec<f64>,
    hits: Vec<f64>,
    /// Jobs that crossed them then: many small ones are worth more than a large one.
    gains: Vec<f64>,
    /// When what was seen was last made to count less.
    decayed: Option<Moment>,
    /// The tables below are of that moment.
    made: Option<Moment>,
    #[serde(skip)]
    tables: Tables,
}

/// What keeping a level is worth per second, in seconds of one accelerator, by class and span:
/// for each job that need not wait, and for the boot that is saved.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tables {
    worth: Vec<f64>,
    target: Option<(LatencyTarget, u32)>,
}

/// One level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Level {
    /// When it was last in use.
    left: i64,
    /// How often it was crossed lately, as of `counted`.
    count: f64,
    counted: i64,
    /// Its class since it was left, and the span that it is in.
    class: u8,
    span: u8,
}

/// Room that there is beside what jobs have or will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Accelerators on nodes that have jobs, or will.
    pub parts: u64,
    /// Nodes that nobody has.
    pub nodes: u32,
    /// Accelerators of such a node.
    pub gpus: u32,
}

impl Level {
    fn pace(&self, now: i64) -> f64 {
        let hours = now.saturating_sub(self.counted).max(0) as f64 / 3_600_000.0;
        self.count * 0.5_f64.powf(hours / PACE_HALF_LIFE)
    }

    fn age(&self, now: i64) -> f64 {
        now.saturating_sub(self.left).max(0) as f64 / 1000.0
    }
}

fn span_of(age: f64) -> usize {
    EDGES[1..].partition_point(|edge| *edge <= age)
}

fn class_of(pace: f64) -> u8 {
    PACES.partition_point(|edge| *edge <= pace) as u8
}

impl HeadRoom {
    /// Takes note of the demand: accelerators that jobs have or wait for; and how many jobs came
    /// since it was last looked at.
    pub fn observe(&mut self, now: Moment, gpus: u64, jobs: u32) {
        let unit = u64::from(self.unit.max(1));
        if self.gains.len() != CLASSES * SPANS {
            let none = vec![0.0; CLASSES * SPANS];
            (self.risks, self.hits, self.gains) = (none.clone(), none.clone(), none);
        }
        let level = gpus.div_ceil(unit);
        if level > LEVELS as u64 {
            self.coarser(gpus);
            return self.observe(now, gpus, jobs);
        }
        let (before, level) = (self.level as usize, level as usize);
        if level > before {
            self.rise(now.0, before, level, jobs);
        } else {
            let now = now.0;
            for it in self.levels.iter_mut().take(before).skip(level) {
                (it.left, it.span, it.class) = (now, 0, class_of(it.pace(now)));
            }
        }
        self.level = level as u32;
    }

    /// Levels from `before` on are crossed.
    fn rise(&mut self, now: i64, before: usize, level: usize, jobs: u32) {
        let gain = f64::from(jobs) / (level - before) as f64;
        if self.levels.len() < level {
            let new = Level { left: now, counted: now, span: SPANS as u8, ..Level::default() };
            self.levels.resize(level, new);
        }
        for at in before..level {
            self.pass(at, now);
            let it = &mut self.levels[at];
            let span = usize::from(it.span);
            if span < SPANS {
                let cell = usize::from(it.class) * SPANS + span;
                self.risks[cell] += 1.0;
                self.hits[cell] += 1.0;
                self.gains[cell] += gain.min(1.0);
            }
            (it.count, it.counted) = (it.pace(now) + 1.0, now);
        }
    }

    /// Notes the spans that a level went through without being crossed.
    fn pass(&mut self, at: usize, now: i64) {
        let it = &mut self.levels[at];
        let span = span_of(it.age(now)).min(SPANS);
        while usize::from(it.span) < span {
            self.risks[usize::from(it.class) * SPANS + usize::from(it.span)] += 1.0;
            it.span += 1;
        }
    }

    /// A fleet of thousands: several accelerators share a level from now on.
    fn coarser(&mut self, gpus: u64) {
        let unit = gpus.div_ceil(LEVELS as u64 / 2).min(u64::from(u32::MAX)).max(1) as u32;
        let times = (unit / self.unit.max(1)).max(2) as usize;
        self.levels = self.levels.iter().copied().step_by(times).collect();
        self.level = (self.level as usize / times) as u32;
        self.unit = self.unit.max(1).saturating_mul(times as u32);
    }

    /// How many of the nodes that nobody has are worth keeping, if launching one takes `boot`
    /// seconds.
    pub fn keep(&mut self, now: Moment, room: Room, boot: u32, target: LatencyTarget) -> u32 {
        if room.nodes == 0 || self.gains.len() != CLASSES * SPANS {
            return 0;
        }
        self.refresh(now, boot, target);
        let unit = self.unit.max(1);
        let parts = usize::try_from(room.parts / u64::from(unit)).unwrap_or(LEVELS);
        let each = (room.gpus / unit).max(1) as usize;
        let first = (self.level as usize).saturating_add(parts);
        let mut kept = 0;
        while kept < room.nodes {
            let low = first.saturating_add(each.saturating_mul(kept as usize));
            let covered = self.levels.iter().skip(low).take(each);
            let worth: f64 = covered.map(|it| self.worth(it, now.0)).sum();
            if worth < each as f64 {
                break;
            }
            kept += 1;
        }
        kept
    }

    fn worth(&self, level: &Level, now: i64) -> f64 {
        let span = span_of(level.age(now));
        let cell = usize::from(level.class) * (SPANS + 1) + span.min(SPANS);
        self.tables.worth.get(cell).copied().unwrap_or(0.0)
    }

    /// Makes the tables anew where they are old.
    fn refresh(&mut self, now: Moment, boot: u32, target: LatencyTarget) {
        let fresh = self.made.is_some_and(|made| made <= now && now.since(made) < REFRESH);
        if fresh && self.tables.target == Some((target, boot)) {
            return;
        }
        self.made = Some(now);
        for at in self.level as usize..self.levels.len() {
            self.pass(at, now.0);
        }
        let decayed = *self.decayed.get_or_insert(now);
        if now.since(decayed) >= DAY {
            let days = now.since(decayed) as f64 / DAY as f64;
            let less = 0.5_f64.powf(days / HALF_LIFE);
            let tables = [&mut self.risks, &mut self.hits, &mut self.gains];
            tables.into_iter().flatten().for_each(|it| *it *= less);
            self.decayed = Some(now);
        }
        let cheapest = target == LatencyTarget::CHEAPEST;
        let credit = if cheapest { 0.0 } else { f64::from(boot) };
        let worth = self.index(value(target), credit);
        self.tables = Tables { worth, target: Some((target, boot)) };
    }

    /// For each class and span the best ratio of what is gained to what is paid, over all spans
    /// for which a level might be kept from then on.
    fn index(&self, value: f64, credit: f64) -> Vec<f64> {
        let all = |table: &[f64], span: usize| -> f64 {
            (0..CLASSES).map(|class| table[class * SPANS + span]).sum()
        };
        // Five that were not crossed are assumed of each span: what is not known is worth little.
        let common: Vec<f64> =
            (0..SPANS).map(|span| all(&self.hits, span) / (all(&self.risks, span) + 5.0)).collect();
        let share = |gains: f64, hits: f64, usual: f64| (gains + PRIOR * usual) / (hits + PRIOR);
        let sum = |table: &[f64]| table.iter().sum::<f64>();
        let usual = share(sum(&self.gains), sum(&self.hits), 1.0);
        let mut out = vec![0.0; CLASSES * (SPANS + 1)];
        for class in 0..CLASSES {
            let hazard: Vec<f64> = (0..SPANS)
                .map(|span| {
                    let cell = class * SPANS + span;
                    let hits = self.hits[cell] + PRIOR * common[span];
                    hits / (self.risks[cell] + PRIOR)
                })
                .collect();
            for from in 0..SPANS {
                let (mut left, mut paid, mut won, mut best) = (1.0_f64, 0.0, 0.0, 0.0_f64);
                for span in from..SPANS {
                    let length = EDGES[span + 1] - EDGES[span];
                    paid += left * length * (1.0 - hazard[span] / 2.0);
                    let cell = class * SPANS + span;
                    let jobs = share(self.gains[cell], self.hits[cell], usual);
                    won += left * hazard[span] * (value * jobs + credit);
                    left *= 1.0 - hazard[span];
                    best = best.max(won / paid.max(1e-9));
                }
                out[class * (SPANS + 1) + from] = best;
            }
        }
        out
    }
}

/// What it is worth that a job need not wait for a boot, in seconds of one accelerator: nothing
/// at the cheapest, about seven hours at the balanced, and four times as much each quarter on.
fn value(target: LatencyTarget) -> f64 {
    let percent = f64::from(target.percent());
    if percent == 0.0 { 0.0 } else { 24_000.0 * 4.0_f64.powf((percent - 50.0) / 25.0) }
}
