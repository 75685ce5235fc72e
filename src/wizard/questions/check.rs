//! What several questions check alike.

use rust_decimal::Decimal;

/// A whole number in a range.
pub(super) fn whole(text: &str, least: u32, most: u32) -> Result<String, String> {
    match text.replace('_', "").parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
        Ok(number) => Err(format!("{number} is out of range: write {least} to {most}")),
        Err(_) if text.is_empty() => Err(format!("write a whole number, {least} to {most}")),
        Err(_) => Err(format!("{text:?} is no whole number: write {least} to {most}")),
    }
}

/// US dollars, or `none`.
pub(super) fn dollars(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok("none".to_owned());
    }
    let number = text.trim_start_matches('$').trim_end_matches("/h").replace(',', "");
    match number.trim().parse::<Decimal>() {
        Ok(sum) if sum > Decimal::ZERO && sum <= Decimal::from(1_000_000) => {
            Ok(sum.normalize().to_string())
        }
        Ok(_) => Err("write dollars an hour, more than 0 and at most 1000000, or none".to_owned()),
        Err(_) => Err(format!("{text:?} is no sum: write dollars an hour such as 12.50, or none")),
    }
}

/// A URL of one of these schemes, without a password in it.
pub(super) fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let Some((scheme, rest)) = text.split_once("://").filter(|(_, rest)| !rest.is_empty()) else {
        return Err(format!("{text:?} is no URL: write {}://host…", schemes.join(":// or ")));
    };
    if !schemes.contains(&scheme) {
        return Err(format!("{scheme}:// is not read here: write {}://…", schemes.join(":// or ")));
    }
    let host = rest.split('/').next().unwrap_or_default();
    if host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
        return Err("a password does not belong in a file: leave it out; docs/sources.md says \
                    how it is read from a variable or a file"
            .to_owned());
    }
    Ok(text.to_owned())
}

/// Some text.
pub(super) fn some(text: &str, what: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("write {what}")) } else { Ok(text.to_owned()) }
}
