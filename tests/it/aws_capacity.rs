//! What capacity there is, as AWS answers it: reservations over two pages, prices on spot, a
//! quota. moto knows no reservations and no quotas of EC2, so the answers are written down
//! here in the shapes of the published models; prices on spot are moto's too.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use mlinfra::aws::Aws;
use mlinfra::cloud::{Ask, Class, Cloud, Wish};
use mlinfra::kinds::Market;
use mlinfra::model::{GroupName, Moment};

use crate::aws_requests::judge;
use crate::aws_stage::Stage;
use crate::moto::{Params, params};
use crate::seam::{self, Answers, WHO, ZONES};

/// A region that has written its answers down; it keeps what it was asked.
#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<Params>>>);

fn reservation(id: &str, more: &str) -> String {
    format!(
        "<item><capacityReservationId>{id}</capacityReservationId>\
         <instanceType>p5.48xlarge</instanceType><availabilityZone>us-east-1a</availabilityZone>\
         <totalInstanceCount>8</totalInstanceCount>{more}</item>"
    )
}

fn reservations(second: bool) -> String {
    let (items, next) = if second {
        let block = "<state>active</state><reservationType>capacity-block</reservationType>\
            <availableInstanceCount>4</availableInstanceCount>\
            <instancePlatform>Linux/UNIX</instancePlatform>\
            <endDate>2026-12-20T11:30:00.000Z</endDate>";
        let ends = block.replace("2026-12-20T11:30", "2026-11-24T06:00");
        let later = "<state>scheduled</state><startDate>2026-12-01T11:30:00.000Z</startDate>\
            <reservationType>capacity-block</reservationType>";
        let first = reservation("cr-0a", &ends) + &reservation("cr-0b", block);
        (first + &reservation("cr-0c", later), "")
    } else {
        let open = "<state>active</state><availableInstanceCount>6</availableInstanceCount>\
            <instancePlatform>Linux/UNIX</instancePlatform><tenancy>default</tenancy>\
            <instanceMatchCriteria>open</instanceMatchCriteria>\
            <tagSet><item><key>team</key><value>llm</value></item></tagSet>";
        let ended = "<state>expired</state>";
        let windows = "<state>active</state><instancePlatform>Windows</instancePlatform>";
        let group = |account: &str| {
            let arn = format!("arn:aws:ec2:us-east-1:{account}:placement-group/near");
            format!("{open}<placementGroupArn>{arn}</placementGroupArn>")
        };
        let items = reservation("cr-0d", open)
            + &reservation("cr-0e", ended)
            + &reservation("cr-0f", windows)
            + &reservation("cr-1a", &group("123456789012"))
            + &reservation("cr-1b", &group("210987654321"));
        (items, "<nextToken>more</nextToken>")
    };
    format!(
        "<DescribeCapacityReservationsResponse><capacityReservationSet>{items}\
         </capacityReservationSet>{next}</DescribeCapacityReservationsResponse>"
    )
}

/// Prices of yesterday and today: only the newest holds.
const SPOT: &str = "<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>\
    <item><instanceType>p5.48xlarge</instanceType><availabilityZone>us-east-1a</availabilityZone>\
    <spotPrice>21.500000</spotPrice><timestamp>2026-11-23T08:00:00.000Z</timestamp></item>\
    <item><instanceType>p5.48xlarge</instanceType><availabilityZone>us-east-1a</availabilityZone>\
    <spotPrice>19.250000</spotPrice><timestamp>2026-11-24T08:00:00.000Z</timestamp></item>\
    </spotPriceHistorySet></DescribeSpotPriceHistoryResponse>";

const QUOTA: &str = r#"{"Quota":{"ServiceCode":"ec2","QuotaCode":"L-417A185B","Value":192.0}}"#;

impl Answers for Written {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        let body = match form.get("Action").map(String::as_str) {
            Some("GetCallerIdentity") => WHO.to_owned(),
            Some("DescribeAvailabilityZones") => ZONES.to_owned(),
            Some("DescribeCapacityReservations") => reservations(form.contains_key("NextToken")),
            Some("DescribeSpotPriceHistory") => SPOT.to_owned(),
            Some(other) => panic!("{other} was not expected"),
            None => {
                let target = request.headers().get("x-amz-target").unwrap_or_default();
                assert!(target.ends_with(".GetServiceQuota"), "{target}");
                QUOTA.to_owned()
            }
        };
        if form.contains_key("Action") {
            self.0.lock().expect("the list").push(form);
        }
        seam::at_once(200, body)
    }
}

