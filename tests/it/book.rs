//! The manual as a site: what mdBook makes of `docs/` has no link that leads nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The manual's pages, by their names.
fn pages() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(format!("{ROOT}/docs")).expect("docs").flatten();
    let markdown = entries.filter(|entry| entry.path().extension().is_some_and(|it| it == "md"));
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(entry.path()).expect("a page"))
    };
    markdown.map(read).collect()
}

/// The lines of a page that are no example.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with("    ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The ids that mdBook gives to headings: letters, digits, `_` and `-` in lower case, `-` for each
/// space, and a number where two are alike.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for line in prose(text).lines().filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim();
        // A link in a heading counts by its words.
        let title = title.split("](").map(|part| part.rsplit(')').next().unwrap_or(part));
        let title = title.collect::<String>();
        let sign = |c: char| match c {
            _ if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
            _ => c.is_whitespace().then_some('-'),
        };
        let id: String = title.chars().filter_map(sign).collect();
        let numbered = (1..).map(|number| format!("{id}-{number}"));
        let free = std::iter::once(id.clone()).chain(numbered).find(|id| !out.contains(id));
        out.extend(free);
    }
    out
}

/// What pages link to: `page.md#heading`, `picture.png`.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own = |link: &&str| !link.contains("://") && !link.contains(' ');
    links.filter(own).map(str::to_owned).collect()
}

#[test]
fn links_of_the_book_lead_somewhere_on_a_site_too() {
    let all = pages();
    let book: BTreeSet<String> = targets(&all["SUMMARY.md"]).into_iter().collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (name, text) in &all {
        for target in targets(text) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { name } else { file };
            let page = all.get(file).filter(|_| book.contains(file));
            let there = match page {
                // What is no page is copied beside them; nothing else of the repository is.
                None => !file.contains("..") && Path::new(ROOT).join("docs").join(file).is_file(),
                Some(_) if anchor.is_empty() => true,
                Some(page) => anchors(page).contains(anchor),
            };
            if !there {
                wrong.push(format!("docs/{name}: {target}"));
            }
            seen += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(seen > 60, "{seen} links");
}

/// What stands in an attribute of a page's tags.
fn attribute<'a>(html: &'a str, name: &str) -> BTreeSet<&'a str> {
    let begin = format!(" {name}=\"");
    html.match_indices(&begin)
        .filter_map(|(at, _)| html[at + begin.len()..].split('"').next())
        .collect()
}

#[test]
#[ignore = "needs mdBook: run `make test`"]
fn the_book_is_built_and_no_link_of_it_is_dead() {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let site = tempfile::tempdir().expect("a folder");
    let output = Command::new(peers.join("bin/mdbook"))
        .args(["build", "docs", "--dest-dir"])
        .arg(site.path())
        .current_dir(ROOT)
        .output()
        .expect("mdBook starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("WARN"), "{said}");
    let read = |name: &str| std::fs::read_to_string(site.path().join(name)).unwrap_or_default();
    let (mut seen, mut dead) = (0, Vec::new());
    for name in pages().keys().filter(|name| *name != "SUMMARY.md") {
        let name = name.replace(".md", ".html");
        let html = read(&name);
        assert!(html.contains("<main>"), "{name} is not in the book");
        let links = attribute(&html, "href").into_iter().chain(attribute(&html, "src"));
        for link in links.filter(|link| !link.contains(':')) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let page = if file.is_empty() { html.clone() } else { read(file) };
            let there = file.is_empty() || site.path().join(file).is_file();
            let anchored = anchor.is_empty() || attribute(&page, "id").contains(anchor);
            if !there || !anchored {
                dead.push(format!("{name}: {link}"));
            }
            seen += 1;
        }
    }
    assert_eq!(dead, Vec::<String>::new());
    assert!(seen > 500, "{seen} links");
}
