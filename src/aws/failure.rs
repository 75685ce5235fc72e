//! One table: AWS error code → class, and what the failed call left behind.
//!
//! The code decides before the HTTP status does, because EC2 answers 500 for missing
//! capacity, which is as definitive as a refusal can be.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::cloud::{Class, Failure, Left};

/// Codes by class. A code stands once; what is not here falls to [`by_shape`].
const TABLE: &[(Class, Left, &[&str])] = &[
    (
        Class::Throttled,
        Left::Nothing,
        &[
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "EC2ThrottledException",
            "SlowDown",
            "BandwidthLimitExceeded",
            "PriorRequestNotComplete",
        ],
    ),
    (
        Class::Unavailable,
        Left::Unknown,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "ServiceFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "Unavailable",
            "RequestTimeout",
            "RequestTimeoutException",
        ],
    ),
    (
        Class::Settling,
        Left::Nothing,
        &[
            "OperationAborted",
            "ConditionalRequestConflict",
            "ConcurrentModification",
            "ConcurrentModificationException",
            "EntityTemporarilyUnmodifiable",
            "QueueDeletedRecently",
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "IncorrectState",
            "IncorrectInstanceState",
            "IncorrectFileSystemLifeCycleState",
            "IncorrectMountTargetState",
            "InvalidNatGatewayState",
            "NatGatewayInvalidState",
        ],
    ),
    (
        Class::InUse,
        Left::Nothing,
        &[
            "DependencyViolation",
            "DeleteConflict",
            "BucketNotEmpty",
            "InvalidPlacementGroup.InUse",
            "InvalidIPAddress.InUse",
            "InvalidGroup.InUse",
            "InvalidNetworkInterface.InUse",
            "VolumeInUse",
            "FileSystemInUse",
            "ResourceInUse",
            "ResourceInUseException",
            "HostedZoneNotEmpty",
        ],
    ),
    (
        Class::Capacity,
        Left::Nothing,
        &[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientCapacity",
            "InsufficientAddressCapacity",
            "InsufficientFreeAddressesInSubnet",
            "InsufficientVolumeCapacity",
            "InsufficientThroughputCapacity",
            "NoFreeAddressesInSubnet",
            "UnfulfillableCapacity",
            "MaxFleetCountExceeded",
            "ReservationCapacityExceeded",
            "SpotMaxPriceTooLow",
            "Unsupported",
        ],
    ),
    (
        // Other quotas end in LimitExceeded.
        Class::Quota,
        Left::Nothing,
        &[
            "VcpuLimitExceeded",
            "MaxSpotInstanceCountExceeded",
            "AddressLimitExceeded",
            "TooManyBuckets",
            "TooManyHostedZones",
            "LimitExceeded",
            "LimitExceededException",
            "OverLimit",
            // A volume is modified once in a while.
            "VolumeModificationRateExceeded",
            "IncorrectModificationState",
        ],
    ),
    (
        Class::Denied,
        Left::Nothing,
        &[
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "AuthFailure",
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            "OptInRequired",
            "PendingVerification",
            "Blocked",
            "OperationNotPermitted",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "SignatureDoesNotMatch",
            "MissingAuthenticationToken",
            "NotAuthorized",
            "RequestTimeTooSkewed",
        ],
    ),
    (
        Class::Expired,
        Left::Nothing,
        &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"],
    ),
    (
        Class::Exists,
        Left::Nothing,
        &[
            "InvalidGroup.Duplicate",
            "InvalidPermission.Duplicate",
            "InvalidPlacementGroup.Duplicate",
            "InvalidLaunchTemplateName.AlreadyExistsException",
            "InvalidSubnet.Conflict",
            "EntityAlreadyExists",
            "FileSystemAlreadyExists",
            "EntityAlreadyExistsException",
            "BucketAlreadyExists",
            "BucketAlreadyOwnedByYou",
            "QueueAlreadyExists",
            "QueueNameExists",
            "Resource.AlreadyAssociated",
            "RouteAlreadyExists",
            // A reference that was used, and a zone of that name in the VPC.
            "HostedZoneAlreadyExists",
            "ConflictingDomainExists",
        ],
    ),
    (
        // Others say NotFound somewhere.
        Class::Gone,
        Left::Nothing,
        &[
            "NoSuchBucket",
            "NoSuchKey",
            "NoSuchHostedZone",
            "NoSuchChange",
            "NoSuchEntity",
            "NoSuchEntityException",
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
            "InvalidPlacementGroup.Unknown",
            "Gateway.NotAttached",
        ],
    ),
    (
        Class::Mismatch,
        Left::Nothing,
        &[
            "IdempotentParameterMismatch",
            "IdempotentInstanceTerminated",
            "IncompatibleParameterError",
        ],
    ),
];

