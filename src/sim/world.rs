//! The state of the world: objects, and the indexes that keep every rule cheap.
//!
//! It changes only by events, so that a file of events is the world, and only
//! deterministically: the same events give the same world.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::object::{Answer, Event, Object, Past};
use super::physics::{self, Dangling};
use super::settings::Settings;
use crate::kinds::{Change, Edit, KindName, Spec, Tags, walk};
use crate::model::{CloudId, Region as RegionName, Zone};

/// What only one object can hold: in which region (or none) and what.
pub(super) type Claim = (String, String);

/// Everything that exists.
#[derive(Default)]
pub(super) struct World {
    pub settings: Settings,
    /// The time of the last event.
    pub time: u64,
    /// How many objects were ever made.
    pub made: u64,
    pub objects: BTreeMap<CloudId, Box<Object>>,
    pub answers: BTreeMap<String, Answer>,
    /// Names that cannot be taken yet, and until when.
    pub resting: BTreeMap<Claim, u64>,
    /// How many of these there were when they were last looked through.
    rested: usize,
    bounds: BTreeMap<CloudId, Bound>,
    claims: BTreeMap<Claim, CloudId>,
    incoming: BTreeMap<CloudId, Holders>,
    census: BTreeMap<(RegionName, KindName), u64>,
    crowd: BTreeMap<(String, Zone), u64>,
    /// When something is to be done to which object.
    due: BTreeSet<(u64, CloudId)>,
}

/// What an object is entered under in the indexes.
#[derive(Default)]
struct Bound {
    claims: Vec<Claim>,
    hard: BTreeSet<CloudId>,
    soft: BTreeSet<CloudId>,
    crowd: Option<(String, Zone)>,
}

/// Who refers to an object.
#[derive(Default)]
pub(super) struct Holders {
    /// These keep it from being deleted.
    pub hard: BTreeSet<CloudId>,
    /// These do not.
    pub soft: BTreeSet<CloudId>,
}

impl World {
    /// The object, unless it is gone.
    pub fn living(&self, id: &CloudId, now: u64) -> Option<&Object> {
        let object = self.objects.get(id)?;
        object.gone_at.is_none_or(|gone| gone > now).then_some(object)
    }

    /// Who holds what is claimed.
    pub fn holder(&self, claim: &Claim) -> Option<&Object> {
        Some(self.objects.get(self.claims.get(claim)?)?)
    }

    /// Objects that keep another from being deleted.
    pub fn blockers<'a>(&'a self, id: &'a CloudId) -> impl Iterator<Item = &'a CloudId> {
        self.incoming.get(id).into_iter().flat_map(|who| &who.hard).filter(move |who| *who != id)
    }

    /// How many objects of a kind live in a region.
    pub fn count(&self, region: &RegionName, kind: KindName) -> u64 {
        self.census.get(&(region.clone(), kind)).copied().unwrap_or(0)
    }

    /// How many nodes of a type live in a zone.
    pub fn crowd(&self, instance_type: &str, zone: &Zone) -> u64 {
        self.crowd.get(&(instance_type.to_owned(), zone.clone())).copied().unwrap_or(0)
    }

