//! Asking a person, behind a trait so that nothing else knows a prompt.

use dialoguer::Input;

use super::halt::Halt;
use super::terminal::Terminal;

/// Somebody who can be asked.
pub trait Ask {
    /// Asks for one word; none when the person would rather not say.
    fn word(&self, question: &str) -> Option<String>;
}

/// A person at a terminal.
struct Person;

impl Ask for Person {
    fn word(&self, question: &str) -> Option<String> {
        Input::<String>::new().with_prompt(question).allow_empty(true).interact_text().ok()
    }
}

/// Asks whether to go on. Without a terminal nothing is asked: the flag is named.
pub fn approve(terminal: &Terminal, yes: bool, what: &str) -> Result<bool, Halt> {
    if yes {
        return Ok(true);
    }
    if !terminal.asks {
        return Err(Halt::one(
            "A002",
            "nobody can be asked whether to go on: no terminal",
            "read the plan, then pass --yes (or --auto-approve)",
        ));
    }
    terminal.print("\n");
    Ok(approved(&Person, what))
}

fn approved(ask: &dyn Ask, what: &str) -> bool {
    let question = format!("Do you want to {what}? Only `yes` is accepted");
    ask.word(&question).is_some_and(|word| word.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(Option<&'static str>);

    impl Ask for Says {
        fn word(&self, _: &str) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(approved(&Says(Some(" yes ")), "x"));
        for other in [Some("y"), Some("YES"), Some(""), None] {
            assert!(!approved(&Says(other), "x"), "{other:?}");
        }
    }
}
