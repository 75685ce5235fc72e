//! Problems for a terminal and as JSON.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::model::{Label, Problem, Severity, Source, Sources};

/// Draws a problem with the lines of the configuration that it points at. Ends with a line end.
pub fn text(problem: &Problem, sources: &Sources, colour: bool, width: usize) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR.with_name("Error"),
        Severity::Warning => Level::WARNING.with_name("Warning"),
    };
    let title = level.primary_title(clean(&problem.summary)).id(problem.code);
    let mut group = Group::with_title(title);
    for snippet in snippets(problem, sources) {
        group = group.element(snippet);
    }
    if !problem.detail.is_empty() {
        group = group.element(Level::NOTE.message(clean(&problem.detail)));
    }
    if !problem.help.is_empty() {
        group = group.element(Level::HELP.message(clean(&problem.help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width.max(40));
    let mut out = renderer.render(&[group]);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// One snippet per file, the main place's file first.
fn snippets<'p>(
    problem: &'p Problem,
    sources: &'p Sources,
) -> Vec<Snippet<'p, annotate_snippets::Annotation<'p>>> {
    let mut files: Vec<Source> = Vec::new();
    for label in &problem.labels {
        if !files.contains(&label.span.source) {
            files.push(label.span.source);
        }
    }
    let mut out = Vec::new();
    for file in files {
        let Some((name, text)) = sources.get(file) else { continue };
        let labels = problem.labels.iter().enumerate();
        let here = labels.filter(|(_, label)| label.span.source == file);
        let spans: Vec<(usize, &Label)> = here.collect();
        let Some(window) = window(text, &spans) else { continue };
        let shown = Shown::new(text, window);
        let first_line = line_of(text, shown.from);
        let mut snippet =
            Snippet::source(shown.text.clone()).path(clean(name)).line_start(first_line);
        for (place, label) in spans {
            let kind = if place == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let range = shown.range(&bounded(text, &label.span.range));
            let annotation = kind.span(range);
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(clean(&label.text))
            });
        }
        out.push(snippet);
    }
    out
}

/// The lines that hold all labels. A file of 4 MiB must not be drawn, nor escaped, whole.
fn window(text: &str, labels: &[(usize, &Label)]) -> Option<Range<usize>> {
    let start = labels.iter().map(|(_, label)| bounded(text, &label.span.range).start).min()?;
    let end = labels.iter().map(|(_, label)| bounded(text, &label.span.range).end).max()?;
    let line = line_range(text, start);
    let last = line_range(text, end.max(start));
    Some(line.start..last.end.max(line.end))
}

fn line_range(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    start..end
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// A range within the text and on the edges of characters.
fn bounded(text: &str, range: &Range<usize>) -> Range<usize> {
    let fit = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = fit(range.start);
    start..fit(range.end).max(start)
}

/// Lines as they are drawn: control characters written out, so that a file cannot move the
/// cursor or colour the terminal.
struct Shown {
    text: String,
    from: usize,
    /// Places in the file and how much longer the text is from there on.
    grown: Vec<(usize, usize)>,
}

/// The longest part of one line that is drawn.
const LONGEST: usize = 2_000;

impl Shown {
    fn new(text: &str, window: Range<usize>) -> Self {
        let mut out = Self { text: String::new(), from: window.start, grown: Vec::new() };
        let mut grown = 0_usize;
        for (at, c) in text[window.clone()].char_indices() {
            if out.text.len() > LONGEST * 20 {
                break;
            }
            let before = out.text.len();
            push_clean(c, true, &mut out.text);
            let longer = (out.text.len() - before).saturating_sub(c.len_utf8());
            if longer > 0 {
                grown += longer;
                out.grown.push((window.start + at, grown));
            }
        }
        out
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let found = self.grown.partition_point(|(from, _)| *from < at);
            let longer = found.checked_sub(1).and_then(|i| self.grown.get(i)).map_or(0, |g| g.1);
            let mut place = (at.saturating_sub(self.from) + longer).min(self.text.len());
            while !self.text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        let start = place(range.start);
        start..place(range.end).max(start)
    }
}

/// Text with control characters written out.
fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_unseen(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_clean(c, false, &mut out));
    Cow::Owned(out)
}

