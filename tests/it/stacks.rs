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

/// What lets a stack go that keeps what it holds.
const GO: &[(&str, &str)] = &[("llm-pretrain", "keep=false"), ("notebook", "keep_home=false")];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a copy");
        }
    }
}

/// The names of its environments; none where it has none.
fn environments(folder: &Path) -> Vec<Option<String>> {
    let Ok(files) = std::fs::read_dir(folder.join("env")) else { return vec![None] };
    let stem = |path: std::path::PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    files.flatten().map(|file| stem(file.path())).collect()
}

/// From nothing to nothing; what it said of its cost once it stood.
fn live_through(work: &Path, env: Option<&str>, go: Option<&str>) -> String {
    let run = |args: &[&str]| {
        let chosen = env.map_or(vec![], |env| vec!["--env", env]);
        mlinfra(work, &[args, &chosen].concat())
    };
    run(&["validate"]);
    let said = run(&["apply", "--yes"]);
    run(&["plan", "--detailed-exitcode"]);
    if let Some(go) = go {
        run(&["apply", "--yes", "--var", go]);
        run(&["destroy", "--yes", "--var", go]);
    } else {
        run(&["destroy", "--yes"]);
    }
    assert_eq!(run(&["show"]), "The stack owns nothing.\n", "{} {env:?}", work.display());
    said
}

#[test]
fn every_shipped_stack_works_and_its_readme_says_what_it_costs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = Vec::new();
    for place in ["stacks", "examples"] {
        for entry in std::fs::read_dir(root.join(place)).expect("a folder").flatten() {
            if !entry.path().join("main.hcl").exists() {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let work = tempfile::tempdir().expect("a folder");
            copy(&entry.path(), work.path());
            mlinfra(work.path(), &["fmt", "--check"]);
            let go = GO.iter().find(|(stack, _)| *stack == name).map(|(_, go)| *go);
            let mut said = String::new();
            for env in environments(&entry.path()) {
                said = live_through(work.path(), env.as_deref(), go);
            }
            if place == "stacks" {
                let readme = std::fs::read_to_string(entry.path().join("README.md"));
                let readme = readme.unwrap_or_else(|_| panic!("{name} has no README.md"));
                let cost = said.split("From now on it costs ").nth(1).expect("its cost");
                let cost = cost.split(',').next().expect("a sum");
                assert!(readme.contains(cost), "{name}: its README.md does not say {cost}");
            }
            seen.push(name);
        }
    }
    for name in ["gpu-cluster", "spot-sweep", "llm-pretrain", "notebook", "quickstart"] {
        assert!(seen.iter().any(|one| one == name), "{name} is not shipped: {seen:?}");
    }
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
