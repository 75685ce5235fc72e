//! What is done about nodes of a cluster that do not come up, or fall ill.

use crate::kinds::Care;
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
    }
}

fn seconds(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
