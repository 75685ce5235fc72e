//! `cluster`: a number of like nodes, with the rights, firewall and template they need.

use std::collections::BTreeMap;

use crate::catalog::is_parameter;
use crate::kinds::{LaunchTemplate, Peer, PlacementGroup, Rule, SecurityGroup, Tags};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, ImageId, Link, tags};

use super::desired::Fleet;
use super::expansion::{Expansion, tags_of};
use super::ground::Ground;
use super::names::Here;
use super::{autoscale, care, disk, machine, mounts, need, offers, rights, size};

/// One way to ask for accelerators.
const ACCELERATOR: Type = Type::Either(&[
    Type::String,
    Type::Object(&[
        Attribute::new("memory", Type::String, "Memory of each."),
        Attribute::new("count", Type::Integer, "How many."),
    ]),
]);

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
        Attribute::new(
            "instance_type",
            Type::String,
            "What its nodes are, such as `p5.48xlarge`. One of this, `instance_types`, \
             `accelerators`, `cpus` and `memory` must be written.",
        ),
        Attribute::new(
            "instance_types",
            Type::List(&Type::String),
            "What its nodes may be, in order of preference.",
        ),
        Attribute::new(
            "accelerators",
            Type::Either(&[ACCELERATOR, Type::List(&ACCELERATOR)]),
            "What every node must have: `\"H100:8\"`, `\"A100-80GB:8\"`, a list of such in order of \
             preference, or `{ memory = \">=80GiB\", count = 8 }`. Every type that has it is \
             considered, the cheapest first.",
        ),
        Attribute::new(
            "cpus",
            Type::Either(&[Type::Integer, Type::String]),
            "Processors of every node: `8`, or `\">=8\"`.",
        ),
        Attribute::new(
            "memory",
            Type::String,
            "Memory of every node: `\"64GiB\"`, or `\">=64GiB\"`.",
        ),
        Attribute::new(
            "capacity",
            Type::List(&Type::String),
            "How its nodes are got, in the order in which it is tried: `\"capacity-block:cr-…\"`, \
             `\"reservation:cr-…\"`, `\"reserved:KEY=VALUE\"` (reservations with that tag), \
             `\"reserved\"` (any that fits), `\"spot\"`, `\"on-demand\"`.",
        )
        .or("[\"on-demand\"]"),
        Attribute::new(
            "max_price",
            Type::Number,
            "The most that a node may cost, USD per hour. What has no known price is not \
             launched, except on spot, where AWS holds it.",
        ),
        Attribute::new(
            "max_gpu_price",
            Type::Number,
            "The most that an accelerator may cost, USD per hour: a node's price by their number.",
        ),
        Attribute::new(
            "fallback",
            Type::Bool,
            "Whether other ways and types than the first may be tried when the first has no \
             capacity. Zones are tried in either case.",
        )
        .or("true"),
        Attribute::new(
            "nodes",
            Type::Either(&[Type::Integer, size::RANGE]),
            "How many nodes it has, 0 to 1000; or `{ min = 0, max = 16 }`, between which the \
             autoscaler decides. With `gang = true`, the default for types with EFA, all of them \
             start in one zone on one type, or none does; otherwise what can be had starts.",
        )
        .required(),
        Attribute::new(
            "image",
            Type::String,
            "What its nodes boot: an AMI id, `dlami-base`, `dlami-pytorch`, `dlami-neuron`, \
             `ubuntu-24.04`, `al2023`, an SSM parameter (`/…`) whose value is an AMI id, or a pattern \
             of names among your own and Amazon's images. A newer image behind the same name moves \
             nothing. Types for which one of the Deep Learning AMIs has no driver are left out.",
        )
        .or("\"dlami-base\"; \"dlami-neuron\" where all types have Trainium or Inferentia"),
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
            "efa",
            Type::Bool,
            "Whether nodes have EFA: `true` takes no type without it, `false` takes it away.",
        )
        .or("where the type has it"),
        Attribute::new(
            "placement",
            Type::OneOf(&["auto", "cluster", "none"]),
            "Whether nodes stand close together; `auto` does so for gangs of types with EFA.",
        )
        .or("\"auto\""),
        Attribute::new(
            "setup",
            Type::String,
            "A script that every node runs once, as root, at its first boot, after everything \
             else (without a driver in the image before its GPUs are checked); in Bash where its first line names nothing else. When it fails, so has the node. \
             With one that makes user data longer than EC2's 16 KiB, the cluster gets a private \
             bucket of its own, from which each node fetches it and checks it by its SHA-256.",
        ),
        Attribute::new(
            "container",
            Type::Bool,
            "Docker on every node, with NVIDIA's runtime where there are NVIDIA GPUs.",
        )
        .or("true where nodes may have NVIDIA GPUs"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[
        disk::LARGE,
        size::ROLLING,
        autoscale::SCHEMA,
        care::HEALTH,
        mounts::SCHEMA,
        machine::SCRATCH,
        machine::ACCESS,
        machine::AGENT,
    ],
    exports: &[
        Export { name: "security_group_id", doc: "The id of its security group." },
        Export { name: "role_arn", doc: "The ARN of its nodes' role." },
        Export { name: "launch_template_id", doc: "The id of its launch template." },
    ],
    doc: "A cluster of like nodes in private subnets. Reached through AWS Systems Manager; no port \
          is open.",
};

