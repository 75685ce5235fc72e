//! What is said last, and counted: warnings, and what the guard rails say.

use crate::model::{Problem, Severity, Sources};
use crate::show::problem;

use super::terminal::Terminal;

/// A problem, and the configuration that it points into.
type Told = (Problem, Sources);

/// Warnings that wait until everything else was said.
#[derive(Clone, Debug, Default)]
pub struct Closing(Vec<Told>);

impl Closing {
    /// With some more.
    #[must_use]
    pub fn with(mut self, problems: &[Problem], sources: &Sources) -> Self {
        self.0.extend(problems.iter().map(|one| (one.clone(), sources.clone())));
        self
    }

    /// Tells them, and how many they are.
    pub fn tell(&self, terminal: &Terminal) {
        for (problem, sources) in &self.0 {
            if !terminal.json {
                terminal.say("\n");
            }
            terminal.problems(std::slice::from_ref(problem), sources);
        }
        if let (Some(text), false) = (self.counted(), terminal.json) {
            terminal.say(&format!("\n{text}\n"));
        }
    }

    /// Each as a text of its own, without colour.
    pub fn texts(&self, width: usize) -> Vec<String> {
        self.0.iter().map(|(one, sources)| problem::text(one, sources, false, width)).collect()
    }

    /// `1 error and 2 warnings.`; nothing of none.
    fn counted(&self) -> Option<String> {
        let number = |severity| self.0.iter().filter(|(one, _)| one.severity == severity).count();
        let word = |number: usize, word: &str| match number {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{number} {word}s")),
        };
        let parts =
            [word(number(Severity::Error), "error"), word(number(Severity::Warning), "warning")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{}.", parts.join(" and ")))
    }
}
