//! Rows of inked text, folded to the width of a screen.

use super::screen::{Ink, Screen, Untrusted};

/// A stretch of text in one ink.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    ink: Ink,
    text: String,
    breaks: Breaks,
}

/// Where a span may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaks {
    /// Between words.
    Words,
    /// Between words, when it does not fit on a line of its own.
    Need,
    /// Nowhere.
    Never,
}

/// One row before folding: where it starts, its mark, its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    indent: usize,
    hang: usize,
    spans: Vec<Span>,
}

impl Row {
    /// An empty row that starts at a column; so do its further lines.
    pub(super) fn at(indent: usize) -> Self {
        Self { indent, hang: indent, spans: Vec::new() }
    }

    /// A row with a mark in front; further lines start behind the mark.
    pub(super) fn marked(indent: usize, ink: Ink, mark: &str) -> Self {
        let hang = indent + mark.chars().count() + 1;
        Self { indent, hang, spans: Vec::new() }.solid(ink, format!("{mark} "))
    }

    /// Further lines start here.
    pub(super) fn hang(mut self, column: usize) -> Self {
        self.hang = column;
        self
    }

    /// Adds words, between which it may be folded.
    pub(super) fn words(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        self.push(ink, text.as_ref(), Breaks::Words);
        self
    }

    /// Adds text that is broken only when it has to be.
    pub(super) fn solid(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        self.push(ink, text.as_ref(), Breaks::Need);
        self
    }

    /// Adds a line of a longer text: its spaces matter, and it is never broken.
    pub(super) fn code(mut self, ink: Ink, line: &str) -> Self {
        let text = Untrusted(line).to_string();
        self.spans.push(Span { ink, text, breaks: Breaks::Never });
        self
    }

    /// Adds pieces with commas between them; a piece is broken only when it has to be.
    pub(super) fn list(mut self, ink: Ink, pieces: &[String]) -> Self {
        for (i, piece) in pieces.iter().enumerate() {
            let comma = if i + 1 < pieces.len() { ", " } else { "" };
            self.push(ink, &format!("{piece}{comma}"), Breaks::Need);
        }
        self
    }

    fn push(&mut self, ink: Ink, text: &str, breaks: Breaks) {
        self.spans.push(Span { ink, text: Untrusted(text).to_string(), breaks });
    }

    /// The characters in it, unfolded.
    pub(super) fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Atoms: what is not broken, each with the spaces behind it.
    fn atoms(&self, room: usize) -> Vec<(Ink, &str)> {
        let mut out = Vec::new();
        for Span { ink, text, breaks } in &self.spans {
            match breaks {
                Breaks::Words => out.extend(text.split_inclusive(' ').map(|word| (*ink, word))),
                Breaks::Need => out.extend(parts(text, room).into_iter().map(|part| (*ink, part))),
                Breaks::Never => out.push((*ink, text.as_str())),
            }
        }
        out
    }

    /// Folded to the screen, each line with its end.
    pub(super) fn write(&self, screen: Screen, out: &mut String) {
        let room = screen.width.saturating_sub(self.hang);
        let mut line = " ".repeat(self.indent);
        let (mut column, mut fresh, mut folded) = (self.indent, true, false);
        for (ink, atom) in self.atoms(room) {
            let (bare, spaces) = split_end(atom);
            let size = bare.chars().count();
            if bare.is_empty() && folded {
                continue;
            }
            if !fresh && !bare.is_empty() && column + size > screen.width {
                end(&mut line, out);
                line.push_str(&" ".repeat(self.hang));
                (column, folded) = (self.hang, true);
            }
            if !bare.is_empty() {
                line.push_str(&screen.paint(ink, bare));
                folded = false;
            }
            line.push_str(spaces);
            column += size + spaces.len();
            fresh = false;
        }
        end(&mut line, out);
    }
}

/// Broken at commas when it is wider than the room, at spaces where that is not enough.
fn parts(text: &str, room: usize) -> Vec<&str> {
    let wide = |part: &str| part.trim_end().chars().count() > room;
    if !wide(text) {
        return vec![text];
    }
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(", ") {
        let (part, tail) = rest.split_at(at + 2);
        out.push(part);
        rest = tail;
    }
    out.push(rest);
    let words = |part| if wide(part) { part.split_inclusive(' ').collect() } else { vec![part] };
    out.into_iter().flat_map(words).collect()
}

fn split_end(atom: &str) -> (&str, &str) {
    atom.split_at(atom.trim_end_matches(' ').len())
}

fn end(line: &mut String, out: &mut String) {
    out.push_str(line.trim_end_matches(' '));
    out.push('\n');
    line.clear();
}

/// Text under construction.
#[derive(Debug)]
pub(super) struct Page {
    screen: Screen,
    out: String,
}

impl Page {
    /// An empty page.
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, out: String::new() }
    }

    /// True when everything is wanted.
    pub(super) fn is_verbose(&self) -> bool {
        self.screen.verbose
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &Row) {
        row.write(self.screen, &mut self.out);
    }

    /// Adds rows.
    pub(super) fn rows<'a>(&mut self, rows: impl IntoIterator<Item = &'a Row>) {
        rows.into_iter().for_each(|row| self.row(row));
    }

    /// Adds an empty line, unless it would be the first.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// `1 node`, `2 nodes`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(row: &Row, width: usize) -> String {
        let mut out = String::new();
        row.write(Screen { width, ..Screen::PLAIN }, &mut out);
        out
    }

    #[test]
    fn words_fold_behind_the_mark() {
        let row = Row::marked(2, Ink::Add, "+").words(Ink::Plain, "one two three");
        assert_eq!(folded(&row, 12), "  + one two\n    three\n");
    }

    #[test]
    fn a_piece_moves_to_the_next_line_whole() {
        let row = Row::at(2).list(Ink::Plain, &["a = 1".to_owned(), "bcd = 22".to_owned()]);
        assert_eq!(folded(&row, 14), "  a = 1,\n  bcd = 22\n");
        assert_eq!(folded(&row, 80), "  a = 1, bcd = 22\n");
    }

    #[test]
    fn a_word_wider_than_the_screen_stays_whole_so_that_it_can_be_copied() {
        let row = Row::at(2).words(Ink::Plain, "see arn:aws:s3:::bucket now");
        assert_eq!(folded(&row, 12), "  see\n  arn:aws:s3:::bucket\n  now\n");
    }

    #[test]
    fn colour_costs_no_columns() {
        let row = Row::at(0).words(Ink::Bold, "aaaa bbbb");
        let mut out = String::new();
        row.write(Screen { width: 9, colour: true, verbose: false }, &mut out);
        assert_eq!(out, "\u{1b}[1maaaa\u{1b}[0m \u{1b}[1mbbbb\u{1b}[0m\n");
    }
}
