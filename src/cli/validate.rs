//! `mlinfra validate`

use serde_json::json;

use crate::catalog::Tables;
use crate::cloud::Facts;
use crate::kinds::Home;
use crate::model::{AccountId, Problem, Severity, Sources, Zone};
use crate::show::problem;
use crate::stack::{self, Desired, Pins};

use super::args::{Global, VarArgs};
use super::cache;
use super::halt::Halt;
use super::load::{self, Missing, Stack};
use super::terminal::Terminal;
use super::{DONE, PROBLEM};

pub fn run(global: &Global, terminal: &Terminal, args: &VarArgs) -> Result<u8, Halt> {
    let (problems, sources) = match check(global, args) {
        Ok(stack) => (stack.warnings, stack.loaded.sources),
        Err(halt) => (halt.problems, halt.sources),
    };
    let errors = count(&problems, Severity::Error);
    if global.json {
        terminal.json(&report(&problems, &sources));
    } else {
        terminal.problems(&problems, &sources);
        if errors == 0 {
            terminal.print("The configuration is valid.\n");
        }
    }
    Ok(if errors == 0 { DONE } else { PROBLEM })
}

fn count(problems: &[Problem], severity: Severity) -> usize {
    problems.iter().filter(|problem| problem.severity == severity).count()
}

/// Loads and expands in an assumed world, so that ranges and names are checked too.
fn check(global: &Global, args: &VarArgs) -> Result<Stack, Halt> {
    let mut stack = load::load(global, args, None, Missing::Unknown)?;
    let kept = cache::read(global, &stack.config.region);
    stack.warnings.extend(kept.warning);
    match assumed(&stack, &kept.tables) {
        Ok(_) => Ok(stack),
        Err(problems) => Err(Halt::of(problems, &stack.loaded.sources)),
    }
}

/// What a stack wants in a world of which nothing is asked.
pub fn assumed(stack: &Stack, tables: &Tables) -> Result<Desired, Vec<Problem>> {
    let region = stack.config.region.clone();
    let account = stack.config.account.clone().unwrap_or_else(|| AccountId::from("000000000000"));
    let zones = ('a'..='h').map(|letter| Zone(format!("{region}{letter}"))).collect();
    let mut facts = Facts::bare(Home { account, region });
    facts.zones = zones;
    let pins = Pins { tables: tables.clone(), lock: stack.lock.clone(), ..Pins::default() };
    let images = stack::ask(&stack.loaded, &pins).images.into_iter();
    facts.images = images.map(|name| (name, "ami-00000000".into())).collect();
    stack::expand(&stack.loaded, &facts, &pins)
}

/// Terraform's shape, so that its readers work.
fn report(problems: &[Problem], sources: &Sources) -> serde_json::Value {
    let errors = count(problems, Severity::Error);
    let diagnostics: Vec<_> = problems.iter().map(|found| problem::json(found, sources)).collect();
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": count(problems, Severity::Warning),
        "diagnostics": diagnostics,
    })
}
