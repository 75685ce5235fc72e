//! Every rule of the region.

mod behaviour;
mod files;
mod rules;
mod views;

use super::{Region, Settings};
use crate::cloud::{
    Call, Class, Cloud, Failure, Launch, Live, Make, Observed, Owner, Phase, Scope,
};
use crate::kinds::{
    Disk, ElasticIp, InternetGateway, Kind, KindName, LaunchTemplate, Market, Metadata, NatGateway,
    Offer, PlacementGroup, Spec, Subnet, Tags, Vpc, edits,
};
use crate::model::{
    Address, CloudId, ImageId, Link, Region as RegionName, StackName, TemplateId, Token, Zone,
};

fn region() -> Region {
    Region::memory(RegionName::from("us-east-1"), Settings::default())
}

fn with(changes: &[(&str, &str)]) -> Region {
    let region = region();
    for (key, value) in changes {
        region.set(key, value).expect("a setting");
    }
    region
}

fn owner(token: &str) -> Owner {
    Owner {
        stack: StackName::from("llm"),
        address: Address::from_tag("network.main/vpc").expect("an address"),
        generation: 1,
        token: Token::from(token),
        named: None,
    }
}

async fn create(region: &Region, token: &str, spec: impl Into<Spec>) -> Result<CloudId, Failure> {
    let call = Call::Create(Make { spec: spec.into(), owner: owner(token) });
    region.act(&call).await.map(|reply| reply.ids[0].clone())
}

async fn make(region: &Region, token: &str, spec: impl Into<Spec>) -> CloudId {
    create(region, token, spec).await.expect("an object")
}

/// Sends every edit that turns what is there into what is wanted.
async fn converge(region: &Region, id: &CloudId, want: impl Into<Spec>) -> Result<(), Failure> {
    let want = want.into();
    let have = region.snapshot().into_iter().find(|view| view.id == *id).expect("it is there");
    for edit in edits(&have.spec, &want) {
        region.act(&Call::Edit { kind: want.kind(), id: id.clone(), edit }).await?;
    }
    Ok(())
}

async fn delete(region: &Region, id: &CloudId, was: impl Into<Spec>) -> Result<(), Failure> {
    let call = Call::Delete { id: id.clone(), was: was.into() };
    region.act(&call).await.map(|_| ())
}

async fn observe(region: &Region) -> Observed {
    let home = region.caller().await.expect("a caller").home;
    region.observe(&Scope { stack: StackName::from("llm"), home, names: Default::default() }).await
}

async fn phase(region: &Region, kind: KindName, id: &CloudId) -> Phase {
    region.phase(kind, id).await.expect("a phase")
}

fn vpc() -> Vpc {
    let tags = Tags::from([("team".to_owned(), "nlp".to_owned())]);
    Vpc { cidr: "10.0.0.0/16".to_owned(), dns_support: true, dns_hostnames: true, tags }
}

fn subnet(vpc: &CloudId, cidr: &str, zone: &str) -> Subnet {
    Subnet {
        vpc: Link::Id(vpc.0.clone().into()),
        cidr: cidr.to_owned(),
        zone: Zone::from(zone),
        public_ips: false,
        tags: Tags::new(),
    }
}

fn gateway(vpc: &CloudId) -> InternetGateway {
    InternetGateway { vpc: Some(Link::Id(vpc.0.clone().into())), tags: Tags::new() }
}

fn nat(subnet: &CloudId, address: &CloudId) -> NatGateway {
    NatGateway {
        subnet: Link::Id(subnet.0.clone().into()),
        address: Link::Id(address.0.clone().into()),
        tags: Tags::new(),
    }
}

fn address() -> ElasticIp {
    ElasticIp { tags: Tags::new() }
}

fn group() -> PlacementGroup {
    let (name, strategy) = ("train".to_owned(), "cluster".to_owned());
    PlacementGroup { name, strategy, tags: Tags::new() }
}

fn template(name: &str) -> LaunchTemplate {
    LaunchTemplate {
        name: name.to_owned(),
        image: ImageId::from("ami-1"),
        image_from: "base".to_owned(),
        profile: Link::Id("arn:aws:iam::000000000000:instance-profile/mlinfra/p".into()),
        groups: Vec::new(),
        disk: Disk {
            device: "/dev/sda1".to_owned(),
            size: 200,
            volume_type: "gp3".to_owned(),
            iops: None,
            throughput: None,
            encrypted: true,
            kms_key: None,
        },
        user_data: "#!/bin/sh\n".into(),
        metadata: Metadata { tokens: "required".to_owned(), hop_limit: 1, tags: true },
        on_shutdown: "terminate".to_owned(),
        default_version: 1,
        tags: Tags::new(),
    }
}

fn profile() -> crate::kinds::InstanceProfile {
    crate::kinds::InstanceProfile {
        name: "p".to_owned(),
        path: "/mlinfra/".to_owned(),
        roles: Vec::new(),
        tags: Tags::new(),
    }
}

fn launch(template: &CloudId, subnet: &CloudId, zone: &str, count: u32, token: &str) -> Call {
    Call::Launch(Launch {
        template: TemplateId(template.0.clone()),
        offer: Offer::plain("p5.48xlarge", Zone::from(zone), Link::Id(subnet.0.clone().into())),
        count,
        whole: true,
        batch: 7,
        owner: owner(token),
        tags: Tags::from([("Name".to_owned(), "node".to_owned())]),
    })
}

/// A VPC with a subnet in zone a, a profile and a template, ready for launches.
struct Base {
    region: Region,
    vpc: CloudId,
    subnet: CloudId,
    template: CloudId,
}

async fn base(changes: &[(&str, &str)]) -> Base {
    let region = with(changes);
    let vpc_id = make(&region, "v", vpc()).await;
    let subnet_id = make(&region, "s", subnet(&vpc_id, "10.0.0.0/20", "us-east-1a")).await;
    make(&region, "p", profile()).await;
    let template_id = make(&region, "t", template("train")).await;
    Base { region, vpc: vpc_id, subnet: subnet_id, template: template_id }
}

fn class<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> (Class, String) {
    let failure = outcome.expect_err("a refusal");
    (failure.class, failure.code)
}

fn refused(class: Class, code: &str) -> (Class, String) {
    (class, code.to_owned())
}

fn only(observed: Observed) -> Live {
    assert_eq!(observed.live.len(), 1);
    observed.live.into_values().next().expect("one")
}
