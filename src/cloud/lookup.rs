//! What is asked of the cloud about objects that exist already and are not ours.

use std::collections::BTreeMap;

/// A question about what exists. Tags are those that an object must have, with these values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// VPCs, by id or tags.
    Vpc {
        /// Its id.
        id: Option<String>,
        /// Tags that it has.
        tags: BTreeMap<String, String>,
    },
    /// Subnets of a VPC.
    Subnets {
        /// The VPC's id.
        vpc: String,
        /// Tags that they have.
        tags: BTreeMap<String, String>,
    },
    /// A bucket of this account, by name.
    Bucket {
        /// Its name.
        name: String,
    },
    /// The newest image of an owner.
    Image {
        /// An account, `self`, or `amazon`.
        owner: String,
        /// A pattern of names.
        name: String,
    },
    /// The image that an SSM parameter names: nothing where there is no such parameter;
    /// without `id` where its value is none of an image, and without `name` where that
    /// image is not to be seen.
    Parameter {
        /// The parameter's name.
        name: String,
    },
}

/// One object that was found: its fields by name.
pub type Match = BTreeMap<String, String>;

/// The answers; a question without an answer was not asked.
pub type Lookups = BTreeMap<Lookup, Vec<Match>>;

/// A match of these fields.
pub fn matched<const N: usize>(fields: [(&str, String); N]) -> Match {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
