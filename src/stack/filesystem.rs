//! `filesystem`: FSx for Lustre or EFS, with its firewall and what ties it to a bucket.

use std::collections::BTreeMap;

use crate::kinds::{
    DataRepositoryAssociation, EfsFileSystem, EfsThroughput, Events, LustreFileSystem, MountTarget,
    Peer, Rule, SecurityGroup,
};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, BucketArn, Link, Piece, SubnetId, Zone};

use super::expansion::{Expansion, flag, precious, tags_of};
use super::names::Here;
use super::{kms, network};

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "filesystem",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "type",
            Type::OneOf(&["lustre", "efs"]),
            "`lustre`: FSx for Lustre, fast, of a fixed size, in one zone. `efs`: grows and \
             shrinks by itself, in every zone.",
        )
        .required(),
        Attribute::new("network", Type::Reference("network"), "Where it stands.").required(),
        Attribute::new(
            "size",
            Type::Size,
            "Of Lustre, which must have one: 1200GiB, 2400GiB or a multiple of that. It grows \
             in place and never shrinks.",
        ),
        Attribute::new("zone", Type::String, "Of Lustre: the letter of its zone.")
            .or("the first zone of the network"),
        Attribute::new(
            "deployment",
            Type::OneOf(&["persistent-2", "persistent-1", "scratch-2"]),
            "Of Lustre: persistent ones repair themselves; scratch is for data that is also \
             elsewhere, and is lost with a server.",
        )
        .or("\"persistent-2\""),
        Attribute::new(
            "throughput",
            Type::Integer,
            "Of persistent Lustre: MB per second and TiB (125, 250, 500, 1000; on persistent-1 50, \
             100, 200). Of EFS: MiB per second that are always there, for a price of their own.",
        )
        .or("the least of Lustre; what is used on EFS"),
        Attribute::new("compression", Type::OneOf(&["lz4", "none"]), "Of Lustre.").or("\"lz4\""),
        Attribute::new(
            "import",
            Type::Reference("bucket"),
            "Of Lustre: a bucket whose objects are its files. Objects that come, change or go \
             later follow by themselves.",
        ),
        Attribute::new(
            "export",
            Type::Reference("bucket"),
            "Of Lustre: a bucket that gets what is written, changed or deleted. With `import`, \
             the same one.",
        ),
        Attribute::new(
            "infrequent_after",
            Type::Duration,
            "Of EFS: files that nobody used for so long move to cheaper storage, which costs more \
             to read: 1, 7, 14, 30, 60, 90, 180, 270 or 365 days.",
        ),
        Attribute::new(
            "backup",
            Type::Bool,
            "Of EFS: AWS Backup copies it every day, for a price \
             of its own.",
        )
        .or("false"),
        kms::ATTRIBUTE,
        Attribute::new(
            "precious",
            Type::Bool,
            "Refuse to delete or replace it, whatever it holds. `precious = false` in its \
             `lifecycle` says the same.",
        )
        .or("true, except scratch"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[],
    exports: &[
        Export { name: "id", doc: "Its id." },
        Export { name: "dns_name", doc: "The name under which it is mounted." },
        Export { name: "security_group_id", doc: "The id of its security group." },
    ],
    doc: "A file system that many nodes share: encrypted, in private subnets. Its firewall lets \
          in the clusters that mount it.",
};

/// Attributes that only Lustre has.
const LUSTRE_ONLY: [&str; 6] = ["size", "zone", "deployment", "compression", "import", "export"];

/// Attributes that only EFS has.
const EFS_ONLY: [&str; 2] = ["infrequent_after", "backup"];

/// Days after which EFS can move files
/// (<https://docs.aws.amazon.com/efs/latest/ug/API_LifecyclePolicy.html>).
const EFS_DAYS: [u32; 9] = [1, 7, 14, 30, 60, 90, 180, 270, 365];

/// Lustre's ports (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html>).
pub(super) const LUSTRE_PORTS: [(i32, i32); 2] = [(988, 988), (1018, 1023)];

/// NFS's port.
pub(super) const EFS_PORTS: [(i32, i32); 1] = [(2049, 2049)];

/// The version that AWS recommends for all; the default (2.10) knows no associations.
const LUSTRE_VERSION: &str = "2.15";

fn is_lustre(block: &Evaluated) -> bool {
    block.attr("type").and_then(Value::as_str) != Some("efs")
}

