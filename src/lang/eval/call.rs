//! Function calls, `try` and `can`.

use std::borrow::Cow;

use hcl_edit::expr::FuncCall;

use crate::model::{Problem, Span};

use super::super::functions::{self, Call, Fail, Function};
use super::super::value::{Data, Value};
use super::super::{codes, nearest};
use super::{Eval, Names, Res, Stop};

impl Eval<'_> {
    pub(super) fn call(&self, call: &FuncCall, span: &Span, env: Names<'_>) -> Res<Value> {
        let name = call.name.name.value().as_str();
        if call.name.is_namespaced() {
            return Err(Problem::error(
                codes::UNKNOWN_FUNCTION,
                "functions have no namespace here",
            )
            .at(span, "write the name alone")
            .into());
        }
        if name == "try" || name == "can" {
            return self.attempt(name == "can", call, span, env);
        }
        let Some(function) = functions::find(name) else {
            return Err(self.no_function(name, &self.span(&call.name.name), span));
        };
        let (args, spans) = self.arguments(call, env)?;
        self.count(function, args.len(), span)?;
        let sensitive = args.iter().any(|arg| arg.sensitive);
        if args.iter().any(|arg| arg.holds_unknown()) {
            return Ok(Value::unknown().marked(args.iter().any(|arg| arg.holds_sensitive())));
        }
        let input = Call { args: &args, eval: self, span };
        match (function.run)(&input) {
            Ok(value) => {
                self.pay(&value, span)?;
                Ok(mark(function, value, &args, sensitive))
            }
            Err(Fail::Stop(stop)) => Err(stop),
            Err(Fail::Bad(bad)) => {
                let place = bad.arg.and_then(|arg| spans.get(arg)).unwrap_or(span);
                let hidden = bad
                    .arg
                    .and_then(|arg| args.get(arg))
                    .map_or(sensitive, |arg| arg.holds_sensitive());
                // What a function says may quote its argument.
                let label = if hidden { "does not fit (sensitive)".to_owned() } else { bad.text };
                let code = if bad.deferred { codes::DEFERRED } else { codes::ARGUMENT };
                let summary = if bad.deferred {
                    format!("an argument of {name}() is known only after apply")
                } else {
                    format!("{name}() cannot work on this")
                };
                Err(Problem::error(code, summary).at(place, label).help(bad.help).into())
            }
        }
    }

    /// The arguments; what exists already is lent, so that a function that looks one thing up
    /// in a large map does not copy the map.
    fn arguments<'v>(
        &'v self,
        call: &FuncCall,
        env: Names<'v>,
    ) -> Res<(Vec<Cow<'v, Value>>, Vec<Span>)> {
        let mut args = Vec::with_capacity(call.args.len());
        let mut spans = Vec::with_capacity(call.args.len());
        let last = call.args.len().checked_sub(1).filter(|_| call.args.expand_final());
        for (place, expr) in call.args.iter().enumerate() {
            let span = self.span(expr);
            let value = self.borrow(expr, env)?;
            if Some(place) != last {
                args.push(value);
                spans.push(span);
                continue;
            }
            self.limit(self.context.budget.copy(&value), &span)?;
            let value = value.into_owned();
            match value.data {
                Data::List(items) => {
                    for item in items {
                        args.push(Cow::Owned(item.marked(value.sensitive)));
                        spans.push(span.clone());
                    }
                }
                Data::Unknown(ref unknown) if unknown.pieces.is_empty() => {
                    args.push(Cow::Owned(value));
                    spans.push(span);
                }
                Data::Unknown(_)
                | Data::Null
                | Data::Bool(_)
                | Data::Number(_)
                | Data::String(_)
                | Data::Map(_)
                | Data::Object(_)
                | Data::Block(_) => {
                    return Err(Problem::error(codes::ARGUMENT, "`...` stands after a list")
                        .at(&span, format!("this is {}", value.brief()))
                        .into());
                }
            }
        }
        Ok((args, spans))
    }

    fn count(&self, function: &Function, given: usize, span: &Span) -> Res<()> {
        let enough = given >= function.min;
        if enough && function.max.is_none_or(|max| given <= max) {
            return Ok(());
        }
        let few = if enough { "too many" } else { "too few" };
        Err(Problem::error(
            codes::ARGUMENT_COUNT,
            format!("{few} arguments for {}()", function.name),
        )
        .at(span, format!("{given} given"))
        .help(format!("{}({}): {}", function.name, function.parameters, function.doc))
        .into())
    }

    /// Pays for what a function made.
    fn pay(&self, value: &Value, span: &Span) -> Res<()> {
        match &value.data {
            Data::String(text) => self.limit(self.context.budget.bytes(text.len()), span),
            Data::List(items) => {
                self.elements(items.len(), span)?;
                self.limit(self.context.budget.copy(value), span)
            }
            Data::Map(_) | Data::Object(_) => self.limit(self.context.budget.copy(value), span),
            Data::Unknown(_) | Data::Null | Data::Bool(_) | Data::Number(_) | Data::Block(_) => {
                Ok(())
            }
        }
    }

    /// `try(a, b, …)`: the first that has a value; `can(a)`: whether it has one.
    fn attempt(&self, can: bool, call: &FuncCall, span: &Span, env: Names<'_>) -> Res<Value> {
        let given = call.args.len();
        if given == 0 || (can && given > 1) || call.args.expand_final() {
            let (name, form) =
                if can { ("can", "can(expression)") } else { ("try", "try(first, second, …)") };
            return Err(Problem::error(
                codes::ARGUMENT_COUNT,
                format!("{name}() takes other arguments"),
            )
            .at(span, format!("{given} given"))
            .help(format!("write {form}"))
            .into());
        }
        let mut last = None;
        for expr in &call.args {
            match self.eval(expr, env) {
                Ok(value) if can => {
                    return Ok(Value::from(true).marked(value.holds_sensitive()));
                }
                Ok(value) => return Ok(value),
                Err(Stop::Problem(problem)) => {
                    if self.declared(&problem) {
                        return Err(Stop::Problem(problem));
                    }
                    last = Some(problem);
                }
                Err(stop) => return Err(stop),
            }
        }
        match last {
            Some(problem) if !can => Err(Stop::Problem(problem)),
            Some(_) | None => Ok(Value::from(false)),
        }
    }

    /// True for problems that no value could have avoided: a name that is declared nowhere is a
    /// typing error even inside `try`.
    fn declared(&self, problem: &Problem) -> bool {
        [codes::UNKNOWN_NAME, codes::UNKNOWN_FUNCTION, codes::REPEATABLE, codes::UNSUPPORTED]
            .contains(&problem.code)
    }

    fn no_function(&self, name: &str, name_span: &Span, call_span: &Span) -> Stop {
        let span = if name_span.range.is_empty() { call_span } else { name_span };
        if matches!(name, "timestamp" | "uuid" | "plantimestamp" | "bcrypt" | "uuidv5") {
            return Problem::error(
                codes::REPEATABLE,
                format!("{name}() would give another result in every plan"),
            )
            .at(span, "not repeatable")
            .detail("A plan must come out the same when it is made again, or it cannot be trusted.")
            .help("pass the value in as a variable: --var name=…")
            .into();
        }
        if matches!(name, "defined" | "env") {
            return Problem::error(codes::UNSUPPORTED, format!("{name}() does not exist"))
                .at(span, "")
                .help("values from outside come in as variables: MLINFRA_VAR_name or --var")
                .into();
        }
        let names: Vec<&str> = functions::all().map(|function| function.name).collect();
        let help = match nearest::nearest(name, names.into_iter().chain(["try", "can"])) {
            Some(near) => format!("did you mean {near}()?"),
            None => "the reference lists all functions".to_owned(),
        };
        Problem::error(codes::UNKNOWN_FUNCTION, format!("there is no function {name}()"))
            .at(span, "not known")
            .help(help)
            .into()
    }

    /// A template file with the names that it may use.
    pub(crate) fn template_file(
        &self,
        template: &hcl_edit::template::Template,
        names: &[(&str, &Value)],
        span: &Span,
    ) -> Res<Value> {
        self.bind(names, None, &|env| {
            self.template(template, span, env, super::template::Kind::Lines)
        })
    }

    fn bind(
        &self,
        names: &[(&str, &Value)],
        outer: Names<'_>,
        then: &dyn Fn(Names<'_>) -> Res<Value>,
    ) -> Res<Value> {
        // A chain of up to a few hundred names, one stack frame each.
        match names.split_first() {
            Some(((name, value), rest)) => {
                let env = super::Env { name, value, outer };
                self.bind(rest, Some(&env), then)
            }
            None => then(outer),
        }
    }
}

/// What is made from something sensitive is sensitive. A list passes on what its elements say,
/// a text or number made from it hides whatever was inside.
fn mark(function: &Function, value: Value, args: &[Cow<'_, Value>], sensitive: bool) -> Value {
    if function.name == "nonsensitive" {
        return value;
    }
    let folds = matches!(
        value.data,
        Data::String(_) | Data::Number(_) | Data::Bool(_) | Data::Unknown(_) | Data::Null
    );
    let picks = matches!(function.name, "element" | "lookup" | "one" | "coalesce" | "length");
    let inner = folds && !picks && args.iter().any(|arg| arg.holds_sensitive());
    value.marked(sensitive || inner)
}
