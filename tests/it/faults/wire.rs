//! The SDK's HTTP client of these tests: it passes requests on to a world, and breaks
//! what a fault tells it to break.
//!
//! Requests are sent by threads of their own and not by the runtime: while such a thread
//! works, the runtime's paused clock stands still. So every back-off, time-out and quiet
//! period costs nothing, and no time-out fires while an answer is on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use mlinfra::model::tags;
use serde_json::Value;
use tokio::time::Instant;

use super::class::{Class, Doing, Fault, LAST};
use super::hide::Hidden;
use crate::moto::{Params, params};
use crate::seam::Answers;

/// One operation, as far as faults tell operations apart: tags are set by one API on
/// objects of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Op {
    /// `ec2:CreateTags`
    pub api: String,
    /// `vpc`; empty where the API says it.
    pub about: String,
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(format!("{} {}", self.api, self.about).trim_end())
    }
}

impl Op {
    pub fn service(&self) -> &str {
        self.api.split(':').next().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.api.split(':').nth(1).unwrap_or_default()
    }

    pub fn is_read(&self) -> bool {
        ["Describe", "Get", "List", "Head"].iter().any(|verb| self.name().starts_with(verb))
    }

    /// Makes an object of its own.
    pub fn is_create(&self) -> bool {
        let makes = ["Create", "Allocate", "Run"].iter().any(|verb| self.name().starts_with(verb));
        self.name() == "PutObject"
            || makes && !["CreateTags", "CreateRoute", "CreateMountTarget"].contains(&self.name())
    }

    /// Takes something away.
    pub fn is_removal(&self) -> bool {
        let verbs = ["Delete", "Detach", "Disassociate", "Remove", "Revoke", "Terminate", "Untag"];
        verbs.iter().any(|verb| self.name().starts_with(verb))
    }

    /// Ends an object, or lets go of one.
    pub fn is_delete(&self) -> bool {
        if self.name() == "DeleteObjects" {
            return self.about == "object";
        }
        let ends = ["Delete", "Release", "Detach"].iter().any(|verb| self.name().starts_with(verb));
        let parts = ["Tags", "Policy", "Route", "Objects", "Lifecycle", "Encryption", "Controls"];
        ends && !parts.iter().any(|part| self.name().ends_with(part))
            && !self.name().contains("AccessBlock")
    }
}

/// A request, read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub op: Op,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub form: Params,
}

/// S3 has no names on the wire: method and what of the bucket it is about.
const S3: &[(&str, &str, &str)] = &[
    ("GET", "", "ListBuckets"),
    ("PUT", "", "CreateBucket"),
    ("DELETE", "", "DeleteBucket"),
    ("HEAD", "", "HeadBucket"),
    ("POST", "delete", "DeleteObjects"),
    ("GET", "versions", "ListObjectVersions"),
    ("GET", "tagging", "GetBucketTagging"),
    ("PUT", "tagging", "PutBucketTagging"),
    ("GET", "versioning", "GetBucketVersioning"),
    ("PUT", "versioning", "PutBucketVersioning"),
    ("GET", "encryption", "GetBucketEncryption"),
    ("PUT", "encryption", "PutBucketEncryption"),
    ("DELETE", "encryption", "DeleteBucketEncryption"),
    ("GET", "publicAccessBlock", "GetPublicAccessBlock"),
    ("PUT", "publicAccessBlock", "PutPublicAccessBlock"),
    ("DELETE", "publicAccessBlock", "DeletePublicAccessBlock"),
    ("GET", "ownershipControls", "GetBucketOwnershipControls"),
    ("PUT", "ownershipControls", "PutBucketOwnershipControls"),
    ("DELETE", "ownershipControls", "DeleteBucketOwnershipControls"),
    ("GET", "policy", "GetBucketPolicy"),
    ("PUT", "policy", "PutBucketPolicy"),
    ("DELETE", "policy", "DeleteBucketPolicy"),
    ("GET", "lifecycle", "GetBucketLifecycleConfiguration"),
    ("PUT", "lifecycle", "PutBucketLifecycleConfiguration"),
    ("DELETE", "lifecycle", "DeleteBucketLifecycle"),
    ("GET", "list-type", "ListObjectsV2"),
];

