//! The records of a hosted zone: sets of one type and name, changed together or not at all.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{
    Change as WireChange, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};

use super::{Aws, failure};
use crate::cloud::Failure;
use crate::kinds::Record;
use crate::model::CloudId;

const RECORDS: &str = "route53:ListResourceRecordSets";
const CHANGE: &str = "route53:ChangeResourceRecordSets";

/// Without the last dot, and with `*` as people write it.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*")
}

/// A record; several sets of one type and name, which answer by turns, are one to us.
pub(super) fn read_records(sets: Vec<ResourceRecordSet>, zone: &str) -> Vec<Record> {
    let mut all: BTreeMap<String, Record> = BTreeMap::new();
    for set in sets {
        let (kind, name) = (set.r#type.as_str().to_owned(), plain(&set.name));
        if name == zone && (kind == "SOA" || kind == "NS") {
            continue;
        }
        let alias = set.alias_target.map(|to| format!("alias {}", plain(&to.dns_name)));
        let values = set.resource_records.unwrap_or_default().into_iter().map(|one| one.value);
        let values = values.chain(alias).map(|value| match &set.set_identifier {
            Some(which) => format!("{which}: {value}"),
            None => value,
        });
        let ask = format!("{kind} {name}");
        let empty = Record { ask: ask.clone(), ttl: 0, values: Vec::new() };
        let record = all.entry(ask).or_insert(empty);
        record.ttl = set.ttl.and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or(record.ttl);
        record.values.extend(values);
        record.values.sort();
    }
    all.into_values().collect()
}

fn change_of(action: ChangeAction, set: ResourceRecordSet) -> Result<WireChange, Failure> {
    let change = WireChange::builder().action(action).resource_record_set(set).build();
    change.map_err(|bad| failure::invalid(CHANGE, bad.to_string()))
}

fn wire_record(record: &Record) -> Result<ResourceRecordSet, Failure> {
    let invalid = |bad: String| failure::invalid(CHANGE, bad);
    let value = |value: &String| ResourceRecord::builder().value(value).build();
    let values: Result<Vec<_>, _> = record.values.iter().map(value).collect();
    let (kind, name) = record.parts();
    ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::from(kind))
        .ttl(i64::from(record.ttl))
        .set_resource_records(Some(values.map_err(|bad| invalid(bad.to_string()))?))
        .build()
        .map_err(|bad| invalid(bad.to_string()))
}

impl Aws {
    /// Records of a zone, or those of one type and name.
    pub(super) async fn record_sets(
        &self,
        zone: &str,
        only: Option<(&str, &str)>,
    ) -> Result<Vec<ResourceRecordSet>, Failure> {
        let mut all: Vec<ResourceRecordSet> = Vec::new();
        let start = |(kind, name): (&str, &str)| (name.to_owned(), RrType::from(kind), None);
        let mut from: Option<(String, RrType, Option<String>)> = only.map(start);
        loop {
            let (name, kind, which) = match from.take() {
                Some((name, kind, which)) => (Some(name), Some(kind), which),
                None => (None, None, None),
            };
            let request = self
                .route53
                .list_resource_record_sets()
                .hosted_zone_id(zone)
                .max_items(300)
                .set_start_record_name(name)
                .set_start_record_type(kind)
                .set_start_record_identifier(which);
            let page = self.send(RECORDS, request.send()).await?;
            all.extend(page.resource_record_sets);
            match (page.is_truncated, page.next_record_name, page.next_record_type) {
                // What is looked for stands at the front.
                (true, Some(name), Some(kind)) if only.is_none() => {
                    from = Some((name, kind, page.next_record_identifier));
                }
                (_, _, _) => break,
            }
        }
        if let Some((kind, name)) = only {
            all.retain(|set| set.r#type.as_str() == kind && plain(&set.name) == name);
        }
        Ok(all)
    }

    /// Gives a zone a record, or another one of that type and name.
    pub(super) async fn put_record(&self, id: &CloudId, record: &Record) -> Result<(), Failure> {
        let change = change_of(ChangeAction::Upsert, wire_record(record)?)?;
        self.change_records(id, vec![change]).await
    }

    /// Takes a record away. Only what is named exactly as it stands is deleted.
    pub(super) async fn drop_record(&self, id: &CloudId, record: &Record) -> Result<(), Failure> {
        let sets = self.record_sets(id.as_str(), Some(record.parts())).await?;
        let delete = |set| change_of(ChangeAction::Delete, set);
        let changes: Vec<_> = sets.into_iter().map(delete).collect::<Result<_, _>>()?;
        if changes.is_empty() {
            return Ok(());
        }
        self.change_records(id, changes).await
    }

    async fn change_records(&self, id: &CloudId, changes: Vec<WireChange>) -> Result<(), Failure> {
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build();
        let batch = batch.map_err(|bad| failure::invalid(CHANGE, bad.to_string()))?;
        let request = self.route53.change_resource_record_sets();
        let request = request.hosted_zone_id(id.as_str()).change_batch(batch);
        let done = self.send(CHANGE, request.send()).await?;
        self.remember(id, done.change_info.map(|info| info.id));
        Ok(())
    }
}
