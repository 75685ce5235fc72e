//! What readers see, foreign hands, settings and speed.

use std::time::Duration;

use super::*;
use crate::cloud::{Ask, Seen};
use crate::kinds::{Route, RouteTable, Target};
use crate::model::tags;

#[tokio::test(start_paused = true)]
async fn only_the_own_stack_is_seen() {
    let region = region();
    make(&region, "v", vpc()).await;
    region.foreign_create(&vpc().into(), Tags::new()).expect("nobody's");
    let theirs = Tags::from([(tags::STACK.to_owned(), "other".to_owned())]);
    region.foreign_create(&vpc().into(), theirs).expect("another stack's");
    let broken = Tags::from([(tags::STACK.to_owned(), "llm".to_owned())]);
    let broken = region.foreign_create(&vpc().into(), broken).expect("half of ours");
    let seen = observe(&region).await;
    assert_eq!((seen.live.len(), seen.unreadable.len()), (1, 1));
    assert!(seen.unreadable.contains_key(&broken));
    assert_eq!(region.snapshot().len(), 4);
    let west = region.elsewhere(RegionName::from("us-west-2"));
    assert!(observe(&west).await.live.is_empty());
}

#[tokio::test(start_paused = true)]
async fn blindness_is_reported() {
    let Base { region, vpc: id, .. } = base(&[("blind", "subnet")]).await;
    region.set("blind_objects", id.as_str()).expect("a setting");
    let seen = observe(&region).await;
    assert_eq!(seen.blind.keys().collect::<Vec<_>>(), [&KindName::Subnet]);
    assert!(matches!(seen.live[&id].seen, Seen::Blind(_)));
    assert!(seen.live.values().all(|live| live.kind != KindName::Subnet));
    assert_eq!(region.phase(KindName::Vpc, &id).await.expect_err("denied").class, Class::Denied);
    region.set("faults", "deny@ec2:DescribeLaunchTemplates").expect("a fault");
    assert!(observe(&region).await.blind.contains_key(&KindName::LaunchTemplate));
    assert!(!observe(&region).await.blind.contains_key(&KindName::LaunchTemplate));
}

#[tokio::test(start_paused = true)]
async fn foreign_hands_change_what_is_seen() {
    let region = region();
    let id = make(&region, "v", vpc()).await;
    region.foreign_edit("network.main/vpc", "dns_support", false.into()).expect("an edit");
    let wrong = region.foreign_edit(id.as_str(), "nope", 1.into()).expect_err("no such field");
    assert!(wrong.to_string().contains("dns_support"), "{wrong}");
    let found = only(observe(&region).await);
    assert!(!found.spec().expect("readable").fields()["dns_support"].as_bool().expect("a bool"));
    region.foreign_tag(id.as_str(), tags::STACK, Some("other")).expect("a tag");
    assert!(observe(&region).await.live.is_empty());
    region.foreign_tag(id.as_str(), tags::STACK, Some("llm")).expect("a tag");
    region.foreign_tag(id.as_str(), "team", None).expect("a tag");
    let tags = region.snapshot()[0].tags.clone();
    assert!(!tags.contains_key("team") && tags.contains_key(tags::ADDRESS));
    region.foreign_delete(id.as_str()).expect("a delete");
    assert!(region.foreign_delete(id.as_str()).is_err());
    assert_eq!(region.mutations(), 1, "only the creation came through the port");
}

#[tokio::test(start_paused = true)]
async fn routes_to_what_is_gone_become_black_holes() {
    let Base { region, vpc, subnet: place, .. } = base(&[]).await;
    converge(&region, &make(&region, "g", gateway(&vpc)).await, gateway(&vpc)).await.expect("edit");
    let ip = make(&region, "e", address()).await;
    let way_out = make(&region, "n", nat(&place, &ip)).await;
    let table = RouteTable {
        vpc: Link::Id(vpc.0.clone().into()),
        routes: vec![Route {
            destination: "0.0.0.0/0".to_owned(),
            target: Target::Nat(Link::Id(way_out.0.clone().into())),
        }],
        subnets: vec![Link::Id(place.0.clone().into())],
        tags: Tags::new(),
    };
    let id = make(&region, "rt", table.clone()).await;
    converge(&region, &id, table.clone()).await.expect("edits");
    let used = delete(&region, &id, table.clone()).await;
    assert_eq!(class(used), refused(Class::InUse, "DependencyViolation"));
    delete(&region, &way_out, nat(&place, &ip)).await.expect("a delete");
    tokio::time::sleep(Duration::from_secs(61)).await;
    region.foreign_delete(place.as_str()).expect("a delete");
    let seen = observe(&region).await.live[&id].spec().expect("readable").clone();
    let dead = Target::Blackhole(way_out.to_string());
    let want = Route { destination: "0.0.0.0/0".to_owned(), target: dead };
    assert_eq!(seen, RouteTable { routes: vec![want], subnets: Vec::new(), ..table }.into());
}

