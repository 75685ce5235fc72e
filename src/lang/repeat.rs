//! `for_each` and `count`: which instances a block has.

use std::collections::BTreeMap;

use hcl_edit::structure::{Attribute, Block, Body};

use crate::model::{Problem, Span};

use super::body::{Problems, or_report};
use super::convert::{self, Primitive};
use super::eval::{Eval, deferred};
use super::value::{Data, Value};
use super::{codes, limits};

/// The instances of a block.
#[derive(Debug)]
pub(crate) enum Repeat {
    /// The block alone.
    Once,
    /// One for every entry: key and value.
    Each(BTreeMap<String, Value>),
    /// So many.
    Count(u32),
    /// How many is not known (under `validate`); the name that its body reads.
    Unknown(&'static str),
}

/// Reads the two attributes; none when they have a problem.
pub(crate) fn read(eval: &Eval<'_>, block: &Block, problems: &mut Problems) -> Option<Repeat> {
    match (find(&block.body, "for_each"), find(&block.body, "count")) {
        (None, None) => Some(Repeat::Once),
        (Some(each), Some(count)) => {
            problems.push(
                Problem::error(codes::REPEAT, "for_each and count stand in one block")
                    .at(&eval.span(&count.key), "count")
                    .at(&eval.span(&each.key), "for_each")
                    .help("keep one of them: for_each names its instances, count numbers them"),
            );
            None
        }
        (Some(each), None) => for_each(eval, each, problems),
        (None, Some(count)) => number(eval, count, problems),
    }
}

fn find<'b>(body: &'b Body, name: &str) -> Option<&'b Attribute> {
    body.get_attribute(name)
}

fn error(summary: impl Into<String>, span: &Span, label: impl Into<String>) -> Problem {
    Problem::error(codes::REPEAT, summary).at(span, label)
}

/// The problem of keys or a number that must not be shown.
fn sensitive(word: &str, span: &Span) -> Problem {
    let label = "made from something sensitive";
    error(format!("{word} would show a sensitive value"), span, label)
        .help("addresses show it; write nonsensitive(…) when it gives no secret away")
}

fn for_each(eval: &Eval<'_>, written: &Attribute, problems: &mut Problems) -> Option<Repeat> {
    let span = eval.span(&written.value);
    let value = or_report(eval.value(&written.value), problems)?;
    match entries(value, &span) {
        Ok(Some(entries)) => Some(Repeat::Each(entries)),
        Ok(None) => Some(Repeat::Unknown("each")),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

/// Keys and values; none when they are not known.
fn entries(value: Value, span: &Span) -> Result<Option<BTreeMap<String, Value>>, Box<Problem>> {
    const WANTED: &str = "for_each takes a map, an object or a set of texts";
    if value.is_wholly_unknown() {
        return Ok(None);
    }
    if value.is_deferred() {
        return Err(Box::new(deferred(span, "for_each")));
    }
    if value.sensitive {
        return Err(Box::new(sensitive("for_each", span)));
    }
    let kind = value.brief();
    let found = match value.data {
        Data::Map(map) | Data::Object(map) => map,
        Data::List(items) => match set(items, span)? {
            Some(map) => map,
            None => return Ok(None),
        },
        Data::Null
        | Data::Bool(_)
        | Data::Number(_)
        | Data::String(_)
        | Data::Block(_)
        | Data::Unknown(_) => {
            let help = "a set is written toset([\"a\", \"b\"]); for a number of equal instances \
                        use count";
            let problem = error(WANTED, span, format!("this is {kind}")).help(help);
            return Err(Box::new(problem));
        }
    };
    match found.keys().any(String::is_empty) {
        true => Err(Box::new(error("a key of for_each is empty", span, "holds the key \"\""))),
        false => Ok(Some(found)),
    }
}

/// A set as a map of its elements to themselves.
fn set(items: Vec<Value>, span: &Span) -> Result<Option<BTreeMap<String, Value>>, Box<Problem>> {
    let mut out = BTreeMap::new();
    for item in items {
        let place = item.origin.clone().filter(|inner| inner.source == span.source);
        let place = place.as_ref().unwrap_or(span);
        if item.holds_sensitive() {
            return Err(Box::new(sensitive("for_each", span)));
        }
        if item.is_wholly_unknown() {
            return Ok(None);
        }
        if item.is_deferred() {
            let help = "use a map with keys that are known now; its values may be known later";
            return Err(Box::new(deferred(place, "a key of for_each").help(help)));
        }
        let Some(key) = item.as_str().map(str::to_owned) else {
            let summary = "for_each over a set takes texts";
            let label = format!("one element is {}", item.brief());
            let help = "use a map, { for x in … : key => x }, or texts: [for x in … : tostring(x)]";
            return Err(Box::new(error(summary, place, label).help(help)));
        };
        if out.insert(key.clone(), item.clone()).is_some() {
            let summary = format!("for_each has the key {} twice", convert::quoted(&key));
            let help = "toset(…) keeps one of each";
            return Err(Box::new(error(summary, place, "again here").help(help)));
        }
    }
    Ok(Some(out))
}

fn number(eval: &Eval<'_>, written: &Attribute, problems: &mut Problems) -> Option<Repeat> {
    let span = eval.span(&written.value);
    let value = or_report(eval.value(&written.value), problems)?;
    if value.is_wholly_unknown() {
        return Some(Repeat::Unknown("count"));
    }
    if value.is_deferred() {
        problems.push(deferred(&span, "count"));
        return None;
    }
    if value.holds_sensitive() {
        problems.push(sensitive("count", &span));
        return None;
    }
    let number = convert::to_primitive(&value, Primitive::Number).as_ref().and_then(Value::as_u64);
    match number.and_then(|number| u32::try_from(number).ok()) {
        Some(number) if number <= limits::COUNT => Some(Repeat::Count(number)),
        Some(_) => {
            let summary = format!("count is larger than {}", limits::COUNT);
            problems.push(error(summary, &span, format!("this is {}", value.brief())));
            None
        }
        None => {
            let label = format!("this is {}", value.brief());
            problems.push(
                error("count takes a whole number from 0", &span, label)
                    .help("for one instance per entry of a map or set use for_each"),
            );
            None
        }
    }
}

/// What `each` means for one entry.
pub(crate) fn each(key: &str, value: Value) -> Value {
    let entries = [("key".to_owned(), Value::from(key)), ("value".to_owned(), value)];
    Data::Object(BTreeMap::from(entries)).into()
}

/// What `count` means for one number.
pub(crate) fn count(index: u32) -> Value {
    let index = Value::from(usize::try_from(index).unwrap_or(usize::MAX));
    Data::Object(BTreeMap::from([("index".to_owned(), index)])).into()
}

/// What `each` or `count` means while nothing is known of it.
pub(crate) fn unknown(word: &str) -> Value {
    match word {
        "each" => {
            let entry = |name: &str| (name.to_owned(), Value::unknown());
            Data::Object(BTreeMap::from([entry("key"), entry("value")])).into()
        }
        _ => Data::Object(BTreeMap::from([("index".to_owned(), Value::unknown())])).into(),
    }
}
