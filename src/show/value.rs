//! Values of specs as people write them: links by address, long texts by size.

use serde_json::{Map, Value};

use crate::kinds::walk;
use crate::model::{Address, Encoder, Key, Part, Piece};

/// What stands where apply will fill something in.
pub(super) const LATER: &str = "(known after apply)";

/// Longest text that is shown inside a line.
const SHORT: usize = 100;

/// What a JSON value of a spec is, seen through the shapes of links and deferred texts.
pub(super) enum Shape<'a> {
    /// Null, a truth or a number.
    Plain(String),
    /// A text.
    Text(&'a str),
    /// A text of which a part is known after apply, with `${…}` in its place.
    Later(String),
    /// A link, as address or id.
    Link(String),
    /// A list.
    List(&'a [Value]),
    /// A map.
    Map(&'a Map<String, Value>),
}

/// Recognises a value.
pub(super) fn shape(value: &Value) -> Shape<'_> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Shape::Plain(value.to_string()),
        Value::String(text) => Shape::Text(text),
        Value::Array(items) => Shape::List(items),
        Value::Object(map) => match (map.get("$to"), map.get("$id"), map.get("$text")) {
            (Some(Value::String(to)), _, _) => Shape::Link(address(to)),
            (_, Some(Value::String(id)), _) => Shape::Link(id.clone()),
            (_, _, Some(pieces)) => {
                let pieces: Vec<Piece> = serde_json::from_value(pieces.clone()).unwrap_or_default();
                Shape::Later(template(&pieces))
            }
            (_, _, None) => Shape::Map(map),
        },
    }
}

/// The tag form of an address in its text form.
fn address(tag: &str) -> String {
    Address::from_tag(tag).map_or_else(|_| tag.to_owned(), |address| address.to_string())
}

fn template(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Id(address) => format!("${{{address}}}"),
            Piece::Encoded(Encoder::Raw | Encoder::Json, inner) => template(inner),
            Piece::Encoded(Encoder::Base64, inner) => format!("${{base64({:?})}}", template(inner)),
            Piece::Encoded(Encoder::Sha256, inner) => format!("${{sha256({:?})}}", template(inner)),
        })
        .collect()
}

/// A value within a line.
pub(super) fn inline(value: &Value) -> String {
    match shape(value) {
        Shape::Plain(text) | Shape::Link(text) => text,
        Shape::Text(text) => summary(text).unwrap_or_else(|| quoted(text)),
        Shape::Later(_) => LATER.to_owned(),
        Shape::List(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Shape::Map(map) => format!("{{{}}}", pairs(map).join(", ")),
    }
}

/// `key = value` for all that holds something.
pub(super) fn pairs(map: &Map<String, Value>) -> Vec<String> {
    map.iter()
        .filter(|(_, value)| !is_blank(value))
        .map(|(key, value)| format!("{} = {}", name(key), inline(value)))
        .collect()
}

/// A key, in quotes when it is not a plain word.
pub(super) fn name(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Says of a text that is too long for a line what it is.
fn summary(text: &str) -> Option<String> {
    if is_json(text) {
        Some("(JSON)".to_owned())
    } else if text.contains('\n') || text.chars().count() > SHORT {
        Some(format!("({} bytes)", text.len()))
    } else {
        None
    }
}

fn is_json(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// The lines of a text that is too long for a line; JSON is spread out for that.
pub(super) fn long(value: &Value) -> Option<String> {
    let text = match shape(value) {
        Shape::Text(text) => text.to_owned(),
        Shape::Later(text) => text,
        Shape::Plain(_) | Shape::Link(_) | Shape::List(_) | Shape::Map(_) => return None,
    };
    match parse(&text) {
        Some(json) => Some(format!("{json:#}")),
        None if summary(&text).is_some() => Some(text),
        None => None,
    }
}

/// Null, or nothing in it.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// True when any part of it is known only after apply.
pub(super) fn is_later(value: &Value) -> bool {
    let mut fields = Map::new();
    fields.insert(String::new(), value.clone());
    walk::links_in(&fields).iter().any(|found| match found.target {
        walk::FoundTarget::Address(_) => true,
        walk::FoundTarget::Id(_) => false,
    })
}

/// Fields in which objects of a kind may differ and still be alike.
const INDIVIDUAL: [&str; 3] = ["name", "cidr", "zone"];

/// What objects that are alike have in common: without names, CIDRs and zones, and with
/// links to the like of each other.
pub(super) fn common(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = general(fields);
    fields.retain(|key, _| !INDIVIDUAL.contains(&key.as_str()));
    fields
}

/// The same fields with links to the like of each other.
pub(super) fn general(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|(key, value)| (key.clone(), generalised(value))).collect()
}

fn generalised(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        Value::Array(items) => Value::Array(items.iter().map(generalised).collect()),
        Value::Object(map) => match (map.get("$to"), map.get("$text")) {
            (Some(Value::String(to)), _) => {
                let stem = Address::from_tag(to).map_or_else(|_| to.clone(), |a| stem(&a));
                serde_json::json!({ "$id": stem })
            }
            (_, Some(pieces)) => {
                let pieces: Vec<Piece> = serde_json::from_value(pieces.clone()).unwrap_or_default();
                serde_json::json!({ "$text": general_pieces(pieces) })
            }
            (_, None) => {
                Value::Object(map.iter().map(|(k, v)| (k.clone(), generalised(v))).collect())
            }
        },
    }
}

fn general_pieces(pieces: Vec<Piece>) -> Vec<Piece> {
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => Piece::Plain(text),
            Piece::Id(address) => Piece::Plain(stem(&address)),
            Piece::Encoded(encoder, inner) => Piece::Encoded(encoder, general_pieces(inner)),
        })
        .collect()
}

