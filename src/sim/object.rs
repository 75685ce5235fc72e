//! One object of the world, and what can happen to it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings::{Fault, Settings};
use super::supply::Unfit;
use crate::cloud::Phase;
use crate::kinds::{Edit, Spec, Tags};
use crate::model::{CloudId, Region as RegionName, tags};

/// An object as the cloud knows it. Times are simulated milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Object {
    pub id: CloudId,
    pub region: RegionName,
    pub spec: Spec,
    /// Tags that the spec does not hold: ours, AWS's, and every tag of a node.
    pub marks: Tags,
    pub born_at: u64,
    pub ready_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<u64>,
    /// The cloud gave it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// How many things it holds.
    #[serde(default)]
    pub contents: u64,
    /// What it keeps from being deleted beyond the links in its spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<CloudId>,
    /// Its number within a launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Its private address, on a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// It belongs to another account.
    #[serde(default)]
    pub stranger: bool,
    /// On nodes: it will never say that it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfit: Option<Unfit>,
    /// What it was, for as long as readers may still see that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
}

/// What an object was until a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    pub until: u64,
    pub spec: Spec,
    pub marks: Tags,
}

/// The remembered answer to a client token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// API, region, zone and token.
    pub key: String,
    /// Fingerprint of the request.
    pub request: String,
    /// What it returned.
    pub ids: Vec<CloudId>,
}

/// A change of the world: one line of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(super) enum Event {
    /// Objects came to be, by one call.
    Made {
        objects: Vec<Object>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
    },
    /// One field of an object changed.
    Changed {
        id: CloudId,
        edit: Edit,
        /// What comes of it, where that was just worked out; a file holds the edit alone.
        #[serde(skip)]
        outcome: Option<Box<(Spec, Tags)>>,
    },
    /// Objects were deleted.
    Deleted { ids: Vec<CloudId> },
    /// A container holds so many things now.
    Filled { id: CloudId, contents: u64 },
    /// The cloud gave an object up.
    Failed { id: CloudId, text: String },
    /// The world behaves otherwise from now on.
    Settings { settings: Box<Settings> },
    /// What goes wrong next.
    Faults { faults: Vec<Fault> },
    /// Nothing but time.
    Tick,
    /// Only in a compacted file: how many objects were ever made.
    Counted { made: u64 },
    /// Only in a compacted file: a name that cannot be taken yet.
    Resting { key: (String, String), until: u64 },
}

impl Object {
    /// How far it is at a moment.
    pub fn phase(&self, at: u64) -> Phase {
        if self.born_at > at || self.gone_at.is_some_and(|gone| gone <= at) {
            Phase::Gone
        } else if self.deleted_at.is_some_and(|deleted| deleted <= at) {
            Phase::Leaving
        } else if let Some(text) = &self.failed {
            Phase::Failed(text.clone())
        } else if at < self.ready_at {
            Phase::Pending
        } else {
            Phase::Ready
        }
    }

    /// Nobody has deleted it.
    pub fn stands(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// What readers who lag behind see of it; none before it shows and after it is gone.
    pub fn view(&self, at: u64) -> Option<(&Spec, &Tags)> {
        if self.phase(at) == Phase::Gone {
            return None;
        }
        match self.past.iter().find(|past| past.until > at) {
            Some(past) => Some((&past.spec, &past.marks)),
            None => Some((&self.spec, &self.marks)),
        }
    }

    /// All of its tags.
    pub fn tags(&self) -> Tags {
        all_tags(&self.spec, &self.marks)
    }

    /// What an edit makes of it, if that is an object of its kind.
    pub fn edited(&self, edit: &Edit) -> Result<(Spec, Tags), String> {
        let kind = self.spec.kind();
        let set = kind.traits().sets.iter().find(|set| set.field == edit.field);
        let key = set.and_then(|set| set.key);
        let mut fields = self.spec.fields();
        let mut marks = self.marks.clone();
        if edit.field == "tags" {
            let all = serde_json::to_value(self.tags()).unwrap_or_default();
            let mut holder = Map::from_iter([("tags".to_owned(), all)]);
            edit.apply(&mut holder, None);
            let own = fields.contains_key("tags");
            let found = holder.remove("tags").unwrap_or_default();
            let found: Tags = match found {
                Value::Null => Tags::new(),
                found => serde_json::from_value(found).map_err(|why| why.to_string())?,
            };
            let mut plain = Map::new();
            marks = self.marks.clone();
            marks.retain(|key, _| found.contains_key(key) || keeps(edit, key));
            for (key, value) in found {
                if own && !tags::is_reserved(&key) {
                    plain.insert(key, Value::String(value));
                } else {
                    marks.insert(key, value);
                }
            }
            if own {
                fields.insert("tags".to_owned(), Value::Object(plain));
            }
        } else if fields.contains_key(&edit.field) {
            edit.apply(&mut fields, key);
        } else {
            let known: Vec<_> = fields.keys().map(String::as_str).collect();
            let title = kind.title();
            return Err(format!("a {title} has no `{}`; it has {}", edit.field, known.join(", ")));
        }
        let spec = kind.read(fields).map_err(|why| why.to_string())?;
        Ok((spec, marks))
    }
}

/// A whole new set of tags leaves alone those that mlinfra and AWS manage.
fn keeps(edit: &Edit, key: &str) -> bool {
    match edit.change {
        crate::kinds::Change::Put(_) => tags::is_reserved(key),
        crate::kinds::Change::Add(_) | crate::kinds::Change::Remove(_) => false,
    }
}

/// The tags of a spec with those beside it.
pub(super) fn all_tags(spec: &Spec, marks: &Tags) -> Tags {
    let own = spec.fields().remove("tags");
    let mut out: Tags = own.and_then(|own| serde_json::from_value(own).ok()).unwrap_or_default();
    out.extend(marks.clone());
    out
}
