//! `mlinfra explain`: what the code of a problem means, from the page of the manual.

use serde_json::json;

use super::DONE;
use super::args::{ExplainArgs, Global};
use super::halt::Halt;
use super::terminal::Terminal;

/// The page. It is part of the manual, and its examples are held to what they say.
const PAGE: &str = include_str!("../../docs/errors.md");

/// What is said of a code.
struct Section {
    code: &'static str,
    /// Its first sentence.
    title: &'static str,
    /// All of it, in Markdown.
    text: &'static str,
}

fn sections() -> Vec<Section> {
    let section = |part: &'static str| {
        let (code, text) = part.split_once('\n')?;
        let text = text.trim();
        Some(Section { code, title: text.lines().next()?, text })
    };
    PAGE.split("\n## ").skip(1).filter_map(section).collect()
}

pub fn run(global: &Global, terminal: &Terminal, args: &ExplainArgs) -> Result<u8, Halt> {
    let all = sections();
    let Some(code) = &args.code else {
        if global.json {
            let all: Vec<_> =
                all.iter().map(|one| json!({"code": one.code, "title": one.title})).collect();
            terminal.json(&json!(all));
        } else {
            let line = |one: &Section| format!("{}  {}\n", one.code, one.title);
            terminal.print(&all.iter().map(line).collect::<String>());
        }
        return Ok(DONE);
    };
    let Some(one) = all.iter().find(|one| one.code.eq_ignore_ascii_case(code)) else {
        let text = format!("there is no problem with the code {code:?}");
        return Err(Halt::one("O004", text, "`mlinfra explain` lists all codes"));
    };
    if global.json {
        terminal.json(&json!({"code": one.code, "title": one.title, "text": one.text}));
    } else {
        let width = terminal.screen.width.min(100);
        terminal.print(&plain(&format!("{}  {}", one.code, one.text), width));
    }
    Ok(DONE)
}

/// Markdown as people read it in a terminal: paragraphs folded, examples set in, links by
/// their words.
fn plain(text: &str, width: usize) -> String {
    let (mut out, mut example, mut column) = (String::new(), false, 0);
    for line in text.lines() {
        if line.starts_with("```") {
            example = !example;
        } else if example || line.is_empty() {
            if column > 0 {
                out.push('\n');
                column = 0;
            }
            out.push_str(if line.is_empty() { "" } else { "    " });
            out.push_str(line);
            out.push('\n');
        } else {
            for word in without_links(line).split_inclusive(' ') {
                let long = word.trim_end().chars().count();
                if column > 0 && column + long >= width {
                    out.truncate(out.trim_end().len());
                    out.push('\n');
                    column = 0;
                }
                out.push_str(word);
                column += word.chars().count();
            }
            out.push(' ');
            column += 1;
        }
    }
    out.truncate(out.trim_end().len());
    out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// `[the words](where)` -> the words
fn without_links(line: &str) -> String {
    let Some((before, rest)) = line.split_once('[') else { return line.to_owned() };
    let Some((words, rest)) = rest.split_once("](") else { return line.to_owned() };
    let Some((_, after)) = rest.split_once(')') else { return line.to_owned() };
    format!("{before}{words}{}", without_links(after))
}

#[cfg(test)]
mod tests {
    use super::{plain, sections};
    use crate::lang::codes;

    #[test]
    fn every_code_of_the_language_has_a_section_that_begins_with_its_meaning() {
        let all = sections();
        for (code, meaning) in codes::ALL {
            let one = all.iter().find(|one| one.code == *code);
            assert_eq!(one.map(|one| one.title), Some(*meaning), "{code}");
        }
        assert!(all.iter().all(|one| one.title.ends_with('.')), "a sentence each");
    }

    #[test]
    fn markdown_is_read_in_a_terminal() {
        let text = "See [a](b.md) and [c](d).\n\n```hcl\na = [1]\n\nb = 2\n```\n";
        assert_eq!(plain(text, 80), "See a and c.\n\n    a = [1]\n\n    b = 2\n");
        assert_eq!(plain("a [b] c", 80), "a [b] c\n");
        assert_eq!(plain("one two\nthree four", 10), "one two\nthree\nfour\n");
    }
}