/// The same of what is in a bucket.
const OBJECTS: &[(&str, &str, &str)] = &[
    ("PUT", "", "PutObject"),
    ("GET", "", "GetObject"),
    ("PUT", "tagging", "PutObjectTagging"),
    ("GET", "tagging", "GetObjectTagging"),
];

impl Request {
    fn of(request: &HttpRequest) -> Self {
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let headers: Vec<(String, String)> =
            request.headers().iter().map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
        let uri = request.uri();
        let path = uri.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
        let (method, form) = (request.method().to_owned(), params(&body));
        let path = path.unwrap_or_else(|| "/".to_owned());
        let mut read = Self { op: Op::default(), method, path, headers, body, form };
        read.op = read.find_op();
        read
    }

    fn find_op(&self) -> Op {
        if let Some(action) = self.form.get("Action") {
            let service = match self.form.get("Version").map(String::as_str) {
                Some("2016-11-15") => "ec2",
                Some("2010-05-08") => "iam",
                _ => "sts",
            };
            let tagged = self.form.get("ResourceId.1").filter(|_| action.ends_with("Tags"));
            let about = tagged.and_then(|id| id.split('-').next()).unwrap_or_default().to_owned();
            return Op { api: format!("{service}:{action}"), about };
        }
        if let Some(target) = self.header("x-amz-target") {
            let service = match target.split(['.', '_']).next() {
                Some("AmazonSSM") => "ssm",
                Some("AWSSimbaAPIService") => "fsx",
                _ => "sqs",
            };
            let name = target.rsplit('.').next().unwrap_or_default();
            let about =
                if service == "fsx" && name.ends_with("Resource") { self.of_fsx() } else { "" };
            return Op { api: format!("{service}:{name}"), about: about.to_owned() };
        }
        if let Some(path) = self.path.strip_prefix("/2015-02-01/") {
            return Op { api: format!("efs:{}", self.of_efs(path)), about: String::new() };
        }
        if let Some(path) = self.path.strip_prefix("/2013-04-01/") {
            return Op { api: format!("route53:{}", self.of_route53(path)), about: String::new() };
        }
        Op { api: format!("s3:{}", self.of_s3()), about: self.about_s3().to_owned() }
    }

