//! The elements of lists: of one type, each once, in order.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::super::convert;
use super::super::decimal::number_text;
use super::super::value::{Data, Value};
use super::{Call, Fail, bad};

/// The elements of a list, all of one type.
pub(super) fn unified(call: &Call<'_>, place: usize) -> Result<Vec<Value>, Fail> {
    match convert::one_type(call.list(place)?.to_vec()) {
        Some(items) => Ok(items),
        None => bad(place, "the elements have no common type"),
    }
}

/// Text that is equal exactly when values are; two deferred texts are taken for different
/// unless they are made of the same ids.
pub(super) fn fingerprint(value: &Value) -> String {
    match &value.data {
        Data::Number(number) => format!("n{}", number_text(*number)),
        Data::String(text) => format!("s{text:?}"),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(fingerprint).collect();
            format!("[{}]", items.join(","))
        }
        Data::Map(map) | Data::Object(map) => {
            let items: Vec<String> =
                map.iter().map(|(key, item)| format!("{key:?}={}", fingerprint(item))).collect();
            format!("{{{}}}", items.join(","))
        }
        Data::Block(block) => format!("b{}", block.address),
        Data::Null => "0".to_owned(),
        Data::Bool(truth) => format!("t{truth}"),
        Data::Unknown(unknown) => format!("u{:?}", unknown.pieces),
    }
}

/// The first of each, in order.
pub(super) fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    items.into_iter().filter(|item| seen.insert(fingerprint(item))).collect()
}

/// Numbers by size, texts by alphabet, others as they stand.
pub(super) fn sorted(mut items: Vec<Value>) -> Vec<Value> {
    items.sort_by(|a, b| {
        if let (Data::Number(left), Data::Number(right)) = (&a.data, &b.data) {
            return left.cmp(right);
        }
        if let (Data::Bool(left), Data::Bool(right)) = (&a.data, &b.data) {
            return left.cmp(right);
        }
        match (a.as_str(), b.as_str()) {
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_) | None, Some(_) | None) => Ordering::Equal,
        }
    });
    items
}
