//! Reads that lie: what was made a moment ago is in no list, and asking for it by its id
//! says that there is no such thing.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::class::{Class, Doing, Fault, unknown};
use super::wire::{Answer, Op, Request};

/// What is hidden, and until when.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// Ids or names of what one call made.
    ids: Vec<String>,
    /// The element of a list that holds them.
    element: &'static str,
    service: String,
    /// The reads that lie, by how their names go on after the verb.
    about: &'static [&'static str],
    until: Instant,
}

/// The call that makes a kind; the element with its id; what reads of it are about.
const MAKERS: &[(&str, &str, &[&str])] = &[
    ("CreateVpc", "vpcId", &["Vpcs", "VpcAttribute"]),
    ("CreateSubnet", "subnetId", &["Subnets"]),
    ("CreateInternetGateway", "internetGatewayId", &["InternetGateways"]),
    ("AllocateAddress", "allocationId", &["Addresses"]),
    ("CreateNatGateway", "natGatewayId", &["NatGateways"]),
    ("CreateRouteTable", "routeTableId", &["RouteTables"]),
    ("CreateVpcEndpoint", "vpcEndpointId", &["VpcEndpoints"]),
    ("CreateSecurityGroup", "groupId", &["SecurityGroups", "SecurityGroupRules"]),
    ("CreatePlacementGroup", "groupName", &["PlacementGroups"]),
    ("CreateLaunchTemplate", "launchTemplateId", &["LaunchTemplates", "LaunchTemplateVersions"]),
    ("RunInstances", "instanceId", &["Instances"]),
    ("CreateBucket", "Name", &["Bucket", "ObjectVersions", "PublicAccessBlock"]),
    ("CreateQueue", "QueueUrl", &["Queue"]),
    ("CreateVolume", "volumeId", &["Volumes"]),
    ("CreateFileSystem", "FileSystemId", &["FileSystems", "MountTargets"]),
    ("CreateDataRepositoryAssociation", "AssociationId", &["DataRepositoryAssociations"]),
    ("CreateHostedZone", "Id", &["HostedZone", "ResourceRecordSets"]),
    ("CreateRole", "RoleName", &["Role", "AttachedRolePolicies"]),
    ("CreateInstanceProfile", "InstanceProfileName", &["InstanceProfile"]),
];

impl Hidden {
    /// Hides what a call has made.
    pub fn by(request: &Request, answer: &Answer, fault: &Fault) -> Option<Self> {
        let seconds = match fault.class {
            Class::Hidden(seconds) | Class::LostAndHidden(seconds) | Class::LostAtLast(seconds) => {
                seconds
            }
            _ => return None,
        };
        let row = MAKERS.iter().find(|(call, ..)| *call == request.op.name());
        let (_, element, about) =
            row.unwrap_or_else(|| panic!("say how to hide what {} makes", request.op));
        let service = request.op.service().to_owned();
        let ids = match service.as_str() {
            "s3" => vec![request.path.trim_matches('/').split('?').next()?.to_owned()],
            "sqs" => {
                let body: Value = serde_json::from_slice(&request.body).ok()?;
                vec![body.get("QueueName")?.as_str()?.to_owned()]
            }
            "efs" | "fsx" => {
                let body: Value = serde_json::from_slice(&answer.body).ok()?;
                let inner = body.get("FileSystem").or(body.get("Association")).unwrap_or(&body);
                vec![inner.get(*element)?.as_str()?.to_owned()]
            }
            "iam" => vec![request.form.get(*element)?.clone()],
            "route53" => between(&answer.text(), element),
            _ if *element == "groupName" => vec![request.form.get("GroupName")?.clone()],
            _ => between(&answer.text(), element),
        };
        let until = Instant::now() + Duration::from_secs(seconds);
        Some(Self { ids, element, service, about, until })
    }

    fn concerns(&self, op: &Op) -> bool {
        let tail =
            ["Describe", "Get", "List", "Head"].iter().find_map(|v| op.name().strip_prefix(v));
        op.service() == self.service
            && Instant::now() < self.until
            && tail.is_some_and(|tail| self.about.iter().any(|about| tail.starts_with(about)))
    }

