//! Documents and pictures that are made from the code say what the code says.

use std::process::Command;

#[test]
fn the_reference_is_made_from_the_tables() {
    let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
        .args(["schema", "--markdown"])
        .output()
        .expect("the binary runs");
    let now = String::from_utf8(output.stdout).expect("text");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let written = std::fs::read_to_string(path).expect("docs/reference.md");
    assert!(now == written, "docs/reference.md is not up to date: run `make docs`");
}

/// The picture of the README is of what its readers try first.
#[test]
fn the_picture_is_of_the_quickstart() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = env!("CARGO_MANIFEST_DIR");
    let stack = folder.path().join("main.hcl");
    std::fs::copy(format!("{root}/examples/quickstart/main.hcl"), stack).expect("copied");
    let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
        .args(["plan", "--sandbox", "--format", "svg"])
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    let now = String::from_utf8(output.stdout).expect("text");
    let written = std::fs::read_to_string(format!("{root}/docs/plan.svg")).expect("it");
    assert!(now == written, "docs/plan.svg is not up to date: run `make docs`");
}

/// What stands in the pages on sources is typed into somebody's stack tomorrow.
#[test]
fn examples_of_the_pages_are_valid() {
    let page = include_str!("../../docs/sources.md");
    let examples: Vec<&str> = page
        .split("```hcl\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("an end"))
        .collect();
    assert!(examples.len() >= 8, "{examples:?}");
    for example in examples {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "stack \"s\" {{\n  region = \"us-east-1\"\n}}\n\nnetwork \"main\" {{\n  \
             cidr = \"10.0.0.0/16\"\n}}\n\nqueue \"training\" {{\n  job = {{ gpus = 8, nodes = 2 }}\n}}\n\n\
             cluster \"train\" {{\n  network      = network.main\n  accelerators = \"H100:8\"\n  \
             nodes        = {{ min = 0, max = 16 }}\n\n  autoscale {{\n{example}  }}\n}}\n"
        );
        std::fs::write(folder.path().join("main.hcl"), text).expect("a file");
        let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
            .args(["validate"])
            .env("NO_COLOR", "1")
            .current_dir(folder.path())
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{example}\n{said}");
    }
}
