//! The machine of a node: what cloud-init makes of it at its first boot.
//!
//! User data is one cloud-config. The scripts in it are the `.sh` files beside this one,
//! without their comments; everything of the author's is data to them. Another text is
//! another template and so other nodes: what is rendered depends on the block alone, and
//! what depends on the instance type (how many GPUs there must be) is a tag of the launch.

mod access;
mod agent;
mod config;
mod far;
mod service;

use crate::kinds::{Metadata, Rule, packed};
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Block, Encoder, Piece, Text};

use super::expansion::{Expansion, flag};
use super::mounts;
use super::need::Hardware;
use config::{Config, pieces};
use service::Service;

pub(super) use agent::arn as agent_arn;
pub(super) use service::{CONTAINER, HEALTH, Secret, UNIT, patience, run, secrets};

/// EC2's limit for user data, before base64
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>).
const LONGEST: usize = 16_384;

/// Where the scripts stand on a node.
const LIB: &str = "/usr/local/lib/mlinfra";

/// The disks of a node.
pub(super) const SCRATCH: BlockSchema = BlockSchema {
    word: "scratch",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new("path", Type::String, "Where it is mounted.")
            .or("\"/scratch\"; `\"/local\"` where a `mount` stands there"),
        Attribute::new(
            "fs",
            Type::OneOf(&["xfs", "ext4", "none"]),
            "Its file system; `none` leaves the disks alone.",
        )
        .or("\"xfs\""),
    ],
    blocks: &[],
    exports: &[],
    doc: "The local NVMe disks of a node, several as RAID-0, where its type has some: fast, and \
          gone with the node. Jobs find the path in `MLINFRA_SCRATCH`.",
};

/// Who may log in.
pub(super) const ACCESS: BlockSchema = access::SCHEMA;

/// How a node tells how it is.
pub(super) const AGENT: BlockSchema = agent::SCHEMA;

/// One of our scripts.
type Script = (&'static str, &'static str);

const ALWAYS: [Script; 4] = [
    ("check", include_str!("check.sh")),
    ("imds", include_str!("imds.sh")),
    ("state", include_str!("state.sh")),
    ("tag", include_str!("tag.sh")),
];
const BOOT: &str = include_str!("boot.sh");
const PACKAGES: Script = ("packages", include_str!("packages.sh"));
const DISKS: Script = ("scratch", include_str!("scratch.sh"));
const MOUNTS: Script = ("mounts", include_str!("mounts.sh"));
const CLI: Script = ("cli", include_str!("cli.sh"));
const S3: Script = ("s3", include_str!("s3.sh"));
const CONTAINERS: Script = ("containers", include_str!("containers.sh"));
const EFA: Script = ("efa", include_str!("efa.sh"));
const FETCH: Script = ("agent", include_str!("agent.sh"));
const AGENT_UNIT: &str = include_str!("mlinfra-node.service");

