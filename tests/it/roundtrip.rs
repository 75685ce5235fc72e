//! The round trip through the real SDK: boto3 judges what the binary did.

use std::path::PathBuf;
use std::process::Command;

#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn boto3_finds_what_was_declared_and_nothing_after_destroy() {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(peers.join("bin/python"))
        .arg(root.join("tests/peer/roundtrip.py"))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(root.join("examples/quickstart/main.hcl"))
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}{complained}");
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.trim_end().ends_with("round trip: all of it holds"));
}
