//! What is applied on what: together the scenes make, change, replace and delete an
//! object of every kind in every way in which the adapter can.

use std::sync::Arc;

use mlinfra::cloud::Facts;
use mlinfra::kinds::{
    EfsThroughput, Encryption, InlinePolicy, Peer, Role, Rule, Spec, Tags, Target, canonical_json,
};
use mlinfra::lang::{self, File, Vars};
use mlinfra::model::{Address, Link, Text};
use mlinfra::stack::{self, Desired, Pins, Words};

use super::cell::World;
use crate::far::noise;

const STACK: &str = "stack \"faults\" {\n  region = \"us-east-1\"\n  tags = { team = \"ml\" }\n}\n";
const STORAGE: &str = "bucket \"data\" {\n  precious = false\n  \
    expire {\n    prefix = \"tmp/\"\n    after = \"14d\"\n  }\n}\nqueue \"jobs\" {}\n";
const NETWORK: &str = "network \"main\" {\n  cidr = \"10.20.0.0/16\"\n  zones = [\"a\"]\n}\n";
const FILES: &str = "volume \"state\" {\n  size = \"100GiB\"\n  zone = \"a\"\n  \
    precious = false\n}\nfilesystem \"home\" {\n  type = \"efs\"\n  network = network.main\n  \
    precious = false\n}\nfilesystem \"fast\" {\n  type = \"lustre\"\n  size = \"1200GiB\"\n  \
    network = network.main\n  import = bucket.data\n  precious = false\n}\n";
const CLUSTER: &str = "cluster \"train\" {\n  network = network.main\n  nodes = 2\n  \
    instance_type = \"g5.8xlarge\"\n  read = [bucket.data]\n  setup = \"echo one\"\n}\n";
const SIDE: &str = "network \"side\" {\n  cidr = \"10.40.0.0/16\"\n  \
    zones = [\"a\"]\n}\n";
const SERVICE: &str = "service \"web\" {\n  network = network.main\n  \
    image = \"dlami-base\"\n  instance_type = \"t3.large\"\n  ports = [80]\n  container {\n    \
    image = \"ghcr.io/acme/web:v1\"\n  }\n}\n";

/// A cluster whose set-up is too long for user data; without its last lines.
const FAR: &str = "cluster \"far\" {\n  network = network.main\n  nodes = 1\n  \
    instance_type = \"t3.large\"\n  image = \"dlami-base\"\n";

/// From one to another.
pub struct Scene {
    pub name: &'static str,
    /// What stands before; none for nothing at all.
    pub before: Option<Desired>,
    /// What somebody does to it by hand.
    pub by_hand: fn(&World),
    pub after: Desired,
}

/// A configuration, expanded.
fn desired(text: &str, facts: &Facts) -> Desired {
    let files = [File { name: "main.hcl".to_owned(), text: text.to_owned() }];
    let words =
        Words { account: Some(facts.home.account.clone()), origins: Arc::default(), facts: None };
    let loaded = lang::load(&files, &Vars::new(), &words, None);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    stack::expand(&loaded, facts, &Pins::default()).expect("a stack")
}

/// Everything, as text: what has to be found out about it is asked once.
pub fn whole() -> String {
    format!("{STACK}{STORAGE}{NETWORK}{CLUSTER}{SERVICE}{FAR}}}\n")
}

