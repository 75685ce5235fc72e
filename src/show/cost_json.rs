//! What a stack costs, for machines: a key of its own beside Terraform's shapes.

use serde_json::{Map, Value, json};

use crate::model::Money;
use crate::plan::cost::{Bill, Line, Rate, Sum, When};

/// The version of the document; a minor step only adds keys.
pub const FORMAT: &str = "1.0";

/// What a stack costs.
pub fn json(bill: &Bill) -> Value {
    let blocks: Vec<Value> = bill
        .blocks()
        .into_iter()
        .map(|(owner, lines)| {
            let mut out = Map::from_iter([("address".to_owned(), json!(owner.to_string()))]);
            out.extend(sums(|when| lines.iter().map(|line| line.sum(when)).sum()));
            let each: Vec<Value> = lines.iter().map(|line| self::line(line)).collect();
            out.insert("lines".to_owned(), Value::Array(each));
            Value::Object(out)
        })
        .collect();
    let mut out = Map::from_iter([
        ("currency".to_owned(), json!("USD")),
        ("hours_per_month".to_owned(), json!(730)),
    ]);
    out.extend(sums(|when| bill.sum(when)));
    out.insert("blocks".to_owned(), Value::Array(blocks));
    let prices: Vec<_> = bill.origins().into_iter().collect();
    out.insert("prices".to_owned(), json!(prices));
    Value::Object(out)
}

/// The same as a document of its own.
pub fn document(bill: &Bill) -> Value {
    let mut out = json(bill);
    if let Some(map) = out.as_object_mut() {
        map.insert("format_version".to_owned(), json!(FORMAT));
    }
    out
}

fn sums(of: impl Fn(When) -> Sum) -> impl Iterator<Item = (String, Value)> {
    When::ALL.map(|when| (when.word().to_owned(), sum(of(when)))).into_iter()
}

/// A sum; not complete when it has parts whose prices are not known.
fn sum(sum: Sum) -> Value {
    json!({
        "usd_per_hour": rounded(sum.per_hour()),
        "usd_per_month": rounded(sum.per_month()),
        "complete": sum.is_whole(),
    })
}

/// A hundredth of a cent of a cent is enough.
fn rounded(money: Money) -> Money {
    Money::new(money.dollars().round_dp(6))
}

fn line(line: &Line) -> Value {
    let Line { address, what, rate, before, after, floor, ceiling } = line;
    let Rate { hourly: _, monthly: _, unknown, by_use, prepaid, origins } = rate;
    let one = Line { after: 1, ..line.clone() }.sum(When::After);
    json!({
        "address": address.to_string(),
        "what": what,
        "before": before,
        "after": after,
        "floor": floor,
        "ceiling": ceiling,
        "each": sum(one),
        "unknown": unknown,
        "by_use": by_use,
        "prepaid": prepaid,
        "prices": origins,
    })
}
