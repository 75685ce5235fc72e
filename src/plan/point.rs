//! Names that lead to nodes: between the steps that launch and end these, a name is pointed
//! at those that serve by then. A successor is healthy before the name leads to it, and the
//! name leads to nobody who is about to end.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Condition, Observed};
use crate::kinds::{Action, HostedZone, Record, Spec, Why};
use crate::model::{Address, CloudId, Link};
use crate::stack::{Desired, Published};

use super::Draft;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Leads {
    /// How many launches of this plan are among it.
    launches: usize,
    /// Addresses of nodes that end later.
    with: Vec<String>,
}

/// A name and its fleet.
struct Name<'a> {
    published: &'a Published,
    zone: Link<crate::model::HostedZoneId>,
    was: Option<Record>,
    conditions: &'a BTreeMap<CloudId, Condition>,
    /// Nodes that stay.
    kept: &'a [CloudId],
}

/// The records of a zone that lead to nodes stay as they are until they are pointed elsewhere.
pub(super) fn keeping(desired: &Desired, address: &Address, have: &Spec, want: &Spec) -> Spec {
    let (Spec::HostedZone(have), Spec::HostedZone(want)) = (have, want) else {
        return want.clone();
    };
    let names = desired.fleets.values().filter_map(|fleet| fleet.published.as_ref());
    let asks: BTreeSet<String> = names
        .filter(|published| published.zone == *address)
        .map(|published| ask(&published.name))
        .collect();
    let mut records = want.records.clone();
    records.extend(have.records.iter().filter(|record| asks.contains(&record.ask)).cloned());
    HostedZone { records, ..want.clone() }.sorted().into()
}

fn ask(name: &str) -> String {
    Record::addresses(name, 0, Vec::new()).ask
}

/// Puts the pointing of a name between the steps of its fleet, which are those from `start` on.
pub(super) fn insert(
    draft: &mut Draft<'_>,
    (address, published): (&Address, &Published),
    start: usize,
    kept: &[CloudId],
    observed: &Observed,
) {
    let name = Name::of(draft, published, kept, observed);
    let steps = draft.steps.split_off(start);
    let mut ending: BTreeSet<CloudId> =
        steps.iter().flat_map(|(_, action, _)| ended(action)).collect();
    let (mut launches, mut told) = (0, None);
    let mut point = |out: &mut Vec<_>, launches, ending: &BTreeSet<CloudId>| {
        let leads = Leads { launches, with: name.still(ending) };
        let right = told.as_ref().map_or_else(|| name.is_right(&leads), |told| *told == leads);
        let nobody = leads.with.is_empty() && launches == 0 && kept.is_empty();
        if !right && !nobody {
            out.push((address.clone(), name.action(&leads), Why::Led));
            told = Some(leads);
        }
    };
    let mut out = Vec::with_capacity(steps.len() + 1);
    for step in steps {
        launches += usize::from(matches!(step.1, Action::Launch { .. }));
        let ends: Vec<CloudId> = ended(&step.1);
        if !ends.is_empty() {
            ending.retain(|id| !ends.contains(id));
            point(&mut out, launches, &ending);
        }
        out.push(step);
    }
    point(&mut out, launches, &BTreeSet::new());
    draft.steps.extend(out);
}

fn ended(action: &Action) -> Vec<CloudId> {
    match action {
        Action::Terminate { nodes, .. } => nodes.clone(),
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Launch { .. }
        | Action::Quarantine { .. }
        | Action::Point { .. }
        | Action::Move { .. }
        | Action::Adopt { .. }
        | Action::Forget { .. } => Vec::new(),
    }
}

impl<'a> Name<'a> {
    fn of(
        draft: &Draft<'_>,
        published: &'a Published,
        kept: &'a [CloudId],
        observed: &'a Observed,
    ) -> Self {
        let id = draft.staying.get(&published.zone);
        let zone = match id {
            Some(id) => Link::Id(id.as_str().into()),
            None => Link::To(published.zone.clone()),
        };
        let spec = id.and_then(|id| observed.live.get(id)).and_then(|live| live.spec());
        let records = match spec {
            Some(Spec::HostedZone(zone)) => zone.records.as_slice(),
            Some(_) | None => &[],
        };
        let was = records.iter().find(|record| record.ask == ask(&published.name)).cloned();
        Self { published, zone, was, conditions: &observed.conditions, kept }
    }

    /// Addresses of healthy nodes among those that end later.
    fn still(&self, ending: &BTreeSet<CloudId>) -> Vec<String> {
        let healthy =
            |id: &CloudId| self.conditions.get(id).filter(|it| it.is_healthy())?.address.clone();
        let mut all: Vec<String> = ending.iter().filter_map(healthy).collect();
        all.sort();
        all
    }

    /// Whether the name leads there already.
    fn is_right(&self, leads: &Leads) -> bool {
        let Some(was) = &self.was else { return false };
        let kept: Option<Vec<String>> = self
            .kept
            .iter()
            .map(|id| self.conditions.get(id).filter(|it| it.is_healthy())?.address.clone())
            .collect();
        let Some(mut all) = kept.filter(|_| leads.launches == 0) else { return false };
        all.extend(leads.with.clone());
        *was == Record::addresses(&self.published.name, self.published.ttl, all)
    }

    fn action(&self, leads: &Leads) -> Action {
        let Published { zone: _, name, ttl, patience } = self.published;
        Action::Point {
            zone: self.zone.clone(),
            name: name.clone(),
            ttl: *ttl,
            nodes: self.kept.to_vec(),
            launched: leads.launches > 0,
            with: leads.with.clone(),
            was: self.was.as_ref().map(|was| was.values.clone()).unwrap_or_default(),
            patience: *patience,
        }
    }
}