/// All scenes.
pub fn all(facts: &Facts) -> Vec<Scene> {
    let nothing = |_: &World| {};
    let of = |parts: &[&str]| desired(&format!("{STACK}{}", parts.concat()), facts);
    let none = Desired::nothing(of(&[]).stack);
    let (storage, network) = (of(&[STORAGE]), of(&[NETWORK]));
    let (both, whole) = (of(&[STORAGE, NETWORK]), of(&[STORAGE, NETWORK, CLUSTER]));
    let files = of(&[STORAGE, NETWORK, FILES]);
    let moved = of(&[&NETWORK.replace("10.20", "10.30")]);
    let (sides, served) = (of(&[NETWORK, SIDE]), of(&[NETWORK, SIDE, SERVICE]));
    let newer = of(&[NETWORK, SIDE, &SERVICE.replace("web:v1", "web:v2")]);
    let zoned = changed_in(&served, ZONED);
    let far = |seed| format!("{FAR}  setup = \": {}\"\n}}\n", noise(seed, 30_000));
    let (kept, anew) = (of(&[NETWORK, &far(1)]), of(&[NETWORK, &far(2)]));
    let retold = of(&[STORAGE, NETWORK, &CLUSTER.replace("echo one", "echo two")]);
    let scene = |name, before: Option<&Desired>, after: &Desired| Scene {
        name,
        before: before.cloned(),
        by_hand: nothing,
        after: after.clone(),
    };
    vec![
        scene("make storage", None, &storage),
        scene("make network", None, &network),
        scene("make cluster", Some(&both), &whole),
        scene("change storage", Some(&storage), &changed(&storage)),
        scene("change storage back", Some(&changed(&storage)), &storage),
        scene("change network", Some(&network), &changed(&network)),
        scene("change network back", Some(&changed(&network)), &network),
        scene("make files", Some(&both), &files),
        scene("change files", Some(&files), &changed_in(&files, FILED)),
        scene("change files back", Some(&changed_in(&files, FILED)), &files),
        Scene { by_hand: World::open_targets, ..scene("opened files", Some(&files), &files) },
        scene("delete files", Some(&files), &both),
        scene("change cluster", Some(&whole), &changed_in(&whole, CLUSTERED)),
        scene("change cluster back", Some(&changed_in(&whole, CLUSTERED)), &whole),
        Scene { by_hand: World::take_subnet, ..scene("taken subnet", Some(&network), &network) },
        Scene { by_hand: World::new_version, ..scene("new version", Some(&whole), &whole) },
        scene("replace network", Some(&network), &moved),
        scene("replace nodes", Some(&whole), &retold),
        Scene { by_hand: World::fill, ..scene("delete storage", Some(&storage), &none) },
        scene("delete network", Some(&network), &none),
        scene("delete cluster", Some(&whole), &both),
        scene("make service", Some(&sides), &served),
        scene("change service", Some(&served), &newer),
        scene("change zone", Some(&served), &zoned),
        scene("change zone back", Some(&zoned), &served),
        scene("delete service", Some(&served), &sides),
        scene("make far set-up", Some(&network), &kept),
        scene("change far set-up", Some(&kept), &changed_in(&kept, &["cluster.far/setup"])),
        scene("replace far set-up", Some(&kept), &anew),
        scene("delete far set-up", Some(&kept), &network),
    ]
}

/// What the blocks of a scene begin with.
const CLUSTERED: &[&str] = &["cluster"];
const FILED: &[&str] = &["volume", "filesystem"];
const ZONED: &[&str] = &["network.main/zone"];

fn changed_in(whole: &Desired, blocks: &[&str]) -> Desired {
    let mut out = whole.clone();
    for (address, spec) in &mut out.specs {
        if blocks.iter().any(|block| address.to_string().starts_with(block)) {
            change(address, spec);
        }
    }
    out
}

/// Every field that changes in place, changed.
fn changed(desired: &Desired) -> Desired {
    changed_in(desired, &[""])
}

fn other_tags(tags: &mut Tags) {
    tags.remove("team");
    tags.insert("owner".to_owned(), "infra".to_owned());
}

fn document(statement: &str) -> Text {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    Text::Known(canonical_json(&text).expect("a document"))
}

const MANAGED: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

fn change_role(role: &mut Role) {
    role.description = "other nodes".to_owned();
    role.trust = document(
        r#"{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":["ec2.amazonaws.com","ssm.amazonaws.com"]}}"#,
    );
    let allow = r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#;
    let (name, document) = ("other".to_owned(), document(allow));
    role.policies = vec![InlinePolicy { name, document }];
    role.managed = vec![MANAGED.to_owned()];
    other_tags(&mut role.tags);
}

