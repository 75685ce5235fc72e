//! `variable` blocks: type, default, the value given from outside, and the rules it must keep.

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body, Structure};

use crate::model::{Problem, Span};

use super::body::{self, Problems, or_report};
use super::builtin::{VALIDATION, VARIABLE};
use super::convert::{self, Primitive};
use super::eval::{Empty, Eval, Stop};
use super::types::{self, Mismatch, VarType};
use super::value::Value;
use super::vars::{VarData, VarInput, Vars};
use super::{codes, parse};

/// What a variable block says of itself.
struct Declaration<'b> {
    name: &'b str,
    span: Span,
    ty: Option<VarType>,
    type_span: Option<Span>,
    default: Option<&'b Expression>,
    sensitive: bool,
    nullable: bool,
}

/// The value of a variable; none when it has a problem.
pub(crate) fn value(
    eval: &Eval<'_>,
    block: &Block,
    vars: &Vars,
    problems: &mut Problems,
) -> Option<Value> {
    // Nothing in the block but its rules may refer to anything.
    let literal = Eval { scope: &Empty, ..*eval };
    let declaration = declare(&literal, block, problems)?;
    let default = match declaration.default {
        Some(expr) => Some(default(&literal, &declaration, expr, problems)?),
        None => None,
    };
    let given = match vars.get(declaration.name) {
        Some(input) => Some(given(eval, &declaration, input, problems)?),
        None => None,
    };
    let value = match (given, default) {
        (Some(value), default) if value.is_null() && !declaration.nullable => {
            default.or_else(|| {
                problems.push(null(&declaration));
                None
            })?
        }
        (Some(value), _) | (None, Some(value)) => value,
        (None, None) if vars.missing_is_unknown() => Value::unknown(),
        (None, None) => {
            problems.push(missing(&declaration));
            return None;
        }
    };
    Some(value.marked(declaration.sensitive))
}

fn null(declaration: &Declaration<'_>) -> Problem {
    Problem::error(codes::VARIABLE_TYPE, format!("variable {:?} cannot be null", declaration.name))
        .at(&declaration.span, "nullable = false")
        .help("give it a value or a default")
}

fn missing(declaration: &Declaration<'_>) -> Problem {
    let name = declaration.name;
    Problem::error(codes::VARIABLE_MISSING, format!("variable {name:?} has no value"))
        .at(&declaration.span, "no value is given and there is no default")
        .help(format!(
            "give it with --var {name}=…, MLINFRA_VAR_{name}=…, or `{name} = …` in a --var-file"
        ))
}

fn declare<'b>(
    eval: &Eval<'_>,
    block: &'b Block,
    problems: &mut Problems,
) -> Option<Declaration<'b>> {
    let mut out = Declaration {
        name: block.labels.first()?.as_str(),
        span: body::header(eval, block),
        ty: None,
        type_span: None,
        default: None,
        sensitive: false,
        nullable: true,
    };
    let before = problems.len();
    for structure in &block.body {
        let Structure::Attribute(attribute) = structure else { continue };
        match attribute.key.value().as_str() {
            "type" => {
                out.type_span = Some(eval.span(&attribute.value));
                out.ty = read_type(eval, &attribute.value, problems);
            }
            "default" => out.default = Some(&attribute.value),
            "sensitive" => out.sensitive = flag(eval, &attribute.value, problems) == Some(true),
            "nullable" => out.nullable = flag(eval, &attribute.value, problems) != Some(false),
            "description" => {
                or_report(eval.value(&attribute.value), problems);
            }
            _ => problems.push(body::unknown_attribute(eval, attribute, &VARIABLE)),
        }
    }
    (problems.len() == before).then_some(out)
}

fn flag(eval: &Eval<'_>, expr: &Expression, problems: &mut Problems) -> Option<bool> {
    let value = or_report(eval.value(expr), problems)?;
    let truth = convert::to_primitive(&value, Primitive::Bool).and_then(|v| v.as_bool());
    if truth.is_none() {
        problems.push(
            Problem::error(codes::TYPE, "this is true or false")
                .at(&eval.span(expr), format!("found {}", value.brief())),
        );
    }
    truth
}

