//! `format` and `formatlist`.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::convert::{self, Primitive, TextBuilder};
use super::super::decimal::number_text;
use super::super::json;
use super::super::value::{Data, Value};
use super::{Call, Fail, Function, MANY, Outcome, bad, not_yet};

pub(super) const TABLE: &[Function] = &[
    Function::new(
        "format",
        "format, values...",
        "Text with values at %s, %d, %f, %q, %v, %t, %x.",
        (1, MANY),
        |call| {
            let format = call.text(0)?;
            let args: Vec<&Value> = call.args.iter().skip(1).map(AsRef::as_ref).collect();
            apply(&format, &args)
        },
    ),
    Function::new(
        "formatlist",
        "format, lists...",
        "One text for each element of the lists.",
        (2, MANY),
        formatlist,
    ),
];

fn formatlist(call: &Call<'_>) -> Outcome {
    let format = call.text(0)?;
    let mut count = None;
    for (place, arg) in call.args.iter().enumerate().skip(1) {
        let Some(items) = arg.as_list() else { continue };
        if count.is_some_and(|count| count != items.len()) {
            return bad(place, "the lists have different lengths");
        }
        count = Some(items.len());
    }
    let mut out = Vec::new();
    for row in 0..count.unwrap_or(1) {
        let cell = |arg: &'_ Value| -> Value {
            match arg.as_list() {
                Some(items) => items.get(row).cloned().unwrap_or_else(Value::null),
                None => arg.clone(),
            }
        };
        let args: Vec<Value> = call.args.iter().skip(1).map(|arg| cell(arg)).collect();
        out.push(apply(&format, &args.iter().collect::<Vec<_>>())?);
    }
    Ok(Value::from(out))
}

#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    space: bool,
    sharp: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    index: Option<usize>,
    verb: char,
}

fn apply(format: &str, args: &[&Value]) -> Outcome {
    let mut out = TextBuilder::default();
    let mut chars = format.chars().peekable();
    let mut next = 0;
    let mut most = 0;
    let mut indexed = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c.encode_utf8(&mut [0; 4]));
            continue;
        }
        let spec = read(&mut chars)?;
        if spec.verb == '%' {
            out.push("%");
            continue;
        }
        indexed |= spec.index.is_some();
        let place = match spec.index {
            Some(index) => index.saturating_sub(1),
            None => next,
        };
        next = place + 1;
        most = most.max(next);
        let Some(value) = args.get(place) else {
            return bad(0, format!("%{} has no value: {} given", spec.verb, args.len()));
        };
        write(&spec, value, place + 1, &mut out)?;
    }
    if most < args.len() && !indexed {
        return bad(most + 1, "the format has no place for this value");
    }
    Ok(out.finish())
}

type Chars<'c> = std::iter::Peekable<std::str::Chars<'c>>;

fn digits(chars: &mut Chars<'_>) -> Result<Option<usize>, Fail> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let digit = usize::try_from(digit).unwrap_or(0);
        let value = number.unwrap_or(0_usize) * 10 + digit;
        if value > 1_000 {
            return bad(0, "a width or precision is at most 1000");
        }
        number = Some(value);
    }
    Ok(number)
}

fn read(chars: &mut Chars<'_>) -> Result<Spec, Fail> {
    let mut spec = Spec::default();
    loop {
        match chars.peek() {
            Some('-') => spec.minus = true,
            Some('+') => spec.plus = true,
            Some(' ') => spec.space = true,
            Some('#') => spec.sharp = true,
            Some('0') => spec.zero = true,
            Some(_) | None => break,
        }
        chars.next();
    }
    spec.width = digits(chars)?;
    if chars.next_if_eq(&'.').is_some() {
        spec.precision = Some(digits(chars)?.unwrap_or(0));
    }
    if chars.next_if_eq(&'[').is_some() {
        spec.index = digits(chars)?;
        if chars.next() != Some(']') || spec.index.is_none_or(|index| index == 0) {
            return bad(0, "a place is written %[1]s, counted from 1");
        }
    }
    match chars.next() {
        Some(verb) if "vsqdbofFeEgGtxX%".contains(verb) => {
            spec.verb = verb;
            Ok(spec)
        }
        Some(verb) => bad(0, format!("unknown verb %{}", verb.escape_default())),
        None => bad(0, "the text ends after `%`; write %% for the sign itself"),
    }
}

