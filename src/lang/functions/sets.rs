//! Lists as sets, and order.

use std::collections::BTreeSet;

use super::super::convert;
use super::super::value::Value;
use super::elements::{distinct, fingerprint, sorted, unified};
use super::{Call, Fail, Function, MANY, bad, not_yet};

pub(super) const TABLE: &[Function] = &[
    Function::new("setunion", "sets...", "Everything that is in any of them.", (1, MANY), |call| {
        let mut all = Vec::new();
        for place in 0..call.args.len() {
            all.extend_from_slice(call.list(place)?);
        }
        match convert::one_type(all) {
            Some(all) => Ok(Value::from(sorted(distinct(all)))),
            None => bad(0, "the elements have no common type"),
        }
    }),
    Function::new("setintersection", "sets...", "What is in all of them.", (1, MANY), |call| {
        let mut kept = call.list(0)?.to_vec();
        for place in 1..call.args.len() {
            kept = filter(call, kept, place, true)?;
        }
        Ok(Value::from(sorted(distinct(kept))))
    }),
    Function::new("setsubtract", "a, b", "What is in a and not in b.", (2, 2), |call| {
        let kept = filter(call, call.list(0)?.to_vec(), 1, false)?;
        Ok(Value::from(sorted(distinct(kept))))
    }),
    Function::new("distinct", "list", "The list without repetitions.", (1, 1), |call| {
        Ok(Value::from(distinct(unified(call, 0)?)))
    }),
    Function::new("contains", "list, value", "Whether the list holds the value.", (2, 2), |call| {
        let wanted = call.arg(1)?;
        let mut unsure = false;
        for item in call.list(0)? {
            match convert::equal(item, wanted) {
                Some(true) => return Ok(Value::from(true)),
                Some(false) => {}
                None => unsure = true,
            }
        }
        if unsure { not_yet(usize::from(wanted.is_deferred())) } else { Ok(Value::from(false)) }
    }),
    Function::new("index", "list, value", "Where in the list the value is.", (2, 2), |call| {
        let wanted = call.arg(1)?;
        for (place, item) in call.list(0)?.iter().enumerate() {
            if call.same(0, item, wanted)? {
                return Ok(Value::from(place));
            }
        }
        bad(1, "is not in the list")
    }),
    Function::new("sort", "list", "Texts in alphabetical order.", (1, 1), |call| {
        let mut texts = call.texts(0)?;
        texts.sort();
        let marks = call.list(0)?.iter().any(|item| item.sensitive);
        Ok(Value::from(texts.into_iter().map(Value::from).collect::<Vec<_>>()).marked(marks))
    }),
    Function::new("reverse", "list", "The list from its end.", (1, 1), |call| {
        Ok(Value::from(call.list(0)?.iter().rev().cloned().collect::<Vec<_>>()))
    }),
];

fn filter(
    call: &Call<'_>,
    items: Vec<Value>,
    place: usize,
    keep: bool,
) -> Result<Vec<Value>, Fail> {
    let others: BTreeSet<String> = call.list(place)?.iter().map(fingerprint).collect();
    let kept = items.into_iter().filter(|item| others.contains(&fingerprint(item)) == keep);
    Ok(kept.collect())
}
