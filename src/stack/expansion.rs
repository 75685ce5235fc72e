//! An expansion under way, and how the blocks' files read attributes and report
//! problems in it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::cloud::Facts;
use crate::kinds::Tags;
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Problem, Zone, tags};

use super::desired::Desired;
use super::names::Here;
use super::pins::Pins;

/// An expansion under way.
pub(super) struct Expansion<'a> {
    pub here: Here,
    pub facts: &'a Facts,
    pub pins: &'a Pins,
    pub desired: Desired,
    /// The zones of every network, for the clusters in them.
    pub networks: BTreeMap<Address, Vec<Zone>>,
    pub problems: Vec<Problem>,
}

/// Text by name.
pub(super) fn map(value: Option<&Value>) -> Tags {
    let entries = value.and_then(Value::as_map).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The stack's tags, the block's, and a name.
pub(super) fn tags_of(x: &Expansion<'_>, address: &Address, block: &Evaluated) -> Tags {
    x.here.tags(address, &map(block.attr("tags")))
}

/// Whole days of a duration.
pub(super) fn days(x: &mut Expansion<'_>, value: &Value) -> Option<i32> {
    let seconds = value.seconds()?;
    let days = i32::try_from(seconds / 86_400).ok().filter(|days| *days > 0);
    let whole = seconds % 86_400 == 0 && days.is_some();
    let problem = "S3 counts in whole days".to_owned();
    x.check(value, (!whole).then_some(problem), "write days, such as \"14d\"");
    days
}

/// A switch, or its default.
pub(super) fn flag(block: &Evaluated, name: &str, default: bool) -> bool {
    block.attr(name).and_then(Value::as_bool).unwrap_or(default)
}

impl Expansion<'_> {
    /// Reports a problem with a value, if there is one.
    pub(super) fn check(&mut self, value: &Value, problem: Option<String>, help: &str) {
        let Some(text) = problem else { return };
        let mut problem = Problem::error("S001", text).help(help);
        if let Some(span) = &value.origin {
            problem = problem.at(span, "");
        }
        self.problems.push(problem);
    }

    /// Reports a problem with a block.
    pub(super) fn problem(&mut self, block: &Evaluated, text: String, help: &str) {
        self.problems.push(Problem::error("S001", text).help(help).at(&block.span, ""));
    }

    /// Refuses secrets: a setting of an object can be read by whoever may describe it, and
    /// stands in plans and in the ledger.
    pub(super) fn secrets(&mut self, block: &Evaluated) {
        for (name, value) in &block.attributes {
            let problem = format!("a sensitive value cannot stand in `{name}`");
            let help = "whoever may describe the object could read it: put the secret into SSM \
                        Parameter Store or Secrets Manager, and let the node fetch it from there";
            self.check(value, value.holds_sensitive().then_some(problem), help);
        }
        for inner in &block.blocks {
            self.secrets(inner);
        }
    }

    /// Checks the tags of a block.
    pub(super) fn tags(&mut self, block: &Evaluated) {
        let Some(value) = block.attr("tags") else { return };
        for (key, text) in map(Some(value)) {
            let problem = if tags::is_reserved(&key) {
                Some(format!("tag {key:?} is reserved"))
            } else if key.is_empty() || key.chars().count() > 128 || text.chars().count() > 256 {
                Some(format!("tag {key:?}: a key has 1 to 128 characters and a value up to 256"))
            } else {
                None
            };
            self.check(value, problem, "choose another key or value");
        }
    }

    /// Seconds of a duration within a range.
    pub(super) fn seconds(
        &mut self,
        block: &Evaluated,
        name: &str,
        default: u32,
        range: RangeInclusive<u64>,
    ) -> u32 {
        let Some(value) = block.attr(name) else { return default };
        let seconds = value.seconds().unwrap_or(0);
        let problem = format!("{seconds} s is out of range");
        let help = format!("{name} takes {} to {} seconds", range.start(), range.end());
        self.check(value, (!range.contains(&seconds)).then_some(problem), &help);
        u32::try_from(seconds).unwrap_or(default)
    }

    /// A whole number within a range.
    pub(super) fn integer(
        &mut self,
        block: &Evaluated,
        name: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(value) = block.attr(name) else { return default };
        self.within(value, name, value.as_u64(), range)
    }

    /// GiB within a range.
    pub(super) fn gib(
        &mut self,
        block: &Evaluated,
        name: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(value) = block.attr(name) else { return default };
        self.within(value, name, value.gib(), range)
    }

    fn within(
        &mut self,
        value: &Value,
        name: &str,
        number: Option<u64>,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let found = number.and_then(|number| u32::try_from(number).ok());
        let fine = found.filter(|number| range.contains(number));
        let problem = format!("{name} is out of range");
        let help = format!("{name} takes {} to {}", range.start(), range.end());
        self.check(value, fine.is_none().then_some(problem), &help);
        fine.unwrap_or(*range.start())
    }
}
