//! Names in the cloud, computed from names in the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::cloud::OBJECTS;
use crate::kinds::{Home, Tags};
use crate::model::{Address, Key, StackName, tags};

/// What every block needs to know of its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// The stack.
    pub stack: StackName,
    /// Account and region.
    pub home: Home,
    /// Tags that every object of the stack gets.
    pub tags: Tags,
    /// Objects that have moved, and the address that their names were computed from: names
    /// do not change.
    pub origins: Arc<Origins>,
}

/// Where an object is declared → the address that its name was computed from.
pub type Origins = BTreeMap<Address, Address>;

/// Shortens a name that is too long, keeping it unique by a checksum at its end.
pub fn fit(name: &str, longest: usize) -> String {
    if name.len() <= longest {
        return name.to_owned();
    }
    let head: String = name.chars().take(longest.saturating_sub(9)).collect();
    format!("{head}-{}", checksum(name))
}

fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// `train`, `train-eu` for a key, `base-train` in a module. A key that has to be written
/// otherwise gets a checksum behind it: "a.b" and "a-b" are two objects.
pub(super) fn block_name(address: &Address) -> String {
    let mut out = String::with_capacity(48);
    let mut changed = false;
    for module in &address.module {
        push(&mut out, module.name.as_str());
        changed |= push_key(&mut out, module.key.as_ref());
    }
    push(&mut out, address.name.as_str());
    changed |= push_key(&mut out, address.key.as_ref());
    if changed {
        out.push('-');
        out.push_str(&checksum(&address.owner().to_tag()));
    }
    out
}

/// Adds a word; says whether it had to be written otherwise.
fn push(out: &mut String, word: &str) -> bool {
    if !out.is_empty() {
        out.push('-');
    }
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    out.extend(word.chars().map(|c| c.to_ascii_lowercase()).map(|c| if fine(c) { c } else { '-' }));
    !word.chars().all(fine)
}

fn push_key(out: &mut String, key: Option<&Key>) -> bool {
    match key {
        None => false,
        Some(Key::Index(index)) => push(out, &index.to_string()),
        Some(Key::Name(name)) => push(out, name),
    }
}

impl Here {
    /// The address that an object's name is computed from.
    pub fn origin<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.origins.get(address).unwrap_or(address)
    }

    /// The name of an object that is unique in the account and region: `llm-train`.
    pub fn name(&self, address: &Address, suffix: &str, longest: usize) -> String {
        let name = block_name(self.origin(address));
        fit(&format!("{}-{name}{suffix}", self.stack), longest)
    }

    /// A bucket's name in the account's own namespace, which ends in
    /// `-<account>-<region>-an`: nobody else can take it, before us or after us
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
    pub fn bucket(&self, address: &Address) -> String {
        let Home { account, region } = &self.home;
        let tail = format!("-{account}-{region}-an");
        let name = block_name(self.origin(address));
        let head = fit(&format!("{}-{name}", self.stack), 63 - tail.len());
        format!("{head}{tail}")
    }

    /// The same for a bucket whose objects are ours, which is found by another beginning.
    pub fn bucket_of_objects(&self, address: &Address) -> String {
        let Home { account, region } = &self.home;
        let tail = format!("-{account}-{region}-an");
        let name = block_name(self.origin(address));
        let head = fit(&format!("{}-{OBJECTS}-{name}", self.stack), 63 - tail.len());
        format!("{head}{tail}")
    }

    /// A role's or profile's name: unique in the account, whatever the region.
    pub fn role(&self, address: &Address) -> String {
        let name = block_name(self.origin(address));
        fit(&format!("{}-{name}-{}", self.stack, self.home.region), 64)
    }

    /// What a part of a cluster says that it is for. It cannot change everywhere, so it
    /// stays when the cluster moves.
    pub fn nodes_of(&self, part: &Address) -> String {
        // EC2 takes no quotes here.
        format!("Nodes of {} in stack {}", self.origin(part).owner().to_tag(), self.stack)
    }

    /// The path under which roles of this stack are found again.
    pub fn path(&self) -> String {
        format!("/mlinfra/{}/{}/", self.home.region, self.stack)
    }

    /// The stack's tags, the block's, and a name for consoles.
    pub fn tags(&self, address: &Address, own: &Tags) -> Tags {
        let mut all = self.tags.clone();
        all.extend(own.clone());
        all.entry(tags::NAME.to_owned()).or_insert_with(|| tags::name(&self.stack, address));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cloud::Scope;

    #[test]
    fn long_names_stay_apart() {
        let (a, b) =
            (fit(&format!("{}a", "x".repeat(80)), 64), fit(&format!("{}b", "x".repeat(80)), 64));
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
        assert_eq!(fit("short", 64), "short");
    }

    #[test]
    fn keys_and_modules_are_part_of_names() {
        let name = |text: &str| block_name(&text.parse().expect("an address"));
        assert_eq!(name("bucket.data[\"eu\"]"), "data-eu");
        assert_eq!(name("bucket.data[7]"), "data-7");
        assert_eq!(name("module.base.module.t[\"x\"].bucket.my_data"), "base-t-x-my-data");
        let keys = ["a.b", "a-b", "A-B", "a b", "ä-b", "a_b"];
        let names: std::collections::BTreeSet<String> =
            keys.iter().map(|key| name(&format!("bucket.x[{key:?}]"))).collect();
        assert_eq!(names.len(), keys.len(), "{names:?}");
        assert!(names.contains("x-a-b"));
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(fine)), "{names:?}");
    }

    #[test]
    fn a_bucket_s_name_fits_in_every_region() {
        let here = Here {
            stack: StackName::from("a-stack-with-quite-a-long-name"),
            home: Home { account: "123456789012".into(), region: "ap-southeast-1".into() },
            tags: Tags::new(),
            origins: Arc::default(),
        };
        let address = Address::from_tag("bucket.checkpoints-of-everything").expect("an address");
        let name = here.bucket(&address);
        assert!(name.len() <= 63 && name.ends_with("-123456789012-ap-southeast-1-an"), "{name}");
    }

    #[test]
    fn shortened_names_of_buckets_are_found_by_the_prefix_that_is_searched() {
        let address = Address::from_tag("module.platform.bucket.checkpoints").expect("an address");
        for length in 1..=40 {
            for region in ["us-east-1", "ap-southeast-1"] {
                let stack = StackName::from("x".repeat(length).as_str());
                let home = Home { account: "123456789012".into(), region: region.into() };
                let scope =
                    Scope { stack: stack.clone(), home: home.clone(), names: BTreeSet::new() };
                let here = Here { stack, home, tags: Tags::new(), origins: Arc::default() };
                let name = here.bucket(&address);
                assert!(name.starts_with(&scope.bucket_prefix()), "{name}");
                assert!(scope.bucket_prefix().len() >= length.min(20), "{}", scope.bucket_prefix());
                let name = here.bucket_of_objects(&address);
                assert!(name.starts_with(&scope.object_prefix()), "{name}");
            }
        }
    }
}