/// An attribute of the table above, for a block that has it too; another name does not compile.
pub(super) const fn attribute(name: &str) -> Attribute {
    let all = SCHEMA.attributes;
    let mut at = 0;
    while !same(all[at].name, name) {
        at += 1;
    }
    all[at]
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

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
    let mut candidates = need::candidates(block, &x.pins.tables);
    x.problems.append(&mut candidates.problems);
    let size = size::size(x, block);
    let gang = size.gang.unwrap_or_else(|| candidates.have_efa());
    let together = candidates.stand_close(block);
    let ground = Ground::of(x, block);
    security_group(x, block, &address, ground.as_ref());
    mounts::join(x, block, &address, ground.as_ref());
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
    let image = need::image(block, &candidates).to_owned();
    template(x, block, &image, candidates.hardware());
    let group = together.then(|| address.with_part("placement"));
    // Of a gang that is resized the jobs say how many nodes must start at once.
    let whole = (gang && size.most == size.least).then_some(size.least);
    let offers::Found { offers, rejected, advice } =
        offers::find(x, block, &candidates, ground.as_ref(), (group.as_ref(), whole));
    let fits = autoscale::Fits { gpus: candidates.most_gpus(), most: size.most };
    let autoscale = autoscale::autoscale(x, block, &address, fits);
    let default = size::tenth(size.least, gang);
    let pace = size::pace(x, block, default);
    let fleet = Fleet {
        count: size.least,
        most: size.most,
        surge: pace.surge,
        max_unavailable: pace.max_unavailable,
        gang,
        template: address.with_part("template"),
        offers,
        rejected,
        advice,
        types: candidates.names(),
        autoscale,
        published: None,
        tags: node_tags(x, block, &address),
        care: care::care(x, block, size.most > size.least),
    };
    add_fleet(x, block, fleet);
}

/// Adds the nodes, and what they wait for.
pub(super) fn add_fleet(x: &mut Expansion<'_>, block: &Evaluated, fleet: Fleet) {
    let Some(nodes) = block.address.as_ref().map(|address| address.with_part("nodes")) else {
        return;
    };
    let mut before = whole_network(x, block);
    before.extend(mounts::before(x, block));
    x.desired.after.insert(nodes.clone(), before);
    x.desired.fleets.insert(nodes, fleet);
}

/// Tags for people, and which word on a node counts.
fn node_tags(x: &Expansion<'_>, block: &Evaluated, address: &Address) -> Tags {
    let mut all = tags_of(x, address, block);
    if block.nested("agent").next().is_some() {
        all.insert(tags::GATE.to_owned(), tags::REPORT.to_owned());
    }
    all
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
    let mut ingress = vec![Rule::all(Peer::Itself, "between nodes")];
    ingress.extend(machine::doors(block));
    ingress.sort();
    ingress.dedup();
    let spec = SecurityGroup {
        name: x.here.name(&at, "", 240),
        description: x.here.nodes_of(&at),
        vpc: ground.vpc(),
        ingress,
        egress,
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// Adds the template of the nodes.
pub(super) fn template(x: &mut Expansion<'_>, block: &Evaluated, from: &str, has: need::Hardware) {
    let Some(address) = &block.address else { return };
    let at = address.with_part("template");
    let image = image(x, block, &at, from);
    x.instance_tags(block);
    let user_data = machine::user_data(x, block, has);
    let disk = disk::disk(x, block, (from, &image));
    let spec = LaunchTemplate {
        name: x.here.name(&at, "", 110),
        image,
        image_from: from.to_owned(),
        profile: Link::To(address.with_part("profile")),
        groups: vec![Link::To(address.with_part("group"))],
        disk,
        user_data,
        metadata: machine::metadata(block),
        on_shutdown: "terminate".to_owned(),
        default_version: 1,
        tags: tags_of(x, &at, block),
    };
    x.desired.specs.insert(at, spec.into());
}

/// What the lock file says holds; without it the live template's image stays while its name in the configuration does: a newer
/// image must never replace nodes by itself.
fn image(x: &mut Expansion<'_>, block: &Evaluated, at: &Address, from: &str) -> ImageId {
    let live = x.pins.images.get(at);
    if let Some(pin) = x.pins.lock.image(from, &x.here.home.region) {
        let lives = live.is_some_and(|(_, image)| *image == pin.id);
        let image = pin.id.clone();
        if !lives && !x.facts.images.contains_key(image.as_str()) {
            gone(x, block, from, &image);
        }
        return image;
    }
    if let Some((pinned_from, image)) = live
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
            let help = "write dlami-base, dlami-pytorch, dlami-neuron, ubuntu-24.04, al2023, an AMI's id,\n\
                        an SSM parameter that holds one, or the name of an image of yours";
            match block.attr("image") {
                Some(value) => x.check(value, Some(problem), help),
                None => x.problem(block, problem, help),
            }
            ImageId::from("ami-unknown")
        }
    }
}

/// A pin whose image nobody can see any more.
fn gone(x: &mut Expansion<'_>, block: &Evaluated, from: &str, image: &ImageId) {
    let region = &x.here.home.region;
    let problem = format!("{from:?} is pinned to {image}, which is not to be seen in {region}");
    let help = format!(
        "it was deregistered, or is shared with this account no more; `mlinfra update {from}`\n\
         moves the pin in mlinfra.lock.hcl to the newest one"
    );
    match block.attr("image") {
        Some(value) => x.check(value, Some(problem), &help),
        None => x.problem(block, problem, &help),
    }
}
