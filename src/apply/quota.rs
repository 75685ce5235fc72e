//! A launch that a quota has refused: which one, how high it is, and what to ask for.

use crate::catalog::{Catalog, Quota};
use crate::cloud::{Failure, Running};
use crate::kinds::Offer;

use super::hands::Hands;
use super::order::nodes_of;

/// The words in front of the number that is to be asked for.
const ASK: &str = "ask for ";

/// What nodes use of a quota, in vCPUs; what no table knows counts as nothing.
pub fn vcpus_used(catalog: &Catalog, quota: &Quota, running: &Running) -> u64 {
    let each = |name: &str| catalog.get(name).map_or(0, |found| u64::from(found.vcpus));
    let counts = |(name, market)| Catalog::quota(name, market).is_some_and(|it| it == quota);
    let of = running.iter().filter(|((name, market), _)| counts((name, *market)));
    of.map(|((name, _), count)| each(name) * u64::from(*count)).sum()
}

/// The value that a refusal says should be asked for.
pub fn asked(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(ASK)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What is known of a quota that has refused a launch.
struct Told {
    value: Option<u64>,
    used: Option<u64>,
    /// What the launch takes of it.
    need: Option<u64>,
}

impl Told {
    /// In words, with what to ask for; where nobody knows what is in use, as if all of it were.
    fn words(&self, code: &str, nodes: &str) -> String {
        let Self { value, used, need } = self;
        let value_text =
            value.map_or_else(|| "not known here".to_owned(), |it| format!("{it} vCPUs"));
        let mut text = format!("the quota {code} is {value_text}");
        text.extend(used.map(|used| format!(", {used} of them in use")));
        text.extend(need.map(|need| format!(", and {nodes} more take {need}")));
        text.extend(match (value, used, need) {
            // The account may count what ended a moment ago.
            (Some(value), Some(used), Some(need)) => {
                Some(format!(": {ASK}{}", (used + need).max(value + 1)))
            }
            (None, Some(used), Some(need)) => Some(format!(": {ASK}{}", used + need)),
            (Some(value), None, Some(need)) => {
                Some(format!(": {ASK}{}, if all of it is in use", value + need))
            }
            (_, _, None) | (None, None, Some(_)) => None,
        });
        text
    }
}

impl Hands<'_> {
    /// Says which quota it was, how high it is, and how to have it raised.
    pub(super) async fn name_quota(&self, failure: Failure, offer: &Offer, count: u32) -> Failure {
        let Some(quota) = Catalog::quota(&offer.instance_type, offer.market) else {
            return failure;
        };
        let known = self.tables.get(&offer.instance_type);
        // A refusal to tell is no reason to hide what was refused.
        let told = Told {
            value: self.cloud.quota("ec2", &quota.code).await.unwrap_or_default(),
            used: self.cloud.running().await.ok().map(|all| vcpus_used(&self.tables, quota, &all)),
            need: known.map(|known| u64::from(known.vcpus) * u64::from(count)),
        };
        let nodes = nodes_of(usize::try_from(count).unwrap_or(usize::MAX));
        let text = format!("{} ({})", failure.text, told.words(&quota.code, &nodes));
        Failure { text, ..failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: Option<u64>, used: Option<u64>, need: Option<u64>) -> String {
        Told { value, used, need }.words("L-417A185B", "4 nodes")
    }

    #[test]
    fn what_to_ask_for_is_what_is_in_use_and_what_is_wanted() {
        let told = words(Some(800), Some(192), Some(768));
        assert_eq!(
            told,
            "the quota L-417A185B is 800 vCPUs, 192 of them in use, and 4 nodes more take 768: ask \
             for 960"
        );
        assert_eq!(asked(&told), Some(960));
        let told = words(Some(96), None, Some(768));
        assert!(told.ends_with("ask for 864, if all of it is in use"), "{told}");
        assert_eq!(asked(&told), Some(864));
        // Less than there is was refused: what ended a moment ago may still count.
        assert_eq!(asked(&words(Some(800), Some(0), Some(768))), Some(801));
        assert_eq!(asked(&words(None, Some(0), Some(768))), Some(768));
        for told in [words(None, None, Some(768)), words(Some(96), Some(0), None)] {
            assert_eq!(asked(&told), None, "{told}");
        }
    }
}
