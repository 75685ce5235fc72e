//! Every shipped stack and example: in standard form, valid, applied in the simulated
//! region, planned again to nothing, destroyed.

use std::path::Path;
use std::process::Command;

fn mlinfra(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
        .current_dir(folder)
        .env("MLINFRA_SANDBOX", "1")
        .env("NO_COLOR", "1")
        .args(args)
        .output()
        .expect("the binary runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{} {args:?}\n{said}", folder.display());
    said
}

#[test]
fn every_shipped_stack_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for place in ["stacks", "examples"] {
        for entry in std::fs::read_dir(root.join(place)).expect("a folder").flatten() {
            let file = entry.path().join("main.hcl");
            if !file.exists() {
                continue;
            }
            let work = tempfile::tempdir().expect("a folder");
            std::fs::copy(&file, work.path().join("main.hcl")).expect("a copy");
            mlinfra(work.path(), &["fmt", "--check"]);
            mlinfra(work.path(), &["validate"]);
            mlinfra(work.path(), &["apply", "--yes"]);
            mlinfra(work.path(), &["plan", "--detailed-exitcode"]);
            mlinfra(work.path(), &["destroy", "--yes"]);
            let left = mlinfra(work.path(), &["show"]);
            assert_eq!(left, "The stack owns nothing.\n", "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} stacks");
}

#[test]
fn a_secret_reaches_no_setting_no_plan_and_no_ledger() {
    let work = tempfile::tempdir().expect("a folder");
    let text = r#"
stack "s" {
  region = "us-east-1"
}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
network "n" {}
bucket "b" {
  tags = { k = var.secret }
}
cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 1
  setup         = "login ${base64encode(var.secret)}"
}
"#;
    std::fs::write(work.path().join("main.hcl"), text).expect("a stack");
    for verb in [&["validate"][..], &["plan", "-v"], &["apply", "--yes"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_mlinfra"))
            .current_dir(work.path())
            .env("MLINFRA_SANDBOX", "1")
            .args(verb)
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{verb:?}");
        assert_eq!(said.matches("S002").count(), 2, "{verb:?}: {said}");
        let shown = format!("{}{said}", String::from_utf8_lossy(&output.stdout));
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{verb:?}: {shown}");
    }
}
