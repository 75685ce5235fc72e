//! One form for JSON documents, so that policies compare by meaning.

use serde_json::{Map, Value};

/// The document with its keys sorted and without blanks; none when it is no JSON.
/// The order of lists is kept, and a list of one item stays a list: AWS returns both
/// as they were sent.
pub fn canonical_json(text: &str) -> Option<String> {
    serde_json::from_str(text).ok().map(canonical)
}

/// The same form, of a document that is built here.
pub fn canonical(value: Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().map(|(k, v)| (k, sorted(v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_blanks_do_not_count() {
        let one = r#"{ "b": [ {"y":1, "x":"s"} ], "a": null }"#;
        assert_eq!(canonical_json(one).as_deref(), Some(r#"{"a":null,"b":[{"x":"s","y":1}]}"#));
        assert_eq!(canonical_json("{"), None);
    }
}
