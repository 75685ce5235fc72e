//! What an expression evaluates to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::model::{Address, Piece, Span, Text};

use super::decimal::number_text;

/// A value, with what is known about it beside its content.
#[derive(Clone)]
pub struct Value {
    /// The content.
    pub data: Data,
    /// Must not be shown. Held by every part that came from something sensitive.
    pub sensitive: bool,
    /// The expression that it came from.
    pub origin: Option<Span>,
}

/// The content of a value.
#[derive(Clone, Debug)]
pub enum Data {
    /// Not known before apply, or not at all.
    Unknown(Unknown),
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An exact decimal.
    Number(Decimal),
    /// Text.
    String(String),
    /// A list, tuple or set; sets are sorted and without doubles.
    List(Vec<Value>),
    /// Values of one type by name.
    Map(BTreeMap<String, Value>),
    /// Attributes of any types.
    Object(BTreeMap<String, Value>),
    /// A reference to a block.
    Block(Arc<BlockValue>),
}

/// What is known about a value that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Unknown {
    /// Empty: nothing is known, not even the type (a variable without value under
    /// `validate`). Otherwise a text of literals and ids that apply fills in.
    pub pieces: Vec<Piece>,
}

/// A block as other expressions see it.
#[derive(Clone, Debug)]
pub struct BlockValue {
    /// Where it stands.
    pub address: Address,
    /// The word that opens it.
    pub word: &'static str,
    /// What can be read from it.
    pub exports: BTreeMap<String, Value>,
    /// It was looked up: its address says how it is called here, and nothing is declared there.
    pub found: bool,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sensitive { f.write_str("(sensitive)") } else { self.data.fmt(f) }
    }
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Self { data, sensitive: false, origin: None }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Data::String(text.to_owned()).into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Data::String(text).into()
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Data::Bool(truth).into()
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Data::Number(number).into()
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Data::Number(Decimal::from(number)).into()
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Data::List(items).into()
    }
}

impl Value {
    /// `null`
    pub fn null() -> Self {
        Data::Null.into()
    }

    /// A value of which nothing is known.
    pub fn unknown() -> Self {
        Data::Unknown(Unknown::default()).into()
    }

    /// A text of literals and ids; plain text when it holds no id.
    pub fn pieces(pieces: Vec<Piece>) -> Self {
        match plain(&pieces) {
            Some(text) => text.into(),
            None => Data::Unknown(Unknown { pieces }).into(),
        }
    }

    /// The id of what stands at an address, known after apply.
    pub fn id_of(address: Address) -> Self {
        Data::Unknown(Unknown { pieces: vec![Piece::Id(address)] }).into()
    }

    /// The same value, marked sensitive when `also` says so.
    #[must_use]
    pub fn marked(mut self, also: bool) -> Self {
        self.sensitive |= also;
        self
    }

    /// The same value with its place.
    #[must_use]
    pub fn from_span(mut self, span: Span) -> Self {
        self.origin = Some(span);
        self
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// True when nothing is known of it.
    pub fn is_wholly_unknown(&self) -> bool {
        matches!(&self.data, Data::Unknown(unknown) if unknown.pieces.is_empty())
    }

    /// True when it is a text that apply completes.
    pub fn is_deferred(&self) -> bool {
        matches!(&self.data, Data::Unknown(unknown) if !unknown.pieces.is_empty())
    }

    /// Known text.
    pub fn as_str(&self) -> Option<&str> {
        if let Data::String(text) = &self.data { Some(text) } else { None }
    }

    /// A truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Data::Bool(truth) = self.data { Some(truth) } else { None }
    }

    /// A number.
    pub fn as_number(&self) -> Option<Decimal> {
        if let Data::Number(number) = self.data { Some(number) } else { None }
    }

    /// A whole number from 0.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().filter(Decimal::is_integer).and_then(|number| number.to_u64())
    }

    /// The elements of a list or set.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Data::List(items) = &self.data { Some(items) } else { None }
    }

    /// The entries of a map or object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        if let Data::Map(map) | Data::Object(map) = &self.data { Some(map) } else { None }
    }

    /// One attribute of an object or entry of a map; none when absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name).filter(|value| !value.is_null())
    }

    /// The block that it refers to.
    pub fn block(&self) -> Option<&Arc<BlockValue>> {
        if let Data::Block(block) = &self.data { Some(block) } else { None }
    }

    /// The address of the block that it refers to.
    pub fn address(&self) -> Option<&Address> {
        self.block().filter(|block| !block.found).map(|block| &block.address)
    }

    /// A text, known or completed by apply.
    pub fn text(&self) -> Option<Text> {
        if let Data::Unknown(unknown) = &self.data {
            let pieces = &unknown.pieces;
            return (!pieces.is_empty()).then(|| Text::Deferred(pieces.clone()));
        }
        self.as_str().map(Text::from)
    }

    /// True when it or anything in it is sensitive.
    pub fn holds_sensitive(&self) -> bool {
        self.any(&|value| value.sensitive)
    }

    /// True when it or anything in it is wholly unknown.
    pub fn holds_unknown(&self) -> bool {
        self.any(&Self::is_wholly_unknown)
    }

    /// True when `test` holds for it or anything in it.
    pub fn any(&self, test: &dyn Fn(&Value) -> bool) -> bool {
        if test(self) {
            return true;
        }
        match &self.data {
            Data::List(items) => items.iter().any(|item| item.any(test)),
            Data::Map(map) | Data::Object(map) => map.values().any(|item| item.any(test)),
            Data::Unknown(_)
            | Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::Block(_) => false,
        }
    }

    /// How deeply lists and objects are nested in it.
    pub fn depth(&self) -> usize {
        let inner = match &self.data {
            Data::List(items) => items.iter().map(Self::depth).max(),
            Data::Map(map) | Data::Object(map) => map.values().map(Self::depth).max(),
            Data::Unknown(_)
            | Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::Block(_) => return 0,
        };
        1 + inner.unwrap_or(0)
    }

    /// The kind of value, as problems name it: `a string`, `a list`.
    pub fn kind(&self) -> String {
        match &self.data {
            Data::Unknown(unknown) if unknown.pieces.is_empty() => "an unknown value".to_owned(),
            Data::Unknown(_) => "a text known only after apply".to_owned(),
            Data::Null => "null".to_owned(),
            Data::Bool(_) => "a bool".to_owned(),
            Data::Number(_) => "a number".to_owned(),
            Data::String(_) => "a string".to_owned(),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a map".to_owned(),
            Data::Object(_) => "an object".to_owned(),
            Data::Block(block) => format!("the block {}", block.address),
        }
    }

    /// The kind with the content where that is short and may be shown: `the string "x"`.
    pub fn brief(&self) -> String {
        if self.sensitive {
            return format!("{} (sensitive)", self.kind());
        }
        match &self.data {
            Data::String(text) if text.chars().count() <= 60 => format!("the string {text:?}"),
            Data::Number(number) => format!("the number {}", number_text(*number)),
            Data::Bool(truth) => format!("the bool {truth}"),
            Data::String(_)
            | Data::Unknown(_)
            | Data::Null
            | Data::List(_)
            | Data::Map(_)
            | Data::Object(_)
            | Data::Block(_) => self.kind(),
        }
    }
}

/// The text of pieces that are all plain.
fn plain(pieces: &[Piece]) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Id(_) | Piece::Encoded(..) => return None,
        }
    }
    Some(out)
}
