//! The evaluator: one expression in a scope to one value, with Terraform's rules.
//!
//! hcl-edit's tree is only read. Depth is bounded by the parser (64 nested levels, 128 chained
//! operators), and references are evaluated before what refers to them, so that recursion here
//! follows one expression and nothing else.

mod call;
mod collect;
mod lookup;
mod operate;
mod template;
mod traverse;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_deferred;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::expr::Expression;

use crate::model::{Problem, Source, Sources, Span};

use super::limits::{Budget, Spent};
use super::parse::Files;
use super::read::ReadFile;
use super::value::Value;
use super::{codes, decimal, parse};

/// Why an expression has no value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Its own problem, which `try` may catch.
    Problem(Box<Problem>),
    /// A limit was reached; nothing catches this.
    Limit(Box<Problem>),
    /// It refers to something whose problem is reported where it stands.
    Reported,
}

pub(crate) type Res<T> = Result<T, Stop>;

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// What all evaluation of one configuration shares.
pub(crate) struct Context<'a> {
    pub(crate) reader: Option<&'a dyn ReadFile>,
    pub(crate) sources: RefCell<Sources>,
    pub(crate) budget: Budget,
    /// The folders of modules that were read.
    pub(crate) folders: RefCell<BTreeMap<String, Files>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(reader: Option<&'a dyn ReadFile>, sources: Sources) -> Self {
        let folders = RefCell::default();
        Self { reader, sources: RefCell::new(sources), budget: Budget::default(), folders }
    }
}

/// What a name means.
pub(crate) enum Found<'s> {
    Value(&'s Value),
    /// Its problem is already reported.
    Failed,
    NoWord,
    NoName,
}

/// Where names of the configuration are looked up: `word.name`.
pub(crate) trait Scope {
    fn find(&self, word: &str, name: &str) -> Found<'_>;
    /// What may stand first in a reference.
    fn words(&self) -> Vec<&str>;
    /// What may follow a word.
    fn names(&self, word: &str) -> Vec<&str>;
}

/// A scope in which nothing is declared: values of variables, templates of files.
pub(crate) struct Empty;

impl Scope for Empty {
    fn find(&self, _: &str, _: &str) -> Found<'_> {
        Found::NoWord
    }

    fn words(&self) -> Vec<&str> {
        Vec::new()
    }

    fn names(&self, _: &str) -> Vec<&str> {
        Vec::new()
    }
}

/// A name that `for`, a template file or a repeated block binds, and those bound around it.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    pub(crate) name: &'e str,
    pub(crate) value: &'e Value,
    pub(crate) outer: Option<&'e Env<'e>>,
}

impl<'e> Env<'e> {
    fn find(mut env: Option<&'e Env<'e>>, name: &str) -> Option<&'e Value> {
        while let Some(here) = env {
            if here.name == name {
                return Some(here.value);
            }
            env = here.outer;
        }
        None
    }
}

/// Evaluates the expressions of one file.
#[derive(Clone, Copy)]
pub(crate) struct Eval<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) scope: &'a dyn Scope,
    pub(crate) source: Source,
    pub(crate) text: &'a str,
    /// Inside `templatefile`, which may not call itself.
    pub(crate) in_file: bool,
    /// The folder of the file, from which paths are read.
    pub(crate) folder: &'a str,
    /// `each` or `count` of the instance that is evaluated.
    pub(crate) env: Names<'a>,
}

pub(crate) type Names<'e> = Option<&'e Env<'e>>;

