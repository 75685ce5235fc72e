//! `budget`: what a stack may cost.

use rust_decimal::Decimal;

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{Money, Problem, Span};

use super::wrong::wrong;

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "budget",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new("per_hour", Type::Number, "US dollars an hour."),
        Attribute::new("per_month", Type::Number, "US dollars in a month of 730 hours."),
    ],
    blocks: &[],
    exports: &[],
    doc: "What the stack may cost. A plan is refused when what would run at once costs more: \
          its fixed parts and the fewest nodes of every cluster. Where only the most nodes would, \
          the plan warns, and the autoscaler stops at the budget. What is paid by use is not counted, and unknown prices are named.",
};

/// What a stack may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// An hour.
    pub per_hour: Option<Limit>,
    /// A month of 730 hours.
    pub per_month: Option<Limit>,
}

/// A limit, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// US dollars.
    pub usd: Money,
    /// Where.
    pub span: Span,
}

/// Reads the block of a `stack`.
pub(super) fn of(stack: &Evaluated) -> Option<Budget> {
    let block = stack.nested(SCHEMA.word).next()?;
    let limit = |name: &str| {
        let usd = Money::new(block.attr(name)?.as_number()?);
        Some(Limit { usd, span: block.place(name).clone() })
    };
    Some(Budget { per_hour: limit("per_hour"), per_month: limit("per_month") })
}

/// Problems of the block.
pub(super) fn check(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some(block) = stack.nested(SCHEMA.word).next() else { return };
    let written: Vec<&Value> =
        ["per_hour", "per_month"].iter().filter_map(|name| block.attr(name)).collect();
    if written.is_empty() {
        let text = "a budget needs `per_hour` or `per_month`";
        let help = "write per_hour = 900 for 900 US dollars an hour";
        problems.push(Problem::error("S001", text).help(help).at(&block.span, ""));
    }
    for value in written {
        if value.as_number().is_some_and(|usd| usd <= Decimal::ZERO) {
            let help = "write US dollars, such as 900; without the block there is no limit";
            problems.push(wrong(value, "a budget is more than nothing", help));
        }
    }
}
