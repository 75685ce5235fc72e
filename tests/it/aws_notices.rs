//! What EC2 says of machines beside what they are (status checks, scheduled events, spot
//! instances that are taken back), and what a doctor asks before anything is made. moto has
//! good news only and no simulation of policies: the rest of the answers is written down here
//! in the shapes of the published models, and every request is judged by them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use mlinfra::aws::Aws;
use mlinfra::cloud::{
    Announced, Call, Checks, Cloud, Condition, Health, Launch, Measure, Observed, Permission,
    Phase, Scope,
};
use mlinfra::kinds::{Change, Edit, KindName, Market, Offer};
use mlinfra::model::{CloudId, Moment, StackName, TemplateId, Zone};
use serde_json::json;

use crate::aws_compute::{parts, template};
use crate::aws_network::{link, tags};
use crate::aws_requests::judge;
use crate::aws_stage::{Stage, home};
use crate::moto::{Params, params};
use crate::seam::{self, Answers, WHO};

/// A region that has written its answers down; it keeps what it was asked.
#[derive(Clone, Debug)]
struct Written {
    nodes: usize,
    told: &'static str,
    who: String,
    sent: Arc<Mutex<Vec<Params>>>,
}

impl Written {
    fn new(nodes: usize) -> Self {
        Self { nodes, told: "events", who: WHO.to_owned(), sent: Arc::default() }
    }

    fn sent(&self, action: &str) -> Vec<Params> {
        let all = self.sent.lock().expect("no panic under the lock");
        let of = |form: &&Params| form.get("Action").is_some_and(|it| it == action);
        all.iter().filter(of).cloned().collect()
    }

    fn judged(&self) {
        let (fits, said) = judge(&self.sent.lock().expect("no panic under the lock"));
        assert!(fits, "{said}");
    }
}

/// As Service Quotas answers where an account has never had a quota changed.
const UNCHANGED: &str = r#"{"__type":"NoSuchResourceException","Message":"no applied value"}"#;

impl Written {
    /// Of quotas AWS's own values alone are known here.
    fn quotas(&self, request: &HttpRequest) -> Option<HttpConnectorFuture> {
        let target = request.headers().get("x-amz-target")?;
        if !target.starts_with("ServiceQuotas") {
            return None;
        }
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let form =
            Params::from([("Target".to_owned(), target.to_owned()), ("Body".to_owned(), body)]);
        let mut sent = self.sent.lock().expect("no panic under the lock");
        let applied = target.ends_with(".GetServiceQuota");
        sent.push(form);
        let answer = r#"{"Quota":{"ServiceCode":"ebs","QuotaCode":"L-7A658B76","Value":50.0}}"#;
        Some(if applied { seam::at_once(400, UNCHANGED) } else { seam::at_once(200, answer) })
    }
}

impl Written {
    /// EFS has the id of a file system in the path, and the rest in a body of JSON.
    fn efs(&self, request: &HttpRequest) {
        let Some((_, path)) = request.uri().split_once("/file-systems/") else { return };
        let Some((id, what)) = path.split_once('/').filter(|_| request.method() == "PUT") else {
            return;
        };
        let action = match what {
            "backup-policy" => "PutBackupPolicy",
            "lifecycle-configuration" => "PutLifecycleConfiguration",
            other => panic!("name {other}"),
        };
        let body = request.body().bytes().unwrap_or_default();
        let mut body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        body["FileSystemId"] = id.into();
        let of = |key: &str, text: String| (key.to_owned(), text);
        let form =
            Params::from([of("Target", format!("EFS.{action}")), of("Body", body.to_string())]);
        self.sent.lock().expect("no panic under the lock").push(form);
    }
}

fn id(at: usize) -> String {
    format!("i-{at:017x}")
}

