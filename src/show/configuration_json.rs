//! The part `configuration` of Terraform's plans, as far as resources show what is declared:
//! one entry for all of the same name, its fields as constants or with what they refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::change_json::Changed;
use super::known::split;
use super::state_json;
use super::terraform::{PROVIDER, PROVIDER_KEY};
use crate::cloud::Observed;
use crate::kinds::Plan;
use crate::kinds::walk::{FoundTarget, links_in};
use crate::model::{Address, CloudId};

/// What the changes of a plan show of the configuration.
pub(super) fn json(changes: &[Changed<'_>], observed: &Observed, plan: &Plan) -> Value {
    let names = Names {
        by_id: state_json::plain_names(observed),
        by_address: changes
            .iter()
            .map(|change| (change.named.address, change.named.plain()))
            .collect(),
    };
    let mut root = Module::default();
    for change in changes.iter().filter(|change| change.deposed.is_none()) {
        let Some(Value::Object(fields)) = &change.after else { continue };
        let path = change.named.address.module.iter();
        let module = path
            .fold(&mut root, |module, step| module.calls.entry(step.name.to_string()).or_default());
        module.resources.entry(change.named.plain()).or_insert_with(|| {
            json!({
                "address": change.named.plain(),
                "mode": "managed",
                "type": change.named.ty(),
                "name": change.named.name(),
                "provider_config_key": PROVIDER_KEY,
                "expressions": names.expressions(fields),
                "schema_version": 0,
            })
        });
    }
    let mut root = root.json();
    let outputs = plan.outputs.iter().map(|(name, output)| {
        let mut shown = json!({ "expression": {} });
        if let (Some(map), true) = (shown.as_object_mut(), output.sensitive) {
            map.insert("sensitive".to_owned(), json!(true));
        }
        (name.clone(), shown)
    });
    root.insert("outputs".to_owned(), Value::Object(outputs.collect()));
    json!({
        "provider_config": { PROVIDER_KEY: { "name": PROVIDER_KEY, "full_name": PROVIDER } },
        "root_module": root,
    })
}

/// A module, whose instances are alike.
#[derive(Default)]
struct Module {
    resources: BTreeMap<String, Value>,
    calls: BTreeMap<String, Module>,
}

impl Module {
    fn json(self) -> Map<String, Value> {
        let Self { resources, calls } = self;
        let mut out = Map::new();
        out.insert("resources".to_owned(), resources.into_values().collect());
        if !calls.is_empty() {
            let calls =
                calls.into_iter().map(|(name, module)| (name, json!({ "module": module.json() })));
            out.insert("module_calls".to_owned(), Value::Object(calls.collect()));
        }
        out
    }
}

/// What resources are called.
struct Names<'a> {
    by_id: BTreeMap<&'a CloudId, String>,
    by_address: BTreeMap<&'a Address, String>,
}

impl Names<'_> {
    fn expressions(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        let mut refers: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for found in links_in(fields) {
            let name = match &found.target {
                FoundTarget::Id(id) => self.by_id.get(id),
                FoundTarget::Address(address) => self.by_address.get(address),
            };
            refers.entry(found.field).or_default().extend(name);
        }
        let each = fields.iter().filter(|(name, value)| *name != "id" && !value.is_null());
        each.map(|(name, value)| {
            let shown = match refers.get(name) {
                Some(to) => json!({ "references": to }),
                None => json!({ "constant_value": split(value).0 }),
            };
            (name.clone(), shown)
        })
        .collect()
    }
}
