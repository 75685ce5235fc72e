//! What a region sells, as AWS answers it: types over two pages, the zones that offer them,
//! prices on spot and of the price list. moto has no price list, so the answers are written
//! down here in the shape that the API's guide shows; types are moto's too, which carries what
//! EC2 itself has answered.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use mlinfra::aws::{Aws, Connect};
use mlinfra::catalog::{Catalog, Fresh, Unit};
use mlinfra::cloud::Class;
use mlinfra::model::{Region, Zone};
use serde_json::{Value, json};

use crate::aws_requests::judge;
use crate::aws_stage::Stage;
use crate::moto::{Params, params};
use crate::seam::{self, Answers, WHO, at_once};

/// A region that has written its answers down; it keeps what it was asked, and where.
#[derive(Clone, Debug, Default)]
struct Written {
    asked: Arc<Mutex<Vec<Params>>>,
    hosts: Arc<Mutex<Vec<String>>>,
    /// The price list may not be asked.
    denied: bool,
}

/// A type; the second has an accelerator that is reported in parts, and EFA on its last card.
fn types(second: bool) -> String {
    let (name, more, next) = if second {
        let more = "<gpuInfo><gpus><item><name>H900</name><count>8</count><memoryInfo>\
            <sizeInMiB>98304</sizeInMiB></memoryInfo></item></gpus></gpuInfo>\
            <instanceStorageInfo><totalSizeInGB>30400</totalSizeInGB></instanceStorageInfo>";
        ("p9.48xlarge", more, "")
    } else {
        ("m9.large", "", "<nextToken>more</nextToken>")
    };
    let card = |at: u32, kind: &str| {
        format!(
            "<item><networkCardIndex>{at}</networkCardIndex>\
             <maximumNetworkInterfaces>4</maximumNetworkInterfaces>\
             <interfaceTypeSet><item>{kind}</item></interfaceTypeSet></item>"
        )
    };
    format!(
        "<DescribeInstanceTypesResponse><instanceTypeSet><item><instanceType>{name}</instanceType>\
         <processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures>\
         </processorInfo><vCpuInfo><defaultVCpus>192</defaultVCpus></vCpuInfo>\
         <memoryInfo><sizeInMiB>2097152</sizeInMiB></memoryInfo>{more}\
         <ebsInfo><ebsOptimizedInfo><maximumBandwidthInMbps>80000</maximumBandwidthInMbps>\
         </ebsOptimizedInfo></ebsInfo>\
         <networkInfo><networkPerformance>8x 400 Gigabit</networkPerformance>\
         <networkCards>{}{}</networkCards></networkInfo>\
         <supportedUsageClasses><item>on-demand</item><item>spot</item></supportedUsageClasses>\
         <placementGroupInfo><supportedStrategies><item>cluster</item><item>spread</item>\
         </supportedStrategies></placementGroupInfo></item></instanceTypeSet>{next}</DescribeInstanceTypesResponse>",
        card(0, "interface"),
        card(1, "efa"),
    )
}

const OFFERINGS: &str = "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet>\
    <item><instanceType>p9.48xlarge</instanceType><location>eu-west-1b</location>\
    <locationType>availability-zone</locationType></item></instanceTypeOfferingSet>\
    </DescribeInstanceTypeOfferingsResponse>";

const SPOT: &str = "<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>\
    <item><instanceType>p9.48xlarge</instanceType><availabilityZone>eu-west-1b</availabilityZone>\
    <spotPrice>41.5</spotPrice><timestamp>2026-11-27T08:00:00.000Z</timestamp></item>\
    </spotPriceHistorySet></DescribeSpotPriceHistoryResponse>";

/// An item of the price list.
fn item(attributes: &Value, unit: &str, usd: &str) -> String {
    let price = json!({ "unit": unit, "beginRange": "0", "endRange": "Inf", "appliesTo": [],
        "description": "", "rateCode": "S.J.6", "pricePerUnit": { "USD": usd } });
    let term = json!({ "sku": "S", "offerTermCode": "J", "termAttributes": {},
        "effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": { "S.J.6": price } });
    json!({ "product": { "sku": "S", "productFamily": "x", "attributes": attributes },
        "serviceCode": "x", "terms": { "OnDemand": { "S.J": term }, "Reserved": {} },
        "version": "1", "publicationDate": "2026-11-26T00:00:00Z" })
    .to_string()
}

/// What the price list says to a question; nodes come on two pages.
fn products(body: &Value) -> Value {
    let field = |name: &str| {
        let all = body["Filters"].as_array().cloned().unwrap_or_default();
        all.iter().find(|it| it["Field"] == name).map(|it| it["Value"].clone())
    };
    let node = |name: &str, usd: &str| {
        item(
            &json!({ "instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared",
                "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand",
                "usagetype": format!("EU-BoxUsage:{name}") }),
            "Hrs",
            usd,
        )
    };
    let usage =
        |usage: &str, unit: &str, usd: &str| vec![item(&json!({ "usagetype": usage }), unit, usd)];
    let second = body["NextToken"].is_string();
    let mut next = Value::Null;
    let items = match body["ServiceCode"].as_str() {
        Some("AmazonEC2") if field("operatingSystem").is_some() && second => {
            vec![node("p9.48xlarge", "98.3200000000")]
        }
        Some("AmazonEC2") if field("operatingSystem").is_some() => {
            next = json!("more");
            vec![node("m9.large", "0.1070000000"), node("z9.free", "0.0000000000")]
        }
        Some("AmazonEC2") if field("volumeApiName") == Some(json!("io2")) => {
            usage("EU-EBS:VolumeUsage.io2", "GB-Mo", "0.138")
        }
        Some("AmazonEC2") if field("productFamily").is_some() => {
            usage("EU-NatGateway-Hours", "Hrs", "0.048")
        }
        Some("AmazonRoute53") => {
            assert_eq!(field("regionCode"), None);
            usage("HostedZone", "HostedZone", "0.5")
        }
        Some(_) => Vec::new(),
        None => panic!("no service in {body}"),
    };
    json!({ "FormatVersion": "aws_v1", "PriceList": items, "NextToken": next })
}

