//! What an apply that stops must say: what failed, where, what was left, what to do; and
//! what it says was left must be so.

use std::collections::BTreeSet;

use mlinfra::cloud::{Class, Left};
use mlinfra::kinds::Action;

use super::cell::{Object, Run, World};

/// Checks what was said of every step that failed, by what stood before and stands now.
pub fn check(run: &Run, before: &BTreeSet<Object>, world: &World) -> Result<(), String> {
    let outcome = &run.ended.outcome;
    if outcome.is_complete() {
        // Everything was carried out, and the cloud does not show it: the command says so
        // and prints what a new plan would do.
        let left = run.ended.left.as_ref().is_some_and(|left| !left.is_empty());
        return if left { Ok(()) } else { Err("nothing is left, and it does not say why".into()) };
    }
    if outcome.failed.is_empty() {
        return Err(format!("it stopped without a failed step: {outcome:?}"));
    }
    for (at, failure) in &outcome.failed {
        let step = &run.plan.steps[*at];
        let said = run.said.get(at).ok_or("a failed step of which nothing was said")?;
        let lines: Vec<&str> = said.lines().map(str::trim).collect();
        let [what, why, left, next] = lines.as_slice() else {
            return Err(format!("four lines are wanted: {said}"));
        };
        let address = step.address.to_string();
        let wants = [
            (*what, address.as_str(), "where"),
            (*what, "failed after", "that it failed"),
            (*why, failure.api.as_str(), "which call"),
            (*why, failure.code.as_str(), "why"),
            (*next, to_do(failure.class), "what to do"),
        ];
        for (line, part, about) in wants {
            if !line.contains(part) {
                return Err(format!("it does not say {about} ({part:?}): {said}"));
            }
        }
        is_true(left, failure.left, &step.action, &address, (before, world))
            .map_err(|bad| format!("{bad}: {said}"))?;
    }
    Ok(())
}

/// What is to be done about a class of failures.
fn to_do(class: Class) -> &'static str {
    match class {
        Class::Throttled => "Wait a minute and run `mlinfra ",
        Class::Unavailable => "again: it goes on where it stopped.",
        Class::Settling => "again in a minute.",
        Class::InUse => "Remove that, then run `mlinfra ",
        Class::Denied => "Have that allowed",
        Class::Expired => "Sign in again (`aws sso login`, or new keys), then run `mlinfra ",
        Class::Exists => "Take it over with `mlinfra adopt ",
        Class::Capacity | Class::Quota | Class::Gone => "`mlinfra ",
        Class::Mismatch | Class::Invalid | Class::Unknown => "no fault of the matrix is of it",
    }
}

/// What it says was left is what stands in the cloud.
fn is_true(
    said: &str,
    left: Left,
    action: &Action,
    address: &str,
    (before, world): (&BTreeSet<Object>, &World),
) -> Result<(), String> {
    let stands = |id: Option<&str>| {
        let here = |one: &Object| match id {
            Some(id) => one.id == id,
            // A predecessor has the same address.
            None => one.address.as_deref() == Some(address) && !before.contains(one),
        };
        world.inventory().iter().any(here)
    };
    match (left, action) {
        (Left::Nothing, Action::Create { .. }) if said.starts_with("Nothing was made") => {
            if stands(None) { Err("something was made".to_owned()) } else { Ok(()) }
        }
        (Left::Nothing, Action::Create { .. }) if said.starts_with("It was made, but") => {
            if stands(None) { Ok(()) } else { Err("nothing was made".to_owned()) }
        }
        (Left::Nothing, Action::Launch { .. }) if said.starts_with("No node") => {
            if stands(None) {
                Err("a node was started".to_owned())
            } else {
                Ok(())
            }
        }
        (Left::Nothing, Action::Delete { id, .. }) if said.starts_with("It is still there") => {
            if stands(Some(id.short())) {
                Ok(())
            } else {
                Err("it is gone".to_owned())
            }
        }
        (Left::Nothing, Action::Update { .. }) if said.starts_with("Nothing was changed") => Ok(()),
        (Left::Nothing, Action::Point { .. }) if said.starts_with("The name leads where") => Ok(()),
        (Left::Nothing, Action::Terminate { .. }) if said.starts_with("The nodes still") => Ok(()),
        (Left::Unknown, _) if said.contains("the answer was lost") => Ok(()),
        (Left::Something, _) if said.starts_with("A part of it") => Ok(()),
        _ => Err("it does not say what was left".to_owned()),
    }
}
