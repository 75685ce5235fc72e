//! What a list brings home before it is known whose it is, and what the
//! files of the kinds share besides.

use std::fmt::Display;

use futures_util::stream::{self, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure;
use crate::cloud::{
    Class, Condition, Failure, Interrupted, Left, Live, Observed, Owner, Phase, Scope, Seen,
};
use crate::kinds::{Change, Edit, KindName, Spec, Tags};
use crate::model::{CloudId, Link, Moment, Text, tags};

/// One object of a list.
pub struct Found {
    /// Its id.
    pub id: CloudId,
    /// All of its tags.
    pub tags: Tags,
    /// What it is.
    pub seen: Seen,
    /// How far it is.
    pub phase: Phase,
    /// It holds data.
    pub holds_data: bool,
    /// On nodes: the launch.
    pub batch: Option<u32>,
    /// On nodes: when they were launched.
    pub launched: Option<Moment>,
    /// On nodes: their private address.
    pub address: Option<String>,
    /// On nodes that have ended: how spot took them back.
    pub interrupted: Option<Interrupted>,
    /// Why nobody can say whose it is.
    pub unreadable: Option<String>,
}

impl Found {
    /// An object that is ready and holds nothing.
    pub fn new(id: impl Into<CloudId>, tags: Tags, spec: impl Into<Spec>) -> Self {
        Self { seen: Seen::Spec(spec.into()), ..Self::blind(id, tags) }
    }

    /// An object of which nothing but id and tags is known yet.
    pub fn blind(id: impl Into<CloudId>, tags: Tags) -> Self {
        Self {
            id: id.into(),
            tags,
            seen: Seen::Blind(String::new()),
            phase: Phase::Ready,
            holds_data: false,
            batch: None,
            launched: None,
            address: None,
            interrupted: None,
            unreadable: None,
        }
    }

    /// An object whose details were read, or could not be.
    pub fn read<S: Into<Spec>>(id: CloudId, tags: Tags, spec: Result<S, Failure>) -> Self {
        let seen = match spec {
            Ok(spec) => Seen::Spec(spec.into()),
            Err(failure) => Seen::Blind(failure.to_string()),
        };
        Self { seen, ..Self::blind(id, tags) }
    }

    /// The same in a phase.
    pub fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// Puts it where it belongs: filters on the wire know wildcards and lists may be
    /// stale, so ownership is decided here again.
    pub fn place(self, kind: KindName, scope: &Scope, observed: &mut Observed) {
        if let Some(why) = self.unreadable {
            observed.unreadable.insert(self.id, why);
            return;
        }
        match Owner::from_tags(&scope.stack, &self.tags) {
            None => {}
            Some(Err(why)) => {
                observed.unreadable.insert(self.id, why);
            }
            Some(Ok(owner)) => {
                if kind == KindName::Node {
                    if self.phase == Phase::Gone {
                        observed.interrupted.extend(self.interrupted.map(|it| (self.id, it)));
                        return;
                    }
                    let condition = Condition::of(&self.tags, self.launched, self.address);
                    observed.conditions.insert(self.id.clone(), condition);
                }
                let Self { id, seen, phase, holds_data, batch, .. } = self;
                let live = Live { kind, owner, seen, phase, holds_data, batch };
                observed.live.insert(id, live);
            }
        }
    }
}

/// True when the tags say that the stack owns it.
pub fn is_ours(scope: &Scope, found: &Tags) -> bool {
    found.get(tags::STACK).map(String::as_str) == Some(scope.stack.as_str())
}

/// True when these tags are those of this very intent.
pub fn is_intent(owner: &Owner, found: &Tags) -> bool {
    match Owner::from_tags(&owner.stack, found) {
        Some(Ok(other)) => other.address == owner.address && other.token == owner.token,
        Some(Err(_)) | None => false,
    }
}

/// A name is taken: by this very intent, by somebody else, or by what cannot be seen yet.
/// An answer that says so may be the second to a call whose first answer was lost.
pub fn holder(
    owner: &Owner,
    taken: Failure,
    found: Result<Option<(CloudId, Tags)>, Failure>,
) -> Result<CloudId, Failure> {
    let unknown = |failure| Failure { left: Left::Unknown, ..failure };
    match found {
        Ok(Some((id, tags))) if is_intent(owner, &tags) => Ok(id),
        Ok(Some(_)) => Err(taken),
        Ok(None) => Err(unknown(Failure { class: Class::Settling, ..taken })),
        Err(failure) if failure.class == Class::Gone => {
            Err(unknown(Failure { class: Class::Settling, ..taken }))
        }
        Err(failure) => Err(unknown(failure)),
    }
}

/// The tags that the author sees.
pub fn user_tags(all: &Tags) -> Tags {
    all.iter()
        .filter(|(key, _)| !tags::is_reserved(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags of a new object.
pub fn birth_tags(owner: &Owner, user: &Tags, more: &[(&str, &str)]) -> Tags {
    let mut all = user.clone();
    all.extend(owner.tags());
    all.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    all
}

/// The tags of a new object that holds data: whether that forbids deleting it, and the key that
/// the author chose for it.
pub fn data_tags(owner: &Owner, user: &Tags, (is_precious, key): (bool, Option<&String>)) -> Tags {
    let mut more = vec![precious(is_precious)];
    more.extend(key.map(|key| (tags::KMS_KEY, key.as_str())));
    birth_tags(owner, user, &more)
}

/// The id that a link must have by now.
pub fn id_of<T: Display>(api: &str, link: &Link<T>) -> Result<String, Failure> {
    match link.id() {
        Some(id) => Ok(id.to_string()),
        None => Err(failure::invalid(api, "a link to something that has no id yet")),
    }
}

/// The text that must be known by now.
pub fn known<'a>(api: &str, text: &'a Text) -> Result<&'a str, Failure> {
    text.known().ok_or_else(|| failure::invalid(api, "a text that is not known yet"))
}

/// AWS keeps what holds data unless the author has said otherwise.
pub fn is_precious(found: &Tags) -> bool {
    found.get(tags::PRECIOUS).map(String::as_str) != Some("false")
}

/// The tag that says so.
pub fn precious(precious: bool) -> (&'static str, &'static str) {
    (tags::PRECIOUS, if precious { "true" } else { "false" })
}

/// The key that encrypts an object, where the author chose it.
pub fn chosen_key(all: &Tags, is: Option<String>) -> Option<String> {
    is.filter(|_| all.contains_key(tags::KMS_KEY))
}

/// The edit of tags that says so.
pub fn precious_edit(is: bool) -> Edit {
    let (key, value) = precious(is);
    let change = Change::Add(serde_json::json!({ key: value }));
    Edit { field: "tags".to_owned(), change }
}

/// A value of an edit.
pub fn value<T: DeserializeOwned>(edit: &Edit, value: &Value) -> Result<T, Failure> {
    serde_json::from_value(value.clone())
        .map_err(|bad| failure::invalid("edit", format!("{}: {bad}", edit.field)))
}

/// An edit that the kind does not know.
pub fn unknown(kind: KindName, edit: &Edit) -> Failure {
    let change = match edit.change {
        Change::Put(_) => "set",
        Change::Add(_) => "add to",
        Change::Remove(_) => "remove from",
    };
    failure::invalid("edit", format!("cannot {change} {} of a {}", edit.field, kind.title()))
}

/// What an edit of tags adds, or the keys that it removes.
pub enum TagChange {
    /// These.
    Add(Tags),
    /// These keys.
    Remove(Vec<String>),
}

/// Reads an edit of tags.
pub fn tag_change(kind: KindName, edit: &Edit) -> Result<TagChange, Failure> {
    match &edit.change {
        Change::Add(map) => Ok(TagChange::Add(value(edit, map)?)),
        Change::Remove(map) => {
            let gone: Tags = value(edit, map)?;
            Ok(TagChange::Remove(gone.into_keys().collect()))
        }
        Change::Put(_) => Err(unknown(kind, edit)),
    }
}

/// How many detail reads run at once.
const AT_ONCE: usize = 8;

/// Reads details of many objects, a few at once, in their order.
pub async fn each<I, T, F, Fut>(items: Vec<I>, read: F) -> Vec<T>
where
    F: Fn(I) -> Fut,
    Fut: Future<Output = T>,
{
    stream::iter(items.into_iter().map(read)).buffered(AT_ONCE).collect().await
}

/// Removing what is not there is done.
pub fn or_gone<T>(answer: Result<T, Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if failure.class == Class::Gone => Ok(()),
        answer => answer.map(|_| ()),
    }
}
