//! An expansion under way, and how the blocks' files read attributes and report
//! problems in it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::cloud::Facts;
use crate::kinds::Tags;
use crate::lang::{Data, Evaluated, Value};
use crate::model::{Address, Problem, Text, Zone};

use super::desired::Desired;
use super::names::Here;
use super::pins::Pins;
use super::wrong::wrong;

/// An expansion under way.
pub(super) struct Expansion<'a> {
    pub here: Here,
    pub facts: &'a Facts,
    pub pins: &'a Pins,
    pub desired: Desired,
    /// The zones of every network, for the clusters in them.
    pub networks: BTreeMap<Address, Vec<Zone>>,
    /// Which cluster mounts a volume.
    pub attached: BTreeMap<Address, Address>,
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

/// Whether the data of a block forbids deleting it: `precious` in it, or in its `lifecycle`.
pub(super) fn precious(block: &Evaluated, default: bool) -> bool {
    let rules = block.rules.as_ref();
    let always = rules.is_some_and(|rules| rules.precious);
    let never = rules.is_some_and(|rules| rules.expendable);
    flag(block, "precious", (default || always) && !never)
}

impl Expansion<'_> {
    /// Reports a problem with a value, if there is one.
    pub(super) fn check(&mut self, value: &Value, problem: Option<String>, help: &str) {
        let Some(text) = problem else { return };
        self.problems.push(wrong(value, text, help));
    }

    /// Reports a problem with a block.
    pub(super) fn problem(&mut self, block: &Evaluated, text: String, help: &str) {
        self.problems.push(Problem::error("S001", text).help(help).at(&block.span, ""));
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
        // Unknown under `validate`, of which nothing can be said.
        let Some(seconds) = value.seconds() else { return default };
        let problem = format!("{name} is out of range");
        let help = format!("{name} takes {} to {}", span(*range.start()), span(*range.end()));
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
        let words = (range.start().to_string(), range.end().to_string());
        self.within(block, (name, default), Value::as_u64, (range, words))
    }

    /// GiB within a range.
    pub(super) fn gib(
        &mut self,
        block: &Evaluated,
        name: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let words = (gib(*range.start()), gib(*range.end()));
        self.within(block, (name, default), Value::gib, (range, words))
    }

    fn within(
        &mut self,
        block: &Evaluated,
        (name, default): (&str, u32),
        number: fn(&Value) -> Option<u64>,
        (range, (from, to)): (RangeInclusive<u32>, (String, String)),
    ) -> u32 {
        let Some(value) = block.attr(name).filter(|value| !value.is_wholly_unknown()) else {
            return default;
        };
        let found = number(value).and_then(|number| u32::try_from(number).ok());
        let fine = found.filter(|number| range.contains(number));
        let problem = format!("{name} is out of range");
        let help = format!("{name} takes {from} to {to}");
        self.check(value, fine.is_none().then_some(problem), &help);
        fine.unwrap_or(*range.start())
    }
}

/// Seconds as people write them: `12h`.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let fits = |(size, _): &&(u64, &str)| seconds >= *size && seconds.is_multiple_of(*size);
    match units.iter().find(fits) {
        Some((size, unit)) => format!("{}{unit}", seconds / size),
        None => format!("{seconds}s"),
    }
}

/// GiB as people write them: `64TiB`.
fn gib(size: u32) -> String {
    if size >= 1024 && size.is_multiple_of(1024) {
        format!("{}TiB", size / 1024)
    } else {
        format!("{size}GiB")
    }
}

/// A value as plain JSON, in which a text that waits for an id keeps its pieces.
pub(super) fn plain(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    let object = |map: &BTreeMap<String, Value>| {
        Json::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
    };
    match &value.data {
        Data::Null => Json::Null,
        Data::Bool(truth) => Json::Bool(*truth),
        Data::Number(number) => number
            .normalize()
            .to_string()
            .parse::<serde_json::Number>()
            .map_or_else(|_| Json::String(number.to_string()), Json::Number),
        Data::String(text) => Json::String(text.clone()),
        Data::List(items) => Json::Array(items.iter().map(plain).collect()),
        Data::Map(map) | Data::Object(map) => object(map),
        Data::Block(block) => object(&block.exports),
        Data::Unknown(unknown) => {
            let text = Text::Deferred(unknown.pieces.clone());
            serde_json::to_value(text).unwrap_or(Json::Null)
        }
    }
}