fn ask() -> Ask {
    let spot = ["p5.48xlarge".to_owned()].into();
    Ask { reservations: Wish::Needed, spot, at: Moment(1_795_500_000_000), ..Ask::default() }
}

#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_capacity_is_read_as_it_is_answered() {
    let region = Written::default();
    let aws = Aws::connect(seam::connect(region.clone())).await.expect("an account");
    let facts = aws.facts(&ask()).await.expect("facts");
    let found: Vec<_> = facts
        .reservations
        .iter()
        .map(|it| (it.id.as_str(), it.market, it.free, it.total, it.closed.as_deref()))
        .collect();
    let taken = Some(
        "ends at 2026-11-24T06:00:00Z, and AWS takes its machines back from 2026-11-24T05:30:00Z on",
    );
    let elsewhere = Some("is in a placement group of account 210987654321");
    let later = Some("is scheduled until 2026-12-01T11:30:00Z");
    assert_eq!(
        found,
        [
            ("cr-0a", Market::CapacityBlock, 4, 8, taken),
            ("cr-0b", Market::CapacityBlock, 4, 8, None),
            ("cr-0c", Market::CapacityBlock, 0, 8, later),
            ("cr-0d", Market::Reserved, 6, 8, None),
            ("cr-0f", Market::Reserved, 0, 8, Some("is for Windows")),
            ("cr-1a", Market::Reserved, 6, 8, None),
            ("cr-1b", Market::Reserved, 6, 8, elsewhere),
        ]
    );
    assert_eq!(facts.reservations[1].ends, Moment::read("2026-12-20T11:30:00Z"));
    assert_eq!(facts.reservations[3].ends, None);
    let groups: Vec<_> =
        facts.reservations.iter().map(|it| it.group.as_ref().map(GroupName::as_str)).collect();
    let near = |account| format!("arn:aws:ec2:us-east-1:{account}:placement-group/near");
    let (own, theirs) = (near("123456789012"), near("210987654321"));
    assert_eq!(groups, [None, None, None, None, None, Some(&*own), Some(&*theirs)]);
    let open: Vec<_> = facts.reservations.iter().map(|it| it.open).collect();
    assert_eq!(open, [false, false, false, true, false, true, true]);
    assert_eq!(facts.reservations[3].tags.get("team").map(String::as_str), Some("llm"));
    let price = &facts.spot[&("p5.48xlarge".to_owned(), "us-east-1a".into())];
    assert_eq!((price.usd.to_string().as_str(), price.day.as_str()), ("$19.25", "2026-11-24"));
    assert_eq!(aws.quota("ec2", "L-417A185B").await, Ok(Some(192)));
    let asked = region.0.lock().expect("the list").clone();
    let (fits, said) = judge(&asked);
    assert!(fits, "{said}");
}

/// A region that shows nobody its reservations.
#[derive(Clone, Debug)]
struct Blind;

impl Answers for Blind {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        match form.get("Action").map(String::as_str) {
            Some("GetCallerIdentity") => seam::at_once(200, WHO.to_owned()),
            Some("DescribeAvailabilityZones") => seam::at_once(200, ZONES.to_owned()),
            _ => {
                let error = "<Code>UnauthorizedOperation</Code><Message>no</Message>";
                let body = format!("<Response><Errors><Error>{error}</Error></Errors></Response>");
                seam::at_once(403, body)
            }
        }
    }
}

/// Where nothing depends on reservations, who may not see them plans as if there were none.
#[tokio::test]
async fn aws_reservations_that_may_not_be_seen_stop_only_those_who_need_them() {
    let aws = Aws::connect(seam::connect(Blind)).await.expect("an account");
    let ask = |reservations| Ask { reservations, ..Ask::default() };
    let facts = aws.facts(&ask(Wish::Welcome)).await.expect("facts");
    assert_eq!(facts.reservations, []);
    let refused = aws.facts(&ask(Wish::Needed)).await.expect_err("they are needed");
    let failure = (refused.class, refused.api.as_str());
    assert_eq!(failure, (Class::Denied, "ec2:DescribeCapacityReservations"));
}

/// Prices on spot are asked for from now on, over HTTP.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_spot_prices_come_over_the_wire() {
    let stage = Stage::new().await;
    let facts = stage.aws.facts(&Ask { reservations: Wish::No, ..ask() }).await.expect("facts");
    assert!(!facts.spot.is_empty());
    assert!(facts.spot.values().all(|price| price.usd.to_string() == "$0.0000"), "{facts:?}");
}
