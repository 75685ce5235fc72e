//! `mount` in a cluster: folders of its nodes that show a bucket, a file system or a volume.
//!
//! What is mounted where reaches a node as data: `/etc/mlinfra/mounts`, written by
//! [`super::machine`] from [`table`], read by whatever mounts on the node. A line is one
//! mount, its fields are separated by tabs, and a folder inside another comes behind it:
//!
//! | kind | what | where | how |
//! |---|---|---|---|
//! | `s3` | the bucket's name | folder | `ro` or `rw` |
//! | `lustre` | the file system's id | folder | `ro` or `rw` |
//! | `efs` | the file system's id | folder | `ro` or `rw` |
//! | `ebs` | the volume's id | folder | `ro` or `rw` |
//!
//! A Lustre file system is mounted by two names. The first follows from its id
//! (`<id>.fsx.<region>.amazonaws.com`), the second (`LustreConfiguration.MountName`) is chosen
//! by AWS and known only once the file system exists. So the line carries the id alone, and
//! the node asks `fsx:DescribeFileSystems`, which its role then allows. EFS's name follows from
//! the id (`<id>.efs.<region>.amazonaws.com`, NFS 4.1). A volume is attached by the node itself
//! (`ec2:AttachVolume`), and gets a file system only when it has none.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::kinds::{Peer, Rule, SecurityGroup, Spec, Volume, walk};
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Piece, Problem, Text, tags};

use super::expansion::{Expansion, flag};
use super::filesystem::{EFS_PORTS, LUSTRE_PORTS, rule};
use super::ground::Ground;

/// The word of the block.
const WORD: &str = "mount";

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: WORD,
    label: Some("the folder on its nodes, such as `/data`"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "from",
            Type::Either(&[
                Type::Reference("bucket"),
                Type::Reference("filesystem"),
                Type::Reference("volume"),
            ]),
            "What the folder shows: a bucket, a file system in the same network, or, in a cluster \
             of one node, a volume in its zone.",
        )
        .required(),
        Attribute::new("read_only", Type::Bool, "Its nodes may only read it.").or("false"),
    ],
    blocks: &[],
    exports: &[],
    doc: "A folder on every node that shows a bucket, a file system or a volume. The role of the \
          nodes gets the rights that this needs, the firewalls the rules.",
};

/// First parts of paths that belong to the machine as a whole.
const SYSTEM: [&str; 13] = [
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys",
    "usr",
];

/// Folders that hold what the machine needs; others inside of them may be mounted over.
const KEPT: [&str; 4] = ["/opt", "/root", "/tmp", "/var"];

/// One mount, as far as it is known.
struct Mount<'b> {
    block: &'b Evaluated,
    path: &'b str,
    read_only: bool,
    source: Source,
}

/// What a folder shows.
enum Source {
    Bucket { name: String, arn: String },
    Lustre(Address),
    Efs(Address),
    Volume(Address, Box<Volume>),
}

/// The mounts of a cluster, a folder inside another behind it.
fn mounts<'b>(x: &Expansion<'_>, block: &'b Evaluated) -> Vec<Mount<'b>> {
    let read = |block: &'b Evaluated| {
        let (path, source) = (block.label.as_deref()?, source(x, block.attr("from")?)?);
        Some(Mount { block, path, read_only: flag(block, "read_only", false), source })
    };
    let mut all: Vec<Mount<'_>> = block.nested(WORD).filter_map(read).collect();
    all.sort_by_key(|mount| mount.path);
    all
}

/// None when that is not known, or is wrong itself.
fn source(x: &Expansion<'_>, from: &Value) -> Option<Source> {
    let export = |name: &str| from.block()?.exports.get(name)?.as_str().map(str::to_owned);
    if from.block()?.word == "bucket" {
        return Some(Source::Bucket { name: export("name")?, arn: export("arn")? });
    }
    let address = from.address()?.clone();
    let spec = x.desired.specs.get(&address)?;
    if let Spec::Volume(volume) = spec {
        return Some(Source::Volume(address, Box::new(volume.clone())));
    }
    Some(if let Spec::EfsFileSystem(_) = spec {
        Source::Efs(address)
    } else {
        Source::Lustre(address)
    })
}

/// Whether a block mounts anything.
pub(super) fn any(block: &Evaluated) -> bool {
    block.nested(WORD).next().is_some()
}

/// Whether what a block mounts has one node at a time.
pub(super) fn alone(x: &Expansion<'_>, block: &Evaluated) -> bool {
    mounts(x, block).iter().any(|mount| matches!(mount.source, Source::Volume(..)))
}