    fn of_s3(&self) -> &'static str {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let is_object = path.trim_matches('/').contains('/');
        let table = if is_object { OBJECTS } else { S3 };
        let words = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        let known = |sub: &str| table.iter().any(|(_, other, _)| *other == sub);
        let sub = words.into_iter().find(|word| known(word)).unwrap_or_default();
        let row = table.iter().find(|(method, other, _)| *method == self.method && *other == sub);
        row.unwrap_or_else(|| panic!("name {} {}", self.method, self.path)).2
    }

    /// Whether versions are deleted to empty a bucket, or because one object goes.
    fn about_s3(&self) -> &'static str {
        let of_object = String::from_utf8_lossy(&self.body).contains("<Key>mlinfra/");
        if self.method == "POST" && of_object { "object" } else { "" }
    }

    /// What a tag in FSx is for.
    fn of_fsx(&self) -> &'static str {
        let association = String::from_utf8_lossy(&self.body).contains(":association/");
        if association { "association" } else { "file-system" }
    }

    /// EFS has no names on the wire: method and path.
    fn of_efs(&self, path: &str) -> &'static str {
        let path = path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match (self.method.as_str(), parts.as_slice()) {
            ("GET", ["file-systems"]) => "DescribeFileSystems",
            ("POST", ["file-systems"]) => "CreateFileSystem",
            ("PUT", ["file-systems", _]) => "UpdateFileSystem",
            ("DELETE", ["file-systems", _]) => "DeleteFileSystem",
            ("GET", ["mount-targets"]) => "DescribeMountTargets",
            ("POST", ["mount-targets"]) => "CreateMountTarget",
            ("DELETE", ["mount-targets", _]) => "DeleteMountTarget",
            ("PUT", ["mount-targets", _, "security-groups"]) => "ModifyMountTargetSecurityGroups",
            ("GET", ["file-systems", _, "lifecycle-configuration"]) => {
                "DescribeLifecycleConfiguration"
            }
            ("PUT", ["file-systems", _, "lifecycle-configuration"]) => "PutLifecycleConfiguration",
            ("GET", ["file-systems", _, "backup-policy"]) => "DescribeBackupPolicy",
            ("PUT", ["file-systems", _, "backup-policy"]) => "PutBackupPolicy",
            ("POST", ["resource-tags", _]) => "TagResource",
            ("DELETE", ["resource-tags", _]) => "UntagResource",
            other => panic!("name {other:?}"),
        }
    }

    /// Nor has Route 53.
    fn of_route53(&self, path: &str) -> &'static str {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match (self.method.as_str(), parts.as_slice()) {
            ("GET", ["hostedzone"]) => "ListHostedZones",
            ("POST", ["hostedzone"]) => "CreateHostedZone",
            ("GET", ["hostedzone", _]) => "GetHostedZone",
            ("POST", ["hostedzone", _]) => "UpdateHostedZoneComment",
            ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
            ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
            ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
            ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
            ("POST", ["hostedzone", _, "associatevpc"]) => "AssociateVPCWithHostedZone",
            ("POST", ["hostedzone", _, "disassociatevpc"]) => "DisassociateVPCFromHostedZone",
            ("GET", ["tags", "hostedzone", _]) => "ListTagsForResource",
            ("POST", ["tags", "hostedzone", _]) => "ChangeTagsForResource",
            ("POST", ["tags", "hostedzone"]) => "ListTagsForResources",
            ("GET", ["change", _]) => "GetChange",
            other => panic!("name {other:?}"),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same by somebody else.
    pub fn by_a_stranger(&self) -> Self {
        if self.op.name() == "PutObject" {
            // Its tags are a header, and its body is counted.
            let mut other = self.clone();
            for (_, value) in &mut other.headers {
                *value = value.replace("mlinfra%3A", "stranger%3A");
            }
            return other;
        }
        let text = String::from_utf8_lossy(&self.body);
        let text = text.replace("mlinfra%3A", "stranger%3A").replace("mlinfra:", "stranger:");
        let text = text.replace("ClientToken=", "ClientToken=stranger-");
        let text = text.replace("<CallerReference>", "<CallerReference>stranger:");
        let text = text.replace("<Comment>", "<Comment>stranger:");
        Self { body: text.into_bytes(), ..self.clone() }
    }

    /// What it makes: address, generation, batch. Nothing for calls that make nothing.
    fn makes(&self) -> Option<String> {
        if !self.op.is_create() {
            return None;
        }
        let mut found = BTreeMap::new();
        for (key, value) in &self.form {
            let pair = key.strip_suffix("Key").map(|stem| format!("{stem}Value"));
            if let Some(tag) = pair.and_then(|pair| self.form.get(&pair)) {
                found.insert(value.clone(), tag.clone());
            }
        }
        let of = |key: &str| found.get(key).cloned().unwrap_or_default();
        Some(format!("{} {} {}", of(tags::ADDRESS), of(tags::GENERATION), of(tags::BATCH)))
    }

    /// Sends it to a world; blocks.
    pub fn send(&self, port: u16) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (key, value) in &self.headers {
            if !["host", "content-length", "connection"].contains(&key.as_str()) {
                head.push_str(&format!("{key}: {value}\r\n"));
            }
        }
        head.push_str(&format!(
            "Host: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.body.len()
        ));
        let mut all = head.into_bytes();
        all.extend_from_slice(&self.body);
        stream.write_all(&all)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Answer::read(&answer).ok_or_else(|| io::Error::other("no answer"))
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(all: &[u8]) -> Option<Self> {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&all[..end]).ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let pair = |line: &str| {
            let (key, value) = line.split_once(':')?;
            Some((key.trim().to_lowercase(), value.trim().to_owned()))
        };
        let headers = head.lines().skip(1).filter_map(pair).collect();
        Some(Self { status, headers, body: all[end + 4..].to_vec() })
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn response(self) -> HttpResponse {
        let status = self.status.try_into().expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        for (key, value) in self.headers {
            if !["content-length", "connection"].contains(&key.as_str()) {
                response.headers_mut().append(key, value);
            }
        }
        response
    }
}

/// What went over the wire.
#[derive(Debug, Default)]
struct Log {
    /// Mutating requests, in order.
    sent: Vec<Request>,
    /// How often the fault struck.
    hits: u32,
    /// Since when.
    since: Option<Instant>,
    /// What was made, by address and number: the answers, without their request ids.
    made: BTreeMap<String, BTreeSet<String>>,
    /// What reads lie about.
    hidden: Option<Hidden>,
}

