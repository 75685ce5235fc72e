//! `mount` in a cluster: folders of its nodes that show a bucket.
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

use crate::kinds::walk;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Piece, Problem, Text};

use super::expansion::{Expansion, flag};

/// The word of the block.
const WORD: &str = "mount";

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: WORD,
    label: Some("the folder on its nodes, such as `/data`"),
    repeats: true,
    attributes: &[
        Attribute::new("from", Type::Reference("bucket"), "What the folder shows.").required(),
        Attribute::new("read_only", Type::Bool, "Its nodes may only read it.").or("false"),
    ],
    blocks: &[],
    exports: &[],
    doc: "A folder on every node that shows a bucket. The nodes' role gets the rights that this \
          needs.",
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
    path: &'b str,
    read_only: bool,
    from: &'b Value,
}

/// The mounts of a cluster, a folder inside another behind it.
fn mounts(block: &Evaluated) -> Vec<Mount<'_>> {
    let read = |inner: &'_ Evaluated| inner.attr("from").is_some();
    let mut all: Vec<Mount<'_>> = block
        .nested(WORD)
        .filter(|inner| read(inner))
        .filter_map(|inner| {
            let (path, from) = (inner.label.as_deref()?, inner.attr("from")?);
            Some(Mount { path, read_only: flag(inner, "read_only", false), from })
        })
        .collect();
    all.sort_by_key(|mount| mount.path);
    all
}

/// Checks the mounts of a cluster.
pub(super) fn check(x: &mut Expansion<'_>, block: &Evaluated) {
    for inner in block.nested(WORD) {
        let path = inner.label.as_deref().unwrap_or_default();
        if let Some((text, help)) = bad_path(path) {
            x.problems.push(Problem::error("S001", text).help(help).at(&inner.span, ""));
        }
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
pub(super) fn buckets(block: &Evaluated) -> (Vec<String>, Vec<String>) {
    let (mut read, mut write) = (Vec::new(), Vec::new());
    for mount in mounts(block) {
        let Some(arn) = export(mount.from, "arn") else { continue };
        if mount.read_only { read.push(arn) } else { write.push(arn) }
    }
    (read, write)
}

fn export(from: &Value, name: &str) -> Option<String> {
    from.block()?.exports.get(name)?.as_str().map(str::to_owned)
}

/// The content of `/etc/mlinfra/mounts`; empty without mounts.
pub(super) fn table(_x: &Expansion<'_>, block: &Evaluated) -> Text {
    let mut pieces = Vec::new();
    for Mount { path, read_only, from } in mounts(block) {
        let how = if read_only { "ro" } else { "rw" };
        let Some(name) = export(from, "name") else { continue };
        pieces.push(Piece::Plain(format!("s3\t{name}\t{path}\t{how}\n")));
    }
    walk::render(pieces, &|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

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
