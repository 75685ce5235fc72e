//! References, attributes, indices and splats.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, TraversalOperator};

use crate::model::{Address, Problem, Span};

use super::super::convert::{self, Primitive};
use super::super::value::{Data, Value};
use super::super::{codes, limits, nearest};
use super::{Env, Eval, Found, Names, Res, Stop};

pub(super) type Operators<'o> = &'o [Decorated<TraversalOperator>];

impl Eval<'_> {
    /// A variable or traversal; borrowed as far as it exists already.
    pub(super) fn path<'v>(&'v self, expr: &Expression, env: Names<'v>) -> Res<Cow<'v, Value>> {
        let (root, operators) = match expr {
            Expression::Traversal(traversal) => (&traversal.expr, traversal.operators.as_slice()),
            _ => (expr, [].as_slice()),
        };
        // Each `[*]` goes over the results of the one before it, one call deeper.
        let splats = operators
            .iter()
            .filter(|operator| matches!(operator.value(), TraversalOperator::FullSplat(_)));
        if splats.count() > limits::DEPTH {
            let summary = format!("more than {} `[*]` in one reference", limits::DEPTH);
            let problem = Problem::error(codes::LIMIT, summary).at(&self.span(expr), "here");
            return Err(Stop::Limit(Box::new(problem)));
        }
        let Expression::Variable(word) = root else {
            let value = self.borrow(root, env)?;
            return self.walk(value, operators, env);
        };
        if let Some(value) = Env::find(env, word.value().as_str()) {
            return self.walk(Cow::Borrowed(value), operators, env);
        }
        let (value, rest) = self.root(word.value().as_str(), &self.span(root), operators)?;
        self.walk(Cow::Borrowed(value), rest, env)
    }

    /// `word.name` in the configuration.
    fn root<'o>(
        &self,
        word: &str,
        span: &Span,
        operators: Operators<'o>,
    ) -> Res<(&Value, Operators<'o>)> {
        let Some((TraversalOperator::GetAttr(name), rest)) =
            operators.split_first().map(|(first, rest)| (first.value(), rest))
        else {
            return Err(self.bare_word(word, span));
        };
        if word == "lookup" {
            return self.looked_up(span, name, rest);
        }
        let wide = Span {
            source: span.source,
            range: span.range.start..self.span(name).range.end.max(span.range.end),
        };
        match self.scope.find(word, name.value().as_str()) {
            Found::Value(value) => Ok((value, rest)),
            Found::Failed => Err(Stop::Reported),
            Found::NoWord => Err(self.bare_word(word, span)),
            Found::NoName => Err(self.no_name(&wide, word, name.value().as_str())),
        }
    }

    /// The problem of a first word that means nothing (alone).
    fn bare_word(&self, word: &str, span: &Span) -> Stop {
        let words = self.scope.words();
        if words.is_empty() {
            return Problem::error(codes::UNKNOWN_NAME, format!("{word:?} has no value here"))
                .at(span, "only literal values can stand here")
                .help("write texts in double quotes")
                .into();
        }
        if words.contains(&word) {
            let names = self.scope.names(word);
            let list = nearest::list("declared", &names);
            return Problem::error(codes::UNKNOWN_NAME, format!("`{word}` needs a name"))
                .at(span, format!("write {word}.name"))
                .help(list)
                .into();
        }
        let unsupported = match word {
            "each" => "`each` has a value only in a block with for_each",
            "count" => "`count` has a value only in a block with count",
            "self" => "`self` is not part of this language; write the block's own address",
            "terraform" => "the environment (Terraform's workspace) is read as stack.env",
            "path" => "this is not part of the language; file() reads beside the stack's files",
            "data" => "existing objects are read by a `lookup` block",
            "module" => "this stack declares no module",
            _ => "",
        };
        if !unsupported.is_empty() {
            return Problem::error(codes::UNSUPPORTED, format!("`{word}` has no value here"))
                .at(span, "not known here")
                .help(unsupported)
                .into();
        }
        let mut help = nearest::help(word, "a reference starts with", &words);
        if let Some(known) = ["var", "local"]
            .into_iter()
            .find(|known| words.contains(known) && self.scope.names(known).contains(&word))
        {
            help = format!("did you mean {known}.{word}?");
        } else if nearest::nearest(word, words.iter().copied()).is_none() {
            help = format!("a text is written in quotes: {}", convert::quoted(word));
        }
        Problem::error(codes::UNKNOWN_NAME, format!("{word:?} is not a known word"))
            .at(span, "not known")
            .help(help)
            .into()
    }

    fn walk<'v>(
        &'v self,
        mut value: Cow<'v, Value>,
        operators: Operators<'_>,
        env: Names<'_>,
    ) -> Res<Cow<'v, Value>> {
        let mut rest = operators;
        while let Some((operator, tail)) = rest.split_first() {
            rest = tail;
            if value.is_wholly_unknown() {
                return Ok(Cow::Owned(Value::unknown().marked(value.sensitive)));
            }
            let span = self.span(operator.value());
            match operator.value() {
                TraversalOperator::GetAttr(name) => {
                    value = self.attribute(value, name.value().as_str(), &span, false)?;
                }
                TraversalOperator::Index(index) => {
                    let key = self.eval(index, env)?;
                    value = self.index(value, &key, &span)?;
                }
                TraversalOperator::LegacyIndex(index) => {
                    let key = usize::try_from(*index.value()).unwrap_or(usize::MAX);
                    value = self.index(value, &Value::from(key), &span)?;
                }
                TraversalOperator::AttrSplat(_) => {
                    // `.*` takes the attributes that follow into the loop; an index applies
                    // to the result.
                    let inner = rest
                        .iter()
                        .take_while(|next| matches!(next.value(), TraversalOperator::GetAttr(_)))
                        .count();
                    let (each, after) = rest.split_at(inner);
                    value = Cow::Owned(self.splat(&value, each, &span, env)?);
                    rest = after;
                }
                TraversalOperator::FullSplat(_) => {
                    return self.splat(&value, rest, &span, env).map(Cow::Owned);
                }
            }
        }
        Ok(value)
    }

    fn splat(&self, value: &Value, each: Operators<'_>, span: &Span, env: Names<'_>) -> Res<Value> {
        let sensitive = value.sensitive;
        let one = std::slice::from_ref(value);
        let items = match &value.data {
            Data::Null => [].as_slice(),
            Data::List(items) => items.as_slice(),
            Data::Unknown(_)
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::Map(_)
            | Data::Object(_)
            | Data::Block(_) => one,
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let found = self.walk(Cow::Borrowed(item), each, env)?;
            self.limit(self.context.budget.copy(&found), span)?;
            out.push(found.into_owned());
        }
        Ok(Value::from(out).marked(sensitive))
    }

    fn attribute<'v>(
        &'v self,
        value: Cow<'v, Value>,
        name: &str,
        span: &Span,
        hidden: bool,
    ) -> Res<Cow<'v, Value>> {
        let entries: Option<&BTreeMap<String, Value>> = match &value.data {
            Data::Map(map) | Data::Object(map) => Some(map),
            Data::Block(block) => Some(&block.exports),
            Data::Unknown(_)
            | Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::List(_) => None,
        };
        let Some(entries) = entries else {
            let mut problem =
                Problem::error(codes::INDEX, format!("{} has no attribute {name:?}", value.kind()))
                    .at(span, "no attributes here");
            if let Data::List(items) = &value.data {
                let whole = repeated(items.first());
                problem = problem.help(match whole {
                    Some(whole) => format!(
                        "{whole} is repeated by count: write {whole}[*].{name} for all, \
                         {whole}[0].{name} for one"
                    ),
                    None => format!("for all elements write [*].{name}, for one [0].{name}"),
                });
            }
            return Err(problem.into());
        };
        if !entries.contains_key(name) {
            return Err(self.no_attribute(&value, name, span, hidden));
        }
        Ok(descend(value, |data| match data {
            Data::Map(map) | Data::Object(map) => map.get(name),
            Data::Block(block) => block.exports.get(name),
            Data::Unknown(_)
            | Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::List(_) => None,
        }))
    }

    fn no_attribute(&self, value: &Value, name: &str, span: &Span, hidden: bool) -> Stop {
        let entries = match &value.data {
            Data::Map(map) | Data::Object(map) => Some(map),
            Data::Block(block) => Some(&block.exports),
            Data::Unknown(_)
            | Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::List(_) => None,
        };
        let names: Vec<&str> =
            entries.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        // The keys of a sensitive map may be as secret as its values, and so may a key from a
        // sensitive value be.
        let hidden = hidden || value.sensitive;
        let help = if hidden { String::new() } else { help_for(value, name, &names) };
        let shown = if hidden { "(sensitive)".to_owned() } else { convert::quoted(name) };
        let what = match value.block() {
            Some(block) => format!("{} has no attribute {shown}", block.address),
            None if matches!(value.data, Data::Map(_)) => {
                match repeated(entries.and_then(|map| map.values().next())) {
                    Some(whole) => format!("{whole} has no instance {shown}"),
                    None => format!("the map has no key {shown}"),
                }
            }
            None => format!("the object has no attribute {shown}"),
        };
        Problem::error(codes::INDEX, what).at(span, "not there").help(help).into()
    }

    pub(super) fn index<'v>(
        &'v self,
        value: Cow<'v, Value>,
        key: &Value,
        span: &Span,
    ) -> Res<Cow<'v, Value>> {
        if key.is_deferred() {
            return Err(self.deferred(span, "a key"));
        }
        if key.is_wholly_unknown() {
            return Ok(Cow::Owned(Value::unknown().marked(value.sensitive || key.sensitive)));
        }
        let found = match &value.data {
            Data::List(items) => return self.element(&value, items.len(), key, span),
            Data::Map(_) | Data::Object(_) | Data::Block(_) => {
                match convert::to_primitive(key, Primitive::String).as_ref().and_then(Value::as_str)
                {
                    Some(name) => {
                        let name = name.to_owned();
                        let found = self.attribute(value, &name, span, key.sensitive);
                        return found.map(|value| mark(value, key.sensitive));
                    }
                    None => format!("a key is a string, not {}", key.kind()),
                }
            }
            Data::Unknown(_) | Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {
                format!("{} has no elements", value.kind())
            }
        };
        Err(Problem::error(codes::INDEX, found).at(span, "").into())
    }

    fn element<'v>(
        &'v self,
        value: &Cow<'v, Value>,
        len: usize,
        key: &Value,
        span: &Span,
    ) -> Res<Cow<'v, Value>> {
        let number = convert::to_primitive(key, Primitive::Number);
        let place = number.as_ref().and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        match place {
            Some(place) if place < len => {
                let item = descend(value.clone(), |data| {
                    if let Data::List(items) = data { items.get(place) } else { None }
                });
                Ok(mark(item, key.sensitive))
            }
            Some(_) | None => {
                let label = if value.sensitive || key.sensitive {
                    "outside of the list".to_owned()
                } else if number.is_some_and(|number| number.as_number().is_some()) {
                    format!("the list has {len} elements, counted from 0")
                } else {
                    format!("a place in a list is a whole number, not {}", key.kind())
                };
                Err(Problem::error(codes::INDEX, "the list has no such element")
                    .at(span, label)
                    .into())
            }
        }
    }

    /// Refuses results that no configuration needs.
    pub(super) fn elements(&self, count: usize, span: &Span) -> Res<()> {
        if count <= limits::ELEMENTS {
            return Ok(());
        }
        Err(Stop::Limit(Box::new(
            Problem::error(codes::LIMIT, format!("more than {} elements", limits::ELEMENTS))
                .at(span, "made here"),
        )))
    }
}

