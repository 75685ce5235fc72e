//! What to say about text that is not HCL. The parser's own messages name what its grammar
//! could have taken next; people need to know what they left open and what to write.

use crate::model::{Problem, Source, Span};

use super::scan::Fault;
use super::{codes, limits};

/// Describes a fault that the scan found.
pub(crate) fn fault(text: &str, source: Source, fault: &Fault) -> Problem {
    let span = |start: usize, len: usize| Span { source, range: start..start + len };
    let error = |summary: &str| Problem::error(codes::SYNTAX, summary);
    let limit = |summary: String| Problem::error(codes::LIMIT, summary);
    match fault {
        Fault::String { open, end } => error("a string is not closed on its line")
            .at(&Span { source, range: *open..*end }, "opened here")
            .help("end it with `\"`; text of several lines is written as <<EOT … EOT"),
        Fault::Template { open } => error("an interpolation is not closed")
            .at(&span(*open, 2), "opened here")
            .help("end it with `}`; write `$${` or `%%{` for the characters themselves"),
        Fault::Heredoc { open, word } => error("a heredoc is not closed")
            .at(&Span { source, range: *open..line_end(text, *open) }, "opened here")
            .help(format!("put {word} alone on a line after the text")),
        Fault::Comment { open } => error("a comment is not closed")
            .at(&span(*open, 2), "opened here")
            .help("end it with `*/`"),
        Fault::Unclosed { open } => error(&format!("`{}` is not closed", at(text, *open)))
            .at(&span(*open, 1), "opened here")
            .help(format!("add `{}`", partner(at(text, *open)))),
        Fault::Mismatch { open, close } => {
            let (opened, closed) = (at(text, *open), at(text, *close));
            error(&format!("`{closed}` does not close `{opened}`"))
                .at(&span(*close, 1), format!("expected `{}`", partner(opened)))
                .at(&span(*open, 1), "opened here")
        }
        Fault::Unopened { close } => error(&format!("`{}` closes nothing", at(text, *close)))
            .at(&span(*close, 1), "nothing is open here")
            .help("remove it, or look for a bracket that was closed too early"),
        Fault::Deep { open } => limit(format!("nested more than {} levels deep", limits::DEPTH))
            .at(&span(*open, 1), "one level too many")
            .help("give parts of it names in a `locals` block"),
        Fault::Many { open } => limit(format!("more than {} blocks", limits::BLOCKS))
            .at(&span(*open, 1), "one too many")
            .help("split the configuration into several stacks"),
        Fault::Wide { open } => {
            limit(format!("more than {} entries in one pair of braces", limits::OBJECT_ITEMS))
                .at(&span(*open, 1), "opened here")
                .help("read large tables with jsondecode(file(…))")
        }
    }
}

impl From<Box<Problem>> for Problem {
    fn from(problem: Box<Problem>) -> Self {
        *problem
    }
}

fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    if text[at..end].ends_with('\r') { end - 1 } else { end }
}

fn at(text: &str, place: usize) -> char {
    text.get(place..).and_then(|rest| rest.chars().next()).unwrap_or(' ')
}

fn partner(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Describes an error of the parser.
pub(crate) fn problem(text: &str, source: Source, error: &hcl_edit::parser::Error) -> Problem {
    let offset = floor(text, error.location().offset());
    let message = error.message();
    let rest = text.get(offset..).unwrap_or_default();
    let word_len = word(rest);
    let here = Span { source, range: offset..offset + word_len.max(first_len(rest)) };
    let name = &rest[..word_len];
    if message.contains("redefined attribute") {
        return Problem::error(codes::DUPLICATE, format!("attribute {name:?} is set twice"))
            .at(&here, "set again here")
            .help("keep one of the two");
    }
    if message.contains("redefined object key") {
        return Problem::error(codes::DUPLICATE, "a key stands twice in this object")
            .at(&here, "again here")
            .help("keep one of the two");
    }
    if let Some(most) = message.split("expected ").nth(1).filter(|most| most.starts_with("at most"))
    {
        return Problem::error(codes::LIMIT, format!("too much in one expression: {most}"))
            .at(&here, "here")
            .help("give parts of it names in a `locals` block");
    }
    let (summary, help) = guess(text, offset, message);
    let mut problem = Problem::error(codes::SYNTAX, summary).at(&here, expected(message));
    if !help.is_empty() {
        problem = problem.help(help);
    }
    problem
}

fn guess(text: &str, offset: usize, message: &str) -> (String, &'static str) {
    let rest = text.get(offset..).unwrap_or_default();
    let before = text.get(..offset).unwrap_or_default().trim_end_matches([' ', '\t']);
    let first = rest.chars().next();
    let found = match first {
        None => "end of the file".to_owned(),
        Some('\n' | '\r') => "end of the line".to_owned(),
        Some(_) if word(rest) > 0 => format!("`{}`", &rest[..word(rest)]),
        Some(c) => format!("`{}`", c.escape_default()),
    };
    let help = if first == Some('\'') {
        "strings stand in double quotes: \"…\""
    } else if first == Some(';') {
        "statements end with the line; remove the semicolon"
    } else if message.contains("invalid structure") && first == Some(':') {
        "an attribute is written `name = value`"
    } else if message.contains("invalid structure") {
        "a line is `name = value` or opens a block: `word \"label\" {`, with `{` on that line"
    } else if message.contains("escape sequence") {
        "a backslash is written `\\\\`; known are \\n \\r \\t \\\" \\\\ \\uXXXX \\UXXXXXXXX"
    } else if message.contains("block body") {
        "a block on one line holds one attribute; put each on its own line"
    } else if before.ends_with('=') && matches!(first, None | Some('\n' | '\r')) {
        "the value starts on the line of its `=`"
    } else if message.contains("newline") && first == Some(',') {
        "attributes are separated by line ends, not commas"
    } else if message.contains("object item") {
        "entries of an object are separated by commas or line ends"
    } else if message.contains("expected `]`") || message.contains("expected `)`") {
        "elements are separated by commas"
    } else {
        ""
    };
    (format!("unexpected {found}"), help)
}

/// The parser's “expected …” without its jargon.
fn expected(message: &str) -> String {
    if message.contains("invalid expression") || message.contains("expected expression") {
        return "expected a value".to_owned();
    }
    if message.contains("invalid structure") {
        return "expected `=` or `{`".to_owned();
    }
    match message.split_once("expected ") {
        Some((_, rest)) if rest.len() <= 80 && !rest.contains('\n') => {
            let rest = rest.split(';').next().unwrap_or(rest).trim();
            format!("expected {}", rest.replace("`\\n`", "a new line").replace("eof", "the end"))
        }
        Some(_) | None => "not expected here".to_owned(),
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len())
}

/// The length of the first character; a line's end is pointed at, not into.
fn first_len(rest: &str) -> usize {
    rest.chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8)
}

/// The start of the character that a byte belongs to.
fn floor(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
