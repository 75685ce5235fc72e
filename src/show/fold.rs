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
    /// As `Need`; it is one of several pieces, and a fact of its own.
    Piece,
    /// Nowhere.
    Never,
}

/// The sign in front of a row, and what is said in its place where signs are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    ink: Ink,
    sign: String,
    word: &'static str,
}

/// What a sign says. Some only point at a line, which says all by itself.
fn spoken(sign: &str) -> &'static str {
    match sign {
        "+" => "added",
        "-" => "removed",
        "~" => "changed",
        "!" => "attention:",
        "->" => "moved",
        "in" => "adopted",
        "out" => "forgotten",
        _ => "",
    }
}

/// Where what stands at the right edge ends at most: further away no eye connects it.
const RIGHT: usize = 100;

/// One row before folding: where it starts, its mark, its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    indent: usize,
    hang: usize,
    mark: Option<Mark>,
    spans: Vec<Span>,
    right: Option<(Ink, String)>,
}

impl Row {
    /// An empty row that starts at a column; so do its further lines.
    pub(super) fn at(indent: usize) -> Self {
        Self { indent, hang: indent, mark: None, spans: Vec::new(), right: None }
    }

    /// A row with a mark in front; further lines start behind the mark.
    pub(super) fn marked(indent: usize, ink: Ink, mark: &str) -> Self {
        let hang = indent + mark.chars().count() + 1;
        let mark = Mark { ink, sign: Untrusted(mark).to_string(), word: spoken(mark) };
        Self { hang, mark: Some(mark), ..Self::at(indent) }
    }

    /// What is said instead of the mark where signs are not read.
    pub(super) fn spoken(mut self, word: &'static str) -> Self {
        if let Some(mark) = &mut self.mark {
            mark.word = word;
        }
        self
    }

    /// What stands at the right edge of the screen, or below where it does not fit.
    pub(super) fn right(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        self.right = Some((ink, Untrusted(text.as_ref()).to_string()));
        self
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
            self.push(ink, &format!("{piece}{comma}"), Breaks::Piece);
        }
        self
    }

    fn push(&mut self, ink: Ink, text: &str, breaks: Breaks) {
        self.spans.push(Span { ink, text: Untrusted(text).to_string(), breaks });
    }

    /// The characters in it, unfolded.
    pub(super) fn text(&self) -> String {
        let mark = self.mark.iter().map(|mark| format!("{} ", mark.sign));
        mark.chain(self.spans.iter().map(|span| span.text.clone())).collect()
    }

    /// Its sign and the ink of that; none where it has none.
    pub(super) fn sign(&self) -> Option<(Ink, &str)> {
        self.mark.as_ref().map(|mark| (mark.ink, mark.sign.as_str()))
    }

    /// Where it starts.
    pub(super) fn indent(&self) -> usize {
        self.indent
    }

    /// Its stretches of text.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (Ink, &str)> {
        self.spans.iter().map(|span| (span.ink, span.text.as_str()))
    }

    /// Atoms: what is not broken, each with the spaces behind it.
    fn atoms(&self, room: usize) -> Vec<(Ink, &str)> {
        let mut out = Vec::new();
        for Span { ink, text, breaks } in &self.spans {
            match breaks {
                Breaks::Words => out.extend(text.split_inclusive(' ').map(|word| (*ink, word))),
                Breaks::Need | Breaks::Piece => {
                    out.extend(parts(text, room).into_iter().map(|part| (*ink, part)))
                }
                Breaks::Never => out.push((*ink, text.as_str())),
            }
        }
        out
    }

    /// Folded to the screen, each line with its end.
    pub(super) fn write(&self, screen: Screen, out: &mut String) {
        if screen.plain {
            return self.speak(screen, out);
        }
        let room = screen.width.saturating_sub(self.hang);
        let mut line = " ".repeat(self.indent);
        let (mut column, mut fresh, mut folded) = (self.indent, true, false);
        if let Some(Mark { ink, sign, word: _ }) = &self.mark {
            line.push_str(&screen.paint(*ink, sign));
            line.push(' ');
            (column, fresh) = (column + sign.chars().count() + 1, false);
        }
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
        if let Some((ink, text)) = &self.right {
            let (size, edge) = (text.chars().count(), screen.width.min(RIGHT));
            if column + 2 + size > edge {
                end(&mut line, out);
                line.push_str(&" ".repeat(self.hang.max(2)));
            } else {
                line.push_str(&" ".repeat(edge - column - size));
            }
            line.push_str(&screen.paint(*ink, text));
        }
        end(&mut line, out);
    }

    /// Read aloud: one fact a line, no columns, and words for signs.
    fn speak(&self, screen: Screen, out: &mut String) {
        let mut voice = Voice { screen, line: String::new(), gap: 0, last: ' ' };
        if let Some(Mark { ink, sign: _, word }) =
            self.mark.as_ref().filter(|it| !it.word.is_empty())
        {
            voice.say(*ink, word);
            voice.gap = 1;
        }
        let mut after_piece = false;
        for Span { ink, text, breaks } in &self.spans {
            let piece = *breaks == Breaks::Piece;
            if piece && after_piece {
                voice.end(out);
            }
            after_piece = piece;
            match breaks {
                Breaks::Never => voice.exactly(*ink, text),
                Breaks::Piece => voice.say(*ink, text.strip_suffix(", ").unwrap_or(text)),
                Breaks::Words | Breaks::Need => voice.say(*ink, text),
            }
        }
        if let Some((ink, text)) = &self.right {
            voice.gap = 2;
            voice.say(*ink, text);
        }
        voice.end(out);
    }
}

