//! `backend`: where the stack's ledger and lock are kept, when not beside the stack.

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};
use crate::model::{AccountId, Problem, Region};

use super::wrong::wrong;

/// The only kind of backend.
const S3: &str = "s3";
/// The folder in the bucket when none is written.
const PREFIX: &str = "mlinfra";
/// How long a lock outlives its process when the block does not say.
const LEASE: u64 = 60;

/// The table of the block.
pub(super) const SCHEMA: BlockSchema = BlockSchema {
    word: "backend",
    label: Some("the kind of store: `s3`"),
    repeats: false,
    attributes: &[
        Attribute::new("bucket", Type::String, "The S3 bucket, which must exist.").required(),
        Attribute::new(
            "prefix",
            Type::String,
            "The folder in the bucket; each stack has a folder of its own name in it.",
        )
        .or("\"mlinfra\""),
        Attribute::new("region", Type::String, "The bucket's region.").or("the stack's"),
        Attribute::new(
            "account",
            Type::String,
            "The account that owns the bucket; a bucket of any other is refused.",
        )
        .or("the stack's"),
        Attribute::new(
            "kms_key",
            Type::String,
            "ARN of the KMS key that encrypts the ledger; without it the bucket's default does.",
        ),
        Attribute::new(
            "lease",
            Type::Duration,
            "How long the lock of a process that has died keeps others waiting, from 1s to 1h.",
        )
        .or("\"60s\""),
    ],
    blocks: &[],
    exports: &[],
    doc: "Keeps ledger and lock in an S3 bucket, for stacks that are applied from more than one \
          machine. Without it they are kept in the folder `.mlinfra/` beside the stack. With \
          `--sandbox` the bucket is a folder of the simulated world: no AWS is asked.",
};

/// A ledger in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The bucket.
    pub bucket: String,
    /// The stack's folder in it, without slashes at its ends.
    pub folder: String,
    /// Where the bucket is.
    pub region: Region,
    /// Whose it is; the stack's account when none is written.
    pub account: Option<AccountId>,
    /// What encrypts it.
    pub kms_key: Option<String>,
    /// Seconds for which a lock lasts without a sign of life.
    pub lease: u64,
}

/// Reads the block of a `stack`.
pub(super) fn of(stack: &Evaluated) -> Option<Backend> {
    let block = stack.blocks.iter().find(|inner| inner.word == SCHEMA.word)?;
    let text = |name: &str| block.attr(name).and_then(Value::as_str).map(str::to_owned);
    let region = text("region").or_else(|| stack.attr("region")?.as_str().map(str::to_owned));
    let prefix = text("prefix").unwrap_or_else(|| PREFIX.to_owned());
    let stack = stack.label.clone().unwrap_or_default();
    let folder = if prefix.is_empty() { stack } else { format!("{prefix}/{stack}") };
    Some(Backend {
        bucket: text("bucket").unwrap_or_default(),
        folder,
        region: Region(region.unwrap_or_default()),
        account: text("account").map(AccountId),
        kms_key: text("kms_key"),
        lease: block.attr("lease").and_then(Value::seconds).unwrap_or(LEASE),
    })
}

/// Problems of the block.
pub(super) fn check(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some(block) = stack.blocks.iter().find(|inner| inner.word == SCHEMA.word) else { return };
    let label = block.label.as_deref().unwrap_or_default();
    if label != S3 {
        let text = format!("there is no backend {label:?}");
        let help = "write backend \"s3\"; without the block the ledger is kept beside the stack";
        problems.push(Problem::error("S001", text).help(help).at(&block.span, ""));
    }
    let mut judge = |name: &str, fine: &dyn Fn(&str) -> bool, help: &str| {
        let Some(value) = block.attr(name) else { return };
        if let Some(text) = value.as_str().filter(|text| !fine(text)) {
            problems.push(wrong(value, format!("{text:?} cannot be the backend's {name}"), help));
        }
    };
    judge("bucket", &is_bucket, "a bucket's name has 3 to 63 of a-z, 0-9, `-` and `.`");
    let is_prefix = |text: &str| text.is_empty() || text.split('/').all(is_segment);
    let help = "write folders of letters, digits, `-`, `_` and `.`, such as \"teams/ml\"";
    judge("prefix", &is_prefix, help);
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    judge("account", &is_account, "write its twelve digits in quotes");
    if let Some(value) = block.attr("lease")
        && value.seconds().is_some_and(|seconds| !(1..=3600).contains(&seconds))
    {
        problems.push(wrong(value, "the lease is too short or too long", "from \"1s\" to \"1h\""));
    }
}

fn is_bucket(name: &str) -> bool {
    let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (3..=63).contains(&name.len()) && name.bytes().all(sound)
}

fn is_segment(name: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !matches!(name, "" | "." | "..") && name.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use crate::lang::{self, File, Vars};
    use crate::stack::{self, Words};

    fn loaded(body: &str) -> lang::Loaded {
        let text = format!("stack \"s\" {{\n  region = \"us-east-1\"\n{body}\n}}\n");
        let file = File { name: "main.hcl".to_owned(), text };
        lang::load(&[file], &Vars::new(), &Words::default(), None)
    }

    #[test]
    fn a_backend_has_a_folder_for_each_stack() {
        let loaded = loaded("  backend \"s3\" {\n    bucket = \"acme-mlinfra\"\n  }");
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        assert_eq!(stack::check(&loaded).len(), 0);
        let backend = stack::config(&loaded).unwrap().backend.unwrap();
        assert_eq!((backend.folder.as_str(), backend.lease), ("mlinfra/s", 60));
        assert_eq!(backend.region.as_str(), "us-east-1");
        assert_eq!(stack::config(&self::loaded("")).unwrap().backend, None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let backend = |kind: &str, more: &str| {
            let body =
                format!("  backend {kind:?} {{\n    bucket = \"acme-mlinfra\"\n    {more}\n  }}");
            let loaded = loaded(&body);
            assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
            stack::check(&loaded).into_iter().map(|problem| problem.summary).collect::<Vec<_>>()
        };
        assert_eq!(backend("gcs", ""), ["there is no backend \"gcs\""]);
        for more in ["prefix = \"/a\"", "prefix = \"a/../b\"", "account = \"12\"", "lease = \"2h\""]
        {
            assert_eq!(backend("s3", more).len(), 1, "{more}");
        }
        for more in ["prefix = \"\"", "prefix = \"a/b\"", "lease = \"1s\""] {
            assert_eq!(backend("s3", more), Vec::<String>::new(), "{more}");
        }
    }
}