/// What a cluster's block asks of its machines.
#[derive(Clone)]
struct Wants {
    /// Names in the environment file.
    environment: Vec<(&'static str, String)>,
    /// What is mounted, a line each.
    mounts: Text,
    scratch: bool,
    containers: bool,
    /// Some of them have EFA.
    efa: bool,
    agent: bool,
    /// Its binary is an object of S3.
    agent_in_s3: bool,
    setup: Option<Text>,
    /// Where the set-up is instead, and its checksum.
    far: Option<Vec<Piece>>,
    service: Option<Service>,
}

/// The rules that let people in; none by default: AWS Systems Manager needs no open port.
pub(super) fn doors(block: &Evaluated) -> Vec<Rule> {
    access::rules(block)
}

/// How machines reach what they may know of themselves, and with it their rights.
pub(super) fn metadata(block: &Evaluated) -> Metadata {
    Metadata { tokens: "required".to_owned(), hop_limit: access::hops(block), tags: true }
}

/// The cloud-config of a cluster's nodes, any of which may have this.
pub(super) fn user_data(x: &mut Expansion<'_>, block: &Evaluated, has: Hardware) -> Text {
    let mut config = Config::new("What a node of mlinfra is made of. Written by `mlinfra apply`.");
    access::users(x, block, &mut config);
    let wants = wants(x, block, has);
    let whole = |wants: &Wants| {
        let mut config = config.clone();
        render(&mut config, wants.clone());
        config.text()
    };
    let mut text = whole(&wants);
    if length(&text) > LONGEST
        && let Some(setup) = &wants.setup
    {
        let far = far::keep(x, block, setup);
        text = whole(&Wants { setup: None, far, ..wants });
    }
    let length = length(&text);
    if length > LONGEST {
        let problem = format!(
            "a node's user data is {length} bytes long, compressed, and EC2 takes {LONGEST}"
        );
        let help = "what is too long are keys, mounts, or what a service is told: `setup` stands\n\
                    in a bucket by now, and may do their work";
        x.problem(block, problem, help);
    }
    text
}

fn wants(x: &mut Expansion<'_>, block: &Evaluated, has: Hardware) -> Wants {
    let mut environment = names(x, block);
    let scratch = scratch(x, block);
    if let Some((path, fs)) = &scratch {
        environment.push(("MLINFRA_SCRATCH", path.clone()));
        environment.push(("MLINFRA_SCRATCH_FS", fs.clone()));
    }
    let agent = agent::read(x, block);
    if let Some((url, sum)) = &agent {
        environment.push(("MLINFRA_AGENT_URL", url.clone()));
        environment.push(("MLINFRA_AGENT_SHA256", sum.clone()));
    }
    let serves = block.word == Block::Service.word();
    let service = if serves { service::of(x, block) } else { None };
    let containers = match &service {
        Some(service) => service.in_container,
        None => !serves && flag(block, "container", has.nvidia),
    };
    Wants {
        environment,
        mounts: mounts::table(x, block),
        scratch: scratch.is_some(),
        containers,
        efa: has.efa,
        service,
        agent: agent.is_some(),
        agent_in_s3: agent.is_some_and(|(url, _)| agent::object(&url).is_some()),
        setup: block.attr("setup").and_then(Value::text).map(executable),
        far: None,
    }
}

fn render(config: &mut Config, wants: Wants) {
    let mut file = String::new();
    for (name, value) in &wants.environment {
        file.push_str(&format!("{name}={value}\n"));
    }
    config.file("/etc/mlinfra/env", "0644", pieces(file.into_text()));
    let mounts = pieces(wants.mounts);
    let mounted = !mounts.is_empty();
    if mounted {
        config.file("/etc/mlinfra/mounts", "0644", mounts);
    }
    let mut scripts = ALWAYS.to_vec();
    let installs = wants.scratch || mounted || wants.containers || wants.service.is_some();
    let from_s3 = wants.far.is_some() || wants.agent_in_s3;
    let installs = installs || from_s3;
    let optional = [
        (installs, PACKAGES),
        (wants.scratch, DISKS),
        (mounted, MOUNTS),
        (mounted || wants.service.is_some() || from_s3, CLI),
        (from_s3, S3),
        (wants.containers, CONTAINERS),
        (wants.efa, EFA),
        (wants.agent, FETCH),
    ];
    scripts.extend(optional.into_iter().filter_map(|(wanted, script)| wanted.then_some(script)));
    if let Some(service) = wants.service {
        scripts.extend(service.scripts);
        // Its environment is nobody's to read who merely logs in.
        config.file("/etc/mlinfra/service", "0600", pieces(service.settings.into_text()));
        for (name, unit) in service.units {
            config.file(&format!("/etc/systemd/system/{name}"), "0644", pieces(unit.into_text()));
        }
    }
    for (name, text) in scripts {
        config.file(&format!("{LIB}/{name}"), "0755", pieces(terse(text).into_text()));
    }
    if wants.agent {
        let at = "/etc/systemd/system/mlinfra-node.service";
        config.file(at, "0644", pieces(AGENT_UNIT.to_owned().into_text()));
    }
    if let Some(setup) = wants.setup {
        // Whoever logs in need not read it.
        config.file(&format!("{LIB}/setup"), "0700", pieces(setup));
    }
    if let Some(far) = wants.far {
        let (name, text) = far::SCRIPT;
        config.file("/etc/mlinfra/setup", "0644", far);
        config.file(&format!("{LIB}/{name}"), "0700", pieces(terse(text).into_text()));
    }
    // cloud-init runs what stands here at every boot, after all files are written.
    let at = "/var/lib/cloud/scripts/per-boot/mlinfra";
    config.file(at, "0755", pieces(terse(BOOT).into_text()));
}

/// A `String` is a text, all of which is known.
trait IntoText {
    fn into_text(self) -> Text;
}

impl IntoText for String {
    fn into_text(self) -> Text {
        Text::Known(self)
    }
}

/// A script without its comments: another comment must not be another node.
fn terse(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    for (number, line) in script.lines().enumerate() {
        let bare = line.trim_start();
        if number == 0 || !(bare.is_empty() || bare.starts_with('#')) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The author's script, which need not say what runs it.
fn executable(text: Text) -> Text {
    const HEAD: &str = "#!/bin/bash\nset -euo pipefail\n";
    match text {
        Text::Known(own) if own.starts_with("#!") => Text::Known(own),
        Text::Known(own) => Text::Known(format!("{HEAD}{own}")),
        Text::Deferred(mut own) => {
            if !matches!(own.first(), Some(Piece::Plain(first)) if first.starts_with("#!")) {
                own.insert(0, Piece::Plain(HEAD.to_owned()));
            }
            Text::Deferred(own)
        }
    }
}

/// How many bytes EC2 gets. An id has at most 32 characters where it is not an ARN.
fn length(text: &Text) -> usize {
    fn known(pieces: &[Piece], out: &mut String, ids: &mut usize) {
        for piece in pieces {
            match piece {
                Piece::Plain(text) => out.push_str(text),
                Piece::Id(_) => *ids += 1,
                // Two ids are as long.
                Piece::Encoded(Encoder::Sha256, _) => *ids += 2,
                Piece::Encoded(_, inner) => known(inner, out, ids),
            }
        }
    }
    match text {
        Text::Known(text) => packed(text).len(),
        Text::Deferred(pieces) => {
            let (mut plain, mut ids) = (String::new(), 0);
            known(pieces, &mut plain, &mut ids);
            packed(&plain).len() + ids * 32
        }
    }
}

/// Names that the node's environment file mentions. A shell reads it: values have no quotes,
/// spaces or dollars.
fn names(x: &Expansion<'_>, block: &Evaluated) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("MLINFRA_STACK", x.here.stack.to_string()),
        ("AWS_REGION", x.here.home.region.to_string()),
    ];
    if let Some(address) = &block.address {
        // Another text would be another template, and other nodes: it stays when the cluster
        // moves.
        let cluster = x.here.origin(&address.with_part("template")).owner();
        out.push(("MLINFRA_CLUSTER", cluster.to_tag()));
    }
    let queue = block.attr("queue").and_then(Value::block);
    if let Some(url) = queue.and_then(|queue| queue.exports.get("url")?.as_str()) {
        out.push(("MLINFRA_QUEUE_URL", url.to_owned()));
    }
    out
}

/// Folders that a system needs as they are.
const SYSTEM: [&str; 16] = [
    "", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "root", "run", "sbin",
    "sys", "usr", "var",
];

/// Where the local disks are mounted, and their file system.
fn scratch(x: &mut Expansion<'_>, block: &Evaluated) -> Option<(String, String)> {
    let written = block.nested("scratch").next();
    let text = |name: &str| written.and_then(|it| it.attr(name)).and_then(Value::as_str);
    let fs = text("fs").unwrap_or("xfs").to_owned();
    if let Some(value) = written.and_then(|it| it.attr("path"))
        && let Some(path) = value.as_str()
    {
        let fine = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let trimmed = path.trim_matches('/');
        let good = path.starts_with('/')
            && path.chars().all(fine)
            && !path.split('/').any(|part| part == "..")
            && !SYSTEM.contains(&trimmed);
        let problem = format!("{path:?} is no place for local disks");
        let help = "write an absolute path of letters, digits and ._-, such as \"/scratch\"";
        x.check(value, (!good).then_some(problem), help);
        let taken = mounts::takes(block, path).then(|| format!("{path:?} is mounted already"));
        x.check(value, taken, "give the local disks or the mount another folder");
    }
    // A shared file system is often called so; the local disks make room for it.
    let default = if mounts::takes(block, "/scratch") { "/local" } else { "/scratch" };
    let path = text("path").unwrap_or(default).to_owned();
    (fs != "none").then_some((path, fs))
}

impl Expansion<'_> {
    /// Tags of a cluster are readable on its nodes, which allows fewer characters in keys
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html>).
    pub(super) fn instance_tags(&mut self, block: &Evaluated) {
        let fine =
            |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "+-=.,_:@".contains(c));
        let problem = |key: &str| format!("tag {key:?} cannot stand on nodes");
        let help = "keys of tags that nodes read hold letters, digits and +-=.,_:@ only";
        let own = block.attr("tags").and_then(Value::as_map).into_iter().flatten();
        for (key, value) in own.filter(|(key, _)| !fine(key)) {
            self.check(value, Some(problem(key)), help);
        }
        let of_stack: Vec<String> =
            self.here.tags.keys().filter(|key| !fine(key)).cloned().collect();
        for key in of_stack {
            self.problem(block, format!("the stack's {}", problem(&key)), help);
        }
    }
}
