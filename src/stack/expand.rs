//! From evaluated blocks and facts to what is wanted. All problems are collected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::is_image_id;
use crate::cloud::{Ask, Facts, Wish};
use crate::kinds::{KindName, OutputPlan, Tags};
use crate::lang::{Evaluated, Loaded, Value, tidy};
use crate::model::{AccountId, Address, Block, Problem, Region, Severity, StackName};

use super::backend::{self, Backend};
use super::budget::{self, Budget};
use super::check::{bad_tags, check};
use super::desired::Desired;
use super::expansion::{Expansion, map, plain};
use super::moved::Moves;
use super::names::Here;
use super::pins::Pins;
use super::{
    adopt, advice, bucket, cluster, filesystem, follow, forget, ladder, lookup, mounts, need,
    network, queue, service, volume,
};

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
    /// Where the ledger is kept; beside the stack when there is none.
    pub backend: Option<Backend>,
    /// What it may cost.
    pub budget: Option<Budget>,
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
        backend: backend::of(stack),
        budget: budget::of(stack),
    }
}

/// What has to be found out before the configuration can be expanded.
pub fn ask(loaded: &Loaded, pins: &Pins) -> Ask {
    let mut ask = Ask::default();
    let Some(config) = config(loaded) else { return ask };
    for block in fleets(loaded) {
        let candidates = need::candidates(block, &pins.tables);
        // Of what is pinned only that it is still there.
        let image = need::image(block, &candidates);
        let pinned = pins.lock.image(image, &config.region).map(|pin| pin.id.to_string());
        ask.images.insert(pinned.unwrap_or_else(|| image.to_owned()));
        let names = candidates.names();
        let (reservations, spot) = ladder::questions(block);
        let welcome = advice::could_use(block, candidates.stand_close(block));
        ask.reservations = ask.reservations.max(match (reservations, welcome) {
            (true, _) => Wish::Needed,
            (false, true) => Wish::Welcome,
            (false, false) => Wish::No,
        });
        if spot {
            ask.spot.extend(names.iter().cloned());
        }
        ask.instance_types.extend(names);
    }
    ask.lookups = loaded.blocks.iter().filter_map(lookup::question).collect();
    ask
}

/// Blocks whose machines have an image.
fn fleets(loaded: &Loaded) -> impl Iterator<Item = &Evaluated> {
    let words = [Block::Cluster, Block::Service].map(Block::word);
    loaded.blocks.iter().filter(move |block| words.contains(&block.word))
}

/// The images that blocks name, each with its block; ids aside.
pub fn images(loaded: &Loaded, pins: &Pins) -> Vec<(Address, String)> {
    let named = fleets(loaded).filter_map(|block| {
        let candidates = need::candidates(block, &pins.tables);
        Some((block.address.clone()?, need::image(block, &candidates).to_owned()))
    });
    named.filter(|(_, image)| !is_image_id(image)).collect()
}

/// Lookups without the one object that they mean.
pub fn not_found(loaded: &Loaded, facts: &Facts) -> Vec<Problem> {
    tidy(lookup::problems(loaded, facts))
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

/// Expands a configuration that was loaded without problems.
pub fn expand(loaded: &Loaded, facts: &Facts, pins: &Pins) -> Result<Desired, Vec<Problem>> {
    let Some(config) = config(loaded) else { return Err(Vec::new()) };
    let here = Here {
        stack: config.stack.clone(),
        home: facts.home.clone(),
        tags: config.tags.clone(),
        origins: Arc::clone(&pins.origins),
    };
    let mut x = Expansion {
        here,
        facts,
        pins,
        desired: Desired::empty(config.stack),
        networks: BTreeMap::new(),
        attached: BTreeMap::new(),
        problems: check(loaded).into_iter().filter(|it| it.severity == Severity::Error).collect(),
    };
    // Clusters look at the networks that they stand in, and at what they mount.
    for block in Block::ALL {
        for found in loaded.blocks.iter().filter(|found| found.word == block.word()) {
            let before = x.problems.len();
            x.problems.extend(follow::fits(found));
            x.problems.extend(bad_tags(found));
            match block {
                Block::Bucket => bucket::expand(&mut x, found),
                Block::Network => network::expand(&mut x, found),
                Block::Queue => queue::expand(&mut x, found),
                Block::Volume => volume::expand(&mut x, found),
                Block::Filesystem => filesystem::expand(&mut x, found),
                Block::Cluster => cluster::expand(&mut x, found),
                Block::Service => service::expand(&mut x, found),
            }
            say_where(&mut x.problems[before..], found);
        }
    }
    x.desired.moves = Moves::of(loaded);
    x.desired.forget = forget::forgotten(loaded);
    follow::rules(&mut x, loaded);
    if x.problems.is_empty() {
        x.problems = follow::collisions(&x, loaded);
    }
    adopt::expand(&mut x, loaded);
    for output in &loaded.outputs {
        let value = OutputPlan { value: plain(&output.value), sensitive: output.sensitive };
        x.desired.outputs.insert(output.name.clone(), value);
    }
    if x.problems.is_empty() { Ok(x.desired) } else { Err(tidy(x.problems)) }
}

/// A line of a repeated block or of a module belongs to many: which of them is meant?
fn say_where(problems: &mut [Problem], block: &Evaluated) {
    let Some(address) = &block.address else { return };
    if address.key.is_none() && address.module.is_empty() {
        return;
    }
    for problem in problems.iter_mut().filter(|problem| problem.detail.is_empty()) {
        problem.detail = format!("in {address}");
    }
}

/// Nothing is wanted any more. What is precious stays so, and what was made last goes first.
pub fn nothing(loaded: &Loaded, facts: &Facts, pins: &Pins) -> Desired {
    let Some(config) = config(loaded) else { return Desired::empty(StackName(String::new())) };
    let precious = follow::precious(loaded);
    // A configuration that cannot be expanded can be destroyed all the same.
    let orders = loaded.blocks.iter().any(|block| {
        let told = block.rules.as_ref().is_some_and(|rules| !rules.after.is_empty());
        // Nodes go before what they have mounted.
        told || mounts::any(block)
    });
    let after = if orders { expand(loaded, facts, pins).ok().map(|all| all.after) } else { None };
    let after = after.unwrap_or_default();
    Desired { precious, after, ..Desired::nothing(config.stack) }
}
