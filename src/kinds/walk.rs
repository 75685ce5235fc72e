//! Finding and filling links in any spec, by the shape that [`crate::model::Link`]
//! and [`crate::model::Text`] have in JSON.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Spec;
use super::seek::Shape;
use crate::model::{Address, CloudId, Encoder, Piece, Text};

/// A link found in a spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The top-level field that holds it.
    pub field: String,
    /// What it refers to.
    pub target: FoundTarget,
}

/// What a link that was found refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundTarget {
    /// Something declared.
    Address(Address),
    /// Something that exists.
    Id(CloudId),
}

/// Every link in a spec, with the addresses in deferred texts.
pub fn links(spec: &Spec) -> Vec<Found> {
    let mut out = Vec::new();
    spec.seek(&mut |field, shape| {
        let mut push = |target| out.push(Found { field: field.to_owned(), target });
        match shape {
            Shape::To(tag) => {
                if let Ok(address) = Address::from_tag(tag) {
                    push(FoundTarget::Address(address));
                }
            }
            Shape::Id(id) => push(FoundTarget::Id(CloudId::from(id))),
            Shape::Text(pieces) => {
                in_pieces(&pieces).into_iter().map(FoundTarget::Address).for_each(push);
            }
        }
    });
    out
}

/// Whether a spec waits for the id of anything.
pub fn is_open(spec: &Spec) -> bool {
    let mut open = false;
    spec.seek(&mut |_, shape| match shape {
        Shape::To(_) | Shape::Text(_) => open = true,
        Shape::Id(_) => {}
    });
    open
}

/// The same, of fields.
pub fn links_in(fields: &Map<String, Value>) -> Vec<Found> {
    let mut out = Vec::new();
    for (field, value) in fields {
        let mut push = |target| out.push(Found { field: field.clone(), target });
        visit(value, &mut push);
    }
    out
}

fn visit(value: &Value, push: &mut dyn FnMut(FoundTarget)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|item| visit(item, push)),
        Value::Object(map) => {
            if let Some(Value::String(to)) = map.get("$to") {
                if let Ok(address) = Address::from_tag(to) {
                    push(FoundTarget::Address(address));
                }
            } else if let Some(Value::String(id)) = map.get("$id") {
                push(FoundTarget::Id(CloudId(id.clone())));
            } else if let Some(pieces) = map.get("$text") {
                for address in in_pieces(pieces) {
                    push(FoundTarget::Address(address));
                }
            } else {
                map.values().for_each(|item| visit(item, push));
            }
        }
    }
}

fn in_pieces(pieces: &Value) -> BTreeSet<Address> {
    let pieces: Vec<Piece> = serde_json::from_value(pieces.clone()).unwrap_or_default();
    let mut out = BTreeSet::new();
    addresses(&pieces, &mut out);
    out
}

/// The addresses whose ids a text waits for.
pub fn addresses(pieces: &[Piece], out: &mut BTreeSet<Address>) {
    for piece in pieces {
        match piece {
            Piece::Plain(_) => {}
            Piece::Id(address) => {
                out.insert(address.clone());
            }
            Piece::Encoded(_, inner) => addresses(inner, out),
        }
    }
}

/// What is known of the ids of addresses.
pub type Known<'a> = &'a dyn Fn(&Address) -> Option<CloudId>;

/// Fills in every link and text whose id is known.
pub fn settle(spec: &Spec, known: Known<'_>) -> Result<Spec, serde_json::Error> {
    if !is_open(spec) {
        return Ok(spec.clone());
    }
    let mut fields = spec.fields();
    let mut changed = false;
    for value in fields.values_mut() {
        changed |= fill(value, known);
    }
    if changed { spec.kind().read(fields) } else { Ok(spec.clone()) }
}

/// Fills in one JSON value; says whether it changed.
pub fn fill(value: &mut Value, known: Known<'_>) -> bool {
    let new = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return false,
        Value::Array(items) => {
            return items.iter_mut().fold(false, |changed, item| fill(item, known) | changed);
        }
        Value::Object(map) => {
            if let Some(Value::String(to)) = map.get("$to") {
                let id = Address::from_tag(to).ok().and_then(|address| known(&address));
                id.map(|id| serde_json::json!({ "$id": id }))
            } else if let Some(pieces) = map.get("$text") {
                let pieces = serde_json::from_value(pieces.clone()).unwrap_or_default();
                serde_json::to_value(render(pieces, known)).ok()
            } else {
                return map.values_mut().fold(false, |changed, item| fill(item, known) | changed);
            }
        }
    };
    match new {
        Some(new) if new != *value => {
            *value = new;
            true
        }
        Some(_) | None => false,
    }
}

