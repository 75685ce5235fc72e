//! What a text is printed on, and the one door through which every text passes.
//!
//! Colours are written here and nowhere else, and every other character that a
//! terminal would obey is escaped here: a tag in the cloud cannot move the cursor.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// What a text is printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Whether it shows colours; without them nothing is lost.
    pub colour: bool,
    /// Everything, not just what matters most.
    pub verbose: bool,
    /// It is read aloud: one fact a line, words for signs, no columns.
    pub plain: bool,
}

impl Screen {
    /// 80 columns, no colour, the short form.
    pub const PLAIN: Self = Self { width: 80, colour: false, verbose: false, plain: false };

    /// Text in an ink. What is in it must have been escaped.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        match (self.colour, ink) {
            (false, _) | (true, Ink::Plain) => text.to_owned(),
            (
                true,
                Ink::Add | Ink::Change | Ink::Remove | Ink::Bold | Ink::Dim | Ink::Bad | Ink::Warn,
            ) => {
                let style = ink.style();
                format!("{style}{text}{style:#}")
            }
        }
    }
}

/// The palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// As it comes.
    Plain,
    /// Something new.
    Add,
    /// Something that changes.
    Change,
    /// Something that goes.
    Remove,
    /// A heading.
    Bold,
    /// What matters less.
    Dim,
    /// A failure.
    Bad,
    /// Something to look at twice.
    Warn,
}

impl Ink {
    fn style(self) -> Style {
        let of = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Add => of(AnsiColor::Green),
            Self::Change | Self::Warn => of(AnsiColor::Yellow),
            Self::Remove => of(AnsiColor::Red),
            Self::Bold => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Bad => of(AnsiColor::Red).bold(),
        }
    }
}

/// Text that somebody else wrote. Its `Display` escapes what a terminal would obey and
/// what a reader could not see: control characters, marks that turn the direction of
/// writing, and characters without width.
#[derive(Clone, Copy, Debug)]
pub struct Untrusted<'a>(pub &'a str);

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::fmt::Write as _;
        for c in self.0.chars() {
            if is_hostile(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let shown = |text: &str| Untrusted(text).to_string();
        assert_eq!(shown("\u{1b}[31mred\u{7}"), r"\u{1b}[31mred\u{7}");
        assert_eq!(shown("a\nb\tc\rd"), r"a\nb\tc\rd");
        assert_eq!(shown("\u{7f}\u{9b}2J"), r"\u{7f}\u{9b}2J");
        assert_eq!(shown("x\u{202e}y\u{2066}z\u{200f}"), r"x\u{202e}y\u{2066}z\u{200f}");
        assert_eq!(shown("a\u{200b}b\u{feff}c\u{e0041}"), r"a\u{200b}b\u{feff}c\u{e0041}");
        assert_eq!(shown("Größe × 訓練"), "Größe × 訓練");
    }

    #[test]
    fn no_character_passes_that_is_control() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let shown = Untrusted(&c.to_string()).to_string();
            assert!(!shown.chars().any(char::is_control), "{c:?}");
        }
    }

    #[test]
    fn colour_is_written_only_when_the_screen_has_it() {
        let colour = Screen { colour: true, ..Screen::PLAIN };
        assert_eq!(colour.paint(Ink::Add, "+"), "\u{1b}[32m+\u{1b}[0m");
        assert_eq!(colour.paint(Ink::Plain, "+"), "+");
        assert_eq!(Screen::PLAIN.paint(Ink::Bad, "+"), "+");
    }
}
