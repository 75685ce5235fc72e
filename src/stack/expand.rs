//! From evaluated blocks and facts to what is wanted. All problems are collected.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::cloud::{Ask, Facts, Observed};
use crate::kinds::{KindName, OutputPlan, Spec, Tags};
use crate::lang::{Data, Evaluated, Loaded, Value};
use crate::model::{
    AccountId, Address, Block, ImageId, Problem, Region, StackName, Text, Zone, tags,
};

use super::desired::Desired;
use super::names::Here;
use super::{bucket, cluster, network, queue};

/// What lives already and must not move when the world around it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// The zones of a network's subnets.
    pub zones: BTreeMap<Address, BTreeSet<Zone>>,
    /// The image of a launch template, and the name that it was found by.
    pub images: BTreeMap<Address, (String, ImageId)>,
}

impl Pins {
    /// Reads them off the cloud.
    pub fn of(observed: &Observed) -> Self {
        let mut pins = Self::default();
        for live in observed.live.values().filter(|live| live.is_usable()) {
            let address = &live.owner.address;
            if let Some(Spec::Subnet(subnet)) = live.spec() {
                let zones = pins.zones.entry(address.owner()).or_default();
                zones.insert(subnet.zone.clone());
            }
            if let Some(Spec::LaunchTemplate(template)) = live.spec() {
                let image = (template.image_from.clone(), template.image.clone());
                pins.images.insert(address.clone(), image);
            }
        }
        pins
    }
}

/// What the `stack` block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name.
    pub stack: StackName,
    /// Where it lives.
    pub region: Region,
    /// The only account it may live in.
    pub account: Option<AccountId>,
    /// Tags for everything.
    pub tags: Tags,
}

/// Reads the `stack` block.
pub fn config(loaded: &Loaded) -> Option<Config> {
    loaded.stack.as_ref().map(config_of)
}

pub(super) fn config_of(stack: &Evaluated) -> Config {
    let text = |name: &str| stack.attr(name).and_then(Value::as_str).map(str::to_owned);
    Config {
        stack: StackName(stack.label.clone().unwrap_or_default()),
        region: Region(text("region").unwrap_or_default()),
        account: text("account").map(AccountId),
        tags: map(stack.attr("tags")),
    }
}

fn map(value: Option<&Value>) -> Tags {
    let entries = value.and_then(Value::as_map).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// What has to be found out before the configuration can be expanded.
pub fn ask(loaded: &Loaded) -> Ask {
    let mut ask = Ask::default();
    for block in loaded.blocks.iter().filter(|block| block.word == Block::Cluster.word()) {
        let text = |name: &str| block.attr(name).and_then(Value::as_str).map(str::to_owned);
        ask.images.insert(text("image").unwrap_or_else(|| "dlami-base".to_owned()));
        ask.instance_types.extend(text("instance_type"));
    }
    ask
}

/// Names that the author chose and that no prefix of ours covers.
pub fn chosen_names(loaded: &Loaded) -> BTreeSet<(KindName, String)> {
    let Some(config) = config(loaded) else { return BTreeSet::new() };
    let prefix = format!("{}-", config.stack);
    let buckets = loaded.blocks.iter().filter(|block| block.word == Block::Bucket.word());
    let names = buckets.filter_map(|block| block.attr("name").and_then(Value::as_str));
    names
        .filter(|name| !name.starts_with(&prefix))
        .map(|name| (KindName::Bucket, name.to_owned()))
        .collect()
}

/// A value as plain JSON, in which a text that waits for an id keeps its pieces.
fn plain(value: &Value) -> serde_json::Value {
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

/// An expansion under way.
pub(super) struct Expansion<'a> {
    pub here: Here,
    pub facts: &'a Facts,
    pub pins: &'a Pins,
    pub desired: Desired,
    /// The zones of every network, for the clusters in them.
    pub networks: BTreeMap<Address, Vec<Zone>>,
    problems: Vec<Problem>,
}

/// Expands a configuration that was loaded without problems.
pub fn expand(loaded: &Loaded, facts: &Facts, pins: &Pins) -> Result<Desired, Vec<Problem>> {
    let Some(config) = config(loaded) else { return Err(Vec::new()) };
    let here =
        Here { stack: config.stack.clone(), home: facts.home.clone(), tags: config.tags.clone() };
    let mut x = Expansion {
        here,
        facts,
        pins,
        desired: Desired::empty(config.stack),
        networks: BTreeMap::new(),
        problems: Vec::new(),
    };
    // Clusters look at the networks that they stand in.
    for block in [Block::Bucket, Block::Network, Block::Queue, Block::Cluster] {
        for found in loaded.blocks.iter().filter(|found| found.word == block.word()) {
            x.tags(found);
            match block {
                Block::Bucket => bucket::expand(&mut x, found),
                Block::Network => network::expand(&mut x, found),
                Block::Queue => queue::expand(&mut x, found),
                Block::Cluster => cluster::expand(&mut x, found),
            }
        }
    }
    for output in &loaded.outputs {
        let value = OutputPlan { value: plain(&output.value), sensitive: output.sensitive };
        x.desired.outputs.insert(output.name.clone(), value);
    }
    if x.problems.is_empty() { Ok(x.desired) } else { Err(x.problems) }
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

    fn tags(&mut self, block: &Evaluated) {
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
