//! Every lookup through the SDK over HTTP: what is there is found, what is not is said,
//! and what fits twice is refused. First against moto, then against a region that refuses.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use mlinfra::aws::Aws;
use mlinfra::cloud::{Class, Cloud, Facts};
use mlinfra::lang::{self, File, Loaded, Vars};
use mlinfra::stack::{self, Pins, Words};
use serde_json::{Value, json};

use crate::aws_stage::{Stage, home};
use crate::moto::params;
use crate::seam::{self, Answers, WHO, ZONES};

/// What moto cannot show, why, and where it is shown instead.
const NOT_ON_MOTO: &[(&str, &str)] = &[
    ("a lookup that is refused", "moto asks no policies: the region that refuses, below"),
    ("a bucket of another account", "moto ignores the expected owner: the request, below"),
    ("zones that are closed to the account", "moto opens all of them: `sim::tests::views`"),
    (
        "the public parameters of Deep Learning AMIs and Ubuntu",
        "moto has those of Amazon Linux only, and takes none below /aws: `lookup_image.trycmd`",
    ),
    ("an image that is not `available`", "moto's are at once: the filter is sent, below"),
];

/// A Deep Learning AMI's public parameter, as its publisher documents it.
const DLAMI: &str =
    "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";

fn loaded(blocks: &str, facts: Option<Arc<Facts>>) -> Loaded {
    let text = format!("stack \"llm\" {{\n  region = \"us-east-1\"\n}}\n{blocks}");
    let files = [File { name: "main.hcl".to_owned(), text }];
    let words = Words { account: Some(home().account), facts, ..Words::default() };
    let loaded = lang::load(&files, &Vars::new(), &words, None);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    assert_eq!(stack::check(&loaded), Vec::new());
    loaded
}

/// The value of the output `found`, or why there is none.
async fn look(aws: &Aws, blocks: &str, found: &str) -> Result<Value, Vec<String>> {
    let blocks = format!("{blocks}\noutput \"found\" {{\n  value = {found}\n}}\n");
    let mut facts = None;
    // A lookup may need what another one has found.
    for _ in 0..2 {
        let loaded = loaded(&blocks, facts);
        let answer = aws.facts(&stack::ask(&loaded, &Pins::default())).await.expect("an answer");
        let problems = stack::not_found(&loaded, &answer);
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| problem.summary).collect());
        }
        facts = Some(Arc::new(answer));
    }
    let loaded = loaded(&blocks, facts);
    let value = &loaded.outputs.first().expect("the output").value;
    assert!(!value.holds_unknown(), "{value:?}");
    Ok(value.to_json())
}

fn refused(text: &str) -> Result<Value, Vec<String>> {
    Err(vec![text.to_owned()])
}

/// Makes something by a form, and gives an id in the answer.
async fn made(stage: &Stage, form: &str, id: &str) -> String {
    let answer = stage.moto.form(&format!("{form}&Version=2016-11-15")).await;
    let tail = answer.split_once(&format!("<{id}>")).unwrap_or_else(|| panic!("{answer}")).1;
    tail.split('<').next().unwrap_or_default().to_owned()
}

async fn vpc(stage: &Stage, cidr: &str, team: &str) -> String {
    let vpc = made(stage, &format!("Action=CreateVpc&CidrBlock={cidr}"), "vpcId").await;
    tag(stage, &vpc, "team", team).await;
    vpc
}

