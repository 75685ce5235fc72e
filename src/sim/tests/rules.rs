//! What the region refuses, and how it remembers.

use super::*;
use crate::cloud::Left;
use crate::kinds::{Bucket, Queue, Role};

#[tokio::test(start_paused = true)]
async fn an_object_is_born_and_then_completed() {
    let region = region();
    let id = make(&region, "v", vpc()).await;
    let live = only(observe(&region).await);
    assert_eq!(live.owner, owner("v"));
    assert_eq!(live.spec(), Some(&vpc().born().into()));
    converge(&region, &id, vpc()).await.expect("edits");
    assert_eq!(only(observe(&region).await).spec(), Some(&vpc().into()));
}

#[tokio::test(start_paused = true)]
async fn a_link_must_lead_somewhere() {
    let region = region();
    let lost = subnet(&CloudId::from("vpc-404"), "10.0.0.0/20", "us-east-1a");
    let failure = create(&region, "s", lost).await.expect_err("no such VPC");
    assert_eq!((failure.class, failure.left), (Class::Gone, Left::Nothing));
    assert_eq!(failure.code, "InvalidVpcID.NotFound");
    assert_eq!(region.mutations(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_returns_its_first_answer_even_of_the_dead() {
    let Base { region, vpc, subnet: public, .. } = base(&[]).await;
    converge(&region, &make(&region, "g", gateway(&vpc)).await, gateway(&vpc)).await.expect("edit");
    let ip = make(&region, "e", address()).await;
    let first = make(&region, "n", nat(&public, &ip)).await;
    assert_eq!(make(&region, "n", nat(&public, &ip)).await, first);
    let other = create(&region, "n", nat(&public, &CloudId::from("eipalloc-2"))).await;
    assert_eq!(class(other), refused(Class::Mismatch, "IdempotentParameterMismatch"));
    delete(&region, &first, nat(&public, &ip)).await.expect("a delete");
    tokio::time::sleep(std::time::Duration::from_secs(7200)).await;
    assert_eq!(make(&region, "n", nat(&public, &ip)).await, first);
    assert_eq!(phase(&region, KindName::NatGateway, &first).await, Phase::Gone);
}

#[tokio::test(start_paused = true)]
async fn without_token_or_name_a_repeat_makes_a_second_object() {
    let region = region();
    let first = make(&region, "v", vpc()).await;
    assert_ne!(make(&region, "v", vpc()).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_subnet_lies_in_its_vpc_beside_the_others() {
    let Base { region, vpc, .. } = base(&[]).await;
    let cases = [
        ("10.0.8.0/24", "us-east-1b", Class::Exists, "InvalidSubnet.Conflict"),
        ("10.1.0.0/20", "us-east-1b", Class::Invalid, "InvalidSubnet.Range"),
        ("10.0.16.0/29", "us-east-1b", Class::Invalid, "InvalidSubnet.Range"),
        ("nonsense", "us-east-1b", Class::Invalid, "InvalidSubnet.Range"),
        ("10.0.16.0/20", "us-east-1z", Class::Invalid, "InvalidParameterValue"),
    ];
    for (cidr, zone, why, code) in cases {
        let outcome = create(&region, cidr, subnet(&vpc, cidr, zone)).await;
        assert_eq!(class(outcome), refused(why, code), "{cidr} in {zone}");
    }
    make(&region, "fits", subnet(&vpc, "10.0.16.0/20", "us-east-1b")).await;
}

fn bucket() -> Bucket {
    Bucket {
        name: "acme-data".to_owned(),
        versioning: true,
        encryption: None,
        public_access_block: true,
        ownership: None,
        policy: None,
        lifecycle: Vec::new(),
        precious: true,
        tags: Tags::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn names_and_addresses_are_held_by_one_object() {
    let Base { region, vpc, .. } = base(&[]).await;
    make(&region, "b", bucket()).await;
    let again = create(&region, "b", bucket()).await;
    assert_eq!(class(again), refused(Class::Exists, "BucketAlreadyOwnedByYou"));
    let clash = create(&region, "x", subnet(&vpc, "10.0.0.0/20", "us-east-1b")).await;
    assert_eq!(class(clash), refused(Class::Exists, "InvalidSubnet.Conflict"));
    let clash = create(&region, "y", template("train")).await;
    assert_eq!(clash.expect_err("taken").class, Class::Exists);
    let theirs = Bucket { name: "theirs".to_owned(), ..bucket() };
    region.stranger_create(&theirs.clone().into()).expect("a stranger's bucket");
    let taken = create(&region, "z", theirs).await;
    assert_eq!(class(taken), refused(Class::Exists, "BucketAlreadyExists"));
    let west = region.elsewhere(RegionName::from("us-west-2"));
    let taken = create(&west, "w", bucket()).await;
    assert_eq!(taken.expect_err("bucket names are global").class, Class::Exists);
}

#[tokio::test(start_paused = true)]
async fn what_is_used_stays() {
    let Base { region, vpc: home, subnet: place, .. } = base(&[]).await;
    let failure = delete(&region, &home, vpc()).await.expect_err("in use");
    assert_eq!((failure.class, failure.code.as_str()), (Class::InUse, "DependencyViolation"));
    assert!(failure.text.contains(place.as_str()), "{}", failure.text);
    delete(&region, &place, subnet(&home, "10.0.0.0/20", "us-east-1a")).await.expect("a delete");
    delete(&region, &home, vpc()).await.expect("nothing uses it");
    let gone = delete(&region, &home, vpc()).await;
    assert_eq!(class(gone), refused(Class::Gone, "InvalidVpcID.NotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_is_detached_only_from_a_quiet_network() {
    let Base { region, vpc, subnet: public, .. } = base(&[]).await;
    let id = make(&region, "g", gateway(&vpc)).await;
    converge(&region, &id, gateway(&vpc)).await.expect("attach");
    let attached = delete(&region, &id, gateway(&vpc)).await;
    assert_eq!(class(attached), refused(Class::InUse, "DependencyViolation"));
    let ip = make(&region, "e", address()).await;
    let way_out = make(&region, "n", nat(&public, &ip)).await;
    let detached = InternetGateway { vpc: None, tags: Tags::new() };
    let early = converge(&region, &id, detached.clone()).await;
    assert_eq!(class(early), refused(Class::InUse, "DependencyViolation"));
    let held = delete(&region, &ip, address()).await;
    assert_eq!(class(held), refused(Class::InUse, "InvalidIPAddress.InUse"));
    delete(&region, &way_out, nat(&public, &ip)).await.expect("a delete");
    assert_eq!(phase(&region, KindName::NatGateway, &way_out).await, Phase::Leaving);
    assert!(converge(&region, &id, detached.clone()).await.is_err());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    converge(&region, &id, detached).await.expect("detach");
    delete(&region, &id, gateway(&vpc)).await.expect("a delete");
    delete(&region, &ip, address()).await.expect("a release");
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_without_a_way_out_fails() {
    let Base { region, subnet: place, .. } = base(&[]).await;
    let ip = make(&region, "e", address()).await;
    let id = make(&region, "n", nat(&place, &ip)).await;
    assert!(matches!(phase(&region, KindName::NatGateway, &id).await, Phase::Failed(_)));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_emptied_by_thousands() {
    let region = region();
    let id = make(&region, "b", bucket()).await;
    region.put_objects("acme-data", 2500).expect("objects");
    assert!(only(observe(&region).await).holds_data);
    let full = delete(&region, &id, bucket()).await;
    assert_eq!(class(full), refused(Class::InUse, "BucketNotEmpty"));
    let mut calls = 1;
    while region.act(&Call::Empty { id: id.clone() }).await.expect("emptied").more {
        calls += 1;
    }
    assert_eq!(calls, 3);
    delete(&region, &id, bucket()).await.expect("a delete");
}

#[tokio::test(start_paused = true)]
async fn a_role_is_taken_apart_before_it_goes() {
    let region = region();
    let role = Role {
        name: "train".to_owned(),
        path: "/mlinfra/".to_owned(),
        description: "nodes".to_owned(),
        trust: "{}".into(),
        policies: Vec::new(),
        managed: vec!["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore".to_owned()],
        tags: Tags::new(),
    };
    let id = make(&region, "r", role.clone()).await;
    converge(&region, &id, role.clone()).await.expect("edits");
    let early = delete(&region, &id, role.clone()).await;
    assert_eq!(class(early), refused(Class::InUse, "DeleteConflict"));
    for edit in crate::kinds::dismantle(&role.clone().into()) {
        let call = Call::Edit { kind: KindName::Role, id: id.clone(), edit };
        region.act(&call).await.expect("a step");
    }
    delete(&region, &id, role).await.expect("a delete");
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_queue_rests_after_it() {
    let region = region();
    let queue = Queue {
        name: "jobs".to_owned(),
        fifo: false,
        visibility_timeout: 60,
        retention: 60,
        receive_wait: 20,
        encrypted: true,
        dead_letter: None,
        policy: None,
        tags: Tags::new(),
    };
    let id = make(&region, "q", queue.clone()).await;
    delete(&region, &id, queue.clone()).await.expect("a delete");
    let early = create(&region, "q2", queue.clone()).await;
    assert_eq!(class(early), refused(Class::Settling, "QueueDeletedRecently"));
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    make(&region, "q3", queue).await;
}

#[tokio::test(start_paused = true)]
async fn quotas_hold_per_region() {
    let region = with(&[("quota.vpc", "2")]);
    let first = make(&region, "1", vpc()).await;
    make(&region, "2", vpc()).await;
    let third = create(&region, "3", vpc()).await;
    assert_eq!(class(third), refused(Class::Quota, "VpcLimitExceeded"));
    make(&region.elsewhere(RegionName::from("eu-west-1")), "4", vpc()).await;
    delete(&region, &first, vpc()).await.expect("a delete");
    make(&region, "5", vpc()).await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_must_be_one_that_aws_knows() {
    let Base { region, vpc: home, .. } = base(&[]).await;
    let edit = |field: &str| {
        let change = crate::kinds::Change::Put("10.9.0.0/16".into());
        let edit = crate::kinds::Edit { field: field.to_owned(), change };
        Call::Edit { kind: KindName::Vpc, id: home.clone(), edit }
    };
    for field in ["cidr", "nonsense", "dns_support"] {
        let refusal = region.act(&edit(field)).await.expect_err("not so");
        assert_eq!(refusal.class, Class::Invalid, "{field}");
    }
    let west = region.elsewhere(RegionName::from("us-west-2"));
    assert_eq!(west.act(&edit("cidr")).await.expect_err("not here").class, Class::Gone);
}

#[test]
fn every_edit_that_a_kind_can_need_is_allowed() {
    // What a kind is born without must be settable later, or it can never be completed.
    for kind in KindName::ALL {
        let traits = kind.traits();
        for set in traits.sets {
            let known = traits.in_place.contains(&set.field);
            assert!(known, "{kind}.{} is a set that does not change in place", set.field);
        }
    }
}
