//! Objects that are no longer the stack's: their tags go, they stay.

use crate::cloud::Observed;
use crate::kinds::{Action, Why};
use crate::stack::Desired;

use super::Draft;

/// Adds the steps that untag what is to be forgotten.
pub(super) fn steps(draft: &mut Draft<'_>, desired: &Desired, observed: &Observed) {
    if desired.forget.is_empty() {
        return;
    }
    for (id, live) in &observed.live {
        let address = &live.owner.address;
        let goes = live.phase.stands();
        let forgotten = desired.forget.iter().any(|place| place.holds(address));
        let (true, true, Some(was)) = (goes, forgotten, live.spec().cloned()) else { continue };
        draft.forgotten.insert(id.clone());
        draft.nodes.insert(id.clone());
        let action = Action::Forget { id: id.clone(), was };
        draft.steps.push((address.clone(), action, Why::Forgotten));
    }
}
