//! Looking at a region: what it costs in calls, and what they were refused.

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::refusal;
use super::{Region, look, physics};
use crate::cloud::{Observed, Scope};
use crate::kinds::KindName;

impl Region {
    /// Lists all kinds and asks how nodes are; or lists some kinds and asks nothing.
    pub(super) async fn see(&self, scope: &Scope, some: Option<&BTreeSet<KindName>>) -> Observed {
        let asked = |kind: &KindName| some.is_none_or(|some| some.contains(kind));
        let mut denied = BTreeMap::new();
        let (observed, longest) = {
            let mut inner = self.inner();
            for kind in KindName::ALL.iter().filter(|kind| asked(kind)) {
                let physics = physics::of(*kind);
                let api = physics.api(physics.list);
                let fault = inner.fault(&api, false);
                let failure = fault.map(|fault| fault.and_then(|fault| refusal(fault, &api)));
                if let Ok(Some(failure)) | Err(failure) = failure {
                    denied.insert(*kind, failure.to_string());
                }
            }
            let seen =
                inner.turn(|world, now| (look::observe(world, self.name(), scope, now), None));
            let seen = seen.map(|(observed, costs)| {
                if let Some(kinds) = some {
                    return (observed.only(kinds).unjudged(), costs);
                }
                let why = inner.judged(observed.conditions.len()).err();
                (look::unjudged(observed, why.map(|why| why.to_string())), costs)
            });
            match seen {
                Ok((observed, costs)) => {
                    let mut longest = 0;
                    for (kind, cost) in costs.into_iter().filter(|(kind, _)| asked(kind)) {
                        let physics = physics::of(kind);
                        inner.count(&physics.api(physics.list), cost.list);
                        inner.count(&look::detail_api(physics), cost.detail);
                        longest = longest.max(cost.list + cost.detail.div_ceil(look::PARALLEL));
                    }
                    (observed, longest)
                }
                Err(why) => (look::nothing(&why.to_string()), 1),
            }
        };
        self.travel(longest * 2).await;
        look::without(observed, denied)
    }
}
