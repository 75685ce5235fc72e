//! The formatter: the layout of `terraform fmt`, over tokens.
//!
//! Lines stay lines: only white space between tokens changes, and runs of empty lines become
//! one. Strings, heredocs and comments are single tokens and therefore kept byte for byte. What
//! comes out is parsed again and its tokens are compared, so that no file changes its meaning.

use crate::model::{Problem, Sources};

use super::scan::{self, Kind, Token};
use super::{codes, deep, parse};

/// Formats a file. The problems of a file that does not parse point into it as the first source.
pub fn fmt(text: &str) -> Result<String, Vec<Problem>> {
    deep::on_large_stack(|| Ok(checked(parse::without_mark(text))))
        .unwrap_or_else(|problem| Err(vec![problem]))
}

fn checked(text: &str) -> Result<String, Vec<Problem>> {
    let source = Sources::default().add("", "");
    parse::body(text, source).map_err(|problem| vec![*problem])?;
    let Ok(tokens) = scan::tokens(text) else {
        return Ok(text.to_owned());
    };
    let out = layout(text, &tokens);
    let same = scan::tokens(&out).is_ok_and(|after| words(&out, &after).eq(words(text, &tokens)));
    if same && parse::body(&out, source).is_ok() {
        return Ok(out);
    }
    Err(vec![
        Problem::error(codes::INTERNAL, "formatting would change the meaning of this file")
            .help("it is left as it is; please report it"),
    ])
}

/// The tokens as text without what the formatter may change: empty lines.
fn words<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = &'t str> {
    let mut line = false;
    let end = tokens.iter().rposition(|token| token.kind != Kind::Newline).map_or(0, |end| end + 1);
    tokens[..end].iter().filter_map(move |token| {
        let word = &text[token.range.clone()];
        let keep = token.kind != Kind::Newline || line;
        line = token.kind != Kind::Newline;
        keep.then_some(word)
    })
}

/// The tokens of one line, in the cells that are aligned with those of its neighbours.
struct Line<'t> {
    /// Up to the `=`, or everything.
    lead: &'t [Token],
    /// From the `=` on, when the value ends on this line.
    assign: &'t [Token],
    /// A comment at the end.
    comment: &'t [Token],
    indent: usize,
    /// Columns before the `=` and before the comment.
    assign_gap: usize,
    comment_gap: usize,
}

fn layout(text: &str, tokens: &[Token]) -> String {
    let mut lines: Vec<Line<'_>> =
        tokens.split(|token| token.kind == Kind::Newline).map(|line| cells(text, line)).collect();
    indent(&mut lines);
    align(text, &mut lines, true);
    align(text, &mut lines, false);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut empty = true;
    for line in &lines {
        if line.lead.is_empty() {
            if !empty {
                out.push('\n');
            }
            empty = true;
            continue;
        }
        empty = false;
        pad(&mut out, line.indent * 2);
        write(text, line.lead, None, &mut out);
        if !line.assign.is_empty() {
            pad(&mut out, line.assign_gap);
            write(text, line.assign, line.lead.last(), &mut out);
        }
        if let [comment] = line.comment {
            pad(&mut out, line.comment_gap);
            out.push_str(&text[comment.range.clone()]);
        }
        out.push('\n');
    }
    out.truncate(out.trim_end_matches('\n').len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn pad(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}

fn cells<'t>(text: &str, line: &'t [Token]) -> Line<'t> {
    let is_comment = |token: &Token| matches!(token.kind, Kind::LineComment | Kind::BlockComment);
    let (mut lead, comment) = match line.split_last() {
        Some((last, rest)) if !rest.is_empty() && is_comment(last) => (rest, &line[rest.len()..]),
        Some(_) | None => (line, [].as_slice()),
    };
    let mut assign = [].as_slice();
    let equals = lead
        .iter()
        .position(|token| token.kind == Kind::Assign && &text[token.range.clone()] == "=");
    if let Some(place) = equals.filter(|place| *place > 0) {
        let (name, value) = lead.split_at(place);
        if net(value) == 0 {
            (lead, assign) = (name, value);
        }
    }
    Line { lead, assign, comment, indent: 0, assign_gap: 1, comment_gap: 1 }
}