fn change(address: &Address, spec: &mut Spec) {
    match spec {
        Spec::Vpc(vpc) => {
            vpc.dns_hostnames = false;
            other_tags(&mut vpc.tags);
        }
        Spec::Subnet(subnet) => {
            subnet.public_ips = true;
            other_tags(&mut subnet.tags);
        }
        Spec::InternetGateway(gateway) => other_tags(&mut gateway.tags),
        Spec::ElasticIp(ip) => other_tags(&mut ip.tags),
        Spec::NatGateway(nat) => other_tags(&mut nat.tags),
        Spec::RouteTable(table) => {
            let gateway = Target::Gateway(Link::To(address.owner().with_part("gateway")));
            for route in &mut table.routes {
                route.target = gateway.clone();
            }
            if let Some(mut more) = table.routes.first().cloned() {
                more.destination = "192.168.0.0/16".to_owned();
                table.routes.push(more);
            }
            table.subnets.clear();
            other_tags(&mut table.tags);
        }
        Spec::VpcEndpoint(endpoint) => {
            endpoint.route_tables.pop();
            other_tags(&mut endpoint.tags);
        }
        Spec::SecurityGroup(group) => {
            let peer = || Peer::Cidr("10.0.0.0/8".to_owned());
            let ssh = Rule { protocol: "tcp".to_owned(), ..Rule::all(peer(), "from inside") };
            group.ingress = vec![Rule { ports: Some((22, 22)), ..ssh }];
            group.egress = vec![Rule::all(peer(), "inside only")];
            other_tags(&mut group.tags);
        }
        Spec::HostedZone(zone) => {
            zone.vpcs.push(Link::To(Address::from_tag("network.side/vpc").expect("an address")));
            other_tags(&mut zone.tags);
        }
        Spec::Bucket(_) | Spec::Queue(_) => change_storage(spec),
        Spec::BucketObject(object) => other_tags(&mut object.tags),
        Spec::Volume(_)
        | Spec::EfsFileSystem(_)
        | Spec::LustreFileSystem(_)
        | Spec::DataRepositoryAssociation(_) => change_files(spec),
        Spec::Role(role) => change_role(role),
        Spec::InstanceProfile(profile) => {
            profile.roles.clear();
            other_tags(&mut profile.tags);
        }
        Spec::PlacementGroup(group) => other_tags(&mut group.tags),
        Spec::LaunchTemplate(template) => other_tags(&mut template.tags),
        Spec::Node(_) => {}
    }
}

fn change_storage(spec: &mut Spec) {
    match spec {
        Spec::Bucket(bucket) => {
            bucket.versioning = !bucket.versioning;
            bucket.encryption = match bucket.encryption {
                Some(_) => None,
                None => Some(Encryption { algorithm: "AES256".to_owned(), key: None }),
            };
            bucket.public_access_block = false;
            bucket.ownership = None;
            bucket.policy = None;
            bucket.lifecycle.clear();
            bucket.precious = true;
            other_tags(&mut bucket.tags);
        }
        Spec::Queue(queue) => {
            queue.visibility_timeout += 60;
            queue.dead_letter = None;
            other_tags(&mut queue.tags);
        }
        _ => {}
    }
}

fn change_files(spec: &mut Spec) {
    match spec {
        Spec::Volume(volume) => {
            volume.provisioned.iops = Some(6000);
            other_tags(&mut volume.tags);
        }
        Spec::EfsFileSystem(system) => {
            system.throughput =
                EfsThroughput { mode: "provisioned".to_owned(), provisioned: Some(64) };
            system.infrequent_after = Some(30);
            system.backup = !system.backup;
            system.targets.clear();
            other_tags(&mut system.tags);
        }
        Spec::LustreFileSystem(system) => {
            system.throughput = Some(250);
            system.compression = "NONE".to_owned();
            other_tags(&mut system.tags);
        }
        Spec::DataRepositoryAssociation(association) => {
            association.events.export = association.events.import.clone();
            other_tags(&mut association.tags);
        }
        _ => {}
    }
}
