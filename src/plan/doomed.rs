//! What goes: owned, visible, not staying.

use crate::cloud::{Observed, Phase};
use crate::kinds::{KindName, Why};
use crate::stack::Desired;

use super::Draft;

pub(super) fn collect<'a>(draft: &mut Draft<'a>, desired: &Desired, observed: &'a Observed) {
    let staying: std::collections::BTreeSet<_> = draft.staying.values().collect();
    for (id, live) in &observed.live {
        if staying.contains(id) || draft.forgotten.contains(id) || live.kind == KindName::Node {
            continue;
        }
        let why = match &live.phase {
            // On its way already, or gone.
            Phase::Leaving | Phase::Gone => continue,
            Phase::Failed(text) => Why::Failed { text: text.clone() },
            Phase::Pending | Phase::Ready if desired.destroy => Why::Destroyed,
            Phase::Pending | Phase::Ready => {
                if desired.specs.contains_key(&live.owner.address) {
                    Why::Superseded
                } else {
                    Why::Removed
                }
            }
        };
        draft.doomed.insert(id.clone(), (live, why));
    }
}
