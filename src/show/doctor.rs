//! What a doctor has found: a line per check for people, the same as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use crate::model::Region;

/// The version of the document; a minor step only adds keys.
const FORMAT: &str = "1.0";

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it must be.
    Good,
    /// It works, and could be better.
    Warning,
    /// Nobody could tell.
    Unknown,
    /// An apply would fail on it.
    Failed,
}

impl Status {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Unknown => "?",
            Self::Failed => "✗",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Good => Ink::Add,
            Self::Warning | Self::Unknown => Ink::Warn,
            Self::Failed => Ink::Bad,
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Of what: `credentials`, `quotas`.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub text: String,
    /// What to do about it; may be empty.
    pub help: String,
}

impl Check {
    /// A finding without advice.
    pub fn new(name: &'static str, status: Status, text: impl Into<String>) -> Self {
        Self { name, status, text: text.into(), help: String::new() }
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = text.into();
        self
    }
}

/// All findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The stack.
    pub stack: String,
    /// Its region.
    pub region: Region,
    /// In the order in which they were looked for.
    pub checks: Vec<Check>,
    /// The policy that allows what is missing; none where nothing is.
    pub policy: Option<Value>,
}

impl Report {
    /// Nothing keeps an apply from succeeding, as far as anybody could tell.
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.status != Status::Failed)
    }

    fn number(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }
}

/// One finding; in a narrow terminal it stands below what was looked at.
fn finding(page: &mut Page, check: &Check, wide: usize, screen: &Screen) {
    let Check { name, status, text, help } = check;
    let ink = status.ink();
    let beside = screen.width >= 60;
    let hang = if beside { 2 + 2 + 9 + wide + 2 } else { 4 };
    let head = format!("{} {:<8} {name:<wide$}  ", status.mark(), status.word());
    let row = Row::at(2).hang(hang).code(ink, &head);
    if screen.plain {
        let said = Row::at(0).words(ink, format!("{name}: {}: ", status.word()));
        page.row(&said.words(Ink::Plain, text));
    } else if beside {
        page.row(&row.words(Ink::Plain, text));
    } else {
        page.row(&row);
        page.row(&Row::at(hang).words(Ink::Plain, text));
    }
    for line in help.lines() {
        // A command is copied: it stays in one piece.
        let row = Row::at(hang).hang(hang + 2);
        page.row(&match line.starts_with("aws ") {
            true => Row::at(6).code(Ink::Dim, line),
            false => row.words(Ink::Dim, line),
        });
    }
}

/// For people.
pub fn text(report: &Report, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let Report { stack, region, checks, policy } = report;
    page.row(&Row::at(0).words(Ink::Bold, format!("Stack {stack} in {region}")));
    let wide = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    for check in checks {
        finding(&mut page, check, wide, screen);
    }
    if let Some(policy) = policy {
        page.gap();
        page.row(&Row::at(0).words(Ink::Bold, "This IAM policy allows what is missing:"));
        let text = serde_json::to_string_pretty(policy).unwrap_or_default();
        for line in text.lines() {
            page.row(&Row::at(2).code(Ink::Plain, line));
        }
    }
    page.gap();
    let (bad, odd) = (report.number(Status::Failed), report.number(Status::Warning));
    let unknown = report.number(Status::Unknown);
    let mut parts = Vec::new();
    if bad > 0 {
        parts.push(format!("{} failed", count(bad, "check", "checks")));
    }
    if odd > 0 {
        parts.push(count(odd, "warning", "warnings"));
    }
    if unknown > 0 {
        parts.push(format!("{unknown} could not be made"));
    }
    let end = match parts.as_slice() {
        [] => "All is well.".to_owned(),
        parts => format!("{}.", parts.join(", ")),
    };
    page.row(&Row::at(0).words(Ink::Bold, end));
    page.finish()
}

/// For machines.
pub fn json(report: &Report) -> Value {
    let Report { stack, region, checks, policy } = report;
    let check = |Check { name, status, text, help }: &Check| json!({ "check": name, "status": status.word(), "text": text, "help": help });
    json!({
        "format_version": FORMAT,
        "stack": stack,
        "region": region,
        "well": report.is_well(),
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
        "policy": policy,
    })
}
