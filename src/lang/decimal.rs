//! Numbers as people write them, and back, exactly.

use std::str::FromStr;

use rust_decimal::Decimal;

/// A number as people write it: no exponent, no trailing zeros.
pub fn number_text(number: Decimal) -> String {
    let short = number.normalize();
    if short.is_zero() { "0".to_owned() } else { short.to_string() }
}

/// Reads a number; `None` when it is none or cannot be kept exactly.
pub fn number(text: &str) -> Option<Decimal> {
    let starts = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    if !starts || !text.ends_with(|c: char| c.is_ascii_digit()) || text.contains('_') {
        return None;
    }
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(text).ok();
    };
    let mantissa = Decimal::from_str_exact(mantissa).ok()?;
    let exponent = i32::from_str(exponent.trim_start_matches('+')).ok()?;
    shift(mantissa, exponent)
}

/// `number * 10^exponent`, exactly.
fn shift(number: Decimal, exponent: i32) -> Option<Decimal> {
    if number.is_zero() {
        return Some(number);
    }
    if exponent.unsigned_abs() > 60 {
        return None;
    }
    let ten = Decimal::from(10_u32);
    let mut out = number.normalize();
    for _ in 0..exponent.max(0) {
        out = out.checked_mul(ten)?;
    }
    if exponent < 0 {
        let scale = out.scale().checked_add(exponent.unsigned_abs())?;
        out = Decimal::try_from_i128_with_scale(out.mantissa(), scale).ok()?;
    }
    Some(out)
}
