//! From question to question: forwards, backwards, and out.

use std::collections::BTreeMap;

use super::around::Around;
use super::given::Given;
use super::question::{Answers, Posed, Question, Scene};

/// Something to be said between two questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// As it should be.
    Good(String),
    /// Worth knowing.
    Plain(String),
    /// To be looked at twice.
    Warning(String),
    /// Wrong.
    Bad(String),
    /// What `?` is answered with.
    Help(String),
    /// An answer that was given beforehand.
    Given(String, String),
    /// A page that is drawn already: a table, a file.
    Page(String),
}

/// Whoever answers.
pub trait Asker {
    /// A line of text; none when they have left.
    fn line(&mut self, posed: &Posed) -> Option<String>;
    /// Shows something.
    fn tell(&mut self, note: &Note);
    /// Hears which answer their line was taken for.
    fn took(&mut self, _key: &str, _answer: &str) {}
    /// Whether there is anybody: without, defaults are taken and the rest is missing.
    fn is_there(&self) -> bool;
}

/// Whatever finds out what questions need to know, and remembers answers.
pub trait Outside {
    /// Finds out what the question of this key needs, and says what is to be said before it.
    fn look(&mut self, key: &str, answers: &Answers, around: &mut Around) -> Vec<Note>;
    /// Remembers what was answered so far.
    fn keep(&mut self, answers: &Answers);
}

/// A question that nobody has answered, or not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Its key.
    pub key: String,
    /// The question.
    pub title: String,
    /// What is wrong with the answer; none where there is none.
    pub wrong: Option<String>,
    /// What could be answered; empty for any text.
    pub choices: Vec<String>,
}

/// How a walk ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All is answered.
    Done(Answers),
    /// An answer said that nothing is to be written; its key.
    Stopped(String),
    /// Whoever was asked has left.
    Left,
    /// Nobody was there to answer these.
    Lacks(Vec<Lack>),
}

/// Walks through all questions.
pub fn walk(
    questions: &[Question],
    around: &mut Around,
    given: &Given,
    asker: &mut dyn Asker,
    outside: &mut dyn Outside,
) -> Ended {
    let walk = Walk {
        questions,
        around,
        given,
        asker,
        outside,
        answers: Answers::new(),
        former: BTreeMap::new(),
        path: Vec::new(),
        lacks: Vec::new(),
        used: Vec::new(),
    };
    walk.run()
}

/// One walk.
struct Walk<'a> {
    questions: &'a [Question],
    around: &'a mut Around,
    given: &'a Given,
    asker: &'a mut dyn Asker,
    outside: &'a mut dyn Outside,
    answers: Answers,
    /// What was answered before somebody went back.
    former: Answers,
    /// The questions that somebody was asked, in order.
    path: Vec<usize>,
    lacks: Vec<Lack>,
    used: Vec<String>,
}

/// What a question has led to.
enum Step {
    Next,
    Back,
    Out(Ended),
}

