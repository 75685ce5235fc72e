//! Values against the types of a schema.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;

use crate::model::{Address, Problem, Span};

use super::convert::{self, Primitive};
use super::schema::{Attribute, Type};
use super::value::{Data, Value};
use super::{codes, nearest, units};

/// Why a value does not fit its place.
pub(crate) struct Wrong {
    code: &'static str,
    /// What is wrong, for the label.
    text: String,
    help: String,
    /// The part of the value that is wrong, when it is not the whole.
    span: Option<Span>,
    /// Where in the value, from the attribute on.
    path: String,
}

impl Wrong {
    fn new(code: &'static str, value: &Value, text: String) -> Self {
        // The line that a sensitive value was written on would show it.
        let span = value.origin.clone().filter(|_| !value.sensitive);
        Self { code, text, help: String::new(), span, path: String::new() }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    fn inside(mut self, step: &str) -> Self {
        self.path = format!("{step}{}", self.path);
        self
    }

    /// The problem, for an attribute at a place.
    pub(crate) fn problem(self, attribute: &str, span: &Span) -> Problem {
        let path = format!("{attribute}{}", self.path);
        let summary = match self.code {
            codes::TYPE => format!("{path} has the wrong type"),
            codes::CHOICE => format!("{path} has a value that it cannot have"),
            codes::REFERENCE_KIND => format!("{path} refers to another kind of block"),
            codes::DEFERRED => format!("{path} is known only after apply"),
            codes::MISSING => format!("{path} is incomplete"),
            _ => format!("{path} does not fit"),
        };
        // A value that came out of a local or variable has its place there; the attribute is
        // where it does not fit, so both are shown.
        let problem = match self.span.filter(|inner| inner != span) {
            Some(inner) if inner.source == span.source && within(&inner, span) => {
                Problem::error(self.code, summary).at(&inner, self.text)
            }
            Some(inner) => {
                Problem::error(self.code, summary).at(span, self.text).at(&inner, "written here")
            }
            None => Problem::error(self.code, summary).at(span, self.text),
        };
        problem.help(self.help)
    }
}

fn within(inner: &Span, outer: &Span) -> bool {
    inner.range.start >= outer.range.start && inner.range.end <= outer.range.end
}

impl Type {
    /// What it takes, as problems say it: `a whole number`.
    pub fn phrase(&self) -> String {
        match self {
            Self::String => "a string".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Duration => "an amount of time such as \"10m\"".to_owned(),
            Self::Size => "an amount of storage such as \"200GiB\"".to_owned(),
            Self::Reference(word) => format!("a {word} block"),
            Self::OneOf(choices) => one_of(choices),
            Self::List(inner) => format!("a list, each element {}", inner.phrase()),
            Self::Map(inner) => format!("a map, each value {}", inner.phrase()),
            Self::Either(types) => {
                let all: Vec<String> = types.iter().map(Self::phrase).collect();
                all.join(" or ")
            }
            Self::Object(attributes) => {
                let names: Vec<&str> = attributes.iter().map(|a| a.name).collect();
                format!("an object {{ {} }}", names.join(", "))
            }
            Self::Address => "an address such as bucket.a".to_owned(),
            Self::TypeExpression => "a type such as list(string)".to_owned(),
            Self::Any => "anything".to_owned(),
        }
    }
}

fn one_of(choices: &[&str]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

/// Checks a value against a type and converts it as Terraform would. Null and what is wholly
/// unknown fit everywhere.
pub(crate) fn conform(value: Value, ty: &Type) -> Result<Value, Wrong> {
    if value.is_null() || value.is_wholly_unknown() {
        return Ok(value);
    }
    match ty {
        // The last two are read as they are written.
        Type::Any | Type::TypeExpression | Type::Address => Ok(value),
        Type::String => primitive(&value, Primitive::String, ty),
        Type::Number => primitive(&value, Primitive::Number, ty),
        Type::Bool => primitive(&value, Primitive::Bool, ty),
        Type::Integer => {
            let value = primitive(&value, Primitive::Number, ty)?;
            let whole = value.as_number().is_some_and(|n| n.is_integer() && n.to_i64().is_some());
            if whole { Ok(value) } else { Err(found(&value, ty)) }
        }
        Type::Duration => unit(value, ty, units::duration),
        Type::Size => unit(value, ty, units::size),
        Type::OneOf(choices) => choice(&value, choices, ty),
        Type::Reference(word) => reference(value, word, ty),
        Type::List(inner) => list(value, inner, ty),
        Type::Map(inner) => map(value, inner, ty),
        Type::Object(attributes) => object(value, attributes, ty),
        Type::Either(types) => either(&value, types, ty),
    }
}

fn found(value: &Value, ty: &Type) -> Wrong {
    let text = format!("expected {}, found {}", ty.phrase(), value.brief());
    let wrong = Wrong::new(codes::TYPE, value, text);
    match &value.data {
        Data::Block(block) => match block.exports.keys().next() {
            Some(first) => {
                wrong.help(format!("use one of its attributes, such as {}.{first}", block.address))
            }
            None => wrong,
        },
        Data::Unknown(_)
        | Data::Null
        | Data::Bool(_)
        | Data::Number(_)
        | Data::String(_)
        | Data::List(_)
        | Data::Map(_)
        | Data::Object(_) => wrong,
    }
}

fn deferred(value: &Value) -> Wrong {
    let text = "holds an id that the cloud has yet to give".to_owned();
    Wrong::new(codes::DEFERRED, value, text)
        .help("use a name, an ARN or a variable instead; these are known when planning")
}

fn primitive(value: &Value, want: Primitive, ty: &Type) -> Result<Value, Wrong> {
    match convert::to_primitive(value, want) {
        Some(value) => Ok(value),
        None if value.is_deferred() => Err(deferred(value)),
        None => Err(found(value, ty)),
    }
}

fn unit(value: Value, ty: &Type, read: fn(&str) -> Result<u64, String>) -> Result<Value, Wrong> {
    if value.is_deferred() {
        return Err(deferred(&value));
    }
    let Some(text) = value.as_str() else {
        return Err(found(&value, ty));
    };
    match read(text) {
        Ok(_) => Ok(value),
        Err(_) if value.sensitive => Err(found(&value, ty)),
        Err(text) => Err(Wrong::new(codes::TYPE, &value, text)),
    }
}

fn choice(value: &Value, choices: &[&str], ty: &Type) -> Result<Value, Wrong> {
    let value = primitive(value, Primitive::String, ty)?;
    let text = match value.as_str() {
        Some(text) => text,
        None => return Err(deferred(&value)),
    };
    if choices.contains(&text) {
        return Ok(value);
    }
    let said = format!("expected {}, found {}", one_of(choices), value.brief());
    let near = nearest::nearest(text, choices.iter().copied()).filter(|_| !value.sensitive);
    let help = near.map(|near| format!("did you mean {near:?}?")).unwrap_or_default();
    Err(Wrong::new(codes::CHOICE, &value, said).help(help))
}

fn reference(value: Value, word: &str, ty: &Type) -> Result<Value, Wrong> {
    match &value.data {
        Data::Block(block) if block.word == word => Ok(value),
        Data::Block(block) => {
            let text = format!("expected a {word} block, found {}", block.address);
            Err(Wrong::new(codes::REFERENCE_KIND, &value, text))
        }
        Data::String(_) | Data::Unknown(_) => Err(found(&value, ty)
            .help(format!("write the block itself, without quotes or attribute: {word}.name"))),
        Data::List(items) => Err(one_of_them(&value, items.first(), word, ty)),
        Data::Map(items) => Err(one_of_them(&value, items.values().next(), word, ty)),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Object(_) => {
            Err(found(&value, ty).help(format!("write {word}.name")))
        }
    }
}

/// A repeated block where one block stands.
fn one_of_them(value: &Value, first: Option<&Value>, word: &str, ty: &Type) -> Wrong {
    let wrong = found(value, ty);
    match first.and_then(Value::address).filter(|address| address.key.is_some()) {
        Some(address) => wrong.help(format!("it is repeated: name one, such as {address}")),
        None => wrong.help(format!("write {word}.name")),
    }
}

fn list(value: Value, inner: &Type, ty: &Type) -> Result<Value, Wrong> {
    let Data::List(items) = value.data else {
        let wrong = found(&value, ty);
        if let Some(address) = value.as_map().and_then(|map| map.values().next()?.address()) {
            let whole = Address { key: None, ..address.clone() };
            return Err(wrong.help(format!("for all of its instances write values({whole})")));
        }
        let single = convert::text(&value).is_some() || value.block().is_some();
        return Err(if single { wrong.help("a list of one is written [value]") } else { wrong });
    };
    // What is said of an element must not show what the whole may not.
    let hidden = value.sensitive;
    let one = |(place, item): (usize, Value)| {
        let item = item.marked(hidden);
        if item.is_null() {
            return Err(found(&item, inner).inside(&format!("[{place}]")));
        }
        conform(item, inner).map_err(|wrong| wrong.inside(&format!("[{place}]")))
    };
    let items = items.into_iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(Value { data: Data::List(items), ..value })
}

fn map(value: Value, inner: &Type, ty: &Type) -> Result<Value, Wrong> {
    let (Data::Map(entries) | Data::Object(entries)) = value.data else {
        return Err(found(&value, ty));
    };
    let hidden = value.sensitive;
    let one = |(name, item): (String, Value)| {
        let step = if hidden { "[…]".to_owned() } else { format!("[{name:?}]") };
        let item = item.marked(hidden);
        let item = conform(item, inner).map_err(|wrong| wrong.inside(&step))?;
        Ok((name, item))
    };
    let entries = entries.into_iter().map(one).collect::<Result<_, _>>()?;
    Ok(Value { data: Data::Map(entries), ..value })
}

fn object(value: Value, attributes: &[Attribute], ty: &Type) -> Result<Value, Wrong> {
    let (Data::Map(mut given) | Data::Object(mut given)) = value.data else {
        return Err(found(&value, ty));
    };
    let whole = Value { data: Data::Null, ..value };
    let mut out = BTreeMap::new();
    for attribute in attributes {
        let item = given.remove(attribute.name).filter(|item| !item.is_null());
        let Some(item) = item else {
            if attribute.required {
                let text = format!("{:?} is required", attribute.name);
                return Err(Wrong::new(codes::MISSING, &whole, text).help(attribute.doc));
            }
            continue;
        };
        let step = format!(".{}", attribute.name);
        let item = item.marked(whole.sensitive);
        let item = conform(item, &attribute.ty).map_err(|wrong| wrong.inside(&step))?;
        out.insert(attribute.name.to_owned(), item);
    }
    if let Some((name, item)) = given.pop_first() {
        let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
        let text = if whole.sensitive {
            "an unknown attribute".to_owned()
        } else {
            format!("unknown attribute {name:?}")
        };
        let place = if item.origin.is_some() { &item } else { &whole };
        let help = nearest::help(&name, "known attributes", &names);
        return Err(Wrong::new(codes::UNKNOWN_ATTRIBUTE, place, text).help(help));
    }
    Ok(Value { data: Data::Object(out), ..whole })
}

/// True when a value already is of the kind that a type takes.
fn is_kind(value: &Value, ty: &Type) -> bool {
    match &value.data {
        Data::String(_) => {
            matches!(ty, Type::String | Type::OneOf(_) | Type::Duration | Type::Size)
        }
        Data::Unknown(_) => matches!(ty, Type::String),
        Data::Number(_) => matches!(ty, Type::Number | Type::Integer),
        Data::Bool(_) => matches!(ty, Type::Bool),
        Data::List(_) => matches!(ty, Type::List(_)),
        Data::Map(_) | Data::Object(_) => matches!(ty, Type::Map(_) | Type::Object(_)),
        Data::Block(block) => matches!(ty, Type::Reference(word) if *word == block.word),
        Data::Null => true,
    }
}

fn either(value: &Value, types: &[Type], ty: &Type) -> Result<Value, Wrong> {
    let of_kind: Vec<&Type> = types.iter().filter(|ty| is_kind(value, ty)).collect();
    let mut first = None;
    for ty in &of_kind {
        match conform(value.clone(), ty) {
            Ok(value) => return Ok(value),
            Err(wrong) => first = first.or(Some(wrong)),
        }
    }
    // When one shape is meant, what is wrong inside it says more than the list of shapes.
    if let (Some(wrong), [_]) = (first, of_kind.as_slice()) {
        return Err(wrong);
    }
    for ty in types {
        if let Ok(value) = conform(value.clone(), ty) {
            return Ok(value);
        }
    }
    let scalar = |ty: &Type| matches!(ty, Type::Number | Type::Integer | Type::Bool);
    if value.is_deferred() && types.iter().any(scalar) {
        return Err(deferred(value));
    }
    Err(found(value, ty))
}
