//! The classes of faults: to which operations each applies, what it answers, and how an
//! apply that meets it must end.

use std::fmt;
use std::time::Duration;

use super::wire::{Answer, Op, Request};

/// How often, or for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// So often in a row.
    Times(u32),
    /// For so many seconds after the first.
    Seconds(u64),
    /// Until the end of the run.
    Ever,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(1) => f.write_str("once"),
            Self::Times(n) => write!(f, "{n} times"),
            Self::Seconds(s) => write!(f, "{s} s"),
            Self::Ever => f.write_str("for ever"),
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Too many calls.
    Throttled(Span),
    /// HTTP 500.
    Internal(Span),
    /// HTTP 503.
    Unavailable(Span),
    /// The connection is reset before the request takes effect.
    Reset(Span),
    /// The connection is reset after it has taken effect: the answer is lost.
    Lost(Span),
    /// No answer, no effect.
    Hang(Span),
    /// No answer, although it has taken effect.
    HangAfter(Span),
    /// From there on no credentials are accepted, whatever is called.
    Expired,
    /// The identity may not.
    Denied,
    /// What was made is not in any list for a while, and reads do not find it.
    Hidden(u64),
    /// The first request does not arrive, the answer to the second is lost, and what it
    /// made is not shown for a while.
    LostAndHidden(u64),
    /// The same after so many requests that do not arrive that the apply may give up: the
    /// next one begins while the object is still not shown.
    LostAtLast(u64),
    /// What the request names is not known yet.
    NotFound(Span),
    /// A profile, or a role in a policy, is not known yet.
    Propagation(Span),
    /// Something still uses it.
    InUse(Span),
    /// It exists: our own write, whose answer was lost.
    ExistsByUs,
    /// It exists: somebody else's, under the same name.
    ExistsByStranger,
}

const ONCE: Span = Span::Times(1);
/// As often as the SDK tries.
const THRICE: Span = Span::Times(3);

impl Class {
    pub const ALL: &'static [Self] = &[
        Self::Throttled(Span::Times(5)),
        Self::Throttled(Span::Seconds(90)),
        Self::Throttled(Span::Ever),
        Self::Internal(ONCE),
        Self::Internal(THRICE),
        Self::Internal(Span::Ever),
        Self::Unavailable(ONCE),
        Self::Unavailable(THRICE),
        Self::Unavailable(Span::Ever),
        Self::Reset(ONCE),
        Self::Reset(THRICE),
        Self::Reset(Span::Ever),
        Self::Lost(ONCE),
        Self::Lost(THRICE),
        Self::Lost(Span::Ever),
        Self::Hang(ONCE),
        Self::Hang(THRICE),
        Self::Hang(Span::Ever),
        Self::HangAfter(ONCE),
        Self::HangAfter(THRICE),
        Self::Expired,
        Self::Denied,
        Self::Hidden(30),
        Self::Hidden(200),
        Self::LostAndHidden(200),
        Self::LostAtLast(200),
        Self::NotFound(ONCE),
        Self::NotFound(Span::Seconds(60)),
        Self::NotFound(Span::Ever),
        Self::Propagation(Span::Seconds(60)),
        Self::Propagation(Span::Ever),
        Self::InUse(Span::Seconds(120)),
        Self::InUse(Span::Ever),
        Self::ExistsByUs,
        Self::ExistsByStranger,
    ];

    /// Its name and its span.
    pub fn words(self) -> (&'static str, String) {
        let (name, span) = match self {
            Self::Throttled(span) => ("throttled", span),
            Self::Internal(span) => ("HTTP 500", span),
            Self::Unavailable(span) => ("HTTP 503", span),
            Self::Reset(span) => ("reset before the effect", span),
            Self::Lost(span) => ("reset after the effect", span),
            Self::Hang(span) => ("hang before the effect", span),
            Self::HangAfter(span) => ("hang after the effect", span),
            Self::Expired => ("credentials expired", Span::Ever),
            Self::Denied => ("denied", Span::Ever),
            Self::Hidden(seconds) => ("made, and not shown", Span::Seconds(seconds)),
            Self::LostAndHidden(seconds) => ("lost, and not shown", Span::Seconds(seconds)),
            Self::LostAtLast(seconds) => ("lost at last, and not shown", Span::Seconds(seconds)),
            Self::NotFound(span) => ("not known yet", span),
            Self::Propagation(span) => ("IAM propagation", span),
            Self::InUse(span) => ("in use", span),
            Self::ExistsByUs => ("exists, by us", ONCE),
            Self::ExistsByStranger => ("exists, by a stranger", Span::Ever),
        };
        (name, span.to_string())
    }

    /// It never passes: the apply must stop and say so.
    pub fn is_lasting(self) -> bool {
        match self {
            Self::Throttled(span)
            | Self::Internal(span)
            | Self::Unavailable(span)
            | Self::Reset(span)
            | Self::Lost(span)
            | Self::Hang(span)
            | Self::HangAfter(span)
            | Self::NotFound(span)
            | Self::Propagation(span)
            | Self::InUse(span) => span == Span::Ever,
            Self::LostAtLast(_) | Self::Expired | Self::Denied | Self::ExistsByStranger => true,
            Self::Hidden(_) | Self::LostAndHidden(_) | Self::ExistsByUs => false,
        }
    }

    /// Whether it can befall the request at all.
    pub fn applies(self, request: &Request) -> bool {
        let op = &request.op;
        match self {
            Self::Throttled(_)
            | Self::Internal(_)
            | Self::Unavailable(_)
            | Self::Reset(_)
            | Self::Lost(_)
            | Self::Hang(_)
            | Self::HangAfter(_)
            | Self::Expired
            | Self::Denied => true,
            // S3 shows an object as soon as it has taken it:
            // <https://aws.amazon.com/s3/consistency/>.
            Self::Hidden(_) | Self::LostAndHidden(_) | Self::LostAtLast(_) => {
                op.is_create() && op.name() != "PutObject"
            }
            Self::NotFound(_) => !op.is_delete() && not_found(request).is_some(),
            Self::Propagation(_) => propagation(op).is_some(),
            Self::InUse(_) => in_use(op).is_some(),
            Self::ExistsByUs | Self::ExistsByStranger => op.is_create() && is_named(request),
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, span) = self.words();
        f.pad(&format!("{name}, {span}"))
    }
}

