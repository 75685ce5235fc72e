//! Every kind of source, and who makes one.

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "redis")]
use super::redis;
use super::trouble::{Trouble, What};
use super::wanted::{Opened, Wanted, World};
use super::work::Bounds;
#[cfg(feature = "http")]
use super::{http, prometheus};
use super::{program, slurm, sqs};
use crate::stack;

/// A kind of source, and who makes one.
type Row = (&'static str, fn(&Wanted<'_>) -> Opened);

/// Every kind.
const KINDS: &[Row] = &[
    #[cfg(feature = "http")]
    ("http", http::open),
    #[cfg(feature = "postgres")]
    ("postgres", postgres::open),
    ("program", program::open),
    #[cfg(feature = "http")]
    ("prometheus", prometheus::open),
    #[cfg(feature = "redis")]
    ("redis", redis::open),
    ("slurm", slurm::open),
    ("sqs", sqs::open),
];

/// Makes a source ready, which asks nobody yet: what is missing here is told before a service
/// begins its work, and not in the middle of a night.
pub fn open(source: &stack::Source, bounds: Bounds, world: World<'_>) -> Opened {
    let wanted = Wanted { source, bounds, world };
    match KINDS.iter().find(|(kind, _)| *kind == source.kind) {
        Some((_, open)) => open(&wanted),
        None => {
            let kind = source.kind;
            let text = format!("this mlinfra was built without the feature {kind:?}");
            Err(Trouble::new(What::Setup, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, Value as Json, json};

    use super::*;

    fn opened(kind: &'static str, settings: Map<String, Json>) -> Result<(), Trouble> {
        let job = stack::Job::default();
        let name = kind.to_owned();
        let source =
            stack::Source { kind, name, job, timeout: 5, most: 10, tells_running: false, settings };
        let bounds = Bounds { job, most: 10, gpus: None, nodes: 1 };
        let world = World { env: &|_| None, folder: Path::new("/"), queues: None };
        open(&source, bounds, world).map(drop)
    }

    /// A reader that does not know an attribute of its block would fail at night.
    #[test]
    fn every_reader_knows_what_its_block_may_hold() {
        for (kind, names) in stack::own_settings() {
            let value = |name: &str| match name {
                "partitions" | "command" => json!(["a"]),
                "oldest_age" | "cleartext" => json!(true),
                "url" => json!("http://localhost/0"),
                _ => json!("a"),
            };
            let of = |name: &&&str| **name != "queue";
            let settings = names.iter().filter(of).map(|name| ((*name).to_owned(), value(name)));
            let told = opened(kind, settings.collect());
            // Without its feature a kind is not read; there is no AWS and no file here.
            if let Err(trouble) = told {
                assert!(!trouble.text.contains("its block"), "{kind}: {trouble}");
            }
        }
    }

    #[test]
    fn what_is_not_built_in_is_told() {
        let trouble = opened("kafka", Map::new()).expect_err("no Kafka");
        assert_eq!(trouble.text, "this mlinfra was built without the feature \"kafka\"");
        let trouble = opened("sqs", Map::new()).expect_err("no AWS");
        assert_eq!(trouble.what, What::Setup);
    }
}
