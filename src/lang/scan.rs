//! Cuts HCL into tokens without building anything: for the formatter, for finding what was
//! opened and never closed, and for refusing text that would cost the parser too much.
//! No function here calls itself, so no input can exhaust the stack.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A whole quoted string with everything interpolated in it.
    String,
    /// A whole heredoc, from `<<` to its end word.
    Heredoc,
    /// `# …` or `// …`, without the line's end.
    LineComment,
    /// `/* … */`
    BlockComment,
    /// The end of a line.
    Newline,
    /// One of `( [ {`.
    Open,
    /// One of `) ] }`.
    Close,
    /// `,`
    Comma,
    /// `.`, `...`, `::`
    Dot,
    /// `=`, and `:` where it separates.
    Assign,
    /// Any other operator.
    Operator,
    /// Something that HCL does not know.
    Other,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// Something wrong that the scan sees by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A quoted string without its end on the same line.
    String { open: usize, end: usize },
    /// `${` or `%{` without `}`.
    Template { open: usize },
    /// A heredoc without its end word.
    Heredoc { open: usize, word: String },
    /// `/*` without `*/`.
    Comment { open: usize },
    /// A bracket without its partner.
    Unclosed { open: usize },
    /// A closing bracket of another kind than the opened one.
    Mismatch { open: usize, close: usize },
    /// A closing bracket where nothing is open.
    Unopened { close: usize },
    /// Brackets nested too deeply.
    Deep { open: usize },
    /// An object with too many entries.
    Wide { open: usize },
    /// Too many blocks.
    Many { open: usize },
}

/// Cuts text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut out = Vec::with_capacity(text.len() / 4);
    let mut at = 0;
    while at < text.len() {
        let (kind, end) = token(text, at)?;
        if let Some(kind) = kind {
            out.push(Token { kind, range: at..end });
        }
        at = end;
    }
    Ok(out)
}

/// Checks brackets and sizes.
pub(crate) fn check(text: &str, tokens: &[Token]) -> Result<(), Fault> {
    let byte = |token: &Token| text.as_bytes().get(token.range.start).copied();
    // Bracket, place, and the entries so far; none for the body of a block, which may be long:
    // only an object's entries are compared with each other.
    let mut open: Vec<(u8, usize, Option<usize>)> = Vec::new();
    let mut last = Kind::Newline;
    let mut blocks = 0_usize;
    for token in tokens {
        match token.kind {
            Kind::Open => {
                if open.len() >= super::limits::DEPTH {
                    return Err(Fault::Deep { open: token.range.start });
                }
                let block = matches!(last, Kind::Word | Kind::String);
                let entries = (!block).then_some(0);
                blocks += usize::from(block && byte(token) == Some(b'{'));
                if blocks > super::limits::BLOCKS {
                    return Err(Fault::Many { open: token.range.start });
                }
                open.push((byte(token).unwrap_or_default(), token.range.start, entries));
            }
            Kind::Close => {
                let close = token.range.start;
                let Some((bracket, start, _)) = open.pop() else {
                    return Err(Fault::Unopened { close });
                };
                if byte(token) != Some(partner(bracket)) {
                    return Err(Fault::Mismatch { open: start, close });
                }
            }
            Kind::Assign => {
                if let Some((b'{', start, Some(entries))) = open.last_mut() {
                    *entries += 1;
                    if *entries > super::limits::OBJECT_ITEMS {
                        return Err(Fault::Wide { open: *start });
                    }
                }
            }
            Kind::Word
            | Kind::Number
            | Kind::String
            | Kind::Heredoc
            | Kind::LineComment
            | Kind::BlockComment
            | Kind::Newline
            | Kind::Comma
            | Kind::Dot
            | Kind::Operator
            | Kind::Other => {}
        }
        last = token.kind;
    }
    match open.pop() {
        Some((_, open, _)) => Err(Fault::Unclosed { open }),
        None => Ok(()),
    }
}

fn partner(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// The token at a place and where it ends; no kind for white space.
fn token(text: &str, at: usize) -> Result<(Option<Kind>, usize), Fault> {
    let rest = &text[at..];
    let mut chars = rest.chars();
    let first = chars.next().unwrap_or(' ');
    let one = at + first.len_utf8();
    let next = chars.next();
    let kind = match first {
        '\n' => Kind::Newline,
        ' ' | '\t' | '\r' => return Ok((None, one)),
        '#' => return Ok((Some(Kind::LineComment), line_end(text, at))),
        '/' if next == Some('/') => return Ok((Some(Kind::LineComment), line_end(text, at))),
        '/' if next == Some('*') => {
            let end = rest.find("*/").ok_or(Fault::Comment { open: at })?;
            return Ok((Some(Kind::BlockComment), at + end + 2));
        }
        '"' => return Ok((Some(Kind::String), string_end(text, at)?)),
        '<' if heredoc(text, at).is_some() => {
            return Ok((Some(Kind::Heredoc), heredoc_end(text, at)?));
        }
        '(' | '[' | '{' => Kind::Open,
        ')' | ']' | '}' => Kind::Close,
        ',' => Kind::Comma,
        '.' => {
            let dots = if rest.starts_with("...") { 3 } else { 1 };
            return Ok((Some(Kind::Dot), at + dots));
        }
        '=' if next == Some('=') || next == Some('>') => {
            return Ok((Some(Kind::Operator), at + 2));
        }
        ':' if next == Some(':') => return Ok((Some(Kind::Dot), at + 2)),
        '=' | ':' => Kind::Assign,
        '!' | '<' | '>' if next == Some('=') => return Ok((Some(Kind::Operator), at + 2)),
        '&' | '|' if next == Some(first) => return Ok((Some(Kind::Operator), at + 2)),
        '+' | '-' | '*' | '/' | '%' | '!' | '<' | '>' | '?' | '~' => Kind::Operator,
        '0'..='9' => return Ok((Some(Kind::Number), number_end(text, at))),
        letter if is_start(letter) => {
            let end = rest.find(|c| !is_continue(c)).map_or(text.len(), |end| at + end);
            return Ok((Some(Kind::Word), end));
        }
        _ => Kind::Other,
    };
    Ok((Some(kind), one))
}

fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    if text[at..end].ends_with('\r') { end - 1 } else { end }
}

