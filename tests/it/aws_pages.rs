//! A refresh of a large cluster over the SDK: one call per kind, and one per further page.
//! A region that answers from memory, page by page, stands in for EC2.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use mlinfra::aws::Aws;
use mlinfra::cloud::{Cloud, Scope};
use mlinfra::kinds::KindName;
use mlinfra::model::StackName;

use crate::aws_stage::home;
use crate::moto::params;
use crate::seam::{self, Answers, WHO};

/// A region with so many nodes and nothing else. AWS gives at most 1,000 on a page.
#[derive(Clone, Debug)]
struct Crowd {
    nodes: usize,
    /// How many nodes each page was asked for.
    pages: Arc<Mutex<Vec<usize>>>,
}

impl Crowd {
    fn page(&self, form: &BTreeMap<String, String>) -> String {
        let asked = form.get("MaxResults").and_then(|most| most.parse().ok()).unwrap_or(1000);
        let most = asked.min(1000);
        self.pages.lock().expect("no panic under the lock").push(asked);
        let start: usize = form.get("NextToken").map_or(0, |at| at.parse().expect("our token"));
        let end = (start + most).min(self.nodes);
        let items: String = (start..end).map(node).collect();
        let more =
            if end < self.nodes { format!("<nextToken>{end}</nextToken>") } else { String::new() };
        format!(
            "<DescribeInstancesResponse><reservationSet><item><instancesSet>{items}</instancesSet>\
             </item></reservationSet>{more}</DescribeInstancesResponse>"
        )
    }
}

fn node(at: usize) -> String {
    let tag =
        |key: &str, value: &str| format!("<item><key>{key}</key><value>{value}</value></item>");
    let tags = [
        tag("mlinfra:stack", "llm"),
        tag("mlinfra:address", "cluster.train/nodes"),
        tag("mlinfra:template", "lt-1"),
        tag("mlinfra:batch", "1"),
    ];
    format!(
        "<item><instanceId>i-{at:017x}</instanceId><instanceType>p5.48xlarge</instanceType>\
         <instanceState><code>16</code><name>running</name></instanceState>\
         <subnetId>subnet-1</subnetId><placement><availabilityZone>us-east-1a</availabilityZone>\
         </placement><tagSet>{}</tagSet></item>",
        tags.concat()
    )
}

const NO_ZONES: &str = "<ListHostedZonesResponse><HostedZones></HostedZones>\
    <IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>";

impl Answers for Crowd {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = params(request.body().bytes().unwrap_or_default());
        let body = match form.get("Action").map(String::as_str) {
            Some("GetCallerIdentity") => WHO.to_owned(),
            Some("DescribeInstances") => self.page(&form.into_iter().collect()),
            // Nothing is there, in the words of EC2 and of IAM.
            Some(action) => format!(
                "<{action}Response><{action}Result><Roles></Roles><InstanceProfiles>\
                 </InstanceProfiles><IsTruncated>false</IsTruncated></{action}Result>\
                 </{action}Response>"
            ),
            // SQS and FSx speak JSON, EFS does so by paths, S3 knows no actions.
            None if request.uri().contains("elasticfilesystem") => "{}".to_owned(),
            None if request.uri().contains("route53") => NO_ZONES.to_owned(),
            None if request.headers().get("x-amz-target").is_some() => "{}".to_owned(),
            None => "<ListAllMyBucketsResult></ListAllMyBucketsResult>".to_owned(),
        };
        seam::at_once(200, body)
    }
}

/// How many calls of each API a refresh took, and how many nodes it found.
async fn refresh(nodes: usize) -> (BTreeMap<String, u64>, usize, Vec<usize>) {
    let crowd = Crowd { nodes, pages: Arc::default() };
    let aws = Aws::connect(seam::connect(crowd.clone())).await.expect("the account");
    let scope = Scope {
        stack: StackName::from("llm"),
        home: home(),
        names: std::collections::BTreeSet::new(),
    };
    let before = aws.calls();
    let observed = aws.observe(&scope).await;
    assert!(observed.blind.is_empty(), "{:?}", observed.blind);
    let found = observed.live.values().filter(|live| live.kind == KindName::Node).count();
    let calls = aws.calls().into_iter();
    let calls = calls.map(|(api, count)| {
        let former = before.get(&api).map_or(0, |before| before.calls);
        (api, count.calls - former)
    });
    let pages = crowd.pages.lock().expect("no panic under the lock").clone();
    (calls.filter(|(_, calls)| *calls > 0).collect(), found, pages)
}

#[tokio::test(start_paused = true)]
async fn aws_a_refresh_of_many_nodes_costs_one_call_per_kind_and_page() {
    for (nodes, pages) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (10_000, 10)] {
        let (calls, found, asked) = refresh(nodes).await;
        assert_eq!(found, nodes);
        assert!(asked.iter().all(|most| *most == 1000), "{asked:?}");
        for (api, calls) in &calls {
            let most = match api.as_str() {
                "ec2:DescribeInstances" => pages,
                // EC2 finds statuses by ids alone, a hundred at a time.
                "ec2:DescribeInstanceStatus" => (nodes as u64).div_ceil(100),
                // One for the kind of buckets, one for that of objects: S3 lists by one prefix.
                "s3:ListBuckets" => 2,
                _ => 1,
            };
            assert_eq!(*calls, most, "{api} with {nodes} nodes");
        }
        // One list per kind, nodes included; rules of no group are not asked for.
        let details = calls.get("ec2:DescribeInstanceStatus").copied().unwrap_or(0);
        let lists: u64 = calls.values().sum::<u64>() - details;
        assert!(lists < KindName::ALL.len() as u64 + pages, "{nodes} nodes: {calls:?}");
    }
}
