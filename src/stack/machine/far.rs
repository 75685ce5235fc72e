//! A set-up that is too long for user data: it is kept in a bucket of the cluster's own, and a
//! node fetches it with the rights of its role.
//!
//! The checksum stands in user data, so another set-up is another template and rolls the nodes.
//! The former one stays until no template names it.

use serde_json::json;

use crate::kinds::walk::sha256;
use crate::kinds::{BucketObject, InlinePolicy, Spec, Tags, canonical};
use crate::lang::Evaluated;
use crate::model::{Address, Encoder, Link, Piece, Text};
use crate::stack::bucket;
use crate::stack::expansion::Expansion;
use crate::stack::names::fit;

use super::Script;
use super::config::pieces;

/// What fetches it.
pub(super) const SCRIPT: Script = ("setup", include_str!("far.sh"));

/// Where it stands in its bucket.
const KEY: &str = "mlinfra/setup";

/// Wants the bucket, the object, and the right to read it and nothing else. Returns what a node
/// has to know: its ARN and its checksum, a line each.
pub(super) fn keep(x: &mut Expansion<'_>, block: &Evaluated, setup: &Text) -> Option<Vec<Piece>> {
    let address = block.address.clone()?;
    let (shelf, at) = (address.with_part("shelf"), address.with_part("setup"));
    let own = bucket::own(x, &shelf, block);
    x.desired.specs.insert(shelf.clone(), own.into());
    let object = BucketObject {
        bucket: Link::To(shelf),
        key: KEY.to_owned(),
        content: setup.clone(),
        // S3 takes ten, and five are ours.
        tags: Tags::new(),
    };
    x.desired.specs.insert(at.clone(), object.into());
    let role = address.with_part("role");
    let name = fit(&format!("{}-setup", x.here.stack), 128);
    if let Some(Spec::Role(role)) = x.desired.specs.get_mut(&role) {
        role.policies.push(InlinePolicy { name, document: right(&at) });
        role.policies.sort();
    }
    // No link says so: a node must have the right when it boots.
    x.desired.after.entry(address.with_part("template")).or_default().insert(role);
    let sum = match setup {
        Text::Known(text) => Piece::Plain(sha256(text)),
        Text::Deferred(_) => Piece::Encoded(Encoder::Sha256, pieces(setup.clone())),
    };
    let end = || Piece::Plain("\n".to_owned());
    Some(vec![Piece::Id(at), end(), sum, end()])
}

/// To read one object.
fn right(object: &Address) -> Text {
    const MARK: &str = "@";
    let document = canonical(json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": MARK }],
    }));
    let (head, tail) = document.split_once(MARK).unwrap_or((&document, ""));
    let id = Piece::Encoded(Encoder::Json, vec![Piece::Id(object.clone())]);
    Text::Deferred(vec![Piece::Plain(head.to_owned()), id, Piece::Plain(tail.to_owned())])
}