/// Codes whose class depends on the words or on the call.
fn by_words(api: &str, code: &str, text: &str) -> Option<Class> {
    let text = text.to_ascii_lowercase();
    match code {
        // A profile made a moment ago; the same request succeeds within minutes.
        "InvalidParameterValue" if text.contains("invalid iam instance profile") => {
            Some(Class::Settling)
        }
        // A policy that names a role made a moment ago.
        "MalformedPolicyDocument" | "MalformedPolicy" if text.contains("invalid principal") => {
            Some(Class::Settling)
        }
        // A VPC that Route 53 has not heard of yet.
        "InvalidVPCId" => Some(Class::Settling),
        // FSx has one code for what is wrong and for what only has to wait.
        "BadRequest" => Some(if is_under_way(&text) { Class::Settling } else { Class::Invalid }),
        // A cluster group is bound to the zone of its first instance: another offer may fit.
        "InvalidPlacementGroup.InUse" if api == "ec2:RunInstances" => Some(Class::Capacity),
        _ => None,
    }
}

/// Words by which FSx says that something else has to end first.
fn is_under_way(text: &str) -> bool {
    ["in progress", "is being", "currently", "pending", "executing", "not in available", "updating"]
        .iter()
        .any(|words| text.contains(words))
}

fn by_shape(code: &str, status: Option<u16>) -> (Class, Left) {
    if code.ends_with("LimitExceeded") {
        return (Class::Quota, Left::Nothing);
    }
    if code.contains("NotFound") {
        return (Class::Gone, Left::Nothing);
    }
    match status {
        // A success that cannot be read is an answer that was lost.
        Some(500.. | 200..300) => (Class::Unavailable, Left::Unknown),
        Some(429) => (Class::Throttled, Left::Nothing),
        Some(404) if code.is_empty() => (Class::Gone, Left::Nothing),
        Some(401 | 403) => (Class::Denied, Left::Nothing),
        Some(400..) if is_about_the_request(code) => (Class::Invalid, Left::Nothing),
        Some(400..) => (Class::Unknown, Left::Nothing),
        Some(_) | None => (Class::Unknown, Left::Unknown),
    }
}

fn is_about_the_request(code: &str) -> bool {
    ["Invalid", "Missing", "Malformed", "Validation", "Unknown", "UnsupportedOperation"]
        .iter()
        .any(|word| code.contains(word))
}

/// The class of an error and what the call left.
pub fn classify(api: &str, code: &str, text: &str, status: Option<u16>) -> (Class, Left) {
    if let Some(class) = by_words(api, code, text) {
        return (class, Left::Nothing);
    }
    // EC2 puts the side at fault in front of some codes.
    let bare = code.strip_prefix("Server.").or_else(|| code.strip_prefix("Client."));
    let bare = bare.unwrap_or(code);
    TABLE
        .iter()
        .find(|(_, _, codes)| codes.contains(&bare))
        .map_or_else(|| by_shape(bare, status), |(class, left, _)| (*class, *left))
}

