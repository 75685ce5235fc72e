//! Lists, objects and `for`.

use std::collections::BTreeMap;

use hcl_edit::expr::{Array, Expression, ForExpr, Object, ObjectKey};

use crate::model::{Problem, Span};

use super::super::codes;
use super::super::convert::{self, Primitive};
use super::super::value::{Data, Value};
use super::operate::truth_of;
use super::{Env, Eval, Names, Res};

impl Eval<'_> {
    pub(super) fn list(&self, array: &Array, env: Names<'_>) -> Res<Value> {
        let mut items = Vec::with_capacity(array.len());
        for item in array {
            items.push(self.placed(item, env)?);
        }
        Ok(Value::from(items))
    }

    /// A value that keeps its own place inside a list or object.
    fn placed(&self, expr: &Expression, env: Names<'_>) -> Res<Value> {
        Ok(self.eval(expr, env)?.from_span(self.span(expr)))
    }

    pub(super) fn object(&self, object: &Object, env: Names<'_>) -> Res<Value> {
        let mut entries = BTreeMap::new();
        let mut sensitive = false;
        for (key, value) in object {
            let (name, span) = match key {
                ObjectKey::Ident(name) => (name.value().as_str().to_owned(), self.span(key)),
                ObjectKey::Expression(expr) => {
                    let span = self.span(expr);
                    let key = self.eval(expr, env)?;
                    sensitive |= key.sensitive;
                    match self.key(&key, &span)? {
                        Some(name) => (name, span),
                        None => return Ok(Value::unknown().marked(sensitive)),
                    }
                }
            };
            let value = self.placed(value.expr(), env)?;
            if entries.contains_key(&name) {
                return Err(Problem::error(codes::DUPLICATE, "a key stands twice in this object")
                    .at(&span, "again here")
                    .into());
            }
            entries.insert(name, value);
        }
        Ok(Value::from(Data::Object(entries)).marked(sensitive))
    }

    /// A key as text; none when nothing is known of it.
    fn key(&self, key: &Value, span: &Span) -> Res<Option<String>> {
        if key.is_wholly_unknown() {
            return Ok(None);
        }
        if key.is_deferred() {
            return Err(self.deferred(span, "a key"));
        }
        let text = convert::to_primitive(key, Primitive::String);
        match text.as_ref().and_then(Value::as_str) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(Problem::error(codes::ITERATION, "a key is a string")
                .at(span, format!("this is {}", key.brief()))
                .into()),
        }
    }

    /// Runs `each` for every element with its key.
    pub(super) fn each(
        &self,
        collection: &Value,
        span: &Span,
        each: &mut dyn FnMut(&Value, &Value) -> Res<()>,
    ) -> Res<()> {
        let sensitive = collection.sensitive;
        match &collection.data {
            Data::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.limit(self.context.budget.steps(1), span)?;
                    self.one(&Value::from(place), item, sensitive, each)?;
                }
                Ok(())
            }
            Data::Map(map) | Data::Object(map) => {
                for (name, item) in map {
                    self.limit(self.context.budget.steps(1), span)?;
                    self.one(&Value::from(name.as_str()), item, sensitive, each)?;
                }
                Ok(())
            }
            Data::Unknown(_) => Err(self.deferred(span, "what `for` runs over")),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Block(_) => {
                Err(Problem::error(codes::ITERATION, "`for` runs over lists and objects")
                    .at(span, format!("this is {}", collection.brief()))
                    .into())
            }
        }
    }

    fn one(
        &self,
        key: &Value,
        item: &Value,
        sensitive: bool,
        each: &mut dyn FnMut(&Value, &Value) -> Res<()>,
    ) -> Res<()> {
        if !sensitive {
            return each(key, item);
        }
        each(&key.clone().marked(true), &item.clone().marked(true))
    }

    pub(super) fn for_expr(&self, expr: &ForExpr, span: &Span, env: Names<'_>) -> Res<Value> {
        let collection = self.borrow(&expr.intro.collection_expr, env)?;
        let sensitive = collection.sensitive;
        if collection.is_wholly_unknown() {
            return Ok(Value::unknown().marked(sensitive));
        }
        let mut out = Collected { marked: sensitive, ..Collected::default() };
        let place = self.span(&expr.intro.collection_expr);
        self.each(&collection, &place, &mut |key, value| {
            let outer = expr.intro.key_var.as_ref().map(|name| Env {
                name: name.value().as_str(),
                value: key,
                outer: env,
            });
            let inner = Env {
                name: expr.intro.value_var.value().as_str(),
                value,
                outer: outer.as_ref().or(env),
            };
            self.for_step(expr, span, &inner, &mut out)
        })?;
        Ok(out.finish(expr))
    }

    fn for_step(&self, expr: &ForExpr, span: &Span, env: &Env<'_>, out: &mut Collected) -> Res<()> {
        if let Some(condition) = &expr.cond {
            let keep = self.condition(&condition.expr, Some(env), "the condition of a `for`")?;
            out.marked |= keep.sensitive;
            match truth_of(&keep) {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    out.unknown = true;
                    return Ok(());
                }
            }
        }
        out.count += 1;
        self.elements(out.count, span)?;
        let Some(key_expr) = &expr.key_expr else {
            out.list.push(self.eval(&expr.value_expr, Some(env))?.from_span(span.clone()));
            return Ok(());
        };
        let key = self.eval(key_expr, Some(env))?;
        out.marked |= key.sensitive;
        let Some(name) = self.key(&key, &self.span(key_expr))? else {
            out.unknown = true;
            return Ok(());
        };
        let value = self.eval(&expr.value_expr, Some(env))?.from_span(span.clone());
        if !expr.grouping && out.groups.contains_key(&name) {
            let summary = if out.marked {
                "two elements have the same key".to_owned()
            } else {
                format!("two elements have the key {name:?}")
            };
            return Err(Problem::error(codes::ITERATION, summary)
                .at(&self.span(key_expr), "the same key again")
                .help("write `...` after the value to collect them in a list per key")
                .into());
        }
        out.groups.entry(name).or_default().push(value);
        Ok(())
    }
}

#[derive(Default)]
struct Collected {
    list: Vec<Value>,
    groups: BTreeMap<String, Vec<Value>>,
    count: usize,
    marked: bool,
    unknown: bool,
}

impl Collected {
    fn finish(self, expr: &ForExpr) -> Value {
        let value = if self.unknown {
            Value::unknown()
        } else if expr.key_expr.is_none() {
            Value::from(self.list)
        } else {
            let entry = |(name, mut values): (String, Vec<Value>)| {
                let value = if expr.grouping {
                    Value::from(values)
                } else {
                    values.pop().unwrap_or_else(Value::null)
                };
                (name, value)
            };
            Data::Object(self.groups.into_iter().map(entry).collect()).into()
        };
        value.marked(self.marked)
    }
}
