//! A question: what it asks, what it takes, when it is asked at all.

use std::collections::BTreeMap;

use super::around::{Account, Around};

/// Answers by key, each in its standard form.
pub type Answers = BTreeMap<String, String>;

/// What a question may look at: what was answered before, and what was found.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Answers so far.
    pub answers: &'a Answers,
    /// What was found.
    pub around: &'a Around,
}

impl Scene<'_> {
    /// An answer; empty where there is none.
    pub fn get(&self, key: &str) -> &str {
        self.answers.get(key).map(String::as_str).unwrap_or_default()
    }

    /// Whether a question was answered so.
    pub fn is(&self, key: &str, word: &str) -> bool {
        self.get(key) == word
    }

    /// Whether there is an answer, and it is not that there be none.
    pub fn has(&self, key: &str) -> bool {
        !matches!(self.get(key), "" | "none")
    }

    /// An answer as a number; nothing where it is none.
    pub fn number(&self, key: &str) -> u32 {
        self.get(key).parse().unwrap_or(0)
    }

    /// Whether the stack is for the simulated region.
    pub fn is_sandbox(&self) -> bool {
        self.around.sandbox || self.is("cloud", "sandbox")
    }

    /// The account that the stack is for, where one was seen.
    pub fn account(&self) -> Option<&str> {
        match &self.around.account {
            Account::Found { id, .. } if !self.is_sandbox() => Some(id),
            Account::Found { .. } | Account::Unasked | Account::Missing(_) => None,
        }
    }

    /// The most nodes that the cluster can have.
    pub fn most_nodes(&self) -> u32 {
        if self.is("engine", "none") { self.number("nodes") } else { self.number("max") }
    }
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The answer.
    pub word: String,
    /// What it means.
    pub says: String,
}

/// A choice.
pub(super) fn choice(word: impl Into<String>, says: impl Into<String>) -> Choice {
    Choice { word: word.into(), says: says.into() }
}

