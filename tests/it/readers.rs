//! What programs that know nothing of mlinfra make of its JSON.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use mlinfra::serve::autoscale::http::Limits;

use crate::board::board;
use crate::http::{get, run};

#[test]
#[ignore = "needs readers of plans from PyPI: run `make test`"]
fn readers_of_terraform_s_documents_read_ours() {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let status = tempfile::NamedTempFile::new().expect("a file");
    let server = run(&board(300), 0, None, Limits::default());
    std::fs::write(status.path(), get(server.at, "/status")).expect("written");
    let output = Command::new(peers.join("bin/python"))
        .arg(root.join("tests/peer/readers.py"))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(root.join("examples/quickstart/main.hcl"))
        .arg(status.path())
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("readers: all of it holds"), "{said}");
    for line in said.lines().filter(|line| line.starts_with("NOT CHECKED")) {
        // Past the harness, which keeps to itself what a test that passes says.
        drop(writeln!(std::io::stderr(), "\n{line}: there is no terraform on this machine\n"));
    }
}
