//! Orders: what is linked to is made before what links to it.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::kinds::walk::{FoundTarget, links};
use crate::model::Address;
use crate::stack::Desired;

use super::Refusal;

/// Declared addresses, every one behind those that it links to.
pub(super) fn makers_first(desired: &Desired) -> Result<Vec<Address>, Refusal> {
    let mut graph = DiGraph::<&Address, ()>::with_capacity(desired.specs.len(), 0);
    let places: BTreeMap<&Address, NodeIndex> =
        desired.specs.keys().map(|address| (address, graph.add_node(address))).collect();
    // One edge for each pair. The graph could see to that, but it would compare with all
    // users of a maker, and a network can have thousands.
    let mut makers: Vec<NodeIndex> = Vec::new();
    for (address, spec) in &desired.specs {
        makers.clear();
        for link in links(spec) {
            let FoundTarget::Address(to) = link.target else { continue };
            let Some(maker) = places.get(&to) else {
                return Err(Refusal::Dangling { from: address.clone(), to });
            };
            makers.push(*maker);
        }
        let after = desired.after.get(address).into_iter().flatten();
        makers.extend(after.filter_map(|to| places.get(to)));
        if makers.is_empty() {
            continue;
        }
        let (user, mut seen) = (places[address], BTreeSet::new());
        for maker in makers.iter().filter(|maker| seen.insert(**maker)) {
            graph.add_edge(*maker, user, ());
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(|at| graph[at].clone()).collect()),
        Err(_) => Err(Refusal::Cycle(cycle(&graph))),
    }
}

/// The steps in an order in which each comes behind those that it needs: old place → new.
pub(super) fn renumber(needs: &[Vec<usize>], names: &[&Address]) -> Result<Vec<usize>, Refusal> {
    let mut graph = DiGraph::<&Address, ()>::with_capacity(needs.len(), needs.len());
    let places: Vec<NodeIndex> = names.iter().map(|name| graph.add_node(name)).collect();
    for (step, needs) in needs.iter().enumerate() {
        // Needs are sets: no pair comes twice.
        for need in needs {
            graph.add_edge(places[*need], places[step], ());
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(NodeIndex::index).collect()),
        Err(_) => Err(Refusal::Cycle(cycle(&graph))),
    }
}

fn cycle(graph: &DiGraph<&Address, ()>) -> Vec<Address> {
    let ring = tarjan_scc(graph).into_iter().find(|ring| ring.len() > 1).unwrap_or_default();
    let mut names: Vec<Address> = ring.into_iter().map(|at| graph[at].clone()).collect();
    names.sort();
    if let Some(first) = names.first().cloned() {
        names.push(first);
    }
    names
}
