//! `mlinfra.lock.hcl`: the images that a stack uses, each pinned to one id in each region.
//!
//! It is source: people commit it, and only `mlinfra update` writes it. What comes out of
//! here is in the standard form, and the same pins are the same text.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};
use serde::{Deserialize, Serialize};

use crate::model::{ImageId, Problem, Region, Source, Sources, Span};

use super::{codes, deep, parse};

/// What the file is called, beside the stack's own files.
pub const LOCK_FILE: &str = "mlinfra.lock.hcl";

/// An image that a name means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The image.
    pub id: ImageId,
    /// What its publisher calls it.
    pub name: String,
    /// How it was found: a parameter, or an owner and a pattern of names.
    pub from: String,
    /// The day on which it was pinned.
    pub pinned: String,
}

/// What is pinned: by the name that the configuration says, and the region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The pins.
    pub images: BTreeMap<(String, Region), Pin>,
}

const HEAD: &str = "\
# The images of this stack, each name as one image for each region. Commit this file.
# `mlinfra update` writes it: nothing else moves a pin.
";

const HELP: &str = "take the block out, and `mlinfra update` pins it anew";
/// The attributes of a pin.
const ATTRIBUTES: [&str; 4] = ["id", "name", "from", "pinned"];

impl Lock {
    /// The pin of a name in a region.
    pub fn image(&self, name: &str, region: &Region) -> Option<&Pin> {
        self.images.get(&(name.to_owned(), region.clone()))
    }

    /// As the text of the file.
    pub fn text(&self) -> String {
        let mut out = HEAD.to_owned();
        for ((name, region), Pin { id, name: called, from, pinned }) in &self.images {
            out.push_str(&format!(
                "\nimage {} {} {{\n  id     = {}\n  name   = {}\n  from   = {}\n  pinned = {}\n}}\n",
                quote(name),
                quote(region.as_str()),
                quote(id.as_str()),
                quote(called),
                quote(from),
                quote(pinned),
            ));
        }
        out
    }

    /// Reads a file that people may have edited or merged. The problems point into the file
    /// as the first source.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let text = parse::without_mark(text);
        let read = || Ok(Self::parsed(file, text));
        deep::on_large_stack(read).unwrap_or_else(|problem| Err(vec![problem]))
    }

    fn parsed(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut sources = Sources::default();
        let source = sources.add(file, text);
        if let Some(problem) = conflict(text, source) {
            return Err(vec![problem]);
        }
        let body = parse::body(text, source).map_err(|problem| vec![*problem])?;
        let mut out = Self::default();
        let mut problems = Vec::new();
        for structure in &body {
            let taken = match structure {
                Structure::Block(block) => out.take(block, source),
                Structure::Attribute(attribute) => {
                    let name = attribute.key.value().as_str();
                    let text = format!("a lock file has no attribute {name:?}");
                    Err(wrong(codes::UNKNOWN_ATTRIBUTE, text, source, attribute.key.span()))
                }
            };
            problems.extend(taken.err());
        }
        if problems.is_empty() { Ok(out) } else { Err(problems) }
    }

    /// Takes one pin.
    fn take(&mut self, block: &Block, source: Source) -> Result<(), Problem> {
        let (word, at) = (block.ident.value().as_str(), block.ident.span());
        if word != "image" {
            let text = format!("a lock file has no block {word:?}");
            return Err(wrong(codes::UNKNOWN_BLOCK, text, source, at));
        }
        let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
        let [name, region] = labels.as_slice() else {
            let text = "a pin has two labels: the image's name and the region".to_owned();
            return Err(wrong(codes::LABEL, text, source, at));
        };
        let key = ((*name).to_owned(), Region::from(*region));
        if self.images.contains_key(&key) {
            let text = format!("{name:?} is pinned twice in {region}");
            return Err(wrong(codes::DUPLICATE, text, source, at));
        }
        let mut found: BTreeMap<&str, String> = BTreeMap::new();
        for structure in &block.body {
            let Structure::Attribute(attribute) = structure else {
                let text = "a pin holds no blocks".to_owned();
                return Err(wrong(codes::UNKNOWN_BLOCK, text, source, at));
            };
            let word = attribute.key.value().as_str();
            let Some(known) = ATTRIBUTES.into_iter().find(|known| *known == word) else {
                let text = format!("a pin has no attribute {word:?}");
                return Err(wrong(codes::UNKNOWN_ATTRIBUTE, text, source, attribute.key.span()));
            };
            let Expression::String(value) = &attribute.value else {
                let text = format!("{word} is no text in quotes");
                return Err(wrong(codes::TYPE, text, source, attribute.value.span()));
            };
            let is_image = known != "id" || is_id(value.value());
            if !is_image {
                let text = format!("{:?} is no image's id", value.value());
                return Err(wrong(codes::TYPE, text, source, attribute.value.span()));
            }
            found.insert(known, value.value().clone());
        }
        let mut text = |word: &str| found.remove(word);
        let Some(id) = text("id") else {
            let text = "this pin has no id".to_owned();
            return Err(wrong(codes::MISSING, text, source, at));
        };
        let [name, from, pinned] =
            ["name", "from", "pinned"].map(|it| text(it).unwrap_or_default());
        self.images.insert(key, Pin { id: ImageId(id), name, from, pinned });
        Ok(())
    }
}

