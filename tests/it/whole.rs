//! The whole language: one stack with every block, applied, changed once in every kind of
//! block, rolled and destroyed; in the simulated region, and on moto with boto3 looking.

use std::path::{Path, PathBuf};
use std::process::Command;

use mlinfra::lang::schema::BlockSchema;
use mlinfra::model::Block;
use mlinfra::stack::BLOCKS;

fn stack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/whole")
}

/// A copy of the stack in which the binary works.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(folder.0.path().join("store")).expect("a folder");
        for file in ["main.hcl", "more.hcl", "store/main.hcl"] {
            std::fs::copy(stack().join(file), folder.0.path().join(file)).expect("a copy");
        }
        folder
    }

    fn run(&self, args: &[&str], code: i32) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
            .current_dir(self.0.path())
            .env("MLINFRA_SANDBOX", "1")
            .env("NO_COLOR", "1")
            .args(args)
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}{complained}");
        said
    }

    /// What others have made: its id.
    fn create(&self, kind: &str, fields: &str, tag: &str) -> String {
        let mut args = vec!["sandbox", "create", kind, fields];
        if !tag.is_empty() {
            args.extend(["--tag", tag]);
        }
        let said = self.run(&args, 0);
        let id = said.trim().trim_end_matches('.').rsplit(' ').next().expect("an id");
        id.to_owned()
    }
}

/// The stack has every block that becomes objects.
#[test]
fn the_whole_stack_has_every_block() {
    let text = std::fs::read_to_string(stack().join("main.hcl")).expect("the stack");
    for block in Block::ALL {
        assert!(text.contains(&format!("\n{} \"", block.word())), "no {}", block.word());
    }
}

/// What becomes nothing of AWS by itself, or is shown elsewhere.
const ELSEWHERE: [(&str, &str); 13] = [
    ("stack.backend", "the bucket of the ledger: `bucket`, `aws_ledger`"),
    ("network.nat", "a network without the way out: `aws_network`"),
    ("volume.snapshot", "it must exist: `storage`"),
    ("filesystem.kms_key", "`keys`"),
    ("cluster.autoscale.source", "what the service asks: `demand`"),
    ("service.subnets", "as a cluster's"),
    ("service.instance_types", "as a cluster's"),
    ("service.accelerators", "as a cluster's"),
    ("service.agent", "as a cluster's"),
    ("lookup", "the ways to find something: `aws_lookup`"),
    ("adopt", "it must exist: `adopt`"),
    ("forget", "it must have been there: `hands`"),
    ("moved", "it must have been elsewhere: `moved`"),
];

/// Attributes and nested blocks that no block of the stack has.
fn missing(
    schema: &BlockSchema,
    written: &[&hcl_edit::structure::Body],
    at: &str,
    out: &mut Vec<String>,
) {
    // The word of a source is followed by its kind.
    let is = |one: &str, at: &str| at == one || at.starts_with(&format!("{one} "));
    let elsewhere = |at: &str| ELSEWHERE.iter().any(|(one, _)| is(one, at));
    if elsewhere(at) {
        return;
    }
    for attribute in schema.attributes {
        let path = format!("{at}.{}", attribute.name);
        if !elsewhere(&path) && !written.iter().any(|body| body.has_attribute(attribute.name)) {
            out.push(path);
        }
    }
    for inner in schema.blocks {
        let bodies: Vec<_> = written
            .iter()
            .flat_map(|body| body.get_blocks(inner.word))
            .map(|it| &it.body)
            .collect();
        missing(inner, &bodies, &format!("{at}.{}", inner.word), out);
    }
}

/// And every nested block and attribute of these.
#[test]
fn the_whole_stack_has_every_attribute() {
    let texts = ["main.hcl", "more.hcl"].map(|file| {
        let text = std::fs::read_to_string(stack().join(file)).expect("the stack");
        text.parse::<hcl_edit::structure::Body>().expect("HCL")
    });
    let mut out = Vec::new();
    let becomes =
        |word: &str| ["stack"].contains(&word) || Block::ALL.iter().any(|it| it.word() == word);
    for schema in BLOCKS.iter().filter(|schema| becomes(schema.word)) {
        let bodies: Vec<_> = texts
            .iter()
            .flat_map(|text| text.get_blocks(schema.word))
            .map(|block| &block.body)
            .collect();
        missing(schema, &bodies, schema.word, &mut out);
    }
    assert_eq!(out, Vec::<String>::new(), "write them into tests/peer/whole/more.hcl");
}

#[test]
fn every_block_is_applied_changed_rolled_and_destroyed() {
    let folder = Folder::new();
    folder.run(&["sandbox", "set", "account", "123456789012"], 0);
    let image = "image.Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20261101";
    folder.run(&["sandbox", "set", image, "ami-0d1a0000000000001"], 0);
    let vpc = "{\"cidr\": \"10.90.0.0/16\", \"dns_support\": true, \"dns_hostnames\": true}";
    let vpc = folder.create("vpc", vpc, "Name=shared");
    for (number, zone) in ["a", "b"].iter().enumerate() {
        let subnet = format!(
            "{{\"vpc\": {{\"$id\": \"{vpc}\"}}, \"cidr\": \"10.90.{number}.0/24\", \
             \"zone\": \"us-east-1{zone}\", \"public_ips\": false}}"
        );
        folder.create("subnet", &subnet, "tier=private");
    }
    let corpus = "{\"name\": \"acme-corpus\", \"versioning\": true, \"encryption\": null, \
                  \"public_access_block\": true, \"ownership\": null, \"policy\": null, \
                  \"lifecycle\": [], \"precious\": true}";
    folder.create("bucket", corpus, "");

    let changed = ["--var", "changed=true"];
    let rolled = ["--var", "changed=true", "--var", "image=al2023", "--var", "release=v2"];
    for vars in [&[][..], &changed[..], &rolled[..]] {
        let with = |args: &[&'static str]| [args, vars].concat();
        folder.run(&with(&["plan", "--detailed-exitcode"]), 2);
        folder.run(&with(&["apply", "--yes"]), 0);
        folder.run(&with(&["plan", "--detailed-exitcode"]), 0);
    }
    let nodes = folder.run(&["nodes", "--json"], 0);
    let nodes: serde_json::Value = serde_json::from_str(&nodes).expect("JSON");
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(7));
    // The former configuration comes back, and what is there then is what was there then.
    folder.run(&["rollback", "2", "--yes"], 0);
    folder.run(&[&["plan", "--detailed-exitcode"][..], &changed].concat(), 0);
    let said = folder.run(&[&["destroy", "--yes"][..], &changed].concat(), 0);
    assert!(said.contains("nothing of the stack is left"), "{said}");
}

/// The binary through the real SDK, on moto: boto3 looks.
#[cfg(feature = "aws")]
#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn boto3_finds_every_block_changed_rolled_and_gone() {
    let output = Command::new(crate::moto::peers().join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/whole.py"))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(stack().join("main.hcl"))
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}{complained}");
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.trim_end().ends_with("the whole language: all of it holds"));
}
