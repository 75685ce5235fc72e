//! The regions that AWS has: a name that is nearly one of them is a slip.
//!
//! <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>, as
//! known in 2026-01. A region that is newer is taken when it has the shape of one.

/// Regions of every public partition.
const REGIONS: &[&str] = &[
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
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
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

/// Why a name is no region, and what to write.
pub fn region_slip(name: &str) -> Option<(String, String)> {
    if REGIONS.contains(&name) || is_shaped(name) {
        return None;
    }
    Some(match nearest(name) {
        Some(known) => (format!("there is no region {name:?}"), format!("did you mean {known}?")),
        None => {
            let help = "write one such as us-east-1 or eu-west-1".to_owned();
            (format!("{name:?} is no region"), help)
        }
    })
}

/// A name that could be a region's and is none that is known: what may be meant by it.
pub fn region_doubt(name: &str) -> Option<String> {
    if REGIONS.contains(&name) || !is_shaped(name) {
        return None;
    }
    let newer = "A region that is newer than this mlinfra may be used all the same";
    Some(match nearest(name) {
        Some(known) => format!("did you mean {known}? {newer}"),
        None => newer.to_owned(),
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let all = REGIONS.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known));
    all.filter(|(distance, _)| *distance <= 3).min().map(|(_, known)| known)
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
    fn a_slip_is_named_and_a_new_region_is_doubted_and_taken() {
        assert_eq!(region_slip("eu-west-1"), None);
        let (slip, help) = region_slip("eu-wset-1").expect("a slip");
        assert_eq!(slip, "there is no region \"eu-wset-1\"");
        assert_eq!(help, "did you mean eu-west-1?");
        for (slip, meant) in
            [("us-east1", "us-east-1"), ("us-east-1a", "us-east-1"), ("us-eats-1", "us-east-1")]
        {
            let (_, help) = region_slip(slip).expect("a slip");
            assert_eq!(help, format!("did you mean {meant}?"));
            assert_eq!(region_doubt(slip), None, "it is told once");
        }
        for known in ["us-gov-east-1", "cn-north-1", "ap-southeast-5"] {
            assert_eq!((region_slip(known), region_doubt(known)), (None, None), "{known}");
        }
        for new in ["nz-central-1", "us-iso-east-1"] {
            assert_eq!(region_slip(new), None);
            assert!(region_doubt(new).expect("a doubt").contains("newer"), "{new}");
        }
        assert!(region_doubt("us-west-3").expect("a doubt").starts_with("did you mean us-west-1?"));
        for bad in ["", "frankfurt", "eu", "xx--1", "a-b-c"] {
            assert!(region_slip(bad).is_some(), "{bad}");
        }
    }
}