fn write(spec: &Spec, value: &Value, arg: usize, out: &mut TextBuilder) -> Result<(), Fail> {
    out.sensitive |= value.sensitive;
    if value.is_null() && spec.verb != 'v' {
        return bad(arg, "null cannot be formatted");
    }
    if value.is_deferred() {
        if !matches!(spec.verb, 's' | 'v') || spec.width.is_some() || spec.precision.is_some() {
            return not_yet(arg);
        }
        out.push_value(value);
        return Ok(());
    }
    let number = || match convert::to_primitive(value, Primitive::Number) {
        Some(Value { data: Data::Number(number), .. }) => Ok(number),
        Some(_) | None => bad(arg, format!("expected a number, this is {}", value.brief())),
    };
    let text = || match convert::text(value) {
        Some(text) => Ok(text),
        None => bad(arg, format!("expected a string, this is {}", value.brief())),
    };
    let cut = |text: String| match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    let done = match spec.verb {
        's' => pad(spec, &cut(text()?), false),
        'q' => pad(spec, &json_text(&Value::from(text()?), arg)?, false),
        't' => match convert::to_primitive(value, Primitive::Bool).and_then(|v| v.as_bool()) {
            Some(truth) => pad(spec, &truth.to_string(), false),
            None => return bad(arg, format!("expected true or false, this is {}", value.brief())),
        },
        'v' if !spec.sharp => match convert::text(value) {
            Some(text) => pad(spec, &text, false),
            None => return verbatim(value, arg, out),
        },
        'v' => return verbatim(value, arg, out),
        'd' | 'b' | 'o' | 'x' | 'X' => pad(spec, &whole(spec, number()?, arg)?, true),
        _ => pad(spec, &float(spec, number()?), true),
    };
    out.push(&done);
    Ok(())
}

fn json_text(value: &Value, arg: usize) -> Result<String, Fail> {
    match json::encode(value) {
        Ok(value) => Ok(value.as_str().unwrap_or_default().to_owned()),
        Err(text) => bad(arg, text),
    }
}

fn verbatim(value: &Value, arg: usize, out: &mut TextBuilder) -> Result<(), Fail> {
    match json::encode(value) {
        Ok(value) => {
            out.push_value(&value);
            Ok(())
        }
        Err(text) => bad(arg, text),
    }
}

fn signed(spec: &Spec, negative: bool, digits: &str) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    format!("{sign}{digits}")
}

fn whole(spec: &Spec, number: Decimal, arg: usize) -> Result<String, Fail> {
    let Some(value) = number.to_i128().filter(|_| number.is_integer()) else {
        return bad(arg, format!("%{} takes a whole number", spec.verb));
    };
    let digits = value.unsigned_abs();
    let digits = match spec.verb {
        'b' => format!("{digits:b}"),
        'o' => format!("{digits:o}"),
        'x' => format!("{digits:x}"),
        'X' => format!("{digits:X}"),
        _ => digits.to_string(),
    };
    Ok(signed(spec, value < 0, &digits))
}

fn float(spec: &Spec, number: Decimal) -> String {
    let size = number.abs();
    let digits = match spec.verb {
        'e' | 'E' => scientific(size, spec.precision.unwrap_or(6), spec.verb),
        'g' | 'G' => {
            let float = size.to_f64().unwrap_or(0.0);
            if float != 0.0 && !(1e-4..1e21).contains(&float) {
                let shortest = format!("{float:e}");
                let mantissa = shortest.split('e').next().unwrap_or_default();
                let precision = mantissa.len().saturating_sub(2);
                let verb = if spec.verb == 'g' { 'e' } else { 'E' };
                scientific(size, precision, verb)
            } else {
                number_text(size)
            }
        }
        _ => {
            let precision = spec.precision.unwrap_or(6);
            let scale = u32::try_from(precision).unwrap_or(28).min(28);
            let strategy = rust_decimal::RoundingStrategy::MidpointNearestEven;
            format!("{:.precision$}", size.round_dp_with_strategy(scale, strategy))
        }
    };
    signed(spec, number.is_sign_negative() && !number.is_zero(), &digits)
}

fn scientific(size: Decimal, precision: usize, verb: char) -> String {
    let text = format!("{:.precision$e}", size.to_f64().unwrap_or(0.0));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}{verb}{sign}{exponent:0>2}")
}

fn pad(spec: &Spec, text: &str, number: bool) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if spec.zero && number {
        let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) => text.split_at(text.len() - digits.len()),
            None => ("", text),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}