#[tokio::test(start_paused = true)]
async fn facts_follow_the_settings() {
    let region = with(&[
        ("zones", "a,c"),
        ("offer.p4d.24xlarge", "c"),
        ("offer.p9.huge", "nowhere"),
        ("image.base", "ami-7"),
    ]);
    let public = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04\
                  /latest/ami-id";
    let images = ["base", "dlami-base", public, "/aws/service/x", "typo", "ami-1"];
    let types = ["p4d.24xlarge", "p9.huge", "p5.48xlarge"];
    let ask = Ask {
        images: images.iter().map(ToString::to_string).collect(),
        instance_types: types.iter().map(ToString::to_string).collect(),
        ..Ask::default()
    };
    let facts = region.facts(&ask).await.expect("facts");
    assert_eq!(facts.zones, [Zone::from("us-east-1a"), Zone::from("us-east-1c")]);
    assert_eq!(facts.images.len(), 4);
    assert_eq!(facts.images[public], facts.images["dlami-base"]);
    let counts: Vec<_> = types.iter().map(|name| facts.offerings[*name].len()).collect();
    assert_eq!(counts, [1, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn settings_come_back_as_text_and_explain_themselves() {
    let mut settings = Settings::default();
    let changes = [
        ("zones", "a,b"),
        ("blind", "vpc,bucket"),
        ("faults", "lose_answer@2,throttle@ec2:RunInstances#3"),
        ("capacity.p5.48xlarge@us-east-1a", "0"),
        ("quota.node", "8"),
        ("image.base", "hidden"),
        ("parameter./acme/gpu", "ami-0abc"),
        ("parameter./acme/old", "hidden"),
        ("offer.p5.48xlarge", "nowhere"),
    ];
    for (key, value) in changes {
        settings.set(key, value).expect("a setting");
    }
    let mut again = Settings::default();
    for (key, value) in settings.list() {
        again.set(&key, &value).expect("what it lists it takes");
    }
    assert_eq!(again, settings);
    let unknown = settings.set("latency", "1").expect_err("no such key").to_string();
    assert!(unknown.contains("latency_ms") && unknown.contains("faults"), "{unknown}");
    let wrong = settings.set("blind", "vpcs").expect_err("no such kind").to_string();
    assert!(wrong.contains("elastic_ip"), "{wrong}");
    for (key, value) in [("faults", "x@1"), ("faults", "deny@0"), ("account", "1"), ("zones", "A")]
    {
        assert!(settings.set(key, value).is_err(), "{key} = {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_costs_calls_per_page_not_per_node() {
    let Base { region, subnet, template, .. } = base(&[]).await;
    for batch in 0..5 {
        let token = format!("l{batch}");
        let call = launch(&template, &subnet, "us-east-1a", 500, &token);
        region.act(&call).await.expect("500 nodes");
    }
    let before = region.calls();
    assert_eq!(observe(&region).await.live.len(), 2504);
    let cost = |api: &str| {
        let now = region.calls().get(api).copied().unwrap_or_default();
        now.calls - before.get(api).map_or(0, |row| row.calls)
    };
    assert_eq!((cost("ec2:DescribeInstances"), cost("ec2:DescribeVpcs")), (3, 1));
    assert!(region.calls()["ec2:RunInstances"].seconds > 0.19);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_objects_are_cheap() {
    let region = with(&[("quota.vpc", "none")]);
    for n in 0..10_000 {
        make(&region, &format!("t{n}"), vpc()).await;
    }
    assert_eq!(observe(&region).await.live.len(), 10_000);
    assert_eq!(region.status().objects["us-east-1"]["llm"][&KindName::Vpc], 10_000);
}

#[tokio::test(start_paused = true)]
async fn the_dead_are_forgotten() {
    let Base { region, subnet, template, .. } = base(&[]).await;
    for day in 0..50 {
        let call = launch(&template, &subnet, "us-east-1a", 4, &format!("d{day}"));
        let ids = region.act(&call).await.expect("nodes").ids;
        tokio::time::sleep(Duration::from_secs(43_200)).await;
        region.act(&Call::Terminate { ids }).await.expect("an end");
        tokio::time::sleep(Duration::from_secs(43_200)).await;
    }
    region.snapshot();
    assert_eq!(region.inner().world.objects.len(), 4, "VPC, subnet, profile, template");
}
