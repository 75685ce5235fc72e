//! Why a source gave no answer, in words that hold no credentials and no tricks.

use std::fmt;

use super::secret::Secret;

/// What sort of thing went wrong: few words, by which metrics count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Something is missing here: a variable, a file, a program.
    Setup,
    /// Nobody answers there, or TLS does not come about.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The credentials will not do.
    Denied,
    /// The answer is not what was asked for.
    Answer,
    /// The answer cannot be true.
    Absurd,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Setup, Self::Unreachable, Self::Timeout, Self::Denied, Self::Answer, Self::Absurd];

    /// Its word in metrics and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::Answer => "answer",
            Self::Absurd => "absurd",
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What sort of thing.
    pub what: What,
    /// For people: one line.
    pub text: String,
}

/// More of what a stranger said does not help.
const LONGEST: usize = 300;

impl Trouble {
    /// With a text that may hold what strangers said.
    pub fn new(what: What, text: impl AsRef<str>) -> Self {
        Self { what, text: one_line(text.as_ref()) }
    }

    /// Without what is secret, wherever it came from.
    #[must_use]
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    pub(super) fn without(self, secret: Option<&Secret>) -> Self {
        match secret {
            Some(secret) => Self { text: secret.scrub(&self.text), ..self },
            None => self,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An error with everything that it stems from.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(super) fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// Text on one line of bounded length, without control characters. Whoever prints it still
/// escapes what is left.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    // Logs and labels of metrics are no terminals, and get no codes for one either.
    let harmless = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let line: String = words.join(" ").chars().map(harmless).collect();
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_say_is_one_short_line() {
        let trouble = Trouble::new(What::Answer, format!("a\r\n\t\u{1b}b{}", "x".repeat(1000)));
        assert!(trouble.text.starts_with("a \u{fffd}bx") && trouble.text.ends_with("x…"));
        assert_eq!(trouble.text.chars().count(), LONGEST + 1);
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("refused");
        let outer = std::io::Error::other(std::io::Error::other(inner));
        assert_eq!(whole(&outer), "refused");
    }
}
