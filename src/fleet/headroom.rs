//! How many nodes are kept, or launched ahead, for who comes next: each is weighed by the jobs
//! that it lets start at once, against the hours that it stands idle.
//!
//! A node that nobody has is of use if, within the time that a boot takes, the demand rises so
//! far that a job has to wait without it. Whoever has a second one is served by it only if the
//! demand rises still further. So several times within each boot it is noted where the demand
//! stands, and one boot later, how far it rose in between, and how many jobs the first spare node
//! would have let start at once, how many the second, and so on. How far it rises depends on what
//! came lately: people hand in sweeps, and work by day. The notes are kept apart by how many jobs
//! came in the last minutes and in the last hours; where one such case was seen rarely, what was
//! seen in all cases of as busy a day counts instead, and where that is little, too, nothing: what
//! is not known is worth nothing.
//!
//! Where the demand was lately is of use, too: somebody who ends a sweep hands in the next. So for
//! each spare node it is counted how much oftener than expected it was used, by how long ago the
//! demand was last high enough for it.
//!
//! For spare node `k`, by the notes on cases as the present one, `jobs(k)` is how many jobs it
//! lets start at once in the time of a boot, on average, and `used(k)` how often it is used in
//! that time. So many nodes are launched ahead that
//!
//! ```text
//! sum over k of   value × jobs(k) / boot  −  gpus × (5/4 − 3/4 × used(k))
//! ```
//!
//! is largest: what it is worth that a job need not wait, less the accelerators that stand idle:
//! half the time of a boot where they come to be used, and the whole of it where they do not;
//! a quarter more for the boot, which may have been in vain. Nodes that are there already risk
//! no boot and save one: for them it is `gpus × (1 − 3/2 × used(k))`, so that more are kept than
//! are launched.
//!
//! While the nodes of a gang come, whoever hands in a smaller job may be given one of them, and
//! the gang waits a boot longer with all the others. A spare node that comes with them is what
//! such a job takes instead. So for as long each spare node also lets the gang start that starts
//! with that node and not with one less, `used(k) − used(k + 1)` of the time; and a gang counts
//! as one job for each of its accelerators, since all of these stand idle with it.
//!
//! In the trade this is the newsvendor's rule with a price on each customer that is sent away
//! (<https://en.wikipedia.org/wiki/Newsvendor_model>); that the same price holds for every node
//! and at every hour is what makes the number of those who wait least for what is spent.
//!
//! `value` comes from the author's `latency_target` and from nothing else, but for a bound: what
//! spare nodes cost is held below a share of what the nodes at work cost. Where half of the
//! bound is spent, `value` begins to fall, and at the bound it is nothing. Without it a queue of
//! few short jobs would pay several times its work for that nobody waits.
//!
//! Nothing here is a number of some trace: all but the weights is learned as jobs come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::Seconds;
use super::notes::{BANDS, COUNT, Case, Guess, Look, Odds, start};
use super::pool::LatencyTarget;
use crate::model::Moment;

