//! Carrying out one step: exactly the calls that its action means, in order.

use crate::cloud::{Call, Class, Make, Owner};
use crate::kinds::{
    Action, Change, Edit, KindName, Spec, Step, StepId, Tags, dismantle, edits, walk,
};
use crate::model::{Address, CloudId, Token, tags};

use serde_json::json;

use super::hands::{Hands, Trouble};
use super::ids::{Ids, Launched, link, odd};
use super::order::Order;
use super::point::Lead;

impl Hands<'_> {
    pub(super) async fn carry_out(
        &self,
        at: StepId,
        step: &Step,
        (ids, launched): (Ids<'_>, Launched<'_>),
    ) -> Result<Vec<CloudId>, Trouble> {
        match &step.action {
            Action::Create { spec, generation, named } => {
                let spec = settle(spec, ids)?;
                let owner = self.owner(&step.address, *generation, named.clone());
                self.create(at, spec, owner).await.map(|id| vec![id])
            }
            Action::Update { id, was, spec, .. } => {
                let spec = settle(spec, ids)?;
                self.edit_all(at, id, spec.kind(), edits(was, &spec)).await?;
                self.ready(at, spec.kind(), id).await?;
                Ok(vec![id.clone()])
            }
            Action::Delete { id, was, empty_first } => {
                self.delete(at, id, was, *empty_first).await?;
                Ok(vec![id.clone()])
            }
            Action::Launch { batch, count, gang, template, offers, tags, care } => {
                let template = link(template, ids)?;
                let (batch, count, gang) = (*batch, *count, *gang);
                let address = &step.address;
                let order = Order { address, batch, count, gang, template, tags, care: *care };
                self.launch(at, &order, offers, ids).await
            }
            Action::Quarantine { nodes, was, reasons, seconds } => {
                self.quarantine(at, (&step.address, was), (nodes, reasons), *seconds).await?;
                Ok(nodes.clone())
            }
            Action::Terminate { nodes, drain, once, .. } => {
                self.terminate(at, (nodes, once), *drain).await?;
                Ok(nodes.clone())
            }
            Action::Point { zone, name, ttl, nodes, launched: more, with, was, patience } => {
                let zone = link(zone, ids)?;
                let mut nodes = nodes.clone();
                if *more {
                    nodes.extend(launched(&step.address));
                }
                let (ttl, patience, done) = (*ttl, *patience, vec![zone.clone()]);
                self.point(at, &Lead { zone, name, ttl, nodes, with, was, patience }).await?;
                Ok(done)
            }
            Action::Move { kind, ids, from: _, tags } => {
                for id in ids {
                    self.tag(at, *kind, id, Change::Add(json!(tags))).await?;
                }
                Ok(ids.clone())
            }
            Action::Adopt { id, spec } => {
                let tags = self.owner(&step.address, 1, None).tags();
                self.tag(at, spec.kind(), id, Change::Add(json!(tags))).await?;
                Ok(vec![id.clone()])
            }
            Action::Forget { id, was } => {
                let gone: Tags = tags::OWNING.map(|key| (key.to_owned(), String::new())).into();
                self.tag(at, was.kind(), id, Change::Remove(json!(gone))).await?;
                Ok(vec![id.clone()])
            }
        }
    }

    /// Ends nodes, once those that take their place serve and their own jobs have ended.
    async fn terminate(
        &self,
        at: StepId,
        (nodes, once): (&[CloudId], &[CloudId]),
        drain: bool,
    ) -> Result<(), Trouble> {
        self.successors(at, once).await?;
        if drain {
            self.drain(at, nodes).await?;
        }
        self.end(at, nodes).await
    }

    /// Whose an object is; the token of the intent comes later.
    pub(super) fn owner(
        &self,
        address: &Address,
        generation: u32,
        named: Option<Address>,
    ) -> Owner {
        let (stack, address) = (self.scope.stack.clone(), address.clone());
        Owner { stack, address, generation, token: Token(String::new()), named }
    }

    pub(super) async fn tag(
        &self,
        at: StepId,
        kind: KindName,
        id: &CloudId,
        change: Change,
    ) -> Result<(), Trouble> {
        let edit = Edit { field: "tags".to_owned(), change };
        self.send(at, &Call::Edit { kind, id: id.clone(), edit }).await.map(|_| ())
    }

    async fn create(&self, at: StepId, spec: Spec, owner: Owner) -> Result<CloudId, Trouble> {
        let (kind, born) = (spec.kind(), spec.born());
        let todo = edits(&born, &spec);
        let (address, generation) = (owner.address.clone(), owner.generation);
        let build = |token| Call::Create(Make { spec, owner: Owner { token, ..owner } });
        let ids = self.make(at, build, (&address, generation, 1)).await?;
        let Some(id) = ids.into_iter().next() else {
            return Err(odd(kind.word(), "the cloud returned no id"));
        };
        self.edit_all(at, &id, kind, todo).await?;
        self.ready(at, kind, &id).await?;
        Ok(id)
    }

    async fn edit_all(
        &self,
        at: StepId,
        id: &CloudId,
        kind: KindName,
        todo: Vec<Edit>,
    ) -> Result<(), Trouble> {
        for edit in todo {
            self.send(at, &Call::Edit { kind, id: id.clone(), edit }).await?;
        }
        Ok(())
    }

    async fn delete(
        &self,
        at: StepId,
        id: &CloudId,
        was: &Spec,
        empty_first: bool,
    ) -> Result<(), Trouble> {
        let gone = |result: Result<_, Trouble>| match result {
            Err(Trouble::Failed(failure)) if failure.class == Class::Gone => Ok(None),
            Ok(reply) => Ok(Some(reply)),
            Err(trouble) => Err(trouble),
        };
        let edit = |edit| Call::Edit { kind: was.kind(), id: id.clone(), edit };
        let dismantling: Vec<Call> = dismantle(was).into_iter().map(edit).collect();
        for call in &dismantling {
            gone(self.send(at, call).await)?;
        }
        let mut more = empty_first;
        while more {
            let call = Call::Empty { id: id.clone() };
            more = gone(self.send(at, &call).await)?.is_some_and(|reply| reply.more);
        }
        let call = Call::Delete { id: id.clone(), was: was.clone() };
        gone(self.send_with(at, &call, &dismantling).await)?;
        self.gone(at, was.kind(), id).await.map(|_| ())
    }
}

/// Fills in the ids that earlier steps returned. All of them are known by now, since
/// the plan orders makers first.
fn settle(spec: &Spec, ids: Ids<'_>) -> Result<Spec, Trouble> {
    let kind = spec.kind().word();
    let spec = walk::settle(spec, ids).map_err(|error| odd(kind, error.to_string()))?;
    let open = walk::links(&spec).into_iter().find_map(|found| match found.target {
        walk::FoundTarget::Address(address) => Some(address),
        walk::FoundTarget::Id(_) => None,
    });
    match open {
        None => Ok(spec),
        Some(address) => Err(odd(kind, format!("{address} has no id yet"))),
    }
}
