//! A small stack in which every kind stands once, wired by addresses.
#![allow(missing_docs, clippy::expect_used)]

use mlinfra::kinds::{
    Bucket, BucketObject, DataRepositoryAssociation, DeadLetter, Disk, EfsFileSystem,
    EfsThroughput, ElasticIp, Encryption, Events, Home, HostedZone, InlinePolicy, InstanceProfile,
    InternetGateway, LaunchTemplate, LifecycleRule, LustreFileSystem, Metadata, MountTarget,
    NatGateway, Peer, PlacementGroup, Provisioned, Queue, Record, Role, Route, RouteTable, Rule,
    SecurityGroup, Spec, Subnet, Tags, Target, Volume, Vpc, VpcEndpoint, canonical,
};
use mlinfra::model::{Address, ImageId, Link, Text, Zone};
use serde_json::json;

/// What the samples need to know of their surroundings.
#[derive(Clone, Debug)]
pub struct Place {
    /// Account and region.
    pub home: Home,
    /// The stack; every name begins with it.
    pub stack: String,
    /// An image that exists.
    pub image: ImageId,
    /// An instance type that can be had.
    pub instance_type: String,
}

/// An address from its text.
pub fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

fn to<T>(text: &str) -> Link<T> {
    Link::To(at(text))
}

/// A few tags for people.
pub fn tags() -> Tags {
    Tags::from([("team".to_owned(), "nlp".to_owned())])
}

/// A VPC.
pub fn vpc() -> Vpc {
    let cidr = "10.20.0.0/16".to_owned();
    Vpc { cidr, dns_support: true, dns_hostnames: true, tags: tags() }
}

/// A subnet of it: 0 is public, in zone a; 1 is private, in zone a; 2 is private, in zone b.
pub fn subnet(place: &Place, n: u8) -> Subnet {
    let letter = if n == 2 { 'b' } else { 'a' };
    Subnet {
        vpc: to("network.main/vpc"),
        cidr: format!("10.20.{}.0/20", u32::from(n) * 16),
        zone: Zone(format!("{}{letter}", place.home.region)),
        public_ips: n == 0,
        tags: tags(),
    }
}

/// Its way out.
pub fn gateway() -> InternetGateway {
    InternetGateway { vpc: Some(to("network.main/vpc")), tags: tags() }
}

/// An address for the NAT gateway.
pub fn address() -> ElasticIp {
    ElasticIp { tags: tags() }
}

/// A NAT gateway in the public subnet.
pub fn nat() -> NatGateway {
    let (subnet, address) = (to("network.main/subnet-0"), to("network.main/address"));
    NatGateway { subnet, address, tags: tags() }
}

/// A table that sends everything one way.
pub fn route_table(target: Target, subnet: &str) -> RouteTable {
    RouteTable {
        vpc: to("network.main/vpc"),
        routes: vec![Route { destination: "0.0.0.0/0".to_owned(), target }],
        subnets: vec![to(subnet)],
        tags: tags(),
    }
}

/// An endpoint for S3.
pub fn endpoint(place: &Place) -> VpcEndpoint {
    VpcEndpoint {
        vpc: to("network.main/vpc"),
        service: format!("com.amazonaws.{}.s3", place.home.region),
        route_tables: vec![to("network.main/table-private")],
        tags: tags(),
    }
}

/// A group whose members talk to each other, and to another group if one is named.
pub fn group(place: &Place, name: &str, other: Option<&str>) -> SecurityGroup {
    let mut ingress = vec![Rule::all(Peer::Itself, "each other")];
    ingress.extend(other.map(|other| Rule {
        protocol: "tcp".to_owned(),
        ports: Some((988, 1023)),
        peer: Peer::Group(to(other)),
        description: "storage".to_owned(),
    }));
    SecurityGroup {
        name: format!("{}-{name}", place.stack),
        description: "nodes".to_owned(),
        vpc: to("network.main/vpc"),
        ingress,
        egress: vec![Rule::all(Peer::Cidr("0.0.0.0/0".to_owned()), "anywhere")],
        tags: tags(),
    }
}

