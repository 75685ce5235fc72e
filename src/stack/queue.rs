//! `queue`: an SQS queue with a dead-letter queue.

use std::collections::BTreeMap;

use serde_json::json;

use crate::kinds::{DeadLetter, Queue, canonical};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Text};

use super::autoscale;
use super::expansion::{Expansion, flag, tags_of};
use super::names::Here;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "queue",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new(
            "fifo",
            Type::Bool,
            "Strict order, exactly once; at most 300 calls a second.",
        )
        .or("false"),
        Attribute::new(
            "visibility_timeout",
            Type::Duration,
            "How long a received message stays hidden; at most 12 hours.",
        )
        .or("\"5m\""),
        Attribute::new(
            "retention",
            Type::Duration,
            "How long a message is kept; 1 minute to 14 days.",
        )
        .or("\"14d\""),
        Attribute::new(
            "max_receives",
            Type::Integer,
            "How often a message is received before it goes to the dead-letter queue.",
        )
        .or("3"),
        Attribute::new(
            "job",
            autoscale::JOB,
            "What each message's job needs, for clusters that this queue resizes: `{ gpus = 8, \
             nodes = 2 }` is eight accelerators on each of two nodes, which start together; \
             `gang = false` makes two jobs of it. Also `priority` and `preemptible`. Jobs of several \
             shapes use several queues.",
        )
        .or("a whole node"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[],
    exports: &[
        Export { name: "url", doc: "Its URL." },
        Export { name: "arn", doc: "Its ARN." },
        Export { name: "name", doc: "Its name in SQS." },
        Export { name: "job", doc: "What each message's job needs, as it is written; or null." },
        Export { name: "dead_letter_url", doc: "The URL of its dead-letter queue." },
    ],
    doc: "An SQS queue for training jobs, encrypted, TLS only, with a dead-letter queue.",
};

/// The longest time that SQS hides a message, in seconds.
const LONGEST_HIDDEN: u64 = 43_200;

fn names(here: &Here, address: &Address, fifo: bool) -> (String, String) {
    let tail = if fifo { ".fifo" } else { "" };
    let name = |address: &Address, suffix: &str| {
        format!("{}{tail}", here.name(address, suffix, 80 - tail.len()))
    };
    (name(address, ""), name(&address.with_part("dead-letter"), "-dead"))
}

/// What can be read from it.
pub(super) fn exports(here: &Here, block: &Evaluated) -> BTreeMap<String, Value> {
    let Some(address) = &block.address else { return BTreeMap::new() };
    let (name, dead) = names(here, address, flag(block, "fifo", false));
    let suffix = if here.home.partition() == "aws-cn" { ".cn" } else { "" };
    let (region, account) = (&here.home.region, &here.home.account);
    let url = |name: &str| format!("https://sqs.{region}.amazonaws.com{suffix}/{account}/{name}");
    BTreeMap::from([
        ("url".to_owned(), url(&name).into()),
        ("dead_letter_url".to_owned(), url(&dead).into()),
        ("arn".to_owned(), here.home.arn("sqs", &name).into()),
        ("name".to_owned(), name.into()),
        ("job".to_owned(), autoscale::exported(block.attr("job"))),
    ])
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let fifo = flag(block, "fifo", false);
    let (name, dead) = names(&x.here, &address, fifo);
    let visibility_timeout = x.seconds(block, "visibility_timeout", 300, 0..=LONGEST_HIDDEN);
    let retention = x.seconds(block, "retention", 1_209_600, 60..=1_209_600);
    let max_receives = x.integer(block, "max_receives", 3, 1..=1000);
    if let Some(job) = block.attr("job") {
        autoscale::job(x, job);
    }
    let dead_address = address.with_part("dead-letter");
    let queue = |x: &Expansion<'_>, name: String, at: &Address, dead_letter| Queue {
        policy: Some(tls_only(&x.here, &name)),
        name,
        fifo,
        visibility_timeout,
        retention,
        receive_wait: 20,
        encrypted: true,
        dead_letter,
        tags: tags_of(x, at, block),
    };
    let dead_letter = DeadLetter { queue: Link::To(dead_address.clone()), max_receives };
    let main = queue(x, name, &address, Some(dead_letter));
    let dead = queue(x, dead, &dead_address, None);
    x.desired.specs.insert(address, main.into());
    x.desired.specs.insert(dead_address, dead.into());
}

fn tls_only(here: &Here, name: &str) -> Text {
    Text::Known(canonical(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": here.home.arn("sqs", name),
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    })))
}