/// Jobs that came in the last minutes, by which cases are told apart.
const QUICK: [f64; 11] = [0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
/// Jobs that came in the last hours.
const SLOW: [f64; 10] = [0.3, 1.0, 3.0, 8.0, 20.0, 50.0, 120.0, 300.0, 800.0, 2000.0];
/// A job counts half in the first after so many boots, in the second after so many hours.
const QUICK_BOOTS: f64 = 1.0;
const SLOW_HOURS: f64 = 4.0;
/// So often within a boot it is noted where the demand stands.
const LOOKS: u32 = 5;
/// How long ago the demand was last as high, in seconds: by day and night, a meal, a result.
const AGES: [i64; SPANS - 1] = [600, 1_800, 7_200, 28_800, 86_400];
const SPANS: usize = 6;
/// Falls of the demand that are remembered.
const FALLS: usize = 64;
/// A note counts half after so many days; what was spent, after one.
const HALF_LIFE: f64 = 28.0;
const DAY: i64 = 86_400_000;

/// What a spare node costs that nobody uses in the time of a boot, in boots, and how much less
/// one does that is used then. Unused it stands idle for that time, used for half of it. Of the
/// boot of one that has to be launched a quarter counts if it is not used: somebody may come
/// later.
const LAUNCHED: (f64, f64) = (1.25, 0.75);
/// One that is there, and whose use saves a boot.
const KEPT: (f64, f64) = (1.0, 1.5);

/// What was learned of those who come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadRoom {
    /// Of which nodes.
    kind: Kind,
    /// Up to when everything here is counted.
    at: Option<Moment>,
    /// When it is next noted where the demand stands.
    next: i64,
    /// Accelerators that jobs have or wait for.
    level: u64,
    /// What there is, as of the last decision.
    room: Room,
    /// Spare nodes that were wanted then.
    wanted: u32,
    /// Jobs that came in the last minutes, and in the last hours.
    quick: f64,
    slow: f64,
    /// Nodes at work and spare nodes in the last days, in node-seconds.
    worked: f64,
    spared: f64,
    /// When the demand fell from a level that it has not reached since: the highest first.
    falls: Vec<(i64, u64)>,
    /// How often spare nodes were used, by how long ago they would have been and by band.
    ages: Vec<Odds>,
    /// Notes of the last boot, the oldest first.
    looks: Vec<Look>,
    /// What came of those before, by case.
    cases: BTreeMap<u16, Case>,
    /// When these were last made to count less.
    aged: Option<Moment>,
}

/// Who came since it was last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Jobs.
    pub jobs: u32,
    /// Accelerators of those that take whole nodes.
    pub whole: u64,
}

/// The nodes that are launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// Accelerators.
    pub gpus: u32,
    /// How long one boots.
    pub boot: Seconds,
}

/// What there is beside what jobs have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Free accelerators on nodes that have jobs, or will.
    pub parts: u64,
    /// Nodes that nobody has, with those that come.
    pub spare: u32,
    /// Nodes that have jobs.
    pub busy: u32,
    /// Accelerators that gangs will have whose nodes come.
    #[serde(default)]
    pub gangs: u64,
}

/// How many spare nodes are worth their price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// If they are there.
    pub keep: u32,
    /// If they have to be launched: never more than `keep`.
    pub launch: u32,
}

/// What is left of something that counts half after `half`.
fn left(span: f64, half: f64) -> f64 {
    0.5_f64.powf(span / half)
}

impl HeadRoom {
    /// Takes note of the demand: accelerators that jobs have or wait for; and of who came since
    /// it was last looked at.
    pub fn observe(&mut self, now: Moment, (gpus, came): (u64, Came), kind: Kind) {
        if self.kind != kind {
            // What was learned was about other nodes.
            *self = Self { kind, ..Self::default() };
        }
        self.pass(now.0);
        let before = self.level;
        self.level = gpus;
        if gpus < before {
            self.fall(before, now.0);
        }
        self.quick += f64::from(came.jobs);
        self.slow += f64::from(came.jobs);
        if gpus > before && came.jobs > 0 {
            let each = f64::from(came.jobs) / (gpus - before) as f64;
            let size = u64::from(kind.gpus.max(1));
            self.looks.iter_mut().for_each(|look| look.rise(gpus, each, (size, came.whole)));
        }
    }

    fn fall(&mut self, from: u64, now: i64) {
        let above = self.falls.partition_point(|(_, level)| *level > from);
        self.falls.truncate(above);
        self.falls.push((now, from));
        if self.falls.len() > FALLS {
            self.falls.remove(0);
        }
    }

    /// The demand when it was last looked at.
    pub fn level(&self) -> u64 {
        self.level
    }