/// What can be read from it.
pub(super) fn exports(here: &Here, block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    let service = if is_lustre(block) { "fsx" } else { "efs" };
    let suffix = if here.home.partition() == "aws-cn" { ".cn" } else { "" };
    let tail = format!(".{service}.{}.amazonaws.com{suffix}", here.home.region);
    BTreeMap::from([
        ("id".to_owned(), Value::id_of(address.clone())),
        (
            "dns_name".to_owned(),
            Value::pieces(vec![Piece::Id(address.clone()), Piece::Plain(tail)]),
        ),
        ("security_group_id".to_owned(), Value::id_of(address.with_part("group"))),
    ])
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let Some(network) = block.attr("network").and_then(Value::address).cloned() else { return };
    let Some(zones) = x.networks.get(&network).cloned() else { return };
    let lustre = is_lustre(block);
    group(x, block, &address, (&network, lustre));
    let foreign: &[&str] = if lustre { &EFS_ONLY } else { &LUSTRE_ONLY };
    for name in foreign {
        if let Some(value) = block.attr(name) {
            let (this, other) = if lustre { ("Lustre", "efs") } else { ("EFS", "lustre") };
            let help = format!("leave it out, or write type = {other:?}");
            x.check(value, Some(format!("{this} has no {name}")), &help);
        }
    }
    if lustre {
        let Some(zone) = zone(x, block, &zones) else { return };
        let subnet = Link::To(network::private_subnet(&network, zone));
        let spec = lustre_file_system(x, block, &address, subnet);
        x.desired.specs.insert(address.clone(), spec.into());
        association(x, block, &address);
        return;
    }
    let spec = efs_file_system(x, block, &address, (&network, &zones));
    x.desired.specs.insert(address, spec.into());
}

/// The letter of the zone of a Lustre file system.
fn zone(x: &mut Expansion<'_>, block: &Evaluated, zones: &[Zone]) -> Option<char> {
    let Some(written) = block.attr("zone") else { return zones.first()?.letter() };
    let letter = written.as_str()?;
    let found = zones.iter().filter_map(Zone::letter).find(|open| letter == open.to_string());
    let problem = format!("the network has no zone {letter:?}");
    let help = format!("its zones are {}", network::letters(zones));
    x.check(written, found.is_none().then_some(problem), &help);
    found
}

