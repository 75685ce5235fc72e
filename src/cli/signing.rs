//! What to do where nobody has signed in: profiles that there are, and how to do without.

use std::path::PathBuf;

use crate::model::Problem;
use crate::wizard::{self, Profile};

use super::args::Global;
use super::halt::Halt;
use super::machine::env;

/// The adapter's code for credentials that are not there or cannot be used.
const CODE: &str = ": NoCredentials";

/// Profiles of the AWS configuration, from where the SDK reads them, too.
pub fn profiles() -> Vec<Profile> {
    let home = env("HOME").map(PathBuf::from).unwrap_or_default();
    let read = |name: &str, usual: &str| {
        let path = env(name).map_or_else(|| home.join(".aws").join(usual), PathBuf::from);
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let config = read("AWS_CONFIG_FILE", "config");
    wizard::profiles(&config, &read("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
}

/// Says of missing credentials where they could come from.
pub fn explain(mut halt: Halt, global: &Global) -> Halt {
    for problem in &mut halt.problems {
        if problem.code == "C001" && problem.summary.contains(CODE) {
            let named = global.profile.clone().or_else(|| env("AWS_PROFILE"));
            let known: Vec<String> = profiles().into_iter().map(|it| it.name).collect();
            let expired = problem.summary.to_ascii_lowercase().contains("expired");
            problem.help = help(named.as_deref().filter(|it| !it.is_empty()), &known, expired);
            shorten(problem);
        }
    }
    halt
}

/// What the SDK tried, one line each, is a note: a headline is read, a page is not.
fn shorten(problem: &mut Problem) {
    if let Some((headline, rest)) = problem.summary.clone().split_once('\n') {
        problem.detail = rest.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        problem.summary = headline.trim_end_matches(" Attempted:").to_owned();
    }
}

fn help(named: Option<&str>, known: &[String], expired: bool) -> String {
    let others = match known {
        [] => {
            "there is no profile yet: `aws configure` or `aws configure sso` makes one".to_owned()
        }
        known => format!("there are {} (--profile, AWS_PROFILE)", known.join(", ")),
    };
    let how = match named {
        Some(name) if !known.iter().any(|it| it == name) => {
            format!("the AWS configuration has no profile {name:?}; {others}")
        }
        Some(name) if expired => format!("sign in again: `aws sso login --profile {name}`"),
        None if expired => "sign in again: `aws sso login`, or new keys".to_owned(),
        Some(name) => {
            format!(
                "sign in with `aws sso login --profile {name}`, or give it keys: `aws configure`"
            )
        }
        None => format!("sign in with `aws configure` or `aws sso login`; {others}"),
    };
    format!("{how}.\nWithout an account, `--sandbox` does everything in a simulated region")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_is_a_note() {
        let text = "sts:GetCallerIdentity: NoCredentials: none found in chain. Attempted:\n    Environment: not set\n    Profile: none";
        let mut problem = Problem::error("C001", text);
        shorten(&mut problem);
        assert_eq!(problem.summary, "sts:GetCallerIdentity: NoCredentials: none found in chain.");
        assert_eq!(problem.detail, "Environment: not set\nProfile: none");
        let mut short = Problem::error("C001", "NoCredentials: expired");
        shorten(&mut short);
        assert_eq!(short, Problem::error("C001", "NoCredentials: expired"));
    }

    #[test]
    fn whoever_has_not_signed_in_is_told_how_and_what_profiles_there_are() {
        let known = ["default".to_owned(), "llm".to_owned()];
        let sandbox = "\nWithout an account, `--sandbox` does everything in a simulated region";
        let says = |named, known: &[String], expired| {
            let text = help(named, known, expired);
            text.strip_suffix(sandbox).expect("the way without").to_owned()
        };
        assert_eq!(
            says(None, &[], false),
            "sign in with `aws configure` or `aws sso login`; there is no profile yet: `aws \
             configure` or `aws configure sso` makes one."
        );
        assert_eq!(
            says(Some("lllm"), &known, false),
            "the AWS configuration has no profile \"lllm\"; there are default, llm (--profile, \
             AWS_PROFILE)."
        );
        assert!(
            says(Some("llm"), &known, false)
                .starts_with("sign in with `aws sso login --profile llm`")
        );
        assert_eq!(
            says(Some("llm"), &known, true),
            "sign in again: `aws sso login --profile llm`."
        );
    }

    #[test]
    fn only_missing_credentials_are_explained_so() {
        let global =
            |profile: &str| Global { profile: Some(profile.to_owned()), ..Global::default() };
        let told = |code: &str| {
            let text = format!("sts:GetCallerIdentity: {code}: no providers in chain");
            let halt = explain(Halt::one("C001", text, "as before"), &global("no-such-profile"));
            halt.problems[0].help.clone()
        };
        assert_eq!(told("AccessDenied"), "as before");
        let help = told("NoCredentials");
        assert!(help.contains("\"no-such-profile\"") && help.contains("`--sandbox`"), "{help}");
    }
}