/// Every second one is on spot.
fn node(at: usize) -> String {
    let tag =
        |key: &str, value: &str| format!("<item><key>{key}</key><value>{value}</value></item>");
    let tags = tag("mlinfra:stack", "llm")
        + &tag("mlinfra:address", "cluster.train/nodes")
        + &tag("mlinfra:template", "lt-1")
        + &tag("mlinfra:batch", "1");
    let spot = if at % 2 == 1 { "<instanceLifecycle>spot</instanceLifecycle>" } else { "" };
    format!(
        "<item><instanceId>{}</instanceId><instanceType>p5.48xlarge</instanceType>\
         <instanceState><code>16</code><name>running</name></instanceState>{spot}\
         <subnetId>subnet-1</subnetId><placement><availabilityZone>us-east-1a</availabilityZone>\
         </placement><tagSet>{tags}</tagSet></item>",
        id(at)
    )
}

/// Good, but for what is named.
fn status(id: &str, system: &str, instance: &str, events: &str) -> String {
    let since = "<details><item><name>reachability</name><status>failed</status>\
        <impairedSince>2026-11-24T10:00:00.000Z</impairedSince></item></details>";
    let summary = |status: &str| {
        let details = if status == "impaired" { since } else { "" };
        format!("<status>{status}</status>{details}")
    };
    format!(
        "<item><instanceId>{id}</instanceId><systemStatus>{}</systemStatus><instanceStatus>{}\
         </instanceStatus><eventsSet>{events}</eventsSet></item>",
        summary(system),
        summary(instance)
    )
}

fn event(code: &str, text: &str) -> String {
    format!(
        "<item><code>{code}</code><description>{text}</description>\
         <notBefore>2026-12-01T04:00:00.000Z</notBefore></item>"
    )
}

/// Two pages of three nodes; all that are asked about are well beyond that.
fn statuses(form: &Params) -> String {
    let asked: Vec<&str> =
        (1..).map_while(|at| form.get(&format!("InstanceId.{at}"))).map(String::as_str).collect();
    if asked.len() > 4 {
        let all: String = asked.iter().map(|id| status(id, "ok", "ok", "")).collect();
        return format!("<instanceStatusSet>{all}</instanceStatusSet>");
    }
    let retired = event("instance-retirement", "The instance is running on degraded hardware")
        + &event("instance-stop", "[Completed] The instance was stopped");
    let reboot = event("system-reboot", "scheduled reboot");
    if form.contains_key("NextToken") {
        let last = status(&id(2), "ok", "initializing", &reboot);
        return format!("<instanceStatusSet>{last}</instanceStatusSet>");
    }
    let first = status(&id(0), "ok", "ok", &retired) + &status(&id(1), "impaired", "ok", "");
    format!("<instanceStatusSet>{first}</instanceStatusSet><nextToken>more</nextToken>")
}

/// What was asked for on spot: one of the two is being taken back.
fn spot() -> String {
    let one = |at: usize, code: &str| {
        format!(
            "<item><spotInstanceRequestId>sir-{at}</spotInstanceRequestId><instanceId>{}\
             </instanceId><status><code>{code}</code></status></item>",
            id(at)
        )
    };
    let all = one(1, "fulfilled") + &one(3, "marked-for-termination");
    format!("<spotInstanceRequestSet>{all}</spotInstanceRequestSet>")
}

/// The simulation: creating is denied; a page for each half.
fn simulated(form: &Params) -> String {
    let asked: Vec<&String> =
        (1..).map_while(|at| form.get(&format!("ActionNames.member.{at}"))).collect();
    let half = asked.len() / 2;
    let (page, more) = match form.contains_key("Marker") {
        true => (&asked[half..], "<IsTruncated>false</IsTruncated>"),
        false => (&asked[..half], "<IsTruncated>true</IsTruncated><Marker>half</Marker>"),
    };
    let one = |name: &&String| {
        let said = if name.contains(":Create") { "implicitDeny" } else { "allowed" };
        format!(
            "<member><EvalActionName>{name}</EvalActionName><EvalDecision>{said}</EvalDecision>\
             </member>"
        )
    };
    let all: String = page.iter().map(one).collect();
    format!("<EvaluationResults>{all}</EvaluationResults>{more}")
}