impl Walk<'_> {
    fn run(mut self) -> Ended {
        let mut at = 0;
        while let Some(question) = self.questions.get(at) {
            match self.visit(at, question) {
                Step::Next => at += 1,
                Step::Back => at = self.back(at),
                Step::Out(ended) => return ended,
            }
        }
        self.superfluous();
        if self.lacks.is_empty() { Ended::Done(self.answers) } else { Ended::Lacks(self.lacks) }
    }

    fn visit(&mut self, at: usize, question: &Question) -> Step {
        let key = question.key.as_str();
        self.answers.remove(key);
        // What lacks has been supposed: what that would cost is of no interest.
        if self.lacks.is_empty() {
            for note in self.outside.look(key, &self.answers, self.around) {
                self.asker.tell(&note);
            }
        }
        let scene = Scene { answers: &self.answers, around: self.around };
        if !(question.when)(scene) {
            return Step::Next;
        }
        if let Some(text) = self.given.firm.get(key) {
            self.used.push(key.to_owned());
            match question.judge(text, scene) {
                Ok(answer) => {
                    self.asker.tell(&Note::Given(key.to_owned(), answer.clone()));
                    return self.take(question, answer);
                }
                Err(wrong) if self.asker.is_there() => self.asker.tell(&Note::Bad(wrong)),
                Err(wrong) => {
                    let lack = lack(question, scene, Some(wrong));
                    self.lacks.push(lack);
                    return self.suppose(question);
                }
            }
        }
        if !self.asker.is_there() {
            if (question.required)(scene) {
                let lack = lack(question, scene, None);
                self.lacks.push(lack);
            }
            return self.suppose(question);
        }
        // What was answered in an earlier run is taken as far as it goes, and can be gone
        // back to.
        if let Some(text) = self.given.resumed.get(key).filter(|_| !self.former.contains_key(key))
            && let Ok(answer) = question.judge(text, scene)
        {
            self.path.push(at);
            self.asker.tell(&Note::Given(key.to_owned(), answer.clone()));
            return self.take(question, answer);
        }
        self.ask(at, question)
    }

    /// Nobody is there: goes on as if the default were the answer, so that everything that
    /// lacks is named at once.
    fn suppose(&mut self, question: &Question) -> Step {
        let scene = Scene { answers: &self.answers, around: self.around };
        let posed = question.posed(scene, None);
        let first = posed.choices.first().map(|choice| choice.word.clone());
        match posed.default.or(first) {
            Some(answer) => drop(self.answers.insert(question.key.clone(), answer)),
            None if self.lacks.iter().any(|lack| lack.key == question.key) => {}
            None => {
                let lack = lack(question, scene, None);
                self.lacks.push(lack);
            }
        }
        Step::Next
    }

    fn ask(&mut self, at: usize, question: &Question) -> Step {
        loop {
            let scene = Scene { answers: &self.answers, around: self.around };
            let former = self.former.get(&question.key).map(String::as_str);
            let back = !self.path.is_empty();
            let posed = Posed { back, ..question.posed(scene, former) };
            let Some(line) = self.asker.line(&posed) else { return Step::Out(Ended::Left) };
            let text = match line.trim() {
                "?" | "help" => {
                    self.asker.tell(&Note::Help(posed.help.clone()));
                    continue;
                }
                "<" | "back" if self.path.is_empty() => {
                    self.asker.tell(&Note::Plain("This is the first question.".to_owned()));
                    continue;
                }
                "<" | "back" => return Step::Back,
                "" => posed.default.clone().unwrap_or_default(),
                text => text.to_owned(),
            };
            match question.judge(&text, scene) {
                Ok(answer) => {
                    self.path.push(at);
                    self.asker.took(&question.key, &answer);
                    return self.take(question, answer);
                }
                Err(wrong) => self.asker.tell(&Note::Bad(wrong)),
            }
        }
    }

    fn take(&mut self, question: &Question, answer: String) -> Step {
        if question.stops == Some(answer.as_str()) {
            return Step::Out(Ended::Stopped(question.key.clone()));
        }
        self.answers.insert(question.key.clone(), answer);
        if self.asker.is_there() {
            self.outside.keep(&self.answers);
        }
        Step::Next
    }

    /// To the question that was asked before. What was answered since then is proposed again.
    fn back(&mut self, at: usize) -> usize {
        let to = self.path.pop().unwrap_or(0);
        for question in &self.questions[to..=at] {
            if let Some(answer) = self.answers.remove(&question.key) {
                self.former.insert(question.key.clone(), answer);
            }
        }
        to
    }

    /// Whoever gives an answer that nobody asks for means something else.
    fn superfluous(&mut self) {
        for key in self.given.firm.keys().filter(|key| !self.used.contains(key)) {
            let known = self.questions.iter().find(|question| question.key == *key);
            let wrong = "it is not asked here: another answer makes it superfluous".to_owned();
            if self.asker.is_there() {
                self.asker.tell(&Note::Warning(format!("the answer {key}: {wrong}")));
                continue;
            }
            let title = known.map(|question| question.title.clone()).unwrap_or_default();
            let choices = Vec::new();
            self.lacks.push(Lack { key: key.clone(), title, wrong: Some(wrong), choices });
        }
    }
}

/// Answers to questions that there are not.
pub fn strangers(answers: &Answers, questions: &[Question]) -> Vec<Lack> {
    let strange = |key: &&String| !questions.iter().any(|question| question.key == **key);
    let lack = |key: &String| Lack {
        key: key.clone(),
        title: String::new(),
        wrong: Some(unknown(key, questions)),
        choices: Vec::new(),
    };
    answers.keys().filter(strange).map(lack).collect()
}

/// Why there is no question of this key.
fn unknown(key: &str, questions: &[Question]) -> String {
    let keys = questions.iter().map(|question| question.key.as_str());
    let near = keys.map(|known| (strsim::damerau_levenshtein(key, known), known)).min();
    match near.filter(|(distance, _)| *distance <= 2) {
        Some((_, known)) => format!("no question has this key; did you mean {known}?"),
        None => "no question has this key; `mlinfra init --list` shows them".to_owned(),
    }
}

fn lack(question: &Question, scene: Scene<'_>, wrong: Option<String>) -> Lack {
    let choices = (question.choices)(scene).into_iter().map(|choice| choice.word).collect();
    Lack { key: question.key.clone(), title: question.title.clone(), wrong, choices }
}
