//! `schedule`: bounds that change with the time of day.

use std::str::FromStr as _;

use croner::Cron;
use jiff::tz::TimeZone;

use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};

use super::super::expansion::Expansion;
use super::job::MOST;
use super::settings::Schedule;

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "schedule",
    label: None,
    repeats: true,
    attributes: &[
        Attribute::new(
            "cron",
            Type::String,
            "When it begins, in the five fields of cron: minute, hour, day of the month, month, \
             day of the week. `\"0 8 * * 1-5\"` is eight in the morning from Monday to Friday.",
        )
        .required(),
        Attribute::new(
            "timezone",
            Type::String,
            "Whose clock that is, by its IANA name, such as `Europe/Berlin`. Summer time is kept.",
        )
        .or("\"UTC\""),
        Attribute::new("lasts", Type::Duration, "For how long; 1m to 31d.")
            .or("until another schedule begins"),
        Attribute::new("min", Type::Integer, "The fewest nodes then, in place of the cluster's."),
        Attribute::new(
            "max",
            Type::Integer,
            "The most nodes then; never more than the cluster's own.",
        ),
    ],
    blocks: &[],
    exports: &[],
    doc: "Other bounds from a time of day on. Of several the one that began last holds.",
};

/// Reads all of them.
pub(super) fn all(x: &mut Expansion<'_>, block: &Evaluated, most: u32) -> Vec<Schedule> {
    block.nested(SCHEMA.word).map(|written| one(x, written, most)).collect()
}

fn one(x: &mut Expansion<'_>, block: &Evaluated, most: u32) -> Schedule {
    let text = |name: &str| block.attr(name)?.as_str().map(str::to_owned);
    let (cron, timezone) = (text("cron"), text("timezone"));
    let written = |name: &str| block.attr(name).is_some();
    if let (Some(value), Some(cron)) = (block.attr("cron"), &cron) {
        let help = "write minute, hour, day of the month, month and day of the week, such as \
                    \"0 8 * * 1-5\"";
        x.check(value, wrong_cron(cron), help);
    }
    if let (Some(value), Some(zone)) = (block.attr("timezone"), &timezone) {
        let bad = TimeZone::get(zone).is_err();
        let problem = format!("there is no time zone {zone:?}");
        let help = "write its IANA name, such as \"Europe/Berlin\" or \"UTC\"";
        x.check(value, bad.then_some(problem), help);
    }
    let min = written("min").then(|| x.integer(block, "min", 0, 0..=MOST));
    let max = written("max").then(|| x.integer(block, "max", 0, 0..=MOST));
    bounds(x, block, (min, max), most);
    Schedule {
        cron: cron.unwrap_or_default(),
        timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
        lasts: written("lasts").then(|| x.seconds(block, "lasts", 60, 60..=2_678_400)),
        min,
        max,
    }
}

/// croner takes more than cron has: seconds, years, nicknames. What is written here must mean
/// the same to whoever knows cron.
fn wrong_cron(cron: &str) -> Option<String> {
    let fields = cron.split_whitespace().count();
    if fields != 5 {
        return Some(format!("{cron:?} has {fields} fields, and a time of cron has five"));
    }
    Cron::from_str(cron).err().map(|error| format!("{cron:?} is no time of cron: {error}"))
}

fn bounds(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    (min, max): (Option<u32>, Option<u32>),
    most: u32,
) {
    if min.is_none() && max.is_none() {
        let text = "a schedule needs `min` or `max`".to_owned();
        x.problem(block, text, "write min = 2 for two nodes that are there whether needed or not");
    }
    for (name, bound) in [("min", min), ("max", max)] {
        let above = bound.filter(|bound| *bound > most);
        if let (Some(above), Some(value)) = (above, block.attr(name)) {
            let text = format!("{above} nodes are more than the cluster's {most}");
            x.check(value, Some(text), "raise `max` of `nodes`, which no schedule passes");
        }
    }
    if let (Some(low), Some(high), Some(value)) = (min, max, block.attr("min"))
        && low > high
    {
        let text = format!("`min` is {low} and `max` is {high}");
        x.check(value, Some(text), "`min` is at most `max`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_are_cron_and_nothing_else() {
        for cron in ["0 8 * * 1-5", "*/15 * * * *", "0 0 1 * *", "30 18 * * FRI", "0 8 * * MON-FRI"]
        {
            assert_eq!(wrong_cron(cron), None, "{cron}");
        }
        for cron in
            ["", "@daily", "0 8 * *", "0 0 8 * * 1-5", "61 * * * *", "0 25 * * *", "a b c d e"]
        {
            assert!(wrong_cron(cron).is_some(), "{cron}");
        }
    }
}