const ROLE: &str = "<Role><Path>/ops/</Path><RoleName>Deployer</RoleName><RoleId>AROAXXXXXXXXXXXXXXXXX\
    </RoleId><Arn>arn:aws:iam::123456789012:role/ops/Deployer</Arn>\
    <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>";

const NO_ZONES: &str = "<ListHostedZonesResponse><HostedZones></HostedZones>\
    <IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>";

impl Answers for Written {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        let Some(action) = form.get("Action").cloned() else {
            if let Some(answer) = self.quotas(&request) {
                return answer;
            }
            self.efs(&request);
            // Nothing else is there: SQS and FSx speak JSON, EFS does so by paths.
            let empty = match request.uri() {
                uri if uri.contains("route53") => NO_ZONES,
                uri if uri.contains("elasticfilesystem") => "{}",
                _ if request.headers().get("x-amz-target").is_some() => "{}",
                _ => "<ListAllMyBucketsResult></ListAllMyBucketsResult>",
            };
            return seam::at_once(200, empty);
        };
        self.sent.lock().expect("no panic under the lock").push(form.clone());
        let refused = self.told == "refusals" && action == "DescribeInstanceStatus";
        if refused {
            return seam::at_once(
                403,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not \
                 authorized</Message></Error></Errors><RequestID>r</RequestID></Response>",
            );
        }
        let body = match action.as_str() {
            "GetCallerIdentity" => return seam::at_once(200, self.who.clone()),
            "DescribeInstances" => {
                let mut all: String = (0..self.nodes).map(node).collect();
                if self.told == "taken" {
                    let ended = "<code>48</code><name>terminated</name></instanceState>\
                        <stateReason><code>Server.SpotInstanceTermination</code></stateReason>";
                    all = all.replace("<code>16</code><name>running</name></instanceState>", ended);
                }
                format!(
                    "<reservationSet><item><instancesSet>{all}</instancesSet></item></reservationSet>"
                )
            }
            "DescribeInstanceStatus" => statuses(&form),
            "DescribeSpotInstanceRequests" => spot(),
            "SimulatePrincipalPolicy" => {
                format!("<{action}Result>{}</{action}Result>", simulated(&form))
            }
            "GetRole" => format!("<{action}Result>{ROLE}</{action}Result>"),
            _ => format!(
                "<{action}Result><Roles></Roles><InstanceProfiles></InstanceProfiles>\
                 <IsTruncated>false</IsTruncated></{action}Result>"
            ),
        };
        seam::at_once(200, format!("<{action}Response>{body}</{action}Response>"))
    }
}

async fn observed(region: &Written) -> Observed {
    let aws = Aws::connect(seam::connect(region.clone())).await.expect("an account");
    let scope = Scope { stack: StackName::from("llm"), home: home(), names: BTreeSet::new() };
    aws.observe(&scope).await
}

fn of(observed: &Observed, at: usize) -> &Condition {
    observed.conditions.get(&CloudId(id(at))).expect("it is known")
}

#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_notices_are_read_as_ec2_tells_them() {
    let region = Written::new(4);
    let observed = observed(&region).await;
    assert_eq!((&observed.unjudged, observed.blind.len()), (&None, 0));
    let at = "2026-12-01T04:00:00Z".to_owned();
    let (first, second) = (of(&observed, 0), of(&observed, 1));
    assert_eq!(first.checks, Some(Checks::Good));
    // What is over is told no more.
    assert_eq!(first.announced, [Announced::Retirement { at: at.clone() }]);
    let bad = "EC2's system check fails since 2026-11-24T10:00:00Z".to_owned();
    assert_eq!(second.health(&Phase::Ready), Health::Impaired(bad));
    assert_eq!(second.announced, []);
    let (third, last) = (of(&observed, 2), of(&observed, 3));
    assert_eq!(third.checks, Some(Checks::Starting));
    let what = "system-reboot".to_owned();
    assert_eq!(third.announced, [Announced::Maintenance { what, at }]);
    // Of this one EC2 said nothing; its spot request did.
    let what = "marked-for-termination".to_owned();
    assert_eq!((&last.checks, &*last.announced), (&None, &[Announced::Interruption { what }][..]));
    // Spot requests are asked about for spot instances alone.
    let asked = region.sent("DescribeSpotInstanceRequests").pop().expect("it was asked");
    assert_eq!((&asked["Filter.1.Value.1"], &asked["Filter.1.Value.2"]), (&id(1), &id(3)));
    assert_eq!(asked.get("Filter.1.Value.3"), None);
    region.judged();
}

