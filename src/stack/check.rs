//! What is checked of a whole configuration before any cloud is asked.

use crate::lang::{Evaluated, Loaded, Value};
use crate::model::{Problem, tags};

use super::wrong::wrong;
use super::{adopt, backend, budget, forget, lookup, moved};

/// Problems of the `stack` block, and secrets where there may be none.
pub fn check(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(stack) = &loaded.stack {
        secrets(stack, &mut problems);
        region(stack, &mut problems);
        account(stack, &mut problems);
        problems.extend(bad_tags(stack));
        backend::check(stack, &mut problems);
        budget::check(stack, &mut problems);
    }
    problems.extend(moved::check(loaded));
    problems.extend(adopt::check(loaded));
    problems.extend(forget::check(loaded));
    for block in &loaded.blocks {
        secrets(block, &mut problems);
        deferred(block, &mut problems);
        lookup::check(block, &mut problems);
    }
    problems
}

/// What stands in a block ends up in the cloud, in plans and in the ledger, for everybody
/// with a right to read them.
fn secrets(block: &Evaluated, problems: &mut Vec<Problem>) {
    for (name, value) in block.attributes.iter() {
        if value.holds_sensitive() {
            let text = format!("{name} would hold a secret, readable for many");
            let help = "keep it in AWS Secrets Manager, from which a node fetches it; or\n\
                        write nonsensitive(…) when it is no secret";
            problems.push(Problem::error("S002", text).help(help).at(&block.span, ""));
        }
    }
    block.blocks.iter().for_each(|inner| secrets(inner, problems));
}

/// Places that take a text with ids in it that apply fills in.
const TAKE_IDS: [(&str, &str); 2] = [("cluster", "setup"), ("service", "setup")];

/// Everywhere else an id would be left out without a word.
fn deferred(block: &Evaluated, problems: &mut Vec<Problem>) {
    for (name, value) in block.attributes.iter() {
        if !TAKE_IDS.contains(&(block.word, name)) && value.any(&Value::is_deferred) {
            let text = format!("{name} is known only after apply");
            let help = "use a name, an ARN or a variable instead; these are known when planning";
            problems.push(wrong(value, text, help));
        }
    }
    block.blocks.iter().for_each(|inner| deferred(inner, problems));
}

fn region(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some((value, name)) = written(stack, "region") else { return };
    let words: Vec<&str> = name.split('-').collect();
    let word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let fine = match words.split_last() {
        Some((number, head)) => {
            head.len() >= 2 && head.iter().all(word) && number.parse::<u8>().is_ok()
        }
        None => false,
    };
    if !fine {
        let text = format!("{name:?} is no name of an AWS region");
        problems.push(wrong(value, text, "write it as AWS does, such as \"us-east-1\""));
    }
}

fn account(stack: &Evaluated, problems: &mut Vec<Problem>) {
    let Some((value, digits)) = written(stack, "account") else { return };
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let text = format!("{digits:?} is no AWS account");
        problems.push(wrong(value, text, "write its twelve digits in quotes"));
    }
}

fn written<'a>(stack: &'a Evaluated, name: &str) -> Option<(&'a Value, &'a str)> {
    let value = stack.attr(name)?;
    Some((value, value.as_str()?))
}

/// Problems of the tags of a block.
pub(super) fn bad_tags(block: &Evaluated) -> Vec<Problem> {
    let tags = block.attr("tags").and_then(Value::as_map).into_iter().flatten();
    let bad = |(key, value): (&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        if tags::is_reserved(key) {
            let help = "keys that begin with `aws:` or `mlinfra:` are taken; choose another";
            return Some(wrong(value, format!("tag {key:?} is reserved"), help));
        }
        let fits = !key.is_empty() && key.chars().count() <= 128 && text.chars().count() <= 256;
        let help = "a key has 1 to 128 characters, a value up to 256";
        (!fits).then(|| wrong(value, format!("tag {key:?} is too long, or empty"), help))
    };
    tags.filter_map(bad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{self, File, Vars};
    use crate::stack::Words;

    fn found(text: &str) -> Vec<String> {
        let file = File { name: "main.hcl".to_owned(), text: text.to_owned() };
        let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        check(&loaded).into_iter().map(|problem| problem.summary).collect()
    }

    #[test]
    fn regions_of_every_partition_are_names() {
        for name in ["us-east-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1"] {
            assert!(found(&format!("stack \"s\" {{ region = {name:?} }}")).is_empty(), "{name}");
        }
        for name in ["US East", "us-east", "us-east-1a", "us--1", "", "us_east_1"] {
            let found = found(&format!("stack \"s\" {{ region = {name:?} }}"));
            assert_eq!(found.len(), 1, "{name}");
        }
    }

    #[test]
    fn no_secret_enters_a_spec() {
        let head = "stack \"s\" { region = \"us-east-1\" }\n";
        for body in [
            "bucket \"b\" { tags = { a = sensitive(\"x\") } }",
            "bucket \"b\" { name = \"s-${sensitive(\"x\")}\" }",
            "queue \"q\" { max_receives = sensitive(3) }",
            "network \"n\" { zones = [sensitive(\"a\")] }",
            "bucket \"b\" {\n expire {\n after = sensitive(\"3d\")\n }\n}",
        ] {
            let found = found(&format!("{head}{body}\n"));
            assert!(found.iter().any(|text| text.contains("a secret")), "{body}: {found:?}");
        }
    }
}
