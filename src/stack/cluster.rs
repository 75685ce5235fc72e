//! `cluster`: a number of like nodes, with the rights, firewall and template they need.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, InstanceType, is_parameter};
use crate::kinds::{
    Disk, Interface, InterfaceKind, LaunchTemplate, Metadata, Offer, Peer, PlacementGroup, Rule,
    SecurityGroup,
};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, ImageId, Link, Zone};

use super::desired::Fleet;
use super::expansion::{Expansion, tags_of};
use super::ground::Ground;
use super::names::Here;
use super::{network, rights, user_data};

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "cluster",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "network",
            Type::Reference("network"),
            "Where its nodes run: this, or `subnets`.",
        ),
        Attribute::new(
            "subnets",
            Type::Object(&[
                Attribute::new("vpc", Type::String, "The VPC's id.").required(),
                Attribute::new("zones", Type::Map(&Type::String), "Subnets by zone.").required(),
                Attribute::new("ids", Type::List(&Type::String), "All of their ids."),
            ]),
            "Subnets that exist already, in which its nodes run: `lookup.subnets.<name>`.",
        ),
        Attribute::new("instance_type", Type::String, "What its nodes are, such as `p5.48xlarge`.")
            .required(),
        Attribute::new("nodes", Type::Integer, "How many nodes it has; 0 to 1000.").required(),
        Attribute::new(
            "image",
            Type::String,
            "What its nodes boot: an AMI id, `dlami-base`, `dlami-pytorch`, `ubuntu-24.04`, \
             `al2023`, an SSM parameter (`/…`) whose value is an AMI id, or a pattern of names \
             among your own and Amazon's images. A newer image behind the same name moves nothing.",
        )
        .or("\"dlami-base\""),
        Attribute::new(
            "zones",
            Type::List(&Type::String),
            "Letters of the zones in which nodes may run, in order of preference.",
        )
        .or("every zone of the network that offers the type"),
        Attribute::new(
            "read",
            Type::List(&Type::Reference("bucket")),
            "Buckets that its nodes may read.",
        )
        .or("[]"),
        Attribute::new(
            "write",
            Type::List(&Type::Reference("bucket")),
            "Buckets that its nodes may read and write.",
        )
        .or("[]"),
        Attribute::new(
            "queue",
            Type::Reference("queue"),
            "The queue that its nodes take jobs from and may add jobs to.",
        ),
        Attribute::new(
            "placement",
            Type::OneOf(&["auto", "cluster", "none"]),
            "Whether nodes stand close together; `auto` does so for types with EFA.",
        )
        .or("\"auto\""),
        Attribute::new(
            "setup",
            Type::String,
            "A shell script that every node runs once, as root, at its first boot.",
        ),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[BlockSchema {
        word: "disk",
        label: None,
        repeats: false,
        attributes: &[
            Attribute::new("size", Type::Size, "How large; 8GiB to 64TiB.").or("\"200GiB\""),
            Attribute::new("iops", Type::Integer, "Operations per second; 3000 to 80000.")
                .or("6000"),
            Attribute::new("throughput", Type::Integer, "MiB per second; 125 to 2000.").or("500"),
        ],
        blocks: &[],
        exports: &[],
        doc: "The root disk: gp3, encrypted.",
    }],
    exports: &[
        Export { name: "security_group_id", doc: "The id of its security group." },
        Export { name: "role_arn", doc: "The ARN of its nodes' role." },
        Export { name: "launch_template_id", doc: "The id of its launch template." },
    ],
    doc: "A cluster of a fixed number of like nodes in private subnets: all of them are launched \
          or none. Reached through AWS Systems Manager; no port is open.",
};