/// A private zone with a record.
pub fn zone() -> HostedZone {
    let addresses = vec!["10.20.0.4".to_owned(), "10.20.0.5".to_owned()];
    HostedZone {
        name: "demo.internal".to_owned(),
        vpcs: vec![to("network.main/vpc")],
        records: vec![Record::addresses("mlflow.demo.internal", 10, addresses)],
        tags: tags(),
    }
}

/// A bucket with every setting.
pub fn bucket(place: &Place) -> Bucket {
    let name = format!("{}-data", place.stack);
    let arn = place.home.arn("s3", &name);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [&arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }]});
    Bucket {
        name,
        versioning: true,
        encryption: Some(Encryption { algorithm: "AES256".to_owned(), key: None }),
        public_access_block: true,
        ownership: Some("BucketOwnerEnforced".to_owned()),
        policy: Some(Text::Known(canonical(policy))),
        lifecycle: vec![LifecycleRule {
            id: "uploads".to_owned(),
            prefix: String::new(),
            expire_days: None,
            noncurrent_days: None,
            abort_upload_days: Some(7),
        }],
        precious: true,
        tags: tags(),
    }
}

/// A bucket whose objects are ours.
pub fn shelf(place: &Place) -> Bucket {
    let name = format!("{}-setup-train", place.stack);
    Bucket { name, policy: None, precious: false, ..bucket(place) }
}

/// An object in it.
pub fn object() -> BucketObject {
    BucketObject {
        bucket: to("cluster.train/shelf"),
        key: "mlinfra/setup".to_owned(),
        content: Text::Known("#!/bin/bash\necho hi\n".to_owned()),
        tags: tags(),
    }
}

/// A queue, with a dead letter queue if one is named.
pub fn queue(place: &Place, name: &str, dead: Option<&str>) -> Queue {
    Queue {
        name: format!("{}-{name}", place.stack),
        fifo: false,
        visibility_timeout: 600,
        retention: 345_600,
        receive_wait: 20,
        encrypted: true,
        dead_letter: dead.map(|dead| DeadLetter { queue: to(dead), max_receives: 5 }),
        policy: None,
        tags: tags(),
    }
}

fn key(place: &Place) -> String {
    place.home.arn("kms", "key/0a1b2c3d-0000-1111-2222-333344445555")
}

/// A volume.
pub fn volume(place: &Place) -> Volume {
    Volume {
        zone: Zone(format!("{}a", place.home.region)),
        provisioned: Provisioned {
            size: 100,
            volume_type: "gp3".to_owned(),
            iops: Some(4000),
            throughput: Some(250),
        },
        encrypted: true,
        kms_key: Some(key(place)),
        snapshot: None,
        precious: true,
        tags: tags(),
    }
}

/// A file system with a target in two zones.
pub fn efs() -> EfsFileSystem {
    let target = |subnet: &str| {
        let groups = vec![to("network.main/storage")];
        MountTarget { subnet: to(subnet), groups }
    };
    EfsFileSystem {
        throughput: EfsThroughput { mode: "elastic".to_owned(), provisioned: None },
        encrypted: true,
        kms_key: None,
        infrequent_after: Some(30),
        backup: true,
        targets: vec![target("network.main/subnet-1"), target("network.main/subnet-2")],
        precious: true,
        tags: tags(),
    }
}

/// A fast file system.
pub fn lustre() -> LustreFileSystem {
    LustreFileSystem {
        subnet: to("network.main/subnet-1"),
        groups: vec![to("network.main/storage")],
        deployment: "PERSISTENT_2".to_owned(),
        version: "2.15".to_owned(),
        size: 1200,
        throughput: Some(250),
        compression: "LZ4".to_owned(),
        kms_key: None,
        precious: false,
        tags: tags(),
    }
}

/// What ties it to the bucket.
pub fn association() -> DataRepositoryAssociation {
    let all = |events: &[&str]| events.iter().map(|event| (*event).to_owned()).collect();
    DataRepositoryAssociation {
        file_system: to("filesystem.scratch"),
        path: "/".to_owned(),
        bucket: to("bucket.data"),
        events: Events { import: all(&["NEW", "CHANGED", "DELETED"]), export: all(&[]) },
        tags: tags(),
    }
}

