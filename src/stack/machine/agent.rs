//! Where a node gets its agent from.

use crate::lang::Evaluated;
use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::stack::expansion::Expansion;

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "agent",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "url",
            Type::String,
            "Where a node fetches the `mlinfra` binary: `https://…`, or `s3://BUCKET/KEY`, which \
             its role may then read, as far as the bucket lets it.",
        )
        .required(),
        Attribute::new("sha256", Type::String, "The binary's checksum; another is not run.")
            .required(),
    ],
    blocks: &[],
    exports: &[],
    doc: "The node agent (`mlinfra node`): it tells by tags whether its node is ready, busy or \
          idle, finishes jobs before it powers off, and passes spot notices on to them.",
};

/// The bucket and the key of a URL of S3.
pub(super) fn object(url: &str) -> Option<(&str, &str)> {
    let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

/// The ARN of the agent's binary, where that is an object of S3.
pub(in crate::stack) fn arn(block: &Evaluated, partition: &str) -> Option<String> {
    let url = block.nested("agent").next()?.attr("url")?.as_str()?;
    let (bucket, key) = object(url)?;
    Some(format!("arn:{partition}:s3:::{bucket}/{key}"))
}

/// Where the agent comes from, and its checksum.
pub(super) fn read(x: &mut Expansion<'_>, block: &Evaluated) -> Option<(String, String)> {
    let written = block.nested("agent").next()?;
    let (url, sum) = (written.attr("url")?, written.attr("sha256")?);
    let (of_url, of_sum) = (url.as_str()?.to_owned(), sum.as_str()?.to_ascii_lowercase());
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._-~%+=:@".contains(c);
    let scheme = of_url.starts_with("https://") || object(&of_url).is_some();
    let problem = format!("{of_url:?} is no place for a binary");
    let help = "write https://… or s3://BUCKET/KEY of letters, digits and /._-~%+=:@";
    x.check(url, (!scheme || !of_url.chars().all(fine)).then_some(problem), help);
    let hex = of_sum.len() == 64 && of_sum.chars().all(|c| c.is_ascii_hexdigit());
    let problem = "this is no SHA-256 checksum".to_owned();
    x.check(sum, (!hex).then_some(problem), "write the 64 digits that `sha256sum` prints");
    if object(&of_url).is_some()
        && let Some(cluster) = &block.address
    {
        // No link says so: a node must have the right when it boots.
        let (template, role) = (cluster.with_part("template"), cluster.with_part("role"));
        x.desired.after.entry(template).or_default().insert(role);
    }
    Some((of_url, of_sum))
}
