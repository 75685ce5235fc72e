//! What AWS would say to a call: the rules, as a pure function of the world.

use serde_json::Map;
use sha2::{Digest, Sha256};

use super::object::{Answer, Event, Object};
use super::physics::{self, Physics};
use super::world::{World, claims};
use crate::cloud::{Call, Class, Failure, Left, Make, Reply};
use crate::kinds::{Change, Edit, Home, Idempotence, KindName, Spec, dismantle, walk};
use crate::model::{CloudId, Region as RegionName};

/// Objects that one call empties out of a bucket.
const PER_CALL: u64 = 1000;

/// From where a call comes, and when.
pub(super) struct Caller<'a> {
    pub world: &'a World,
    pub region: &'a RegionName,
    pub now: u64,
}

/// What a call changes and what it answers.
pub(super) type Verdict = Result<(Option<Event>, Reply), Failure>;

/// A definitive refusal.
pub(super) fn refuse(class: Class, api: &str, code: &str, text: impl Into<String>) -> Failure {
    Failure::new(class, Left::Nothing, api, code, text)
}

/// The API behind a call.
pub(super) fn api(call: &Call) -> String {
    let physics = physics::of(call.kind());
    match call {
        Call::Create(_) | Call::Launch(_) => physics.api(physics.create),
        Call::Edit { edit, .. } if physics.service == "ec2" && edit.field == "tags" => {
            physics.api("CreateTags")
        }
        Call::Edit { .. } => physics.api(physics.change),
        Call::Empty { .. } => physics.api("DeleteObjects"),
        Call::Delete { .. } | Call::Terminate { .. } => physics.api(physics.delete),
    }
}