/// Brackets opened less brackets closed.
fn net(tokens: &[Token]) -> isize {
    tokens.iter().map(|token| change(Some(token))).sum()
}

fn change(token: Option<&Token>) -> isize {
    match token.map(|token| token.kind) {
        Some(Kind::Open) => 1,
        Some(Kind::Close) => -1,
        Some(_) | None => 0,
    }
}

/// One level per line that opens brackets, however many it opens.
fn indent(lines: &mut [Line<'_>]) {
    let mut levels: Vec<isize> = Vec::new();
    for line in lines {
        let brackets = net(line.lead) + net(line.assign);
        if brackets >= 0 {
            line.indent = levels.len();
        }
        if brackets > 0 {
            levels.push(brackets);
        }
        let mut closed = -brackets;
        while closed > 0 {
            match levels.last_mut() {
                Some(level) if *level > closed => {
                    *level -= closed;
                    closed = 0;
                }
                Some(level) => {
                    closed -= *level;
                    levels.pop();
                }
                None => closed = 0,
            }
        }
        if brackets < 0 {
            line.indent = levels.len();
        }
    }
}

/// Aligns `=` (or comments) in runs of lines that have one.
fn align(text: &str, lines: &mut [Line<'_>], assign: bool) {
    let has = |line: &Line<'_>| {
        if assign { !line.assign.is_empty() } else { !line.comment.is_empty() }
    };
    let width = |line: &Line<'_>| {
        let mut out = String::new();
        write(text, line.lead, None, &mut out);
        let mut columns = line.indent * 2 + out.chars().count();
        if !assign && !line.assign.is_empty() {
            out.clear();
            write(text, line.assign, line.lead.last(), &mut out);
            columns += line.assign_gap + out.chars().count();
        }
        columns
    };
    let mut start = 0;
    while start < lines.len() {
        let run = lines[start..].iter().take_while(|line| has(line)).count();
        let widths: Vec<usize> = lines[start..start + run].iter().map(width).collect();
        let widest = widths.iter().copied().max().unwrap_or(0);
        for (line, width) in lines[start..start + run].iter_mut().zip(widths) {
            let gap = widest - width + 1;
            if assign {
                line.assign_gap = gap;
            } else {
                line.comment_gap = gap;
            }
        }
        start += run.max(1);
    }
}

/// Tokens with the spaces that belong between them.
fn write(text: &str, tokens: &[Token], before: Option<&Token>, out: &mut String) {
    let mut before = before;
    for (place, token) in tokens.iter().enumerate() {
        out.push_str(&text[token.range.clone()]);
        if let Some(after) = tokens.get(place + 1)
            && space(text, before, token, after)
        {
            out.push(' ');
        }
        before = Some(token);
    }
}

/// Whether a space stands between two tokens, as `terraform fmt` decides it.
fn space(text: &str, before: Option<&Token>, token: &Token, after: &Token) -> bool {
    let word = |token: &Token| &text[token.range.clone()];
    let keyword = token.kind == Kind::Word && matches!(word(token), "in" | "if");
    if token.kind == Kind::Word && word(after) == "(" {
        return keyword;
    }
    if token.kind == Kind::Dot && word(token) == "..." {
        return after.kind != Kind::Close || word(after) == "}";
    }
    if token.kind == Kind::Dot || after.kind == Kind::Dot || after.kind == Kind::Comma {
        return false;
    }
    if token.kind == Kind::Comma {
        return true;
    }
    if word(after) == "[" {
        let indexed = matches!(token.kind, Kind::Word | Kind::Number | Kind::Close);
        if indexed && !(keyword && before.is_some_and(|before| before.kind == Kind::Word)) {
            return false;
        }
    }
    if token.kind == Kind::Operator && word(token) == "!" {
        return false;
    }
    if token.kind == Kind::Operator && word(token) == "-" {
        // A minus behind something that is no value is a sign.
        return before.is_some_and(|before| {
            matches!(
                before.kind,
                Kind::Word | Kind::Number | Kind::String | Kind::Heredoc | Kind::Close
            )
        });
    }
    if word(token) == "{" || word(after) == "}" {
        return !(word(token) == "{" && word(after) == "}");
    }
    change(Some(token)) <= 0 && change(Some(after)) >= 0
}

#[cfg(test)]
mod tests;