/// A line that is read aloud.
struct Voice {
    screen: Screen,
    line: String,
    /// Spaces since the last character.
    gap: usize,
    /// The last character; a space in front of the first.
    last: char,
}

impl Voice {
    /// Columns become a list, and arrows words.
    fn say(&mut self, ink: Ink, text: &str) {
        let mut said = String::with_capacity(text.len());
        for c in text.chars() {
            if c == ' ' {
                self.gap += 1;
                continue;
            }
            // Behind it stands a remark, as the line says by itself.
            if c == '#' && self.last == ' ' {
                continue;
            }
            let stops = ",:;=.".contains(self.last);
            said.push_str(match self.gap {
                _ if self.last == ' ' => "",
                0 => "",
                1 => " ",
                2.. if stops || c == '=' => " ",
                2.. => ", ",
            });
            said.push(c);
            (self.gap, self.last) = (0, c);
        }
        let said = said.replace(" -> ", " becomes ").replace(" # ", ", ");
        self.line.push_str(&self.screen.paint(ink, &said));
    }

    /// A line of a longer text.
    fn exactly(&mut self, ink: Ink, text: &str) {
        let gap = if self.last == ' ' { 0 } else { self.gap };
        self.line.push_str(&" ".repeat(gap));
        self.line.push_str(&self.screen.paint(ink, text));
        (self.gap, self.last) = (0, text.chars().last().unwrap_or(self.last));
    }

    fn end(&mut self, out: &mut String) {
        end(&mut self.line, out);
        (self.gap, self.last) = (0, ' ');
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

    /// Columns and signs are not read here.
    pub(super) fn is_plain(&self) -> bool {
        self.screen.plain
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

/// Cut to a number of characters.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(room.saturating_sub(1)).collect();
    out.push('…');
    out
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
    fn what_stands_at_the_right_goes_below_where_it_does_not_fit() {
        let row = Row::at(2).words(Ink::Plain, "name").right(Ink::Dim, "$1/h");
        assert_eq!(folded(&row, 14), "  name    $1/h\n");
        assert_eq!(folded(&row, 11), "  name\n  $1/h\n");
    }

    #[test]
    fn read_aloud_it_has_one_fact_a_line_and_words_for_signs() {
        let said = |row: &Row| {
            let mut out = String::new();
            row.write(Screen { plain: true, width: 10, ..Screen::PLAIN }, &mut out);
            out
        };
        let pieces = ["a = 1".to_owned(), "b = {c = 2, d = 3}".to_owned()];
        let row = Row::at(6).list(Ink::Plain, &pieces);
        assert_eq!(said(&row), "a = 1\nb = {c = 2, d = 3}\n");
        let row = Row::marked(2, Ink::Change, "~").words(Ink::Plain, "size: 1 -> 2");
        assert_eq!(said(&row), "changed size: 1 becomes 2\n");
        let row = Row::marked(2, Ink::Add, "+").spoken("create").words(Ink::Bold, "vpc.a      ");
        let row =
            row.words(Ink::Plain, "  ").solid(Ink::Plain, "VPC").right(Ink::Dim, "$1/h  $2/month");
        assert_eq!(said(&row), "create vpc.a, VPC, $1/h, $2/month\n");
        let row = Row::marked(2, Ink::Add, "+").code(Ink::Add, "  if a  -> b");
        assert_eq!(said(&row), "added   if a  -> b\n");
    }

    #[test]
    fn colour_costs_no_columns() {
        let row = Row::at(0).words(Ink::Bold, "aaaa bbbb");
        let mut out = String::new();
        row.write(Screen { width: 9, colour: true, ..Screen::PLAIN }, &mut out);
        assert_eq!(out, "\u{1b}[1maaaa\u{1b}[0m \u{1b}[1mbbbb\u{1b}[0m\n");
    }
}