    /// Time goes by, and where the demand stands in it is noted.
    fn pass(&mut self, now: i64) {
        let at = self.at.map_or(now, |at| at.0);
        let every = i64::from((self.kind.boot.0 / LOOKS).max(10)) * 1000;
        if self.at.is_none() || now < at || now.saturating_sub(at) > 7 * DAY {
            // Nobody looked for long, or the clock went back: what was in between is not known.
            self.fade(now);
            self.looks.clear();
            self.next = now;
        }
        while self.next <= now {
            self.fade(self.next);
            self.look();
            let Some(next) = self.next.checked_add(every) else { break };
            self.next = next;
        }
        self.fade(now);
    }

    fn fade(&mut self, to: i64) {
        let before = self.at.replace(Moment(to)).map_or(to, |at| at.0);
        let seconds = to.saturating_sub(before).max(0) as f64 / 1000.0;
        self.quick *= left(seconds, QUICK_BOOTS * f64::from(self.kind.boot.0.max(1)));
        self.slow *= left(seconds, SLOW_HOURS * 3600.0);
        let spent = left(seconds, 86_400.0);
        self.worked = self.worked * spent + seconds * f64::from(self.room.busy);
        let spare = self.room.spare.min(self.wanted);
        self.spared = self.spared * spent + seconds * f64::from(spare);
    }

    /// Notes where the demand stands, and what came of what was noted a boot ago.
    fn look(&mut self) {
        let now = self.at.map_or(0, |at| at.0);
        let aged = *self.aged.get_or_insert(Moment(now));
        if now.saturating_sub(aged.0) >= DAY {
            let by = left(1.0, HALF_LIFE);
            self.cases.values_mut().for_each(|case| case.scale(by));
            self.ages.iter_mut().for_each(|it| *it = Odds(it.0 * by, it.1 * by));
            self.aged = Some(Moment(now));
        }
        let boot = self.kind.boot.millis();
        let over = self.looks.partition_point(|look| look.at.saturating_add(boot) <= now);
        let looks: Vec<Look> = self.looks.drain(..over).collect();
        looks.iter().for_each(|look| self.learn(look));
        let base = self.level.saturating_add(self.room.parts);
        let case = self.case();
        let (guess, ages) = (self.guess(case).used, self.spans(base));
        let jobs = [0.0; COUNT];
        let level = self.level;
        self.looks.push(Look {
            at: now,
            case,
            level,
            base,
            most: base,
            whole: 0,
            jobs,
            guess,
            ages,
        });
    }

    fn learn(&mut self, look: &Look) {
        let gpus = u64::from(self.kind.gpus.max(1));
        self.ages.resize(SPANS * COUNT, Odds::default());
        for band in 0..COUNT {
            let odds = &mut self.ages[usize::from(look.ages[band]) * COUNT + band];
            odds.0 += look.used(band, gpus);
            odds.1 += look.guess[band];
        }
        for case in wider(look.case) {
            self.cases.entry(case).or_default().add(look, gpus);
        }
    }

    /// How long ago the demand last rose into each band above `base`.
    fn spans(&self, base: u64) -> [u8; COUNT] {
        let now = self.at.map_or(0, |at| at.0);
        let size = u64::from(self.kind.gpus.max(1));
        std::array::from_fn(|band| {
            let low = base.saturating_add(size.saturating_mul(start(band).into()));
            let above = self.falls.partition_point(|(_, level)| *level > low);
            let fell = above.checked_sub(1).map(|at| self.falls[at].0);
            let age = fell.map_or(i64::MAX, |fell| now.saturating_sub(fell) / 1000);
            AGES.partition_point(|edge| *edge <= age) as u8
        })
    }

    fn guess(&self, case: u16) -> Guess {
        wider(case).iter().rev().fold(Guess::default(), |usual, case| {
            self.cases.get(case).map_or(usual, |it| it.guess(&usual))
        })
    }

    /// The case that is now.
    fn case(&self) -> u16 {
        let quick = QUICK.partition_point(|edge| *edge <= self.quick);
        let slow = SLOW.partition_point(|edge| *edge <= self.slow);
        (1 + slow * (QUICK.len() + 2) + 1 + quick) as u16
    }