fn path(place: &Place) -> String {
    format!("/mlinfra/{}/{}/", place.home.region, place.stack)
}

/// A role for nodes.
pub fn role(place: &Place) -> Role {
    let statement = |value| canonical(json!({"Version": "2012-10-17", "Statement": [value]}));
    let trust = statement(json!({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ec2.amazonaws.com"}}));
    let read = statement(json!({"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": place.home.arn("s3", &format!("{}-data/*", place.stack))}));
    Role {
        name: format!("{}-train", place.stack),
        path: path(place),
        description: "nodes of the cluster".to_owned(),
        trust: Text::Known(trust),
        policies: vec![InlinePolicy { name: "data".to_owned(), document: Text::Known(read) }],
        managed: vec!["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore".to_owned()],
        tags: tags(),
    }
}

/// The profile that hands it to nodes.
pub fn profile(place: &Place) -> InstanceProfile {
    let (name, roles) = (format!("{}-train", place.stack), vec![to("cluster.train/role")]);
    InstanceProfile { name, path: path(place), roles, tags: tags() }
}

/// A placement group.
pub fn placement(place: &Place) -> PlacementGroup {
    let (name, strategy) = (format!("{}-train", place.stack), "cluster".to_owned());
    PlacementGroup { name, strategy, tags: tags() }
}

/// A launch template.
pub fn template(place: &Place) -> LaunchTemplate {
    LaunchTemplate {
        name: format!("{}-train", place.stack),
        image: place.image.clone(),
        image_from: "base".to_owned(),
        profile: to("cluster.train/profile"),
        groups: vec![to("cluster.train/group")],
        disk: Disk {
            device: "/dev/sda1".to_owned(),
            size: 200,
            volume_type: "gp3".to_owned(),
            iops: None,
            throughput: None,
            encrypted: true,
            kms_key: None,
        },
        user_data: Text::Known("#cloud-config\n{}\n".to_owned()),
        metadata: Metadata { tokens: "required".to_owned(), hop_limit: 1, tags: true },
        on_shutdown: "terminate".to_owned(),
        default_version: 1,
        tags: tags(),
    }
}

/// All of it, in an order in which it can be made.
pub fn stack(place: &Place) -> Vec<(Address, Spec)> {
    let out = Target::Gateway(to("network.main/gateway"));
    let through = Target::Nat(to("network.main/nat"));
    let specs: Vec<(&str, Spec)> = vec![
        ("network.main/vpc", vpc().into()),
        ("network.main/subnet-0", subnet(place, 0).into()),
        ("network.main/subnet-1", subnet(place, 1).into()),
        ("network.main/subnet-2", subnet(place, 2).into()),
        ("network.main/gateway", gateway().into()),
        ("network.main/address", address().into()),
        ("network.main/nat", nat().into()),
        ("network.main/table-public", route_table(out, "network.main/subnet-0").into()),
        ("network.main/table-private", route_table(through, "network.main/subnet-1").into()),
        ("network.main/endpoint", endpoint(place).into()),
        ("network.main/storage", group(place, "storage", None).into()),
        ("network.main/zone", zone().into()),
        ("cluster.train/group", group(place, "train", Some("network.main/storage")).into()),
        ("bucket.data", bucket(place).into()),
        ("cluster.train/shelf", shelf(place).into()),
        ("cluster.train/setup", object().into()),
        ("queue.jobs/dead", queue(place, "jobs-dead", None).into()),
        ("queue.jobs", queue(place, "jobs", Some("queue.jobs/dead")).into()),
        ("cluster.train/role", role(place).into()),
        ("cluster.train/profile", profile(place).into()),
        ("cluster.train/placement", placement(place).into()),
        ("cluster.train/template", template(place).into()),
        ("volume.state", volume(place).into()),
        ("filesystem.home", efs().into()),
        ("filesystem.scratch", lustre().into()),
        ("filesystem.scratch/association", association().into()),
    ];
    specs.into_iter().map(|(address, spec)| (at(address), spec)).collect()
}
