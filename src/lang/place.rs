//! Attributes that name a place of the configuration: read as they are written, because what
//! they name may not be declared (any more).

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use crate::model::{Key, Place, Problem};

use super::codes;
use super::eval::{Eval, Stop};
use super::value::Value;

/// The place that an expression names, as text.
pub(crate) fn place(eval: &Eval<'_>, expr: &Expression, attribute: &str) -> Result<Value, Stop> {
    let span = eval.span(expr);
    let text = match expr {
        Expression::String(text) => text.value().to_string(),
        Expression::Traversal(traversal) => path(traversal).unwrap_or_default(),
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

/// A traversal of names and literal keys as the text of an address: nothing has to be
/// evaluated, and how it is laid out does not matter. None for any other.
fn path(traversal: &Traversal) -> Option<String> {
    let Expression::Variable(first) = &traversal.expr else { return None };
    let mut path = first.to_string();
    for operator in &traversal.operators {
        match operator.value() {
            TraversalOperator::GetAttr(name) => path.push_str(&format!(".{}", name.as_str())),
            TraversalOperator::LegacyIndex(index) => path.push_str(&format!("[{}]", index.value())),
            TraversalOperator::Index(Expression::Number(index)) => {
                path.push_str(&format!("[{}]", index.value()));
            }
            TraversalOperator::Index(Expression::String(key)) => {
                path.push_str(&Key::Name(key.value().to_string()).to_string());
            }
            TraversalOperator::Index(_)
            | TraversalOperator::AttrSplat(_)
            | TraversalOperator::FullSplat(_) => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use hcl_edit::expr::Expression;

    use super::{Place, path};

    fn read(text: &str) -> Option<String> {
        let expr: Expression = text.parse().expect("an expression");
        let Expression::Traversal(traversal) = expr else { panic!("{text} is no path") };
        path(&traversal)
    }

    #[test]
    fn keys_keep_their_spaces_and_layout_is_nothing() {
        let same = [
            ("bucket.x[\"a b\"]", "bucket.x[\"a b\"]"),
            ("bucket.x[ \"a\" ]", "bucket.x[\"a\"]"),
            ("bucket.x[\"say \\\"hi\\\"\"]", "bucket.x[\"say \\\"hi\\\"\"]"),
            ("bucket.x[1]", "bucket.x[1]"),
            ("bucket.x.1", "bucket.x[1]"),
            ("module.m[\"e u\"].bucket.x", "module.m[\"e u\"].bucket.x"),
        ];
        for (text, want) in same {
            let place: Place = read(text).expect("a path").parse().expect("an address");
            assert_eq!(place.to_string(), want);
        }
        assert_eq!(read("bucket.x[var.key]"), None);
        assert_eq!(read("bucket.x[*].name"), None);
    }
}
