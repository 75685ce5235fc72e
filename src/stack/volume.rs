//! `volume`: an EBS volume that outlives the nodes that attach it.

use std::collections::BTreeMap;

use crate::kinds::{Provisioned, Volume};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::Zone;

use super::expansion::{Expansion, flag, precious, tags_of};
use super::{kms, network};

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "volume",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "size",
            Type::Size,
            "How large; up to 64TiB. It grows in place and never shrinks.",
        )
        .required(),
        Attribute::new(
            "zone",
            Type::String,
            "The letter of its zone: only nodes there can mount it.",
        )
        .required(),
        Attribute::new("type", Type::OneOf(&["gp3", "io2"]), "What it is.").or("\"gp3\""),
        Attribute::new(
            "iops",
            Type::Integer,
            "Operations per second: 3000 to 80000 on gp3, 100 to 256000 on io2. AWS takes one \
             modification of a volume at a time, and few in a day: change all that is to change \
             at once.",
        )
        .or("3000"),
        Attribute::new("throughput", Type::Integer, "MiB per second on gp3; 125 to 2000.")
            .or("125"),
        Attribute::new("snapshot", Type::String, "The id of a snapshot whose data it begins with."),
        Attribute::new("encrypted", Type::Bool, "Encrypted at rest.").or("true"),
        kms::ATTRIBUTE,
        Attribute::new(
            "precious",
            Type::Bool,
            "Refuse to delete or replace it, whatever it holds. `precious = false` in its \
             `lifecycle` says the same.",
        )
        .or("true"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[],
    exports: &[Export { name: "id", doc: "Its id." }],
    doc: "An EBS volume: encrypted, in one zone. It stays when nodes go, and a cluster of one \
          node mounts it.",
};

/// What can be read from it.
pub(super) fn exports(block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    BTreeMap::from([("id".to_owned(), Value::id_of(address.clone()))])
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let provisioned = provisioned(x, block);
    let zone = zone(x, block);
    let snapshot = block.attr("snapshot").and_then(Value::as_str).map(str::to_owned);
    if let (Some(written), Some(id)) = (block.attr("snapshot"), &snapshot) {
        let problem = (!id.starts_with("snap-")).then(|| format!("{id:?} is no id of a snapshot"));
        x.check(written, problem, "write one, such as \"snap-0123456789abcdef0\"");
    }
    let (encrypted, kms_key) = (flag(block, "encrypted", true), kms::key(x, block));
    if let Some(written) = block.attr("kms_key").filter(|_| !encrypted) {
        let problem = Some("a volume with a key is encrypted".to_owned());
        x.check(written, problem, "leave out encrypted = false, or the key");
    }
    let Some(zone) = zone else { return };
    let spec = Volume {
        zone,
        provisioned,
        encrypted,
        kms_key,
        snapshot,
        precious: precious(block, true),
        tags: tags_of(x, &address, block),
    };
    x.desired.specs.insert(address, spec.into());
}

/// An open zone by its letter.
pub(super) fn zone(x: &mut Expansion<'_>, block: &Evaluated) -> Option<Zone> {
    let written = block.attr("zone")?;
    let letter = written.as_str()?;
    let zone = Zone(format!("{}{letter}", x.here.home.region));
    if letter.len() == 1 && x.facts.zones.contains(&zone) {
        return Some(zone);
    }
    let problem = format!("{} has no open zone {letter:?}", x.here.home.region);
    let help = format!("its zones are {}", network::letters(&x.facts.zones));
    x.check(written, Some(problem), &help);
    None
}

/// Size and speed, within what AWS allows and in the proportions that it allows
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>).
fn provisioned(x: &mut Expansion<'_>, block: &Evaluated) -> Provisioned {
    let io2 = block.attr("type").and_then(Value::as_str) == Some("io2");
    let size = x.gib(block, "size", 1, if io2 { 4..=65_536 } else { 1..=65_536 });
    let iops = x.integer(block, "iops", 3000, if io2 { 100..=256_000 } else { 3000..=80_000 });
    let throughput = x.integer(block, "throughput", 125, 125..=2000);
    if let Some(written) = block.attr("throughput") {
        let problem = "throughput is a matter of gp3".to_owned();
        let help = "leave it out: that of io2 follows from its iops";
        x.check(written, io2.then_some(problem), help);
    }
    let most = size.saturating_mul(if io2 { 1000 } else { 500 }).max(3000);
    if let Some(written) = block.attr("iops") {
        let problem = (iops > most).then(|| format!("{size} GiB take at most {most} iops"));
        x.check(written, problem, "make the volume larger, or ask for fewer iops");
    }
    // A quarter of a MiB with every operation.
    let fits = throughput <= iops / 4 || throughput == 125;
    if let Some(written) = block.attr("throughput").filter(|_| !io2) {
        let problem = (!fits).then(|| format!("{iops} iops carry at most {} MiB/s", iops / 4));
        x.check(written, problem, "ask for more iops, or for less throughput");
    }
    let (volume_type, throughput) = if io2 { ("io2", None) } else { ("gp3", Some(throughput)) };
    Provisioned { size, volume_type: volume_type.to_owned(), iops: Some(iops), throughput }
}