/// A hundred in a call: more ids are refused. A refusal hides no node and is told.
#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_notices_of_many_nodes_take_a_call_for_each_hundred() {
    let region = Written::new(205);
    let all = observed(&region).await;
    assert_eq!(all.unjudged, None);
    assert!(all.conditions.values().all(|it| it.checks == Some(Checks::Good)));
    let sizes: Vec<usize> = region
        .sent("DescribeInstanceStatus")
        .iter()
        .map(|form| form.keys().filter(|key| key.starts_with("InstanceId.")).count())
        .collect();
    assert_eq!(sizes, [100, 100, 5]);
    region.judged();

    let region = Written { told: "refusals", ..Written::new(4) };
    let all = observed(&region).await;
    let why = all.unjudged.as_deref().expect("it is told");
    assert!(why.contains("ec2:DescribeInstanceStatus: UnauthorizedOperation"), "{why}");
    assert_eq!(all.conditions.len(), 4);
    // What spot says is known all the same.
    assert_eq!(of(&all, 3).announced.len(), 1);
}

/// Over HTTP: moto's machines are well, and its answers are read as such.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_notices_come_over_the_wire() {
    let stage = Stage::new().await;
    let parts = parts(&stage).await;
    let made = TemplateId(stage.make("cluster.train/template", template(&parts)).await.0);
    let mut ids = Vec::new();
    for market in [Market::OnDemand, Market::Spot] {
        let zone = Zone::from("us-east-1a");
        let plain = Offer::plain("p5.48xlarge", zone, link(&parts.subnet));
        let launch = Launch {
            template: made.clone(),
            offer: Offer { market, ..plain },
            count: 2,
            whole: true,
            batch: 1,
            owner: stage.owner("cluster.train/nodes"),
            tags: tags(&[]),
        };
        ids.extend(stage.act(Call::Launch(launch)).await.expect("two nodes").ids);
    }
    let observed = stage.observe().await;
    assert_eq!(observed.unjudged, None);
    let told = stage.aws.conditions(&ids).await.expect("conditions");
    for id in &ids {
        assert_eq!(observed.conditions[id].checks, Some(Checks::Good));
        assert_eq!(observed.conditions[id].announced, []);
        assert_eq!((&told[id].0, &told[id].1.checks), (&Phase::Ready, &Some(Checks::Good)));
    }
    let running = stage.aws.running().await.expect("what runs");
    let p5 = |market| ("p5.48xlarge".to_owned(), market);
    let want = BTreeMap::from([(p5(Market::OnDemand), 2), (p5(Market::Spot), 2)]);
    assert_eq!(running, want);
    for action in ["DescribeInstanceStatus", "DescribeSpotInstanceRequests"] {
        assert!(!stage.moto.sent(action).is_empty(), "{action}");
    }
    let (fits, said) = judge(&stage.moto.all_sent());
    assert!(fits, "{said}");
}

