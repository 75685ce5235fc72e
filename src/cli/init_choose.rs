//! An answer chosen at a terminal: pointed at with the arrow keys, or typed.

use dialoguer::console::{Key, Term};

use crate::show::init as show;
use crate::wizard::Posed;

use super::terminal::Terminal;

/// Narrower than this, the words of a choice stand above what they mean, and the list is longer
/// than a screen.
const NARROWEST: usize = 60;

/// The way to somebody's answer.
struct Choosing<'a> {
    posed: &'a Posed,
    /// The row that is pointed at; behind the last choice the way back.
    at: usize,
    /// What was typed instead.
    typed: String,
}

/// What a key has led to.
#[derive(Debug, PartialEq, Eq)]
enum Pressed {
    /// Another row is pointed at.
    Moved,
    /// The line that is typed is another one.
    Typed,
    /// Nothing.
    Nothing,
    /// The answer.
    Done(String),
}

impl<'a> Choosing<'a> {
    fn new(posed: &'a Posed) -> Self {
        let usual = |default: &String| posed.choices.iter().position(|it| it.word == *default);
        let at = posed.default.as_ref().and_then(usual).unwrap_or(0);
        Self { posed, at, typed: String::new() }
    }

    fn rows(&self) -> usize {
        self.posed.choices.len() + usize::from(self.posed.back)
    }

    /// What Enter takes while nothing is typed.
    fn word(&self) -> &str {
        self.posed.choices.get(self.at).map_or(show::BACK, |choice| choice.word.as_str())
    }

    fn press(&mut self, key: &Key) -> Pressed {
        let last = self.rows().saturating_sub(1);
        let to = match key {
            Key::ArrowUp | Key::BackTab => Some(self.at.checked_sub(1).unwrap_or(last)),
            Key::ArrowDown | Key::Tab => Some(if self.at >= last { 0 } else { self.at + 1 }),
            Key::Home | Key::PageUp => Some(0),
            Key::End | Key::PageDown => Some(self.posed.choices.len().saturating_sub(1)),
            Key::Enter if self.typed.is_empty() => return Pressed::Done(self.word().to_owned()),
            Key::Enter => return Pressed::Done(std::mem::take(&mut self.typed)),
            Key::Backspace => match self.typed.pop() {
                Some(_) => return Pressed::Typed,
                None => None,
            },
            Key::Escape if !self.typed.is_empty() => {
                self.typed.clear();
                return Pressed::Typed;
            }
            Key::Char(c) if !c.is_control() => {
                self.typed.push(*c);
                return Pressed::Typed;
            }
            _ => None,
        };
        let Some(to) = to else { return Pressed::Nothing };
        // Whoever points means that, and not the half of a word.
        self.typed.clear();
        self.at = to;
        Pressed::Moved
    }

    fn list(&self, terminal: &Terminal) -> String {
        show::choices(self.posed, Some(self.word()), &terminal.errors)
    }

    /// The line that is typed, as much of its end as fits.
    fn prompt(&self, terminal: &Terminal) -> String {
        let prompt = show::prompt(self.posed, Some(self.word()), &terminal.errors) + ": ";
        let room = terminal.errors.width.saturating_sub(prompt.chars().count() + 1);
        let skipped = self.typed.chars().count().saturating_sub(room);
        prompt + &self.typed.chars().skip(skipped).collect::<String>()
    }
}

/// Whether this is a terminal on which answers can be pointed at.
pub fn points(terminal: &Terminal) -> bool {
    terminal.draws && terminal.errors.width >= NARROWEST
}

/// Whether this answer can be: the list and its question fit the terminal. Otherwise it is typed.
pub fn fits(terminal: &Terminal, posed: &Posed) -> bool {
    if posed.choices.is_empty() || !points(terminal) {
        return false;
    }
    let screen = &terminal.errors;
    let lines = [show::heading(posed, screen), show::choices(posed, None, screen)];
    let lines: usize = lines.iter().map(|text| text.lines().count()).sum();
    Term::stderr().size_checked().is_some_and(|(rows, _)| lines < usize::from(rows))
}

/// Asks; none when they have left. The list is gone afterwards, and whoever asked says what was
/// answered.
pub fn choose(terminal: &Terminal, posed: &Posed) -> Option<String> {
    let term = Term::stderr();
    let mut choosing = Choosing::new(posed);
    let mut list = choosing.list(terminal);
    terminal.say(&(list.clone() + &choosing.prompt(terminal)));
    loop {
        // An interrupt, or a terminal that has gone away, is an error here.
        let Ok(key) = term.read_key() else {
            terminal.say("\n");
            return None;
        };
        let pressed = choosing.press(&key);
        if pressed == Pressed::Nothing {
            continue;
        }
        // The prompt's line alone, or the list with it.
        let lines = if pressed == Pressed::Typed { 0 } else { list.lines().count() };
        let cleared = term.clear_line().and_then(|()| term.clear_last_lines(lines));
        cleared.ok()?;
        match pressed {
            Pressed::Nothing => {}
            Pressed::Typed => terminal.say(&choosing.prompt(terminal)),
            Pressed::Moved => {
                list = choosing.list(terminal);
                terminal.say(&(list.clone() + &choosing.prompt(terminal)));
            }
            Pressed::Done(line) => return Some(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wizard::Choice;

    fn posed(back: bool) -> Posed {
        let choice = |word: &str| Choice { word: word.to_owned(), says: String::new() };
        Posed {
            key: "gpu".to_owned(),
            title: String::new(),
            line: String::new(),
            help: String::new(),
            default: Some("L4".to_owned()),
            choices: ["T4", "L4", "H100"].map(choice).to_vec(),
            back,
        }
    }

    fn after(posed: &Posed, keys: &[Key]) -> String {
        let mut choosing = Choosing::new(posed);
        for key in keys {
            choosing.press(key);
        }
        match choosing.press(&Key::Enter) {
            Pressed::Done(line) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn enter_takes_what_is_pointed_at_or_typed() {
        let one = posed(true);
        assert_eq!(after(&one, &[]), "L4");
        assert_eq!(after(&one, &[Key::ArrowDown]), "H100");
        assert_eq!(after(&one, &[Key::ArrowDown, Key::ArrowDown]), show::BACK);
        assert_eq!(after(&one, &[Key::End, Key::Tab, Key::Tab]), "T4");
        assert_eq!(after(&one, &[Key::Home, Key::ArrowUp]), show::BACK);
        assert_eq!(after(&posed(false), &[Key::Home, Key::ArrowUp]), "H100");
        let typed = "h1".chars().map(Key::Char).collect::<Vec<_>>();
        assert_eq!(after(&one, &typed), "h1");
        assert_eq!(after(&one, &[&typed[..], &[Key::Backspace]].concat()), "h");
        assert_eq!(after(&one, &[&typed[..], &[Key::Escape]].concat()), "L4");
        assert_eq!(after(&one, &[&typed[..], &[Key::ArrowUp]].concat()), "T4", "it was given up");
    }

    #[test]
    fn keys_that_mean_nothing_draw_nothing() {
        let one = posed(true);
        let mut choosing = Choosing::new(&one);
        for key in [Key::Unknown, Key::ArrowLeft, Key::Escape, Key::Backspace, Key::Char('\u{1}')] {
            assert_eq!(choosing.press(&key), Pressed::Nothing);
        }
    }
}