    /// How many spare nodes are worth their price now.
    pub fn want(&mut self, room: Room, target: LatencyTarget) -> Want {
        self.room = room;
        if self.kind.boot.0 == 0 {
            // Nobody waits for a node.
            return Want::default();
        }
        let mut guess = self.guess(self.case());
        let spans = self.spans(self.level.saturating_add(room.parts));
        for (band, span) in spans.into_iter().enumerate() {
            let odds = self.ages.get(usize::from(span) * COUNT + band);
            let factor = odds.map_or(1.0, |odds| odds.factor());
            guess.jobs[band] *= factor;
            guess.used[band] =
                (guess.used[band] * factor).min(f64::from(BANDS[band] - start(band)));
        }
        let share = share(target) * self.worked;
        let rest =
            if share > 0.0 { (2.0 - 2.0 * self.spared / share).clamp(0.0, 1.0) } else { 0.0 };
        let value = value(target) * rest;
        let keep = self.most(&guess, value, KEPT);
        let want = Want { keep, launch: self.most(&guess, value, LAUNCHED).min(keep) };
        self.wanted = want.keep;
        want
    }

    /// So many spare nodes more were launched.
    pub fn launched(&mut self, nodes: u32) {
        self.room.spare = self.room.spare.saturating_add(nodes);
    }

    /// With how many spare nodes most is gained, at such a price of each.
    fn most(&self, guess: &Guess, value: f64, (idle, less): (f64, f64)) -> u32 {
        let boot = f64::from(self.kind.boot.0.max(1));
        let gpus = f64::from(self.kind.gpus.max(1));
        let gangs = self.room.gangs as f64;
        let (mut sum, mut best) = (0.0, (0.0, 0));
        for (at, end) in BANDS.into_iter().enumerate() {
            let nodes = f64::from(end - start(at));
            let jobs = guess.jobs[at] + gangs * guess.last(at);
            sum += value * jobs / boot - gpus * (idle * nodes - less * guess.used[at]);
            if sum > best.0 {
                best = (sum, end);
            }
        }
        best.1
    }
}

/// A case, all of as busy a day, and all.
fn wider(case: u16) -> [u16; 3] {
    let each = QUICK.len() as u16 + 2;
    [case, 1 + (case - 1) / each * each, 0]
}

/// What it is worth that a job need not wait for a boot, in seconds of one accelerator: nothing
/// at the cheapest, four hours at the balanced, and six times as much each
/// quarter on; in the last quarter, whose end is for whoever will not wait at all, forty times
/// that.
fn value(target: LatencyTarget) -> f64 {
    let (quarters, last) = quarters(target);
    let value = 14_400.0 * 6.0_f64.powf(quarters) * 40.0_f64.powf(last);
    if target == LatencyTarget::CHEAPEST { 0.0 } else { value }
}

/// What spare nodes may cost, in parts of what nodes at work cost: a twelfth at the balanced, and
/// four times as much each quarter on; in the last quarter sixteen times.
fn share(target: LatencyTarget) -> f64 {
    let (quarters, last) = quarters(target);
    0.08 * 4.0_f64.powf(quarters + last)
}

