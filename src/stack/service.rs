//! `service`: one or a few machines that run a container or a command for as long as they
//! stand, and a name that leads to the healthy ones.
//!
//! Its machines are the nodes of a fleet, launched, renewed and ended like those of a cluster.
//! What comes to it is the name: a record of a private zone whose addresses are known only
//! once the machines are. It is pointed at them by a step of its own, after they have said
//! that they are healthy and before their predecessors end. (Network interfaces with
//! addresses fixed beforehand would make the record known when planning, but an interface
//! belongs to one machine and one zone at a time: predecessor and successor could not stand
//! beside each other, and no other zone could be tried.)

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use crate::kinds::{Care, HostedZone, Peer, Rule, SecurityGroup, Spec};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, tags};

use super::cluster::{self, attribute};
use super::desired::{Fleet, Published};
use super::expansion::{Expansion, map, tags_of};
use super::ground::Ground;
use super::names::{Here, block_name, fit};
use super::{disk, machine, mounts, need, offers, rights, size};

/// Seconds for which an answer may be kept: how long a predecessor stays after its successor
/// has taken its name.
const TTL: u32 = 10;
/// The most machines that a name leads to; more is a matter for a load balancer.
const MOST: u32 = 8;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "service",
    label: Some("the name by which other blocks refer to it, and the first part of its address"),
    repeats: true,
    attributes: &[
        attribute("network"),
        attribute("subnets"),
        attribute("instance_type"),
        attribute("instance_types"),
        attribute("accelerators"),
        attribute("cpus"),
        attribute("memory"),
        attribute("capacity"),
        attribute("max_price"),
        attribute("fallback"),
        Attribute::new("nodes", Type::Integer, "How many machines it has, 1 to 8; all are alike.")
            .or("1"),
        Attribute::new(
            "image",
            Type::String,
            "What its machines boot, as for a cluster. A newer image behind the same name moves \
             nothing.",
        )
        .or(
            "\"ubuntu-24.04\"; \"dlami-base\" or \"dlami-neuron\" where machines have accelerators",
        ),
        attribute("zones"),
        Attribute::new(
            "ports",
            Type::List(&Type::Integer),
            "TCP ports that it answers on. Nothing else is open.",
        )
        .or("[]"),
        Attribute::new(
            "from",
            Type::List(&Type::String),
            "Addresses that reach its ports, such as `\"10.8.0.0/16\"`.",
        )
        .or("those of its network; must be written with `subnets`"),
        attribute("read"),
        attribute("write"),
        attribute("queue"),
        attribute("setup"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[
        machine::CONTAINER,
        machine::UNIT,
        machine::HEALTH,
        disk::SMALL,
        size::ROLLING,
        mounts::SCHEMA,
        machine::SCRATCH,
        machine::ACCESS,
        machine::AGENT,
    ],
    exports: &[
        Export { name: "address", doc: "The name that leads to its healthy machines." },
        Export { name: "url", doc: "`http://`, that name, and its first port." },
        Export { name: "security_group_id", doc: "The id of its security group." },
        Export { name: "role_arn", doc: "The ARN of its machines' role." },
    ],
    doc: "One or a few machines in private subnets that run a container or a command, with an \
          address in a private DNS zone. A change brings up successors first; they must be \
          healthy before the address leads to them and their predecessors end.",
};

/// The zone in which the services of a stack are found.
fn domain(here: &Here) -> String {
    format!("{}.internal", here.stack)
}

/// The name of a service, which stays when its block moves.
fn name(here: &Here, address: &Address) -> String {
    let origin = here.origin(&address.with_part("template")).owner();
    format!("{}.{}", fit(&block_name(&origin), 63), domain(here))
}

/// What can be read from it.
pub(super) fn exports(here: &Here, block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    let mut out = cluster::exports(here, block);
    out.remove("launch_template_id");
    let name = name(here, address);
    let ports = block.attr("ports").filter(|ports| !ports.holds_unknown());
    let port = ports.and_then(Value::as_list).and_then(|ports| ports.first()?.as_u64());
    let url = match port {
        Some(80) | None => format!("http://{name}"),
        Some(port) => format!("http://{name}:{port}"),
    };
    out.insert("address".to_owned(), name.into());
    out.insert("url".to_owned(), url.into());
    out
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let mut candidates = need::candidates(block, &x.pins.tables);
    x.problems.append(&mut candidates.problems);
    let count = x.integer(block, "nodes", 1, 1..=MOST);
    let ground = Ground::of(x, block);
    security_group(x, block, &address, ground.as_ref());
    mounts::join(x, block, &address, ground.as_ref());
    rights::role(x, block, &address);
    let image = need::image(block, &candidates).to_owned();
    cluster::template(x, block, &image, candidates.hardware());
    let offers::Found { offers, rejected, advice } =
        offers::find(x, block, &candidates, ground.as_ref(), (None, None));
    let default = if mounts::alone(x, block) {
        // A volume has one machine at a time: the successor waits for it.
        size::Pace { surge: 0, max_unavailable: count }
    } else {
        size::Pace { surge: count, max_unavailable: 0 }
    };
    let pace = size::pace(x, block, default);
    let zone = ground.as_ref().map(|ground| zone(x, block, &address, ground));
    let published = zone.map(|zone| Published {
        zone,
        name: name(&x.here, &address),
        ttl: TTL,
        patience: machine::patience(x, block),
    });
    let fleet = Fleet {
        count,
        most: count,
        surge: pace.surge,
        max_unavailable: pace.max_unavailable,
        gang: false,
        template: address.with_part("template"),
        offers,
        rejected,
        advice,
        types: candidates.names(),
        autoscale: None,
        published,
        tags: tags_of(x, &address, block),
        // What its name leads to is looked after by who lets the name lead there.
        care: Care::NONE,
    };
    cluster::add_fleet(x, block, fleet);
}

/// Who may reach its ports.
fn callers(x: &mut Expansion<'_>, block: &Evaluated) -> Vec<String> {
    let Some(written) = block.attr("from") else {
        let network = block.attr("network").and_then(Value::block);
        let cidr = network.and_then(|network| network.exports.get("cidr")?.as_str());
        let ports = block.attr("ports").and_then(Value::as_list).is_some_and(|it| !it.is_empty());
        if block.attr("subnets").is_some() && ports {
            let help = "write from = [\"10.0.0.0/16\"], the addresses of whoever calls it";
            x.problem(block, "nobody can reach its ports".to_owned(), help);
        }
        return cidr.map(str::to_owned).into_iter().collect();
    };
    let mut out = Vec::new();
    for value in written.as_list().unwrap_or_default() {
        let Some(text) = value.as_str() else { continue };
        let range = text.parse::<Ipv4Net>().ok();
        let problem = match range {
            None => Some(format!("{text:?} is no range of IPv4 addresses")),
            Some(range) if range.prefix_len() == 0 => {
                Some("a service must not be open to every address".to_owned())
            }
            Some(_) => None,
        };
        x.check(value, problem, "name those of whoever calls it, such as \"10.8.0.0/16\"");
        out.extend(range.map(|range| range.trunc().to_string()));
    }
    out
}

/// Only the ports that were declared, only for whoever was.
fn security_group(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    ground: Option<&Ground>,
) {
    let callers = callers(x, block);
    let mut ingress = machine::doors(block);
    for value in block.attr("ports").and_then(Value::as_list).unwrap_or_default() {
        if value.holds_unknown() {
            continue;
        }
        let port = value.as_u64().and_then(|port| i32::try_from(port).ok());
        let port = port.filter(|port| (1..=65_535).contains(port));
        x.check(value, port.is_none().then(|| "this is no port".to_owned()), "write 1 to 65535");
        let Some(port) = port else { continue };
        ingress.extend(callers.iter().map(|range| Rule {
            protocol: "tcp".to_owned(),
            ports: Some((port, port)),
            peer: Peer::Cidr(range.clone()),
            description: format!("to port {port}"),
        }));
    }
    ingress.sort();
    ingress.dedup();
    let Some(ground) = ground else { return };
    let at = address.with_part("group");
    let anywhere = Peer::Cidr("0.0.0.0/0".to_owned());
    let spec = SecurityGroup {
        name: x.here.name(&at, "", 240),
        description: x.here.nodes_of(&at),
        vpc: ground.vpc(),
        ingress,
        egress: vec![Rule::all(anywhere, "to anywhere")],
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// The zone that its name stands in: one for all services of a network. In the VPC of somebody
/// else, where there is no network of ours, a service has a zone of its own, of its own name.
fn zone(x: &mut Expansion<'_>, block: &Evaluated, address: &Address, ground: &Ground) -> Address {
    let taken = ["ec2", "compute"].contains(&x.here.stack.as_str());
    if taken {
        let text = format!("{} is AWS's own zone", domain(&x.here));
        x.problem(block, text, "a stack of services needs another name");
    }
    let (at, name, tags) = match ground {
        Ground::Network(network) => {
            let at = network.with_part("zone");
            let tags = network_tags(x, network, &at);
            (at, domain(&x.here), tags)
        }
        Ground::Subnets(..) => {
            let at = address.with_part("zone");
            let tags = tags_of(x, &at, block);
            (at, name(&x.here, address), tags)
        }
    };
    let spec = HostedZone { name, vpcs: vec![ground.vpc()], records: Vec::new(), tags };
    x.desired.specs.entry(at.clone()).or_insert_with(|| spec.into());
    at
}

/// A network's tags, with the name of this part of it.
fn network_tags(x: &Expansion<'_>, network: &Address, at: &Address) -> crate::kinds::Tags {
    let vpc = network.with_part("vpc");
    let mut tags = match x.desired.specs.get(&vpc) {
        Some(Spec::Vpc(vpc)) => vpc.tags.clone(),
        Some(_) | None => map(None),
    };
    if tags.get(tags::NAME) == Some(&tags::name(&x.here.stack, &vpc)) {
        tags.remove(tags::NAME);
    }
    x.here.tags(at, &tags)
}
