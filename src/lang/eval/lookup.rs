//! References to what is looked up: `lookup.kind.name`.

use hcl_edit::Decorated;
use hcl_edit::expr::TraversalOperator;

use crate::model::{Problem, Span};

use super::super::builtin::LOOKUPS;
use super::super::codes;
use super::super::value::Value;
use super::traverse::Operators;
use super::{Eval, Found, Res, Stop};

impl Eval<'_> {
    /// `lookup.kind.name`
    pub(super) fn looked_up<'o>(
        &self,
        span: &Span,
        kind: &Decorated<hcl_edit::Ident>,
        rest: Operators<'o>,
    ) -> Res<(&Value, Operators<'o>)> {
        let word = format!("lookup {}", kind.value());
        let Some((TraversalOperator::GetAttr(name), rest)) =
            rest.split_first().map(|(first, rest)| (first.value(), rest))
        else {
            let problem = Problem::error(codes::UNKNOWN_NAME, "a lookup needs a name");
            return Err(problem.at(span, "write lookup.kind.name").into());
        };
        let range = span.range.start..self.span(name).range.end.max(span.range.end);
        let wide = Span { source: span.source, range };
        match self.scope.find(&word, name.value().as_str()) {
            Found::Value(value) => Ok((value, rest)),
            Found::Failed => Err(Stop::Reported),
            Found::NoName => Err(self.no_name(&wide, &word, name.value().as_str())),
            Found::NoWord => {
                let text =
                    format!("nothing of the kind {:?} can be looked up", kind.value().as_str());
                let problem = Problem::error(codes::UNKNOWN_NAME, text).at(&wide, "not known");
                Err(problem.help(format!("known are {}", LOOKUPS.join(", "))).into())
            }
        }
    }
}
