//! Nodes that a plan launches or marks, as JSON.

use serde_json::{Map, Value, json};

use crate::kinds::{Node, Offer, Spec};
use crate::model::{Link, TemplateId};

/// What is known of a node before it is launched: what all of its offers agree on.
pub(super) fn launched(template: &Link<TemplateId>, offers: &[Offer]) -> Value {
    let later = || json!({ "$text": [] });
    let same = |of: fn(&Offer) -> Value| {
        let first = offers.first().map(of);
        first.filter(|first| offers.iter().all(|offer| of(offer) == *first)).unwrap_or_else(later)
    };
    json!({
        "template": template,
        "subnet": same(|offer| json!(offer.subnet)),
        "zone": same(|offer| json!(offer.zone)),
        "instance_type": same(|offer| json!(offer.instance_type)),
        "market": same(|offer| json!(offer.market)),
    })
}

/// The fields of a node.
pub(super) fn node_fields(node: &Node) -> Map<String, Value> {
    Spec::from(node.clone()).fields()
}

/// The same once it is marked: it stays as it is, and is kept.
pub(super) fn marked(node: &Node, how: &str, seconds: u32) -> Map<String, Value> {
    let mut fields = node_fields(node);
    fields.insert("quarantine".to_owned(), json!({ "reason": how, "seconds": seconds }));
    fields
}
