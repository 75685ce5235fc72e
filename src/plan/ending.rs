//! Nodes as they are found, and how they end.

use crate::cloud::Live;
use crate::kinds::{Action, Node, Why};
use crate::model::{Address, CloudId};

use super::Draft;

/// A node of a fleet.
pub(super) type Found<'a> = (&'a CloudId, &'a Live, &'a Node);

/// Ends nodes; those that take their place serve before.
pub(super) fn terminate(
    draft: &mut Draft<'_>,
    (address, drain): (&Address, bool),
    (nodes, once): (&[Found<'_>], &[CloudId]),
    why: &Why,
) {
    if nodes.is_empty() {
        return;
    }
    let mut nodes = nodes.to_vec();
    nodes.sort_by_key(|(id, ..)| *id);
    let action = Action::Terminate {
        nodes: nodes.iter().map(|(id, ..)| (*id).clone()).collect(),
        was: nodes.iter().map(|(.., node)| (*node).clone()).collect(),
        drain,
        once: once.to_vec(),
    };
    draft.nodes.extend(nodes.iter().map(|(id, ..)| (*id).clone()));
    draft.steps.push((address.clone(), action, why.clone()));
}
