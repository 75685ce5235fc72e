//! The regions that AWS has: a name that is nearly one of them is a slip.
//!
//! <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>, as
//! known in 2026-01. A region that is newer is taken when it has the shape of one.

/// Regions of the commercial partition.
pub(super) const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Where in a part of the world a region lies, as AWS says it.
const SIDES: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// Why a name is no region.
pub(super) fn wrong(name: &str) -> Option<String> {
    if REGIONS.contains(&name) || is_shaped(name) {
        return None;
    }
    let near = REGIONS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    Some(match near {
        Some((_, known)) => format!("there is no region {name:?}; did you mean {known}?"),
        None => format!("{name:?} is no region: write one such as us-east-1 or eu-west-1"),
    })
}

/// `eu-west-1`, `us-gov-east-1`
fn is_shaped(name: &str) -> bool {
    let words: Vec<&str> = name.split('-').collect();
    let ([first, side, last] | [first, _, side, last]) = words.as_slice() else { return false };
    let letters = |word: &str| word.bytes().all(|letter| letter.is_ascii_lowercase());
    first.len() == 2
        && words.iter().take(words.len() - 1).all(|word| letters(word))
        && SIDES.contains(side)
        && matches!(last.as_bytes(), [b'1'..=b'9'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_named_and_a_new_region_is_taken() {
        assert_eq!(wrong("eu-west-1"), None);
        let slip = wrong("eu-wset-1").expect("a slip");
        assert_eq!(slip, "there is no region \"eu-wset-1\"; did you mean eu-west-1?");
        assert!(wrong("us-east1").expect("a slip").ends_with("did you mean us-east-1?"));
        assert!(wrong("us-east-1a").expect("a zone").ends_with("did you mean us-east-1?"));
        assert_eq!(wrong("us-gov-east-1"), None);
        assert_eq!(wrong("nz-central-1"), None);
        for bad in ["", "frankfurt", "eu", "xx--1", "a-b-c"] {
            assert!(wrong(bad).is_some(), "{bad}");
        }
    }
}