async fn tag(stage: &Stage, id: &str, key: &str, value: &str) {
    let form = format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key={key}&Tag.1.Value={value}");
    let answer = stage.moto.form(&format!("{form}&Version=2016-11-15")).await;
    assert!(answer.contains(" 200 "), "{answer}");
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_a_vpc_means_one() {
    let stage = Stage::new().await;
    let by = |what: &str| format!("lookup \"vpc\" \"x\" {{\n  {what}\n}}");
    let shared = by("tags = { team = \"shared\" }");
    let found = "[lookup.vpc.x.id, lookup.vpc.x.cidr]";
    let aws = &stage.aws;
    assert_eq!(look(aws, &shared, found).await, refused("no VPC in us-east-1 fits"));
    let one = vpc(&stage, "10.9.0.0/16", "shared").await;
    vpc(&stage, "10.8.0.0/16", "other").await;
    assert_eq!(look(aws, &shared, found).await, Ok(json!([one, "10.9.0.0/16"])));
    let by_id = by(&format!("id = {one:?}"));
    assert_eq!(look(aws, &by_id, found).await, Ok(json!([one, "10.9.0.0/16"])));
    let gone = by("id = \"vpc-0123456789abcdef0\"");
    assert_eq!(look(aws, &gone, found).await, refused("no VPC in us-east-1 fits"));
    let both = by(&format!("id = {one:?}\n  tags = {{ team = \"other\" }}"));
    assert_eq!(look(aws, &both, found).await, refused("no VPC in us-east-1 fits"));
    vpc(&stage, "10.7.0.0/16", "shared").await;
    let two = "2 of them fit, and a lookup of a vpc means one";
    assert_eq!(look(aws, &shared, found).await, refused(two));
    assert!(look(aws, &by_id, found).await.is_ok());
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_subnets_sorts_them_by_zone() {
    let stage = Stage::new().await;
    let one = vpc(&stage, "10.9.0.0/16", "shared").await;
    let other = vpc(&stage, "10.8.0.0/16", "other").await;
    let blocks = "lookup \"vpc\" \"x\" {\n  tags = { team = \"shared\" }\n}\n\
                  lookup \"subnets\" \"x\" {\n  vpc  = lookup.vpc.x.id\n  \
                  tags = { tier = \"private\" }\n}\n";
    let found = "lookup.subnets.x";
    let aws = &stage.aws;
    assert_eq!(look(aws, blocks, found).await, refused("no subnet in us-east-1 fits"));
    let mut ids = Vec::new();
    for (vpc, net, zone, tier) in [
        (&one, "10.9.3.0/24", "us-east-1b", "private"),
        (&one, "10.9.2.0/24", "us-east-1a", "private"),
        (&one, "10.9.1.0/24", "us-east-1a", "public"),
        (&other, "10.8.1.0/24", "us-east-1a", "private"),
    ] {
        let form =
            format!("Action=CreateSubnet&VpcId={vpc}&CidrBlock={net}&AvailabilityZone={zone}");
        let id = made(&stage, &form, "subnetId").await;
        tag(&stage, &id, "tier", tier).await;
        ids.push(id);
    }
    let want = json!({
        "vpc": one,
        "ids": [ids[1], ids[0]],
        "zones": { "us-east-1a": ids[1], "us-east-1b": ids[0] },
    });
    assert_eq!(look(aws, blocks, found).await, Ok(want));
    // Several fit, and that is what it means: there is no other outcome.
    let all = format!("lookup \"subnets\" \"x\" {{\n  vpc = {one:?}\n}}\n");
    let seen = look(aws, &all, "length(lookup.subnets.x.ids)").await;
    assert_eq!(seen, Ok(json!(3)));
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_a_bucket_says_where_it_is() {
    let stage = Stage::new().await;
    let blocks = "lookup \"bucket\" \"x\" {\n  name = \"acme-corpus\"\n}";
    let found = "lookup.bucket.x";
    let aws = &stage.aws;
    assert_eq!(look(aws, blocks, found).await, refused("no bucket in us-east-1 fits"));
    let place = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                 </CreateBucketConfiguration>";
    for (bucket, body) in [("acme-corpus-2", ""), ("acme-corpus", place)] {
        let answer = stage.moto.raw("PUT", &format!("/{bucket}"), body).await;
        assert!(answer.contains(" 200 "), "{answer}");
    }
    // A name is one bucket's in all the world: it cannot fit twice.
    let want = json!({
        "name": "acme-corpus", "arn": "arn:aws:s3:::acme-corpus", "region": "eu-west-1",
    });
    assert_eq!(look(aws, blocks, found).await, Ok(want));
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_an_image_by_name_takes_the_newest() {
    let stage = Stage::new().await;
    let by = |what: &str| format!("lookup \"image\" \"x\" {{\n  {what}\n}}");
    let ours = by("name = \"team-gpu-*\"");
    let found = "[lookup.image.x.id, lookup.image.x.name]";
    let aws = &stage.aws;
    assert_eq!(look(aws, &ours, found).await, refused("no image in us-east-1 fits"));
    for name in ["team-gpu-1", "team-gpu-2", "other-3"] {
        let id = made(&stage, &format!("Action=RegisterImage&Name={name}"), "imageId").await;
        if name.starts_with("team") {
            // Many fit, and the newest of them is meant.
            assert_eq!(look(aws, &ours, found).await, Ok(json!([id, name])));
        }
        // Two images of one second would be equally new.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    // Whose it is decides: nobody else's is taken, whatever it is called.
    let amazon = by("name = \"team-gpu-*\"\n  owner = \"amazon\"");
    assert_eq!(look(aws, &amazon, found).await, refused("no image in us-east-1 fits"));
    let linux = by("name = \"al2023-ami-2023.*-kernel-6.1-x86_64\"\n  owner = \"amazon\"");
    let name = look(aws, &linux, "lookup.image.x.name").await.expect("Amazon's");
    assert!(name.as_str().is_some_and(|name| name.starts_with("al2023-ami-2023.")), "{name}");
    let linux = by("name = \"al2023-ami-2023.*-kernel-6.1-x86_64\"");
    assert_eq!(look(aws, &linux, found).await, refused("no image in us-east-1 fits"));
    let form = stage.moto.sent("DescribeImages").pop().expect("a request");
    assert!(form.values().any(|value| value == "available"), "{form:?}");
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_an_image_by_parameter_takes_its_value() {
    let stage = Stage::new().await;
    let by = |name: &str| format!("lookup \"image\" \"x\" {{\n  parameter = {name:?}\n}}");
    let found = "[lookup.image.x.id, lookup.image.x.name]";
    let aws = &stage.aws;
    let linux = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64";
    let seen = look(aws, &by(linux), found).await.expect("Amazon's parameter");
    let id = seen[0].as_str().expect("its id").to_owned();
    assert!(id.starts_with("ami-"), "{seen}");
    assert!(seen[1].as_str().is_some_and(|name| name.contains("al2023-ami")), "{seen}");

    let golden = by("/acme/gpu/golden");
    let none = "there is no SSM parameter \"/acme/gpu/golden\" in us-east-1";
    assert_eq!(look(aws, &golden, found).await, refused(none));
    for no_id in ["the one of Tuesday", "{\"image_id\": \"ami-0123456789abcdef0\"}", "ami-"] {
        stage.moto.put_parameter("/acme/gpu/golden", no_id).await;
        let text = "the SSM parameter \"/acme/gpu/golden\" names no image";
        assert_eq!(look(aws, &golden, found).await, refused(text), "{no_id}");
    }
    stage.moto.put_parameter("/acme/gpu/golden", "ami-0123456789abcdef0").await;
    let lost = "the SSM parameter \"/acme/gpu/golden\" names ami-0123456789abcdef0, which is not to \
                be seen in us-east-1";
    assert_eq!(look(aws, &golden, found).await, refused(lost));
    let ours = made(&stage, "Action=RegisterImage&Name=acme-gpu-7", "imageId").await;
    stage.moto.put_parameter("/acme/gpu/golden", &ours).await;
    assert_eq!(look(aws, &golden, found).await, Ok(json!([ours, "acme-gpu-7"])));
    // A version of it, and one that there never was.
    assert!(look(aws, &by("/acme/gpu/golden:4"), found).await.is_err());
    assert_eq!(look(aws, &by("/acme/gpu/golden:5"), found).await, Ok(json!([ours, "acme-gpu-7"])));
    let none = "there is no SSM parameter \"/acme/gpu/golden:99\" in us-east-1";
    assert_eq!(look(aws, &by("/acme/gpu/golden:99"), found).await, refused(none));

    // A cluster's image may be one too.
    let ask = mlinfra::cloud::Ask {
        images: [linux, "/acme/gpu/golden", "/acme/gpu/gone"].map(str::to_owned).into(),
        ..Default::default()
    };
    let images = aws.facts(&ask).await.expect("facts").images;
    let ids: Vec<&str> = images.values().map(|id| id.as_str()).collect();
    assert_eq!(ids, [ours.as_str(), id.as_str()]);
}

#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_lookup_of_zones_and_of_the_account() {
    let stage = Stage::new().await;
    let blocks = "lookup \"zones\" \"x\" {}\nlookup \"account\" \"x\" {}";
    let found = "[lookup.zones.x.names, lookup.zones.x.letters, lookup.account.x.id]";
    let names: Vec<String> = ('a'..='f').map(|letter| format!("us-east-1{letter}")).collect();
    let letters: Vec<char> = ('a'..='f').collect();
    let want = json!([names, letters, "123456789012"]);
    assert_eq!(look(&stage.aws, blocks, found).await, Ok(want));
    // Both are always there, and one each.
    for (what, why) in NOT_ON_MOTO {
        println!("not on moto: {what}: {why}");
    }
}

/// A region that knows who asks, and refuses everything else; it keeps what it was sent.
#[derive(Clone, Debug, Default)]
struct Refusing(Arc<Mutex<Vec<String>>>);

impl Answers for Refusing {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        let (status, body) = match form.get("Action").map(String::as_str) {
            Some("GetCallerIdentity") => (200, WHO),
            Some("DescribeAvailabilityZones") => (200, ZONES),
            Some(_) => (
                403,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not \
                 authorized.</Message></Error></Errors><RequestID>req-7</RequestID></Response>",
            ),
            // As SSM says it.
            None if request.headers().get("x-amz-target").is_some() => (
                400,
                "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: x is not authorized to \
                 perform: ssm:GetParameter on resource: p\"}",
            ),
            // HEAD has no body.
            None => (403, ""),
        };
        let headers: Vec<_> = request.headers().iter().collect();
        let sent = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let text = format!("{} {} {headers:?} {sent}", request.method(), request.uri());
        self.0.lock().expect("no panic under the lock").push(text);
        seam::at_once(status, body)
    }
}

#[tokio::test(start_paused = true)]
async fn aws_lookup_that_is_refused_says_which_call_was() {
    let lookups = [
        ("\"vpc\" \"x\" {\n  id = \"vpc-1\"\n}", "ec2:DescribeVpcs", "vpc-1"),
        ("\"subnets\" \"x\" {\n  vpc = \"vpc-1\"\n}", "ec2:DescribeSubnets", "vpc-1"),
        (
            "\"bucket\" \"x\" {\n  name = \"acme-corpus\"\n}",
            "s3:HeadBucket",
            "(\"x-amz-expected-bucket-owner\", \"123456789012\")",
        ),
        ("\"image\" \"x\" {\n  name = \"acme-*\"\n}", "ec2:DescribeImages", "acme-"),
    ];
    let parameter = format!("\"image\" \"x\" {{\n  parameter = {DLAMI:?}\n}}");
    let named = format!("{{\"Name\":{DLAMI:?}}}");
    let all = lookups.into_iter().chain([(parameter.as_str(), "ssm:GetParameter", named.as_str())]);
    for (block, api, sent) in all {
        let region = Refusing::default();
        let aws = Aws::connect(seam::connect(region.clone())).await.expect("the account");
        let loaded = loaded(&format!("lookup {block}\n"), None);
        let failure = aws.facts(&stack::ask(&loaded, &Pins::default())).await.expect_err(api);
        assert_eq!((failure.class, failure.api.as_str()), (Class::Denied, api), "{failure}");
        let requests = region.0.lock().expect("no panic under the lock").clone();
        let fits = requests.iter().filter(|text| text.contains(sent)).count();
        assert_eq!(fits, 1, "{sent}: {requests:#?}");
    }
}
