//! Conversions between types, and marks.

use super::super::convert::{self, Primitive};
use super::super::value::{Data, Value};
use super::elements::{distinct, sorted, unified};
use super::{Call, Function, Outcome, bad, not_yet};

pub(super) const TABLE: &[Function] = &[
    Function::new("tostring", "value", "The value as text.", (1, 1), |call| {
        primitive(call, Primitive::String)
    }),
    Function::new("tonumber", "value", "The value as a number.", (1, 1), |call| {
        primitive(call, Primitive::Number)
    }),
    Function::new("tobool", "value", "The value as true or false.", (1, 1), |call| {
        primitive(call, Primitive::Bool)
    }),
    Function::new("tolist", "value", "A list whose elements have one type.", (1, 1), |call| {
        if call.arg(0)?.is_null() {
            return Ok(Value::null());
        }
        Ok(Value::from(unified(call, 0)?))
    }),
    Function::new("toset", "value", "Elements of one type, sorted, each once.", (1, 1), |call| {
        if call.arg(0)?.is_null() {
            return Ok(Value::null());
        }
        Ok(Value::from(sorted(distinct(unified(call, 0)?))))
    }),
    Function::new("tomap", "value", "A map whose values have one type.", (1, 1), |call| {
        if call.arg(0)?.is_null() {
            return Ok(Value::null());
        }
        let map = call.map(0)?;
        match convert::one_type(map.values().cloned().collect()) {
            Some(values) => Ok(Data::Map(map.keys().cloned().zip(values).collect()).into()),
            None => bad(0, "the values of a map have one type; these have several"),
        }
    }),
    Function::new("sensitive", "value", "The value, never shown.", (1, 1), |call| {
        Ok(call.arg(0)?.clone().marked(true))
    }),
    Function::new(
        "nonsensitive",
        "value",
        "The value, allowed to be shown: only for what gives no secret away.",
        (1, 1),
        |call| {
            let value = call.arg(0)?.clone();
            Ok(Value { sensitive: false, ..value })
        },
    ),
];

fn primitive(call: &Call<'_>, want: Primitive) -> Outcome {
    let value = call.arg(0)?;
    match convert::to_primitive(value, want) {
        Some(value) => Ok(value),
        None if value.is_deferred() => not_yet(0),
        None => bad(0, format!("{} cannot become {}", value.brief(), want.phrase())),
    }
}