/// How far from the balanced, and how far into the last quarter.
fn quarters(target: LatencyTarget) -> (f64, f64) {
    let quarters = (f64::from(target.percent()) - 50.0) / 25.0;
    (quarters, (quarters - 1.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { gpus: 8, boot: Seconds(300) };
    const HOUR: i64 = 3_600_000;
    const KNOBS: [u8; 5] = [0, 25, 50, 75, 100];

    /// Of one accelerator each.
    fn came(jobs: u32) -> Came {
        Came { jobs, whole: 0 }
    }

    fn room(spare: u32, busy: u32) -> Room {
        Room { parts: 0, spare, busy, gangs: 0 }
    }

    /// Sweeps of so many jobs of eight accelerators for a minute, each so many milliseconds, for
    /// so many days: what was learned, while thirty other nodes are at work.
    fn sweeps(jobs: u32, every: i64, days: i64) -> HeadRoom {
        let mut out = HeadRoom::default();
        let mut now = 0;
        while now < days * DAY {
            out.observe(Moment(now), (240 + 8 * u64::from(jobs), came(jobs)), KIND);
            out.want(room(0, 30 + jobs), LatencyTarget::BALANCED);
            out.observe(Moment(now + 60_000), (240, came(0)), KIND);
            out.want(room(0, 30), LatencyTarget::BALANCED);
            now += every;
        }
        out.observe(Moment(now - 1000), (240, came(0)), KIND);
        out
    }

    fn want(learned: &HeadRoom, percent: u8) -> Want {
        learned.clone().want(room(0, 30), LatencyTarget::new(percent))
    }

    #[test]
    fn what_is_not_known_is_worth_nothing() {
        let mut new = HeadRoom::default();
        for percent in KNOBS {
            assert_eq!(want(&new, percent), Want::default());
        }
        new.observe(Moment(0), (800, came(100)), KIND);
        assert_eq!(want(&new, 100), Want::default(), "one sweep teaches nothing yet");
    }

    #[test]
    fn spare_nodes_are_as_many_as_what_comes_will_use() {
        // Ten minutes apart, one and four at a time.
        let (one, four) = (sweeps(1, HOUR / 6, 3), sweeps(4, HOUR / 6, 3));
        // It is due: what is there is kept, since its boot is all but sure to be saved.
        assert_eq!(want(&one, 0), Want { keep: 1, launch: 0 });
        assert_eq!(want(&one, 50), Want { keep: 1, launch: 1 });
        assert_eq!(want(&four, 50), Want { keep: 4, launch: 4 });
        // Who comes once a day is waited for by nobody.
        assert_eq!(want(&sweeps(4, DAY, 20), 50), Want::default());
    }

    #[test]
    fn who_pays_more_has_no_less_and_what_is_there_is_kept_sooner_than_launched() {
        for (jobs, every) in [(1, HOUR / 6), (3, HOUR), (9, 3 * HOUR)] {
            let learned = sweeps(jobs, every, 10);
            let wants = KNOBS.map(|percent| want(&learned, percent));
            assert!(wants.is_sorted_by_key(|it| it.keep), "{wants:?}");
            assert!(wants.iter().all(|it| it.launch <= it.keep), "{wants:?}");
        }
    }

    #[test]
    fn free_parts_of_nodes_are_of_no_use_to_who_takes_a_whole_one() {
        let learned = |gpus: u64, whole: u64| {
            let (mut out, room) =
                (HeadRoom::default(), Room { parts: 7, spare: 0, busy: 30, gangs: 0 });
            for now in (0..3 * DAY).step_by(600_000) {
                out.observe(Moment(now), (240 + gpus, Came { jobs: 1, whole }), KIND);
                out.want(room, LatencyTarget::BALANCED);
                out.observe(Moment(now + 60_000), (240, came(0)), KIND);
                out.want(room, LatencyTarget::BALANCED);
            }
            out.observe(Moment(3 * DAY - 1000), (240, came(0)), KIND);
            out.want(room, LatencyTarget::BALANCED)
        };
        assert_eq!(learned(7, 0), Want::default(), "they have room");
        assert_eq!(learned(8, 8), Want { keep: 1, launch: 1 });
        assert_eq!(learned(16, 16), Want { keep: 2, launch: 2 });
    }

    #[test]
    fn a_gang_whose_nodes_come_has_one_more_for_who_may_take_one_of_them() {
        // Now and then somebody comes: too seldom for a node to stand ready.
        let learned = sweeps(1, 2 * HOUR, 10);
        let wants = |gangs: u64| {
            let room = Room { gangs, ..room(0, 30) };
            learned.clone().want(room, LatencyTarget::BALANCED)
        };
        assert_eq!(wants(0).launch, 0);
        // Of two nodes, and of thirty: nobody comes in twos, so one is enough for either.
        assert_eq!((wants(16).launch, wants(240).launch), (1, 1));
        let cheapest = Room { gangs: 240, ..room(0, 30) };
        let free = learned.clone().want(cheapest, LatencyTarget::CHEAPEST);
        assert_eq!(free.launch, 0, "whoever pays nothing has nothing");
    }

    #[test]
    fn what_is_spent_stays_below_the_share() {
        // A queue of short jobs: one node at work for a minute in ten.
        let spent = |percent: u8| {
            let (mut learned, mut spare, mut sums) = (HeadRoom::default(), 0, (0.0, 0.0));
            for step in 0..20 * 24 * 60 {
                let busy = u32::from(step % 10 == 0);
                let now = Moment(step * 60_000);
                learned.observe(now, (8 * u64::from(busy), came(busy)), KIND);
                let wanted = learned.want(room(spare, busy), LatencyTarget::new(percent));
                learned.launched(wanted.launch.saturating_sub(spare));
                spare = wanted.keep.min(spare).max(wanted.launch);
                sums = (sums.0 + f64::from(spare), sums.1 + f64::from(busy));
            }
            sums.0 / sums.1
        };
        let (balanced, more) = (spent(50), spent(75));
        assert!(balanced <= 0.1, "{balanced}");
        assert!(balanced < more && more <= 0.4, "{more}");
    }

    #[test]
    fn it_is_the_same_however_often_it_looks() {
        let (mut often, mut seldom) = (sweeps(2, HOUR, 3), sweeps(2, HOUR, 3));
        let later = Moment(3 * DAY + 5 * HOUR);
        for second in (3 * DAY..later.0).step_by(10_000) {
            often.observe(Moment(second), (240, came(0)), KIND);
        }
        often.observe(later, (240, came(0)), KIND);
        seldom.observe(later, (240, came(0)), KIND);
        for percent in KNOBS {
            assert_eq!(want(&often, percent), want(&seldom, percent));
        }
        let sum = |it: &HeadRoom| it.cases.values().map(|case| case.looks).sum::<f64>();
        assert_eq!(sum(&often), sum(&seldom));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_survives_json() {
        let (mut learned, mut dice) = (HeadRoom::default(), 1_u64);
        for step in 0..40_000_i64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (level, jobs) = (dice >> (34 + dice % 30), (dice >> 50) as u32 % 200);
            learned.observe(Moment(step * 20_000), (level, came(jobs)), KIND);
            learned.want(room(3, 10), LatencyTarget::FASTEST);
        }
        assert!(learned.looks.len() <= LOOKS as usize + 1, "{}", learned.looks.len());
        assert!(learned.falls.len() <= FALLS && learned.ages.len() <= SPANS * COUNT);
        let most = (SLOW.len() + 1) * (QUICK.len() + 2) + 1;
        assert!(learned.cases.len() <= most, "{}", learned.cases.len());
        let json = serde_json::to_string(&learned).expect("JSON");
        assert!(json.len() < 200_000, "{}", json.len());
        let back: HeadRoom = serde_json::from_str(&json).expect("what was learned");
        for percent in KNOBS {
            assert_eq!(want(&back, percent), want(&learned, percent));
        }
    }

    #[test]
    fn absurd_times_and_numbers_do_no_harm() {
        let mut learned = sweeps(1, HOUR, 2);
        for (at, level) in
            [(i64::MAX, u64::MAX), (0, 0), (-5, u64::MAX), (i64::MIN, 7), (50, 0), (DAY, u64::MAX)]
        {
            learned.observe(Moment(at), (level, Came { jobs: u32::MAX, whole: u64::MAX }), KIND);
            let everything =
                Room { parts: u64::MAX, spare: u32::MAX, busy: u32::MAX, gangs: u64::MAX };
            let wanted = learned.want(everything, LatencyTarget::FASTEST);
            assert!(wanted.keep <= 64 && wanted.launch <= wanted.keep);
        }
        // Other nodes: nothing is known of how they would be used.
        learned.observe(Moment(DAY), (8, came(1)), Kind { gpus: 4, ..KIND });
        assert!(learned.cases.is_empty());
    }
}