/// A class at an operation.
#[derive(Clone, Debug)]
pub struct Fault {
    pub op: Op,
    pub class: Class,
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Doing {
    Pass,
    Say(Answer),
    Break,
    PassAndBreak,
    Hang,
    PassAndHang,
    PassTwice,
}

impl PartialEq for Doing {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Fault {
    /// What becomes of a request, after so many strikes, so long after the first.
    pub fn doing(&self, request: &Request, hits: u32, since: Option<Duration>) -> Doing {
        if self.class == Class::Expired && (hits > 0 || request.op == self.op) {
            return refusal(request, EXPIRED);
        }
        if request.op != self.op {
            return Doing::Pass;
        }
        let lasts = |span: Span| match span {
            Span::Times(n) => hits < n,
            Span::Seconds(s) => since.is_none_or(|since| since.as_secs() < s),
            Span::Ever => true,
        };
        let when = |span: Span, doing: Doing| if lasts(span) { doing } else { Doing::Pass };
        match self.class {
            Class::Throttled(span) => when(span, refusal(request, THROTTLED)),
            Class::Internal(span) => when(span, refusal(request, INTERNAL)),
            Class::Unavailable(span) => when(span, refusal(request, UNAVAILABLE)),
            Class::Reset(span) => when(span, Doing::Break),
            Class::Lost(span) => when(span, Doing::PassAndBreak),
            Class::Hang(span) => when(span, Doing::Hang),
            Class::HangAfter(span) => when(span, Doing::PassAndHang),
            Class::Expired => Doing::Pass,
            Class::Denied => refusal(request, DENIED),
            Class::Hidden(_) | Class::ExistsByStranger => Doing::Pass,
            Class::LostAndHidden(_) => lost_after(1, hits),
            Class::LostAtLast(_) => lost_after(LAST, hits),
            Class::NotFound(span) => match not_found(request) {
                Some(error) => when(span, say(request, error, "is not known")),
                None => Doing::Pass,
            },
            Class::Propagation(span) => match propagation(&request.op) {
                Some((error, text)) => when(span, say(request, error, text)),
                None => Doing::Pass,
            },
            Class::InUse(span) => match in_use(&request.op) {
                Some(error) => when(span, say(request, error, "something uses it")),
                None => Doing::Pass,
            },
            Class::ExistsByUs => when(ONCE, Doing::PassTwice),
        }
    }
}

/// Requests that do not arrive before the one whose answer is lost at last.
pub const LAST: u32 = 3;

fn lost_after(breaks: u32, hits: u32) -> Doing {
    match hits.cmp(&breaks) {
        std::cmp::Ordering::Less => Doing::Break,
        std::cmp::Ordering::Equal => Doing::PassAndBreak,
        std::cmp::Ordering::Greater => Doing::Pass,
    }
}

/// Status and code.
type Error = (u16, &'static str);
/// By service: EC2, IAM and Route 53, S3, SQS, EFS, FSx.
type ByService = [Error; 6];

const THROTTLED: ByService = [
    (503, "RequestLimitExceeded"),
    (400, "Throttling"),
    (503, "SlowDown"),
    (400, "ThrottlingException"),
    (429, "TooManyRequests"),
    (400, "ThrottlingException"),
];
const INTERNAL: ByService = [
    (500, "InternalError"),
    (500, "ServiceFailure"),
    (500, "InternalError"),
    (500, "InternalFailure"),
    (500, "InternalServerError"),
    (500, "InternalServerError"),
];
const UNAVAILABLE: ByService = [
    (503, "Unavailable"),
    (503, "ServiceUnavailable"),
    (503, "ServiceUnavailable"),
    (503, "ServiceUnavailable"),
    (503, "ServiceUnavailableException"),
    (503, "ServiceUnavailableException"),
];
const EXPIRED: ByService = [
    (400, "RequestExpired"),
    (403, "ExpiredToken"),
    (400, "ExpiredToken"),
    (403, "ExpiredTokenException"),
    (403, "ExpiredTokenException"),
    (400, "ExpiredTokenException"),
];
const DENIED: ByService = [
    (403, "UnauthorizedOperation"),
    (403, "AccessDenied"),
    (403, "AccessDenied"),
    (403, "AccessDeniedException"),
    (403, "AccessDeniedException"),
    (400, "AccessDeniedException"),
];

fn refusal(request: &Request, errors: ByService) -> Doing {
    let error = match request.op.service() {
        "iam" | "sts" | "route53" => errors[1],
        "s3" => errors[2],
        "sqs" | "ssm" => errors[3],
        "efs" => errors[4],
        "fsx" => errors[5],
        _ => errors[0],
    };
    say(request, error, "as the test wants it")
}

/// An error in the service's own shape.
fn say(request: &Request, (status, code): Error, text: &str) -> Doing {
    let body = match request.op.service() {
        "iam" | "sts" | "route53" => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message>\
             </Error><RequestId>req-7</RequestId></ErrorResponse>"
        ),
        "s3" => format!("<Error><Code>{code}</Code><Message>{text}</Message></Error>"),
        "efs" => format!("{{\"ErrorCode\":\"{code}\",\"Message\":\"{text}\"}}"),
        "fsx" => format!("{{\"__type\":\"{code}\",\"Message\":\"{text}\"}}"),
        "sqs" | "ssm" => {
            format!("{{\"__type\":\"com.amazonaws.sqs#{code}\",\"message\":\"{text}\"}}")
        }
        _ => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>\
             <RequestID>req-7</RequestID></Response>"
        ),
    };
    let mut headers = vec![("x-amzn-requestid".to_owned(), "req-7".to_owned())];
    if request.op.service() == "efs" {
        headers.push(("x-amzn-errortype".to_owned(), format!("{code}:")));
    }
    Doing::Say(Answer { status, headers, body: body.into_bytes() })
}

/// The service says that it does not know an object.
pub fn unknown(request: &Request, id: &str) -> Doing {
    match not_found_code(request.op.service(), id) {
        Some(error) => say(request, error, "is not known"),
        None => Doing::Pass,
    }
}

fn not_found_code(service: &str, id: &str) -> Option<Error> {
    Some(match (service, id.split('-').next().unwrap_or_default()) {
        ("iam", _) => (404, "NoSuchEntity"),
        ("route53", _) => (404, "NoSuchHostedZone"),
        ("s3", _) => (404, "NoSuchBucket"),
        ("sqs", _) => (400, "QueueDoesNotExist"),
        ("efs", "fsmt") => (404, "MountTargetNotFound"),
        ("efs", _) => (404, "FileSystemNotFound"),
        ("fsx", "dra") => (400, "DataRepositoryAssociationNotFound"),
        ("fsx", _) => (400, "FileSystemNotFound"),
        (_, "vol") => (400, "InvalidVolume.NotFound"),
        (_, "vpc") => (400, "InvalidVpcID.NotFound"),
        (_, "subnet") => (400, "InvalidSubnetID.NotFound"),
        (_, "igw") => (400, "InvalidInternetGatewayID.NotFound"),
        (_, "eipalloc") => (400, "InvalidAllocationID.NotFound"),
        (_, "nat") => (400, "NatGatewayNotFound"),
        (_, "rtb") => (400, "InvalidRouteTableID.NotFound"),
        (_, "rtbassoc") => (400, "InvalidAssociationID.NotFound"),
        (_, "vpce") => (400, "InvalidVpcEndpointId.NotFound"),
        (_, "sg") => (400, "InvalidGroup.NotFound"),
        (_, "lt") => (400, "InvalidLaunchTemplateId.NotFound"),
        (_, "i") => (400, "InvalidInstanceID.NotFound"),
        (_, "pg") => (400, "InvalidPlacementGroup.Unknown"),
        (_, _) => return None,
    })
}

/// The error by which a service says that it does not know what the request names.
fn not_found(request: &Request) -> Option<Error> {
    let op = &request.op;
    match op.service() {
        "iam" | "s3" | "sqs" | "route53" if op.is_create() => None,
        // What makes a file system names a subnet, in other words for each.
        "efs" | "fsx" if op.name() == "CreateFileSystem" => None,
        "fsx" => {
            let text = String::from_utf8_lossy(&request.body);
            not_found_code("fsx", if text.contains("dra-") { "dra" } else { "fs" })
        }
        "efs" => {
            let kind = if request.path.contains("fsmt-") { "fsmt" } else { "fs" };
            not_found_code("efs", kind)
        }
        "s3" if op.name() == "PutObjectTagging" => Some((404, "NoSuchKey")),
        service @ ("iam" | "s3" | "sqs" | "route53") => not_found_code(service, ""),
        service => {
            let ids = request.form.iter().filter(|(key, _)| key.contains("Id"));
            ids.filter_map(|(_, value)| not_found_code(service, value)).next()
        }
    }
}

fn propagation(op: &Op) -> Option<(Error, &'static str)> {
    match op.name() {
        "RunInstances" => Some((
            (400, "InvalidParameterValue"),
            "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance \
             Profile name",
        )),
        "PutBucketPolicy" => Some(((400, "MalformedPolicy"), "Invalid principal in policy")),
        "CreateRole" | "UpdateAssumeRolePolicy" => {
            Some(((400, "MalformedPolicyDocument"), "Invalid principal in policy"))
        }
        _ => None,
    }
}

fn in_use(op: &Op) -> Option<Error> {
    if !op.is_delete() {
        return None;
    }
    match op.service() {
        "ec2" if op.name() == "DeleteVolume" => Some((400, "VolumeInUse")),
        "efs" if op.name() == "DeleteFileSystem" => Some((409, "FileSystemInUse")),
        "ec2" => Some((400, "DependencyViolation")),
        "iam" => Some((409, "DeleteConflict")),
        "route53" => Some((400, "HostedZoneNotEmpty")),
        "s3" if op.name() == "DeleteBucket" => Some((409, "BucketNotEmpty")),
        _ => None,
    }
}

/// What it makes has a name that nothing else may have.
fn is_named(request: &Request) -> bool {
    match request.op.service() {
        "ec2" => {
            let names = ["GroupName", "LaunchTemplateName"];
            names.iter().any(|name| request.form.contains_key(*name))
        }
        "efs" | "fsx" => false,
        _ => true,
    }
}
