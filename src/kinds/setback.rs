//! Capacity on spot that was taken back of late: it is offered behind what was not.

use serde::{Deserialize, Serialize};

use crate::model::Moment;

/// For so many seconds after one interruption: AWS gives no figure. A price that differs by some
/// cents for half an hour costs less than one lost boot.
const FIRST: i64 = 30 * 60;
/// At most so long, however often.
const MOST: i64 = 4 * 3600;
/// What happens within so many seconds is one interruption: it takes the nodes of a gang together.
const AT_ONCE: i64 = 300;

/// Spot has taken nodes back here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setback {
    /// How often of late.
    pub times: u32,
    /// Until when others are asked first.
    pub until: Moment,
}

impl Setback {
    /// For how many milliseconds an interruption is worth remembering: until the next one could
    /// no longer be one of a row.
    pub const REMEMBERED: i64 = 2 * MOST * 1000;

    /// From the moments of interruptions; none where the last of them is long past.
    pub fn of(mut all: Vec<Moment>, now: Moment) -> Option<Self> {
        all.retain(|at| now.since(*at) < Self::REMEMBERED);
        all.sort_unstable();
        let last = *all.last()?;
        let (mut times, mut before) = (0_u32, None);
        for at in all {
            if before.is_none_or(|before: Moment| at.since(before) >= AT_ONCE * 1000) {
                (times, before) = (times + 1, Some(at));
            }
        }
        let seconds = (FIRST << (times - 1).min(4)).min(MOST);
        let until = Moment(last.0.saturating_add(seconds * 1000));
        (until > now).then_some(Self { times, until })
    }

    /// For people.
    pub fn words(self) -> String {
        let often = match self.times {
            1 => "nodes".to_owned(),
            2 => "nodes twice".to_owned(),
            times => format!("nodes {times} times"),
        };
        format!("spot took {often} back here of late: behind others until {}", self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn of(minutes: &[i64], now: i64) -> Option<(u32, i64)> {
        let all = minutes.iter().map(|at| Moment(at * MINUTE)).collect();
        Setback::of(all, Moment(now * MINUTE)).map(|it| (it.times, it.until.0 / MINUTE))
    }

    #[test]
    fn the_time_grows_with_each_interruption_up_to_four_hours() {
        assert_eq!(of(&[], 0), None);
        assert_eq!(of(&[0], 0), Some((1, 30)));
        assert_eq!(of(&[0], 29), Some((1, 30)));
        assert_eq!(of(&[0], 30), None);
        assert_eq!(of(&[40, 0], 40), Some((2, 100)));
        assert_eq!(of(&[0, 40, 100], 100), Some((3, 220)));
        assert_eq!(of(&[0, 40, 100, 200], 200), Some((4, 440)));
        assert_eq!(of(&[0, 40, 100, 200, 300, 400], 400), Some((6, 640)));
    }

    #[test]
    fn nodes_that_go_together_are_one_interruption() {
        assert_eq!(of(&[0, 1, 2, 4], 4), Some((1, 34)));
        // A clock that went back remembers nothing for longer.
        assert_eq!(of(&[0, 1, 9, 9, 10], 10), Some((2, 70)));
    }

    #[test]
    fn what_is_long_past_counts_no_more() {
        assert_eq!(of(&[0, 480], 480), Some((1, 510)));
        assert_eq!(of(&[0, 481], 481), Some((1, 511)));
        assert_eq!(of(&[1, 480], 480), Some((2, 540)));
    }
}
