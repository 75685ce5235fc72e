//! The functions of the language: one table entry each, used by the evaluator and the documents.

mod collections;
mod elements;
mod encoding;
mod files;
mod format;
mod network;
mod numbers;
mod sets;
mod text;
mod types;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::model::Span;

use super::convert::{self, Primitive};
use super::eval::{Eval, Stop};
use super::value::{Data, Value};

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, as documents show them.
    pub parameters: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Fewest arguments.
    pub min: usize,
    /// Most arguments; none for any number.
    pub max: Option<usize>,
    pub(crate) run: Run,
}

type Run = fn(&Call<'_>) -> Outcome;
pub(crate) type Outcome = Result<Value, Fail>;

impl Function {
    const fn new(
        name: &'static str,
        parameters: &'static str,
        doc: &'static str,
        count: (usize, usize),
        run: Run,
    ) -> Self {
        let max = if count.1 == MANY { None } else { Some(count.1) };
        Self { name, parameters, doc, min: count.0, max, run }
    }
}

const MANY: usize = usize::MAX;

/// One call while it runs.
pub(crate) struct Call<'c> {
    pub(crate) args: &'c [Cow<'c, Value>],
    pub(crate) eval: &'c Eval<'c>,
    pub(crate) span: &'c Span,
}

/// Why a function has no result.
#[derive(Debug)]
pub(crate) enum Fail {
    Bad(Bad),
    Stop(Stop),
}

/// An argument that does not fit.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) arg: Option<usize>,
    pub(crate) text: String,
    pub(crate) help: String,
    pub(crate) deferred: bool,
}

pub(crate) fn bad<T>(arg: usize, text: impl Into<String>) -> Result<T, Fail> {
    Err(Fail::Bad(Bad { arg: Some(arg), text: text.into(), help: String::new(), deferred: false }))
}

pub(crate) fn bad_help<T>(
    arg: usize,
    text: impl Into<String>,
    help: impl Into<String>,
) -> Result<T, Fail> {
    let (text, help) = (text.into(), help.into());
    Err(Fail::Bad(Bad { arg: Some(arg), text, help, deferred: false }))
}

fn not_yet<T>(arg: usize) -> Result<T, Fail> {
    Err(Fail::Bad(Bad {
        arg: Some(arg),
        text: "holds an id that the cloud has yet to give".to_owned(),
        help: "use a name, an ARN or a variable instead; such a text fits only templates, \
               join, format(\"%s\"), jsonencode and base64encode"
            .to_owned(),
        deferred: true,
    }))
}

static TABLES: [&[Function]; 9] = [
    collections::TABLE,
    encoding::TABLE,
    files::TABLE,
    format::TABLE,
    network::TABLE,
    numbers::TABLE,
    sets::TABLE,
    text::TABLE,
    types::TABLE,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| all().map(|function| (function.name, function)).collect());

/// Every function but `try` and `can`, which take expressions and not values.
pub fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().flat_map(|table| table.iter())
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

impl<'c> Call<'c> {
    /// An argument that the count of arguments guarantees.
    pub(crate) fn arg(&self, place: usize) -> Result<&'c Value, Fail> {
        match self.args.get(place) {
            Some(value) => Ok(value),
            None => bad(place, "missing"),
        }
    }

    fn primitive(&self, place: usize, want: Primitive) -> Result<Value, Fail> {
        let value = self.arg(place)?;
        if value.is_deferred() {
            return not_yet(place);
        }
        match convert::to_primitive(value, want) {
            Some(value) if !value.is_null() => Ok(value),
            Some(_) | None => {
                bad(place, format!("expected {}, this is {}", want.phrase(), value.brief()))
            }
        }
    }

    /// Known text.
    pub(crate) fn text(&self, place: usize) -> Result<String, Fail> {
        let value = self.primitive(place, Primitive::String)?;
        let Data::String(text) = value.data else {
            return bad(place, "expected a string");
        };
        Ok(text)
    }

    pub(crate) fn number(&self, place: usize) -> Result<Decimal, Fail> {
        match self.primitive(place, Primitive::Number)?.as_number() {
            Some(number) => Ok(number),
            None => bad(place, "expected a number"),
        }
    }

    /// A whole number.
    pub(crate) fn whole(&self, place: usize) -> Result<i64, Fail> {
        let number = self.number(place)?;
        let whole = rust_decimal::prelude::ToPrimitive::to_i64(&number);
        match whole.filter(|_| number.is_integer()) {
            Some(whole) => Ok(whole),
            None => bad(place, "expected a whole number"),
        }
    }

    pub(crate) fn list(&self, place: usize) -> Result<&'c [Value], Fail> {
        let value = self.arg(place)?;
        match value.as_list() {
            Some(items) => Ok(items),
            None if value.is_deferred() => not_yet(place),
            None => bad(place, format!("expected a list, this is {}", value.brief())),
        }
    }

    pub(crate) fn map(&self, place: usize) -> Result<&'c BTreeMap<String, Value>, Fail> {
        let value = self.arg(place)?;
        match value.as_map() {
            Some(map) => Ok(map),
            None if value.is_deferred() => not_yet(place),
            None => bad(place, format!("expected a map or object, this is {}", value.brief())),
        }
    }

    /// A list of known texts.
    pub(crate) fn texts(&self, place: usize) -> Result<Vec<String>, Fail> {
        let mut out = Vec::new();
        for item in self.list(place)? {
            if item.is_deferred() {
                return not_yet(place);
            }
            match convert::text(item) {
                Some(text) => out.push(text),
                None => return bad(place, format!("expected strings, one is {}", item.brief())),
            }
        }
        Ok(out)
    }

    /// `same` with the answer for deferred texts: unknown is a problem.
    pub(crate) fn same(&self, place: usize, a: &Value, b: &Value) -> Result<bool, Fail> {
        match convert::equal(a, b) {
            Some(same) => Ok(same),
            None => not_yet(place),
        }
    }
}

/// Elements as a set: each once, sorted.
pub(crate) fn as_set(items: Vec<Value>) -> Vec<Value> {
    elements::sorted(elements::distinct(items))
}
