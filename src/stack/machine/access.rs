//! Who may log in to nodes, and from where.

use ipnet::Ipv4Net;

use super::config::{Config, quoted};
use crate::kinds::{Peer, Rule};
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::stack::expansion::{Expansion, flag};

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "access",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "ssh_keys",
            Type::List(&Type::String),
            "Public keys that may log in as the image's own user.",
        )
        .or("[]"),
        Attribute::new(
            "users",
            Type::Map(&Type::List(&Type::String)),
            "More users, each with its public keys.",
        )
        .or("{}"),
        Attribute::new("sudo", Type::Bool, "Whether those users may become root.").or("false"),
        Attribute::new(
            "from",
            Type::List(&Type::String),
            "Addresses from which port 22 can be reached, such as `\"10.8.0.0/16\"`. Without it \
             no port is open, and SSH goes through AWS Systems Manager.",
        )
        .or("[]"),
        Attribute::new(
            "container_role",
            Type::Bool,
            "Whether containers with a network of their own (Docker's default) get the rights of \
             the machine's role: the metadata service then answers over two hops. Those with \
             `--network host` have them anyway.",
        )
        .or("false"),
    ],
    blocks: &[],
    exports: &[],
    doc: "Who may log in beside those whom AWS Systems Manager lets in, and who has the machine's \
          rights.",
};

/// Over how many hops the metadata service answers: a bridge between a container and its machine
/// is one more
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html>).
pub(super) fn hops(block: &Evaluated) -> i32 {
    let wide = block.nested("access").any(|access| flag(access, "container_role", false));
    if wide { 2 } else { 1 }
}

/// Key types that OpenSSH takes, and those on hardware.
const KEYS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

fn is_key(text: &str) -> bool {
    let mut words = text.split(' ');
    let (kind, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fine = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    KEYS.contains(&kind)
        && body.len() >= 16
        && body.chars().all(fine)
        && !text.chars().any(char::is_control)
}

fn is_user(name: &str) -> bool {
    let first = |c: char| c.is_ascii_lowercase() || c == '_';
    let other = |c: char| first(c) || c.is_ascii_digit() || c == '-';
    name.starts_with(first) && name.chars().all(other) && name.len() <= 32 && name != "root"
}

fn listed(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_list).unwrap_or_default()
}

/// The keys of a list; says which are none.
fn keys(x: &mut Expansion<'_>, value: Option<&Value>) -> Vec<String> {
    let mut out = Vec::new();
    for value in listed(value) {
        let Some(text) = value.as_str() else { continue };
        let problem = "this is no public key".to_owned();
        let help = "write what stands in a file such as ~/.ssh/id_ed25519.pub";
        let text = text.trim_end();
        x.check(value, (!is_key(text)).then_some(problem), help);
        out.push(text.to_owned());
    }
    out
}

/// Writes users and their keys; the image's own user stays.
pub(super) fn users(x: &mut Expansion<'_>, block: &Evaluated, config: &mut Config) {
    let Some(access) = block.nested("access").next() else { return };
    check_from(x, access);
    let own = keys(x, access.attr("ssh_keys"));
    if !own.is_empty() {
        config.lines("ssh_authorized_keys:\n");
        own.iter().for_each(|key| config.lines(&format!("  - {}\n", quoted(key))));
    }
    let Some(map) = access.attr("users").and_then(Value::as_map).filter(|map| !map.is_empty())
    else {
        return;
    };
    config.lines("users:\n  - default\n");
    for (name, value) in map {
        let problem = format!("{name:?} is no name of a user");
        let help = "names hold a-z, 0-9, _ and -, 32 at most, and begin with a letter";
        x.check(value, (!is_user(name)).then_some(problem), help);
        let keys = keys(x, Some(value));
        config.lines(&format!("  - name: {}\n    shell: /bin/bash\n", quoted(name)));
        if flag(access, "sudo", false) {
            config.lines("    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n");
        }
        config.lines("    ssh_authorized_keys:\n");
        keys.iter().for_each(|key| config.lines(&format!("      - {}\n", quoted(key))));
        let none = listed(Some(value)).is_empty() && !value.holds_unknown();
        let problem = format!("user {name:?} has no key, and could not log in");
        x.check(value, none.then_some(problem), "give it a public key, or leave it out");
    }
}

fn ranges(access: &Evaluated) -> impl Iterator<Item = (&Value, &str, Option<Ipv4Net>)> {
    let one = |value: &'_ Value| value.as_str().map(|text| text.parse::<Ipv4Net>().ok());
    let values = listed(access.attr("from")).iter();
    values.filter_map(move |value| Some((value, value.as_str()?, one(value)?)))
}

fn check_from(x: &mut Expansion<'_>, access: &Evaluated) {
    for (value, text, range) in ranges(access) {
        let (problem, help) = match range {
            None => (format!("{text:?} is no range of IPv4 addresses"), "write \"10.8.0.0/16\""),
            Some(range) if range.prefix_len() == 0 => (
                "port 22 must not be open to the whole Internet".to_owned(),
                "name your own addresses, or leave `from` out and use `mlinfra ssh`",
            ),
            Some(_) => continue,
        };
        x.check(value, Some(problem), help);
    }
}

/// Port 22, from where the author says.
pub(super) fn rules(block: &Evaluated) -> Vec<Rule> {
    let Some(access) = block.nested("access").next() else { return Vec::new() };
    let rule = |range: Ipv4Net| Rule {
        protocol: "tcp".to_owned(),
        ports: Some((22, 22)),
        peer: Peer::Cidr(range.trunc().to_string()),
        description: "SSH".to_owned(),
    };
    ranges(access).filter_map(|(_, _, range)| range).map(rule).collect()
}