    /// The id of the n-th object from now that is not known by a name.
    pub fn fresh_id(&self, kind: KindName, n: u64) -> CloudId {
        let mut mixed = (self.made + n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = mixed.wrapping_add(self.settings.seed.wrapping_mul(0xd134_2543_de82_ef95));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        CloudId(format!("{}-0{mixed:016x}", physics::of(kind).id))
    }

    /// Takes in an event.
    pub fn apply(&mut self, at: u64, event: Event) {
        self.sweep(at);
        self.time = self.time.max(at);
        match event {
            Event::Made { objects, answer } => {
                self.made += objects.len() as u64;
                for object in objects {
                    self.insert(object);
                }
                if let Some(answer) = answer {
                    self.answers.insert(answer.key.clone(), answer);
                }
            }
            Event::Changed { id, edit, outcome } => match outcome {
                Some(outcome) => self.turn_into(&id, *outcome, at),
                None => self.change(&id, &edit, at),
            },
            Event::Deleted { ids } => {
                for id in ids {
                    self.delete(&id, at);
                }
                self.sweep(at);
            }
            Event::Filled { id, contents } => {
                if let Some(object) = self.objects.get_mut(&id) {
                    object.contents = contents;
                }
            }
            Event::Failed { id, text } => {
                if let Some(object) = self.objects.get_mut(&id) {
                    object.failed = Some(text);
                }
            }
            Event::Settings { settings } => self.settings = *settings,
            Event::Faults { faults } => self.settings.faults = faults,
            Event::Tick => {}
            Event::Counted { made } => self.made = made,
            Event::Resting { key, until } => drop(self.resting.insert(key, until)),
        }
    }

    /// The shortest list of events that gives this world.
    pub fn remembered(&self) -> impl Iterator<Item = Event> {
        let settings = Event::Settings { settings: Box::new(self.settings.clone()) };
        let resting = self.resting.iter();
        let resting =
            resting.map(|(key, until)| Event::Resting { key: key.clone(), until: *until });
        let answers = self.answers.values();
        let answers =
            answers.map(|answer| Event::Made { objects: Vec::new(), answer: Some(answer.clone()) });
        let objects = self.objects.values();
        let objects =
            objects.map(|object| Event::Made { objects: vec![(**object).clone()], answer: None });
        let made = Event::Counted { made: self.made };
        std::iter::once(settings).chain(resting).chain(answers).chain(objects).chain([made])
    }

    /// Lets vanish what has vanished by now.
    pub fn sweep(&mut self, now: u64) {
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, id)) = self.due.pop_first() else { return };
            let gone = self.objects.get(&id).and_then(|object| object.gone_at);
            if gone.is_none_or(|gone| gone > at) {
                continue; // Another object has taken the name meanwhile.
            }
            let kind = self.objects.get(&id).map(|object| object.spec.kind());
            if self.bounds.contains_key(&id) {
                self.unbind(&id);
                self.orphan(&id, at);
                let lingers = kind.map_or(0, |kind| physics::of(kind).lingers_s * 1000);
                self.due.insert((at + lingers.max(self.settings.visibility_ms) + 1, id));
            } else {
                self.objects.remove(&id);
            }
        }
    }

    fn insert(&mut self, object: Object) {
        let id = object.id.clone();
        self.unbind(&id);
        self.bind(&object);
        if let Some(gone) = object.gone_at {
            self.due.insert((gone, id.clone()));
        }
        self.objects.insert(id, Box::new(object));
    }

    fn bind(&mut self, object: &Object) {
        let kind = object.spec.kind();
        let mut bound = Bound { claims: claims(&object.spec, &object.region), ..links(object) };
        for claim in &bound.claims {
            self.claims.insert(claim.clone(), object.id.clone());
        }
        if let Spec::Node(node) = &object.spec {
            let place = (node.instance_type.clone(), node.zone.clone());
            *self.crowd.entry(place.clone()).or_default() += 1;
            bound.crowd = Some(place);
        }
        *self.census.entry((object.region.clone(), kind)).or_default() += 1;
        self.enter(&object.id, &bound);
        self.bounds.insert(object.id.clone(), bound);
    }

    fn enter(&mut self, id: &CloudId, bound: &Bound) {
        for target in &bound.hard {
            self.incoming.entry(target.clone()).or_default().hard.insert(id.clone());
        }
        for target in &bound.soft {
            self.incoming.entry(target.clone()).or_default().soft.insert(id.clone());
        }
    }

    fn leave(&mut self, id: &CloudId, bound: &Bound) {
        for target in bound.hard.iter().chain(&bound.soft) {
            if let Some(holders) = self.incoming.get_mut(target) {
                holders.hard.remove(id);
                holders.soft.remove(id);
                if holders.hard.is_empty() && holders.soft.is_empty() {
                    self.incoming.remove(target);
                }
            }
        }
    }

    fn unbind(&mut self, id: &CloudId) {
        let Some(bound) = self.bounds.remove(id) else { return };
        self.leave(id, &bound);
        for claim in &bound.claims {
            if self.claims.get(claim) == Some(id) {
                self.claims.remove(claim);
            }
        }
        if let Some(object) = self.objects.get(id) {
            let key = (object.region.clone(), object.spec.kind());
            if let Some(count) = self.census.get_mut(&key) {
                *count = count.saturating_sub(1);
            }
        }
        if let Some(count) = bound.crowd.and_then(|place| self.crowd.get_mut(&place)) {
            *count = count.saturating_sub(1);
        }
    }

    fn delete(&mut self, id: &CloudId, at: u64) {
        let Some(object) = self.objects.get_mut(id) else { return };
        let physics = physics::of(object.spec.kind());
        object.deleted_at = Some(at);
        let gone = at + physics.vanish_s * 1000;
        object.gone_at = Some(gone);
        self.due.insert((gone, id.clone()));
        if physics.rests_s > 0 {
            let claims = self.bounds.get(id).map(|bound| bound.claims.clone()).unwrap_or_default();
            let until = at + physics.rests_s * 1000;
            // Now and then is enough: every name is judged by its own time.
            if self.resting.len() > 2 * self.rested {
                self.resting.retain(|_, until| *until > at);
                self.rested = self.resting.len();
            }
            self.resting.extend(claims.into_iter().map(|claim| (claim, until)));
        }
    }

    fn change(&mut self, id: &CloudId, edit: &Edit, at: u64) {
        // The rules have tried the edit before it became an event.
        if let Some(Ok(outcome)) = self.objects.get(id).map(|object| object.edited(edit)) {
            self.turn_into(id, outcome, at);
        }
    }

    fn turn_into(&mut self, id: &CloudId, (spec, marks): (Spec, Tags), at: u64) {
        let visibility = self.settings.visibility_ms;
        let Some(object) = self.objects.get_mut(id) else { return };
        let spec = std::mem::replace(&mut object.spec, spec);
        let marks = std::mem::replace(&mut object.marks, marks);
        object.past.retain(|past| past.until + visibility > at);
        if visibility > 0 {
            object.past.push(Past { until: at, spec, marks });
        }
        let fresh = links(object);
        if let Some(mut bound) = self.bounds.remove(id) {
            self.leave(id, &bound);
            (bound.hard, bound.soft) = (fresh.hard, fresh.soft);
            self.enter(id, &bound);
            self.bounds.insert(id.clone(), bound);
        }
    }

    /// What refers softly to an object that is gone loses the reference.
    fn orphan(&mut self, id: &CloudId, at: u64) {
        let soft = self.incoming.get(id).map(|who| who.soft.clone()).unwrap_or_default();
        for holder in soft {
            let Some(object) = self.objects.get(&holder) else { continue };
            let kind = object.spec.kind();
            let mut changes = Vec::new();
            for (field, value) in object.spec.fields() {
                let rule = physics::dangling(kind, &field);
                for item in value.as_array().into_iter().flatten() {
                    if rule != Dangling::Keep && points_at(item, id) {
                        changes.push(repair(rule, &field, item, id));
                    }
                }
            }
            for edit in changes {
                self.change(&holder, &edit, at);
            }
        }
    }
}