/// Whether a block mounts something at a folder.
pub(super) fn takes(block: &Evaluated, path: &str) -> bool {
    block.nested(WORD).any(|mount| mount.label.as_deref() == Some(path))
}

/// What must stand before the nodes boot.
pub(super) fn before(x: &Expansion<'_>, block: &Evaluated) -> BTreeSet<Address> {
    let owners: BTreeSet<Address> = mounts(x, block)
        .into_iter()
        .filter_map(|mount| match mount.source {
            Source::Bucket { .. } => None,
            Source::Lustre(at) | Source::Efs(at) | Source::Volume(at, _) => Some(at),
        })
        .collect();
    let of_them = |at: &Address| x.desired.specs.range(at.clone()..).map(|(at, _)| at.clone());
    owners.iter().flat_map(|owner| of_them(owner).take_while(|at| at.owner() == *owner)).collect()
}

/// Checks the mounts of a cluster, and opens the firewalls of file systems to its nodes.
pub(super) fn join(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    ground: Option<&Ground>,
) {
    for inner in block.nested(WORD) {
        if let Some((text, help)) = bad_path(inner.label.as_deref().unwrap_or_default()) {
            x.problem(inner, text, help);
        }
    }
    for mount in mounts(x, block) {
        match &mount.source {
            Source::Bucket { .. } => {}
            Source::Lustre(file_system) => {
                if in_network(x, &mount, file_system, ground) {
                    open(x, file_system, address, &LUSTRE_PORTS);
                    answer(x, block, address);
                }
            }
            Source::Efs(file_system) => {
                if in_network(x, &mount, file_system, ground) {
                    open(x, file_system, address, &EFS_PORTS);
                }
            }
            Source::Volume(at, volume) => attached(x, (block, address), &mount, (at, volume)),
        }
    }
}

/// The firewall at an address.
fn firewall<'x>(x: &'x mut Expansion<'_>, at: &Address) -> Option<&'x mut SecurityGroup> {
    let spec = x.desired.specs.get_mut(at)?;
    if let Spec::SecurityGroup(group) = spec { Some(group) } else { None }
}

fn admit(group: &mut SecurityGroup, rules: impl IntoIterator<Item = Rule>) {
    for rule in rules {
        if !group.ingress.contains(&rule) {
            group.ingress.push(rule);
        }
    }
    group.ingress.sort();
}

/// Lets nodes in.
fn open(x: &mut Expansion<'_>, file_system: &Address, cluster: &Address, ports: &[(i32, i32)]) {
    let why = format!("from {}", x.here.origin(&cluster.with_part("group")).owner().to_tag());
    let nodes = Peer::Group(Link::To(cluster.with_part("group")));
    if let Some(group) = firewall(x, &file_system.with_part("group")) {
        admit(group, ports.iter().map(|ports| rule(*ports, nodes.clone(), &why)));
    }
}

/// Lustre's servers also call their clients. Naming their group in the nodes' would be a
/// circle of two groups that name each other, so the network's addresses stand for it.
fn answer(x: &mut Expansion<'_>, block: &Evaluated, cluster: &Address) {
    let network = block.attr("network").and_then(Value::block);
    let Some(cidr) = network.and_then(|network| network.exports.get("cidr")?.as_str()) else {
        return;
    };
    let servers = Peer::Cidr(cidr.to_owned());
    if let Some(group) = firewall(x, &cluster.with_part("group")) {
        let rules = LUSTRE_PORTS.iter().map(|ports| rule(*ports, servers.clone(), "from Lustre"));
        admit(group, rules);
    }
}

/// Whether a file system stands in the cluster's network; a problem otherwise.
fn in_network(
    x: &mut Expansion<'_>,
    mount: &Mount<'_>,
    file_system: &Address,
    ground: Option<&Ground>,
) -> bool {
    let Some(ground) = ground else { return false };
    let stands = firewall(x, &file_system.with_part("group")).map(|group| group.vpc.clone());
    if stands.is_none_or(|vpc| vpc == ground.vpc()) {
        return true;
    }
    let text = format!("{file_system} stands in another network than the cluster");
    x.problem(mount.block, text, "let both name the same network");
    false
}

