//! “did you mean …?” and short lists of what exists.

/// The nearest of some names, when one is near enough to be meant.
pub(crate) fn nearest<'n>(
    given: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let lower = given.to_lowercase();
    let length = given.chars().count();
    let allowed = match length {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by(|a, b| a.cmp(b))
        .map(|(_, name)| name)
}

/// Help for a name that does not exist: the nearest, or all when they are few.
pub(crate) fn help(given: &str, what: &str, names: &[&str]) -> String {
    // Comparing with ten thousand names for each of fifty problems would be felt.
    if let Some(name) = nearest(given, names.iter().copied().take(2_000)) {
        return format!("did you mean {name:?}?");
    }
    list(what, names)
}

/// `known attributes: a, b, c`; empty when there are none or too many.
pub(crate) fn list(what: &str, names: &[&str]) -> String {
    if names.is_empty() || names.len() > 24 {
        return String::new();
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    format!("{what}: {}", sorted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["versioning", "tags", "expire", "id"];
        assert_eq!(nearest("versionning", names), Some("versioning"));
        assert_eq!(nearest("tag", names), Some("tags"));
        assert_eq!(nearest("ID", names), Some("id"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(help("zzzzzz", "attributes", &["b", "a"]), "attributes: a, b");
    }
}