fn group(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    (network, lustre): (&Address, bool),
) {
    let at = address.with_part("group");
    let itself = |ports| rule(ports, Peer::Itself, "between its servers");
    let ingress = if lustre { LUSTRE_PORTS.into_iter().map(itself).collect() } else { Vec::new() };
    // Targets of EFS only answer.
    let anywhere = Rule::all(Peer::Cidr("0.0.0.0/0".to_owned()), "to anywhere");
    let origin = x.here.origin(&at).owner().to_tag();
    let spec = SecurityGroup {
        name: x.here.name(&at, "-storage", 240),
        description: format!("Storage of {origin} in stack {}", x.here.stack),
        vpc: Link::To(network.with_part("vpc")),
        ingress,
        egress: lustre.then_some(anywhere).into_iter().collect(),
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// TCP on some ports.
pub(super) fn rule(ports: (i32, i32), peer: Peer, description: &str) -> Rule {
    let (protocol, description) = ("tcp".to_owned(), description.to_owned());
    Rule { protocol, ports: Some(ports), peer, description }
}

fn lustre_file_system(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    subnet: Link<SubnetId>,
) -> LustreFileSystem {
    let deployment = block.attr("deployment").and_then(Value::as_str).unwrap_or("persistent-2");
    let scratch = deployment == "scratch-2";
    let (deployment, speeds): (&str, &[u32]) = match deployment {
        "scratch-2" => ("SCRATCH_2", &[]),
        "persistent-1" => ("PERSISTENT_1", &[50, 100, 200]),
        _ => ("PERSISTENT_2", &[125, 250, 500, 1000]),
    };
    let compression = block.attr("compression").and_then(Value::as_str) != Some("none");
    if let Some(written) = block.attr("kms_key") {
        // https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html
        let problem = scratch.then(|| "scratch-2 is encrypted with a key of FSx's own".to_owned());
        x.check(written, problem, "leave the key out, or choose a persistent deployment");
    }
    LustreFileSystem {
        subnet,
        groups: vec![Link::To(address.with_part("group"))],
        deployment: deployment.to_owned(),
        version: LUSTRE_VERSION.to_owned(),
        size: lustre_size(x, block),
        throughput: lustre_speed(x, block, speeds),
        compression: if compression { "LZ4" } else { "NONE" }.to_owned(),
        kms_key: kms::key(x, block),
        precious: precious(block, !scratch),
        tags: tags_of(x, address, block),
    }
}

fn lustre_size(x: &mut Expansion<'_>, block: &Evaluated) -> u32 {
    let Some(written) = block.attr("size") else {
        let help = "write size = \"1200GiB\", \"2400GiB\" or a multiple of that";
        x.problem(block, "a Lustre file system has a size".to_owned(), help);
        return 1200;
    };
    let size = written.gib().and_then(|size| u32::try_from(size).ok());
    let fits = |size: &u32| *size == 1200 || (*size > 0 && size.is_multiple_of(2400));
    if let Some(size) = size.filter(|size| !fits(size)) {
        let next = size.div_ceil(2400) * 2400;
        let problem = format!("Lustre does not come in {size} GiB");
        let help = format!("write \"1200GiB\", \"2400GiB\" or a multiple of that: \"{next}GiB\"");
        x.check(written, Some(problem), &help);
    }
    size.unwrap_or(1200)
}

fn lustre_speed(x: &mut Expansion<'_>, block: &Evaluated, speeds: &[u32]) -> Option<u32> {
    let Some(written) = block.attr("throughput") else { return speeds.first().copied() };
    let speed = written.as_u64().and_then(|speed| u32::try_from(speed).ok())?;
    let listed: Vec<String> = speeds.iter().map(u32::to_string).collect();
    let (problem, help) = match speeds {
        [] => {
            let help = "leave it out: scratch-2 has 200 MB/s and TiB".to_owned();
            (Some("the throughput of scratch-2 cannot be chosen".to_owned()), help)
        }
        speeds => {
            let problem = format!("there is no throughput of {speed} MB/s and TiB");
            let help = format!("this deployment has {}", listed.join(", "));
            ((!speeds.contains(&speed)).then_some(problem), help)
        }
    };
    x.check(written, problem, &help);
    Some(speed)
}

/// What ties it to a bucket.
fn association(x: &mut Expansion<'_>, block: &Evaluated, address: &Address) {
    let bucket = |name: &str| block.attr(name).and_then(bucket);
    let (import, export) = (bucket("import"), bucket("export"));
    if let (Some(written), Some(from), Some(to)) = (block.attr("export"), &import, &export) {
        let problem = "a file system exports to the bucket that it imports from".to_owned();
        let help = "name the same bucket twice, or use another file system for the other one";
        x.check(written, (from != to).then_some(problem), help);
    }
    let all = |wanted: bool| {
        let events: &[&str] = if wanted { &["NEW", "CHANGED", "DELETED"] } else { &[] };
        events.iter().map(|event| (*event).to_owned()).collect()
    };
    let events = Events { import: all(import.is_some()), export: all(export.is_some()) };
    let Some(bucket) = import.or(export) else { return };
    let at = address.with_part("association");
    let spec = DataRepositoryAssociation {
        file_system: Link::To(address.clone()),
        path: "/".to_owned(),
        bucket,
        events,
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// A bucket of the stack, or one that exists already.
fn bucket(value: &Value) -> Option<Link<BucketArn>> {
    if let Some(address) = value.address() {
        return Some(Link::To(address.clone()));
    }
    let arn = value.block()?.exports.get("arn")?.as_str()?;
    Some(Link::Id(BucketArn::from(arn)))
}

fn efs_file_system(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    (network, zones): (&Address, &[Zone]),
) -> EfsFileSystem {
    let provisioned = block.attr("throughput").map(|_| x.integer(block, "throughput", 1, 1..=3414));
    let mode = if provisioned.is_some() { "provisioned" } else { "elastic" };
    let target = |zone: &Zone| {
        let subnet = Link::To(network::private_subnet(network, zone.letter()?));
        Some(MountTarget { subnet, groups: vec![Link::To(address.with_part("group"))] })
    };
    EfsFileSystem {
        throughput: EfsThroughput { mode: mode.to_owned(), provisioned },
        encrypted: true,
        kms_key: kms::key(x, block),
        infrequent_after: infrequent_after(x, block),
        backup: flag(block, "backup", false),
        targets: zones.iter().filter_map(target).collect(),
        precious: precious(block, true),
        tags: tags_of(x, address, block),
    }
}

/// After how many days files move to infrequent access.
fn infrequent_after(x: &mut Expansion<'_>, block: &Evaluated) -> Option<u32> {
    let written = block.attr("infrequent_after")?;
    let seconds = written.seconds()?;
    let days = u32::try_from(seconds / 86_400).unwrap_or(u32::MAX);
    let fits = seconds % 86_400 == 0 && EFS_DAYS.contains(&days);
    let problem = (!fits).then(|| "EFS does not move files after that time".to_owned());
    let listed: Vec<String> = EFS_DAYS.iter().map(|days| format!("\"{days}d\"")).collect();
    x.check(written, problem, &format!("write one of {}", listed.join(", ")));
    Some(days)
}