impl<'a> Eval<'a> {
    /// For a file in the stack's folder, outside of any block.
    pub(crate) fn bare(
        context: &'a Context<'a>,
        scope: &'a dyn Scope,
        (source, text): (Source, &'a str),
    ) -> Self {
        Self { context, scope, source, text, in_file: false, folder: "", env: None }
    }

    /// The value of an expression, with its place.
    pub(crate) fn value(&self, expr: &Expression) -> Res<Value> {
        let value = self.eval(expr, self.env)?;
        Ok(value.from_span(self.span(expr)))
    }

    pub(crate) fn span(&self, node: &impl hcl_edit::Span) -> Span {
        self.range(node.span().unwrap_or(0..0))
    }

    fn range(&self, range: Range<usize>) -> Span {
        Span { source: self.source, range }
    }

    fn limit<T>(&self, spent: Result<T, Spent>, span: &Span) -> Res<T> {
        spent.map_err(|spent| {
            Stop::Limit(Box::new(spent.problem().at(span, "while evaluating this")))
        })
    }

    fn eval(&self, expr: &Expression, env: Names<'_>) -> Res<Value> {
        Ok(match expr {
            Expression::Null(_) => Value::null(),
            Expression::Bool(truth) => Value::from(*truth.value()),
            Expression::Number(_) => self.number(expr)?,
            Expression::String(text) => {
                let text = text.value();
                if env.is_some() {
                    self.limit(self.context.budget.bytes(text.len()), &self.span(expr))?;
                }
                Value::from(text.as_str())
            }
            _ => return self.compound(expr, env),
        })
    }

    fn compound(&self, expr: &Expression, env: Names<'_>) -> Res<Value> {
        let span = || self.span(expr);
        if let Err(spent) = self.context.budget.steps(1) {
            return self.limit(Err(spent), &span());
        }
        match expr {
            Expression::Null(_)
            | Expression::Bool(_)
            | Expression::Number(_)
            | Expression::String(_) => self.eval(expr, env),
            Expression::Array(array) => self.list(array, env),
            Expression::Object(object) => self.object(object, env),
            Expression::StringTemplate(template) => self.quoted(template, &span(), env),
            Expression::HeredocTemplate(heredoc) => {
                self.template(&heredoc.template, &span(), env, template::Kind::Lines)
            }
            Expression::Parenthesis(inner) => self.eval(inner.inner(), env),
            Expression::Variable(_) | Expression::Traversal(_) => {
                let value = self.path(expr, env)?;
                self.limit(self.context.budget.copy(&value), &span())?;
                Ok(value.into_owned())
            }
            Expression::Conditional(conditional) => self.conditional(conditional, env),
            Expression::FuncCall(call) => self.call(call, &span(), env),
            Expression::UnaryOp(op) => self.unary(op, env),
            Expression::BinaryOp(op) => self.binary(op, env),
            Expression::ForExpr(for_expr) => self.for_expr(for_expr, &span(), env),
        }
    }

    /// A value without copying it where it already exists.
    fn borrow<'v>(&'v self, expr: &Expression, env: Names<'v>) -> Res<Cow<'v, Value>> {
        match expr {
            Expression::Parenthesis(inner) => self.borrow(inner.inner(), env),
            Expression::Variable(_) | Expression::Traversal(_) => self.path(expr, env),
            _ => self.eval(expr, env).map(Cow::Owned),
        }
    }

    /// A number, read from the text: the parser's number is a float where it is large.
    fn number(&self, expr: &Expression) -> Res<Value> {
        let span = self.span(expr);
        let written = self.text.get(span.range.clone()).unwrap_or_default();
        let negative = written.starts_with('-');
        let digits = written.trim_start_matches('-');
        let digits =
            digits.rsplit(|c: char| c.is_whitespace() || c == '/').next().unwrap_or(digits);
        match decimal::number(digits) {
            Some(number) => Ok(Value::from(if negative { -number } else { number })),
            None => Err(parse::inexact(&span).into()),
        }
    }

    /// The problem of a text that is known only after apply and stands where it decides something.
    pub(super) fn deferred(&self, span: &Span, place: &str) -> Stop {
        deferred(span, place).into()
    }
}

/// See [`Eval::deferred`].
pub(crate) fn deferred(span: &Span, place: &str) -> Problem {
    Problem::error(codes::DEFERRED, format!("{place} is known only after apply"))
        .at(span, "holds an id that the cloud has yet to give")
        .detail("A plan decides everything before it acts, so this value must be known now.")
        .help("use a name, an ARN or a variable instead; these are known when planning")
}
