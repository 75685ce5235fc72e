//! Attributes that name a place of the configuration: read as they are written, because what
//! they name may not be declared (any more).

use hcl_edit::expr::{Expression, TraversalOperator};

use crate::model::{Place, Problem};

use super::codes;
use super::eval::{Eval, Stop};
use super::value::Value;

/// The place that an expression names, as text.
pub(crate) fn place(eval: &Eval<'_>, expr: &Expression, attribute: &str) -> Result<Value, Stop> {
    let span = eval.span(expr);
    let text = match expr {
        Expression::String(text) => text.value().to_string(),
        Expression::Traversal(traversal) if is_path(traversal) => {
            let written = eval.text.get(span.range.clone()).unwrap_or_default();
            written.split_whitespace().collect::<String>()
        }
        _ => String::new(),
    };
    match text.parse::<Place>() {
        Ok(place) => Ok(Value::from(place.to_string().as_str()).from_span(span)),
        Err(_) => Err(Problem::error(codes::ADDRESS, format!("{attribute} names no place"))
            .at(&span, "not an address")
            .help(
                "write an address as in the configuration: bucket.a, bucket.a[\"x\"],\n\
                   module.m.bucket.a, or with a part in quotes: \"network.main/vpc\"",
            )
            .into()),
    }
}

/// Only names and literal keys: nothing has to be evaluated.
fn is_path(traversal: &hcl_edit::expr::Traversal) -> bool {
    let literal = |operator: &TraversalOperator| match operator {
        TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_) => true,
        TraversalOperator::Index(key) => {
            matches!(key, Expression::String(_) | Expression::Number(_))
        }
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => false,
    };
    matches!(traversal.expr, Expression::Variable(_))
        && traversal.operators.iter().all(|operator| literal(operator.value()))
}
