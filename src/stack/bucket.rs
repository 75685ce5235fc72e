//! `bucket`: a private, encrypted, versioned S3 bucket.

use std::collections::BTreeMap;

use serde_json::json;

use crate::kinds::{Bucket, Encryption, KindName, LifecycleRule, canonical};
use crate::lang::schema::{Attribute, BlockSchema, Export, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Text};

use super::expansion::{Expansion, days, flag, tags_of};
use super::names::Here;

/// The table of the block.
pub const SCHEMA: BlockSchema = BlockSchema {
    word: "bucket",
    label: Some("the name by which other blocks refer to it"),
    repeats: true,
    attributes: &[
        Attribute::new("name", Type::String, "Its name in S3, for a bucket that must keep one.")
            .or("\"<stack>-<label>-<account>-<region>-an\""),
        Attribute::new("versioning", Type::Bool, "Keep former versions of every object.")
            .or("true"),
        Attribute::new(
            "keep_versions",
            Type::Duration,
            "How long former versions are kept before they expire.",
        )
        .or("\"90d\""),
        Attribute::new(
            "kms_key",
            Type::String,
            "ARN of the KMS key that encrypts it; without it S3's own keys do.",
        ),
        Attribute::new(
            "precious",
            Type::Bool,
            "Refuse to delete it while it holds anything. `false` lets its contents go with it.",
        )
        .or("true"),
        Attribute::new("tags", Type::Map(&Type::String), "Tags beside the stack's.").or("{}"),
    ],
    blocks: &[BlockSchema {
        word: "expire",
        label: None,
        repeats: true,
        attributes: &[
            Attribute::new("prefix", Type::String, "Objects whose names begin so.").or("\"\""),
            Attribute::new("after", Type::Duration, "How old they get, in whole days.").required(),
        ],
        blocks: &[],
        exports: &[],
        doc: "Objects that expire.",
    }],
    exports: &[
        Export { name: "name", doc: "Its name in S3." },
        Export { name: "arn", doc: "Its ARN." },
    ],
    doc: "An S3 bucket: private, encrypted, versioned, reachable by TLS only, without access \
          control lists; unfinished uploads are dropped after seven days.",
};

/// What can be read from it.
pub(super) fn exports(here: &Here, block: &Evaluated) -> BTreeMap<String, Value> {
    let name = name(here, block);
    let arn = here.home.arn("s3", &name);
    BTreeMap::from([("name".to_owned(), name.into()), ("arn".to_owned(), arn.into())])
}

/// Its name in S3.
fn name(here: &Here, block: &Evaluated) -> String {
    match (block.attr("name").and_then(Value::as_str), &block.address) {
        (Some(name), _) => name.to_owned(),
        (None, Some(address)) => here.bucket(address),
        (None, None) => String::new(),
    }
}

/// Adds it to what is wanted.
pub(super) fn expand(x: &mut Expansion<'_>, block: &Evaluated) {
    let Some(address) = block.address.clone() else { return };
    let name = name(&x.here, block);
    if let Some(own) = block.attr("name") {
        let help = "a bucket's name is made of 3 to 63 of a-z, 0-9 and -";
        x.check(own, bad_name(&name), help);
        if !name.starts_with(&format!("{}-", x.here.stack)) {
            x.desired.names.insert((KindName::Bucket, name.clone()));
        }
    }
    let key = block.attr("kms_key").and_then(Value::as_str).map(str::to_owned);
    let algorithm = if key.is_some() { "aws:kms" } else { "AES256" };
    let versioning = flag(block, "versioning", true);
    let spec = Bucket {
        versioning,
        encryption: Some(Encryption { algorithm: algorithm.to_owned(), key }),
        public_access_block: true,
        ownership: Some("BucketOwnerEnforced".to_owned()),
        policy: Some(tls_only(&x.here, &name)),
        lifecycle: lifecycle(x, block),
        precious: flag(block, "precious", true),
        tags: tags_of(x, &address, block),
        name,
    };
    x.desired.specs.insert(address, spec.into());
}

/// A bucket for what mlinfra itself keeps for a block: private, encrypted, versioned, and it goes
/// with its contents.
pub(super) fn own(x: &Expansion<'_>, at: &Address, block: &Evaluated) -> Bucket {
    let name = x.here.bucket_of_objects(at);
    Bucket {
        versioning: true,
        encryption: Some(Encryption { algorithm: "AES256".to_owned(), key: None }),
        public_access_block: true,
        ownership: Some("BucketOwnerEnforced".to_owned()),
        policy: Some(tls_only(&x.here, &name)),
        lifecycle: vec![defaults(Some(KEPT))],
        precious: false,
        tags: tags_of(x, at, block),
        name,
    }
}

/// Days for which former versions are kept.
const KEPT: i32 = 90;

/// Why AWS would not take a name; dots are refused because they break TLS
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
fn bad_name(name: &str) -> Option<String> {
    let sound = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let edges = [name.chars().next(), name.chars().last()];
    let heads = ["xn--", "sthree-", "amzn-s3-demo-"];
    let tails = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3"];
    let taken = heads.iter().find(|head| name.starts_with(**head));
    let taken = taken.or_else(|| tails.iter().find(|tail| name.ends_with(**tail)));
    match taken {
        _ if !sound => Some(format!("{name:?} is no name for a bucket")),
        _ if edges.contains(&Some('-')) => {
            Some(format!("{name:?} does not begin and end with a letter or digit"))
        }
        Some(taken) => Some(format!("{name:?}: AWS keeps `{taken}` for itself")),
        None => None,
    }
}

/// The rule that every bucket has.
fn defaults(keep: Option<i32>) -> LifecycleRule {
    LifecycleRule {
        id: "mlinfra-defaults".to_owned(),
        prefix: String::new(),
        expire_days: None,
        noncurrent_days: keep,
        abort_upload_days: Some(7),
    }
}

fn lifecycle(x: &mut Expansion<'_>, block: &Evaluated) -> Vec<LifecycleRule> {
    let keep = block.attr("keep_versions").map_or(Some(KEPT), |value| days(x, value));
    let mut rules = vec![defaults(keep)];
    for (at, expire) in block.nested("expire").enumerate() {
        let prefix = expire.attr("prefix").and_then(Value::as_str).unwrap_or_default().to_owned();
        let expire_days = expire.attr("after").and_then(|after| days(x, after));
        rules.push(LifecycleRule {
            id: format!("mlinfra-expire-{at}"),
            prefix,
            expire_days,
            noncurrent_days: None,
            abort_upload_days: None,
        });
    }
    rules.sort();
    rules
}

fn tls_only(here: &Here, name: &str) -> Text {
    let arn = here.home.arn("s3", name);
    Text::Known(canonical(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    })))
}