fn read_type(eval: &Eval<'_>, expr: &Expression, problems: &mut Problems) -> Option<VarType> {
    let literal = |expr: &Expression| eval.value(expr).ok();
    match types::read(expr, &literal) {
        Ok(ty) => Some(ty),
        Err(bad) => {
            let span = match bad.span {
                Some(range) => Span { source: eval.source, range },
                None => eval.span(expr),
            };
            problems.push(
                Problem::error(codes::TYPE_EXPRESSION, bad.text)
                    .at(&span, "not a type")
                    .help(bad.help),
            );
            None
        }
    }
}

fn default(
    eval: &Eval<'_>,
    declaration: &Declaration<'_>,
    expr: &Expression,
    problems: &mut Problems,
) -> Option<Value> {
    let value = or_report(eval.value(expr).map_err(refers), problems)?;
    or_report(body::too_deep(&value, &eval.span(expr)), problems)?;
    if value.is_null() && !declaration.nullable {
        problems.push(null(declaration));
        return None;
    }
    let Some(ty) = &declaration.ty else {
        return Some(value);
    };
    match types::convert(value, ty) {
        Ok(value) => Some(value),
        Err(wrong) => {
            let name = declaration.name;
            let summary = format!("the default of variable {name:?} does not fit its type");
            let problem = Problem::error(codes::VARIABLE_TYPE, summary);
            problems.push(if declaration.sensitive {
                // Neither the text of the default nor its line may be shown.
                problem.at(&declaration.span, format!("expected {ty}"))
            } else {
                let place = wrong.span.clone().unwrap_or_else(|| eval.span(expr));
                problem.at(&place, wrong.text())
            });
            None
        }
    }
}

/// The problem of a default that refers to something.
fn refers(stop: Stop) -> Stop {
    match stop {
        Stop::Problem(problem) if problem.code == codes::UNKNOWN_NAME => Stop::Problem(Box::new(
            problem.help("a default is a literal value; compute others in `locals`"),
        )),
        Stop::Problem(_) | Stop::Limit(_) | Stop::Reported => stop,
    }
}

fn given(
    eval: &Eval<'_>,
    declaration: &Declaration<'_>,
    input: &VarInput,
    problems: &mut Problems,
) -> Option<Value> {
    let value = match &input.data {
        VarData::Value(value) => value.clone(),
        VarData::Text(text) => match &declaration.ty {
            // As Terraform: text for simple types, an expression for all others.
            None | Some(VarType::Primitive(_)) => Value::from(text.as_str()),
            Some(_) => match expression(eval, text) {
                Ok(value) => value,
                Err(problem) => {
                    problems.push(unreadable(declaration, input, &problem));
                    return None;
                }
            },
        },
    };
    let Some(ty) = &declaration.ty else {
        return Some(value);
    };
    match types::convert(value, ty) {
        Ok(value) => Some(value),
        Err(wrong) => {
            problems.push(unfit(declaration, input, ty, &wrong));
            None
        }
    }
}

fn unfit(
    declaration: &Declaration<'_>,
    input: &VarInput,
    ty: &VarType,
    wrong: &Mismatch,
) -> Problem {
    let name = declaration.name;
    let summary = format!("the value of variable {name:?} ({}) does not fit its type", input.from);
    let text = if declaration.sensitive { format!("expected {ty}") } else { wrong.text() };
    let span = declaration.type_span.as_ref().unwrap_or(&declaration.span);
    let problem = Problem::error(codes::VARIABLE_TYPE, summary);
    // A value that a module is given stands in a file, too.
    match input.place().filter(|_| !declaration.sensitive) {
        Some(place) => {
            let place = wrong.span.as_ref().unwrap_or(place);
            problem.at(place, text).at(span, "its type")
        }
        None => problem.at(span, text),
    }
}

