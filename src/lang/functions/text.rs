//! Text.

use super::super::convert::TextBuilder;
use super::super::value::Value;
use super::{Call, Fail, Function, MANY, Outcome, bad, bad_help};

pub(super) const TABLE: &[Function] = &[
    Function::new("join", "separator, lists...", "The elements as one text.", (2, MANY), join),
    Function::new("split", "separator, text", "The parts between separators.", (2, 2), |call| {
        let (separator, text) = (call.text(0)?, call.text(1)?);
        let parts: Vec<Value> = if separator.is_empty() {
            text.chars().map(|c| Value::from(c.to_string())).collect()
        } else {
            text.split(separator.as_str()).map(Value::from).collect()
        };
        Ok(Value::from(parts))
    }),
    Function::new(
        "replace",
        "text, from, to",
        "The text with one part for another.",
        (3, 3),
        |call| {
            let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
            if from.len() > 1 && from.starts_with('/') && from.ends_with('/') {
                return bad_help(
                    1,
                    "a text between slashes would be a regular expression",
                    "regular expressions are not part of the language; replace plain text",
                );
            }
            let longest = text.len().saturating_add(1).saturating_mul(to.len().saturating_add(1));
            if longest > super::super::limits::READ_BYTES * 4
                && text.matches(from.as_str()).count() > 1_000
            {
                return bad(0, "the result would be very large");
            }
            Ok(Value::from(text.replace(&from, &to)))
        },
    ),
    Function::new("lower", "text", "All letters small.", (1, 1), |call| {
        Ok(Value::from(call.text(0)?.to_lowercase()))
    }),
    Function::new("upper", "text", "All letters large.", (1, 1), |call| {
        Ok(Value::from(call.text(0)?.to_uppercase()))
    }),
    Function::new("title", "text", "The first letter of each word large.", (1, 1), title),
    Function::new("trim", "text, letters", "Without these letters at both ends.", (2, 2), |call| {
        let (text, letters) = (call.text(0)?, call.text(1)?);
        Ok(Value::from(text.trim_matches(|c| letters.contains(c))))
    }),
    Function::new("trimspace", "text", "Without white space at both ends.", (1, 1), |call| {
        Ok(Value::from(call.text(0)?.trim()))
    }),
    Function::new("trimprefix", "text, prefix", "Without the prefix.", (2, 2), |call| {
        let (text, prefix) = (call.text(0)?, call.text(1)?);
        Ok(Value::from(text.strip_prefix(prefix.as_str()).unwrap_or(&text)))
    }),
    Function::new("trimsuffix", "text, suffix", "Without the suffix.", (2, 2), |call| {
        let (text, suffix) = (call.text(0)?, call.text(1)?);
        Ok(Value::from(text.strip_suffix(suffix.as_str()).unwrap_or(&text)))
    }),
    Function::new("startswith", "text, prefix", "Whether it starts so.", (2, 2), |call| {
        Ok(Value::from(call.text(0)?.starts_with(call.text(1)?.as_str())))
    }),
    Function::new("endswith", "text, suffix", "Whether it ends so.", (2, 2), |call| {
        Ok(Value::from(call.text(0)?.ends_with(call.text(1)?.as_str())))
    }),
    Function::new(
        "substr",
        "text, offset, length",
        "A part; length -1 is the rest.",
        (3, 3),
        substr,
    ),
];

fn join(call: &Call<'_>) -> Outcome {
    let separator = call.text(0)?;
    let mut out = TextBuilder::default();
    let mut first = true;
    for place in 1..call.args.len() {
        for item in call.list(place)? {
            if !first {
                out.push(&separator);
            }
            first = false;
            if !out.push_value(item) {
                return bad(place, format!("expected strings, one is {}", item.brief()));
            }
        }
    }
    Ok(out.finish())
}

fn title(call: &Call<'_>) -> Outcome {
    let mut start = true;
    let mut out = String::new();
    for letter in call.text(0)?.chars() {
        if start {
            out.extend(letter.to_uppercase());
        } else {
            out.push(letter);
        }
        start = !(letter.is_alphanumeric() || letter == '_' || letter == '\'');
    }
    Ok(Value::from(out))
}

fn substr(call: &Call<'_>) -> Result<Value, Fail> {
    let text = call.text(0)?;
    let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let (offset, length) = (call.whole(1)?, call.whole(2)?);
    let start = if offset < 0 { count.saturating_add(offset) } else { offset };
    let Ok(start) = usize::try_from(start) else {
        return bad(1, "lies before the text");
    };
    if length < -1 {
        return bad(2, "a length is 0 or more, or -1 for the rest");
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Value::from(text.chars().skip(start).take(length).collect::<String>()))
}
