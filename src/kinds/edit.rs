//! What it takes to turn an object that is into the object that is wanted.
//!
//! An edit is one API call. Which edits a change needs is computed here, from data
//! alone, so that the executor has nothing to decide and every edit is a point at
//! which the crash tests can die.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Set, Spec};

/// One change of one field: one API call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The field.
    pub field: String,
    /// What happens to it.
    pub change: Change,
}

/// What happens to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It becomes this; `null` empties it.
    Put(Value),
    /// A set gains this item; a map gains these keys.
    Add(Value),
    /// A set loses this item; a map loses these keys.
    Remove(Value),
}

/// The fields in which two specs of one kind differ, in the order of their declaration.
pub fn differing(have: &Spec, want: &Spec) -> Vec<String> {
    // Nearly all objects of a plan are as they should be; only the others are taken apart.
    if have == want {
        return Vec::new();
    }
    let traits = want.kind().traits();
    let (have, want) = (have.fields(), want.fields());
    want.iter()
        .filter(|(field, value)| {
            let old = have.get(*field).unwrap_or(&Value::Null);
            let is_set = traits.sets.iter().any(|set| set.field == *field);
            old != *value && !(is_set && same_items(old, value))
        })
        .map(|(field, _)| field.clone())
        .collect()
}

/// What is wanted, with some fields left as they are.
pub fn keeping(have: &Spec, want: &Spec, fields: &BTreeSet<String>) -> Spec {
    let (have, mut all) = (have.fields(), want.fields());
    for field in fields {
        if let (Some(old), Some(new)) = (have.get(field), all.get_mut(field)) {
            new.clone_from(old);
        }
    }
    // Both are specs of one kind, so that their fields are, too.
    want.kind().read(all).unwrap_or_else(|_| want.clone())
}

/// Sets have no order: ids that were not known when they were declared may sort otherwise.
fn same_items(a: &Value, b: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut texts: Vec<String> = items(value).iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    sorted(a) == sorted(b)
}

/// The calls that turn `have` into `want`, in order. Both are of one kind.
pub fn edits(have: &Spec, want: &Spec) -> Vec<Edit> {
    let traits = want.kind().traits();
    let before = have.fields();
    let mut out = Vec::new();
    for (field, value) in want.fields() {
        let old = before.get(&field).cloned().unwrap_or(Value::Null);
        if old == value {
            continue;
        }
        let set = traits.sets.iter().find(|set| set.field == field);
        match (set, field.as_str()) {
            (Some(set), _) => by_item(&mut out, set, &old, &value),
            (None, "tags") => by_key(&mut out, &field, &old, &value),
            (None, _) => out.push(Edit { field, change: Change::Put(value) }),
        }
    }
    out
}

/// The calls that must come before an object can be deleted.
pub fn dismantle(was: &Spec) -> Vec<Edit> {
    let traits = was.kind().traits();
    let fields = was.fields();
    let mut out = Vec::new();
    for field in traits.dismantle {
        match fields.get(*field) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => out.extend(items.iter().map(|item| Edit {
                field: (*field).to_owned(),
                change: Change::Remove(item.clone()),
            })),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                out.push(Edit { field: (*field).to_owned(), change: Change::Put(Value::Null) });
            }
        }
    }
    out
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Removals first: a profile holds one role only, and a rule that differs in its
/// description alone counts as a duplicate. Where adding replaces the item with the
/// same key nothing is removed for it, so that a route never has a gap.
fn by_item(out: &mut Vec<Edit>, set: &Set, have: &Value, want: &Value) {
    let same = |a: &Value, b: &Value| match set.key {
        Some(key) => a.get(key) == b.get(key),
        None => a == b,
    };
    for item in items(have) {
        if !items(want).iter().any(|other| same(item, other)) {
            let change = Change::Remove(item.clone());
            out.push(Edit { field: set.field.to_owned(), change });
        }
    }
    for item in items(want) {
        if !items(have).contains(item) {
            let change = Change::Add(item.clone());
            out.push(Edit { field: set.field.to_owned(), change });
        }
    }
}

