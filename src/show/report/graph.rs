//! What a plan changes and what needs what, folded until a picture of it can be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds::{Plan, StepId};
use crate::model::Address;
use crate::show::card;
use crate::show::fold::count;
use crate::show::item::{self, Item, Symbol};

/// Boxes in a picture that can be read.
const BOXES: usize = 60;
/// Changes that are compared for whether they are alike; with more the picture is of blocks.
const ALIKE: usize = 500;

/// A picture before anybody has drawn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Graph {
    /// Boxes.
    pub nodes: Vec<Vertex>,
    /// What is done first, and what needs it.
    pub edges: BTreeSet<(usize, usize)>,
    /// What the boxes are.
    pub about: String,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vertex {
    /// What happens to all in it, or to most.
    pub symbol: Symbol,
    /// The same in words.
    pub word: String,
    /// Where it is declared.
    pub address: String,
    /// What it is.
    pub title: String,
}

type Group<'a> = (Vertex, Vec<&'a Item<'a>>);

impl Graph {
    /// Of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let items = item::items(plan);
        let (groups, about) = grouped(&items);
        let mut at: BTreeMap<StepId, usize> = BTreeMap::new();
        for (place, (_, members)) in groups.iter().enumerate() {
            at.extend(members.iter().flat_map(|item| &item.steps).map(|step| (*step, place)));
        }
        let mut edges = BTreeSet::new();
        for (id, step) in plan.steps.iter().enumerate() {
            for need in &step.needs {
                if let (Some(from), Some(to)) = (at.get(need), at.get(&id))
                    && from != to
                {
                    edges.insert((*from, *to));
                }
            }
        }
        let nodes: Vec<Vertex> = groups.into_iter().map(|(vertex, _)| vertex).collect();
        let edges = reduced(nodes.len(), edges);
        Self { nodes, edges, about }
    }
}

/// The finest groups of which there are few enough.
fn grouped<'a>(items: &'a [Item<'a>]) -> (Vec<Group<'a>>, String) {
    if items.len() <= ALIKE {
        let groups: Vec<_> =
            card::groups(items, false).into_iter().flat_map(|(_, groups)| groups).collect();
        if groups.len() <= BOXES {
            let each = groups.into_iter().filter_map(|group| Some((alike(&group)?, group)));
            return (each.collect(), "A box is an object, or several that are alike.".to_owned());
        }
    }
    let blocks = together(items, |address| card::block(address).to_string());
    if blocks.len() <= BOXES {
        return (blocks, "A box is a block of the stack.".to_owned());
    }
    let kinds = together(items, |address| format!("{}.*", address.block.word()));
    (kinds, "A box is all blocks of one kind.".to_owned())
}

fn alike(group: &[&Item<'_>]) -> Option<Vertex> {
    let card = card::card(group, false)?;
    let symbol = card.symbol();
    let (address, title) = (card.address().to_owned(), card.title());
    Some(Vertex { symbol, word: symbol.verb().to_owned(), address, title })
}

/// Everything of one name is one box.
fn together<'a>(items: &'a [Item<'a>], name: impl Fn(&Address) -> String) -> Vec<Group<'a>> {
    let mut found: BTreeMap<String, Vec<&Item<'_>>> = BTreeMap::new();
    for item in items {
        found.entry(name(item.address)).or_default().push(item);
    }
    let each = found.into_iter().map(|(address, members)| {
        let counts = counts(members.iter().map(|item| (item.act.symbol(), 1)));
        let most = counts.iter().max_by_key(|(_, number)| **number);
        let symbol = match (counts.len(), most) {
            (1, Some((symbol, _))) => *symbol,
            _ => Symbol::Update,
        };
        let title = count(members.len(), "change", "changes");
        (Vertex { symbol, word: words(&counts), address, title }, members)
    });
    each.collect()
}

/// How often each thing happens.
pub(super) fn counts(each: impl Iterator<Item = (Symbol, usize)>) -> BTreeMap<Symbol, usize> {
    let mut out = BTreeMap::new();
    for (symbol, number) in each {
        *out.entry(symbol).or_default() += number;
    }
    out
}

/// `3 create, 1 delete`
pub(super) fn words(counts: &BTreeMap<Symbol, usize>) -> String {
    let mut verbs: Vec<(&str, usize)> = Vec::new();
    for (symbol, number) in counts {
        match verbs.iter_mut().find(|(verb, _)| *verb == symbol.verb()) {
            Some((_, sum)) => *sum += number,
            None => verbs.push((symbol.verb(), *number)),
        }
    }
    let each = verbs.iter().map(|(verb, number)| format!("{number} {verb}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Without edges that say what a longer way says.
fn reduced(nodes: usize, mut edges: BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    for edge in edges.clone() {
        edges.remove(&edge);
        if !leads(nodes, &edges, edge) {
            edges.insert(edge);
        }
    }
    edges
}

fn leads(nodes: usize, edges: &BTreeSet<(usize, usize)>, (from, to): (usize, usize)) -> bool {
    let mut seen = vec![false; nodes];
    let mut todo = vec![from];
    while let Some(here) = todo.pop() {
        for (_, next) in edges.range((here, 0)..=(here, usize::MAX)) {
            if *next == to {
                return true;
            }
            if !std::mem::replace(&mut seen[*next], true) {
                todo.push(*next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_that_a_longer_way_says_is_left_out_also_in_a_circle() {
        let edges = |all: &[(usize, usize)]| all.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(reduced(3, edges(&[(0, 1), (0, 2), (1, 2)])), edges(&[(0, 1), (1, 2)]));
        let circle = edges(&[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(reduced(3, circle.clone()), circle);
        assert_eq!(reduced(2, edges(&[(0, 1), (1, 0)])), edges(&[(0, 1), (1, 0)]));
    }
}