/// The client.
#[derive(Clone, Debug)]
pub struct Wire {
    port: u16,
    fault: Option<Fault>,
    log: Arc<Mutex<Log>>,
}

impl Wire {
    pub fn to(port: u16, fault: Option<Fault>) -> Self {
        Self { port, fault, log: Arc::default() }
    }

    /// Without the fault. What is not shown yet is not shown yet.
    pub fn calmed(&self) -> Self {
        let log = self.log();
        let (made, hidden) = (log.made.clone(), log.hidden.clone());
        let log = Arc::new(Mutex::new(Log { made, hidden, ..Log::default() }));
        Self { port: self.port, fault: None, log }
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("no panic under the lock")
    }

    /// Mutating requests so far.
    pub fn sent(&self) -> Vec<Request> {
        self.log().sent.clone()
    }

    /// How often the fault struck.
    pub fn hits(&self) -> u32 {
        self.log().hits
    }

    /// What was made twice for one address and number, even if one of the two is gone.
    pub fn doubled(&self) -> Vec<String> {
        let log = self.log();
        let twice = log.made.iter().filter(|(_, answers)| answers.len() > 1);
        twice.map(|(what, _)| what.clone()).collect()
    }

    /// What becomes of a request.
    fn decide(&self, request: &Request) -> Doing {
        let mut log = self.log();
        if !request.op.is_read() {
            log.sent.push(request.clone());
        }
        if let Some(lie) = log.hidden.as_ref().and_then(|hidden| hidden.refuses(request)) {
            return lie;
        }
        let Some(fault) = &self.fault else { return Doing::Pass };
        let since = log.since.map(|since| since.elapsed());
        let doing = fault.doing(request, log.hits, since);
        if doing != Doing::Pass {
            log.hits += 1;
            log.since.get_or_insert_with(Instant::now);
        }
        doing
    }

    /// Sends it, and remembers what it made.
    async fn pass(&self, request: &Request) -> Result<Answer, ConnectorError> {
        let (copy, port) = (request.clone(), self.port);
        let answer = tokio::task::spawn_blocking(move || copy.send(port)).await;
        let mut answer = answer
            .map_err(|bad| ConnectorError::other(bad.into(), None))?
            .map_err(|bad| ConnectorError::io(bad.into()))?;
        let mut log = self.log();
        if answer.is_success()
            && let Some(what) = request.makes()
            && request.op.service() == "ec2"
        {
            log.made.entry(what).or_default().insert(answer.text());
        }
        let hides = |fault: &&Fault| match fault.class {
            Class::Hidden(_) => true,
            Class::LostAndHidden(_) => log.hits == 2,
            Class::LostAtLast(_) => log.hits == LAST + 1,
            _ => false,
        };
        if let Some(fault) = self.fault.as_ref().filter(hides)
            && fault.op == request.op
            && answer.is_success()
            && log.hidden.is_none()
        {
            log.hits += 1;
            log.hidden = Hidden::by(request, &answer, fault);
        }
        if let Some(hidden) = &log.hidden {
            hidden.lie(request, &mut answer);
        }
        Ok(answer)
    }

    async fn carry_out(&self, request: Request) -> Result<HttpResponse, ConnectorError> {
        let broken = || Err(ConnectorError::io("the connection was reset".into()));
        match self.decide(&request) {
            Doing::Pass => Ok(self.pass(&request).await?.response()),
            Doing::Say(answer) => Ok(answer.response()),
            Doing::Break => broken(),
            Doing::PassAndBreak => {
                self.pass(&request).await?;
                broken()
            }
            Doing::Hang => std::future::pending().await,
            Doing::PassAndHang => {
                self.pass(&request).await?;
                std::future::pending().await
            }
            Doing::PassTwice => {
                self.pass(&request).await?;
                Ok(self.pass(&request).await?.response())
            }
        }
    }
}

impl Answers for Wire {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, request) = (self.clone(), Request::of(&request));
        HttpConnectorFuture::new(async move { wire.carry_out(request).await })
    }
}

/// A plain question to a world.
pub fn ask(port: u16, path: &str) -> Value {
    let (method, path) = ("GET".to_owned(), path.to_owned());
    let answer = Request { method, path, ..Request::default() }.send(port);
    answer.map_or(Value::Null, |answer| serde_json::from_slice(&answer.body).unwrap_or_default())
}