impl Answers for Written {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let bytes = request.body().bytes().unwrap_or_default();
        let Some(target) = request.headers().get("x-amz-target") else {
            let form = params(bytes);
            let text = match form.get("Action").map(String::as_str) {
                Some("GetCallerIdentity") => WHO.to_owned(),
                Some("DescribeInstanceTypes") => types(form.contains_key("NextToken")),
                Some("DescribeInstanceTypeOfferings") => OFFERINGS.to_owned(),
                Some("DescribeSpotPriceHistory") => SPOT.to_owned(),
                other => panic!("{other:?} was not expected"),
            };
            self.asked.lock().expect("the list").push(form);
            return at_once(200, text);
        };
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let asked: Value = serde_json::from_str(&text).expect("JSON");
        let form = [("Target".to_owned(), target.to_owned()), ("Body".to_owned(), text)];
        self.hosts.lock().expect("the list").push(request.uri().to_owned());
        self.asked.lock().expect("the list").push(form.into());
        match self.denied {
            true => at_once(400, json!({ "__type": "AccessDeniedException" }).to_string()),
            false => at_once(200, products(&asked).to_string()),
        }
    }
}

async fn connected(region: &Written) -> Aws {
    let region_of = Region::from("eu-west-1");
    let connect = Connect { region: region_of, attempts: 1, ..seam::connect(region.clone()) };
    Aws::connect(connect).await.expect("an account")
}

#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_survey_is_read_as_it_is_answered() {
    let region = Written::default();
    let aws = connected(&region).await;
    let fresh = aws.survey("2026-11-27", 1_795_500_000).await.expect("an answer");
    let p9 = &fresh.types["p9.48xlarge"];
    assert_eq!(p9.accelerator_words(), "8 × H900 96 GiB");
    assert_eq!((p9.cards, p9.per_card, p9.efa, p9.efa_from, p9.nvme), (2, 4, 1, 1, 30400));
    assert_eq!((p9.gbps.to_string().as_str(), p9.vcpus), ("3200", 192));
    assert!(fresh.types["m9.large"].accelerator.is_none());
    let zone = Zone::from("eu-west-1b");
    assert_eq!(fresh.zones["p9.48xlarge"], [zone.clone()].into());
    let spot = &fresh.spot[&("p9.48xlarge".to_owned(), zone)];
    assert_eq!(spot.to_string(), "$41.50");
    let prices: Vec<(&str, String)> =
        fresh.prices.iter().map(|(name, usd)| (name.as_str(), usd.to_string())).collect();
    assert_eq!(prices, [("m9.large", "$0.107".to_owned()), ("p9.48xlarge", "$98.32".to_owned())]);
    let services: Vec<(&str, Unit)> =
        fresh.services.iter().map(|(name, (unit, _))| (name.as_str(), *unit)).collect();
    let wanted =
        [("hosted-zone", Unit::Month), ("io2-storage", Unit::Month), ("nat-gateway", Unit::Hour)];
    assert_eq!(services, wanted);
    assert_eq!(Fresh::read(&fresh.text(), &Region::from("eu-west-1")), Ok(fresh));

    // Prices of Ireland are told in Frankfurt.
    let hosts = region.hosts.lock().expect("the list").clone();
    assert!(hosts.iter().all(|host| host.contains("api.pricing.eu-central-1.")), "{hosts:?}");
    let asked = region.asked.lock().expect("the list").clone();
    let calls = |name: &str| {
        let of = |form: &&Params| form.get("Action").is_some_and(|action| action == name);
        asked.iter().filter(of).count()
    };
    // A call per page: two pages of types and of nodes, one of everything else.
    assert_eq!((calls("DescribeInstanceTypes"), calls("DescribeSpotPriceHistory")), (2, 1));
    assert_eq!(asked.iter().filter(|form| form.contains_key("Target")).count(), 9);
    let (fits, said) = judge(&asked);
    assert!(fits, "{said}");
    let mut wrong = asked.iter().find(|form| form.contains_key("Target")).expect("one").clone();
    wrong.insert("Body".to_owned(), json!({ "ServiceCod": "AmazonEC2" }).to_string());
    let (fits, said) = judge(&[wrong]);
    assert!(!fits && said.contains("ServiceCod"), "{said}");
}

#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_survey_without_prices_is_none() {
    let region = Written { denied: true, ..Written::default() };
    let failure = connected(&region).await.survey("2026-11-27", 0).await.expect_err("no prices");
    assert_eq!((failure.class, failure.api.as_str()), (Class::Denied, "pricing:GetProducts"));
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_survey_of_moto_s_types_is_the_shipped_table() {
    let stage = Stage::new().await;
    let told = stage.aws.hardware().await.expect("every type");
    assert!(told.len() > 700, "{}", told.len());
    let mut compared = 0;
    let mut differs = Vec::new();
    for known in Catalog::shipped().types() {
        let Some(found) = told.get(&known.name) else { continue };
        compared += 1;
        if found != known {
            differs.push((known.name.as_str(), found.accelerator_words()));
        }
    }
    assert!(compared > 150, "{compared}");
    // Where EC2 is wrong the shipped table holds: tests/peer/catalog.py says why.
    let other = |(name, _): &&(&str, String)| !name.starts_with("trn2") && !name.starts_with("g7e");
    assert_eq!(differs.iter().filter(other).collect::<Vec<_>>(), Vec::<&(&str, String)>::new());
}
