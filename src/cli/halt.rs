//! Why a command stops: problems, with the hints that this room adds.

use crate::apply::{NoApply, Trouble};
use crate::cloud::{Class, Failure};
use crate::ledger::StoreError;
use crate::model::{Problem, Sources};
use crate::plan::Refusal;
use crate::sim::SimError;

/// A command that stops.
#[derive(Debug)]
pub struct Halt {
    /// What was wrong.
    pub problems: Vec<Problem>,
    /// The files that the problems point into.
    pub sources: Sources,
    /// The exit code.
    pub code: u8,
}

impl Halt {
    /// Problems in files.
    pub fn of(problems: Vec<Problem>, sources: &Sources) -> Self {
        Self { problems, sources: sources.clone(), code: super::PROBLEM }
    }

    /// One problem without a place.
    pub fn one(code: &'static str, summary: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(vec![Problem::error(code, summary).help(help)], &Sources::default())
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        let help = match failure.class {
            Class::Denied => "ask for the right that the message names, or use another profile",
            Class::Expired => "sign in again (`aws sso login`, or new keys) and repeat the command",
            Class::Throttled => "other programs use up the account's calls; try again in a minute",
            Class::Unavailable => {
                "check the network, and AWS_ENDPOINT_URL if it is set; then repeat the command"
            }
            Class::Quota => "ask AWS for a higher quota (console: Service Quotas)",
            Class::Settling
            | Class::InUse
            | Class::Capacity
            | Class::Exists
            | Class::Gone
            | Class::Mismatch
            | Class::Invalid
            | Class::Unknown => "repeat the command; nothing was changed by this one",
        };
        Self::one("C001", failure.to_string(), help)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        let help = match &error {
            StoreError::Held(_) => "wait until it has ended; the lock goes with its process",
            StoreError::Corrupt { .. } => {
                "`mlinfra ledger verify` shows all that is damaged. Move the ledger away (the\n\
                 folder .mlinfra, or the stack's folder in the bucket): the cloud is the state, so\n\
                 the next plan is the same; only history and unfinished intents are lost"
            }
            StoreError::Io { place, .. } if place.starts_with("s3://") => {
                "check the bucket's name, region and owner, and your rights to it (s3:GetObject,\n\
                 s3:PutObject, s3:DeleteObject, s3:ListBucket); what was begun is written down, and\n\
                 the next apply goes on from there"
            }
            StoreError::Io { .. } => {
                "the ledger is a folder, writable for you, with space left on its disk"
            }
            StoreError::Moved { .. } => {
                "let the stack's `backend` block say so (no block: beside the stack), or move the\n\
                 ledger back with `mlinfra ledger migrate`"
            }
            StoreError::Taken { .. } => {
                "nothing was moved; if what stands there is not needed, move it away yourself,\n\
                 then repeat the command"
            }
            StoreError::Unfit { .. } => {
                "keep the ledger in a bucket of S3 itself, or in a store that is known to keep\n\
                 conditional writes"
            }
            StoreError::Deposed(_) => {
                "it has been silent for longer than its lease; what it had begun is written down,\n\
                 and the next apply goes on from there"
            }
            StoreError::Exists(_) | StoreError::Lost(_) => {
                "let one mlinfra at a time work on a stack"
            }
        };
        Self::one("K001", format!("the ledger: {error}"), help)
    }
}

impl From<SimError> for Halt {
    fn from(error: SimError) -> Self {
        match error {
            SimError::Unreadable { file, line, why } => {
                let text = format!("the simulated world cannot be read: {why}");
                let mut halt = Self::one("X001", text, "`mlinfra sandbox reset` starts a new one");
                for problem in &mut halt.problems {
                    problem.detail = format!("line {line} of {}", file.display());
                }
                halt
            }
            SimError::Setting(text) | SimError::Foreign(text) => {
                // A list of what there is follows on further lines.
                let (summary, rest) =
                    text.split_once(":\n").or_else(|| text.split_once(": ")).unwrap_or((&text, ""));
                let mut halt = Self::one("X001", summary, "");
                for problem in &mut halt.problems {
                    let lines: Vec<&str> = rest.lines().map(str::trim).collect();
                    problem.detail = lines.join("\n");
                }
                halt
            }
            SimError::Io { .. } => Self::one("X001", error.to_string(), ""),
        }
    }
}

