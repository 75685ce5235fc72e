//! `mlinfra diff-env`

use std::collections::BTreeMap;

use serde_json::Value;

use crate::show::environments::{self, Sides};
use crate::stack::Desired;

use super::args::{DiffEnvArgs, Global};
use super::cache;
use super::halt::Halt;
use super::load::{self, Stack};
use super::terminal::Terminal;
use super::validate;
use super::{CHANGES, DONE};

pub fn run(global: &Global, terminal: &Terminal, args: &DiffEnvArgs) -> Result<u8, Halt> {
    let side = |env: &str| {
        let stack = load::compared(global, &args.vars, env)?;
        let desired = validate::assumed(&stack, &cache::read(global, &stack.config.region).tables)
            .map_err(|problems| Halt::of(problems, &stack.loaded.sources))?;
        Ok::<_, Halt>((values(&stack), desired))
    };
    let (from, to) = (side(&args.from)?, side(&args.to)?);
    let difference = environments::compare(&sides(&from), &sides(&to));
    if global.json {
        terminal.json(&environments::json(&difference, &args.from, &args.to));
    } else {
        let text = environments::text(&difference, (&args.from, &args.to), &terminal.screen);
        terminal.print(&text);
    }
    let differs = args.detailed_exitcode && !difference.objects.is_empty();
    Ok(if differs { CHANGES } else { DONE })
}

/// Every variable with its value, and whether it is secret.
type Values = BTreeMap<String, (Value, bool)>;

fn values(stack: &Stack) -> Values {
    let value = |variable: &crate::lang::Variable| {
        let secret = variable.value.holds_sensitive();
        (variable.name.clone(), (variable.value.to_json(), secret))
    };
    stack.loaded.variables.iter().map(value).collect()
}

fn sides<'a>((values, desired): &'a (Values, Desired)) -> Sides<'a> {
    Sides { values, specs: &desired.specs, fleets: &desired.fleets }
}
