//! Placement groups, launch templates, nodes and facts over the wire.

use std::collections::BTreeSet;

use mlinfra::cloud::{Ask, Call, Class, Cloud, Launch, Phase, Reply};
use mlinfra::kinds::{
    Disk, InstanceProfile, Interface, InterfaceKind, Kind, KindName, LaunchTemplate, Market,
    Metadata, Node, Offer, PlacementGroup, Rule, SecurityGroup, Spec, Tags,
};
use mlinfra::model::{CloudId, ImageId, TemplateId, Text, Zone};

use crate::aws_iam::role;
use crate::aws_network::{link, subnet, tags, vpc};
use crate::aws_stage::{Stage, home};

fn placement() -> PlacementGroup {
    PlacementGroup {
        name: "llm-train".to_owned(),
        strategy: "cluster".to_owned(),
        tags: Tags::new(),
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_placement_group_lives_and_dies() {
    let stage = Stage::new().await;
    let (first, owner) = (placement(), stage.owner("cluster.train/placement"));
    let last = PlacementGroup { tags: tags(&[("a", "b")]), ..first.clone() };
    let id = stage.create(&first.clone().into(), &owner).await.expect("a group");
    assert_eq!(Some(id.clone()), first.computed_id(&home()));
    stage.only_once(&id, &first.clone().into(), &owner).await;
    stage.is(&id, &first.clone().into(), &[]).await;
    stage.turn(&id, &first.clone().into(), &last.clone().into()).await;
    stage.is(&id, &last.clone().into(), &[]).await;
    stage.turn(&id, &last.clone().into(), &first.clone().into()).await;
    stage.is(&id, &first.clone().into(), &[]).await;
    stage.end(&id, &first.into()).await;
}

/// Everything that a template refers to.
pub struct Parts {
    pub profile: CloudId,
    pub group: CloudId,
    pub placement: CloudId,
    pub subnet: CloudId,
    pub image: ImageId,
}

pub async fn parts(stage: &Stage) -> Parts {
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let subnet = stage.make("network.main/subnet-a", subnet(&vpc, 'a')).await;
    let group = SecurityGroup {
        name: "llm-nodes".to_owned(),
        description: "nodes".to_owned(),
        vpc: link(&vpc),
        ingress: Vec::<Rule>::new(),
        egress: Vec::new(),
        tags: Tags::new(),
    };
    let group = stage.make("cluster.train/group", group).await;
    let role = stage.make("cluster.train/role", role()).await;
    let profile = InstanceProfile {
        name: "llm-train-us-east-1".to_owned(),
        path: "/mlinfra/us-east-1/llm/".to_owned(),
        roles: vec![link(&role)],
        tags: Tags::new(),
    };
    let profile = stage.make("cluster.train/profile", profile).await;
    let placement = stage.make("cluster.train/placement", placement()).await;
    let ask = Ask { images: BTreeSet::from(["amzn2-ami-*".to_owned()]), ..Ask::default() };
    let facts = stage.aws.facts(&ask).await.expect("facts");
    let image = facts.images.get("amzn2-ami-*").cloned().expect("an image");
    Parts { profile, group, placement, subnet, image }
}

pub fn template(parts: &Parts) -> LaunchTemplate {
    LaunchTemplate {
        name: "llm-train".to_owned(),
        image: parts.image.clone(),
        image_from: "amzn2-ami-*".to_owned(),
        profile: link(&parts.profile),
        groups: vec![link(&parts.group)],
        disk: Disk {
            device: "/dev/sda1".to_owned(),
            size: 200,
            volume_type: "gp3".to_owned(),
            iops: Some(6000),
            throughput: Some(500),
            encrypted: true,
            kms_key: Some("arn:aws:kms:us-east-1:123456789012:key/1".to_owned()),
        },
        user_data: Text::Known("#!/bin/sh\necho \"grüße\"\n".to_owned()),
        metadata: Metadata { tokens: "required".to_owned(), hop_limit: 1, tags: true },
        on_shutdown: "terminate".to_owned(),
        default_version: 1,
        tags: tags(&[("team", "nlp")]),
    }
}

/// EFA on every card; the first one carries IP as well.
fn cards() -> Vec<Interface> {
    let first = Interface { card: 0, device: 0, kind: InterfaceKind::Efa };
    let more = |card| Interface { card, device: 1, kind: InterfaceKind::EfaOnly };
    vec![first, more(1), more(2)]
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_launch_template_lives_and_dies() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let first = template(&parts);
    let owner = stage.owner("cluster.train/template");
    let id = stage.create(&first.clone().into(), &owner).await.expect("a template");
    stage.only_once(&id, &first.clone().into(), &owner).await;
    stage.is(&id, &first.clone().into(), &[]).await;
    let last = LaunchTemplate { tags: tags(&[("cost", "1")]), ..first.clone() };
    stage.turn(&id, &first.clone().into(), &last.clone().into()).await;
    // moto shows the tags of the create call for ever.
    stage.is(&id, &last.clone().into(), &["tags"]).await;
    let sent = stage.moto.sent("CreateTags").pop().expect("tags were sent");
    assert_eq!(sent.get("ResourceId.1"), Some(&id.0));
    assert_eq!(sent.get("Tag.1.Key").map(String::as_str), Some("cost"));

    stage.end(&id, &last.into()).await;
}

/// What is longer than EC2 takes goes compressed, and is read as it was written.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_launch_template_takes_long_user_data() {
    let stage = Stage::new().await;
    let long = format!("#cloud-config\n{}", "# grüße\n".repeat(3000));
    let user_data = Text::Known(long);
    let want = LaunchTemplate { user_data, ..template(&parts(&stage).await) };
    let id = stage.make("cluster.train/template", want.clone()).await;
    let sent = stage.moto.sent("CreateLaunchTemplate").pop().expect("it was sent");
    let sent = sent.get("LaunchTemplateData.UserData").expect("user data");
    assert!(sent.len() < 1000 && sent.starts_with("H4sI"), "{}", sent.len());
    stage.is(&id, &want.into(), &[]).await;
}

/// A version that somebody else added is seen as a changed default, and undone.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_launch_template_with_a_foreign_version_is_still_read() {
    let stage = Stage::new().await;
    let want = template(&parts(&stage).await);
    let id = stage.make("cluster.train/template", want.clone()).await;
    let form = |action: &str| format!("Action={action}&Version=2016-11-15&LaunchTemplateId={id}");
    let more = "&LaunchTemplateData.InstanceType=t3.micro";
    stage.moto.form(&format!("{}{more}", form("CreateLaunchTemplateVersion"))).await;
    stage.moto.form(&format!("{}&SetDefaultVersion=2", form("ModifyLaunchTemplate"))).await;
    let changed = LaunchTemplate { default_version: 2, ..want.clone() };
    stage.is(&id, &changed.clone().into(), &[]).await;
    stage.turn(&id, &changed.into(), &want.clone().into()).await;
    stage.is(&id, &want.into(), &[]).await;
}