/// The doctor's questions: moto has no simulation of policies, so dry runs answer, and make
/// nothing.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_doctor_asks_and_changes_nothing() {
    let stage = Stage::new().await;
    let pulse = stage.aws.pulse().await;
    let clock = pulse.clock.expect("the server's clock").0;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = i64::try_from(now.as_millis()).expect("a time");
    assert!((now - clock).abs() < 60_000, "{clock} and {now}");
    assert_eq!(pulse.ends, None, "keys of a user end never");
    let dry = [
        "ec2:CreateVpc",
        "ec2:AllocateAddress",
        "ec2:CreateInternetGateway",
        "ec2:CreateSecurityGroup",
        "ec2:CreatePlacementGroup",
    ];
    let asked: BTreeSet<String> =
        dry.into_iter().chain(["iam:CreateRole"]).map(str::to_owned).collect();
    let before = stage.moto.form("Action=DescribeVpcs&Version=2016-11-15").await;
    let told = stage.aws.permissions(&asked).await;
    for action in dry {
        assert_eq!(told[action], Permission::Allowed, "{action}");
    }
    let Permission::Unknown(why) = &told["iam:CreateRole"] else { panic!("{told:?}") };
    assert!(why.starts_with("iam:SimulatePrincipalPolicy: "), "{why}");
    let after = stage.moto.form("Action=DescribeVpcs&Version=2016-11-15").await;
    assert_eq!(before.matches("<vpcId>").count(), after.matches("<vpcId>").count());
    assert_eq!(stage.observe().await.live.len(), 0);
    let (fits, said) = judge(&stage.moto.all_sent());
    assert!(fits, "{said}");
}

/// IAM's own simulation, for a session of a role: of the role, with its path; fifty actions in
/// a call, all pages of each.
#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_doctor_has_the_role_of_a_session_judged() {
    let who =
        WHO.replace(":iam::123456789012:user/x", ":sts::123456789012:assumed-role/Deployer/me");
    let region = Written { who, ..Written::new(0) };
    let aws = Aws::connect(seam::connect(region.clone())).await.expect("an account");
    let asked: BTreeSet<String> = (0..60)
        .map(|at| format!("ec2:{}{at}", if at % 3 == 0 { "Create" } else { "Describe" }))
        .collect();
    let told = aws.permissions(&asked).await;
    assert_eq!(told.keys().collect::<Vec<_>>(), asked.iter().collect::<Vec<_>>());
    for (action, found) in &told {
        let want = if action.contains("Create") { Permission::Denied } else { Permission::Allowed };
        assert_eq!(*found, want, "{action}");
    }
    let sent = region.sent("SimulatePrincipalPolicy");
    assert_eq!(sent.len(), 4, "two calls of two pages");
    let source = "arn:aws:iam::123456789012:role/ops/Deployer";
    assert!(sent.iter().all(|form| form["PolicySourceArn"] == source), "{sent:?}");
    region.judged();
}

/// A quota that was never changed has no value of its own: AWS's default holds.
#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_quotas_that_were_never_changed_are_aws_s_own() {
    let region = Written::new(0);
    let aws = Aws::connect(seam::connect(region.clone())).await.expect("an account");
    assert_eq!(aws.quota("ebs", "L-7A658B76").await, Ok(Some(50)));
    let sent = region.sent.lock().expect("no panic under the lock").clone();
    let asked: Vec<&str> =
        sent.iter().filter_map(|form| form.get("Target")?.rsplit('.').next()).collect();
    assert_eq!(asked, ["GetServiceQuota", "GetAWSDefaultServiceQuota"]);
    region.judged();
}

