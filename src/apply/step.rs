//! Carrying out one step: exactly the calls that its action means, in order.

use crate::cloud::{Call, Class, Failure, Launch, Left, Make, Owner};
use crate::kinds::{
    Action, Edit, KindName, Offer, Spec, Step, StepId, Tags, dismantle, edits, walk,
};
use crate::model::{Address, CloudId, Link, SubnetId, TemplateId};

use super::hands::{Hands, Trouble};

/// What is known of ids while the steps run.
pub(super) type Ids<'a> = &'a (dyn Fn(&Address) -> Option<CloudId> + Sync);

impl Hands<'_> {
    pub(super) async fn carry_out(
        &self,
        at: StepId,
        step: &Step,
        ids: Ids<'_>,
    ) -> Result<Vec<CloudId>, Trouble> {
        match &step.action {
            Action::Create { spec, generation } => {
                let spec = settle(spec, ids)?;
                self.create(at, &step.address, spec, *generation).await.map(|id| vec![id])
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
            Action::Launch { batch, count, template, offers, tags } => {
                let template = link(template, ids)?;
                let order = Order { batch: *batch, count: *count, template, tags };
                self.launch(at, &step.address, &order, offers, ids).await
            }
            Action::Terminate { nodes, .. } => {
                match self.send(at, &Call::Terminate { ids: nodes.clone() }).await {
                    Ok(_) => {}
                    Err(Trouble::Failed(failure)) if failure.class == Class::Gone => {}
                    Err(trouble) => return Err(trouble),
                }
                for node in nodes {
                    self.gone(at, KindName::Node, node).await?;
                }
                Ok(nodes.clone())
            }
        }
    }

    async fn create(
        &self,
        at: StepId,
        address: &Address,
        spec: Spec,
        generation: u32,
    ) -> Result<CloudId, Trouble> {
        let (kind, born) = (spec.kind(), spec.born());
        let todo = edits(&born, &spec);
        let stack = self.scope.stack.clone();
        let build = |token| {
            let owner = Owner { stack, address: address.clone(), generation, token };
            Call::Create(Make { spec, owner })
        };
        let ids = self.make(at, build, (address, generation, 1)).await?;
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
        for edit in dismantle(was) {
            let call = Call::Edit { kind: was.kind(), id: id.clone(), edit };
            gone(self.send(at, &call).await)?;
        }
        let mut more = empty_first;
        while more {
            let call = Call::Empty { id: id.clone() };
            more = gone(self.send(at, &call).await)?.is_some_and(|reply| reply.more);
        }
        gone(self.send(at, &Call::Delete { id: id.clone(), was: was.clone() }).await)?;
        self.gone(at, was.kind(), id).await
    }

    /// Walks down the offers. Every try is an intent of its own, because a token counts
    /// per zone, and the next begins only after a definitive refusal of the last.
    async fn launch(
        &self,
        at: StepId,
        address: &Address,
        order: &Order<'_>,
        offers: &[Offer],
        ids: Ids<'_>,
    ) -> Result<Vec<CloudId>, Trouble> {
        let mut refused = Vec::new();
        for (attempt, offer) in (1..).zip(offers) {
            let mut offer = offer.clone();
            offer.subnet = Link::Id(SubnetId(link(&offer.subnet, ids)?.0));
            let where_ = format!("{} in {}", offer.instance_type, offer.zone);
            let stack = self.scope.stack.clone();
            let build = |token| {
                let owner = Owner { stack, address: address.clone(), generation: 1, token };
                Call::Launch(Launch {
                    template: TemplateId(order.template.0.clone()),
                    offer,
                    count: order.count,
                    batch: order.batch,
                    owner,
                    tags: order.tags.clone(),
                })
            };
            match self.make(at, build, (address, order.batch, attempt)).await {
                Ok(nodes) => {
                    for node in &nodes {
                        self.ready(at, KindName::Node, node).await?;
                    }
                    return Ok(nodes);
                }
                Err(Trouble::Failed(failure))
                    if failure.class == Class::Capacity && failure.is_definitive() =>
                {
                    let what = format!("no capacity for {where_}, trying the next offer");
                    self.tell(super::Event::Waiting { step: at, what });
                    refused.push(format!("{where_}: {}", failure.code));
                }
                Err(trouble) => return Err(trouble),
            }
        }
        let text = if refused.is_empty() {
            "no zone of the network offers this instance type".to_owned()
        } else {
            format!("no capacity in any offer ({})", refused.join("; "))
        };
        Err(Trouble::Failed(Failure::new(
            Class::Capacity,
            Left::Nothing,
            "ec2:RunInstances",
            "NoCapacity",
            text,
        )))
    }
}

/// What a launch asks for, wherever it happens.
struct Order<'a> {
    batch: u32,
    count: u32,
    template: CloudId,
    tags: &'a Tags,
}

fn odd(api: &str, text: impl Into<String>) -> Trouble {
    Trouble::Failed(Failure::new(Class::Unknown, Left::Unknown, api, "Unexpected", text))
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

fn link<T: Clone + Into<String>>(link: &Link<T>, ids: Ids<'_>) -> Result<CloudId, Trouble> {
    match link {
        Link::Id(id) => Ok(CloudId(id.clone().into())),
        Link::To(address) => {
            ids(address).ok_or_else(|| odd("launch", format!("{address} has no id yet")))
        }
    }
}
