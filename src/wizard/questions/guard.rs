//! Where the ledger is kept, and what holds the stack back.

use crate::model::Money;

use super::super::question::{Question, choice};
use super::check;
use super::train::padded;

pub(super) fn questions() -> Vec<Question> {
    let mut out = ledger();
    out.push(budget());
    out.push(write());
    out
}

pub(super) fn ledger() -> Vec<Question> {
    vec![place(), account()]
}

fn place() -> Question {
    Question::new(
        "ledger",
        "Where is the ledger kept?",
        "The record of what was begun and done; a bucket is for more than one machine.",
    )
    .help(
        "The cloud is the state: the ledger holds history, the lock, and what was begun. In the \
         folder .mlinfra/ it is this machine's. In a bucket everybody who applies shares it and \
         its lock. The bucket is made now if it is not there: private, encrypted, versioned, \
         TLS only, in the account's own namespace, so that nobody else can have its name.",
    )
    .choices(|scene| {
        let mut out = vec![choice("local", "in .mlinfra/ beside the files: one machine")];
        if let Some(bucket) = &scene.around.ledger_bucket {
            out.push(choice("bucket", format!("in s3://{bucket}: several people and machines")));
        }
        out
    })
    .or("local")
    .when(|scene| scene.around.ledger_bucket.is_some())
}

fn account() -> Question {
    Question::new(
        "guard_account",
        "Only in this account?",
        "A guard rail: with credentials of any other account nothing is read or changed.",
    )
    .help(
        "Writes `account = \"…\"` into the stack. Leave it out for files that are meant for \
           several accounts.",
    )
    .either(&[("yes", "any other account is refused"), ("no", "any account will do")])
    .or("yes")
    .when(|scene| scene.account().is_some())
}

fn budget() -> Question {
    Question::new(
        "budget",
        "What may the whole stack cost an hour, in dollars?",
        "A guard rail: a plan that would cost more at once is refused. `none` for no limit.",
    )
    .help(
        "Counted are nodes, disks, NAT gateway and file systems at list prices; what is paid by \
         use is not. A cluster that follows its work counts with its fewest nodes, and a warning \
         says when its most would cost more. The default is what was just worked out, and a \
         fifth.",
    )
    .default(|scene| {
        let most = scene.around.most_per_hour.filter(|most| *most > Money::ZERO);
        Some(most.map_or_else(|| "none".to_owned(), |most| padded(most, 12)))
    })
    .check(|text, _| check::dollars(text))
}

pub(super) fn write() -> Question {
    Question::new("write", "Write these files?", "No node runs before `mlinfra apply`.")
        .help(
            "`yes` writes them and shows the plan; nothing runs before `mlinfra apply`. `no` \
               writes nothing and keeps the answers. `<` goes back to the questions.",
        )
        .either(&[("yes", "write them, then show the plan"), ("no", "write nothing")])
        .or("yes")
        .stops("no")
}