/// What there is in the account, over HTTP: moto knows quotas of VPCs, and has a VPC of its own.
#[tokio::test]
#[ignore = "needs moto: run `make test`"]
async fn aws_usage_is_counted_whoever_s_it_is() {
    let stage = Stage::new().await;
    assert_eq!(stage.aws.quota("vpc", "L-F678F1CE").await, Ok(Some(5)));
    assert_eq!(stage.aws.quota("vpc", "L-0EA8095F").await, Ok(Some(60)));
    let of = async |measure| stage.aws.usage(&measure).await.expect("a number");
    let gp3 = || Measure::Disks("gp3".to_owned());
    let before = (of(Measure::Addresses).await, of(Measure::Vpcs).await, of(gp3()).await);
    for action in ["AllocateAddress&Domain=vpc", "CreateVpc&CidrBlock=10.7.0.0/16"] {
        stage.moto.form(&format!("Action={action}&Version=2016-11-15")).await;
    }
    let disk = "CreateVolume&AvailabilityZone=us-east-1a&Size=300&VolumeType=gp3";
    stage.moto.form(&format!("Action={disk}&Version=2016-11-15")).await;
    let after = (of(Measure::Addresses).await, of(Measure::Vpcs).await, of(gp3()).await);
    assert_eq!(after, (before.0 + 1, before.1 + 1, before.2 + 300));
    assert_eq!(of(Measure::Disks("io2".to_owned())).await, 0);
    assert_eq!(of(Measure::FileSystems).await, 0);
    let (roles, profiles) = (of(Measure::Roles).await, of(Measure::Profiles).await);
    let role = "CreateRole&RoleName=one&AssumeRolePolicyDocument=%7B%7D";
    for action in [role, "CreateInstanceProfile&InstanceProfileName=one"] {
        stage.moto.service("iam", &format!("Action={action}&Version=2010-05-08")).await;
    }
    assert_eq!(of(Measure::Roles).await, roles + 1);
    assert_eq!(of(Measure::Profiles).await, profiles + 1);
    let limit = async |code| stage.aws.quota("iam", code).await.expect("an answer");
    let limits = (limit("L-FE177D64").await, limit("L-6E65F664").await, limit("L-0").await);
    assert!(matches!(limits, (Some(1..), Some(1..), None)), "{limits:?}");
    assert_eq!(of(Measure::Lustre("SCRATCH_2".to_owned())).await, 0);
    let (fits, said) = judge(&stage.moto.all_sent());
    assert!(fits, "{said}");
}

/// Instances that have ended are seen for an hour: those that spot took back say where that was.
#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_spot_tells_where_it_took_nodes_back() {
    let region = Written { told: "taken", ..Written::new(4) };
    let seen = observed(&region).await;
    assert!(seen.live.is_empty() && seen.conditions.is_empty(), "{seen:?}");
    let ids: Vec<String> = seen.interrupted.keys().map(ToString::to_string).collect();
    assert_eq!(ids, [id(1), id(3)], "the others are no spot instances");
    let seen = Observed { at: Moment(0), ..seen };
    let place = ("p5.48xlarge".to_owned(), "us-east-1a".into());
    assert_eq!(seen.setbacks()[&place].times, 1, "both at once");
    region.judged();
}

/// What EFS keeps beside a file system, which moto does not take.
#[tokio::test]
#[ignore = "needs botocore: run `make test`"]
async fn aws_efs_settings_fit_the_published_model() {
    let region = Written::new(0);
    let aws = Aws::connect(seam::connect(region.clone())).await.expect("an account");
    let edits = [
        ("infrequent_after", json!(90)),
        ("infrequent_after", json!(1)),
        ("infrequent_after", json!(null)),
        ("backup", json!(true)),
        ("backup", json!(false)),
    ];
    for (field, to) in edits {
        let edit = Edit { field: field.to_owned(), change: Change::Put(to) };
        let (kind, id) = (KindName::EfsFileSystem, "fs-0123456789abcdef0".into());
        aws.act(&Call::Edit { kind, id, edit }).await.expect("it is taken");
    }
    let sent = region.sent.lock().expect("no panic under the lock").clone();
    let bodies: Vec<&str> =
        sent.iter().filter_map(|form| Some(form.get("Body")?.as_str())).collect();
    assert_eq!(bodies.len(), 5);
    assert!(bodies[0].contains("AFTER_90_DAYS") && bodies[1].contains("AFTER_1_DAY\""));
    assert!(bodies[3].contains("ENABLED") && bodies[4].contains("DISABLED"), "{bodies:?}");
    region.judged();
}