/// What can be read from it.
pub(super) fn exports(here: &Here, block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    let role = format!("role{}{}", here.path(), here.role(&address.with_part("role")));
    BTreeMap::from([
        ("security_group_id".to_owned(), Value::id_of(address.with_part("group"))),
        ("launch_template_id".to_owned(), Value::id_of(address.with_part("template"))),
        ("role_arn".to_owned(), here.home.arn("iam", &role).into()),
    ])
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let type_name = block.attr("instance_type").and_then(Value::as_str).unwrap_or_default();
    let known = Catalog::shipped().get(type_name);
    let count = x.integer(block, "nodes", 0, 0..=1000);
    let together = match block.attr("placement").and_then(Value::as_str) {
        Some("cluster") => true,
        Some("none") => false,
        Some(_) | None => known.is_some_and(|found| found.efa > 0),
    };
    let ground = Ground::of(x, block);
    security_group(x, block, &address, ground.as_ref());
    rights::role(x, block, &address);
    if together {
        let at = address.with_part("placement");
        let spec = PlacementGroup {
            name: x.here.name(&at, "", 240),
            strategy: "cluster".to_owned(),
            tags: tags_of(x, &at, block),
        };
        x.desired.specs.insert(at, spec.into());
    }
    template(x, block, &address);
    let group = together.then(|| address.with_part("placement"));
    let mut offers = offers(x, block, type_name, ground.as_ref());
    for offer in &mut offers {
        offer.placement = group.clone().map(Link::To);
        offer.interfaces = known.map(interfaces).unwrap_or_default();
        let price = Catalog::shipped().price(&x.here.home.region, type_name, offer.market);
        offer.price = price.map(|price| price.usd);
    }
    let nodes = address.with_part("nodes");
    let fleet = Fleet {
        count,
        template: address.with_part("template"),
        offers,
        together,
        types: [type_name.to_owned()].into(),
        tags: tags_of(x, &address, block),
    };
    x.desired.after.insert(nodes.clone(), whole_network(x, block));
    x.desired.fleets.insert(nodes, fleet);
}

/// Nodes need the way out at their first boot, although no link says so.
fn whole_network(x: &Expansion<'_>, block: &Evaluated) -> std::collections::BTreeSet<Address> {
    let network = block.attr("network").and_then(Value::address).cloned();
    let of_it = |at: &&Address| Some(at.owner()) == network;
    x.desired.specs.keys().filter(of_it).cloned().collect()
}