/// A failure from whatever the SDK returned.
pub fn of<E>(api: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let text = || chain(error);
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().unwrap_or_default();
            let said = service.err().message().unwrap_or_default();
            let (class, left) = classify(api, code, said, Some(status));
            let said = if code.is_empty() { text() } else { said.to_owned() };
            let code = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
            let request = service.err().meta().request_id().or_else(|| error.request_id());
            Failure {
                request: request.map(str::to_owned),
                ..Failure::new(class, left, api, &code, said)
            }
        }
        SdkError::ConstructionFailure(_) => without_answer(api, error, Left::Nothing)
            .unwrap_or_else(|| {
                Failure::new(Class::Invalid, Left::Nothing, api, "BadRequest", text())
            }),
        SdkError::TimeoutError(_) => {
            Failure::new(Class::Unavailable, Left::Unknown, api, "TimedOut", text())
        }
        // The request may have been sent and have taken effect.
        _ => without_answer(api, error, Left::Nothing).unwrap_or_else(|| {
            Failure::new(Class::Unavailable, Left::Unknown, api, "NoAnswer", text())
        }),
    }
}

/// Without credentials nothing was sent.
fn without_answer<E>(api: &str, error: &SdkError<E, HttpResponse>, left: Left) -> Option<Failure>
where
    E: Error + 'static,
{
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(bad) = inner.downcast_ref::<CredentialsError>() {
            let text = chain(bad);
            // An SSO login that has run out fails inside its provider.
            let expired = text.to_ascii_lowercase().contains("expired");
            let class = if expired { Class::Expired } else { Class::Denied };
            return Some(Failure::new(class, left, api, "NoCredentials", text));
        }
        source = inner.source();
    }
    None
}

/// The words of an error and of what caused it; not its debug form, which would show
/// bodies of requests and answers.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    text
}

/// A request that cannot be made from what is known.
pub fn invalid(api: &str, text: impl Into<String>) -> Failure {
    Failure::new(Class::Invalid, Left::Nothing, api, "BadRequest", text)
}

/// An answer that does not say what it must.
pub fn strange(api: &str, text: impl Into<String>) -> Failure {
    Failure::new(Class::Unknown, Left::Unknown, api, "StrangeAnswer", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        let of = |code, status| classify("ec2:RunInstances", code, "", Some(status));
        assert_eq!(of("InsufficientInstanceCapacity", 500), (Class::Capacity, Left::Nothing));
        assert_eq!(
            of("Server.InsufficientInstanceCapacity", 500),
            (Class::Capacity, Left::Nothing)
        );
        assert_eq!(of("RequestLimitExceeded", 503), (Class::Throttled, Left::Nothing));
        assert_eq!(of("VcpuLimitExceeded", 400), (Class::Quota, Left::Nothing));
        assert_eq!(of("SomethingElse", 500), (Class::Unavailable, Left::Unknown));
        assert_eq!(of("SomethingElse", 400), (Class::Unknown, Left::Nothing));
        assert_eq!(of("InvalidParameterCombination", 400), (Class::Invalid, Left::Nothing));
        assert_eq!(of("InvalidVpcID.NotFound", 400), (Class::Gone, Left::Nothing));
        assert_eq!(of("NatGatewayLimitExceeded", 400), (Class::Quota, Left::Nothing));
    }

    #[test]
    fn some_codes_mean_what_their_words_say() {
        let profile = "Value (x) for parameter iamInstanceProfile.arn is invalid. \
                       Invalid IAM Instance Profile ARN";
        let of = |text| classify("ec2:RunInstances", "InvalidParameterValue", text, Some(400)).0;
        assert_eq!(of(profile), Class::Settling);
        assert_eq!(of("bad size"), Class::Invalid);
        let group = |api| classify(api, "InvalidPlacementGroup.InUse", "", Some(400)).0;
        assert_eq!(group("ec2:RunInstances"), Class::Capacity);
        assert_eq!(group("ec2:DeletePlacementGroup"), Class::InUse);
    }

    #[test]
    fn fsx_says_wait_and_wrong_with_one_code() {
        let of = |text| classify("fsx:UpdateFileSystem", "BadRequest", text, Some(400));
        let busy = "Cannot update: there is an update already in progress";
        assert_eq!(of(busy), (Class::Settling, Left::Nothing));
        assert_eq!(of("The storage capacity is wrong"), (Class::Invalid, Left::Nothing));
    }

    #[test]
    fn a_code_stands_in_one_row_only() {
        let mut all: Vec<_> = TABLE.iter().flat_map(|(_, _, codes)| codes.iter()).collect();
        let before = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
