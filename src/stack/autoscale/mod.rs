//! `autoscale`: when a cluster grows and shrinks, and where it is told how much work there is.
//!
//! All of it is plain data for the service. None of it enters a spec, so that a change of it
//! rolls no node and calls no cloud.

mod endpoint;
mod job;
mod schedule;
pub(in crate::stack) mod settings;
mod source;
mod sources;
mod unheard;

use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::model::{Address, Money};

use super::expansion::Expansion;

use self::job::MOST;

pub use endpoint::Endpoint;
pub(super) use job::{Fits, JOB, exported, job};
pub use settings::{Autoscale, Job, Schedule, Source};
pub use source::own_settings;
pub(super) use unheard::check;

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "autoscale",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "queue",
            Type::Reference("queue"),
            "The queue whose depth says how much work there is. Its `job` says what each message \
             needs.",
        )
        .or("the cluster's own queue, where no source is written"),
        Attribute::new(
            "idle_timeout",
            Type::Duration,
            "How long a node stays without work before it goes, if it is not kept for who comes \
             next; 0s to 7d.",
        )
        .or("\"3m\""),
        Attribute::new(
            "latency_target",
            Type::Either(&[Type::Integer, Type::String]),
            "How much it is worth that nobody waits for a node: `\"cheapest\"` launches none \
             ahead, `\"balanced\"` spends no more than a tenth of what nodes at work cost, and \
             mostly much less, `\"fastest\"` hardly ever lets anybody wait. Or a whole number from 0 to 100, \
             of which these are 0, 50 and 100.",
        )
        .or("\"balanced\""),
        Attribute::new(
            "spare",
            Type::Integer,
            "How many nodes stand ready beside those at work, whatever `latency_target` finds worth its \
             price; 0 to `max`. With 1 or more the cluster never goes to zero, unless a budget is \
             spent.",
        )
        .or("0"),
        Attribute::new(
            "stabilisation",
            Type::Duration,
            "For how long the most that was wanted counts before the fleet becomes smaller; 0s to \
             1h. It grows at once.",
        )
        .or("\"2m\""),
        Attribute::new(
            "max_up",
            Type::Integer,
            "The most nodes that are asked for in one minute; 1 to 1000.",
        )
        .or("1000"),
        Attribute::new(
            "max_down",
            Type::Integer,
            "The most nodes that begin to go in one minute, in percent of those that serve, rounded up; \
             1 to 100.",
        )
        .or("10"),
        Attribute::new(
            "zero_confirm",
            Type::Integer,
            "How many times in a row the sources must say that there is no work before a demand \
             that fell to nothing at once is believed; 1 to 100.",
        )
        .or("3"),
        Attribute::new(
            "cordon_time",
            Type::Duration,
            "How long a node without work takes no more jobs before it goes, so that its agent has \
             heard of it by then: instance metadata shows a new tag within a minute; 10s to 10m. \
             Work that comes meanwhile keeps it.",
        )
        .or("\"90s\""),
        Attribute::new(
            "boot_time",
            Type::Duration,
            "How long a node takes from its launch to its first job, until that has been seen; \
             10s to 1h.",
        )
        .or("\"5m\""),
    ],
    blocks: &[
        schedule::SCHEMA,
        BUDGET,
        sources::SQS,
        sources::REDIS,
        sources::POSTGRES,
        sources::PROMETHEUS,
        sources::SLURM,
        sources::HTTP,
        sources::PROGRAM,
    ],
    exports: &[],
    doc: "How the cluster's size follows the work, for `nodes = { min, max }`. It needs `queue` or \
          a `source`; of several the work is added up. Nodes go only while every source answers. \
          A change of this block rolls no node and changes nothing in the cloud: the service reads \
          it.",
};

const BUDGET: BlockSchema = BlockSchema {
    word: "budget",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new("per_hour", Type::Number, "US dollars that its nodes may cost an hour."),
        Attribute::new(
            "per_month",
            Type::Number,
            "US dollars that its nodes may cost in a calendar month, in UTC.",
        ),
    ],
    blocks: &[],
    exports: &[],
    doc: "What the cluster's nodes may cost. No node is launched past it, whatever waits.",
};

/// What the block says, if there is one.
pub(super) fn autoscale(
    x: &mut Expansion<'_>,
    cluster: &Evaluated,
    address: &Address,
    fits: Fits,
) -> Option<Autoscale> {
    let block = cluster.nested(SCHEMA.word).next()?;
    let range = cluster.attr("nodes").is_some_and(|nodes| nodes.as_map().is_some());
    if !range && cluster.attr("nodes").is_some_and(|nodes| !nodes.holds_unknown()) {
        let text = format!("{address} has a fixed number of nodes, which nothing may change");
        let help = "write nodes = { min = 0, max = 16 }, or leave `autoscale` out";
        x.problem(block, text, help);
    }
    let (per_hour, per_month) = budget(x, block);
    Some(Autoscale {
        sources: source::all(x, (cluster, block), fits),
        idle_timeout: x.seconds(block, "idle_timeout", 180, 0..=604_800),
        latency_target: latency(x, block),
        spare: x.integer(block, "spare", 0, 0..=fits.most),
        stabilisation: x.seconds(block, "stabilisation", 120, 0..=3600),
        max_up: x.integer(block, "max_up", MOST, 1..=MOST),
        max_down: x.integer(block, "max_down", 10, 1..=100),
        zero_confirm: x.integer(block, "zero_confirm", 3, 1..=100),
        cordon_time: x.seconds(block, "cordon_time", 90, 10..=600),
        boot: x.seconds(block, "boot_time", 300, 10..=3600),
        schedules: schedule::all(x, block, fits.most),
        per_hour,
        per_month,
    })
}

fn latency(x: &mut Expansion<'_>, block: &Evaluated) -> u8 {
    let Some(value) = block.attr("latency_target").filter(|it| !it.is_wholly_unknown()) else {
        return BALANCED;
    };
    let number = |number: u64| u8::try_from(number).ok().filter(|it| *it <= 100);
    let read = match value.as_str() {
        Some("cheapest") => Some(0),
        Some("balanced") => Some(BALANCED),
        Some("fastest") => Some(100),
        // Under a condition with a word on its other side a number becomes a text.
        Some(text) => text.parse().ok().and_then(number),
        None => value.as_u64().and_then(number),
    };
    let help = "write \"cheapest\", \"balanced\", \"fastest\", or a whole number from 0 to 100";
    x.check(value, read.is_none().then(|| "latency_target is out of range".to_owned()), help);
    read.unwrap_or(BALANCED)
}

/// Half of what can be had.
const BALANCED: u8 = 50;

fn budget(x: &mut Expansion<'_>, block: &Evaluated) -> (Option<Money>, Option<Money>) {
    let Some(budget) = block.nested(BUDGET.word).next() else { return (None, None) };
    let mut limit = |name: &str| {
        let value = budget.attr(name)?;
        let usd = Money::new(value.as_number()?);
        let text = "a budget is more than nothing".to_owned();
        let help = "write US dollars, such as 400; without the block there is no limit";
        x.check(value, (usd <= Money::ZERO).then_some(text), help);
        Some(usd)
    };
    let limits = (limit("per_hour"), limit("per_month"));
    if budget.attr("per_hour").or(budget.attr("per_month")).is_none() {
        let text = "a budget needs `per_hour` or `per_month`".to_owned();
        x.problem(budget, text, "write per_hour = 400 for 400 US dollars an hour");
    }
    limits
}
