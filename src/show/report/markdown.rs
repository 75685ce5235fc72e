//! A comment on a pull request. The marker in its first line stays the same, so that whoever
//! posts it finds the one before and writes over it.

use super::Report;
use super::markup::{fenced, markdown, name};
use super::parts::{self, SCREEN, Section};
use crate::show::entry::Card;
use crate::show::fold::{Row, count};
use crate::show::screen::{Screen, Untrusted};

/// GitHub takes no comment with more characters (its API answers "body is too long (maximum is
/// 65536 characters)"). Bytes are counted here, of which there are no fewer.
const LIMIT: usize = 65_536;
/// For what stands at the end in any case.
const SPARE: usize = 600;
/// What remarks, problems and outputs may take each.
const SHARE: usize = 8_000;
/// Blocks that the table lists.
const LISTED: usize = 60;
/// A part of a block that is worth showing.
const WORTH: usize = 1_000;

/// The comment.
pub(super) fn page(report: &Report<'_>) -> String {
    let (sections, note) = parts::sections(report);
    let mut out = head(report);
    out.push_str(&table(&sections));
    let mut tail = String::new();
    if let Some(note) = note {
        tail.push_str(&format!("\n{}\n", plain(&note)));
    }
    tail.push_str(&extra(
        "Changes to outputs",
        "diff",
        &diff_of(parts::outputs(report).split_once(":\n").map_or("", |it| it.1)),
    ));
    tail.push_str(&problems(report));
    let room = LIMIT - SPARE - tail.len() - report.whole.len();
    let mut left_out = Vec::new();
    for section in &sections {
        match details(section, room.saturating_sub(out.len())) {
            Some((text, whole)) => {
                out.push_str(&text);
                if !whole {
                    left_out.push(section);
                }
            }
            None => left_out.push(section),
        }
    }
    if !left_out.is_empty() {
        out.push_str(&format!(
            "\n**Cut:** the changes of {} are not shown here, or not all of them, because a comment \
             may have {LIMIT} characters. {} shows everything.\n",
            count(left_out.len(), "block", "blocks"),
            name(&report.whole)
        ));
    }
    out.push_str(&tail);
    let place = markdown(&report.place);
    out.push_str(&format!("\n<sub>{place}. {}</sub>\n", markdown(&report.made)));
    out
}

fn head(report: &Report<'_>) -> String {
    let Report { stack, destroy, plan, .. } = report;
    // The marker is a comment in HTML, which only `-->` ends; names of stacks have no `>`.
    let marker = stack.replace('>', "");
    let what = if *destroy { "mlinfra plan to destroy all of" } else { "mlinfra plan for" };
    let mut out = format!(
        "<!-- mlinfra-plan:{marker} -->\n### {what} {}\n\n**{}**\n",
        name(stack),
        plain(&parts::totals(report))
    );
    if let Some(price) = parts::price(report) {
        out.push_str(&format!("**{}**\n", plain(&price)));
    }
    if let Some(most) = parts::ceiling(report) {
        out.push_str(&format!("{}\n", plain(&most)));
    }
    if plan.unchanged > 0 && !plan.is_empty() {
        let text = count(plan.unchanged, "object is", "objects are");
        out.push_str(&format!("{text} unchanged.\n"));
    }
    for remark in &report.remarks {
        out.push_str(&format!("\n{}\n", plain(remark)));
    }
    if !report.problems.is_empty() {
        let text = count(report.problems.len(), "warning or refusal", "warnings or refusals");
        out.push_str(&format!("\n**! {text}**, at the end.\n"));
    }
    out
}

/// A line of our own words, in which names of others may stand.
fn plain(text: &str) -> String {
    markdown(text.trim()).replace("-&#62;", "→")
}

fn table(sections: &[Section]) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let mut out = "\n| Block | Changes | Cost |\n|---|---|---|\n".to_owned();
    for Section { name: block, counts, signs, cost, .. } in sections.iter().take(LISTED) {
        let cost =
            cost.as_deref().map_or_else(String::new, |cost| plain(&cost.replace("  ", ", ")));
        let cells = format!("| {} | {} {} | {cost} |\n", name(block), name(signs), plain(counts));
        out.push_str(&cells);
    }
    if sections.len() > LISTED {
        let more = count(sections.len() - LISTED, "block more", "blocks more");
        out.push_str(&format!("| {more} | | |\n"));
    }
    out
}

/// A block that can be opened; as much of it as there is room for, and whether that is all.
fn details(section: &Section, room: usize) -> Option<(String, bool)> {
    let Section { name: block, counts, signs, cost, cards } = section;
    let cost = cost
        .as_deref()
        .map_or_else(String::new, |cost| format!(", {}", plain(&cost.replace("  ", ", "))));
    let head = format!(
        "\n<details><summary>{} {}: {}{cost}</summary>\n\n",
        name(signs),
        name(block),
        plain(counts)
    );
    let end = "\n</details>\n";
    let lines: Vec<String> = cards.iter().flat_map(lines).collect();
    let mut body = fenced("diff", &lines.join("\n"));
    let whole = head.len() + body.len() + end.len() <= room;
    if !whole {
        // The fences, and the sentence about what is missing.
        let room = room.checked_sub(head.len() + end.len() + 200).filter(|room| *room > WORTH)?;
        body = fenced("diff", &begin(&lines, room));
        if head.len() + body.len() + end.len() > room + 200 {
            return None;
        }
    }
    Some((format!("{head}{body}{end}"), whole))
}

/// The first lines.
fn begin(lines: &[String], room: usize) -> String {
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        if out.len() + line.len() + 1 > room {
            out.push_str(&format!("# {} more", count(lines.len() - at, "line", "lines")));
            break;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Lines whose first character is their sign, by which GitHub colours them.
fn lines(card: &Card) -> Vec<String> {
    let symbol = card.symbol();
    let first = format!("{} {} {}  {}", symbol.mark(), symbol.verb(), card.address(), card.title());
    let sign = if symbol.mark() == "~" { "!" } else { "" };
    let first = format!("{sign}{}", Untrusted(&first));
    std::iter::once(first).chain(card.rows().iter().flat_map(signed)).collect()
}

fn signed(row: &Row) -> Vec<String> {
    let sign = match row.sign() {
        Some((_, "~" | "!")) => "!",
        Some((_, "-")) => "-",
        Some((_, "+")) => "+",
        Some(_) | None => " ",
    };
    let mut text = String::new();
    row.write(Screen { width: 100, ..SCREEN }, &mut text);
    let each = text.lines().enumerate();
    each.map(|(at, line)| format!("{}{line}", if at == 0 { sign } else { " " })).collect()
}

/// The same for text that is written already.
fn diff_of(text: &str) -> String {
    let sign = |line: &str| match line.trim_start().chars().next() {
        Some('+') => '+',
        Some('-') => '-',
        Some('~') => '!',
        Some(_) | None => ' ',
    };
    text.lines().map(|line| format!("{}{line}\n", sign(line))).collect()
}

fn extra(title: &str, language: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let lines: Vec<String> = text.lines().map(|line| Untrusted(line).to_string()).collect();
    let text = fenced(language, &begin(&lines, SHARE));
    format!("\n<details><summary>{title}</summary>\n\n{text}\n</details>\n")
}

fn problems(report: &Report<'_>) -> String {
    let title = count(report.problems.len(), "warning or refusal", "warnings or refusals");
    extra(&title, "text", &report.problems.join("\n"))
}