/// Parts of a stack that were named and cannot be taken alone.
fn selection(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Absent { address: _, like } => Some(match like.as_slice() {
            [] => "`mlinfra show` lists what is there".to_owned(),
            like => format!("did you mean {}?", like.join(", ")),
        }),
        Refusal::Several { address: _, parts } => {
            Some(format!("name one of them: {}", parts.join(", ")))
        }
        Refusal::Used { address: _, users } => {
            let flags: Vec<String> = users.iter().map(|user| format!("--replace {user}")).collect();
            Some(format!("replace what stands on it, too: {}", flags.join(" ")))
        }
        Refusal::Blind { .. }
        | Refusal::Cycle(_)
        | Refusal::Dangling { .. }
        | Refusal::Occupied { .. }
        | Refusal::Adopt { .. }
        | Refusal::Protected { .. }
        | Refusal::Opaque { .. }
        | Refusal::Precious { .. } => None,
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        if let Some(help) = selection(&refusal) {
            return Self::one("P007", refusal.to_string(), help);
        }
        let (code, help) = match &refusal {
            Refusal::Blind { .. } => {
                ("P001", "mlinfra does not act on what it cannot see: grant the read, then repeat")
            }
            Refusal::Cycle(_) => ("P002", "break the circle: one of them must do without another"),
            Refusal::Dangling { .. } => ("P003", "declare it, or remove what refers to it"),
            Refusal::Occupied { .. } => {
                ("P006", "delete or forget one, or remove the `moved` block")
            }
            Refusal::Absent { .. } | Refusal::Several { .. } | Refusal::Used { .. } => ("P007", ""),
            Refusal::Adopt { .. } => (
                "P008",
                "correct the id, or describe the object in its block as it is; with\n\
                 `replace = true` in an `adopt` block a successor may take its place",
            ),
            // An ARN: `arn:aws:sqs:…`.
            Refusal::Precious { id, .. } if id.as_str().split(':').nth(2) == Some("sqs") => (
                "P004",
                "let workers take its messages, or throw them away with\n\
                 `aws sqs purge-queue`; then repeat this",
            ),
            Refusal::Precious { .. } => (
                "P004",
                "empty it yourself; or write `precious = false` in its block and\n\
                 apply that first, then its contents go with it",
            ),
            Refusal::Opaque { fields, .. } if fields.is_empty() => (
                "P004",
                "keep it declared as it is; or write `precious = false` in its block and apply\n\
                 that first, then repeat this",
            ),
            Refusal::Opaque { .. } => (
                "P004",
                "take the change back; or write `precious = false` in its block, apply that\n\
                 alone, and then repeat the change: its data is lost with it",
            ),
            Refusal::Protected { replaced: true, .. } => (
                "P006",
                "take back the change that needs another object; or write `precious = false`\n\
                 in its `lifecycle` block and apply again",
            ),
            Refusal::Protected { replaced: false, .. } => (
                "P006",
                "keep it declared as it is; or write `precious = false` in its `lifecycle`\n\
                 block and repeat the command",
            ),
        };
        Self::one(code, refusal.to_string(), help)
    }
}

impl From<NoApply> for Halt {
    fn from(no: NoApply) -> Self {
        match no {
            NoApply::Trouble(trouble) => trouble.into(),
            NoApply::Refused(refusal) => refusal.into(),
            NoApply::Ledger(error) => error.into(),
        }
    }
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(failure) => failure.into(),
            Trouble::Ledger(error) => error.into(),
            Trouble::Interrupted => {
                let mut halt = Self::one(
                    "A001",
                    "interrupted",
                    "what was begun is written down; the next apply goes on from there",
                );
                halt.code = super::INTERRUPTED;
                halt
            }
        }
    }
}
