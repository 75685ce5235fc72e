//! `kms_key`: the key that encrypts a disk or a file system.

use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, Type};

use super::expansion::Expansion;

/// The attribute. What AWS itself needs of the key is the key's policy: ours to name, not to set
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html>).
pub(super) const ATTRIBUTE: Attribute = Attribute::new(
    "kms_key",
    Type::String,
    "ARN of the KMS key that encrypts it; without it AWS's own key does. It cannot change in place.",
);

/// Reads it: a key of the region by its ARN. AWS answers with the ARN, whatever it was asked by,
/// so that an alias would never be what is seen.
pub(super) fn key(x: &mut Expansion<'_>, block: &Evaluated) -> Option<String> {
    let written = block.attr("kms_key")?;
    let arn = written.as_str()?.to_owned();
    let (partition, region) = (x.here.home.partition(), x.here.home.region.clone());
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let problem = match parts.as_slice() {
        ["arn", part, "kms", place, account, key]
            if *part == partition
                && account.len() == 12
                && account.chars().all(|digit| digit.is_ascii_digit())
                && key.strip_prefix("key/").is_some_and(|id| !id.is_empty()) =>
        {
            (*place != region.as_str()).then(|| format!("{arn} is not in {region}"))
        }
        _ => Some(format!("{arn:?} is no ARN of a KMS key")),
    };
    let help = format!("write one, such as \"arn:{partition}:kms:{region}:123456789012:key/...\"");
    x.check(written, problem, &help);
    Some(arn)
}
