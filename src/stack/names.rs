//! Names in the cloud, computed from names in the configuration.

use sha2::{Digest, Sha256};

use crate::kinds::{Home, Tags};
use crate::model::{Address, StackName};

/// What every block needs to know of its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// The stack.
    pub stack: StackName,
    /// Account and region.
    pub home: Home,
    /// Tags that every object of the stack gets.
    pub tags: Tags,
}

/// Shortens a name that is too long, keeping it unique by a checksum at its end.
pub fn fit(name: &str, longest: usize) -> String {
    if name.len() <= longest {
        return name.to_owned();
    }
    let sum: String =
        Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let head: String = name.chars().take(longest.saturating_sub(9)).collect();
    format!("{head}-{sum}")
}

/// `train`, `train-eu` for a key, `base-train` in a module.
fn block_name(address: &Address) -> String {
    let mut words: Vec<&str> = address.module.iter().map(|name| name.as_str()).collect();
    words.push(address.name.as_str());
    if let Some(key) = &address.key {
        words.push(&key.0);
    }
    let joined = words.join("-").to_lowercase();
    joined.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect()
}

impl Here {
    /// The name of an object that is unique in the account and region: `llm-train`.
    pub fn name(&self, address: &Address, suffix: &str, longest: usize) -> String {
        fit(&format!("{}-{}{suffix}", self.stack, block_name(address)), longest)
    }

    /// A bucket's name in the account's own namespace, which ends in
    /// `-<account>-<region>-an`: nobody else can take it, before us or after us
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
    pub fn bucket(&self, address: &Address) -> String {
        let Home { account, region } = &self.home;
        let tail = format!("-{account}-{region}-an");
        let head = fit(&format!("{}-{}", self.stack, block_name(address)), 63 - tail.len());
        format!("{head}{tail}")
    }

    /// A role's or profile's name: unique in the account, whatever the region.
    pub fn role(&self, address: &Address) -> String {
        let name = format!("{}-{}-{}", self.stack, block_name(address), self.home.region);
        fit(&name, 64)
    }

    /// The path under which roles of this stack are found again.
    pub fn path(&self) -> String {
        format!("/mlinfra/{}/{}/", self.home.region, self.stack)
    }

    /// The stack's tags, the block's, and a name for consoles.
    pub fn tags(&self, address: &Address, own: &Tags) -> Tags {
        let mut tags = self.tags.clone();
        tags.extend(own.clone());
        let name = format!("{}/{}", self.stack, address.to_tag());
        tags.entry("Name".to_owned()).or_insert(name);
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_apart() {
        let (a, b) =
            (fit(&format!("{}a", "x".repeat(80)), 64), fit(&format!("{}b", "x".repeat(80)), 64));
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
        assert_eq!(fit("short", 64), "short");
    }

    #[test]
    fn a_bucket_s_name_fits_in_every_region() {
        let here = Here {
            stack: StackName::from("a-stack-with-quite-a-long-name"),
            home: Home { account: "123456789012".into(), region: "ap-southeast-1".into() },
            tags: Tags::new(),
        };
        let address = Address::from_tag("bucket.checkpoints-of-everything").expect("an address");
        let name = here.bucket(&address);
        assert!(name.len() <= 63 && name.ends_with("-123456789012-ap-southeast-1-an"), "{name}");
    }
}
