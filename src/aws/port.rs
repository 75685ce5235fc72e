//! The port: which file answers for which kind.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::Aws;
use super::found::Found;
use crate::cloud::{
    Ask, Call, CallCounts, Caller, Class, Cloud, Facts, Failure, Launch, Make, Observed, Phase,
    Reply, Scope,
};
use crate::kinds::{Edit, KindName, Spec};
use crate::model::CloudId;

#[async_trait]
impl Cloud for Aws {
    async fn caller(&self) -> Result<Caller, Failure> {
        Ok(self.caller.clone())
    }

    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        let _ = ask;
        Ok(Facts::bare(self.home().clone()))
    }

    async fn observe(&self, scope: &Scope) -> Observed {
        let lists = KindName::ALL.iter().map(|kind| self.list(*kind, scope));
        let mut observed = Observed::default();
        for (kind, list) in KindName::ALL.iter().zip(join_all(lists).await) {
            match list {
                Ok(all) => all.into_iter().for_each(|one| one.place(*kind, scope, &mut observed)),
                Err(failure) => {
                    observed.blind.insert(*kind, failure.to_string());
                }
            }
        }
        observed
    }

    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        match call {
            Call::Create(make) => {
                let id = self.create(make).await.map_err(settling)?;
                Ok(Reply { ids: vec![id], more: false })
            }
            Call::Edit { kind, id, edit } => {
                self.edit(*kind, id, edit).await.map_err(settling)?;
                Ok(Reply::default())
            }
            Call::Empty { id } => self.empty_bucket(id).await,
            Call::Delete { id, was } => match self.delete(id, was).await {
                Ok(()) => Ok(Reply::default()),
                Err(failure) if failure.class == Class::Gone => Ok(Reply::default()),
                Err(failure) => Err(failure),
            },
            _ => todo!(),
        }
    }

    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        match self.phase_of(kind, id).await {
            Err(failure) if failure.class == Class::Gone => Ok(Phase::Gone),
            answer => answer,
        }
    }

    fn calls(&self) -> CallCounts {
        self.counter.counts()
    }
}

/// What is made, changed or started names other objects, and itself, by ids that some
/// call has returned: one that is not found is one that is not known everywhere yet.
fn settling(failure: Failure) -> Failure {
    if failure.class == Class::Gone {
        return Failure { class: Class::Settling, ..failure };
    }
    failure
}

impl Aws {
    async fn list(&self, kind: KindName, scope: &Scope) -> Result<Vec<Found>, Failure> {
        match kind {
            KindName::Bucket => self.list_buckets(scope).await,
            _ => Ok(vec![]),
        }
    }

    async fn create(&self, make: &Make) -> Result<CloudId, Failure> {
        let owner = &make.owner;
        match &make.spec {
            Spec::Bucket(spec) => self.create_bucket(spec, owner).await,
            _ => Err(super::failure::invalid("create", "a node is launched")),
        }
    }

    async fn edit(&self, kind: KindName, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match kind {
            KindName::Bucket => self.edit_bucket(id, edit).await,
            _ => Err(super::failure::invalid("create", "a node is launched")),
        }
    }

    async fn delete(&self, id: &CloudId, was: &Spec) -> Result<(), Failure> {
        match was {
            Spec::Bucket(_) => self.delete_bucket(id).await,
            _ => Err(super::failure::invalid("create", "a node is launched")),
        }
    }

    async fn phase_of(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        match kind {
            KindName::Bucket => self.bucket_phase(id).await,
            _ => Err(super::failure::invalid("create", "a node is launched")),
        }
    }
}