/// A volume is attached by one node at a time, in its zone.
fn attached(
    x: &mut Expansion<'_>,
    (block, cluster): (&Evaluated, &Address),
    mount: &Mount<'_>,
    (at, volume): (&Address, &Volume),
) {
    let problem = |text: String, help: &str| {
        Problem::error("S001", text).help(help).at(&mount.block.span, "")
    };
    let nodes = block.attr("nodes").and_then(Value::as_u64);
    if nodes.is_some_and(|nodes| nodes > 1) {
        let help = "a volume has one node at a time: share a filesystem or a bucket instead";
        x.problems.push(problem(format!("{at} cannot be mounted by several nodes"), help));
    }
    let letter = volume.zone.letter().map(String::from).unwrap_or_default();
    let zones = block.attr("zones").and_then(Value::as_list);
    let known = zones.is_none_or(|zones| !zones.iter().any(Value::holds_unknown));
    let same = zones.is_some_and(|zones| {
        !zones.is_empty() && zones.iter().all(|zone| zone.as_str() == Some(&letter))
    });
    if known && !same {
        let help = format!("write zones = [{letter:?}] in the cluster");
        x.problems.push(problem(format!("{at} stands in zone {letter:?} alone"), &help));
    }
    if let Some(other) = x.attached.insert(at.clone(), cluster.clone()) {
        let help = "a volume has one node at a time: remove one of the two mounts";
        x.problems.push(problem(format!("{other} mounts {at} already"), help));
    }
}

/// What is wrong with the folder of a mount, and what to write instead.
fn bad_path(path: &str) -> Option<(String, &'static str)> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let Some(inside) = path.strip_prefix('/') else {
        return Some((format!("{path:?} is no absolute path"), "write one, such as \"/data\""));
    };
    let mut parts = inside.split('/');
    if parts.clone().any(|part| part.is_empty() || part.starts_with('.') || !part.chars().all(fine))
    {
        let help =
            "write it as \"/data\" or \"/data/images\", of letters, digits, dots, dashes and _";
        return Some((format!("{path:?} is no plain path of a folder"), help));
    }
    let system = parts.next().is_some_and(|first| SYSTEM.contains(&first));
    let help = "mount it elsewhere, such as at \"/data\"";
    (system || KEPT.contains(&path)).then(|| (format!("{path:?} belongs to the machine"), help))
}

/// The ARNs of buckets that the nodes may read, and that they may write.
pub(super) fn buckets(x: &Expansion<'_>, block: &Evaluated) -> (Vec<String>, Vec<String>) {
    let (mut read, mut write) = (Vec::new(), Vec::new());
    for mount in mounts(x, block) {
        let Source::Bucket { arn, .. } = mount.source else { continue };
        if mount.read_only { read.push(arn) } else { write.push(arn) }
    }
    (read, write)
}

/// What the nodes may do besides, as statements of a policy.
pub(super) fn statements(x: &Expansion<'_>, block: &Evaluated) -> Vec<Json> {
    let Some(cluster) = &block.address else { return Vec::new() };
    let (mut lustre, mut volumes) = (false, BTreeSet::new());
    for mount in mounts(x, block) {
        match mount.source {
            Source::Bucket { .. } | Source::Efs(_) => {}
            Source::Lustre(_) => lustre = true,
            Source::Volume(at, _) => drop(volumes.insert(at.to_tag())),
        }
    }
    let mut out = Vec::new();
    if lustre {
        // What describes takes no resource.
        let describe = "fsx:DescribeFileSystems";
        out.push(json!({ "Effect": "Allow", "Action": [describe], "Resource": "*" }));
    }
    if !volumes.is_empty() {
        let describe = "ec2:DescribeVolumes";
        out.push(json!({ "Effect": "Allow", "Action": [describe], "Resource": "*" }));
        // By tags: ids are known too late, and would let nobody else's object in by mistake.
        let nodes = BTreeSet::from([cluster.with_part("nodes").to_tag()]);
        for (kind, addresses) in [("volume", volumes), ("instance", nodes)] {
            let stack = (format!("aws:ResourceTag/{}", tags::STACK), json!(x.here.stack));
            let address = (format!("aws:ResourceTag/{}", tags::ADDRESS), json!(addresses));
            let same: serde_json::Map<String, Json> = [stack, address].into_iter().collect();
            out.push(json!({
                "Effect": "Allow",
                "Action": ["ec2:AttachVolume", "ec2:DetachVolume"],
                "Resource": x.here.home.arn("ec2", &format!("{kind}/*")),
                "Condition": { "StringEquals": same },
            }));
        }
    }
    out
}

