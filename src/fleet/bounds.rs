//! Bounds that change with the time of day: which schedule has its turn.

use croner::Cron;
use croner::parser::CronParser;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::pool::{Pool, Schedule};
use super::why::Alert;
use crate::model::Moment;

/// The fewest and the most nodes that there may be, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub min: u32,
    pub max: u32,
    /// Until when.
    pub until: Option<Moment>,
    pub alerts: Vec<Alert>,
}

/// The bounds at a moment. The schedule that fired last has its turn, until another fires or
/// its time is over; bounds that it does not name are the cluster's own.
pub(super) fn bounds(pool: &Pool, now: Moment) -> Bounds {
    let mut out = Bounds { min: pool.min, max: pool.max, until: None, alerts: Vec::new() };
    let mut turn: Option<(Moment, &Schedule)> = None;
    for schedule in &pool.schedules {
        match turns(schedule, now) {
            Ok((last, next)) => {
                let end = last.zip(schedule.lasts).map(|(last, it)| later(last, it.millis()));
                out.until =
                    [out.until, next, end.filter(|end| *end > now)].into_iter().flatten().min();
                let lives = end.is_none_or(|end| end > now);
                if let Some(last) = last.filter(|_| lives)
                    && turn.is_none_or(|(best, _)| last >= best)
                {
                    turn = Some((last, schedule));
                }
            }
            Err(why) => {
                out.alerts.push(Alert::BadSchedule { cron: schedule.cron.clone(), why });
            }
        }
    }
    if let Some((_, schedule)) = turn {
        out.min = schedule.min.unwrap_or(out.min);
        out.max = schedule.max.unwrap_or(out.max).min(pool.max);
    }
    // A least that is above the most is somebody's mistake; the most is the one that costs.
    out.min = out.min.min(out.max);
    out
}

fn later(moment: Moment, millis: i64) -> Moment {
    Moment(moment.0.saturating_add(millis))
}

/// When a schedule last fired and when it fires next.
fn turns(schedule: &Schedule, now: Moment) -> Result<(Option<Moment>, Option<Moment>), String> {
    let cron = read(&schedule.cron)?;
    let zone = TimeZone::get(&schedule.timezone)
        .map_err(|_| format!("there is no time zone {:?}", schedule.timezone))?;
    let Ok(stamp) = Timestamp::from_millisecond(now.0) else { return Ok((None, None)) };
    let here = Zoned::new(stamp, zone);
    let moment = |zoned: Zoned| Moment(zoned.timestamp().as_millisecond());
    // Neither finds anything where the line names a day that never comes.
    let last = cron.find_previous_occurrence(&here, true).ok().map(moment);
    let next = cron.find_next_occurrence(&here, false).ok().map(moment);
    Ok((last, next))
}

/// Reads a line of cron.
fn read(line: &str) -> Result<Cron, String> {
    let parser = CronParser::new();
    parser.parse(line).map_err(|error| format!("{line:?} is no line of cron: {error}"))
}

/// What is wrong with a schedule, if anything is: for whoever reads it from a file.
///
/// # Errors
///
/// Says what is wrong, for people.
pub fn check_schedule(schedule: &Schedule) -> Result<(), String> {
    turns(schedule, Moment(0)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Seconds;

    fn at(text: &str) -> Moment {
        Moment(text.parse::<Timestamp>().expect("a time").as_millisecond())
    }

    type Line = (&'static str, Option<u32>, Option<u32>, Option<Seconds>);

    fn pool(schedules: &[Line]) -> Pool {
        let schedule = |&(cron, min, max, lasts): &Line| Schedule {
            cron: cron.to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            lasts,
            min,
            max,
        };
        let schedules = schedules.iter().map(schedule).collect();
        Pool { schedules, ..Pool::new("cluster.a", (0, 8), 8) }
    }

    fn range(pool: &Pool, now: &str) -> (u32, u32) {
        let found = bounds(pool, at(now));
        assert_eq!(found.alerts, []);
        (found.min, found.max)
    }

    #[test]
    fn the_schedule_that_fired_last_has_its_turn() {
        let day =
            pool(&[("0 8 * * 1-5", Some(2), None, None), ("0 20 * * *", Some(0), Some(4), None)]);
        // In January Berlin is an hour ahead of UTC, in July two.
        assert_eq!(range(&day, "2026-01-07T06:59:59Z"), (0, 4));
        assert_eq!(range(&day, "2026-01-07T07:00:00Z"), (2, 8));
        assert_eq!(range(&day, "2026-07-08T06:00:00Z"), (2, 8));
        assert_eq!(range(&day, "2026-01-07T19:00:00Z"), (0, 4));
        // On Saturday morning Friday's evening still holds.
        assert_eq!(range(&day, "2026-01-10T09:00:00Z"), (0, 4));
        let next = bounds(&day, at("2026-01-07T06:00:00Z")).until;
        assert_eq!(next, Some(at("2026-01-07T07:00:00Z")));
    }

    #[test]
    fn a_schedule_that_lasts_gives_way() {
        let day = pool(&[("0 8 * * *", Some(3), None, Some(Seconds::minutes(60)))]);
        assert_eq!(range(&day, "2026-01-07T07:30:00Z"), (3, 8));
        assert_eq!(range(&day, "2026-01-07T08:00:00Z"), (0, 8));
        let until = bounds(&day, at("2026-01-07T07:30:00Z")).until;
        assert_eq!(until, Some(at("2026-01-07T08:00:00Z")));
    }

    #[test]
    fn nothing_that_a_schedule_says_goes_above_the_clusters_most() {
        assert_eq!(
            range(&pool(&[("* * * * *", Some(9), Some(99), None)]), "2026-01-07T06:00:00Z"),
            (8, 8)
        );
    }

    #[test]
    fn the_hour_that_daylight_saving_leaves_out_is_no_trap() {
        let night = pool(&[("30 2 * * *", Some(1), None, Some(Seconds::minutes(30)))]);
        // On 2026-03-29 Berlin's clocks go from 2 to 3.
        for minute in 0..240 {
            let now = Moment(at("2026-03-29T00:00:00Z").0 + minute * 60_000);
            let found = bounds(&night, now);
            assert!(found.until.is_some_and(|until| until > now), "{now}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_and_changes_nothing() {
        for (cron, zone, said) in [
            ("0 8 * *", "UTC", "is no line of cron"),
            ("0 25 * * *", "UTC", "is no line of cron"),
            ("0 8 * * *", "Mars/Olympus", "there is no time zone"),
        ] {
            let mut bad = pool(&[(cron, Some(5), None, None)]);
            bad.schedules[0].timezone = zone.to_owned();
            let found = bounds(&bad, at("2026-01-07T06:00:00Z"));
            assert_eq!((found.min, found.max), (0, 8));
            let [Alert::BadSchedule { why, .. }] = found.alerts.as_slice() else {
                panic!("{:?}", found.alerts)
            };
            assert!(why.contains(said), "{why}");
        }
        // Times that no calendar has.
        assert_eq!(bounds(&pool(&[("* * * * *", Some(1), None, None)]), Moment(i64::MAX)).min, 0);
    }
}
