//! What one job needs, where a source tells only how many there are.

use std::collections::BTreeMap;

use crate::lang::schema::{Attribute, Type};
use crate::lang::{Data, Value};

use super::super::expansion::Expansion;
use super::settings::Job;

/// The most nodes that a cluster may have.
pub(super) const MOST: u32 = 1000;

/// What a job may need on this cluster.
#[derive(Clone, Copy, Debug)]
pub(in crate::stack) struct Fits {
    /// The most accelerators that any of its types has; none where one of them is not known.
    pub gpus: Option<u32>,
    /// The most nodes that it has.
    pub most: u32,
}

/// Its type.
pub(in crate::stack) const JOB: Type = Type::Object(&[
    Attribute::new("gpus", Type::Integer, "Accelerators on each of its nodes, 0 to 64."),
    Attribute::new("nodes", Type::Integer, "How many nodes, 1 to 1000."),
    Attribute::new("gang", Type::Bool, "All of its nodes start it together."),
    Attribute::new("priority", Type::Integer, "Higher goes first."),
    Attribute::new("preemptible", Type::Bool, "It saves its state when its node is taken away."),
]);

/// Reads one, within what any cluster can have.
pub(in crate::stack) fn job(x: &mut Expansion<'_>, value: &Value) -> Job {
    let mut number = |name: &str, default: i64, from: i64, to: i64| {
        let Some(part) = value.get(name).filter(|part| !part.holds_unknown()) else {
            return default;
        };
        let found = part.as_number().and_then(|number| i64::try_from(number).ok());
        let fine = found.filter(|it| (from..=to).contains(it));
        let problem = format!("{name} is out of range");
        let help = format!("{name} takes {from} to {to}");
        x.check(part, fine.is_none().then_some(problem), &help);
        fine.unwrap_or(default)
    };
    let (gpus, nodes) = (number("gpus", 0, 0, 64), number("nodes", 1, 1, 1000));
    let priority = number("priority", 0, -1_000_000, 1_000_000);
    let flag = |name: &str| value.get(name).and_then(Value::as_bool);
    Job {
        gpus: u32::try_from(gpus).unwrap_or(0),
        nodes: u32::try_from(nodes).unwrap_or(1),
        gang: flag("gang").unwrap_or(nodes > 1),
        priority: i32::try_from(priority).unwrap_or(0),
        preemptible: flag("preemptible").unwrap_or(false),
    }
}

/// It as other blocks read it: what is written, or null.
pub(in crate::stack) fn exported(written: Option<&Value>) -> Value {
    let Some(map) = written.and_then(Value::as_map) else { return Value::null() };
    let known = map.iter().filter(|(_, part)| !part.is_null());
    let all: BTreeMap<_, _> = known.map(|(name, part)| (name.clone(), part.clone())).collect();
    Value::from(Data::Object(all))
}
