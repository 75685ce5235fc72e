//! What the rules of blocks mean for their objects: what comes after what, what is never
//! deleted, what may differ; and what no two objects may share.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::kinds::Spec;
use crate::lang::{Evaluated, Loaded, Rules};
use crate::model::{Address, Key, Problem};

use super::desired::Desired;
use super::expansion::Expansion;

/// A tag's value has 256 characters; stack, part and separators take the rest.
const LONGEST: usize = 200;

/// The address of a block, when a tag can hold it.
pub(super) fn fits(block: &Evaluated) -> Option<Problem> {
    let address = block.address.as_ref()?;
    if address.key.is_none() && address.module.is_empty() {
        return None;
    }
    let length = address.to_tag().len();
    let text = format!("an address is {length} characters long as a tag, and {LONGEST} fit");
    let problem = || Problem::error("S001", text).help("shorten its keys").at(&block.span, "");
    (length > LONGEST).then(problem)
}

/// The objects of a block.
fn objects<'d>(desired: &'d Desired, owner: &'d Address) -> impl Iterator<Item = &'d Address> {
    let of_it = move |address: &&Address| is_of(address, owner);
    let specs = desired.specs.range(owner.clone()..).map(|(address, _)| address);
    let fleets = desired.fleets.range(owner.clone()..).map(|(address, _)| address);
    specs.take_while(of_it).chain(fleets.take_while(of_it))
}

/// Without the copy that `Address::owner` makes.
fn is_of(address: &Address, owner: &Address) -> bool {
    let Address { module, block, name, key, part: _ } = address;
    (block, name, key, module) == (&owner.block, &owner.name, &owner.key, &owner.module)
}

/// Puts the rules of all blocks into what is wanted.
pub(super) fn rules(x: &mut Expansion<'_>, loaded: &Loaded) {
    for block in &loaded.blocks {
        let (Some(address), Some(rules)) = (&block.address, &block.rules) else { continue };
        if rules.precious {
            x.desired.precious.insert(address.clone());
        }
        if !rules.ignore.is_empty() {
            ignore(x, address, rules);
        }
        if !rules.after.is_empty() {
            after(&mut x.desired, address, rules);
        }
    }
}

fn after(desired: &mut Desired, address: &Address, rules: &Rules) {
    let before: BTreeSet<Address> =
        rules.after.iter().flat_map(|owner| objects(desired, owner)).cloned().collect();
    let mine: Vec<Address> = objects(desired, address).cloned().collect();
    for object in mine {
        desired.after.entry(object).or_default().extend(before.iter().cloned());
    }
}

fn ignore(x: &mut Expansion<'_>, address: &Address, rules: &Rules) {
    let fields: BTreeMap<Address, Vec<String>> = objects(&x.desired, address)
        .filter_map(|at| Some((at.clone(), x.desired.specs.get(at)?)))
        .map(|(at, spec)| (at, spec.fields().into_iter().map(|(field, _)| field).collect()))
        .collect();
    for (name, span) in &rules.ignore {
        let mut found = false;
        for (at, fields) in &fields {
            if fields.contains(name) {
                found = true;
                x.desired.ignore.entry(at.clone()).or_default().insert(name.clone());
            }
        }
        if !found {
            let all: BTreeSet<&str> = fields.values().flatten().map(String::as_str).collect();
            let all: Vec<&str> = all.into_iter().collect();
            let text = format!("no object of the block has a field {name:?}");
            let help = format!("its fields are {}", all.join(", "));
            x.problems.push(Problem::error("S001", text).help(help).at(span, ""));
        }
    }
}

/// Blocks whose objects are never deleted.
pub(super) fn precious(loaded: &Loaded) -> BTreeSet<Address> {
    let marked = loaded
        .blocks
        .iter()
        .filter(|block| block.rules.as_ref().is_some_and(|rules| rules.precious));
    marked.filter_map(|block| block.address.clone()).collect()
}

/// Problems of objects that would have the same name.
pub(super) fn collisions(x: &Expansion<'_>, loaded: &Loaded) -> Vec<Problem> {
    let mut holders: HashMap<String, &Address> = HashMap::with_capacity(x.desired.specs.len());
    let mut problems = Vec::new();
    for (address, spec) in &x.desired.specs {
        let Some(claim) = spec.claim() else { continue };
        let Some(first) = holders.insert(claim, address) else { continue };
        problems.push(collision(first, address, spec, loaded));
        if problems.len() > 3 {
            break;
        }
    }
    problems
}

fn collision(first: &Address, second: &Address, spec: &Spec, loaded: &Loaded) -> Problem {
    let name = spec.fields().get("name").and_then(|name| name.as_str().map(str::to_owned));
    let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
    let title = spec.kind().title();
    let text = format!("{first} and {second} would be one {title}{name}");
    // Instances of one block differ in their keys, so only a name of the author's can be shared.
    let instances =
        (first.block, &first.name, &first.module) == (second.block, &second.name, &second.module);
    let help = match (instances, &first.key) {
        (true, Some(Key::Index(_))) => "put the number into the name: \"…-${count.index}\"",
        (true, Some(Key::Name(_))) => "put the key into the name: \"…-${each.key}\"",
        (true, None) | (false, _) => "give one of them another label or key",
    };
    let mut problem = Problem::error("S004", text).help(help);
    let owners = BTreeSet::from([first.owner(), second.owner()]);
    let mut spans: Vec<_> = loaded
        .blocks
        .iter()
        .filter(|block| block.address.as_ref().is_some_and(|at| owners.contains(at)))
        .map(|block| &block.span)
        .collect();
    spans.dedup();
    for span in spans {
        problem = problem.at(span, "");
    }
    problem
}
