//! What the simulated region says in place of an answer: faults, and what may not be done.

use super::SimError;
use super::rules::refuse;
use super::settings::FaultKind;
use crate::cloud::{Class, Failure, Left};

pub(super) fn throttled(api: &str) -> Failure {
    refuse(Class::Throttled, api, "RequestLimitExceeded", "Request limit exceeded.")
}

pub(super) fn lost(api: &str) -> Failure {
    Failure::new(Class::Unavailable, Left::Unknown, api, "ConnectionReset", "no answer came")
}

pub(super) fn broken(api: &str, why: &SimError) -> Failure {
    Failure::new(Class::Unavailable, Left::Unknown, api, "SandboxFile", why.to_string())
}

pub(super) fn denied(api: &str) -> Failure {
    let text = "You are not authorized to perform this operation.";
    refuse(Class::Denied, api, "UnauthorizedOperation", text)
}

/// What a fault answers in place of the region; none when the call takes effect.
pub(super) fn refusal(kind: FaultKind, api: &str) -> Option<Failure> {
    match kind {
        FaultKind::FailBefore => Some(lost(api)),
        FaultKind::LoseAnswer => None,
        FaultKind::Throttle => Some(throttled(api)),
        FaultKind::Deny => Some(denied(api)),
        FaultKind::Expire => {
            let text = "The security token included in the request is expired";
            Some(refuse(Class::Expired, api, "ExpiredToken", text))
        }
        FaultKind::NotFound => {
            let text = "What the request names does not exist";
            Some(refuse(Class::Gone, api, "NotFound", text))
        }
    }
}
