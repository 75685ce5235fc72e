//! JSON in both directions.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::model::{Encoder, Piece};

use super::convert::{self, TextBuilder};
use super::decimal;
use super::value::{Data, Value};

impl Value {
    /// As JSON, for outputs and tools. Texts that apply completes are null, and so is what is
    /// unknown; a block is its exports. Sensitive values are written out: the caller decides.
    pub fn to_json(&self) -> Json {
        match &self.data {
            Data::Unknown(_) | Data::Null => Json::Null,
            Data::Bool(truth) => Json::Bool(*truth),
            Data::Number(number) => number_json(*number),
            Data::String(text) => Json::String(text.clone()),
            Data::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(map) | Data::Object(map) => {
                Json::Object(map.iter().map(|(key, item)| (key.clone(), item.to_json())).collect())
            }
            Data::Block(block) => {
                let exports = block.exports.iter();
                Json::Object(exports.map(|(key, item)| (key.clone(), item.to_json())).collect())
            }
        }
    }

    /// As people read it: `"text"`, `[1, 2]`, `(known after apply)`, `(sensitive)`.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        describe(self, &mut out);
        out
    }
}

fn number_json(number: rust_decimal::Decimal) -> Json {
    use rust_decimal::prelude::ToPrimitive as _;
    let whole = number.is_integer();
    if let Some(small) = number.to_i64().filter(|_| whole) {
        return Json::from(small);
    }
    if let Some(large) = number.to_u64().filter(|_| whole) {
        return Json::from(large);
    }
    number.to_f64().map_or(Json::Null, Json::from)
}

fn describe(value: &Value, out: &mut String) {
    if value.sensitive {
        out.push_str("(sensitive)");
        return;
    }
    match &value.data {
        Data::Unknown(_) => out.push_str("(known after apply)"),
        Data::Null => out.push_str("null"),
        Data::Bool(_) | Data::Number(_) => {
            out.push_str(&convert::text(value).unwrap_or_default());
        }
        Data::String(text) => out.push_str(&convert::quoted(text)),
        Data::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                describe(item, out);
            }
            out.push(']');
        }
        Data::Map(map) | Data::Object(map) => {
            out.push_str("{ ");
            for (place, (key, item)) in map.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{key} = ");
                describe(item, out);
            }
            out.push_str(" }");
        }
        Data::Block(block) => out.push_str(&block.address.to_string()),
    }
}

/// `jsonencode`: keys sorted, `<`, `>` and `&` escaped, as Terraform writes it. Ids that apply
/// fills in stand inside their strings.
pub(crate) fn encode(value: &Value) -> Result<Value, String> {
    let mut out = TextBuilder::default();
    encode_into(value, &mut out)?;
    Ok(out.finish())
}

fn encode_into(value: &Value, out: &mut TextBuilder) -> Result<(), String> {
    out.sensitive |= value.sensitive;
    match &value.data {
        Data::Unknown(unknown) if unknown.pieces.is_empty() => out.unknown = true,
        Data::Unknown(unknown) => {
            out.push("\"");
            for piece in &unknown.pieces {
                match piece {
                    Piece::Plain(text) => {
                        let quoted = string(text);
                        out.push(quoted.get(1..quoted.len() - 1).unwrap_or_default());
                    }
                    Piece::Id(_) | Piece::Encoded(..) => {
                        out.push_piece(Piece::Encoded(Encoder::Json, vec![piece.clone()]));
                    }
                }
            }
            out.push("\"");
        }
        Data::Null => out.push("null"),
        Data::Bool(_) | Data::Number(_) => {
            out.push(&convert::text(value).unwrap_or_default());
        }
        Data::String(text) => out.push(&string(text)),
        Data::List(items) => {
            out.push("[");
            for (place, item) in items.iter().enumerate() {
                out.push(if place > 0 { "," } else { "" });
                encode_into(item, out)?;
            }
            out.push("]");
        }
        Data::Map(map) | Data::Object(map) => {
            out.push("{");
            for (place, (key, item)) in map.iter().enumerate() {
                out.push(if place > 0 { "," } else { "" });
                out.push(&string(key));
                out.push(":");
                encode_into(item, out)?;
            }
            out.push("}");
        }
        Data::Block(block) => {
            return Err(format!(
                "{} is a block; use one of its attributes, such as its name or id",
                block.address
            ));
        }
    }
    Ok(())
}

fn string(text: &str) -> String {
    let plain = Json::String(text.to_owned()).to_string();
    plain
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// `jsondecode`
pub(crate) fn decode(text: &str) -> Result<Value, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        format!("is not JSON: line {}, column {}", error.line(), error.column())
    })?;
    let value = from_json(&json)?;
    if value.depth() > super::limits::DEPTH {
        return Err("is nested too deeply".to_owned());
    }
    Ok(value)
}

/// A JSON value as the language sees it.
pub fn from_json(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::null(),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match decimal::number(&number.to_string()) {
            Some(number) => Value::from(number),
            None => return Err(format!("the number {number} cannot be kept exactly")),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            Value::from(items.iter().map(from_json).collect::<Result<Vec<_>, _>>()?)
        }
        Json::Object(map) => {
            let entry = |(key, item): (&String, &Json)| Ok((key.clone(), from_json(item)?));
            Data::Object(map.iter().map(entry).collect::<Result<_, String>>()?).into()
        }
    })
}