fn launch(stage: &Stage, parts: &Parts, template: &CloudId, count: u32) -> Launch {
    Launch {
        template: TemplateId(template.0.clone()),
        offer: Offer::plain("p5.48xlarge", Zone::from("us-east-1a"), link(&parts.subnet)),
        count,
        whole: true,
        batch: 7,
        owner: stage.owner("cluster.train/nodes"),
        tags: tags(&[("team", "nlp")]),
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_nodes_are_launched_once_and_terminated() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = stage.make("cluster.train/template", template(&parts)).await;
    let batch = launch(&stage, &parts, &made, 3);
    let reply = stage.act(Call::Launch(batch.clone())).await.expect("three nodes");
    assert_eq!(reply.ids.len(), 3);
    assert_eq!(stage.act(Call::Launch(batch.clone())).await, Ok(reply.clone()));
    let other = Launch { count: 2, ..batch };
    let refused = stage.act(Call::Launch(other)).await.expect_err("another request");
    assert_eq!(refused.class, Class::Mismatch);

    let want = Node {
        reservation: None,
        template: link(&made),
        subnet: link(&parts.subnet),
        zone: Zone::from("us-east-1a"),
        instance_type: "p5.48xlarge".to_owned(),
        market: Market::OnDemand,
        placement: None,
    };
    for id in &reply.ids {
        let live = stage.live(id).await;
        assert_eq!(live.spec(), Some(&Spec::from(want.clone())));
        assert_eq!(live.batch, Some(7));
        assert!(live.is_usable());
    }
    let sent = stage.moto.sent("RunInstances").remove(0);
    assert_eq!(sent.get("NetworkInterface.1.SubnetId"), Some(&parts.subnet.0));
    assert_eq!(sent.get("NetworkInterface.1.InterfaceType"), None, "older types know no kinds");
    assert_eq!(sent.get("LaunchTemplate.Version").map(String::as_str), Some("1"));

    // One that is gone does not keep the others.
    let mut doomed = reply.ids.clone();
    doomed.push(CloudId::from("i-0123456789abcdef0"));
    assert_eq!(stage.act(Call::Terminate { ids: doomed }).await, Ok(Reply::default()));
    let left = stage.observe().await.live;
    let left: Vec<_> = left.values().filter(|live| live.kind == KindName::Node).collect();
    assert!(left.iter().all(|live| live.phase == Phase::Leaving), "{left:?}");
    let missing = CloudId::from("i-0123456789abcdef0");
    assert_eq!(stage.aws.phase(KindName::Node, &missing).await, Ok(Phase::Gone));
    let again = Call::Terminate { ids: vec![missing] };
    assert_eq!(stage.act(again).await, Ok(Reply::default()));
}

/// Declared interfaces take the subnet: an instance may not name both.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_nodes_with_interfaces_name_the_subnet_in_each() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = stage.make("cluster.train/template", template(&parts)).await;
    let mut batch = launch(&stage, &parts, &made, 1);
    batch.offer.interfaces = cards();
    stage.act(Call::Launch(batch)).await.expect("a node");
    let sent = stage.moto.sent("RunInstances").remove(0);
    assert_eq!(sent.get("SubnetId"), None);
    for (number, card) in cards().iter().enumerate() {
        let of = |field: &str| sent.get(&format!("NetworkInterface.{}.{field}", number + 1));
        assert_eq!(of("SubnetId"), Some(&parts.subnet.0));
        assert_eq!(of("NetworkCardIndex"), Some(&card.card.to_string()));
        assert_eq!(of("SecurityGroupId.1"), Some(&parts.group.0));
    }
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_facts_name_zones_offerings_and_images() {
    let stage = Stage::new().await;
    let ask = Ask {
        images: ["al2023", "amzn2-ami-*", "ami-00000000000000000", "no such image"]
            .map(str::to_owned)
            .into(),
        instance_types: ["p5.48xlarge", "x99.none"].map(str::to_owned).into(),
        ..Ask::default()
    };
    let facts = stage.aws.facts(&ask).await.expect("facts");
    assert_eq!(facts.home, home());
    assert_eq!(facts.zones.first(), Some(&Zone::from("us-east-1a")));
    assert!(!facts.offerings["p5.48xlarge"].is_empty());
    assert!(facts.offerings["x99.none"].is_empty());
    assert!(!facts.images.contains_key("no such image"));
    assert!(!facts.images.contains_key("ami-00000000000000000"));
    let image = facts.images.get("amzn2-ami-*").expect("an image");
    let ask = Ask { images: BTreeSet::from([image.0.clone()]), ..Ask::default() };
    let again = stage.aws.facts(&ask).await.expect("facts");
    assert_eq!(again.images.get(&image.0), Some(image));
}

/// What each market adds to the launch, as it goes over the wire.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_launches_say_market_reservation_and_placement() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = stage.make("cluster.train/template", template(&parts)).await;
    let offers = [
        (Market::Spot, None, true),
        (Market::Reserved, Some("cr-0123456789abcdef0"), false),
        (Market::Reserved, Some("cr-0123456789abcdef1"), true),
        (Market::CapacityBlock, Some("cr-0fedcba9876543210"), false),
    ];
    for (market, reservation, grouped) in offers {
        let mut batch = launch(&stage, &parts, &made, 1);
        batch.owner = stage.owner("cluster.train/nodes");
        batch.offer.market = market;
        batch.offer.reservation = reservation.map(Into::into);
        batch.offer.placement = grouped.then(|| link(&parts.placement));
        // moto does not know every market; what is asked here is what was sent.
        drop(stage.act(Call::Launch(batch)).await);
        let sent = stage.moto.sent("RunInstances").pop().expect("a launch");
        let said = |key: &str| sent.get(key).map(String::as_str);
        let kind = match market {
            Market::Spot => Some("spot"),
            Market::CapacityBlock => Some("capacity-block"),
            Market::OnDemand | Market::Reserved => None,
        };
        assert_eq!(said("InstanceMarketOptions.MarketType"), kind);
        let id = "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId";
        assert_eq!(said(id), reservation);
        let group = grouped.then(|| parts.placement.short());
        assert_eq!(said("Placement.GroupName"), group);
    }
}
