//! A cloud that writes down what came of launch calls, for the decision to learn from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::cloud::{
    Ask, Call, CallCounts, Caller, Class, Cloud, Condition, Facts, Failure, Measure, Observed,
    Permissions, Phase, Pulse, Reply, Running, Scope, Stray,
};
use crate::fleet::{Attempt, OfferKey, Outcome};
use crate::kinds::KindName;
use crate::model::{Clock, CloudId};

use super::view::CALLS_PER_BATCH;

/// The same cloud, and a pencil.
pub struct Recording<'a> {
    cloud: &'a dyn Cloud,
    clock: &'a dyn Clock,
    found: Mutex<Vec<Attempt>>,
    first: u64,
}

impl<'a> Recording<'a> {
    /// Numbers attempts from `first` on.
    pub fn new(cloud: &'a dyn Cloud, clock: &'a dyn Clock, first: u64) -> Self {
        Self { cloud, clock, found: Mutex::default(), first }
    }

    /// What was written down.
    pub fn into_attempts(self) -> Vec<Attempt> {
        self.found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: &Call, answer: &Result<Reply, Failure>) {
        let Call::Launch(launch) = call else { return };
        let outcome = match answer {
            Ok(reply) => {
                let count = u32::try_from(reply.ids.len()).unwrap_or(u32::MAX);
                Outcome::Started { count }
            }
            Err(failure) => match outcome(failure) {
                Some(outcome) => outcome,
                None => return,
            },
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.first + u64::try_from(found.len()).unwrap_or(u64::MAX);
        let batch = u64::from(launch.batch / CALLS_PER_BATCH);
        let (offer, at) = (OfferKey::from(launch.offer.key()), self.clock.now());
        found.push(Attempt { number, batch, offer, at, outcome });
    }
}

/// What a refusal teaches; nothing where the same call is sent again.
fn outcome(failure: &Failure) -> Option<Outcome> {
    let why = format!("{}: {}", failure.code, failure.text);
    match failure.class {
        Class::Capacity => Some(Outcome::NoCapacity),
        Class::Quota => Some(Outcome::Quota { why }),
        Class::Denied
        | Class::Invalid
        | Class::Gone
        | Class::Exists
        | Class::InUse
        | Class::Mismatch => Some(Outcome::Blocked { why }),
        Class::Throttled
        | Class::Unavailable
        | Class::Expired
        | Class::Settling
        | Class::Unknown => None,
    }
}

#[async_trait]
impl Cloud for Recording<'_> {
    async fn caller(&self) -> Result<Caller, Failure> {
        self.cloud.caller().await
    }

    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        self.cloud.facts(ask).await
    }

    async fn observe(&self, scope: &Scope) -> Observed {
        self.cloud.observe(scope).await
    }

    async fn glance(&self, scope: &Scope, kinds: &BTreeSet<KindName>) -> Observed {
        self.cloud.glance(scope, kinds).await
    }

    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        let answer = self.cloud.act(call).await;
        self.note(call, &answer);
        answer
    }

    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure> {
        self.cloud.find(kind, name).await
    }

    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        self.cloud.phase(kind, id).await
    }

    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        self.cloud.conditions(nodes).await
    }

    async fn quota(&self, service: &str, code: &str) -> Result<Option<u64>, Failure> {
        self.cloud.quota(service, code).await
    }

    async fn usage(&self, of: &Measure) -> Result<u64, Failure> {
        self.cloud.usage(of).await
    }

    async fn pulse(&self) -> Pulse {
        self.cloud.pulse().await
    }

    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions {
        self.cloud.permissions(actions).await
    }

    async fn running(&self) -> Result<Running, Failure> {
        self.cloud.running().await
    }

    fn lag(&self) -> Duration {
        self.cloud.lag()
    }

    fn calls(&self) -> CallCounts {
        self.cloud.calls()
    }
}