fn security_group(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    address: &Address,
    ground: Option<&Ground>,
) {
    let at = address.with_part("group");
    let Some(ground) = ground else { return };
    let anywhere = Peer::Cidr("0.0.0.0/0".to_owned());
    let mut egress = vec![
        // EFA wants the group itself named in both directions.
        Rule::all(Peer::Itself, "between nodes"),
        Rule::all(anywhere, "to anywhere"),
    ];
    egress.sort();
    let spec = SecurityGroup {
        name: x.here.name(&at, "", 240),
        description: x.here.nodes_of(&at),
        vpc: ground.vpc(),
        ingress: vec![Rule::all(Peer::Itself, "between nodes")],
        egress,
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

fn template(x: &mut Expansion<'_>, block: &Evaluated, address: &Address) {
    let at = address.with_part("template");
    let image_from = block.attr("image").and_then(Value::as_str).unwrap_or("dlami-base").to_owned();
    let image = image(x, block, &at, &image_from);
    x.instance_tags(block);
    let user_data = user_data::script(x, block);
    let spec = LaunchTemplate {
        name: x.here.name(&at, "", 110),
        image,
        image_from,
        profile: Link::To(address.with_part("profile")),
        groups: vec![Link::To(address.with_part("group"))],
        disk: disk(x, block),
        user_data,
        metadata: Metadata { tokens: "required".to_owned(), hop_limit: 1, tags: true },
        on_shutdown: "terminate".to_owned(),
        default_version: 1,
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// The live template's image stays while its name in the configuration does: a newer
/// image must never replace nodes by itself.
fn image(x: &mut Expansion<'_>, block: &Evaluated, at: &Address, from: &str) -> ImageId {
    if let Some((pinned_from, image)) = x.pins.images.get(at)
        && pinned_from == from
    {
        return image.clone();
    }
    match x.facts.images.get(from) {
        Some(image) => image.clone(),
        None => {
            let region = &x.here.home.region;
            let problem = match is_parameter(from) {
                true => format!("no SSM parameter {from:?} in {region} names an image"),
                false => format!("there is no image {from:?} in {region}"),
            };
            let help = "write dlami-base, dlami-pytorch, ubuntu-24.04, al2023, an AMI's id,\n\
                        an SSM parameter that holds one, or the name of an image of yours";
            match block.attr("image") {
                Some(value) => x.check(value, Some(problem), help),
                None => x.problem(block, problem, help),
            }
            ImageId::from("ami-unknown")
        }
    }
}

fn disk(x: &mut Expansion<'_>, block: &Evaluated) -> Disk {
    let written = block.nested("disk").next();
    let (size, iops, throughput) = match written {
        Some(disk) => (
            x.gib(disk, "size", 200, 8..=65_536),
            x.integer(disk, "iops", 6000, 3000..=80_000),
            x.integer(disk, "throughput", 500, 125..=2000),
        ),
        None => (200, 6000, 500),
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

/// One IP interface on card 0 and EFA without an address on every card that can: an
/// address per node, not per card. On p6-b300 card 0 takes no EFA
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html>).
fn interfaces(found: &InstanceType) -> Vec<Interface> {
    if found.efa == 0 {
        return Vec::new();
    }
    let mut out = vec![Interface { card: 0, device: 0, kind: InterfaceKind::Ip }];
    for card in found.efa_from..found.efa_from + found.efa {
        let device = i32::from(card == 0);
        out.push(Interface { card, device, kind: InterfaceKind::EfaOnly });
    }
    out
}

/// Zones of the network that the author wants, in the author's order.
fn wanted(x: &mut Expansion<'_>, block: &Evaluated, open: &[Zone]) -> Vec<Zone> {
    let known = |value: &&Value| !value.holds_unknown();
    let Some(written) = block.attr("zones").filter(known) else { return open.to_vec() };
    let mut found = Vec::new();
    for value in written.as_list().unwrap_or_default() {
        let letter = value.as_str().unwrap_or_default();
        let zone = Zone(format!("{}{letter}", x.here.home.region));
        if open.contains(&zone) {
            found.push(zone);
        } else {
            let problem = format!("the network has no zone {letter:?}");
            x.check(value, Some(problem), &format!("its zones are {}", network::letters(open)));
        }
    }
    let none = written.as_list().is_some_and(<[Value]>::is_empty);
    let problem = "a cluster needs a zone".to_owned();
    x.check(written, none.then_some(problem), "name one, or leave `zones` out for all");
    found
}

/// Zones that offer the type, in the author's order.
fn offers(
    x: &mut Expansion<'_>,
    block: &Evaluated,
    type_name: &str,
    ground: Option<&Ground>,
) -> Vec<Offer> {
    let Some(ground) = ground else { return Vec::new() };
    let open = ground.zones(x);
    let wanted = wanted(x, block, &open);
    let zones: Vec<Zone> = match x.facts.offerings.get(type_name) {
        Some(offered) => wanted.iter().filter(|zone| offered.contains(zone)).cloned().collect(),
        None => wanted.clone(),
    };
    if zones.is_empty()
        && !wanted.is_empty()
        && let Some(value) = block.attr("instance_type")
    {
        let region = &x.here.home.region;
        let offered: Vec<Zone> =
            x.facts.offerings.get(type_name).into_iter().flatten().cloned().collect();
        let (problem, help) = if offered.is_empty() {
            let help = "check its spelling, or choose another type or region".to_owned();
            (format!("{region} does not offer {type_name:?}"), help)
        } else {
            let (has, wants) = (network::letters(&offered), network::letters(&wanted));
            let help = format!("{region} offers it in {has}; the cluster may run in {wants}");
            (format!("no zone of the cluster offers {type_name:?}"), help)
        };
        x.check(value, Some(problem), &help);
    }
    zones
        .into_iter()
        .filter_map(|zone| {
            let subnet = ground.subnet(&zone)?;
            Some(Offer::plain(type_name, zone, subnet))
        })
        .collect()
}