/// Fills in a text with the ids that are known.
pub fn render(pieces: Vec<Piece>, known: Known<'_>) -> Text {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        let piece = match piece {
            Piece::Plain(text) => Piece::Plain(text),
            Piece::Id(address) => match known(&address) {
                Some(id) => Piece::Plain(id.0),
                None => Piece::Id(address),
            },
            Piece::Encoded(encoder, inner) => match render(inner, known) {
                Text::Known(text) => Piece::Plain(encode(encoder, &text)),
                Text::Deferred(inner) => Piece::Encoded(encoder, inner),
            },
        };
        match (out.last_mut(), piece) {
            (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    match out.as_slice() {
        [] => Text::Known(String::new()),
        [Piece::Plain(text)] => Text::Known(text.clone()),
        _ => Text::Deferred(out),
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(encoder: Encoder, text: &str) -> String {
    match encoder {
        Encoder::Raw => text.to_owned(),
        Encoder::Json => {
            let quoted = Value::String(text.to_owned()).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Encoder::Base64 => STANDARD.encode(text),
        Encoder::Sha256 => sha256(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{DeadLetter, Queue, Route, RouteTable, Subnet, Tags, Target};
    use crate::model::{Link, Zone};

    fn vpc() -> Address {
        Address::from_tag("network.main/vpc").expect("an address")
    }

    #[test]
    fn links_are_found_and_filled() {
        let subnet: Spec = Subnet {
            vpc: Link::To(vpc()),
            cidr: "10.0.0.0/20".to_owned(),
            zone: Zone::from("us-east-1a"),
            public_ips: false,
            tags: Tags::new(),
        }
        .into();
        let found = links(&subnet);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].target, FoundTarget::Address(vpc()));
        let filled = settle(&subnet, &|_| Some(CloudId::from("vpc-7"))).expect("a subnet");
        assert_eq!(links(&filled)[0].target, FoundTarget::Id(CloudId::from("vpc-7")));
        assert_eq!(filled.claim().as_deref(), Some("10.0.0.0/20 in vpc-7"));
    }

    #[test]
    fn a_spec_and_its_json_hold_the_same_links() {
        let table = RouteTable {
            vpc: Link::Id("vpc-1".into()),
            routes: vec![Route {
                destination: "0.0.0.0/0".to_owned(),
                target: Target::Nat(Link::To(vpc())),
            }],
            subnets: vec![Link::To(vpc().with_part("a")), Link::Id("subnet-1".into())],
            tags: Tags::from([("$id".to_owned(), "a tag with an odd key".to_owned())]),
        };
        let queue = Queue {
            name: "q".to_owned(),
            fifo: false,
            visibility_timeout: 1,
            retention: 60,
            receive_wait: 20,
            encrypted: true,
            dead_letter: Some(DeadLetter { queue: Link::To(vpc()), max_receives: 3 }),
            policy: Some(Text::Deferred(vec![
                Piece::Plain("a".to_owned()),
                Piece::Encoded(Encoder::Json, vec![Piece::Id(vpc()), Piece::Id(vpc())]),
            ])),
            tags: Tags::new(),
        };
        for spec in [Spec::from(table), queue.into()] {
            let found = links(&spec);
            assert!(found.len() >= 2 && is_open(&spec), "{found:?}");
            assert_eq!(found, links_in(&spec.fields()));
        }
    }

    #[test]
    fn a_text_is_encoded_once_all_of_it_is_known() {
        let pieces = vec![Piece::Encoded(
            Encoder::Base64,
            vec![Piece::Plain("id=\"".to_owned()), Piece::Id(vpc()), Piece::Plain("\"".to_owned())],
        )];
        let waiting = render(pieces.clone(), &|_| None);
        assert!(waiting.known().is_none());
        let done = render(pieces, &|_| Some(CloudId::from("vpc-7")));
        assert_eq!(done.known(), Some(STANDARD.encode("id=\"vpc-7\"").as_str()));
    }
}
