//! What a service that looks every ten seconds asks the cloud: everything once, and from then on
//! only what comes and goes while it runs: nodes, and what they are launched from and into.

use std::collections::BTreeSet;

use tokio::sync::Mutex;

use crate::cloud::{Cloud, Observed, Scope};
use crate::kinds::KindName;

/// Nodes, and what a launch refers to. All else stands as it did: an apply that changes it
/// changes these as well, or nothing that a fleet can see.
const OFTEN: [KindName; 4] =
    [KindName::Node, KindName::LaunchTemplate, KindName::Subnet, KindName::PlacementGroup];

/// Looks at a stack again and again. It is thrown away when the stack is read again, so that all
/// of it is seen every few minutes.
#[derive(Debug, Default)]
pub struct Glance(Mutex<Option<Observed>>);

impl Glance {
    /// What the cloud shows of the stack.
    pub async fn look(&self, cloud: &dyn Cloud, scope: &Scope) -> Observed {
        let mut before = self.0.lock().await;
        if let Some(before) = before.as_ref() {
            let often = BTreeSet::from(OFTEN);
            return before.renewed(&often, cloud.glance(scope, &often).await);
        }
        let all = cloud.observe(scope).await;
        // What could not be seen is asked for again, and not taken for what it was.
        if all.blind.is_empty() && all.unreadable.is_empty() {
            *before = Some(all.clone());
        }
        all
    }
}
