//! Hands other than ours: people at a console, other tools, and the cloud itself. And
//! what an oracle sees, who sees everything.

use serde_json::Value;

use super::object::{Event, Object};
use super::region::Region;
use super::rules::Caller as Judge;
use super::{SimError, world::World};
use crate::cloud::Phase;
use crate::kinds::{Change, Edit, KindName, Spec, Tags};
use crate::model::{Address, CloudId, Region as RegionName, tags};

/// An object as somebody who sees everything sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectView {
    /// Its id.
    pub id: CloudId,
    /// Its kind.
    pub kind: KindName,
    /// Where it is.
    pub region: RegionName,
    /// What it is.
    pub spec: Spec,
    /// All of its tags.
    pub tags: Tags,
    /// How far it is, without delay.
    pub phase: Phase,
    /// How many things it holds.
    pub contents: u64,
    /// On nodes: its number within its launch.
    pub number: Option<u32>,
    /// When it was made, in simulated milliseconds.
    pub born_at: u64,
    /// It belongs to another account.
    pub stranger: bool,
}

impl Region {
    /// Somebody changes a field, whatever we think of it. The object is named by its id,
    /// the last part of its ARN, or its address.
    pub fn foreign_edit(&self, what: &str, field: &str, value: Value) -> Result<CloudId, SimError> {
        let edit = Edit { field: field.to_owned(), change: Change::Put(value) };
        self.change(what, edit)
    }

    /// Somebody sets a tag, ours included, or takes it away.
    pub fn foreign_tag(
        &self,
        what: &str,
        key: &str,
        value: Option<&str>,
    ) -> Result<CloudId, SimError> {
        let one = |value: &str| serde_json::json!({ key: value });
        let change = match value {
            Some(value) => Change::Add(one(value)),
            None => Change::Remove(one("")),
        };
        self.change(what, Edit { field: "tags".to_owned(), change })
    }

    fn change(&self, what: &str, edit: Edit) -> Result<CloudId, SimError> {
        self.hand(what, |object| {
            object.edited(&edit).map_err(SimError::Foreign)?;
            Ok(Event::Changed { id: object.id.clone(), edit, outcome: None })
        })
    }

    /// Somebody deletes an object, whatever still refers to it.
    pub fn foreign_delete(&self, what: &str) -> Result<CloudId, SimError> {
        self.hand(what, |object| Ok(Event::Deleted { ids: vec![object.id.clone()] }))
    }

    /// The cloud gives an object up.
    pub fn foreign_fail(&self, what: &str, text: &str) -> Result<CloudId, SimError> {
        let text = text.to_owned();
        self.hand(what, |object| Ok(Event::Failed { id: object.id.clone(), text }))
    }

    /// Somebody puts things into a bucket or a queue.
    pub fn put_objects(&self, what: &str, more: u64) -> Result<CloudId, SimError> {
        self.hand(what, |object| {
            Ok(Event::Filled { id: object.id.clone(), contents: object.contents + more })
        })
    }

    /// Somebody takes things out again; returns how many are left.
    pub fn take_objects(&self, what: &str, count: u64) -> Result<(CloudId, u64), SimError> {
        let mut left = 0;
        let id = self.hand(what, |object| {
            left = object.contents.saturating_sub(count);
            Ok(Event::Filled { id: object.id.clone(), contents: left })
        })?;
        Ok((id, left))
    }

    /// Somebody in this account makes an object, with all of its fields at once.
    pub fn foreign_create(&self, spec: &Spec, tags: Tags) -> Result<CloudId, SimError> {
        self.newcomer(spec, tags, false)
    }

    /// Somebody in another account makes an object: we can neither see nor touch it.
    pub fn stranger_create(&self, spec: &Spec) -> Result<CloudId, SimError> {
        self.newcomer(spec, Tags::new(), true)
    }

    fn newcomer(&self, spec: &Spec, tags: Tags, stranger: bool) -> Result<CloudId, SimError> {
        self.inner().turn(|world, now| {
            let judge = Judge { world, region: self.name(), now };
            match judge.newborn("sandbox:Create", spec, tags) {
                Ok(mut object) => {
                    (object.spec, object.stranger) = (spec.clone(), stranger);
                    let id = object.id.clone();
                    (Ok(id), Some(Event::Made { objects: vec![object], answer: None }))
                }
                Err(failure) => (Err(SimError::Foreign(failure.to_string())), None),
            }
        })?
    }

    fn hand(
        &self,
        what: &str,
        deed: impl FnOnce(&Object) -> Result<Event, SimError>,
    ) -> Result<CloudId, SimError> {
        self.inner().turn(|world, now| {
            let found = find(world, self.name(), what, now);
            match found.and_then(|object| Ok((object.id.clone(), deed(object)?))) {
                Ok((id, event)) => (Ok(id), Some(event)),
                Err(why) => (Err(why), None),
            }
        })?
    }

    /// Every living object of the world, in every region, as it is now.
    pub fn snapshot(&self) -> Vec<ObjectView> {
        let mut inner = self.inner();
        let view = |world: &World, now| {
            let living = world.objects.values().filter(|object| object.phase(now) != Phase::Gone);
            (living.map(|object| view(object, now)).collect(), None)
        };
        inner.turn(view).unwrap_or_default()
    }
}

fn view(object: &Object, now: u64) -> ObjectView {
    ObjectView {
        id: object.id.clone(),
        kind: object.spec.kind(),
        region: object.region.clone(),
        spec: object.spec.clone(),
        tags: object.tags(),
        phase: object.phase(now),
        contents: object.contents,
        number: object.number,
        born_at: object.born_at,
        stranger: object.stranger,
    }
}

fn find<'a>(
    world: &'a World,
    region: &RegionName,
    what: &str,
    now: u64,
) -> Result<&'a Object, SimError> {
    let stands = |object: &&Object| object.stands() && object.phase(now) != Phase::Gone;
    if let Some(object) =
        world.objects.get(&CloudId::from(what)).map(|object| &**object).filter(stands)
    {
        return Ok(object);
    }
    let tag = what.parse::<Address>().map(|address| address.to_tag()).unwrap_or_default();
    let named = |object: &&Object| {
        let at = object.marks.get(tags::ADDRESS).is_some_and(|found| *found == tag);
        object.region == *region && stands(object) && (at || object.id.short() == what)
    };
    let mut found = world.objects.values().map(|object| &**object).filter(named);
    match (found.next(), found.next()) {
        (Some(object), None) => Ok(object),
        (Some(one), Some(other)) => {
            let (one, other) = (&one.id, &other.id);
            let text = format!(
                "`{what}` is not one object: there are {one}, {other} and perhaps more. Name an id."
            );
            Err(SimError::Foreign(text))
        }
        (None, _) => {
            let text = format!(
                "There is no `{what}` in {region}: name an id or an address such as cluster.train/profile."
            );
            Err(SimError::Foreign(text))
        }
    }
}
