//! Answers that are given beforehand: from a file, from flags, from an earlier run.

use crate::lang::{self, Data, Value, VarData};
use crate::model::Problem;

use super::hcl;
use super::question::Answers;

/// What is known before anybody is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// From a file or flags: not asked again.
    pub firm: Answers,
    /// From an earlier run that did not end: can be gone back to.
    pub resumed: Answers,
}

/// The answers in a file: `key = value` lines.
pub fn parse(name: &str, text: &str) -> Result<Answers, Vec<Problem>> {
    let vars = lang::parse_var_file(name, text)?;
    let mut out = Answers::new();
    for (key, input) in vars.iter() {
        match &input.data {
            VarData::Text(text) => drop(out.insert(key.to_owned(), text.clone())),
            VarData::Value(value) => match plain(value) {
                Some(text) => drop(out.insert(key.to_owned(), text)),
                None => {
                    let text = format!("{}: the answer {key} is no value", input.from);
                    let help = format!("write a value, such as {key} = \"…\"");
                    return Err(vec![Problem::error("I002", text).help(help)]);
                }
            },
        }
    }
    Ok(out)
}

fn plain(value: &Value) -> Option<String> {
    match &value.data {
        Data::String(_) => value.as_str().map(str::to_owned),
        Data::Number(number) => Some(lang::number_text(*number)),
        Data::Bool(true) => Some("yes".to_owned()),
        Data::Bool(false) => Some("no".to_owned()),
        Data::List(_) | Data::Map(_) | Data::Object(_) => hcl::literal(value),
        Data::Null | Data::Block(_) | Data::Unknown(_) => None,
    }
}

/// An answer of a flag: `key=value`.
pub fn set(pair: &str) -> Result<(String, String), Problem> {
    match pair.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        Some(_) | None => Err(Problem::error("I002", format!("--set {pair:?} has no key and `=`"))
            .help("write --set key=value; `mlinfra init --list` shows the keys")),
    }
}

/// Answers as a file that [`parse`] reads.
pub fn keep(answers: &Answers) -> String {
    let mut out = String::from(
        "# Answers of a `mlinfra init` that has not ended; the next one goes on from here.\n",
    );
    for (key, answer) in answers {
        out.push_str(&format!("{key} = {}\n", hcl::quoted(answer)));
    }
    lang::fmt(&out).unwrap_or(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let answers: Answers = [("gpu", "A100-40GB"), ("ssh_key", "ssh-ed25519 A \"b\" ${c} %{d}")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(parse("init.hcl", &keep(&answers)), Ok(answers));
    }

    #[test]
    fn numbers_and_booleans_are_answers_too() {
        let found = parse("a.hcl", "nodes = 4\nmax_price = 2.5\ndatasets = false\n").unwrap();
        assert_eq!(found["nodes"], "4");
        assert_eq!(found["max_price"], "2.5");
        assert_eq!(found["datasets"], "no");
        let found = parse("a.hcl", "gpus = [\"H100:8\"]\ntags = { a = \"b\" }\n").unwrap();
        assert_eq!(found["gpus"], "[\"H100:8\"]");
        assert_eq!(found["tags"], "{ a = \"b\" }");
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let wrong = |text: &str| parse("a.hcl", text).expect_err("a problem")[0].summary.clone();
        assert_eq!(wrong("nodes = null\n"), "a.hcl:1: the answer nodes is no value");
        assert!(parse("a.hcl", "nodes {\n}\n").is_err());
        assert!(parse("a.hcl", "nodes = \n").is_err());
        assert_eq!(set("a = b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for bad in ["a", "=b", ""] {
            assert!(set(bad).is_err(), "{bad}");
        }
    }
}