fn wrong(
    code: &'static str,
    text: String,
    source: Source,
    range: Option<std::ops::Range<usize>>,
) -> Problem {
    let span = Span { source, range: range.unwrap_or(0..0) };
    Problem::error(code, text).help(HELP).at(&span, "")
}

/// `ami-` and hexadecimal digits.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("ami-").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The marks that a merge leaves where both sides have changed something.
fn conflict(text: &str, source: Source) -> Option<Problem> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)) {
            let span = Span { source, range: at..at + line.trim_end().len() };
            let help = "keep one side of each conflict, or take both blocks out and run\n\
                        `mlinfra update`, which pins the newest images";
            let text = "a merge has left a conflict here";
            return Some(Problem::error(codes::SYNTAX, text).help(help).at(&span, ""));
        }
        at += line.len();
    }
    None
}

/// A text in quotes, in which nothing is interpolated.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // `${` would begin a template; doubled it does not.
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(id: &str, name: &str) -> Pin {
        let from = "amazon: Deep Learning * (\"Ubuntu\") ${x} %{y} $ \\".to_owned();
        Pin { id: id.into(), name: name.to_owned(), from, pinned: "2026-11-27".to_owned() }
    }

    fn lock() -> Lock {
        let mut lock = Lock::default();
        let key = |name: &str, region: &str| (name.to_owned(), Region::from(region));
        lock.images.insert(key("dlami-base", "us-east-1"), pin("ami-0a1", "DLAMI 1"));
        lock.images.insert(key("dlami-base", "eu-west-1"), pin("ami-0b2", "DLAMI 1"));
        lock.images.insert(key("/acme/gpu", "us-east-1"), pin("ami-0c3", ""));
        lock
    }

    #[test]
    fn what_is_written_is_read_again_and_is_in_the_standard_form() {
        let (lock, text) = (lock(), lock().text());
        let again = Lock::read(LOCK_FILE, &text).expect("a lock");
        assert_eq!(again.images, lock.images);
        assert_eq!(again.text(), text);
        assert_eq!(crate::lang::fmt(&text).expect("HCL"), text);
        let region = Region::from("us-east-1");
        assert_eq!(again.image("dlami-base", &region).map(|pin| pin.id.as_str()), Some("ami-0a1"));
        assert_eq!(again.image("dlami-base", &Region::from("us-west-2")), None);
        assert_eq!(Lock::read(LOCK_FILE, ""), Lock::read(LOCK_FILE, "\u{feff}"));
    }

    #[test]
    fn what_people_have_broken_says_where() {
        let refused = |text: &str| {
            let problems = Lock::read(LOCK_FILE, text).expect_err("no lock");
            let first = &problems[0];
            let at = first.labels.first().map_or(0, |label| label.span.range.start);
            (first.code, first.summary.clone(), text[..at].matches('\n').count() + 1)
        };
        let text = lock().text();
        let merged = text.replacen("  id     =", "<<<<<<< HEAD\n  id     =", 1);
        let (code, summary, line) = refused(&merged);
        assert_eq!((code, line), ("L001", 5), "{summary}");
        assert!(summary.contains("conflict"));
        for (from, to, code, line) in [
            ("image \"/acme/gpu\" \"us-east-1\"", "image \"/acme/gpu\"", "L011", 4),
            ("image \"/acme/gpu\"", "picture \"/acme/gpu\"", "L010", 4),
            ("image \"/acme/gpu\"", "image \"dlami-base\"", "L014", 18),
            ("\"ami-0c3\"", "\"ami-zz\"", "L015", 5),
            ("\"ami-0c3\"", "ami", "L015", 5),
            ("  id     = \"ami-0c3\"\n", "", "L013", 4),
            ("  id     = \"ami-0c3\"", "  idd = \"ami-0c3\"", "L012", 5),
            ("\"ami-0c3\"", "\"ami-0c3", "L001", 5),
            ("image \"/acme/gpu\"", "x = 1\nimage \"/acme/gpu\"", "L012", 4),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text, "{from}");
            let (found, summary, at) = refused(&broken);
            assert_eq!((found, at), (code, line), "{from}: {summary}");
        }
    }
}
