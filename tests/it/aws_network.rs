//! The network kinds over the wire.

use mlinfra::kinds::{
    ElasticIp, InternetGateway, NatGateway, Peer, Route, RouteTable, Rule, SecurityGroup, Spec,
    Subnet, Tags, Target, Vpc, VpcEndpoint,
};
use mlinfra::model::{CloudId, Link, VpcId, Zone};

use crate::aws_stage::Stage;

pub fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub fn vpc() -> Vpc {
    Vpc {
        cidr: "10.20.0.0/16".to_owned(),
        dns_support: true,
        dns_hostnames: true,
        tags: tags(&[("team", "nlp")]),
    }
}

pub fn subnet(vpc: &CloudId, letter: char) -> Subnet {
    Subnet {
        vpc: Link::Id(VpcId(vpc.0.clone())),
        cidr: format!("10.20.{}.0/24", u32::from(letter) - u32::from('a')),
        zone: Zone(format!("us-east-1{letter}")),
        public_ips: false,
        tags: Tags::new(),
    }
}

pub fn link<T: From<String>>(id: &CloudId) -> Link<T> {
    Link::Id(T::from(id.0.clone()))
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_vpc_lives_and_dies() {
    let stage = Stage::new().await;
    let first = vpc();
    let last = Vpc { tags: tags(&[("cost", "1")]), ..first.clone() };
    let stages: Vec<Spec> = vec![
        first.clone().into(),
        Vpc { dns_hostnames: false, ..first.clone() }.into(),
        Vpc { dns_hostnames: false, dns_support: false, ..first.clone() }.into(),
        first.into(),
        last.clone().into(),
    ];
    let id = stage.life("network.main/vpc", &stages, &[]).await;
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_subnet_lives_and_dies() {
    let stage = Stage::new().await;
    let net = stage.make("network.main/vpc", vpc()).await;
    let first = subnet(&net, 'a');
    let last = Subnet { tags: tags(&[("a", "b")]), ..first.clone() };
    let public = Subnet { public_ips: true, ..first.clone() };
    let stages: Vec<Spec> = vec![first.into(), public.into(), last.clone().into()];
    let id = stage.life("network.main/subnet-a", &stages, &[]).await;
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_internet_gateway_lives_and_dies() {
    let stage = Stage::new().await;
    let net = stage.make("network.main/vpc", vpc()).await;
    let first = InternetGateway { vpc: Some(link(&net)), tags: Tags::new() };
    let last = InternetGateway { tags: tags(&[("a", "b")]), ..first.clone() };
    let stages: Vec<Spec> = vec![first.into(), last.clone().into()];
    let id = stage.life("network.main/gateway", &stages, &[]).await;
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_elastic_ip_lives_and_dies() {
    let stage = Stage::new().await;
    let last = ElasticIp { tags: tags(&[("a", "b")]) };
    let stages: Vec<Spec> = vec![ElasticIp { tags: Tags::new() }.into(), last.clone().into()];
    let id = stage.life("network.main/address", &stages, &[]).await;
    stage.end(&id, &last.into()).await;
}

struct Net {
    vpc: CloudId,
    subnets: Vec<CloudId>,
    gateway: CloudId,
    nat: CloudId,
}

async fn net(stage: &Stage) -> Net {
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let mut subnets = Vec::new();
    for letter in ['a', 'b'] {
        let address = format!("network.main/subnet-{letter}");
        subnets.push(stage.make(&address, subnet(&vpc, letter)).await);
    }
    subnets.sort();
    let attached = InternetGateway { vpc: Some(link(&vpc)), tags: Tags::new() };
    let gateway = stage.make("network.main/gateway", attached).await;
    let address = stage.make("network.main/address", ElasticIp { tags: Tags::new() }).await;
    let nat = NatGateway { subnet: link(&subnets[0]), address: link(&address), tags: Tags::new() };
    let nat = stage.make("network.main/nat", nat).await;
    Net { vpc, subnets, gateway, nat }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_nat_gateway_lives_and_dies() {
    let stage = Stage::new().await;
    let net = net(&stage).await;
    let first = stage.live(&net.nat).await.spec().cloned().expect("its spec");
    let Spec::NatGateway(nat) = first.clone() else { panic!("{first:?}") };
    let last = Spec::from(NatGateway { tags: tags(&[("a", "b")]), ..nat });
    stage.turn(&net.nat, &first, &last).await;
    stage.is(&net.nat, &last, &[]).await;

    // The same token is the same gateway; the same token for another request is refused.
    let address = stage.make("network.main/address2", ElasticIp { tags: Tags::new() }).await;
    let Spec::NatGateway(nat) = last.clone() else { panic!("{last:?}") };
    let second = Spec::from(NatGateway { address: link(&address), ..nat });
    let owner = stage.owner("network.main/nat2");
    let one = stage.create(&second, &owner).await.expect("a gateway");
    assert_eq!(stage.create(&second, &owner).await, Ok(one));
    let other = stage.create(&first, &owner).await.expect_err("another request");
    assert_eq!(other.class, mlinfra::cloud::Class::Mismatch);
    stage.end(&net.nat, &last).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_route_table_lives_and_dies() {
    let stage = Stage::new().await;
    let net = net(&stage).await;
    let route = |to: &str, target| Route { destination: to.to_owned(), target };
    let everywhere = "0.0.0.0/0";
    let first = RouteTable {
        vpc: link(&net.vpc),
        routes: vec![route(everywhere, Target::Gateway(link(&net.gateway)))],
        subnets: vec![link(&net.subnets[0])],
        tags: Tags::new(),
    };
    let nat = route(everywhere, Target::Nat(link(&net.nat)));
    let second = RouteTable { routes: vec![nat.clone()], ..first.clone() };
    let more = route("192.168.0.0/16", Target::Nat(link(&net.nat)));
    let third = RouteTable { routes: vec![nat, more], ..first.clone() };
    let fourth = RouteTable { routes: Vec::new(), ..first.clone() };
    let both = net.subnets.iter().map(link).collect();
    let fifth = RouteTable { subnets: both, ..fourth.clone() };
    let last = RouteTable {
        subnets: vec![link(&net.subnets[1])],
        tags: tags(&[("a", "b")]),
        ..fifth.clone()
    };
    let stages = [&first, &second, &third, &fourth, &fifth, &last].map(|t| t.clone().into());
    let id = stage.life("network.main/routes", &stages, &[]).await;

    // A subnet that hangs on another table of ours moves.
    let successor = RouteTable { tags: Tags::new(), ..last.clone() };
    let other = stage.make("network.main/routes2", successor.clone()).await;
    stage.is(&other, &successor.into(), &[]).await;
    let left = RouteTable { subnets: Vec::new(), ..last.clone() };
    stage.is(&id, &left.into(), &[]).await;
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_vpc_endpoint_lives_and_dies() {
    let stage = Stage::new().await;
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let mut tables = Vec::new();
    for number in 0..2 {
        let table = RouteTable {
            vpc: link(&vpc),
            routes: Vec::new(),
            subnets: Vec::new(),
            tags: Tags::new(),
        };
        tables.push(stage.make(&format!("network.main/routes-{number}"), table).await);
    }
    tables.sort();
    let first = VpcEndpoint {
        vpc: link(&vpc),
        service: "com.amazonaws.us-east-1.s3".to_owned(),
        route_tables: vec![link(&tables[0])],
        tags: Tags::new(),
    };
    let second = VpcEndpoint { route_tables: tables.iter().map(link).collect(), ..first.clone() };
    let third = VpcEndpoint { route_tables: vec![link(&tables[1])], ..first.clone() };
    // moto can delete an endpoint only from the tables that it was made with.
    let last = VpcEndpoint { tags: tags(&[("a", "b")]), ..first.clone() };
    let stages = [first, second, third, last.clone()].map(Spec::from);
    let id = stage.life("network.main/s3", &stages, &[]).await;
    stage.end(&id, &last.into()).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_security_group_lives_and_dies() {
    let stage = Stage::new().await;
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let cidr = |text: &str| Peer::Cidr(text.to_owned());
    // moto forgets the description where the other side is a group.
    let rule = |protocol: &str, ports, peer: Peer| Rule {
        protocol: protocol.to_owned(),
        ports,
        description: if matches!(peer, Peer::Cidr(_)) { "why" } else { "" }.to_owned(),
        peer,
    };
    let first = SecurityGroup {
        name: "llm-nodes".to_owned(),
        description: "nodes".to_owned(),
        vpc: link(&vpc),
        ingress: vec![Rule::all(Peer::Itself, "")],
        egress: vec![Rule::all(Peer::Itself, ""), Rule::all(cidr("0.0.0.0/0"), "updates")],
        tags: Tags::new(),
    };
    let owner = stage.owner("cluster.train/group");
    let other = stage.make(
        "cluster.train/other",
        SecurityGroup { name: "llm-other".to_owned(), ..first.clone() },
    );
    let other = other.await;
    let mut ingress = vec![
        rule("tcp", Some((443, 443)), cidr("10.0.0.0/8")),
        rule("udp", None, Peer::Group(link(&other))),
        Rule::all(Peer::Itself, ""),
    ];
    ingress.sort();
    let second = SecurityGroup { ingress, ..first.clone() };
    let last = SecurityGroup {
        ingress: Vec::new(),
        egress: vec![rule("tcp", Some((988, 1023)), Peer::Itself)],
        tags: tags(&[("a", "b")]),
        ..first.clone()
    };
    let id = stage.create(&first.clone().into(), &owner).await.expect("a group");
    stage.only_once(&id, &first.clone().into(), &owner).await;
    // What a fresh group allows is what its kind says it does.
    stage.is(&id, &Spec::from(first.clone()).born(), &[]).await;
    stage.turn(&id, &Spec::from(first.clone()).born(), &first.clone().into()).await;
    stage.is(&id, &first.clone().into(), &[]).await;
    stage.turn(&id, &first.into(), &second.clone().into()).await;
    stage.is(&id, &second.clone().into(), &[]).await;
    stage.turn(&id, &second.into(), &last.clone().into()).await;
    stage.is(&id, &last.clone().into(), &[]).await;
    stage.end(&id, &last.into()).await;
}

/// Another stack whose name begins the same is a stranger; a broken address is told.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_objects_are_owned_by_their_tags_alone() {
    let stage = Stage::new().await;
    let make = |stack: &str, address: &str| {
        format!(
            "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.1.0.0/16\
             &TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=mlinfra:stack\
             &TagSpecification.1.Tag.1.Value={stack}\
             &TagSpecification.1.Tag.2.Key=mlinfra:address\
             &TagSpecification.1.Tag.2.Value={address}"
        )
    };
    stage.moto.form(&make("llm-dev", "network.main/vpc")).await;
    stage.moto.form(&make("llm", "nonsense")).await;
    stage.moto.form(&make("llm", "network.main/vpc")).await;
    let observed = mlinfra::cloud::Cloud::observe(&stage.aws, &stage.scope).await;
    assert_eq!(observed.live.len(), 1, "{:?}", observed.live);
    let why: Vec<_> = observed.unreadable.values().collect();
    assert!(why.len() == 1 && why[0].contains("nonsense"), "{why:?}");
}
