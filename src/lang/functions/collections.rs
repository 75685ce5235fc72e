//! Lists and objects.

use std::collections::BTreeMap;

use super::super::convert;
use super::super::value::{Data, Value};
use super::{Call, Fail, Function, MANY, Outcome, bad, bad_help, not_yet};

pub(super) const TABLE: &[Function] = &[
    Function::new(
        "length",
        "value",
        "Elements of a list or object, letters of a text.",
        (1, 1),
        length,
    ),
    Function::new("concat", "lists...", "The lists one after the other.", (1, MANY), |call| {
        let mut all = Vec::new();
        for place in 0..call.args.len() {
            all.extend_from_slice(call.list(place)?);
        }
        Ok(Value::from(all))
    }),
    Function::new(
        "merge",
        "objects...",
        "One object; the last value of a key holds.",
        (0, MANY),
        |call| {
            let mut all = BTreeMap::new();
            for (place, value) in call.args.iter().enumerate() {
                if !value.is_null() {
                    all.extend(
                        call.map(place)?.iter().map(|(key, value)| (key.clone(), value.clone())),
                    );
                }
            }
            Ok(Data::Object(all).into())
        },
    ),
    Function::new(
        "lookup",
        "map, key, default?",
        "The value of a key, or the default.",
        (2, 3),
        |call| {
            let key = call.text(1)?;
            match (call.map(0)?.get(&key), call.args.get(2).map(AsRef::as_ref)) {
                (Some(value), _) | (None, Some(value)) => Ok(value.clone()),
                (None, None) => {
                    bad_help(1, "is no key of the map", "give a default as third argument")
                }
            }
        },
    ),
    Function::new("keys", "map", "Its keys, sorted.", (1, 1), |call| {
        Ok(Value::from(call.map(0)?.keys().map(|key| key.as_str().into()).collect::<Vec<_>>()))
    }),
    Function::new("values", "map", "Its values, in the order of their keys.", (1, 1), |call| {
        Ok(Value::from(call.map(0)?.values().cloned().collect::<Vec<_>>()))
    }),
    Function::new("flatten", "list", "Inner lists opened into one list.", (1, 1), |call| {
        let mut out = Vec::new();
        flatten(call.list(0)?, false, &mut out);
        Ok(Value::from(out))
    }),
    Function::new(
        "element",
        "list, index",
        "An element, counted round and round.",
        (2, 2),
        |call| {
            let items = call.list(0)?;
            let Ok(index) = usize::try_from(call.whole(1)?) else {
                return bad(1, "an index starts at 0");
            };
            match index.checked_rem(items.len()).and_then(|place| items.get(place)) {
                Some(item) => Ok(item.clone()),
                None => bad(0, "the list is empty"),
            }
        },
    ),
    Function::new("slice", "list, start, end", "Elements from start up to end.", (3, 3), slice),
    Function::new("zipmap", "keys, values", "A map of two lists.", (2, 2), |call| {
        let (keys, values) = (call.texts(0)?, call.list(1)?);
        if keys.len() != values.len() {
            return bad(1, format!("{} keys but {} values", keys.len(), values.len()));
        }
        Ok(Data::Object(keys.into_iter().zip(values.iter().cloned()).collect()).into())
    }),
    Function::new(
        "coalesce",
        "values...",
        "The first that is neither null nor \"\".",
        (1, MANY),
        |call| {
            // As in a condition, all of them have one type: of 1 and "a" the first is "1".
            let Some(all) =
                convert::one_type(call.args.iter().map(|arg| Value::clone(arg)).collect())
            else {
                return bad(0, "the arguments have no common type");
            };
            let found = all.into_iter().find(|v| !v.is_null() && v.as_str() != Some(""));
            match found {
                Some(value) => Ok(value),
                None => bad(0, "every argument is null or empty"),
            }
        },
    ),
    Function::new("compact", "list", "Texts without the empty ones.", (1, 1), |call| {
        let kept = call.list(0)?.iter().filter(|v| !v.is_null() && v.as_str() != Some(""));
        Ok(Value::from(kept.cloned().collect::<Vec<_>>()))
    }),
    Function::new("one", "list", "The only element; null of an empty list.", (1, 1), |call| {
        match call.list(0)? {
            [] => Ok(Value::null()),
            [only] => Ok(only.clone()),
            many => bad(0, format!("expected at most one element, found {}", many.len())),
        }
    }),
    Function::new("alltrue", "list", "Whether all elements are true.", (1, 1), |call| {
        truths(call).map(|truths| Value::from(truths.into_iter().all(|truth| truth)))
    }),
    Function::new("anytrue", "list", "Whether any element is true.", (1, 1), |call| {
        truths(call).map(|truths| Value::from(truths.into_iter().any(|truth| truth)))
    }),
];

fn length(call: &Call<'_>) -> Outcome {
    let value = call.arg(0)?;
    match &value.data {
        Data::List(items) => Ok(Value::from(items.len())),
        Data::Map(map) | Data::Object(map) => Ok(Value::from(map.len())),
        Data::String(text) => Ok(Value::from(text.chars().count())),
        Data::Unknown(_) => not_yet(0),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Block(_) => {
            bad(0, format!("expected a list, map or string, this is {}", value.brief()))
        }
    }
}

fn slice(call: &Call<'_>) -> Outcome {
    let items = call.list(0)?;
    let bound = |place: usize| match usize::try_from(call.whole(place)?) {
        Ok(bound) if bound <= items.len() => Ok(bound),
        Ok(_) | Err(_) => bad(place, format!("the list has {} elements", items.len())),
    };
    let (start, end) = (bound(1)?, bound(2)?);
    match items.get(start..end) {
        Some(items) => Ok(Value::from(items.to_vec())),
        None => bad(1, "the start lies behind the end"),
    }
}

fn flatten(items: &[Value], sensitive: bool, out: &mut Vec<Value>) {
    for item in items {
        match item.as_list() {
            Some(inner) => flatten(inner, sensitive || item.sensitive, out),
            None => out.push(item.clone().marked(sensitive)),
        }
    }
}

fn truths(call: &Call<'_>) -> Result<Vec<bool>, Fail> {
    let mut out = Vec::new();
    for item in call.list(0)? {
        if item.is_null() {
            out.push(false);
            continue;
        }
        match convert::to_primitive(item, convert::Primitive::Bool).and_then(|v| v.as_bool()) {
            Some(truth) => out.push(truth),
            None => return bad(0, format!("expected true and false, one is {}", item.brief())),
        }
    }
    Ok(out)
}
