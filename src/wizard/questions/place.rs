//! Where: profile, account or simulated region, region, name.

use crate::catalog;

use super::super::around::Account;
use super::super::question::{Question, choice};

/// Characters of a stack's name.
const NAME: usize = 30;

pub(super) fn questions() -> Vec<Question> {
    vec![overwrite(), profile(), cloud(), name(), region()]
}

fn overwrite() -> Question {
    Question::new(
        "overwrite",
        "May the files that are here be replaced?",
        "There are files by the names that would be written.",
    )
    .help(
        "`yes` replaces them at the end, when you have seen the new ones and said so again. \
         `no` leaves everything as it is; `mlinfra init -C NEW` writes into another folder.",
    )
    .either(&[("no", "leave them, and write nothing"), ("yes", "replace them at the end")])
    .or("no")
    .required()
    .stops("no")
    .when(|scene| !scene.around.existing.is_empty())
}

fn profile() -> Question {
    Question::new(
        "profile",
        "Which AWS profile?",
        "Credentials come from a profile of your AWS configuration.",
    )
    .help(
        "Profiles stand in ~/.aws/config and ~/.aws/credentials. The one that is chosen is asked \
         which account it belongs to; nothing in that account is changed. `--profile NAME` or \
         AWS_PROFILE answers this, `--sandbox` does without AWS.",
    )
    .choices(|scene| {
        let says = |region: &Option<String>| match region {
            Some(region) => format!("its region is {region}"),
            None => "names no region".to_owned(),
        };
        scene.around.profiles.iter().map(|it| choice(&it.name, says(&it.region))).collect()
    })
    .default(|scene| {
        let profiles = &scene.around.profiles;
        let usual = profiles.iter().find(|it| it.name == "default").or(profiles.first());
        usual.map(|it| it.name.clone())
    })
    .when(|scene| {
        let around = scene.around;
        !around.sandbox && around.profile.is_none() && around.profiles.len() > 1
    })
}

fn cloud() -> Question {
    Question::new(
        "cloud",
        "Where shall it run?",
        "No AWS account is to be seen; the simulated region needs none and costs nothing.",
    )
    .help(
        "The simulated region is a small AWS in a folder: plan, apply, autoscale and destroy \
         work there, with true prices and no bill. The files are the same: without --sandbox \
         they are for AWS. `aws` writes them for AWS now; sign in (`aws sso login`, or keys) \
         before the first plan.",
    )
    .either(&[
        ("sandbox", "the simulated region: everything works, nothing is billed"),
        ("aws", "AWS: only write the files; sign in before the first plan"),
    ])
    .or("sandbox")
    .required()
    .when(|scene| !scene.around.sandbox && !matches!(scene.around.account, Account::Found { .. }))
}

fn name() -> Question {
    Question::new(
        "name",
        "What is the stack called?",
        "A stack is what is applied and destroyed together; all it makes carries its name.",
    )
    .help(
        "A lower-case letter, then up to 29 of a-z, 0-9 and -. Names of buckets and roles begin \
         with it, and every object carries it in the tag mlinfra:stack: two stacks of one name \
         in one account and region would own each other's objects.",
    )
    .default(|scene| Some(named(&scene.around.folder)))
    .check(|text, _| {
        let fine = text.len() <= NAME
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fine {
            return Ok(text.to_owned());
        }
        Err(format!(
            "{text:?} is no stack's name: a lower-case letter, then up to 29 of a-z, 0-9 and -"
        ))
    })
}

/// A folder's name as a stack's.
fn named(folder: &str) -> String {
    let mut out = String::new();
    for letter in folder.to_lowercase().chars() {
        match letter {
            'a'..='z' => out.push(letter),
            '0'..='9' if !out.is_empty() => out.push(letter),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.truncate(NAME);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "training".to_owned() } else { out.to_owned() }
}

fn region() -> Question {
    Question::new(
        "region",
        "Which region?",
        "Prices, and which GPUs there are, differ from region to region.",
    )
    .help(
        "A region is a group of data centres, such as us-east-1 (Virginia) or eu-west-1 \
         (Ireland). us-east-1 and us-west-2 have most GPU types; the next question shows what \
         this one offers, and `<` comes back here. Data that exists already is best read in its \
         own region. The binary knows the prices of us-east-1; `mlinfra catalog refresh` asks \
         for those of others.",
    )
    .default(|scene| {
        let profile = scene.answers.get("profile").map(String::as_str);
        let named = scene.around.named_region(profile);
        Some(named.unwrap_or("us-east-1").to_owned())
    })
    .required_when(|scene| {
        let profile = scene.answers.get("profile").map(String::as_str);
        scene.around.named_region(profile).is_none()
    })
    .check(|text, _| match catalog::region_slip(text) {
        Some((wrong, help)) => Err(format!("{wrong}; {help}")),
        None => Ok(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_folder_names_the_stack() {
        assert_eq!(named("LLM pre-train_2"), "llm-pre-train-2");
        assert_eq!(named("2026"), "training");
        assert_eq!(named(""), "training");
        assert_eq!(named(&"x".repeat(50)).len(), 30);
    }
}