/// The block that an element is an instance of, without its key.
fn repeated(element: Option<&Value>) -> Option<Address> {
    let address = element?.address()?;
    address.key.is_some().then(|| Address { key: None, ..address.clone() })
}

/// What to do about a name that a value does not have.
fn help_for(value: &Value, name: &str, names: &[&str]) -> String {
    if let Data::Map(map) = &value.data
        && let Some(first) = map.values().next()
        && let Some(whole) = repeated(Some(first))
        && first.block().is_some_and(|block| block.exports.contains_key(name))
    {
        let key = names.first().copied().unwrap_or_default();
        return format!(
            "{whole} is repeated by for_each: write {whole}[{key:?}].{name} for one, \
             [for each in {whole} : each.{name}] for all"
        );
    }
    if let Some(block) = value.block()
        && block.address.key.is_none()
        && !name.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return format!("{} is not repeated by count or for_each", block.address);
    }
    nearest::help(name, "it has", names)
}

/// Steps into a value without copying it where it is borrowed. What came out of something
/// sensitive is sensitive.
fn descend<'v>(value: Cow<'v, Value>, step: impl Fn(&Data) -> Option<&Value>) -> Cow<'v, Value> {
    match value {
        Cow::Borrowed(outer) => match step(&outer.data) {
            Some(inner) if outer.sensitive && !inner.sensitive => {
                Cow::Owned(inner.clone().marked(true))
            }
            Some(inner) => Cow::Borrowed(inner),
            None => Cow::Owned(Value::null()),
        },
        Cow::Owned(outer) => {
            let inner = step(&outer.data).cloned().unwrap_or_else(Value::null);
            Cow::Owned(inner.marked(outer.sensitive))
        }
    }
}

fn mark(value: Cow<'_, Value>, sensitive: bool) -> Cow<'_, Value> {
    if sensitive && !value.sensitive { Cow::Owned(value.into_owned().marked(true)) } else { value }
}
