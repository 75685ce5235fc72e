//! `disk`: the root disk of a node.

use crate::kinds::Disk;
use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::model::Block;

use super::expansion::Expansion;

/// The table of its root disk.
pub(super) const LARGE: BlockSchema = BlockSchema {
    word: "disk",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new("size", Type::Size, "How large; 8GiB to 64TiB.").or("\"200GiB\""),
        Attribute::new("iops", Type::Integer, "Operations per second; 3000 to 80000.").or("6000"),
        Attribute::new("throughput", Type::Integer, "MiB per second; 125 to 2000.").or("500"),
    ],
    blocks: &[],
    exports: &[],
    doc: "The root disk: gp3, encrypted.",
};

/// The same where less passes through it.
pub(super) const SMALL: BlockSchema = BlockSchema {
    attributes: &[
        LARGE.attributes[0].or("\"50GiB\""),
        LARGE.attributes[1].or("3000"),
        LARGE.attributes[2].or("125"),
    ],
    ..LARGE
};

/// Reads it.
pub(super) fn disk(x: &mut Expansion<'_>, block: &Evaluated) -> Disk {
    let written = block.nested("disk").next();
    // Data sets and checkpoints pass through a node; a service has what every gp3 volume has
    // without paying for it.
    let default =
        if block.word == Block::Service.word() { (50, 3000, 125) } else { (200, 6000, 500) };
    let (size, iops, throughput) = match written {
        Some(disk) => (
            x.gib(disk, "size", default.0, 8..=65_536),
            x.integer(disk, "iops", default.1, 3000..=80_000),
            x.integer(disk, "throughput", default.2, 125..=2000),
        ),
        None => default,
    };
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    Disk {
        device: "/dev/sda1".to_owned(),
        size: number(size),
        volume_type: "gp3".to_owned(),
        iops: Some(number(iops)),
        throughput: Some(number(throughput)),
        encrypted: true,
    }
}
