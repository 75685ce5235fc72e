//! The binary through the real SDK: boto3 judges what it did, and is the others.

use std::path::PathBuf;
use std::process::Command;

/// A peer that plays with the quickstart and says in its last line that all is well.
fn play(script: &str, last: &str) {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(peers.join("bin/python"))
        .arg(root.join("tests/peer").join(script))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(root.join("examples/quickstart/main.hcl"))
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}{complained}");
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.trim_end().ends_with(last));
}

#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn boto3_finds_what_was_declared_and_nothing_after_destroy() {
    play("roundtrip.py", "round trip: all of it holds");
}

#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn what_others_did_meanwhile_is_noticed() {
    play("sessions.py", "sessions: all of it holds");
}

#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn the_ledger_s_bucket_is_made_safely_by_init() {
    play("init.py", "init: all of it holds");
}
