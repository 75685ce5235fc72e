//! One mutating call. The exact value is what the ledger keeps as an intent, so that
//! a crash is repaired by sending the same call again.

use serde::{Deserialize, Serialize};

use crate::kinds::{Edit, KindName, Offer, Spec, Tags};
use crate::model::{Address, CloudId, StackName, TemplateId, Token, tags};

/// A mutating call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum Call {
    /// Makes an object, with all of its tags, as its kind is born.
    Create(Make),
    /// Changes one field of an object.
    Edit {
        /// Its kind.
        kind: KindName,
        /// The object.
        id: CloudId,
        /// The change.
        edit: Edit,
    },
    /// Deletes up to one call's worth of what a bucket holds.
    Empty {
        /// The bucket.
        id: CloudId,
    },
    /// Deletes an object.
    Delete {
        /// The object.
        id: CloudId,
        /// What it is.
        was: Spec,
    },
    /// Starts nodes.
    Launch(Launch),
    /// Terminates nodes.
    Terminate {
        /// Which.
        ids: Vec<CloudId>,
    },
}

/// Making one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Make {
    /// What it shall be; every link is an id.
    pub spec: Spec,
    /// Whose it is.
    pub owner: Owner,
}

/// Starting nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// What to start; always version 1 of it.
    pub template: TemplateId,
    /// Where; its subnet is an id.
    pub offer: Offer,
    /// How many.
    pub count: u32,
    /// As many or none; otherwise as many as can be had, and at least one.
    #[serde(default = "whole")]
    pub whole: bool,
    /// The number of this launch within its cluster.
    pub batch: u32,
    /// Whose they are.
    pub owner: Owner,
    /// Tags for people.
    pub tags: Tags,
}

/// Launches had no choice once.
fn whole() -> bool {
    true
}

/// Whose an object is: the tags that it carries from its first moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The stack.
    pub stack: StackName,
    /// The address in it.
    pub address: Address,
    /// How often that address was replaced, from 1.
    pub generation: u32,
    /// The intent that made it; also the client token where the API takes one.
    pub token: Token,
    /// The address by which its name was computed, when it has moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Address>,
}

impl Owner {
    /// As tags.
    pub fn tags(&self) -> Tags {
        let named = self.named.iter().map(|named| (tags::NAMED.to_owned(), named.to_tag()));
        let mut all = Tags::from([
            (tags::STACK.to_owned(), self.stack.to_string()),
            (tags::ADDRESS.to_owned(), self.address.to_tag()),
            (tags::GENERATION.to_owned(), self.generation.to_string()),
            (tags::INTENT.to_owned(), self.token.to_string()),
        ]);
        all.extend(named);
        all
    }

    /// Reads tags: none when another stack owns the object or nobody does, an error
    /// when the stack does and the rest cannot be read.
    pub fn from_tags(stack: &StackName, found: &Tags) -> Option<Result<Self, String>> {
        if found.get(tags::STACK).map(String::as_str) != Some(stack.as_str()) {
            return None;
        }
        let address = found.get(tags::ADDRESS).map(String::as_str).unwrap_or_default();
        let generation = found.get(tags::GENERATION).map_or(Ok(1), |text| text.parse());
        let named = found.get(tags::NAMED).map(|text| Address::from_tag(text)).transpose();
        Some(match (Address::from_tag(address), generation, named) {
            (Ok(address), Ok(generation), Ok(named)) => Ok(Self {
                stack: stack.clone(),
                address,
                generation,
                token: Token(found.get(tags::INTENT).cloned().unwrap_or_default()),
                named,
            }),
            (Err(bad), _, _) => Err(format!("tag {}: {bad}", tags::ADDRESS)),
            (Ok(_), Err(_), _) => Err(format!("tag {} is not a number", tags::GENERATION)),
            (Ok(_), Ok(_), Err(bad)) => Err(format!("tag {}: {bad}", tags::NAMED)),
        })
    }
}

/// What a call returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The objects that it made.
    pub ids: Vec<CloudId>,
    /// There is more of the same to do (only [`Call::Empty`]).
    pub more: bool,
}

impl Call {
    /// The intent's owner, for the calls that make something.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Create(make) => Some(&make.owner),
            Self::Launch(launch) => Some(&launch.owner),
            Self::Edit { .. }
            | Self::Empty { .. }
            | Self::Delete { .. }
            | Self::Terminate { .. } => None,
        }
    }

    /// The kind that it concerns.
    pub fn kind(&self) -> KindName {
        match self {
            Self::Create(make) => make.spec.kind(),
            Self::Edit { kind, .. } => *kind,
            Self::Empty { .. } => KindName::Bucket,
            Self::Delete { was, .. } => was.kind(),
            Self::Launch(_) | Self::Terminate { .. } => KindName::Node,
        }
    }

    /// In a few words, for logs and errors.
    pub fn words(&self) -> String {
        let title = self.kind().title();
        match self {
            Self::Create(_) => format!("create {title}"),
            Self::Edit { id, edit, .. } => format!("set {} of {title} {}", edit.field, id.short()),
            Self::Empty { id } => format!("empty {title} {}", id.short()),
            Self::Delete { id, .. } => format!("delete {title} {}", id.short()),
            Self::Launch(launch) => format!(
                "launch {} × {} in {}",
                launch.count, launch.offer.instance_type, launch.offer.zone
            ),
            Self::Terminate { ids } if ids.len() == 1 => "terminate 1 node".to_owned(),
            Self::Terminate { ids } => format!("terminate {} nodes", ids.len()),
        }
    }
}
