//! Failures: of which class, and what they left behind.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of bad luck it was. Each adapter maps its own codes to these in one table;
/// everything above matches on the class alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Too many calls.
    Throttled,
    /// The service or the way to it: an internal error, a time-out, a broken connection.
    Unavailable,
    /// Something made a moment ago is not known everywhere yet.
    Settling,
    /// Something still uses the object.
    InUse,
    /// No capacity for this offer now.
    Capacity,
    /// A quota of the account.
    Quota,
    /// The identity may not.
    Denied,
    /// The credentials have run out.
    Expired,
    /// Something with that name exists and is not ours to take.
    Exists,
    /// There is no such object.
    Gone,
    /// The same token was sent with another request.
    Mismatch,
    /// The request itself is wrong.
    Invalid,
    /// A code that no table knows.
    Unknown,
}

impl Class {
    /// True when the same call may be sent again and can then succeed.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::Settling | Self::InUse => true,
            Self::Capacity
            | Self::Quota
            | Self::Denied
            | Self::Expired
            | Self::Exists
            | Self::Gone
            | Self::Mismatch
            | Self::Invalid
            | Self::Unknown => false,
        }
    }
}

/// What a failed call left in the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It was refused before it did anything.
    Nothing,
    /// It did a part.
    Something,
    /// Nobody knows: the answer was lost.
    Unknown,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Of which class.
    pub class: Class,
    /// What it left.
    pub left: Left,
    /// Which API, such as `ec2:RunInstances`.
    pub api: String,
    /// The cloud's code, such as `InsufficientInstanceCapacity`.
    pub code: String,
    /// The cloud's words.
    pub text: String,
    /// The cloud's request id, for its support.
    pub request: Option<String>,
}

impl Failure {
    /// A failure of a named API.
    pub fn new(class: Class, left: Left, api: &str, code: &str, text: impl Into<String>) -> Self {
        let (api, code) = (api.to_owned(), code.to_owned());
        Self { class, left, api, code, text: text.into(), request: None }
    }

    /// True when the cloud has said for certain that nothing was made.
    pub fn is_definitive(&self) -> bool {
        match self.left {
            Left::Nothing => true,
            Left::Something | Left::Unknown => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.api, self.code)?;
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        match &self.request {
            Some(request) => write!(f, " (request {request})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