fn points_at(item: &Value, id: &CloudId) -> bool {
    let holder = serde_json::Map::from_iter([(String::new(), item.clone())]);
    let target = walk::FoundTarget::Id(id.clone());
    walk::links_in(&holder).iter().any(|found| found.target == target)
}

fn repair(rule: Dangling, field: &str, item: &Value, id: &CloudId) -> Edit {
    let change = match rule {
        Dangling::Blackhole => {
            let mut item = item.clone();
            item["target"] = serde_json::json!({ "blackhole": id });
            Change::Add(item)
        }
        Dangling::Drop | Dangling::Keep => Change::Remove(item.clone()),
    };
    Edit { field: field.to_owned(), change }
}

/// What an object is the only one to hold.
pub(super) fn claims(spec: &Spec, region: &RegionName) -> Vec<Claim> {
    let kind = spec.kind();
    let physics = physics::of(kind);
    let scope = if physics.global { String::new() } else { region.to_string() };
    let named = physics.unique_name.then(|| spec.fields().remove("name")).flatten();
    let named = named.and_then(|name| name.as_str().map(str::to_owned));
    let all = spec.claim().into_iter().chain(named);
    all.map(|claim| (scope.clone(), format!("{kind}: {claim}"))).collect()
}

fn links(object: &Object) -> Bound {
    let traits = object.spec.kind().traits();
    let mut bound = Bound::default();
    for found in walk::links(&object.spec) {
        match found.target {
            walk::FoundTarget::Address(_) => {}
            walk::FoundTarget::Id(id) if traits.soft.contains(&found.field.as_str()) => {
                bound.soft.insert(id);
            }
            walk::FoundTarget::Id(id) => drop(bound.hard.insert(id)),
        }
    }
    bound.hard.extend(object.uses.iter().cloned());
    bound
}