fn unreadable(declaration: &Declaration<'_>, input: &VarInput, problem: &Problem) -> Problem {
    let name = declaration.name;
    let summary = format!("the value of variable {name:?} ({}) cannot be read", input.from);
    let out = Problem::error(codes::VARIABLE_TYPE, summary)
        .at(declaration.type_span.as_ref().unwrap_or(&declaration.span), "it is read as this type")
        .help("write it as in a file: '[\"a\", \"b\"]' or '{ a = 1 }', quoted for the shell");
    if declaration.sensitive { out } else { out.detail(problem.summary.clone()) }
}

/// The value of an expression from outside. Its problems are told by their summary only, since
/// their places are not in any file.
fn expression(eval: &Eval<'_>, text: &str) -> Result<Value, Box<Problem>> {
    let expr = parse::expression(text.trim(), eval.source)?;
    let inner = Eval { scope: &Empty, text: text.trim(), ..*eval };
    let mut value = inner.value(&expr).map_err(|stop| match stop {
        Stop::Problem(problem) | Stop::Limit(problem) => problem,
        Stop::Reported => Box::new(Problem::error(codes::INTERNAL, "not evaluated")),
    })?;
    strip(&mut value);
    Ok(value)
}

/// The text of a value from outside is not kept, so places in it are not either.
fn strip(value: &mut Value) {
    use super::value::Data;
    value.origin = None;
    match &mut value.data {
        Data::List(items) => items.iter_mut().for_each(strip),
        Data::Map(map) | Data::Object(map) => map.values_mut().for_each(strip),
        Data::Unknown(_)
        | Data::Null
        | Data::Bool(_)
        | Data::Number(_)
        | Data::String(_)
        | Data::Block(_) => {}
    }
}

/// Checks the rules of a variable, after everything else has its value.
pub(crate) fn rules(
    eval: &Eval<'_>,
    block: &Block,
    from: Option<&str>,
    has_value: bool,
    problems: &mut Problems,
) {
    for structure in &block.body {
        let Structure::Block(rule) = structure else { continue };
        if rule.ident.value().as_str() != VALIDATION.word {
            problems.push(
                Problem::error(
                    codes::UNKNOWN_BLOCK,
                    format!("unknown block {:?}", rule.ident.value().as_str()),
                )
                .at(&eval.span(&rule.ident), "not a block of variable")
                .help("a variable holds `validation` blocks"),
            );
            continue;
        }
        let (condition, message) =
            (find(&rule.body, "condition"), find(&rule.body, "error_message"));
        for attribute in rule.body.attributes() {
            if !matches!(attribute.key.value().as_str(), "condition" | "error_message") {
                problems.push(body::unknown_attribute(eval, attribute, &VALIDATION));
            }
        }
        let (Some(condition), Some(message)) = (condition, message) else {
            problems.push(
                Problem::error(codes::MISSING, "a validation needs condition and error_message")
                    .at(&body::header(eval, rule), "incomplete"),
            );
            continue;
        };
        if has_value {
            holds(eval, condition, message, from, problems);
        }
    }
}

fn find<'b>(body: &'b Body, name: &str) -> Option<&'b Expression> {
    body.get_attribute(name).map(|attribute| &attribute.value)
}

fn holds(
    eval: &Eval<'_>,
    condition: &Expression,
    message: &Expression,
    from: Option<&str>,
    problems: &mut Problems,
) {
    let Some(truth) = or_report(eval.value(condition), problems) else { return };
    if truth.is_wholly_unknown() {
        return;
    }
    match convert::to_primitive(&truth, Primitive::Bool).and_then(|value| value.as_bool()) {
        Some(true) => {}
        Some(false) => {
            let Some(text) = or_report(eval.value(message), problems) else { return };
            let text = match text.holds_sensitive() {
                true => "a value breaks its rule; the message is sensitive".to_owned(),
                false => {
                    convert::text(&text).unwrap_or_else(|| "a value breaks its rule".to_owned())
                }
            };
            let problem = Problem::error(codes::VALIDATION, text)
                .at(&eval.span(condition), "this does not hold");
            problems.push(match from {
                Some(from) => problem.help(format!("the value was given by {from}")),
                None => problem,
            });
        }
        None => problems.push(
            Problem::error(codes::OPERAND, "the condition of a validation is true or false")
                .at(&eval.span(condition), format!("found {}", truth.kind())),
        ),
    }
}
