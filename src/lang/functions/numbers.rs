//! Numbers.

use rust_decimal::{Decimal, MathematicalOps};

use super::super::convert::{self, Primitive};
use super::super::limits;
use super::super::value::Value;
use super::{Call, Function, MANY, Outcome, bad};

pub(super) const TABLE: &[Function] = &[
    Function::new("min", "numbers...", "The smallest.", (1, MANY), |call| {
        extreme(call, Decimal::min)
    }),
    Function::new("max", "numbers...", "The largest.", (1, MANY), |call| {
        extreme(call, Decimal::max)
    }),
    Function::new("ceil", "number", "The next whole number above.", (1, 1), |call| {
        Ok(Value::from(call.number(0)?.ceil()))
    }),
    Function::new("floor", "number", "The next whole number below.", (1, 1), |call| {
        Ok(Value::from(call.number(0)?.floor()))
    }),
    Function::new("abs", "number", "The number without its sign.", (1, 1), |call| {
        Ok(Value::from(call.number(0)?.abs()))
    }),
    Function::new(
        "pow",
        "base, exponent",
        "The power; the exponent is a whole number.",
        (2, 2),
        pow,
    ),
    Function::new("sum", "list", "All numbers added.", (1, 1), sum),
    Function::new(
        "range",
        "start?, limit, step?",
        "Numbers from start (0) up to but without limit.",
        (1, 3),
        range,
    ),
];

fn extreme(call: &Call<'_>, pick: fn(Decimal, Decimal) -> Decimal) -> Outcome {
    let mut best = call.number(0)?;
    for place in 1..call.args.len() {
        best = pick(best, call.number(place)?);
    }
    Ok(Value::from(best))
}

fn pow(call: &Call<'_>) -> Outcome {
    let (base, exponent) = (call.number(0)?, call.whole(1)?);
    if base.is_zero() && exponent < 0 {
        return bad(0, "0 has no such power");
    }
    match base.checked_powi(exponent) {
        Some(power) => Ok(Value::from(power)),
        None => bad(1, "the result has more than 28 digits"),
    }
}

fn sum(call: &Call<'_>) -> Outcome {
    let items = call.list(0)?;
    if items.is_empty() {
        return bad(0, "an empty list has no sum; write sum(concat([0], list))");
    }
    let mut total = Decimal::ZERO;
    for item in items {
        let number = convert::to_primitive(item, Primitive::Number).and_then(|v| v.as_number());
        let Some(number) = number else {
            return bad(0, format!("expected numbers, one is {}", item.brief()));
        };
        match total.checked_add(number) {
            Some(sum) => total = sum,
            None => return bad(0, "the sum has more than 28 digits"),
        }
    }
    Ok(Value::from(total))
}

fn range(call: &Call<'_>) -> Outcome {
    let (start, end) = match call.args.len() {
        1 => (Decimal::ZERO, call.number(0)?),
        _ => (call.number(0)?, call.number(1)?),
    };
    let down = end < start;
    let step = match call.args.len() {
        3 => call.number(2)?,
        _ if down => -Decimal::ONE,
        _ => Decimal::ONE,
    };
    if step.is_zero() || (step.is_sign_negative() != down && start != end) {
        return bad(2, "the step does not lead from start to limit");
    }
    let mut out = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if out.len() >= limits::ELEMENTS {
            return bad(call.args.len().min(2) - 1, "more than 100,000 elements");
        }
        out.push(Value::from(at));
        match at.checked_add(step) {
            Some(next) if next != at => at = next,
            Some(_) | None => {
                return bad(call.args.len() - 1, "the step is too small to be kept exactly");
            }
        }
    }
    Ok(Value::from(out))
}
