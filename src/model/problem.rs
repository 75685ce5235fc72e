//! Problems: what is wrong, where in the configuration, and what to do.
//!
//! Data only; `show/` draws it for a terminal or as JSON.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The command cannot go on.
    Error,
    /// The command goes on.
    Warning,
}

/// A file of the configuration, by its place in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u32);

/// A range of bytes in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which file.
    pub source: Source,
    /// Bytes from its start.
    pub range: Range<usize>,
}

/// The text of every file that was read, for drawing problems.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<u32, (String, Arc<str>)>,
}

impl Sources {
    /// Adds a file under the name that is shown to people.
    pub fn add(&mut self, name: &str, text: &str) -> Source {
        let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.insert(next, (name.to_owned(), Arc::from(text)));
        Source(next)
    }

    /// Name and text of a file.
    pub fn get(&self, source: Source) -> Option<(&str, &str)> {
        self.files.get(&source.0).map(|(name, text)| (name.as_str(), text.as_ref()))
    }

    /// Every file, by name and text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.values().map(|(name, text)| (name.as_str(), text.as_ref()))
    }
}

/// A place that a problem points at, with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to say there; may be empty.
    pub text: String,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// A stable code, such as `L012`.
    pub code: &'static str,
    /// One line: what is wrong.
    pub summary: String,
    /// More, when one line is not enough; may be empty.
    pub detail: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// Where; the first is the main place.
    pub labels: Vec<Label>,
}

impl Problem {
    /// An error without a place.
    pub fn error(code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            summary: summary.into(),
            detail: String::new(),
            help: String::new(),
            labels: Vec::new(),
        }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, summary) }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.clone(), text: text.into() });
        self
    }

    /// Says more.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = text.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = text.into();
        self
    }
}
