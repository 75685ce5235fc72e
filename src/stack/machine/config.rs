//! A cloud-config: YAML whose parts may wait for ids that apply fills in.
//!
//! Whatever an author writes is data in it. A text of printable characters stands as it is
//! in a literal block, where nothing but its indentation has a meaning; any other is base64.

use crate::model::{Encoder, Piece, Text};

/// Under `write_files:` and the name of a field.
const INDENT: &str = "      ";

/// A cloud-config under way.
#[derive(Clone)]
pub(super) struct Config {
    out: Vec<Piece>,
    files: bool,
}

/// The pieces of a text; none when it is empty.
pub(super) fn pieces(text: Text) -> Vec<Piece> {
    match text {
        Text::Known(text) if text.is_empty() => Vec::new(),
        Text::Known(text) => vec![Piece::Plain(text)],
        Text::Deferred(pieces) => pieces,
    }
}

/// A quoted scalar on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Characters that YAML takes as they are, and that break no line.
fn printable(c: char) -> bool {
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let plain = matches!(c, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}');
    (plain || matches!(c, '\u{e000}'..='\u{fffd}' | '\u{10000}'..)) && !breaks
}

/// Ids are letters, digits and a few signs: what is encoded of them is no harm either.
fn is_plain(pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| match piece {
        Piece::Plain(text) => text.chars().all(printable),
        Piece::Id(_) => true,
        Piece::Encoded(Encoder::Base64 | Encoder::Sha256, _) => true,
        Piece::Encoded(Encoder::Raw | Encoder::Json, inner) => is_plain(inner),
    })
}

/// Whether it can stand in a literal block: its first line tells how far the block is
/// indented.
fn is_literal(pieces: &[Piece]) -> bool {
    let starts = match pieces.first() {
        Some(Piece::Plain(first)) => !first.starts_with([' ', '\n']),
        Some(Piece::Id(_) | Piece::Encoded(..)) => true,
        None => false,
    };
    starts && is_plain(pieces)
}

/// How many line ends a text ends with, two at most.
fn line_ends(pieces: &[Piece]) -> usize {
    match pieces.last() {
        Some(Piece::Plain(last)) => last.chars().rev().take(2).take_while(|c| *c == '\n').count(),
        Some(Piece::Id(_) | Piece::Encoded(..)) | None => 0,
    }
}

impl Config {
    /// Begins with a comment.
    pub(super) fn new(about: &str) -> Self {
        Self { out: vec![Piece::Plain(format!("#cloud-config\n# {about}\n"))], files: false }
    }

    /// Adds known lines; before any file.
    pub(super) fn lines(&mut self, text: &str) {
        self.piece(Piece::Plain(text.to_owned()));
    }

    /// Adds a file.
    pub(super) fn file(&mut self, path: &str, mode: &str, content: Vec<Piece>) {
        if !self.files {
            self.lines("write_files:\n");
            self.files = true;
        }
        self.lines(&format!("  - path: {}\n    permissions: \"{mode}\"\n", quoted(path)));
        if is_literal(&content) {
            self.literal(content);
        } else {
            self.lines("    encoding: b64\n    content: \"");
            self.piece(match <[Piece; 1]>::try_from(content) {
                Ok([Piece::Plain(known)]) => Piece::Plain(base64(&known)),
                Ok(one) => Piece::Encoded(Encoder::Base64, one.to_vec()),
                Err(many) => Piece::Encoded(Encoder::Base64, many),
            });
            self.lines("\"\n");
        }
    }

    fn literal(&mut self, content: Vec<Piece>) {
        let ends = line_ends(&content);
        let chomp = ["-", "", "+"][ends.min(2)];
        self.lines(&format!("    content: |{chomp}\n"));
        let mut fresh = true;
        for piece in content {
            match piece {
                Piece::Plain(text) => {
                    let mut out = String::with_capacity(text.len() + text.len() / 4);
                    for c in text.chars() {
                        if fresh && c != '\n' {
                            out.push_str(INDENT);
                        }
                        fresh = c == '\n';
                        out.push(c);
                    }
                    self.piece(Piece::Plain(out));
                }
                Piece::Id(_) | Piece::Encoded(..) => {
                    if fresh {
                        self.lines(INDENT);
                    }
                    fresh = false;
                    self.piece(piece);
                }
            }
        }
        if ends == 0 {
            self.lines("\n");
        }
    }

    fn piece(&mut self, piece: Piece) {
        match (self.out.last_mut(), piece) {
            (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
            (_, piece) => self.out.push(piece),
        }
    }

    /// The whole.
    pub(super) fn text(self) -> Text {
        match <[Piece; 1]>::try_from(self.out) {
            Ok([Piece::Plain(text)]) => Text::Known(text),
            Ok(one) => Text::Deferred(one.to_vec()),
            Err(pieces) => Text::Deferred(pieces),
        }
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
