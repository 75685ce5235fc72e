//! What is done about nodes of a cluster that do not come up, or fall ill.

use crate::kinds::{Care, Share};
use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};

use super::expansion::Expansion;

/// The longest time that either may be: a day.
const LONGEST: u64 = 86_400;

/// Seconds where nobody waits for a launch: images with accelerators and EFA take long, and a node
/// that is given up too early is paid for nothing.
const RESIZED: u32 = 1800;

/// The block.
pub(super) const HEALTH: BlockSchema = BlockSchema {
    word: "health",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "boot_timeout",
            Type::Duration,
            "How long a node may take from its launch until it can serve, `setup` included; 1m to \
             24h. One that takes longer has failed.",
        )
        .or("\"15m\"; `\"30m\"` where the cluster is resized"),
        Attribute::new(
            "quarantine",
            Type::Duration,
            "How long a node that has failed is kept, to be looked at (`mlinfra ssh`, `mlinfra \
             logs`); up to 24h. It counts no more, is replaced at once, and is billed until it \
             ends. `\"0s\"` ends it at once.",
        )
        .or("\"1h\""),
        Attribute::new(
            "keep",
            Type::Integer,
            "How many are kept at once, 0 to 100; the others that fail end at once.",
        )
        .or("2"),
        Attribute::new(
            "max_unhealthy",
            Type::Either(&[Type::Integer, Type::String]),
            "How many may have failed at once: a share of `nodes`, such as `\"20%\"`, rounded up, \
             or a number, and at least one. When more have, it is hardly the machines: none is \
             replaced or ended, and plans say so, until they are fewer. Of clusters of a fixed \
             size.",
        )
        .or("\"20%\""),
    ],
    blocks: &[],
    exports: &[],
    doc: "What is done about nodes that fail. A node with an `agent` can serve when it says so; \
          any other when EC2's status checks are good and its boot has not failed. When five in a \
          row fail, no more are launched until one can serve, their template changes, or `mlinfra \
          apply --retry` says so.",
};

/// Reads it.
pub(super) fn care(x: &mut Expansion<'_>, block: &Evaluated, resized: bool) -> Care {
    let plain = Care::default();
    let default = Care { boot: if resized { RESIZED } else { plain.boot }, ..plain };
    let Some(written) = block.nested("health").next() else { return default };
    let (boot, kept) = (u64::from(default.boot), u64::from(default.quarantine));
    Care {
        boot: x.seconds(written, "boot_timeout", seconds(boot), 60..=LONGEST),
        quarantine: x.seconds(written, "quarantine", seconds(kept), 0..=LONGEST),
        keep: x.integer(written, "keep", default.keep, 0..=100),
        max_unhealthy: share(x, written, resized).unwrap_or(default.max_unhealthy),
    }
}

/// How many may have failed at once.
fn share(x: &mut Expansion<'_>, written: &Evaluated, resized: bool) -> Option<Share> {
    let value = written.attr("max_unhealthy")?;
    if value.is_wholly_unknown() {
        return None;
    }
    let text = value.as_str();
    let percent = text.and_then(|text| text.strip_suffix('%')?.trim().parse().ok());
    let number = text.map_or_else(|| value.as_u64(), |text| text.parse().ok());
    let number = number.and_then(|number| u32::try_from(number).ok());
    let share = percent.map(Share::Percent).or(number.map(Share::Nodes));
    let fine = match share {
        Some(Share::Percent(percent)) => (1..=100).contains(&percent),
        Some(Share::Nodes(nodes)) => (1..=1000).contains(&nodes),
        None => false,
    };
    let problem = "this is no number of nodes, and no share of them".to_owned();
    let help = "write \"1%\" to \"100%\", or 1 to 1000";
    x.check(value, (!fine).then_some(problem), help);
    let problem = "the autoscaler replaces what fails in a cluster that it resizes".to_owned();
    let help = "leave max_unhealthy away: after five failures in a row no more are launched there";
    x.check(value, resized.then_some(problem), help);
    share.filter(|_| fine)
}

fn seconds(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