/// The content of `/etc/mlinfra/mounts`; empty without mounts.
pub(super) fn table(x: &Expansion<'_>, block: &Evaluated) -> Text {
    let mut pieces = Vec::new();
    for Mount { path, read_only, source, .. } in mounts(x, block) {
        let (kind, what) = match source {
            Source::Bucket { name, .. } => ("s3", Piece::Plain(name)),
            Source::Lustre(at) => ("lustre", Piece::Id(at)),
            Source::Efs(at) => ("efs", Piece::Id(at)),
            Source::Volume(at, _) => ("ebs", Piece::Id(at)),
        };
        let how = if read_only { "ro" } else { "rw" };
        pieces.push(Piece::Plain(format!("{kind}\t")));
        pieces.push(what);
        pieces.push(Piece::Plain(format!("\t{path}\t{how}\n")));
    }
    walk::render(pieces, &|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Facts;
    use crate::kinds::{Home, Role};
    use crate::lang::{self, File, Vars};
    use crate::model::Zone;
    use crate::stack::{Desired, Pins, Words, expand};

    fn desired(text: &str) -> Desired {
        let head = "stack \"s\" {\n  region = \"us-east-1\"\n}\nnetwork \"n\" {}\n";
        let file = File { name: "main.hcl".to_owned(), text: format!("{head}{text}") };
        let home = Home { account: "123456789012".into(), region: "us-east-1".into() };
        let words = Words { account: Some(home.account.clone()), ..Words::default() };
        let loaded = lang::load(&[file], &Vars::new(), &words, None);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let mut facts = Facts::bare(home);
        facts.zones = ["us-east-1a", "us-east-1b"].map(Zone::from).to_vec();
        facts.images.insert("dlami-base".to_owned(), "ami-1".into());
        facts.offerings.insert("g5.xlarge".to_owned(), facts.zones.iter().cloned().collect());
        expand(&loaded, &facts, &Pins::default()).expect("a stack")
    }

    const HEAD: &str = "cluster \"c\" {\n  network = network.n\n  instance_type = \"g5.xlarge\"\n  \
        nodes = 1\n  zones = [\"a\"]\n";

    fn role(desired: &Desired) -> Role {
        let at = Address::from_tag("cluster.c/role").expect("an address");
        let Some(Spec::Role(role)) = desired.specs.get(&at) else { panic!("no role") };
        role.clone()
    }

    #[test]
    fn a_node_may_attach_its_volumes_and_no_others() {
        let desired = desired(&format!(
            "volume \"v\" {{\n  size = \"1GiB\"\n  zone = \"a\"\n}}\n{HEAD}  \
             mount \"/v\" {{\n    from = volume.v\n  }}\n}}\n"
        ));
        let policies = role(&desired).policies;
        let document: Json =
            serde_json::from_str(policies[0].document.known().expect("known")).expect("JSON");
        let same = |address: &str| {
            json!({ "StringEquals": {
                "aws:ResourceTag/mlinfra:stack": "s",
                "aws:ResourceTag/mlinfra:address": [address],
            }})
        };
        let condition = |kind: &str| {
            let all = document["Statement"].as_array().expect("a list");
            let resource = format!("arn:aws:ec2:us-east-1:123456789012:{kind}/*");
            let attach = json!(["ec2:AttachVolume", "ec2:DetachVolume"]);
            let found = all
                .iter()
                .find(|one| one["Resource"] == resource.as_str() && one["Action"] == attach);
            found.expect("a statement")["Condition"].clone()
        };
        assert_eq!(condition("volume"), same("volume.v"));
        assert_eq!(condition("instance"), same("cluster.c/nodes"));
    }

    #[test]
    fn what_is_mounted_stands_before_the_nodes() {
        let desired = desired(&format!(
            "bucket \"b\" {{}}\nfilesystem \"f\" {{\n  type = \"lustre\"\n  size = \"1200GiB\"\n  \
             network = network.n\n  export = bucket.b\n}}\n{HEAD}  \
             mount \"/f\" {{\n    from = filesystem.f\n  }}\n}}\n"
        ));
        let nodes = Address::from_tag("cluster.c/nodes").expect("an address");
        let before: Vec<String> = desired.after[&nodes].iter().map(Address::to_tag).collect();
        for part in ["filesystem.f", "filesystem.f/association", "filesystem.f/group"] {
            assert!(before.iter().any(|at| at == part), "{part}: {before:?}");
        }
        let policies = role(&desired).policies;
        assert!(policies[0].document.known().expect("known").contains("fsx:DescribeFileSystems"));
    }

    #[test]
    fn folders_of_the_machine_stay_free() {
        for path in ["/data", "/mnt/a", "/home", "/opt/models", "/var/lib/data", "/a.b/c_d-e"] {
            assert_eq!(bad_path(path), None, "{path}");
        }
        for path in [
            "",
            "/",
            "data",
            "./data",
            "/data/",
            "//data",
            "/a/../b",
            "/a b",
            "/a\tb",
            "/etc",
            "/etc/x",
            "/usr/local",
            "/var",
            "/tmp",
            "/opt",
            "/proc/x",
            "/dev/shm",
            "/a/.ssh",
        ] {
            assert!(bad_path(path).is_some(), "{path:?}");
        }
    }
}