fn push_clean(c: char, line: bool, out: &mut String) {
    match c {
        '\n' => out.push('\n'),
        '\t' if line => out.push('\t'),
        '\r' if line => out.push(' '),
        c if is_unseen(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Control characters, and those that reorder the text around them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A problem in the shape of Terraform's `validate -json`, with our code beside it.
pub fn json(problem: &Problem, sources: &Sources) -> Value {
    let detail = [problem.detail.as_str(), problem.help.as_str()];
    let detail: Vec<&str> = detail.into_iter().filter(|text| !text.is_empty()).collect();
    let label = problem.labels.first().map_or("", |label| label.text.as_str());
    let mut out = json!({
        "severity": problem.severity,
        "code": problem.code,
        "summary": problem.summary,
        "detail": match (detail.is_empty(), label) {
            (true, label) => label.to_owned(),
            (false, _) => detail.join("\n"),
        },
    });
    let place = problem.labels.first();
    if let (Some(label), Some(object)) = (place, out.as_object_mut())
        && let Some((name, text)) = sources.get(label.span.source)
    {
        let range = bounded(text, &label.span.range);
        object.insert(
            "range".to_owned(),
            json!({
                "filename": name,
                "start": position(text, range.start),
                "end": position(text, range.end),
            }),
        );
        object.insert("snippet".to_owned(), snippet_json(text, &range));
    }
    out
}

fn position(text: &str, at: usize) -> Value {
    let line = line_range(text, at);
    json!({
        "line": line_of(text, at),
        "column": text[line.start..at].chars().count() + 1,
        "byte": at,
    })
}

fn snippet_json(text: &str, range: &Range<usize>) -> Value {
    let line = line_range(text, range.start);
    let last = line_range(text, range.end);
    let mut end = last.end.max(line.end).min(line.start + LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    json!({
        "context": context(text, range.start),
        "code": &text[line.start..end],
        "start_line": line_of(text, range.start),
        "highlight_start_offset": range.start - line.start,
        "highlight_end_offset": range.end.min(end).max(range.start) - line.start,
        "values": [],
    })
}

/// The header of the block at the top that a place stands in: `bucket "data"`.
fn context(text: &str, at: usize) -> Option<String> {
    let starts = |line: &&str| line.starts_with(|c: char| c.is_alphabetic());
    let line = text[..line_range(text, at).end].lines().rev().find(starts)?;
    let header = line.split('{').next().unwrap_or(line).trim();
    (line.contains('{') && !header.contains('=')).then(|| header.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn example(text: &str, part: &str) -> (Problem, Sources) {
        let mut sources = Sources::default();
        let source = sources.add("main.hcl", text);
        let start = text.find(part).expect("the part");
        let span = Span { source, range: start..start + part.len() };
        let problem = Problem::error("L012", "unknown attribute \"versionning\"")
            .at(&span, "not an attribute of bucket")
            .help("did you mean \"versioning\"?");
        (problem, sources)
    }

    #[test]
    fn a_problem_is_drawn_at_its_place() {
        let (problem, sources) =
            example("# first\nbucket \"data\" {\n  versionning = true\n}\n", "versionning");
        let drawn = text(&problem, &sources, false, 100);
        let expect = "\
Error[L012]: unknown attribute \"versionning\"
 --> main.hcl:3:3
  |
3 |   versionning = true
  |   ^^^^^^^^^^^ not an attribute of bucket
  |
  = help: did you mean \"versioning\"?
";
        assert_eq!(drawn, expect);
        assert!(text(&problem, &sources, true, 100).contains("\u{1b}["));
    }

    #[test]
    fn several_places_in_several_files() {
        let (problem, mut sources) = example("a = 1\n\n\n\n\nb = 2\n", "b");
        let other = sources.add("other.hcl", "a = 1\n");
        let first = Span { source: Source(0), range: 0..1 };
        let problem = problem.at(&first, "first here").at(&Span { source: other, range: 0..1 }, "");
        let drawn = text(&problem, &sources, false, 100);
        assert!(drawn.contains(" --> main.hcl:6:1"), "{drawn}");
        assert!(drawn.contains("- first here"), "{drawn}");
        assert!(drawn.contains("other.hcl:1:1"), "{drawn}");
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let (mut problem, sources) =
            example("a = \"\u{1b}[31m\u{202e}x\r\" versionning\n", "versionning");
        problem.summary = "bad \u{1b}]0;title\u{7}".to_owned();
        let drawn = text(&problem, &sources, false, 100);
        assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{7}'), "{drawn}");
        assert!(!drawn.contains('\u{202e}'), "{drawn}");
        assert!(drawn.contains("\\u{1b}"), "{drawn}");
        // The underline still stands below the word.
        let rows: Vec<&str> = drawn.lines().collect();
        let row = rows.iter().position(|row| row.contains("versionning")).expect("a row");
        let column = rows[row].find("versionning").expect("a column");
        assert_eq!(rows[row + 1].find('^'), Some(column), "{drawn}");
    }

    #[test]
    fn places_outside_of_the_text_do_no_harm() {
        let mut sources = Sources::default();
        let source = sources.add("m", "é");
        for range in [0..0, 1..1, 2..2, 5..9, 0..900] {
            let problem = Problem::error("L001", "x").at(&Span { source, range }, "y");
            assert!(text(&problem, &sources, false, 80).contains("Error[L001]: x"));
            assert!(json(&problem, &sources).is_object());
        }
        let nowhere = Span { source: Source(9), range: 0..1 };
        let problem = Problem::warning("L001", "x").at(&nowhere, "y").detail("more");
        assert!(text(&problem, &sources, false, 80).starts_with("Warning[L001]: x"));
        assert_eq!(json(&problem, &sources).get("range"), None);
    }

    #[test]
    fn json_has_terraforms_shape() {
        let (problem, sources) =
            example("# first\nbucket \"data\" {\n  versionning = true\n}\n", "versionning");
        assert_eq!(
            json(&problem, &sources),
            json!({
                "severity": "error",
                "code": "L012",
                "summary": "unknown attribute \"versionning\"",
                "detail": "did you mean \"versioning\"?",
                "range": {
                    "filename": "main.hcl",
                    "start": { "line": 3, "column": 3, "byte": 26 },
                    "end": { "line": 3, "column": 14, "byte": 37 },
                },
                "snippet": {
                    "context": "bucket \"data\"",
                    "code": "  versionning = true",
                    "start_line": 3,
                    "highlight_start_offset": 2,
                    "highlight_end_offset": 13,
                    "values": [],
                },
            })
        );
    }
}
