//! Faults at the SDK's own seam: no server, no network, no real time.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use mlinfra::aws::{Aws, Connect};
use mlinfra::cloud::{Call, Class, Cloud, Failure, Launch, Left, Make, Owner, Reply, Scope};
use mlinfra::kinds::{Change, Edit, KindName, Offer, Spec, Tags, Vpc};
use mlinfra::model::{AccountId, Address, CloudId, Link, StackName, Token, Zone};

use crate::aws_stage::home;
use crate::moto::{Params, params};
use crate::seam::{self, Answers, WHO};

/// What becomes of one request.
#[derive(Clone, Debug)]
enum Fault {
    /// The connection breaks; nobody knows when.
    Lost,
    /// No answer comes.
    Hang,
    /// An EC2 error.
    Error(u16, &'static str, &'static str),
    /// An S3 error.
    Refused(u16, &'static str),
    /// This body.
    Answer(&'static str),
    /// An empty success.
    Done,
}

/// Answers from a script; what is not in it gets the last word.
#[derive(Clone, Debug)]
struct Script {
    faults: Arc<Mutex<Vec<(&'static str, Fault)>>>,
    sent: Arc<Mutex<Vec<Params>>>,
}

const VERSION: &str = "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>\
    <launchTemplateId>lt-1</launchTemplateId><versionNumber>1</versionNumber>\
    <launchTemplateData><imageId>ami-1</imageId></launchTemplateData></item>\
    </launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>";

impl Script {
    fn new(faults: &[(&'static str, Fault)]) -> Self {
        let faults = Arc::new(Mutex::new(faults.to_vec()));
        Self { faults, sent: Arc::default() }
    }

    fn next(&self, action: &str) -> Fault {
        let mut faults = self.faults.lock().expect("no panic under the lock");
        match faults.iter().position(|(of, _)| *of == action) {
            Some(at) => faults.remove(at).1,
            None if action == "GetCallerIdentity" => Fault::Answer(WHO),
            None if action == "DescribeLaunchTemplateVersions" => Fault::Answer(VERSION),
            None => Fault::Done,
        }
    }

    fn count(&self, action: &str) -> usize {
        let sent = self.sent.lock().expect("no panic under the lock");
        sent.iter().filter(|one| one.get("Action").map(String::as_str) == Some(action)).count()
    }

    async fn aws(&self) -> Aws {
        Aws::connect(self.connect()).await.expect("the script's account")
    }

    fn connect(&self) -> Connect {
        seam::connect(self.clone())
    }
}

impl Answers for Script {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        let action = form.get("Action").cloned().unwrap_or_else(|| rest_action(&request));
        self.sent.lock().expect("no panic under the lock").push(form);
        let fault = self.next(&action);
        HttpConnectorFuture::new(async move {
            match fault {
                Fault::Lost => Err(ConnectorError::io("the connection broke".into())),
                Fault::Hang => std::future::pending().await,
                Fault::Refused(status, code) => {
                    Ok(answer(status, format!("<Error><Code>{code}</Code></Error>")))
                }
                Fault::Done => Ok(answer(200, format!("<{action}Response></{action}Response>"))),
                Fault::Answer(body) => Ok(answer(200, body.to_owned())),
                Fault::Error(status, code, text) => {
                    let body = format!(
                        "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message>\
                         </Error></Errors><RequestID>req-7</RequestID></Response>"
                    );
                    Ok(answer(status, body))
                }
            }
        })
    }
}

/// Buckets know no actions: the method and what of the bucket it is about.
fn rest_action(request: &HttpRequest) -> String {
    let about = request.uri().split_once('?').map_or("", |(_, query)| query);
    format!("{} {}", request.method(), about.split(['&', '=']).next().unwrap_or_default())
}

fn answer(status: u16, body: String) -> HttpResponse {
    let mut response = seam::response(status, body);
    response.headers_mut().insert("x-amzn-requestid", "req-7");
    response
}

fn owner() -> Owner {
    Owner {
        stack: StackName::from("llm"),
        address: Address::from_tag("network.main/vpc").expect("an address"),
        generation: 1,
        token: Token::from("token-1"),
        named: None,
    }
}

fn create_vpc() -> Call {
    let spec: Spec = Vpc {
        cidr: "10.0.0.0/16".to_owned(),
        dns_support: true,
        dns_hostnames: false,
        tags: Tags::new(),
    }
    .into();
    Call::Create(Make { spec, owner: owner() })
}

fn edit_vpc() -> Call {
    let change = Change::Put(true.into());
    let edit = Edit { field: "dns_support".to_owned(), change };
    Call::Edit { kind: KindName::Vpc, id: CloudId::from("vpc-1"), edit }
}

fn launch() -> Call {
    Call::Launch(Launch {
        template: "lt-1".into(),
        offer: Offer::plain("p5.48xlarge", Zone::from("us-east-1a"), Link::Id("subnet-1".into())),
        count: 2,
        whole: true,
        batch: 1,
        owner: owner(),
        tags: Tags::new(),
    })
}

const BUSY: Fault = Fault::Error(503, "RequestLimitExceeded", "slow down");

#[tokio::test(start_paused = true)]
async fn aws_throttling_is_waited_out() {
    let script = Script::new(&[("ModifyVpcAttribute", BUSY), ("ModifyVpcAttribute", BUSY)]);
    let aws = script.aws().await;
    assert_eq!(aws.act(&edit_vpc()).await, Ok(Reply::default()));
    assert_eq!(script.count("ModifyVpcAttribute"), 3);
    assert_eq!(aws.calls()["ec2:ModifyVpcAttribute"].calls, 3);
}

#[tokio::test(start_paused = true)]
async fn aws_throttling_without_end_is_said_so() {
    let script = Script::new(&vec![("ModifyVpcAttribute", BUSY); 9]);
    let failure = script.aws().await.act(&edit_vpc()).await.expect_err("throttled");
    assert_eq!((failure.class, failure.left), (Class::Throttled, Left::Nothing));
    assert_eq!(failure.request.as_deref(), Some("req-7"));
}

/// A create that nothing makes idempotent is sent once: sent again it would make two.
#[tokio::test(start_paused = true)]
async fn aws_create_without_token_is_sent_once() {
    for fault in [Fault::Lost, Fault::Hang, Fault::Error(500, "InternalError", "")] {
        let script = Script::new(&[("CreateVpc", fault.clone())]);
        let failure = script.aws().await.act(&create_vpc()).await.expect_err("no answer");
        assert_eq!((failure.class, failure.left), (Class::Unavailable, Left::Unknown), "{fault:?}");
        assert_eq!(script.count("CreateVpc"), 1, "{fault:?}");
        assert!(!failure.is_definitive());
    }
}

#[tokio::test(start_paused = true)]
async fn aws_missing_capacity_is_definitive_and_not_retried() {
    let codes = [
        (500, "InsufficientInstanceCapacity", Class::Capacity),
        (400, "VcpuLimitExceeded", Class::Quota),
        (400, "MaxSpotInstanceCountExceeded", Class::Quota),
        (400, "InvalidPlacementGroup.InUse", Class::Capacity),
        (400, "IdempotentParameterMismatch", Class::Mismatch),
        (403, "UnauthorizedOperation", Class::Denied),
        (400, "RequestExpired", Class::Expired),
        (503, "RequestLimitExceeded", Class::Throttled),
        // The template was made a moment ago.
        (400, "InvalidLaunchTemplateId.NotFound", Class::Settling),
    ];
    for (status, code, class) in codes {
        let script = Script::new(&[("RunInstances", Fault::Error(status, code, ""))]);
        let failure = script.aws().await.act(&launch()).await.expect_err("refused");
        assert_eq!((failure.class, failure.left), (class, Left::Nothing), "{code}");
        assert_eq!(script.count("RunInstances"), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn aws_a_fresh_profile_is_waited_for() {
    let text = "Value (llm) for parameter iamInstanceProfile.name is invalid. \
                Invalid IAM Instance Profile name";
    let fault = Fault::Error(400, "InvalidParameterValue", text);
    let script = Script::new(&[("RunInstances", fault)]);
    let failure = script.aws().await.act(&launch()).await.expect_err("refused");
    assert_eq!(failure.class, Class::Settling);
    assert!(failure.class.may_pass());
}

#[tokio::test(start_paused = true)]
async fn aws_a_lost_launch_is_unknown_and_carries_its_token() {
    let script = Script::new(&[("RunInstances", Fault::Lost)]);
    let failure = script.aws().await.act(&launch()).await.expect_err("no answer");
    assert_eq!((failure.class, failure.left), (Class::Unavailable, Left::Unknown));
    let sent = script.sent.lock().expect("no panic under the lock").clone();
    let run = sent.iter().find(|one| one.get("Action").map(String::as_str) == Some("RunInstances"));
    let run = run.expect("a launch");
    assert_eq!(run.get("ClientToken").map(String::as_str), Some("token-1"));
    assert_eq!(run.get("MinCount"), run.get("MaxCount"));
}

#[tokio::test(start_paused = true)]
async fn aws_what_is_gone_is_deleted() {
    let fault = Fault::Error(400, "InvalidVpcID.NotFound", "");
    let script = Script::new(&[("DeleteVpc", fault.clone()), ("DescribeVpcs", fault)]);
    let aws = script.aws().await;
    let Call::Create(make) = create_vpc() else { panic!("a create") };
    let id = CloudId::from("vpc-1");
    let delete = Call::Delete { id: id.clone(), was: make.spec };
    assert_eq!(aws.act(&delete).await, Ok(Reply::default()));
    assert_eq!(aws.phase(KindName::Vpc, &id).await, Ok(mlinfra::cloud::Phase::Gone));
}

/// A batch that was asked for again and has died since is no success.
#[tokio::test(start_paused = true)]
async fn aws_a_replay_that_returns_the_dead_is_refused() {
    let dead = "<RunInstancesResponse><instancesSet><item><instanceId>i-1</instanceId>\
                <instanceState><code>48</code><name>terminated</name></instanceState></item>\
                </instancesSet></RunInstancesResponse>";
    let script = Script::new(&[("RunInstances", Fault::Answer(dead))]);
    let failure = script.aws().await.act(&launch()).await.expect_err("dead");
    assert_eq!((failure.class, failure.left), (Class::Mismatch, Left::Nothing));
}

#[tokio::test(start_paused = true)]
async fn aws_another_account_is_refused() {
    let script = Script::new(&[]);
    let account = Some(AccountId::from("999999999999"));
    let refused = Aws::connect(Connect { account, ..script.connect() }).await;
    assert_eq!(refused.err().map(|bad: Failure| bad.class), Some(Class::Denied));
}

#[tokio::test(start_paused = true)]
async fn aws_a_list_that_fails_blinds_its_kind_only() {
    let denied = Fault::Error(403, "UnauthorizedOperation", "no");
    let script = Script::new(&[("DescribeVpcs", denied)]);
    let scope = Scope {
        stack: StackName::from("llm"),
        home: home(),
        names: std::collections::BTreeSet::new(),
    };
    let observed = script.aws().await.observe(&scope).await;
    let why = observed.blind.get(&KindName::Vpc).expect("blind");
    assert!(why.contains("UnauthorizedOperation"), "{why}");
    assert!(!observed.blind.contains_key(&KindName::Subnet), "{:?}", observed.blind);
}

/// Every page is read, and one page that fails blinds the whole list.
#[tokio::test(start_paused = true)]
async fn aws_lists_are_read_to_their_end() {
    const FIRST: &str = "<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId>\
        <tagSet><item><key>mlinfra:stack</key><value>llm</value></item><item>\
        <key>mlinfra:address</key><value>network.main/a</value></item></tagSet></item></subnetSet>\
        <nextToken>more</nextToken></DescribeSubnetsResponse>";
    const LAST: &str = "<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-2</subnetId>\
        <tagSet><item><key>mlinfra:stack</key><value>llm</value></item><item>\
        <key>mlinfra:address</key><value>network.main/b</value></item></tagSet></item></subnetSet>\
        </DescribeSubnetsResponse>";
    let scope = Scope {
        stack: StackName::from("llm"),
        home: home(),
        names: std::collections::BTreeSet::new(),
    };
    let list = "DescribeSubnets";
    let script = Script::new(&[(list, Fault::Answer(FIRST)), (list, Fault::Answer(LAST))]);
    let observed = script.aws().await.observe(&scope).await;
    assert_eq!(observed.live.len(), 2);

    let denied = Fault::Error(403, "UnauthorizedOperation", "no");
    let script = Script::new(&[(list, Fault::Answer(FIRST)), (list, denied)]);
    let observed = script.aws().await.observe(&scope).await;
    assert!(observed.live.is_empty() && observed.blind.contains_key(&KindName::Subnet));
}

/// A detail that cannot be read blinds its object, not its kind.
#[tokio::test(start_paused = true)]
async fn aws_a_detail_that_fails_blinds_its_object_only() {
    const LIST: &str = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId><tagSet><item>\
        <key>mlinfra:stack</key><value>llm</value></item><item><key>mlinfra:address</key>\
        <value>network.main/vpc</value></item></tagSet></item></vpcSet></DescribeVpcsResponse>";
    let denied = Fault::Error(403, "UnauthorizedOperation", "no");
    let script =
        Script::new(&[("DescribeVpcs", Fault::Answer(LIST)), ("DescribeVpcAttribute", denied)]);
    let scope = Scope {
        stack: StackName::from("llm"),
        home: home(),
        names: std::collections::BTreeSet::new(),
    };
    let observed = script.aws().await.observe(&scope).await;
    assert!(!observed.blind.contains_key(&KindName::Vpc));
    let live = observed.live.values().next().expect("the VPC");
    assert!(matches!(live.seen, mlinfra::cloud::Seen::Blind(_)), "{:?}", live.seen);
}

/// The answer to a create is lost, the SDK sends it again, and S3 says that the bucket
/// exists: it is the one that was made.
#[tokio::test(start_paused = true)]
async fn aws_a_bucket_whose_creation_was_answered_twice_is_ours() {
    const TAGS: &str = "<Tagging><TagSet><Tag><Key>mlinfra:stack</Key><Value>llm</Value></Tag>\
        <Tag><Key>mlinfra:address</Key><Value>network.main/vpc</Value></Tag>\
        <Tag><Key>mlinfra:intent</Key><Value>token-1</Value></Tag></TagSet></Tagging>";
    let foreign = "<Tagging><TagSet></TagSet></Tagging>";
    for (tags, ours) in [(TAGS, true), (foreign, false)] {
        let script = Script::new(&[
            ("GET tagging", Fault::Refused(404, "NoSuchBucket")),
            ("PUT ", Fault::Lost),
            ("PUT ", Fault::Refused(409, "BucketAlreadyOwnedByYou")),
            ("GET tagging", Fault::Answer(tags)),
        ]);
        let spec = mlinfra::kinds::Bucket {
            name: "llm-data".to_owned(),
            versioning: false,
            encryption: None,
            public_access_block: false,
            ownership: None,
            policy: None,
            lifecycle: Vec::new(),
            precious: true,
            tags: Tags::new(),
        };
        let make = Make { spec: spec.into(), owner: owner() };
        let answer = script.aws().await.act(&Call::Create(make)).await;
        match answer {
            Ok(reply) => assert!(ours && reply.ids == [CloudId::from("arn:aws:s3:::llm-data")]),
            Err(failure) => assert!(!ours && failure.class == Class::Exists, "{failure}"),
        }
    }
}
