//! The words of the language: the tables of all blocks, and what can be read from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cloud::Facts;
use crate::kinds::Home;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, LOCALS, MODULE, OUTPUT, VARIABLE, Value, World};
use crate::model::{AccountId, Block};

use super::expand::config_of;
use super::names::{Here, Origins};
use super::{
    adopt, backend, bucket, budget, cluster, filesystem, forget, lookup, moved, network, queue,
    service, volume,
};

/// All blocks, in the order of the documents.
pub const BLOCKS: &[BlockSchema] = &[
    STACK,
    bucket::SCHEMA,
    network::SCHEMA,
    queue::SCHEMA,
    volume::SCHEMA,
    filesystem::SCHEMA,
    cluster::SCHEMA,
    service::SCHEMA,
    moved::SCHEMA,
    lookup::VPC,
    lookup::SUBNETS,
    lookup::BUCKET,
    lookup::IMAGE,
    lookup::ZONES,
    lookup::ACCOUNT,
    MODULE,
    adopt::SCHEMA,
    forget::SCHEMA,
    VARIABLE,
    LOCALS,
    OUTPUT,
];

const STACK: BlockSchema = BlockSchema {
    word: "stack",
    label: Some("the stack's name, which every object carries as a tag"),
    repeats: false,
    attributes: &[
        Attribute::new("region", Type::String, "The AWS region, such as `us-east-1`.").required(),
        Attribute::new(
            "account",
            Type::String,
            "The twelve digits of the only account it may live in; any other is refused.",
        ),
        Attribute::new("tags", Type::Map(&Type::String), "Tags for every object.").or("{}"),
    ],
    blocks: &[backend::SCHEMA, budget::SCHEMA],
    exports: &[],
    doc: "Names the stack and says where it lives. Every configuration has exactly one.",
};

/// The words, in an account that may not be known yet.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The account of the caller.
    pub account: Option<AccountId>,
    /// Objects whose names were computed from an address that they had before.
    pub origins: Arc<Origins>,
    /// What was found out, once it was: what is looked up is known from then on.
    pub facts: Option<Arc<Facts>>,
}

impl World for Words {
    fn schema(&self) -> &'static [BlockSchema] {
        BLOCKS
    }

    fn exports(&self, stack: &Evaluated, block: &Evaluated) -> BTreeMap<String, Value> {
        let config = config_of(stack);
        let known = config.account.clone().or_else(|| self.account.clone());
        let account = known.clone().unwrap_or_else(|| AccountId::from("000000000000"));
        let home = Home { account, region: config.region };
        let origins = Arc::clone(&self.origins);
        let here = Here { stack: config.stack, home, tags: config.tags, origins };
        let mut exports = match Block::from_word(block.word) {
            Some(Block::Bucket) => bucket::exports(&here, block),
            Some(Block::Network) => network::exports(block),
            Some(Block::Queue) => queue::exports(&here, block),
            Some(Block::Volume) => volume::exports(block),
            Some(Block::Filesystem) => filesystem::exports(&here, block),
            Some(Block::Cluster) => cluster::exports(&here, block),
            Some(Block::Service) => service::exports(&here, block),
            None if block.word.starts_with("lookup ") => {
                return lookup::exports(&here, block, self.facts.as_deref());
            }
            None => BTreeMap::new(),
        };
        if known.is_none() {
            // Names and ARNs hold the account: without it nothing can be said of them.
            for value in exports.values_mut() {
                if value.as_str().is_some_and(|text| text.contains("000000000000")) {
                    *value = Value::unknown();
                }
            }
        }
        exports
    }
}
