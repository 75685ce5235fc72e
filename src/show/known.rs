//! What of a value is known now, and what only after apply, as Terraform's JSON tells it.

use serde_json::{Map, Value, json};

use super::value::{self, Shape};

/// Whether a whole value is known only after apply.
pub(super) fn is_unknown(unknown: &Value) -> bool {
    *unknown == json!(true)
}

/// A value without what is known only after apply, and the places of that: `true` where
/// a value is unknown, within maps and lists of the same shape.
pub(super) fn split(value: &Value) -> (Value, Value) {
    match value::shape(value) {
        Shape::Plain(_) | Shape::Text(_) => (value.clone(), json!(false)),
        Shape::Later(_) => (Value::Null, json!(true)),
        Shape::Link(_) if value::is_later(value) => (Value::Null, json!(true)),
        Shape::Link(id) => (json!(id), json!(false)),
        Shape::List(items) => {
            let (known, unknown): (Vec<_>, Vec<_>) = items.iter().map(split).unzip();
            (Value::Array(known), Value::Array(unknown))
        }
        Shape::Map(map) => {
            let (mut known, mut unknown) = (Map::new(), Map::new());
            for (key, value) in map {
                let (here, later) = split(value);
                if later == json!(true) {
                    unknown.insert(key.clone(), later);
                    continue;
                }
                if value::is_later(value) {
                    unknown.insert(key.clone(), later);
                }
                known.insert(key.clone(), here);
            }
            (Value::Object(known), Value::Object(unknown))
        }
    }
}
