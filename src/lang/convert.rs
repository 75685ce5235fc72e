//! Terraform's conversions between text, numbers and truth values, and equality.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::Piece;

use super::decimal::{number, number_text};
use super::value::{Data, Value};

/// The text of a primitive value; `None` for lists, objects, null and what is not known.
pub fn text(value: &Value) -> Option<String> {
    match &value.data {
        Data::String(text) => Some(text.clone()),
        Data::Number(number) => Some(number_text(*number)),
        Data::Bool(truth) => Some(truth.to_string()),
        Data::Unknown(_)
        | Data::Null
        | Data::List(_)
        | Data::Map(_)
        | Data::Object(_)
        | Data::Block(_) => None,
    }
}

/// The primitive types that convert into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    String,
    Number,
    Bool,
}

impl Primitive {
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a bool",
        }
    }
}

/// Converts as operators and arguments do: `"2"` is a number where one is needed,
/// 2 is text where text is needed. Unknown and null stay what they are; a deferred text
/// cannot become a number or bool.
pub(crate) fn to_primitive(value: &Value, want: Primitive) -> Option<Value> {
    let data = match (want, &value.data) {
        (_, Data::Unknown(unknown)) => {
            if want != Primitive::String && !unknown.pieces.is_empty() {
                return None;
            }
            value.data.clone()
        }
        (_, Data::Null) => Data::Null,
        (Primitive::String, _) => Data::String(text(value)?),
        (Primitive::Number, Data::Number(number)) => Data::Number(*number),
        (Primitive::Number, Data::String(text)) => Data::Number(number(text)?),
        (Primitive::Bool, Data::Bool(truth)) => Data::Bool(*truth),
        (Primitive::Bool, Data::String(text)) => match text.as_str() {
            "true" | "1" => Data::Bool(true),
            "false" | "0" => Data::Bool(false),
            _ => return None,
        },
        (
            Primitive::Number | Primitive::Bool,
            Data::Bool(_)
            | Data::Number(_)
            | Data::List(_)
            | Data::Map(_)
            | Data::Object(_)
            | Data::Block(_),
        ) => return None,
    };
    Some(Value { data, sensitive: value.sensitive, origin: value.origin.clone() })
}

/// `==`: same type and content; `None` when one side is not known.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    Some(match (&a.data, &b.data) {
        (Data::Unknown(left), Data::Unknown(right)) if left == right && !left.pieces.is_empty() => {
            true
        }
        // A deferred text is never null, so `x == null` is known.
        (Data::Unknown(text), Data::Null) | (Data::Null, Data::Unknown(text))
            if !text.pieces.is_empty() =>
        {
            false
        }
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => return None,
        (Data::Null, Data::Null) => true,
        (Data::Bool(left), Data::Bool(right)) => left == right,
        (Data::Number(left), Data::Number(right)) => left == right,
        (Data::String(left), Data::String(right)) => left == right,
        (Data::List(left), Data::List(right)) => {
            return all_equal(left.len() == right.len(), left.iter().zip(right));
        }
        (Data::Map(left) | Data::Object(left), Data::Map(right) | Data::Object(right)) => {
            return all_equal(left.keys().eq(right.keys()), left.values().zip(right.values()));
        }
        (Data::Block(left), Data::Block(right)) => left.address == right.address,
        (
            Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::List(_)
            | Data::Map(_)
            | Data::Object(_)
            | Data::Block(_),
            _,
        ) => false,
    })
}

fn all_equal<'v>(shape: bool, pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut known = true;
    for (left, right) in pairs {
        match equal(left, right) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    if !shape { Some(false) } else { known.then_some(true) }
}

