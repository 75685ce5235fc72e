//! Hosted zones on the wire: whose they are before they have tags, and what stands in them
//! beside our own records.

use mlinfra::cloud::{Call, Class, Cloud, Phase};
use mlinfra::kinds::{Change, Edit, HostedZone, KindName, Record, Spec};
use mlinfra::model::{CloudId, tags};
use serde_json::json;

use crate::aws_network::{link, tags as some, vpc};
use crate::aws_stage::Stage;

fn zone(vpc: &CloudId, records: Vec<Record>) -> Spec {
    let vpcs = vec![link(vpc)];
    HostedZone { name: "llm.internal".to_owned(), vpcs, records, tags: some(&[("team", "nlp")]) }
        .sorted()
        .into()
}

fn record(values: &[&str]) -> Record {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Record::addresses("mlflow.llm.internal", 10, values)
}

const PATH: &str = "/2013-04-01/hostedzone";

/// A zone that somebody makes: its id.
async fn made(stage: &Stage, vpc: &str, region: &str, reference: &str) -> CloudId {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <Name>other.internal</Name><VPC><VPCRegion>{region}</VPCRegion><VPCId>{vpc}</VPCId></VPC>\
         <CallerReference>{reference}</CallerReference><HostedZoneConfig>\
         <Comment>network.main/zone</Comment><PrivateZone>true</PrivateZone></HostedZoneConfig>\
         </CreateHostedZoneRequest>"
    );
    let answer = stage.moto.rest("POST", PATH, &body, "route53").await;
    let id = answer.split("<Id>/hostedzone/").nth(1).and_then(|rest| rest.split('<').next());
    CloudId::from(id.unwrap_or_else(|| panic!("no zone: {answer}")))
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_hosted_zone_lives_and_dies() {
    let stage = Stage::new().await;
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let text = Record {
        ask: "TXT mlflow.llm.internal".to_owned(),
        ttl: 60,
        values: vec!["\"x y\"".to_owned()],
    };
    let stages = [
        zone(&vpc, vec![record(&["10.20.0.4", "10.20.0.5"])]),
        zone(&vpc, vec![record(&["10.20.0.9"]), text.clone()]),
        zone(&vpc, vec![text]),
    ];
    let id = stage.life("network.main/zone", &stages, &[]).await;
    assert_eq!(stage.aws.phase(KindName::HostedZone, &id).await, Ok(Phase::Ready));

    // What answers by turns is one record to us, and goes as a whole.
    let set = |which: &str, value: &str| {
        format!(
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>w.llm.internal</Name>\
             <Type>A</Type><SetIdentifier>{which}</SetIdentifier><Weight>1</Weight><TTL>5</TTL>\
             <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>\
             </ResourceRecords></ResourceRecordSet></Change>"
        )
    };
    let body = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes>{}{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        set("blue", "10.0.0.1"),
        set("green", "10.0.0.2")
    );
    stage.moto.rest("POST", &format!("{PATH}/{id}/rrset/"), &body, "route53").await;
    let live = stage.live(&id).await;
    let Some(Spec::HostedZone(seen)) = live.spec() else { panic!("{live:?}") };
    let foreign = seen.records.iter().find(|record| record.ask == "A w.llm.internal");
    let foreign = foreign.expect("the foreign record").clone();
    assert_eq!(foreign.values, ["blue: 10.0.0.1", "green: 10.0.0.2"]);
    // A zone with records is not deleted.
    let was = live.spec().expect("a spec").clone();
    let stays = stage.act(Call::Delete { id: id.clone(), was: was.clone() }).await;
    assert_eq!(stays.expect_err("it holds records").class, Class::InUse);
    stage.end(&id, &was).await;
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_hosted_zone_is_ours_before_it_has_tags() {
    let stage = Stage::new().await;
    let vpc = stage.make("network.main/vpc", vpc()).await;
    let (want, owner) = (zone(&vpc, Vec::new()), stage.owner("network.main/zone"));
    let id = stage.create(&want, &owner).await.expect("a zone");
    // That a reference is taken once is asked in the contract: moto by itself does not mind.
    assert_eq!(stage.live(&id).await.owner, owner);

    // Its maker died before it could tag it.
    let short = vpc.short();
    let lost = made(&stage, short, "us-east-1", "mlinfra/llm/2/token-lost").await;
    let live = stage.live(&lost).await;
    assert_eq!(live.owner.token.as_str(), "token-lost");
    assert_eq!(
        (live.owner.generation, live.owner.address.to_tag()),
        (2, "network.main/zone".into())
    );
    let edit = |change| Edit { field: "tags".to_owned(), change };
    stage.edit(&lost, &want, edit(Change::Add(json!({ "team": "nlp" })))).await;
    let found = stage.aws.find(KindName::HostedZone, lost.as_str()).await.expect("an answer");
    let tags_now = found.expect("it").tags;
    assert_eq!(tags_now.get(tags::STACK).map(String::as_str), Some("llm"));
    let path = format!("/2013-04-01/tags/hostedzone/{lost}");
    let wire = stage.moto.rest("GET", &path, "", "route53").await;
    assert!(wire.contains("mlinfra:address") && wire.contains("network.main/zone"), "{wire}");

    // What is given away does not come back by its reference.
    let gone: serde_json::Map<String, serde_json::Value> =
        tags::OWNING.iter().map(|key| ((*key).to_owned(), json!(""))).collect();
    stage.edit(&lost, &want, edit(Change::Remove(gone.into()))).await;
    assert!(!stage.observe().await.live.contains_key(&lost));

    // Another stack's, another region's, and one that only looks like ours.
    for (region, reference) in [
        ("us-east-1", "mlinfra/other/1/token-x"),
        ("eu-west-1", "mlinfra/llm/1/token-y"),
        ("us-east-1", "mlinfra/llm"),
    ] {
        let id = made(&stage, short, region, reference).await;
        assert!(!stage.observe().await.live.contains_key(&id), "{region} {reference}");
    }
}
