//! Who answers `init`: a person at a terminal, or nobody.

use std::cell::Cell;
use std::rc::Rc;

use dialoguer::Input;

use crate::show::init as show;
use crate::wizard::{Asker, Note, Posed};

use super::init_choose;
use super::terminal::Terminal;

/// A person. Questions go to standard error, as prompts do, so that standard output holds
/// what comes of it.
pub struct Person {
    terminal: Terminal,
    /// They have interrupted something else.
    left: Rc<Cell<bool>>,
    /// The question that stands on the screen, as long as nothing but help came after it.
    shown: Option<String>,
    /// The last answer was chosen from a list, which is gone.
    chosen: bool,
}

impl Person {
    pub fn new(terminal: &Terminal, left: Rc<Cell<bool>>) -> Self {
        Self { terminal: *terminal, left, shown: None, chosen: false }
    }
}

impl Asker for Person {
    fn line(&mut self, posed: &Posed) -> Option<String> {
        if self.left.get() {
            return None;
        }
        let screen = self.terminal.errors;
        let again = self.shown.as_ref() == Some(&posed.key);
        self.shown = Some(posed.key.clone());
        let chooses = init_choose::fits(&self.terminal, posed);
        match (again, chooses) {
            (false, true) => self.terminal.say(&show::heading(posed, &screen)),
            (false, false) => self.terminal.say(&show::question(posed, &screen)),
            (true, _) => {}
        }
        // An interrupt, or a terminal that has gone away: either way nobody is there.
        let line = match chooses {
            true => init_choose::choose(&self.terminal, posed),
            false => {
                let prompt = show::prompt(posed, posed.default.as_deref(), &screen);
                let input = Input::<String>::new().with_prompt(prompt);
                input.allow_empty(true).interact_text().ok()
            }
        };
        if line.is_none() {
            self.left.set(true);
        }
        self.chosen = chooses;
        line
    }

    fn took(&mut self, key: &str, answer: &str) {
        // What was typed stands on the screen already.
        if self.chosen {
            self.tell(&Note::Given(key.to_owned(), answer.to_owned()));
        }
    }

    fn tell(&mut self, note: &Note) {
        match note {
            // One's own answer needs no echo of the question.
            Note::Bad(_) | Note::Help(_) => {}
            Note::Good(_) | Note::Plain(_) | Note::Warning(_) | Note::Given(..) | Note::Page(_) => {
                self.shown = None
            }
        }
        self.terminal.say(&show::note(note, &self.terminal.errors));
    }

    fn is_there(&self) -> bool {
        true
    }
}

/// Nobody: a script, a pipe.
pub struct Nobody {
    terminal: Terminal,
}

impl Nobody {
    pub fn new(terminal: &Terminal) -> Self {
        Self { terminal: *terminal }
    }
}

impl Asker for Nobody {
    fn line(&mut self, _: &Posed) -> Option<String> {
        None
    }

    fn tell(&mut self, note: &Note) {
        let worth = match note {
            Note::Warning(_) | Note::Bad(_) | Note::Page(_) | Note::Good(_) => true,
            Note::Plain(_) | Note::Help(_) | Note::Given(..) => false,
        };
        if worth && !self.terminal.json {
            self.terminal.say(&show::note(note, &self.terminal.errors));
        }
    }

    fn is_there(&self) -> bool {
        false
    }
}