/// Gives two results of a condition one type, as Terraform does: 1 and `"a"` become texts.
/// `None` when they have none in common.
pub(crate) fn unify(a: &Value, b: &Value) -> Option<(Value, Value)> {
    let keep = || Some((a.clone(), b.clone()));
    match (&a.data, &b.data) {
        (Data::Unknown(unknown), _) if unknown.pieces.is_empty() => keep(),
        (_, Data::Unknown(unknown)) if unknown.pieces.is_empty() => keep(),
        (Data::Null, _) | (_, Data::Null) => keep(),
        (Data::Bool(_), Data::Bool(_))
        | (Data::Number(_), Data::Number(_))
        | (Data::Block(_), Data::Block(_)) => keep(),
        (Data::String(_) | Data::Unknown(_), _) | (_, Data::String(_) | Data::Unknown(_)) => {
            Some((to_primitive(a, Primitive::String)?, to_primitive(b, Primitive::String)?))
        }
        (Data::List(left), Data::List(right)) => {
            if left.len() != right.len() {
                let Some(mut all) = one_type(left.iter().chain(right).cloned().collect()) else {
                    return keep();
                };
                let rest = all.split_off(left.len());
                return Some((with(a, Data::List(all)), with(b, Data::List(rest))));
            }
            let pairs = left.iter().zip(right).map(|(l, r)| unify(l, r));
            let (left, right): (Vec<_>, Vec<_>) =
                pairs.collect::<Option<Vec<_>>>()?.into_iter().unzip();
            Some((with(a, Data::List(left)), with(b, Data::List(right))))
        }
        (Data::Map(left) | Data::Object(left), Data::Map(right) | Data::Object(right)) => {
            if left.keys().eq(right.keys()) {
                let pairs = left.values().zip(right.values()).map(|(l, r)| unify(l, r));
                let (first, second) = pairs.collect::<Option<Vec<_>>>()?.into_iter().unzip();
                return Some((entries(a, left, first), entries(b, right, second)));
            }
            let all = left.values().chain(right.values()).cloned().collect();
            let Some(mut all) = one_type(all) else {
                return keep();
            };
            let rest = all.split_off(left.len());
            Some((entries(a, left, all), entries(b, right, rest)))
        }
        (
            Data::Bool(_)
            | Data::Number(_)
            | Data::List(_)
            | Data::Map(_)
            | Data::Object(_)
            | Data::Block(_),
            _,
        ) => None,
    }
}

fn entries(value: &Value, keys: &BTreeMap<String, Value>, items: Vec<Value>) -> Value {
    let map = keys.keys().cloned().zip(items).collect();
    let data = if matches!(value.data, Data::Map(_)) { Data::Map(map) } else { Data::Object(map) };
    with(value, data)
}

fn with(value: &Value, data: Data) -> Value {
    Value { data, sensitive: value.sensitive, origin: value.origin.clone() }
}

/// Gives all elements of a list one type, as `tolist` and `tomap` do.
/// `None` when they have none in common.
pub(crate) fn one_type(items: Vec<Value>) -> Option<Vec<Value>> {
    let texts = items.iter().any(|item| matches!(item.data, Data::String(_)) || item.is_deferred());
    let kinds = |test: fn(&Data) -> bool| items.iter().any(|item| test(&item.data));
    let numbers = kinds(|data| matches!(data, Data::Number(_)));
    let bools = kinds(|data| matches!(data, Data::Bool(_)));
    let lists = kinds(|data| matches!(data, Data::List(_)));
    let maps = kinds(|data| matches!(data, Data::Map(_) | Data::Object(_)));
    let blocks = kinds(|data| matches!(data, Data::Block(_)));
    let groups = [texts || numbers || bools, lists, maps, blocks];
    if groups.iter().filter(|group| **group).count() > 1 || (!texts && numbers && bools) {
        return None;
    }
    if texts && (numbers || bools) {
        return items.iter().map(|item| to_primitive(item, Primitive::String)).collect();
    }
    Some(items)
}

/// Text in quotes with everything that a terminal might act on written out.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let _ = write!(out, "{text:?}");
    out
}

/// Puts a text together that may hold ids.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    pieces: Vec<Piece>,
    pub(crate) sensitive: bool,
    pub(crate) unknown: bool,
}

impl TextBuilder {
    pub(crate) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Plain(last)) => last.push_str(text),
            Some(Piece::Id(_) | Piece::Encoded(..)) | None => {
                self.pieces.push(Piece::Plain(text.to_owned()));
            }
        }
    }

    pub(crate) fn push_piece(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(text) => self.push(&text),
            Piece::Id(_) | Piece::Encoded(..) => self.pieces.push(piece),
        }
    }

    /// Adds a value as text; false when it has none.
    pub(crate) fn push_value(&mut self, value: &Value) -> bool {
        self.sensitive |= value.sensitive;
        match &value.data {
            Data::String(text) => self.push(text),
            Data::Unknown(unknown) if unknown.pieces.is_empty() => self.unknown = true,
            Data::Unknown(unknown) => {
                unknown.pieces.iter().for_each(|piece| self.push_piece(piece.clone()));
            }
            Data::Number(_) | Data::Bool(_) => match text(value) {
                Some(text) => self.push(&text),
                None => return false,
            },
            Data::Null | Data::List(_) | Data::Map(_) | Data::Object(_) | Data::Block(_) => {
                return false;
            }
        }
        true
    }

    pub(crate) fn finish(self) -> Value {
        let value = if self.unknown { Value::unknown() } else { Value::pieces(self.pieces) };
        value.marked(self.sensitive)
    }
}
