//! How many nodes a cluster has, and at which pace they are renewed.

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{Evaluated, Value};

use super::expansion::Expansion;

/// How many nodes, where that is not one number.
pub(super) const RANGE: Type = Type::Object(&[
    Attribute::new("min", Type::Integer, "The fewest; 0 where it is not written."),
    Attribute::new("max", Type::Integer, "The most; `min` where it is not written."),
    Attribute::new("gang", Type::Bool, "All or none."),
]);

/// At which pace nodes are renewed.
pub(super) const ROLLING: BlockSchema = BlockSchema {
    word: "rolling",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "surge",
            Type::Integer,
            "How many more nodes than wanted may run meanwhile: successors start first.",
        )
        .or("a tenth of the nodes; 0 for a gang"),
        Attribute::new(
            "max_unavailable",
            Type::Integer,
            "How many fewer nodes than wanted may run meanwhile.",
        )
        .or("0; all of them for a gang"),
    ],
    blocks: &[],
    exports: &[],
    doc: "At which pace nodes are renewed when their image, type or user data change. Nodes that \
          say that they are busy finish their jobs before they end.",
};

/// How many nodes a cluster has.
pub(super) struct Size {
    pub least: u32,
    pub most: u32,
    pub gang: Option<bool>,
}

/// Reads it.
pub(super) fn size(x: &mut Expansion<'_>, block: &Evaluated) -> Size {
    const MOST: u32 = 1000;
    let written = block.attr("nodes").filter(|value| !value.holds_unknown());
    let Some((value, range)) = written.and_then(|value| Some((value, value.as_map()?))) else {
        let count = x.integer(block, "nodes", 0, 0..=MOST);
        return Size { least: count, most: count, gang: None };
    };
    let part = |name: &str| range.get(name).filter(|part| !part.is_null());
    let mut number = |name: &str| {
        let part = part(name)?;
        let found = part.as_u64().and_then(|it| u32::try_from(it).ok()).filter(|it| *it <= MOST);
        let problem = format!("{name} is out of range");
        x.check(part, found.is_none().then_some(problem), &format!("{name} takes 0 to {MOST}"));
        found
    };
    let (least, most) = (number("min").unwrap_or(0), number("max"));
    let most = most.unwrap_or(least);
    let problem = format!("`min` is {least} and `max` is {most}");
    let help = "the autoscaler decides between them: `min` first, then `max`";
    x.check(value, (least > most).then_some(problem), help);
    Size { least, most: most.max(least), gang: gang(block) }
}

/// Whether all of them start or none, where that is written.
pub(super) fn gang(block: &Evaluated) -> Option<bool> {
    let range = block.attr("nodes")?.as_map()?;
    range.get("gang").filter(|part| !part.is_null()).and_then(Value::as_bool)
}

/// How its nodes are renewed.
pub(super) struct Pace {
    pub surge: u32,
    pub max_unavailable: u32,
}

/// A tenth of the nodes at a time, successors first. The nodes of a gang work on one job and
/// stand in one place, where nobody can count on as many again: all of them end, then all start.
pub(super) fn tenth(count: u32, gang: bool) -> Pace {
    match gang {
        true => Pace { surge: 0, max_unavailable: count },
        false => Pace { surge: count.div_ceil(10), max_unavailable: 0 },
    }
}

/// The pace that is written, or the default.
pub(super) fn pace(x: &mut Expansion<'_>, block: &Evaluated, default: Pace) -> Pace {
    let Some(written) = block.nested("rolling").next() else { return default };
    let given = |name: &str| written.attr(name).is_some();
    let (surge, gap) = match (given("surge"), given("max_unavailable")) {
        (false, false) => (default.surge, default.max_unavailable),
        // Who names one of the two means no more than that.
        (_, _) => (0, 0),
    };
    Pace {
        surge: x.integer(written, "surge", surge, 0..=1000),
        max_unavailable: x.integer(written, "max_unavailable", gap, 0..=1000),
    }
}
