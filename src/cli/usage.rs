//! A command line that is not understood, told as every other problem is; words of other tools
//! with the command that does it here.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::model::Problem;

use super::args::Global;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, PROBLEM, help};

/// What users of Terraform, kubectl and others type, and what does it here.
const ELSEWHERE: [(&[&str], &str); 12] = [
    (&["import"], "`mlinfra adopt ADDRESS ID` makes an object that exists the stack's"),
    (
        &["refresh"],
        "every plan looks at the cloud; `mlinfra plan --refresh-only` shows only what others have\n\
         changed, and `mlinfra drift` says it in short",
    ),
    (&["graph"], "`mlinfra plan --format svg` draws what needs what; `dot` and `html` do, too"),
    (
        &["state"],
        "the cloud is the state: `mlinfra show` lists what the stack owns, `mlinfra show ADDRESS`\n\
         one of it; `mlinfra forget ADDRESS` lets go of it, and a `moved` block renames it",
    ),
    (&["taint", "untaint"], "`mlinfra apply --replace ADDRESS` makes a successor of it"),
    (
        &["workspace", "env"],
        "`--env NAME` takes the values in env/NAME.hcl, for a stack of its own",
    ),
    (&["force-unlock", "unlock"], "`mlinfra ledger unlock` takes a lock from whoever has died"),
    (&["get", "ls", "list"], "`mlinfra show` lists what the stack owns, `mlinfra nodes` its nodes"),
    (&["providers", "login"], "nothing is fetched beforehand; `aws sso login` signs in"),
    (&["up", "deploy", "create"], "`mlinfra apply` plans, asks, and changes the cloud"),
    (&["down", "delete"], "`mlinfra destroy` deletes what the stack owns, after a question"),
    (
        &["diff", "preview", "check"],
        "`mlinfra plan` shows what would be done; `validate` asks no cloud",
    ),
];

/// `mlinfra help`, `mlinfra help plan`: the same as `--help` behind the rest.
pub fn asked_for_help(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

/// Tells it. Help and version are no problem; a wrong flag is.
pub fn tell(error: &clap::Error, words: &[OsString]) -> u8 {
    let whole = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || whole {
        // When even this cannot be written there is nobody left to tell.
        let _ = error.print();
        return if error.use_stderr() { PROBLEM } else { DONE };
    }
    let has = |flag: &str| words.iter().any(|word| word == flag);
    // What every command understands may stand behind what is not understood.
    let global = Global {
        json: has("--json"),
        plain: has("--plain"),
        no_color: has("--no-color"),
        ..Global::default()
    };
    let terminal = Terminal::detect(&global);
    if words.len() <= 1 {
        terminal.say(help::TEXT);
        return PROBLEM;
    }
    let problem = problem(&error.to_string(), elsewhere(error));
    terminal.halt(&Halt::of(vec![problem], &crate::model::Sources::default()))
}

/// The command here for a word of another tool.
fn elsewhere(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    // Behind another command the word means something else.
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    let first = usage.to_string().contains("mlinfra [OPTIONS] COMMAND")
        || usage.to_string().contains("mlinfra [OPTIONS] <COMMAND>");
    let found = ELSEWHERE.iter().find(|(words, _)| words.contains(&word.as_str()));
    found.filter(|_| first).map(|(_, help)| *help)
}

/// The parser's words in the form of ours: what is wrong, what belongs to it, what to do.
fn problem(text: &str, elsewhere: Option<&str>) -> Problem {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let summary = first.strip_prefix("error: ").unwrap_or(first).trim_end_matches(':');
    let (mut detail, mut help) = (Vec::new(), Vec::new());
    help.extend(elsewhere.map(str::to_owned));
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            // What is nearly spelt so is not meant where the word is another tool's.
            help.extend(elsewhere.is_none().then(|| tip.to_owned()));
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            help.push(format!("usage: {usage}"));
        } else if !line.starts_with("For more information") {
            detail.push(line.trim_matches(['[', ']']).to_owned());
        }
    }
    let problem = Problem::error("X005", summary).help(help.join("\n"));
    problem.detail(detail.join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::*;

    fn told(words: &[&str]) -> Problem {
        let error = Cli::command().try_get_matches_from(words).expect_err("a wrong command line");
        problem(&error.to_string(), elsewhere(&error))
    }

    #[test]
    fn help_may_be_asked_for_by_a_word() {
        let help = |words: &[&str]| {
            let words = asked_for_help(words.iter().map(OsString::from).collect());
            let words = words.iter().map(|it| it.to_string_lossy().into_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(help(&["mlinfra", "help"]), "mlinfra --help");
        assert_eq!(help(&["mlinfra", "help", "autoscale", "run"]), "mlinfra autoscale run --help");
        assert_eq!(help(&["mlinfra", "explain", "help"]), "mlinfra explain help");
    }

    #[test]
    fn a_wrong_command_line_is_told_in_our_form() {
        let slip = told(&["mlinfra", "plna"]);
        assert_eq!((slip.code, slip.summary.as_str()), ("X005", "unrecognized subcommand 'plna'"));
        assert!(slip.help.contains("'plan'\nusage: mlinfra "), "{}", slip.help);
        let bad = told(&["mlinfra", "plan", "--format", "pdf"]);
        assert!(bad.detail.starts_with("possible values: text"), "{}", bad.detail);
        let missing = told(&["mlinfra", "adopt"]);
        assert!(missing.detail.contains("<ADDRESS>"), "{missing:?}");
        assert!(missing.summary.ends_with("were not provided"), "{missing:?}");
    }

    #[test]
    fn words_of_other_tools_are_led_to_what_does_it_here() {
        let known: Vec<String> =
            Cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
        for (words, help) in ELSEWHERE {
            for word in words {
                assert!(!known.iter().any(|it| it == word), "{word} is a command");
                let problem = told(&["mlinfra", word]);
                assert!(problem.help.starts_with(help), "{word}: {}", problem.help);
            }
            let command = help.split("`mlinfra ").nth(1).and_then(|it| it.split([' ', '`']).next());
            assert!(command.is_none_or(|it| known.iter().any(|one| one == it)), "{help}");
        }
        let inner = told(&["mlinfra", "sandbox", "import"]);
        assert!(!inner.help.contains("adopt"), "{}", inner.help);
    }
}
