//! Text to syntax tree. The tree is hcl-edit's; what it says about errors is ours.

use std::rc::Rc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::Template;

use crate::model::{Problem, Source, Span};

use super::{codes, decimal, limits, scan, syntax};

/// A file as it was read and parsed.
pub(crate) type Parsed = (Source, Rc<str>, Body);

/// The files of a module's folder, and the first problem of one that cannot be used.
pub(crate) type Files = Result<Rc<Vec<Parsed>>, Box<Problem>>;

/// A file as it is registered for problems: without a byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Parses a whole file.
pub(crate) fn body(text: &str, source: Source) -> Result<Body, Box<Problem>> {
    guard(text, source, true)?;
    hcl_edit::parser::parse_body(text)
        .map_err(|error| Box::new(syntax::problem(text, source, &error)))
}

/// Parses one expression.
pub(crate) fn expression(text: &str, source: Source) -> Result<Expression, Box<Problem>> {
    guard(text, source, true)?;
    hcl_edit::parser::parse_expr(text)
        .map_err(|error| Box::new(syntax::problem(text, source, &error)))
}

/// Parses a file for `templatefile`.
pub(crate) fn template(text: &str, source: Source) -> Result<Template, Box<Problem>> {
    guard(text, source, false)?;
    hcl_edit::parser::parse_template(text)
        .map_err(|error| Box::new(syntax::problem(text, source, &error)))
}

/// Refuses what no real file contains, before the parser sees it.
fn guard(text: &str, source: Source, code: bool) -> Result<(), Box<Problem>> {
    if text.len() > limits::FILE_BYTES {
        let mib = text.len() / (1024 * 1024);
        return Err(Box::new(
            Problem::error(codes::LIMIT, format!("the file is larger than 16 MiB ({mib} MiB)"))
                .at(&Span { source, range: 0..0 }, "")
                .help("split the configuration into several files"),
        ));
    }
    if let Some(at) = text.find('\0') {
        return Err(Box::new(
            Problem::error(codes::CHARACTER, "the file contains a NUL byte")
                .at(&Span { source, range: at..at + 1 }, "here")
                .help("save the file as UTF-8 text (not UTF-16) and remove the byte"),
        ));
    }
    if !code {
        return Ok(());
    }
    let tokens = scan::tokens(text).map_err(|fault| syntax::fault(text, source, &fault))?;
    // The parser knows floats only, and says nothing useful about a number that is none.
    let large = tokens.iter().find(|token| {
        token.kind == scan::Kind::Number && decimal::number(&text[token.range.clone()]).is_none()
    });
    if let Some(token) = large {
        return Err(Box::new(inexact(&Span { source, range: token.range.clone() })));
    }
    match scan::check(text, &tokens) {
        Ok(()) => Ok(()),
        Err(fault) => Err(Box::new(syntax::fault(text, source, &fault))),
    }
}

/// The problem of a number with too many digits.
pub(crate) fn inexact(span: &Span) -> Problem {
    Problem::error(codes::NUMBER, "this number cannot be kept exactly")
        .at(span, "more than 28 digits")
        .help("write it with fewer digits, or as a string in quotes")
}
