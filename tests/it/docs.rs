//! Documents that are made from the code say what the code says.

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
