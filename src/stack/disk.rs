//! `disk`: the root disk of a node.

use crate::catalog::image_disk;
use crate::kinds::Disk;
use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::model::{Block, ImageId};

use super::expansion::Expansion;
use super::kms;

/// The table of its root disk.
pub(super) const LARGE: BlockSchema = BlockSchema {
    word: "disk",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new("size", Type::Size, "How large; 8GiB to 64TiB.").or("\"200GiB\""),
        Attribute::new("iops", Type::Integer, "Operations per second; 3000 to 80000.").or("6000"),
        Attribute::new("throughput", Type::Integer, "MiB per second; 125 to 2000.").or("500"),
        Attribute::new(
            "kms_key",
            Type::String,
            "ARN of the KMS key that encrypts it; without it the account's default does. On spot \
             the role AWSServiceRoleForEC2Spot must be granted the use of it.",
        ),
    ],
    blocks: &[],
    exports: &[],
    doc: "The root disk: gp3, encrypted.",
};

/// The same where less passes through it.
pub(super) const SMALL: BlockSchema = BlockSchema {
    attributes: &[
        LARGE.attributes[0].or("\"50GiB\"; \"100GiB\" with a Deep Learning AMI"),
        LARGE.attributes[1].or("3000"),
        LARGE.attributes[2].or("125"),
        LARGE.attributes[3],
    ],
    ..LARGE
};

/// What the root disk of most images is called.
const DEVICE: &str = "/dev/sda1";

/// Reads it. Its name is the image's own, and it has room for what that holds: EC2 would add
/// another disk under any other name, and makes none that is smaller.
pub(super) fn disk(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    (from, image): (&str, &ImageId),
) -> Disk {
    let written = block.nested("disk").next();
    let known = image_disk(from);
    // Data sets and checkpoints pass through a node; a service has what every gp3 volume has
    // without paying for it.
    let default = match block.word == Block::Service.word() {
        true => (known.map_or(0, |(_, size)| size).max(50), 3000, 125),
        false => (200, 6000, 500),
    };
    let (size, iops, throughput) = match written {
        Some(disk) => (
            x.gib(disk, "size", default.0, 8..=65_536),
            x.integer(disk, "iops", default.1, 3000..=80_000),
            x.integer(disk, "throughput", default.2, 125..=2000),
        ),
        None => default,
    };
    // Behind one name all images call their root disk alike.
    let seen = [Some(image), x.facts.images.get(from)];
    let seen = seen.into_iter().flatten().find_map(|id| x.facts.image_disks.get(id));
    let device = seen.map(|disk| disk.device.clone());
    let device = device.unwrap_or_else(|| known.map_or(DEVICE, |(device, _)| device).to_owned());
    let holds = x.facts.image_disks.get(image).map_or(0, |disk| disk.size);
    if size < holds {
        let problem = format!("{from} does not fit on a disk of {size} GiB");
        let help = format!("write size = \"{holds}GiB\" in its `disk`, or more");
        match written.and_then(|disk| disk.attr("size")) {
            Some(value) => x.check(value, Some(problem), &help),
            None => x.problem(block, problem, &help),
        }
    }
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    Disk {
        device,
        size: number(size),
        volume_type: "gp3".to_owned(),
        iops: Some(number(iops)),
        throughput: Some(number(throughput)),
        encrypted: true,
        kms_key: written.and_then(|disk| kms::key(x, disk)),
    }
}
