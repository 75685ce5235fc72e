//! What the journal records.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Booted;
use crate::cloud::{Call, Failure, Interrupted, Scope};
use crate::kinds::{Home, KindName};
use crate::model::{AccountId, Address, CloudId, Moment, Region, StackName, TemplateId, Token};

/// Who runs an apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The caller's ARN.
    pub arn: String,
    /// `user@host`
    pub user: String,
    /// The git commit of the configuration; a `+` behind it when the tree was changed.
    pub commit: Option<String>,
    /// The command line's verb.
    pub verb: String,
}

/// What a ledger remembers belongs to one stack, in one region of one account. None of the
/// three can change while anything stands there: nobody would look for it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The stack.
    pub stack: StackName,
}

impl Site {
    /// Of a stack at home there.
    pub fn new(stack: &StackName, home: &Home) -> Self {
        let Home { account, region } = home.clone();
        Self { account, region, stack: stack.clone() }
    }

    /// Where this looks.
    pub fn of(scope: &Scope) -> Self {
        Self::new(&scope.stack, &scope.home)
    }
}

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub enum Entry {
    /// An apply begins.
    Begin {
        /// When.
        at: Moment,
        /// Who.
        who: Who,
        /// How many steps its plan has.
        steps: usize,
        /// Names that the author chose, found by no prefix.
        names: BTreeSet<(KindName, String)>,
        /// The checksum of the plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// The checksum of the configuration, when it is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<String>,
        /// The parts of the stack that it is for; none for the whole.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        targets: Vec<String>,
        /// Where it takes place; former versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<Site>,
    },
    /// A call that makes something is about to be sent.
    Intent {
        /// When.
        at: Moment,
        /// Which try at this address, from 1.
        attempt: u32,
        /// The exact call; its owner holds address and token.
        call: Call,
    },
    /// The call has made these.
    Commit {
        /// When.
        at: Moment,
        /// Which intent.
        token: Token,
        /// What it made.
        ids: Vec<CloudId>,
    },
    /// The cloud has said for certain that the call made nothing.
    Refused {
        /// When.
        at: Moment,
        /// Which intent.
        token: Token,
        /// How.
        failure: Failure,
    },
    /// A step has ended.
    Did {
        /// When.
        at: Moment,
        /// Where.
        address: Address,
        /// `create`, `update`, `delete`, `launch`, `terminate`.
        verb: String,
        /// The objects it concerned.
        ids: Vec<CloudId>,
        /// How it failed, if it did.
        failure: Option<Failure>,
        /// Milliseconds since it began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        took: Option<u64>,
    },
    /// Nodes have come up, or failed.
    Booted {
        /// When.
        at: Moment,
        /// Of which fleet.
        address: Address,
        /// From which template.
        template: TemplateId,
        /// Which, in the order of their launch.
        nodes: Vec<Booted>,
    },
    /// Nodes on spot were taken back, or are about to be.
    Interrupted {
        /// When that was seen.
        at: Moment,
        /// Which.
        nodes: BTreeMap<CloudId, Interrupted>,
    },
    /// A person wants nodes launched again although too many have failed.
    Retry {
        /// When.
        at: Moment,
    },
    /// The apply has ended.
    End {
        /// When.
        at: Moment,
        /// In a few words.
        outcome: String,
        /// Outputs as JSON; sensitive ones are left out.
        outputs: serde_json::Map<String, serde_json::Value>,
    },
}

/// What the ledger knows of one intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Sent, or about to be; the answer is not known. Few are so at a time, and each holds
    /// a whole call: all the others must not have its size.
    Making(Box<Making>),
    /// Answered.
    Made(Made),
}

/// An open intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Making {
    /// Since when.
    pub at: Moment,
    /// Which try.
    pub attempt: u32,
    /// The exact call.
    pub call: Call,
}

/// A closed intent, kept until what it made must be visible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Since when.
    pub at: Moment,
    /// At which address.
    pub address: Address,
    /// What.
    pub ids: Vec<CloudId>,
}