    /// A read that names what is hidden finds nothing.
    pub fn refuses(&self, request: &Request) -> Option<Doing> {
        if !self.concerns(&request.op) {
            return None;
        }
        let named = self.ids.iter().find(|id| {
            let of_bucket = request.path.starts_with(&format!("/{id}"));
            let of_queue = String::from_utf8_lossy(&request.body).contains(&format!("/{id}\""));
            let of_form = request.form.iter().any(|(key, value)| {
                // A filter finds nothing, and says so without an error.
                value == *id && !key.starts_with("Filter.")
            });
            let of_zone = request.path.contains(id.as_str());
            let of_json = ["efs", "fsx"].contains(&self.service.as_str())
                && (request.path.contains(id.as_str())
                    || String::from_utf8_lossy(&request.body).contains(id.as_str()));
            of_bucket || of_queue || of_form || of_zone || of_json
        });
        named.map(|id| unknown(request, id))
    }

    /// Takes what is hidden out of a list.
    pub fn lie(&self, request: &Request, answer: &mut Answer) {
        if !self.concerns(&request.op) || !answer.is_success() {
            return;
        }
        let text = answer.text();
        let text = match self.service.as_str() {
            "sqs" => self.without_urls(&text),
            "efs" | "fsx" => self.without_items(&text),
            "s3" => self.without(&text, "Bucket"),
            "iam" => self.without(&text, "member"),
            "route53" => self.without(&text, "HostedZone"),
            _ => self.without(&text, "item"),
        };
        answer.body = text.into_bytes();
    }

    fn without_urls(&self, text: &str) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
        if let Some(urls) = value.get_mut("QueueUrls").and_then(Value::as_array_mut) {
            let hidden = |url: &str| self.ids.iter().any(|id| url.ends_with(&format!("/{id}")));
            urls.retain(|url| !url.as_str().is_some_and(hidden));
        }
        value.to_string()
    }

    /// A list in JSON without what is hidden.
    fn without_items(&self, text: &str) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
        for list in ["FileSystems", "Associations"] {
            if let Some(items) = value.get_mut(list).and_then(Value::as_array_mut) {
                let id = |item: &Value| item[self.element].as_str().map(str::to_owned);
                items.retain(|item| !id(item).is_some_and(|id| self.ids.contains(&id)));
            }
        }
        value.to_string()
    }

    /// The text without the outermost elements of a name that hold what is hidden.
    fn without(&self, text: &str, item: &str) -> String {
        let (open, close) = (format!("<{item}>"), format!("</{item}>"));
        let holds = |part: &str| {
            let own = |id: &String| part.contains(&format!("<{0}>{id}</{0}>", self.element));
            self.ids.iter().any(own)
        };
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(&open) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = ending(rest, &open, &close);
            if !holds(&rest[..end]) {
                out.push_str(&rest[..end]);
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

/// Where the element ends with which the text begins.
fn ending(text: &str, open: &str, close: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let opens = text[at..].find(open).map_or(usize::MAX, |i| at + i);
        let Some(closes) = text[at..].find(close).map(|i| at + i) else { return text.len() };
        if opens < closes {
            depth += 1;
            at = opens + open.len();
        } else {
            depth -= 1;
            at = closes + close.len();
            if depth == 0 {
                return at;
            }
        }
    }
}

/// What stands in all elements of a name.
fn between(text: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut found: Vec<String> = text
        .split(&open)
        .skip(1)
        .filter_map(|part| Some(part.split_once(&close)?.0.to_owned()))
        .collect();
    found.dedup();
    found
}

#[test]
fn an_item_is_taken_out_of_a_list() {
    let hidden = Hidden {
        ids: vec!["i-2".to_owned()],
        element: "instanceId",
        service: "ec2".to_owned(),
        about: &["Instances"],
        until: Instant::now(),
    };
    let one =
        |id: &str| format!("<item><set><item><instanceId>{id}</instanceId></item></set></item>");
    let text = format!("<a>{}{}{}</a>", one("i-1"), one("i-2"), one("i-3"));
    assert_eq!(hidden.without(&text, "item"), format!("<a>{}{}</a>", one("i-1"), one("i-3")));
}
