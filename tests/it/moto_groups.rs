//! Placement groups, which moto answers with 500: just enough of them for the proxy.

use std::collections::BTreeMap;

use crate::moto::{Params, ec2_error, http};

struct Group {
    id: String,
    strategy: String,
    tags: BTreeMap<String, String>,
}

/// By name.
#[derive(Default)]
pub struct Groups(BTreeMap<String, Group>);

/// `prefix.1`, `prefix.2`…
fn listed<'a>(form: &'a Params, prefix: &str, tail: &str) -> Vec<&'a str> {
    (1..)
        .map_while(|number| form.get(&format!("{prefix}.{number}{tail}")))
        .map(String::as_str)
        .collect()
}

impl Groups {
    /// The answer to a request about placement groups; none for all others.
    pub fn answer(&mut self, form: &Params) -> Option<Vec<u8>> {
        let about_group = form.get("ResourceId.1").is_some_and(|id| id.starts_with("pg-"));
        let dry = form.get("DryRun").is_some_and(|dry| dry == "true");
        let answer = match form.get("Action")?.as_str() {
            // Of a VPC moto carries dry runs out.
            "CreatePlacementGroup" | "CreateVpc" if dry => ec2_error("DryRunOperation"),
            "CreatePlacementGroup" => self.create(form),
            "DescribePlacementGroups" => self.describe(form),
            "DeletePlacementGroup" => match self.0.remove(form.get("GroupName")?) {
                Some(_) => done("DeletePlacementGroup", "<return>true</return>"),
                None => ec2_error("InvalidPlacementGroup.Unknown"),
            },
            action @ ("CreateTags" | "DeleteTags") if about_group => self.tag(action, form),
            _ => return None,
        };
        Some(answer)
    }

    fn create(&mut self, form: &Params) -> Vec<u8> {
        let name = form.get("GroupName").cloned().unwrap_or_default();
        if self.0.contains_key(&name) {
            return ec2_error("InvalidPlacementGroup.Duplicate");
        }
        let keys = listed(form, "TagSpecification.1.Tag", ".Key");
        let values = listed(form, "TagSpecification.1.Tag", ".Value");
        let tags = keys.into_iter().zip(values).map(|(k, v)| (k.to_owned(), v.to_owned()));
        let group = Group {
            id: format!("pg-{:04}", self.0.len()),
            strategy: form.get("Strategy").cloned().unwrap_or_default(),
            tags: tags.collect(),
        };
        let item = group.xml(&name);
        self.0.insert(name, group);
        done("CreatePlacementGroup", &format!("<placementGroup>{item}</placementGroup>"))
    }

    fn describe(&self, form: &Params) -> Vec<u8> {
        let names = listed(form, "GroupName", "");
        if names.iter().any(|name| !self.0.contains_key(*name)) {
            return ec2_error("InvalidPlacementGroup.Unknown");
        }
        let key = form.get("Filter.1.Name").and_then(|name| name.strip_prefix("tag:"));
        let items: String = self
            .0
            .iter()
            .filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()))
            .filter(|(_, group)| {
                key.is_none_or(|key| group.tags.get(key) == form.get("Filter.1.Value.1"))
            })
            .map(|(name, group)| format!("<item>{}</item>", group.xml(name)))
            .collect();
        let set = format!("<placementGroupSet>{items}</placementGroupSet>");
        done("DescribePlacementGroups", &set)
    }

    fn tag(&mut self, action: &str, form: &Params) -> Vec<u8> {
        let id = form.get("ResourceId.1").cloned().unwrap_or_default();
        let Some(group) = self.0.values_mut().find(|group| group.id == id) else {
            return ec2_error("InvalidID");
        };
        for (number, key) in listed(form, "Tag", ".Key").into_iter().enumerate() {
            let value = form.get(&format!("Tag.{}.Value", number + 1)).cloned();
            if action == "CreateTags" {
                group.tags.insert(key.to_owned(), value.unwrap_or_default());
            } else {
                group.tags.remove(key);
            }
        }
        done(action, "<return>true</return>")
    }
}

impl Group {
    fn xml(&self, name: &str) -> String {
        let tags: String = self
            .tags
            .iter()
            .map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"))
            .collect();
        format!(
            "<groupName>{name}</groupName><strategy>{}</strategy><state>available</state>\
             <groupId>{}</groupId><tagSet>{tags}</tagSet>",
            self.strategy, self.id
        )
    }
}

fn done(action: &str, inside: &str) -> Vec<u8> {
    http(
        "200 OK",
        &format!(
            "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <requestId>req-1</requestId>{inside}</{action}Response>"
        ),
    )
}