/// A fingerprint of a request, to tell a replay from a mistake.
pub(super) fn fingerprint<T: serde::Serialize>(request: &T) -> String {
    let text = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(&text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Caller<'_> {
    /// Judges a call.
    pub fn judge(&self, call: &Call) -> Verdict {
        let api = api(call);
        match call {
            Call::Create(make) => self.create(&api, make),
            Call::Edit { kind, id, edit } => self.edit(&api, *kind, id, edit),
            Call::Empty { id } => self.empty(&api, id),
            Call::Delete { id, was } => self.delete(&api, id, was.kind()),
            Call::Launch(launch) => self.launch(&api, launch),
            Call::Terminate { ids } => self.terminate(&api, ids),
        }
    }

    /// The account and region of the caller.
    pub fn home(&self) -> Home {
        let account = self.world.settings.account.clone();
        Home { account, region: self.region.clone() }
    }

    /// The moment that readers see.
    pub fn seen_at(&self) -> u64 {
        self.now.saturating_sub(self.world.settings.visibility_ms)
    }

    /// The object behind an id, if this region and account can use it now.
    pub fn find(&self, api: &str, id: &CloudId) -> Result<&Object, Failure> {
        let code = physics::missing_code(id);
        let missing = |class| refuse(class, api, code, format!("The id '{id}' does not exist"));
        let Some(object) = self.world.living(id, self.now) else {
            return Err(missing(Class::Gone));
        };
        let physics = physics::of(object.spec.kind());
        if !physics.global && object.region != *self.region {
            return Err(missing(Class::Gone));
        }
        if self.world.settings.visibility_ms > 0 && object.born_at > self.seen_at() {
            return Err(missing(Class::Settling));
        }
        if object.stranger {
            return Err(refuse(Class::Denied, api, "AccessDenied", "Access Denied"));
        }
        Ok(object)
    }

    /// The same, when nobody has deleted it.
    pub fn standing(&self, api: &str, id: &CloudId) -> Result<&Object, Failure> {
        let object = self.find(api, id)?;
        if object.stands() {
            return Ok(object);
        }
        let text = format!("The id '{id}' is being deleted");
        Err(refuse(Class::Gone, api, physics::missing_code(id), text))
    }

    /// The remembered answer to a token: the same request gets it again.
    pub fn replay(&self, api: &str, key: &str, request: &str) -> Result<Option<Reply>, Failure> {
        match self.world.answers.get(key) {
            None => Ok(None),
            Some(answer) if answer.request == request => {
                Ok(Some(Reply { ids: answer.ids.clone(), more: false }))
            }
            Some(_) => Err(refuse(
                Class::Mismatch,
                api,
                "IdempotentParameterMismatch",
                "The client token was used before with other parameters",
            )),
        }
    }

    fn create(&self, api: &str, make: &Make) -> Verdict {
        let kind = make.spec.kind();
        let traits = kind.traits();
        if kind == KindName::Node {
            return Err(refuse(Class::Invalid, api, "InvalidRequest", "Nodes are launched"));
        }
        let takes_token = traits.idempotence == Idempotence::Token;
        let asked = takes_token
            .then(|| (format!("{api} {} {}", self.region, make.owner.token), fingerprint(make)));
        if let Some((key, request)) = &asked
            && let Some(reply) = self.replay(api, key, request)?
        {
            return Ok((None, reply));
        }
        let object = self.newborn(api, &make.spec, make.owner.tags())?;
        self.quota(api, kind, 1)?;
        let ids = vec![object.id.clone()];
        let answer = asked.map(|(key, request)| Answer { key, request, ids: ids.clone() });
        Ok((Some(Event::Made { objects: vec![object], answer }), Reply { ids, more: false }))
    }

    /// An object of a spec as it is born, if nothing stands in its way.
    pub fn newborn(
        &self,
        api: &str,
        spec: &Spec,
        marks: crate::kinds::Tags,
    ) -> Result<Object, Failure> {
        let kind = spec.kind();
        let physics = physics::of(kind);
        let born = spec.born();
        self.targets(api, walk::links(spec), physics.trusting)?;
        self.cut(api, spec)?;
        for claim in claims(&born, self.region) {
            if let Some(holder) = self.world.holder(&claim) {
                return Err(taken(api, physics, &claim.1, holder));
            }
            if self.world.resting.get(&claim).is_some_and(|until| *until > self.now) {
                let text = "You must wait 60 seconds after deleting it";
                return Err(refuse(Class::Settling, api, "QueueDeletedRecently", text));
            }
        }
        let id = born.computed_id(&self.home()).unwrap_or_else(|| self.world.fresh_id(kind, 0));
        if let Some(holder) = self.world.living(&id, self.now) {
            return Err(taken(api, physics, id.as_str(), holder));
        }
        Ok(Object {
            id,
            region: self.region.clone(),
            spec: born,
            marks,
            born_at: self.now,
            ready_at: self.now + physics.ready_s * 1000,
            deleted_at: None,
            gone_at: None,
            failed: self.doomed(spec),
            contents: 0,
            uses: Vec::new(),
            number: None,
            address: None,
            stranger: false,
            unfit: None,
            past: Vec::new(),
        })
    }

    /// Everything that fields refer to must be there.
    fn targets(&self, api: &str, links: Vec<walk::Found>, trust: bool) -> Result<(), Failure> {
        for found in links {
            match found.target {
                walk::FoundTarget::Address(address) => {
                    let text = format!("`{}` still waits for {address}", found.field);
                    return Err(refuse(Class::Invalid, api, "InvalidParameterValue", text));
                }
                walk::FoundTarget::Id(_) if trust => {}
                walk::FoundTarget::Id(id) => drop(self.standing(api, &id)?),
            }
        }
        Ok(())
    }

    /// Refuses what would be one too many.
    pub fn quota(&self, api: &str, kind: KindName, more: u64) -> Result<(), Failure> {
        let Some(quota) = self.world.settings.quota.get(&kind) else { return Ok(()) };
        if self.world.count(self.region, kind) + more <= *quota {
            return Ok(());
        }
        let text = format!("The maximum number of {kind} objects, {quota}, has been reached");
        Err(refuse(Class::Quota, api, physics::of(kind).quota, text))
    }

    fn edit(&self, api: &str, kind: KindName, id: &CloudId, edit: &Edit) -> Verdict {
        let object = self.standing(api, id)?;
        if object.spec.kind() != kind {
            let text = format!("{id} is no {}", kind.title());
            return Err(refuse(Class::Invalid, api, "InvalidParameterValue", text));
        }
        let traits = kind.traits();
        let field = edit.field.as_str();
        let changes = [traits.in_place, traits.attach, traits.dismantle];
        if field != "tags" && !changes.iter().any(|fields| fields.contains(&field)) {
            let text = format!("{} does not change in place", edit.field);
            return Err(refuse(Class::Invalid, api, "InvalidParameterCombination", text));
        }
        match &edit.change {
            Change::Put(value) | Change::Add(value) => {
                let fields = Map::from_iter([(edit.field.clone(), value.clone())]);
                self.targets(api, walk::links_in(&fields), false)?;
            }
            Change::Remove(_) => {}
        }
        self.attachment(api, object, edit)?;
        let invalid = |text| refuse(Class::Invalid, api, "InvalidParameterValue", text);
        let (spec, marks) = object.edited(edit).map_err(invalid)?;
        if object.spec.cannot_become(&spec).contains(&field) {
            return Err(invalid(format!("{field} of {id} grows and never shrinks")));
        }
        if let Some(single) = physics::of(kind).single
            && spec.fields().get(single).and_then(|v| v.as_array()).is_some_and(|v| v.len() > 1)
        {
            let text = format!("{single} holds at most one item");
            return Err(refuse(Class::Quota, api, "LimitExceeded", text));
        }
        let same = spec == object.spec && marks == object.marks;
        let event = (!same).then(|| {
            let outcome = Some(Box::new((spec, marks)));
            Event::Changed { id: id.clone(), edit: edit.clone(), outcome }
        });
        Ok((event, Reply::default()))
    }

    fn empty(&self, api: &str, id: &CloudId) -> Verdict {
        let held = self.standing(api, id)?.contents;
        let left = held.saturating_sub(PER_CALL);
        let event = (held > 0).then(|| Event::Filled { id: id.clone(), contents: left });
        Ok((event, Reply { ids: Vec::new(), more: left > 0 }))
    }

    fn delete(&self, api: &str, id: &CloudId, kind: KindName) -> Verdict {
        let object = self.standing(api, id)?;
        if object.spec.kind() != kind || kind == KindName::Node {
            let text = format!("{id} is no {} to delete", kind.title());
            return Err(refuse(Class::Invalid, api, "InvalidParameterValue", text));
        }
        let physics = physics::of(kind);
        let in_use = |text: String| Err(refuse(Class::InUse, api, physics.in_use, text));
        let blockers: Vec<_> = self.world.blockers(id).take(4).map(CloudId::to_string).collect();
        if !blockers.is_empty() {
            return in_use(format!("{} {id} is used by {}", kind.title(), blockers.join(", ")));
        }
        let holds = dismantle(&object.spec);
        if let (false, Some(first)) = (physics.goes_whole, holds.first()) {
            return in_use(format!("{} {id} still has {}", kind.title(), first.field));
        }
        if physics.keeps_contents && object.contents > 0 {
            return in_use(format!("{id} holds {} objects", object.contents));
        }
        Ok((Some(Event::Deleted { ids: vec![id.clone()] }), Reply::default()))
    }
}

fn taken(api: &str, physics: &Physics, what: &str, holder: &Object) -> Failure {
    let code = match holder.stranger && physics.service == "s3" {
        true => "BucketAlreadyExists",
        false => physics.exists,
    };
    refuse(Class::Exists, api, code, format!("{what} is taken by {}", holder.id))
}
