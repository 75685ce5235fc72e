//! What the stack owns, in the shape of `terraform show -json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::known::split;
use super::outputs::{self, Output};
use super::terraform::{Named, VERSION};
use crate::cloud::{Live, Observed, Phase, Seen};
use crate::kinds::walk::{FoundTarget, links_in};
use crate::kinds::{KindName, Spec};
use crate::model::CloudId;

/// The format that this is: a minor step only adds keys.
pub const FORMAT: &str = "1.0";

/// What `mlinfra show --json` prints. `outputs` are those of the last apply.
pub fn json(observed: &Observed, outputs: &BTreeMap<String, Output>) -> Value {
    let Observed {
        live: _,
        blind,
        unreadable,
        strays: _,
        conditions: _,
        unjudged: _,
        interrupted: _,
        at: _,
    } = observed;
    let mut out = document(observed, outputs);
    if let Some(map) = out.as_object_mut() {
        map.insert("mlinfra".to_owned(), json!({ "blind": blind, "unreadable": unreadable }));
    }
    out
}

/// The same as part of a plan.
pub(super) fn document(observed: &Observed, outputs: &BTreeMap<String, Output>) -> Value {
    let values = [("outputs", outputs::json(outputs)), ("root_module", tree(resources(observed)))];
    object([
        ("format_version", json!(FORMAT)),
        ("terraform_version", json!(VERSION)),
        ("values", object(values)),
    ])
}

/// An object of these members, in this order. `json!` would copy what it is given, and large
/// documents are copied level by level then.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A resource under construction, with the modules that it stands in.
pub(super) struct Resource {
    pub modules: Vec<String>,
    pub value: Map<String, Value>,
}

impl Resource {
    /// One with these values, which hold links and deferred texts in our own form.
    pub(super) fn new(named: &Named<'_>, fields: Option<&Value>) -> Self {
        let mut value = named.head();
        value.insert("schema_version".to_owned(), json!(0));
        value.insert("values".to_owned(), fields.map_or(Value::Null, |fields| split(fields).0));
        value.insert("sensitive_values".to_owned(), json!({}));
        Self { modules: named.modules(), value }
    }
}

/// A spec's fields with the id of the object.
pub(super) fn with_id(spec: &Spec, id: Option<&CloudId>) -> Value {
    fields_with_id(spec.fields(), id)
}

/// Fields with the id of the object.
pub(super) fn fields_with_id(fields: Map<String, Value>, id: Option<&CloudId>) -> Value {
    let mut out = Map::new();
    if let Some(id) = id {
        out.insert("id".to_owned(), json!(id));
    }
    out.extend(fields);
    Value::Object(out)
}

/// The name of an object that is there.
pub(super) fn named<'a>(id: &CloudId, live: &'a Live) -> Named<'a> {
    if live.kind == KindName::Node {
        Named::node(&live.owner.address, id.as_str())
    } else {
        Named::new(&live.owner.address, live.kind)
    }
}

/// Resources by id, without their indexes: what other resources refer to.
pub(super) fn plain_names(observed: &Observed) -> BTreeMap<&CloudId, String> {
    observed.live.iter().map(|(id, live)| (id, named(id, live).plain())).collect()
}

/// Which of the objects at an address stands there; others wait for their end.
pub(super) fn standing(observed: &Observed) -> BTreeMap<Named<'_>, (u32, &CloudId)> {
    let mut out: BTreeMap<Named<'_>, (u32, &CloudId)> = BTreeMap::new();
    for (id, live) in &observed.live {
        let generation = live.owner.generation;
        let place = out.entry(named(id, live)).or_insert((generation, id));
        if generation > place.0 {
            *place = (generation, id);
        }
    }
    out
}

fn resources(observed: &Observed) -> Vec<Resource> {
    let (names, standing) = (plain_names(observed), standing(observed));
    let each = observed.live.iter().map(|(id, live)| {
        let named = named(id, live);
        let mut out = resource(&named, id, live, &names);
        if standing.get(&named).is_some_and(|(_, current)| *current != id) {
            out.value.insert("deposed_key".to_owned(), json!(id));
        }
        out
    });
    each.collect()
}

fn resource(
    named: &Named<'_>,
    id: &CloudId,
    live: &Live,
    names: &BTreeMap<&CloudId, String>,
) -> Resource {
    let Live { kind: _, owner, seen, phase, holds_data, batch } = live;
    let (fields, unread) = match seen {
        Seen::Spec(spec) => (Some(with_id(spec, Some(id))), None),
        Seen::Blind(why) => (Some(json!({ "id": id })), Some(why)),
    };
    let mut out = Resource::new(named, fields.as_ref());
    if let Some(Value::Object(fields)) = &fields {
        depend(&mut out, fields, names);
    }
    let (phase, failure) = match phase {
        Phase::Pending => ("pending", None),
        Phase::Ready => ("ready", None),
        Phase::Leaving => ("leaving", None),
        Phase::Failed(text) => ("failed", Some(text)),
        Phase::Gone => ("gone", None),
    };
    let own = json!({
        "address": owner.address.to_string(),
        "generation": owner.generation,
        "phase": phase,
        "failure": failure,
        "holds_data": holds_data,
        "batch": batch,
        "unreadable": unread,
    });
    out.value.insert("mlinfra".to_owned(), own);
    out
}

fn depend(out: &mut Resource, fields: &Map<String, Value>, names: &BTreeMap<&CloudId, String>) {
    let mut on: Vec<&String> = links_in(fields)
        .into_iter()
        .filter_map(|found| match found.target {
            FoundTarget::Id(id) => names.get(&id),
            FoundTarget::Address(_) => None,
        })
        .collect();
    on.sort();
    on.dedup();
    if !on.is_empty() {
        out.value.insert("depends_on".to_owned(), json!(on));
    }
}

/// Resources as a tree of modules, each level by address.
pub(super) fn tree(resources: Vec<Resource>) -> Value {
    let mut root = Module::default();
    for resource in resources {
        root.at(&resource.modules).resources.push(resource.value);
    }
    Value::Object(root.json(&mut Vec::new()))
}

/// A level of that tree.
#[derive(Default)]
struct Module {
    resources: Vec<Map<String, Value>>,
    children: BTreeMap<String, Module>,
}

impl Module {
    fn at(&mut self, path: &[String]) -> &mut Self {
        path.iter().fold(self, |module, name| module.children.entry(name.clone()).or_default())
    }

    fn json(self, path: &mut Vec<String>) -> Map<String, Value> {
        let Self { mut resources, children } = self;
        let mut out = Map::new();
        let text = |map: &Map<String, Value>, key: &str| {
            map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        resources.sort_by_cached_key(|map| (text(map, "address"), text(map, "deposed_key")));
        if !resources.is_empty() {
            let resources = resources.into_iter().map(Value::Object).collect();
            out.insert("resources".to_owned(), Value::Array(resources));
        }
        let mut inner = Vec::new();
        for (name, child) in children {
            path.push(name);
            inner.push(Value::Object(child.json(path)));
            path.pop();
        }
        if !inner.is_empty() {
            out.insert("child_modules".to_owned(), Value::Array(inner));
        }
        if !path.is_empty() {
            out.insert("address".to_owned(), json!(path.join(".")));
        }
        out
    }
}