fn by_key(out: &mut Vec<Edit>, field: &str, have: &Value, want: &Value) {
    let empty = Map::new();
    let have = have.as_object().unwrap_or(&empty);
    let want = want.as_object().unwrap_or(&empty);
    let pick = |from: &Map<String, Value>, keep: &dyn Fn(&str, &Value) -> bool| {
        from.iter()
            .filter(|(key, value)| keep(key, value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<_, _>>()
    };
    let gone = pick(have, &|key, _| !want.contains_key(key));
    let new = pick(want, &|key, value| have.get(key) != Some(value));
    for (map, change) in [(gone, Change::Remove as fn(Value) -> Change), (new, Change::Add)] {
        if !map.is_empty() {
            out.push(Edit { field: field.to_owned(), change: change(Value::Object(map)) });
        }
    }
}

impl Edit {
    /// Applies the edit to the fields of an object: what the cloud would then show.
    pub fn apply(&self, fields: &mut Map<String, Value>, key: Option<&str>) {
        let slot = fields.entry(self.field.clone()).or_insert(Value::Null);
        match (&self.change, slot) {
            (Change::Put(value), slot) => *slot = value.clone(),
            (Change::Add(item), Value::Array(list)) => {
                match key.and_then(|key| list.iter().position(|old| old.get(key) == item.get(key)))
                {
                    Some(at) => list[at] = item.clone(),
                    None if list.contains(item) => {}
                    None => list.push(item.clone()),
                }
                list.sort_by_key(Value::to_string);
            }
            (Change::Remove(item), Value::Array(list)) => list.retain(|old| match key {
                Some(key) => old.get(key) != item.get(key),
                None => old != item,
            }),
            (Change::Add(Value::Object(new)), Value::Object(map)) => map.extend(new.clone()),
            (Change::Remove(Value::Object(gone)), Value::Object(map)) => {
                map.retain(|key, _| !gone.contains_key(key));
            }
            (Change::Add(_) | Change::Remove(_), slot) => *slot = Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Route, RouteTable, Tags, Target, Vpc};
    use crate::model::Link;

    fn table(routes: &[(&str, &str)], subnets: &[&str]) -> Spec {
        let route = |(to, via): &(&str, &str)| Route {
            destination: (*to).to_owned(),
            target: Target::Nat(Link::Id((*via).into())),
        };
        RouteTable {
            vpc: Link::Id("vpc-1".into()),
            routes: routes.iter().map(route).collect(),
            subnets: subnets.iter().map(|id| Link::Id((*id).into())).collect(),
            tags: Tags::new(),
        }
        .into()
    }

    #[test]
    fn a_keyed_item_is_replaced_without_a_gap() {
        let have = table(&[("0.0.0.0/0", "nat-1")], &["subnet-a", "subnet-b"]);
        let want = table(&[("0.0.0.0/0", "nat-2")], &["subnet-b", "subnet-c"]);
        let kinds: Vec<_> = edits(&have, &want)
            .into_iter()
            .map(|edit| match edit.change {
                Change::Put(_) => format!("{} put", edit.field),
                Change::Add(_) => format!("{} add", edit.field),
                Change::Remove(_) => format!("{} remove", edit.field),
            })
            .collect();
        assert_eq!(kinds, ["routes add", "subnets remove", "subnets add"]);
    }

    #[test]
    fn edits_applied_give_what_is_wanted() {
        let have = table(&[("0.0.0.0/0", "nat-1"), ("10.0.0.0/8", "nat-1")], &["subnet-a"]);
        let want = table(&[("0.0.0.0/0", "nat-2")], &["subnet-b"]);
        let mut fields = have.fields();
        for edit in edits(&have, &want) {
            let set = want.kind().traits().sets.iter().find(|set| set.field == edit.field);
            edit.apply(&mut fields, set.and_then(|set| set.key));
        }
        assert_eq!(fields, want.fields());
    }

    #[test]
    fn tags_change_in_two_calls_at_most() {
        let vpc = |tags: &[(&str, &str)]| {
            Spec::from(Vpc {
                cidr: "10.0.0.0/16".to_owned(),
                dns_support: true,
                dns_hostnames: true,
                tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            })
        };
        let found = edits(&vpc(&[("a", "1"), ("b", "2")]), &vpc(&[("b", "3"), ("c", "4")]));
        assert_eq!(found.len(), 2);
        assert!(edits(&vpc(&[("a", "1")]), &vpc(&[("a", "1")])).is_empty());
    }
}
