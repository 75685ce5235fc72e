//! Documents and pictures that are made from the code say what the code says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use crate::scripts::ENVIRONMENT;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn mlinfra(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlinfra"));
    command.args(args).current_dir(folder).envs(ENVIRONMENT);
    command.output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// The manual's pages, by their names.
fn pages() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(format!("{ROOT}/docs")).expect("docs").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            all.insert(name, std::fs::read_to_string(entry.path()).expect("a page"));
        }
    }
    all
}

/// What stands between fences that begin so.
fn fenced<'a>(page: &'a str, fence: &'a str) -> impl Iterator<Item = &'a str> {
    let blocks = page.split(fence).skip(1);
    blocks.map(|rest| rest.split("```").next().expect("an end"))
}

#[test]
fn the_reference_and_the_commands_are_made_from_the_tables() {
    for (args, name) in
        [(["schema", "--markdown"], "reference.md"), (["man", "--markdown"], "commands.md")]
    {
        let now = said(&mlinfra(Path::new(ROOT), &args));
        let written = pages().remove(name).unwrap_or_default();
        assert!(now == written, "docs/{name} is not up to date: run `make docs`");
    }
}

/// The codes that stand in the source, outside of tests.
fn codes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            codes(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        // Instance families look like codes.
        if path.extension().is_none_or(|end| end != "rs") || path.ends_with("catalog/instances.rs")
        {
            continue;
        }
        for word in text.split('"') {
            let [letter, digits @ ..] = word.as_bytes() else { continue };
            if letter.is_ascii_uppercase()
                && digits.len() == 3
                && digits.iter().all(u8::is_ascii_digit)
            {
                found.insert(word.to_owned());
            }
        }
    }
}

/// Accelerators, not problems.
const NOT_CODES: [&str; 6] = ["A100", "B200", "B300", "H100", "H200", "V100"];

#[test]
fn every_code_is_explained_and_examples_give_what_they_say() {
    let mut used = BTreeSet::new();
    codes(&Path::new(ROOT).join("src"), &mut used);
    used.retain(|code| !NOT_CODES.contains(&code.as_str()));
    let page = &pages()["errors.md"];
    let sections: BTreeMap<&str, &str> =
        page.split("\n## ").skip(1).filter_map(|part| part.split_once('\n')).collect();
    let explained: BTreeSet<String> = sections.keys().map(|code| (*code).to_owned()).collect();
    assert_eq!(used, explained, "the codes in src, and those in docs/errors.md");

    let mut tried = 0;
    for (code, text) in sections {
        for kind in ["Wrong:\n\n```hcl\n", "Right:\n\n```hcl\n"] {
            for example in fenced(text, kind) {
                let folder = tempfile::tempdir().expect("a folder");
                let stack = if example.contains("stack \"") { "" } else { STACK };
                let text = format!("{stack}{example}");
                std::fs::write(folder.path().join("main.hcl"), text).expect("a file");
                let output = mlinfra(folder.path(), &["plan", "--no-input"]);
                let text = said(&output);
                if kind.starts_with("Wrong") {
                    assert!(!output.status.success() && text.contains(code), "{code}: {text}");
                } else {
                    assert!(output.status.success(), "{code}: {text}");
                    let output = mlinfra(folder.path(), &["fmt", "--check"]);
                    assert!(output.status.success(), "{code} is not in standard form");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried} examples");
}

const STACK: &str = "stack \"s\" {\n  region = \"us-east-1\"\n}\n\n";

#[test]
fn every_page_is_in_the_book() {
    let all = pages();
    let summary = &all["SUMMARY.md"];
    for name in all.keys().filter(|name| *name != "SUMMARY.md") {
        assert!(summary.contains(&format!("({name})")), "docs/SUMMARY.md lacks {name}");
    }
}

/// A link of a page that leads nowhere is found before a reader finds it.
#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut all: Vec<(String, String)> =
        pages().into_iter().map(|(name, text)| (format!("docs/{name}"), text)).collect();
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(format!("{ROOT}/{name}")).expect("a document");
        all.push((name.to_owned(), text));
    }
    let mut seen = 0;
    for (name, text) in all {
        let folder = Path::new(ROOT).join(&name).parent().expect("a folder").to_owned();
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            assert!(folder.join(file).exists(), "{name} links to {target}, which is not there");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} links");
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
