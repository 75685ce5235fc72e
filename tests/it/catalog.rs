//! The catalogue's hardware against what EC2 itself has answered.

use std::path::PathBuf;
use std::process::Command;

fn check(table: &std::path::Path) -> (bool, String) {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(peers.join("bin/python"))
        .arg(root.join("tests/peer/catalog.py"))
        .arg("check")
        .arg(table)
        .output()
        .expect("Python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

#[test]
#[ignore = "needs the answers that moto records: run `make test`"]
fn the_catalogue_says_what_ec2_says() {
    let table = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/catalog/instance_types.csv");
    let (fits, said) = check(&table);
    assert!(fits, "{said}");
    assert!(said.contains("types as EC2 describes them"), "{said}");

    // The check finds a wrong number, and a type that is not there.
    let text = std::fs::read_to_string(&table).expect("the table");
    let wrong = text.replace("p5.48xlarge,x86_64,H100,8,", "p5.48xlarge,x86_64,H100,4,");
    assert_ne!(wrong, text);
    let other = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(other.path(), wrong).expect("written");
    let (fits, said) = check(other.path());
    assert!(!fits && said.contains("p5.48xlarge,x86_64,H100,4"), "{said}");
}