fn number_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut end = at;
    while digit(end) {
        end += 1;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digit(end + 1 + sign) {
            end += 1 + sign;
            while digit(end) {
                end += 1;
            }
        }
    }
    end
}

fn is_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_continue(c: char) -> bool {
    c == '_' || c == '-' || c.is_alphanumeric()
}

/// Where a heredoc's first line starts and its end word.
fn heredoc(text: &str, at: usize) -> Option<(usize, &str)> {
    let rest = text[at..].strip_prefix("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if !rest.starts_with(is_start) {
        return None;
    }
    let word = &rest[..rest.find(|c| !is_continue(c))?];
    let after = &rest[word.len()..];
    let newline = after.find('\n')?;
    after[..newline].trim().is_empty().then(|| (text.len() - after.len() + newline + 1, word))
}

fn heredoc_end(text: &str, at: usize) -> Result<usize, Fault> {
    let Some((mut line, word)) = heredoc(text, at) else {
        return Ok(at + 2);
    };
    while line < text.len() {
        let end = text[line..].find('\n').map_or(text.len(), |end| line + end);
        let indent = text[line..end].len() - text[line..end].trim_start().len();
        if let Some(after) = text[line + indent..end].strip_prefix(word)
            && !after.starts_with(is_continue)
        {
            return Ok(line + indent + word.len());
        }
        line = end + 1;
    }
    Err(Fault::Heredoc { open: at, word: word.to_owned() })
}

/// The end of a quoted string, past everything that is interpolated into it.
fn string_end(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    // What is open, innermost last: `"` a string, `$` an interpolation, `{` a bracket in one.
    let mut open = vec![(b'"', start)];
    let mut at = start + 1;
    while let Some(&(mode, from)) = open.last() {
        let Some(&byte) = bytes.get(at) else {
            return Err(if mode == b'"' {
                Fault::String { open: from, end: text.len() }
            } else {
                Fault::Template { open: from }
            });
        };
        let next = bytes.get(at + 1).copied();
        if mode == b'"' {
            match byte {
                b'"' => {
                    open.pop();
                }
                b'\n' => return Err(Fault::String { open: from, end: at }),
                b'\\' => at += usize::from(next.is_some_and(|next| next != b'\n')),
                b'$' | b'%' if next == Some(byte) && bytes.get(at + 2) == Some(&b'{') => at += 2,
                b'$' | b'%' if next == Some(b'{') => {
                    open.push((b'$', at));
                    at += 1;
                }
                _ => {}
            }
        } else {
            match byte {
                b'"' => open.push((b'"', at)),
                b'{' => open.push((b'{', at)),
                b'}' => {
                    open.pop();
                }
                b'<' if heredoc(text, at).is_some() => at = heredoc_end(text, at)? - 1,
                _ => {}
            }
        }
        at += 1;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let found = tokens(text).expect("tokens");
        found.into_iter().map(|token| (token.kind, &text[token.range])).collect()
    }

    #[test]
    fn strings_and_heredocs_are_one_token() {
        let text = "a = \"x ${f(\"}\", {b = 1})} $${\" # c\nb = <<-E\n  ${\n \"x\" E\n  E\n";
        let kinds = kinds(text);
        assert_eq!(kinds[2], (Kind::String, "\"x ${f(\"}\", {b = 1})} $${\""));
        assert_eq!(kinds[3], (Kind::LineComment, "# c"));
        assert_eq!(kinds[7], (Kind::Heredoc, "<<-E\n  ${\n \"x\" E\n  E"));
    }

    #[test]
    fn numbers_and_operators() {
        let kinds = kinds("1.5e-3+a-b.c[*] >= 2... => :");
        let texts: Vec<_> = kinds.iter().map(|(_, text)| *text).collect();
        assert_eq!(
            texts,
            ["1.5e-3", "+", "a-b", ".", "c", "[", "*", "]", ">=", "2", "...", "=>", ":"]
        );
    }

    #[test]
    fn faults_point_at_what_was_opened() {
        let fault = |text: &str| match tokens(text) {
            Ok(tokens) => check(text, &tokens).expect_err("a fault"),
            Err(fault) => fault,
        };
        assert_eq!(fault("a = \"x\nb"), Fault::String { open: 4, end: 6 });
        assert_eq!(fault("a = \"${x\n\n"), Fault::Template { open: 5 });
        assert_eq!(fault("a = <<E\nx\n"), Fault::Heredoc { open: 4, word: "E".to_owned() });
        assert_eq!(fault("a /* x"), Fault::Comment { open: 2 });
        assert_eq!(fault("a { b = [1 \n }"), Fault::Mismatch { open: 8, close: 13 });
        assert_eq!(fault("a {\n"), Fault::Unclosed { open: 2 });
        assert_eq!(fault("}"), Fault::Unopened { close: 0 });
        assert_eq!(fault(&"[".repeat(100_000)), Fault::Deep { open: 64 });
    }
}
