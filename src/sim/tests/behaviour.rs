//! Nodes, time, faults.

use std::time::Duration;

use super::*;
use crate::cloud::Left;

#[tokio::test(start_paused = true)]
async fn nodes_come_all_or_none_and_take_their_time() {
    let Base { region, subnet, template, .. } = base(&[("capacity.p5.48xlarge", "3")]).await;
    let ids = region.act(&launch(&template, &subnet, "us-east-1a", 2, "l")).await.expect("two").ids;
    assert_eq!(ids.len(), 2);
    let more = region.act(&launch(&template, &subnet, "us-east-1a", 2, "m")).await;
    assert_eq!(class(more), refused(Class::Capacity, "InsufficientInstanceCapacity"));
    let seen = observe(&region).await;
    let node = &seen.live[&ids[0]];
    assert_eq!((node.batch, &node.phase), (Some(7), &Phase::Pending));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(phase(&region, KindName::Node, &ids[0]).await, Phase::Ready);
    region.act(&Call::Terminate { ids: ids.clone() }).await.expect("an end");
    region.act(&Call::Terminate { ids: ids.clone() }).await.expect("the same end");
    assert_eq!(phase(&region, KindName::Node, &ids[0]).await, Phase::Leaving);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(phase(&region, KindName::Node, &ids[0]).await, Phase::Gone);
    region.act(&launch(&template, &subnet, "us-east-1a", 3, "n")).await.expect("room again");
    let unknown = Call::Terminate { ids: vec![CloudId::from("i-404")] };
    let unknown = region.act(&unknown).await;
    assert_eq!(class(unknown), refused(Class::Gone, "InvalidInstanceID.NotFound"));
}

#[tokio::test(start_paused = true)]
async fn launch_tokens_count_per_zone() {
    let Base { region, vpc, subnet: a, template } = base(&[]).await;
    let b = make(&region, "sb", subnet(&vpc, "10.0.16.0/20", "us-east-1b")).await;
    let first = region.act(&launch(&template, &a, "us-east-1a", 1, "l")).await.expect("one");
    let again = region.act(&launch(&template, &a, "us-east-1a", 1, "l")).await.expect("it again");
    let other = region.act(&launch(&template, &b, "us-east-1b", 1, "l")).await.expect("another");
    assert_eq!(first, again);
    assert_ne!(first, other);
    let mismatch = region.act(&launch(&template, &a, "us-east-1a", 2, "l")).await;
    assert_eq!(mismatch.expect_err("another count").class, Class::Mismatch);
    let wrong = region.act(&launch(&template, &b, "us-east-1a", 1, "x")).await;
    assert_eq!(wrong.expect_err("another zone's subnet").class, Class::Invalid);
}

