//! What a spec refers to before and after the other object exists.
//!
//! A link is written to JSON as `{"$to": address}` or `{"$id": id}` and a deferred
//! text as `{"$text": […]}`. The rooms above find links by that shape, so that no
//! kind has to list them by hand and none can be forgotten.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Address;

/// A reference to another object: by address until it exists, by id from then on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link<T> {
    /// To what stands at an address of the same stack.
    To(Address),
    /// To an object that exists.
    Id(T),
}

impl<T> Link<T> {
    /// The id, once known.
    pub fn id(&self) -> Option<&T> {
        match self {
            Self::To(_) => None,
            Self::Id(id) => Some(id),
        }
    }
}

/// `{"key": value}`
fn one<S: Serializer, T: Serialize>(s: S, key: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

impl<T: Serialize> Serialize for Link<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(address) => one(s, "$to", address),
            Self::Id(id) => one(s, "$id", id),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Link<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            #[serde(rename = "$to")]
            to: Option<Address>,
            #[serde(rename = "$id")]
            id: Option<Value>,
        }
        let shape = Shape::deserialize(d)?;
        match (shape.to, shape.id) {
            (Some(to), None) => Ok(Self::To(to)),
            (None, Some(id)) => serde_json::from_value(id).map(Self::Id).map_err(D::Error::custom),
            (None, None) | (Some(_), Some(_)) => {
                Err(D::Error::custom("a link has exactly one of $to and $id"))
            }
        }
    }
}

/// How a piece of text is written into what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// As it is.
    Raw,
    /// As the inside of a JSON string.
    Json,
    /// As base64 of the whole.
    Base64,
    /// As the SHA-256 of the whole, in hexadecimal.
    Sha256,
}

/// A piece of a text of which a part is known only after apply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Known characters.
    Plain(String),
    /// The id of what stands at an address.
    Id(Address),
    /// Pieces that are encoded as a whole once they are known.
    Encoded(Encoder, Vec<Piece>),
}

/// A text in a spec: known, or filled in by apply with ids that earlier steps returned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// All of it is known.
    Known(String),
    /// Some of it is an id that does not exist yet.
    Deferred(Vec<Piece>),
}

impl Text {
    /// The text, once known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Deferred(_) => None,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Known(text.to_owned())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(text) => s.serialize_str(text),
            Self::Deferred(pieces) => one(s, "$text", pieces),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::String(text) => Ok(Self::Known(text)),
            Value::Object(mut map) => {
                let pieces = map.remove("$text").ok_or_else(|| D::Error::missing_field("$text"))?;
                serde_json::from_value(pieces).map(Self::Deferred).map_err(D::Error::custom)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err(D::Error::custom("a text is a string or {\"$text\": […]}"))
            }
        }
    }
}