/// A key as JSON: a number or a text, as Terraform's readers expect it.
pub(super) fn key(key: &Key) -> Value {
    match key {
        Key::Index(index) => Value::from(*index),
        Key::Name(name) => Value::from(name.as_str()),
    }
}

/// An address with stars for what tells it from its like: `network.main/private-*`.
pub(super) fn stem(address: &Address) -> String {
    let mut like = Address { key: None, ..address.clone() };
    if let Some(Part(part)) = &address.part {
        like.part = Some(Part(part_stem(part)));
    }
    let text = like.to_string();
    match (&address.key, text.split_once('/')) {
        (None, _) => text,
        (Some(_), Some((block, part))) => format!("{block}[*]/{part}"),
        (Some(_), None) => format!("{text}[*]"),
    }
}

/// `private-a` → `private-*`: the last word is a zone's letter or name, or a number.
pub(super) fn part_stem(part: &str) -> String {
    let Some((head, tail)) = part.rsplit_once('-') else { return part.to_owned() };
    let digits = tail.chars().all(|c| c.is_ascii_digit());
    let letter = tail.len() == 1 && tail.chars().all(|c| c.is_ascii_lowercase());
    let zone = tail.len() == 2
        && tail.starts_with(|c: char| c.is_ascii_digit())
        && tail.ends_with(|c: char| c.is_ascii_lowercase());
    match head.rsplit('-').nth(1) {
        // `private-us-east-1a`
        Some(_) if zone => {
            let words: Vec<&str> = head.split('-').collect();
            format!("{}-*", words[..words.len() - 2].join("-"))
        }
        Some(_) | None if digits || letter => format!("{head}-*"),
        Some(_) | None => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_people_write_them() {
        let cases = [
            (json!(null), "null"),
            (json!(4), "4"),
            (json!("a \"b\""), r#""a \"b\"""#),
            (json!({"$to": "network.main/vpc"}), "network.main/vpc"),
            (json!({"$to": "bucket.data=eu"}), "bucket.data[\"eu\"]"),
            (json!({"$id": "vpc-1"}), "vpc-1"),
            (json!({"$text": [{"id": "network.main/vpc"}]}), LATER),
            (json!({"a": 1, "b": null, "c c": [true, "x"]}), r#"{a = 1, "c c" = [true, "x"]}"#),
            (json!("{\"Version\":\"2012-10-17\"}"), "(JSON)"),
            (json!("#!/bin/sh\necho hi\n"), "(18 bytes)"),
        ];
        for (value, text) in cases {
            assert_eq!(inline(&value), text, "{value}");
        }
    }

    #[test]
    fn a_deferred_text_keeps_its_known_parts() {
        let value = json!({"$text": [
            {"plain": "{\"id\":\""}, {"id": "network.main/vpc"}, {"plain": "\"}"}]});
        assert_eq!(long(&value).as_deref(), Some("{\n  \"id\": \"${network.main/vpc}\"\n}"));
        assert!(is_later(&value));
        assert!(!is_later(&json!({"$id": "vpc-1"})));
    }

    #[test]
    fn stems_star_what_tells_apart() {
        let stem = |tag: &str| super::stem(&Address::from_tag(tag).expect("an address"));
        assert_eq!(stem("network.main/private-a"), "network.main/private-*");
        assert_eq!(stem("network.main/nat-12"), "network.main/nat-*");
        assert_eq!(stem("network.main/private-us-east-1a"), "network.main/private-*");
        assert_eq!(stem("network.main/vpc"), "network.main/vpc");
        assert_eq!(stem("cluster.train/security-group"), "cluster.train/security-group");
        assert_eq!(stem("bucket.data=eu"), "bucket.data[*]");
        assert_eq!(stem("cluster.train=2/profile"), "cluster.train[*]/profile");
    }
}