#[tokio::test(start_paused = true)]
async fn burstable_types_go_into_no_cluster_placement_group() {
    let Base { region, subnet, template, .. } = base(&[]).await;
    let own = make(&region, "g", group()).await;
    for (name, goes) in [("t3.large", false), ("m7i.large", true)] {
        let mut call = launch(&template, &subnet, "us-east-1a", 1, name);
        if let Call::Launch(launch) = &mut call {
            launch.offer.instance_type = name.to_owned();
            launch.offer.placement = Some(Link::Id(own.as_str().into()));
        }
        let answer = region.act(&call).await;
        assert_eq!(answer.is_ok(), goes, "{name}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reservation_in_a_placement_group_wants_it_named() {
    let changes = [
        ("reservation.cr-0a", "p5.48xlarge,us-east-1a,2,placement=near"),
        ("reservation.cr-0b", "p5.48xlarge,us-east-1a,2"),
    ];
    let Base { region, subnet, template, .. } = base(&changes).await;
    let own = make(&region, "g", group()).await;
    let call = |kept: &str, group: Option<&str>, token: &str| {
        let mut call = launch(&template, &subnet, "us-east-1a", 1, token);
        if let Call::Launch(launch) = &mut call {
            launch.offer.market = Market::Reserved;
            launch.offer.reservation = Some(kept.into());
            launch.offer.placement = group.map(|group| Link::Id(group.into()));
        }
        call
    };
    let theirs = "arn:aws:ec2:us-east-1:000000000000:placement-group/near";
    for (token, group) in [("l", None), ("m", Some(own.as_str()))] {
        let failure = region.act(&call("cr-0a", group, token)).await.expect_err("its group");
        assert_eq!(failure.code, "InvalidParameterCombination");
        assert!(failure.text.contains(theirs), "{}", failure.text);
    }
    region.act(&call("cr-0a", Some(theirs), "n")).await.expect("in its group");
    // What stands in none goes into any, and that of another reservation is not there for it.
    region.act(&call("cr-0b", Some(own.as_str()), "o")).await.expect("in ours");
    assert!(region.act(&call("cr-0b", Some(theirs), "p")).await.is_err());
    let texts: Vec<_> = region.settings().list().into_iter().map(|(_, value)| value).collect();
    assert!(texts.iter().any(|text| text == changes[0].1), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn offers_and_quotas_limit_launches() {
    let changes = [("offer.p5.48xlarge", "b"), ("quota.node", "1")];
    let Base { region, vpc, subnet: a, template } = base(&changes).await;
    let here = region.act(&launch(&template, &a, "us-east-1a", 1, "l")).await;
    assert_eq!(class(here), refused(Class::Capacity, "Unsupported"));
    let b = make(&region, "sb", subnet(&vpc, "10.0.16.0/20", "us-east-1b")).await;
    let two = region.act(&launch(&template, &b, "us-east-1b", 2, "m")).await;
    assert_eq!(class(two), refused(Class::Quota, "VcpuLimitExceeded"));
    region.act(&launch(&template, &b, "us-east-1b", 1, "n")).await.expect("one");
}

#[tokio::test(start_paused = true)]
async fn a_placement_group_lies_in_one_zone_and_stays_while_used() {
    let Base { region, vpc, subnet: a, template: t } = base(&[]).await;
    let id = make(&region, "g", group()).await;
    let grouped = |subnet: &CloudId, zone: &str, token: &str| {
        let mut call = launch(&t, subnet, zone, 1, token);
        if let Call::Launch(launch) = &mut call {
            launch.offer.placement = Some(Link::Id(id.0.clone().into()));
        }
        call
    };
    let ids = region.act(&grouped(&a, "us-east-1a", "l")).await.expect("one").ids;
    let b = make(&region, "sb", subnet(&vpc, "10.0.16.0/20", "us-east-1b")).await;
    let elsewhere = region.act(&grouped(&b, "us-east-1b", "m")).await;
    assert_eq!(elsewhere.expect_err("another zone").class, Class::Capacity);
    delete(&region, &t, template("train")).await.expect("a template may go");
    let used = delete(&region, &id, group()).await;
    assert_eq!(class(used), refused(Class::InUse, "InvalidPlacementGroup.InUse"));
    region.act(&Call::Terminate { ids }).await.expect("an end");
    assert!(delete(&region, &id, group()).await.is_err(), "until it is terminated");
    tokio::time::sleep(Duration::from_secs(31)).await;
    delete(&region, &id, group()).await.expect("a delete");
}

#[tokio::test(start_paused = true)]
async fn a_new_profile_is_not_known_at_once() {
    let Base { region, subnet, template, .. } = base(&[]).await;
    region.foreign_delete("p").expect("a delete");
    let early = region.act(&launch(&template, &subnet, "us-east-1a", 1, "l")).await;
    assert_eq!(class(early), refused(Class::Settling, "InvalidParameterValue"));
}

#[tokio::test(start_paused = true)]
async fn changes_show_late() {
    let region = with(&[("visibility_ms", "10000")]);
    let id = make(&region, "v", vpc()).await;
    assert!(observe(&region).await.live.is_empty());
    let early = create(&region, "s", subnet(&id, "10.0.0.0/20", "us-east-1a")).await;
    assert_eq!(class(early), refused(Class::Settling, "InvalidVpcID.NotFound"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(only(observe(&region).await).spec(), Some(&vpc().born().into()));
    converge(&region, &id, vpc()).await.expect("edits");
    assert_eq!(only(observe(&region).await).spec(), Some(&vpc().born().into()));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(only(observe(&region).await).spec(), Some(&vpc().into()));
    delete(&region, &id, vpc()).await.expect("a delete");
    assert_eq!(phase(&region, KindName::Vpc, &id).await, Phase::Ready);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(phase(&region, KindName::Vpc, &id).await, Phase::Gone);
    assert!(observe(&region).await.live.is_empty());
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_are_throttled() {
    let region = with(&[("throttle", "2"), ("latency_ms", "0"), ("quota.vpc", "none")]);
    make(&region, "1", vpc()).await;
    make(&region, "2", vpc()).await;
    let third = create(&region, "3", vpc()).await;
    assert_eq!(class(third), refused(Class::Throttled, "RequestLimitExceeded"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    make(&region, "3", vpc()).await;
    assert!(create(&region, "4", vpc()).await.is_err());
    assert_eq!(region.mutations(), 3);
}

#[tokio::test(start_paused = true)]
async fn faults_strike_once_and_in_order() {
    let region = with(&[("faults", "lose_answer@2,deny@ec2:CreateSubnet,fail_before@3")]);
    let id = make(&region, "1", vpc()).await;
    let lost = create(&region, "2", vpc()).await.expect_err("no answer");
    assert_eq!((lost.class, lost.left), (Class::Unavailable, Left::Unknown));
    assert_eq!(region.snapshot().len(), 2, "it took effect all the same");
    let broken = create(&region, "3", vpc()).await.expect_err("no connection");
    assert_eq!((broken.class, broken.left), (Class::Unavailable, Left::Unknown));
    assert_eq!(region.snapshot().len(), 2);
    let denied = create(&region, "4", subnet(&id, "10.0.0.0/20", "us-east-1a")).await;
    assert_eq!(denied.expect_err("denied").class, Class::Denied);
    assert!(region.settings().faults.is_empty());
    make(&region, "4", subnet(&id, "10.0.0.0/20", "us-east-1a")).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_may_have_taken_effect() {
    let region = with(&[("latency_ms", "100")]);
    let slow = tokio::time::timeout(Duration::from_millis(75), create(&region, "1", vpc())).await;
    assert!(slow.is_err());
    assert_eq!(region.snapshot().len(), 1);
    let early = tokio::time::timeout(Duration::from_millis(25), create(&region, "2", vpc())).await;
    assert!(early.is_err());
    assert_eq!(region.snapshot().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_ids() {
    let (one, two) = (region(), region());
    assert_eq!(make(&one, "v", vpc()).await, make(&two, "v", vpc()).await);
    let other = with(&[("seed", "1")]);
    assert_ne!(make(&one, "w", vpc()).await, make(&other, "v", vpc()).await);
}
