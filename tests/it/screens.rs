//! Plans for other readers before their readers, and `top` on a terminal.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs one of the peers, and hears that all of it holds.
fn peer(name: &str, more: &[&Path]) {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(peers.join("bin/python"))
        .arg(root.join(format!("tests/peer/{name}.py")))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(root.join("examples/quickstart/main.hcl"))
        .args(more)
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{name}: all of it holds")), "{said}");
}

#[test]
#[ignore = "needs a browser, a renderer of Markdown, a rasteriser, Graphviz: run `make test`"]
fn plans_are_read_by_their_readers() {
    let shots = tempfile::tempdir().expect("a folder");
    let keep = std::env::var_os("MLINFRA_SCREENSHOTS").map(PathBuf::from);
    peer("plans", &[keep.as_deref().unwrap_or(shots.path())]);
}

#[test]
#[ignore = "needs an emulator of terminals: run `make test`"]
fn top_is_driven_on_a_terminal_and_gives_it_back() {
    peer("top", &[]);
}
