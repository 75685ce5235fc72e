//! Amounts of time and storage as the language writes them.

use super::value::Value;

/// Seconds in `"90s"`, `"10m"`, `"12h"`, `"14d"`.
pub fn duration(text: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    amount(text, &units).ok_or_else(|| {
        format!(
            "{text:?} is no amount of time: a whole number and s, m, h or d, such as \"90s\", \
             \"10m\", \"12h\" or \"14d\""
        )
    })
}

/// GiB in `"200GiB"`, `"2TiB"`.
pub fn size(text: &str) -> Result<u64, String> {
    let units = [("GiB", 1), ("TiB", 1_024), ("PiB", 1_048_576)];
    amount(text, &units).ok_or_else(|| {
        format!(
            "{text:?} is no amount of storage: a whole number and GiB, TiB or PiB, such as \
             \"200GiB\" or \"2TiB\""
        )
    })
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl Value {
    /// Seconds, where the schema says [`super::schema::Type::Duration`].
    pub fn seconds(&self) -> Option<u64> {
        duration(self.as_str()?).ok()
    }

    /// GiB, where the schema says [`super::schema::Type::Size`].
    pub fn gib(&self) -> Option<u64> {
        size(self.as_str()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, expect) in
            [("90s", 90), ("10m", 600), ("12h", 43_200), ("14d", 1_209_600), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(expect), "{text}");
        }
        for (text, expect) in [("200GiB", 200), ("2TiB", 2_048), ("1 TiB", 1_024)] {
            assert_eq!(size(text), Ok(expect), "{text}");
        }
        for text in ["", "10", "m", "1.5h", "-1h", "10 minutes", "99999999999999999999d", "1w"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["200GB", "200", "GiB", "1gib", "18446744073709551615PiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