type When = Box<dyn Fn(Scene<'_>) -> bool>;
type Propose = Box<dyn Fn(Scene<'_>) -> Option<String>>;
type Choices = Box<dyn Fn(Scene<'_>) -> Vec<Choice>>;
type Check = Box<dyn Fn(&str, Scene<'_>) -> Result<String, String>>;

/// A question.
pub struct Question {
    /// Its key, by which flags and files answer it.
    pub key: String,
    /// The question.
    pub title: String,
    /// One line that explains it.
    pub line: String,
    /// What `?` says.
    pub help: String,
    /// The answer after which nothing more is asked and nothing is written.
    pub stops: Option<&'static str>,
    /// Only a person may take the default: without one it has to be given.
    pub(super) required: When,
    pub(super) when: When,
    pub(super) default: Propose,
    pub(super) choices: Choices,
    pub(super) check: Check,
}

impl Question {
    /// A question that is always asked, has no default and takes every text.
    pub(super) fn new(key: &str, title: &str, line: &str) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            line: line.to_owned(),
            help: String::new(),
            required: Box::new(|_| false),
            stops: None,
            when: Box::new(|_| true),
            default: Box::new(|_| None),
            choices: Box::new(|_| Vec::new()),
            check: Box::new(|text, _| Ok(text.to_owned())),
        }
    }

    pub(super) fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }

    pub(super) fn required(self) -> Self {
        self.required_when(|_| true)
    }

    pub(super) fn required_when(self, required: impl Fn(Scene<'_>) -> bool + 'static) -> Self {
        Self { required: Box::new(required), ..self }
    }

    pub(super) fn stops(self, word: &'static str) -> Self {
        Self { stops: Some(word), ..self }
    }

    pub(super) fn when(self, when: impl Fn(Scene<'_>) -> bool + 'static) -> Self {
        Self { when: Box::new(when), ..self }
    }

    pub(super) fn default(self, default: impl Fn(Scene<'_>) -> Option<String> + 'static) -> Self {
        Self { default: Box::new(default), ..self }
    }

    /// Always the same default.
    pub(super) fn or(self, default: &'static str) -> Self {
        self.default(move |_| Some(default.to_owned()))
    }

    pub(super) fn choices(self, choices: impl Fn(Scene<'_>) -> Vec<Choice> + 'static) -> Self {
        Self { choices: Box::new(choices), ..self }
    }

    /// Always the same choices.
    pub(super) fn either(self, choices: &'static [(&'static str, &'static str)]) -> Self {
        self.choices(move |_| choices.iter().map(|(word, says)| choice(*word, *says)).collect())
    }

    pub(super) fn check(
        self,
        check: impl Fn(&str, Scene<'_>) -> Result<String, String> + 'static,
    ) -> Self {
        Self { check: Box::new(check), ..self }
    }

    /// What somebody is shown who is asked now.
    pub(super) fn posed(&self, scene: Scene<'_>, former: Option<&str>) -> Posed {
        let choices = (self.choices)(scene);
        let fits = |word: &str| self.judge(word, scene).is_ok();
        let default = former.filter(|word| fits(word)).map(str::to_owned);
        let default = default.or_else(|| (self.default)(scene).filter(|word| fits(word)));
        Posed {
            key: self.key.clone(),
            title: self.title.clone(),
            line: self.line.clone(),
            help: self.help.clone(),
            default,
            choices,
            back: false,
        }
    }

    /// An answer in its standard form, or why it is none: among choices the word, its number,
    /// or as many of its first letters as only it has.
    pub(super) fn judge(&self, text: &str, scene: Scene<'_>) -> Result<String, String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err("an answer is one line of text".to_owned());
        }
        if matches!(text, "?" | "<") {
            return Err(format!("{text:?} is for whoever is asked, and no answer"));
        }
        let choices = (self.choices)(scene);
        let text = if choices.is_empty() { text.to_owned() } else { pick(text, &choices)? };
        (self.check)(&text, scene)
    }
}

fn pick(text: &str, choices: &[Choice]) -> Result<String, String> {
    let lower = text.to_lowercase();
    if let Some(found) = choices.iter().find(|choice| choice.word.to_lowercase() == lower) {
        return Ok(found.word.clone());
    }
    // Where the words are numbers themselves, a number means the word.
    let numbered = !are_numbers(choices);
    let at = lower.parse::<usize>().ok().filter(|_| numbered);
    let at = at.and_then(|number| number.checked_sub(1));
    if let Some(found) = at.and_then(|at| choices.get(at)) {
        return Ok(found.word.clone());
    }
    let begins = |choice: &&Choice| choice.word.to_lowercase().starts_with(&lower);
    let mut alike = choices.iter().filter(begins);
    match (alike.next(), alike.next()) {
        (Some(found), None) if !lower.is_empty() => Ok(found.word.clone()),
        _ => {
            let words: Vec<&str> = choices.iter().map(|choice| choice.word.as_str()).collect();
            let said = if text.is_empty() { "nothing".to_owned() } else { format!("{text:?}") };
            Err(format!("{said} is none of them: write {}", one_of(&words)))
        }
    }
}

/// Whether all words are numbers.
fn are_numbers(choices: &[Choice]) -> bool {
    choices.iter().all(|choice| choice.word.parse::<u64>().is_ok())
}

/// `a, b or c`
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A question as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posed {
    /// Its key.
    pub key: String,
    /// The question.
    pub title: String,
    /// One line that explains it.
    pub line: String,
    /// What `?` says.
    pub help: String,
    /// What an empty line answers.
    pub default: Option<String>,
    /// What can be answered; empty for any text.
    pub choices: Vec<Choice>,
    /// There is a question to go back to.
    pub back: bool,
}

impl Posed {
    /// Whether a choice can be answered by its number in the list.
    pub fn is_numbered(&self) -> bool {
        !are_numbers(&self.choices)
    }
}
