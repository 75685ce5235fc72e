//! What happens to each resource, in the shape of Terraform's `resource_changes`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::item::{self, Act, Doomed, Item, Order};
use super::known::split;
use super::node_json::{launched, marked, node_fields};
use super::state_json::{self, fields_with_id, with_id};
use super::terraform::Named;
use crate::cloud::{Live, Observed, Phase};
use crate::kinds::{KindName, Node, Plan, Spec, Why};
use crate::model::{Address, CloudId};

/// What happens to one resource. Values hold links and deferred texts in our own form.
pub(super) struct Changed<'a> {
    pub named: Named<'a>,
    pub actions: &'static [&'static str],
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// It is not the one that stands at its address, and only waits for its end.
    pub deposed: Option<&'a CloudId>,
    /// What it was until it moved.
    pub previous: Option<Named<'a>>,
    /// It exists, and becomes the stack's.
    pub importing: Option<&'a CloudId>,
    pub replace_paths: Vec<Value>,
    pub reason: Option<&'static str>,
    /// What others have done to it.
    pub became: Option<&'static str>,
}

/// Everything that a plan touches, by address; a replacement is one change.
pub(super) fn touched(plan: &Plan) -> Vec<Changed<'_>> {
    joined(item::items(plan).iter().flat_map(of_item).collect())
}

/// The same, and what stays as it is.
pub(super) fn all<'a>(plan: &'a Plan, observed: &'a Observed) -> Vec<Changed<'a>> {
    let items = item::items(plan);
    let ids: BTreeSet<&CloudId> = items.iter().flat_map(ids).collect();
    let standing = state_json::standing(observed);
    let mut out: Vec<Changed<'_>> = items.iter().flat_map(of_item).collect();
    // What moves is shown as it is now.
    for change in out.iter_mut().filter(|change| change.before.is_none()) {
        let found = change.previous.as_ref().and_then(|former| standing.get(former));
        let live = found.and_then(|(_, id)| Some((*id, observed.live.get(*id)?.spec()?)));
        if let Some((id, spec)) = live {
            let fields = with_id(spec, Some(id));
            (change.before, change.after) = (Some(fields.clone()), Some(fields));
        }
    }
    out.extend(observed.live.iter().filter_map(|(id, live)| {
        let named = state_json::named(id, live);
        let stands = standing.get(&named).is_some_and(|(_, current)| *current == id);
        (stands && !ids.contains(id)).then(|| kept(named, id, live)).flatten()
    }));
    joined(out)
}

/// In order; that an object moves or is adopted, and what changes of it, is one entry.
fn joined(mut changes: Vec<Changed<'_>>) -> Vec<Changed<'_>> {
    changes.sort_by_cached_key(|change| (change.named.full(), change.deposed.cloned()));
    let mut out: Vec<Changed<'_>> = Vec::with_capacity(changes.len());
    for change in changes {
        match out.last_mut() {
            Some(last)
                if last.named == change.named
                    && last.deposed.is_none()
                    && change.deposed.is_none()
                    && (last.is_tagging() || change.is_tagging()) =>
            {
                let stays =
                    if last.is_tagging() { std::mem::replace(last, change) } else { change };
                last.previous = stays.previous.or(last.previous.take());
                last.importing = stays.importing.or(last.importing);
            }
            Some(_) | None => out.push(change),
        }
    }
    out
}

/// The objects that an item acts on.
fn ids<'a>(item: &Item<'a>) -> Vec<&'a CloudId> {
    match &item.act {
        Act::Create { .. } | Act::Launch { .. } | Act::Point { .. } => Vec::new(),
        Act::Update { id, .. } | Act::Delete(Doomed { id, .. }) => vec![id],
        Act::Replace { old, .. } => old.iter().map(|old| old.id).collect(),
        Act::Quarantine { nodes: ids, .. }
        | Act::Terminate { nodes: ids, .. }
        | Act::Move { ids, .. } => ids.iter().collect(),
        Act::Adopt { id, .. } | Act::Forget { id, .. } => vec![id],
    }
}

fn kept<'a>(named: Named<'a>, id: &CloudId, live: &'a Live) -> Option<Changed<'a>> {
    match live.phase {
        Phase::Pending | Phase::Ready => {}
        Phase::Leaving | Phase::Failed(_) | Phase::Gone => return None,
    }
    let fields = with_id(live.spec()?, Some(id));
    Some(Changed { after: Some(fields.clone()), ..Changed::new(named, &["no-op"], Some(fields)) })
}

fn of_item<'a>(item: &Item<'a>) -> Vec<Changed<'a>> {
    let address = item.address;
    let of = |spec: &Spec| Named::new(address, spec.kind());
    let reason = item.whys.iter().find_map(|why| reason(why, &item.act));
    let mut out = match &item.act {
        Act::Create { spec, generation: _ } => {
            vec![Changed::new(of(spec), &["create"], None).to(with_id(spec, None))]
        }
        Act::Update { id, was, spec } => {
            let before = with_id(was, Some(id));
            vec![Changed::new(of(spec), &["update"], Some(before)).to(with_id(spec, Some(id)))]
        }
        Act::Delete(doomed) => {
            let superseded = item.whys.contains(&&Why::Superseded);
            vec![gone(address, *doomed, superseded)]
        }
        Act::Replace { order, spec, generation: _, old } => replaced(item, *order, spec, old),
        Act::Launch { batch, count, template, offers, tags: _ } => {
            let after = launched(template, offers);
            let node = |n: u32| Named::node(address, format!("{batch}/{n}"));
            (0..*count)
                .map(|n| Changed::new(node(n), &["create"], None).to(after.clone()))
                .collect()
        }
        Act::Point { name, ttl, was } => {
            let side = |addresses: Value| json!({ "id": name, "ttl": ttl, "addresses": addresses });
            let named = Named::new(address, KindName::HostedZone);
            let before = (!was.is_empty()).then(|| side(json!(was)));
            let actions: &[&str] = if was.is_empty() { &["create"] } else { &["update"] };
            // Whose addresses they are is known, and they are not.
            vec![Changed::new(named, actions, before).to(side(json!({ "$text": [] })))]
        }
        Act::Move { .. } | Act::Adopt { .. } | Act::Forget { .. } => tagged(item),
        Act::Quarantine { .. } => quarantined(item),
        Act::Terminate { nodes, was } => nodes
            .iter()
            .zip(*was)
            .map(|(id, was)| {
                let before = fields_with_id(node_fields(was), Some(id));
                Changed::new(Named::node(address, id.as_str()), &["delete"], Some(before))
            })
            .collect(),
    };
    for change in &mut out {
        change.reason = reason.filter(|_| change.deposed.is_none());
    }
    out
}

/// What only changes hands or its address.
fn tagged<'a>(item: &Item<'a>) -> Vec<Changed<'a>> {
    let at = item.address;
    match &item.act {
        Act::Move { kind: KindName::Node, ids, from } => {
            let node = |id: &'a CloudId| {
                let previous = Some(Named::node(from, id.as_str()));
                let id = id.as_str();
                Changed { previous, ..Changed::new(Named::node(at, id), &["no-op"], None) }
            };
            ids.iter().map(node).collect()
        }
        Act::Move { kind, ids: _, from } => {
            let previous = Some(Named::new(from, *kind));
            vec![Changed { previous, ..Changed::new(Named::new(at, *kind), &["no-op"], None) }]
        }
        Act::Adopt { id, spec } => {
            let fields = with_id(spec, Some(id));
            let named = Named::new(at, spec.kind());
            let out = Changed::new(named, &["no-op"], Some(fields.clone())).to(fields);
            vec![Changed { importing: Some(id), ..out }]
        }
        Act::Forget { id, was } => {
            let before = with_id(was, Some(id));
            vec![Changed::new(Named::new(at, was.kind()), &["forget"], Some(before))]
        }
        Act::Create { .. }
        | Act::Update { .. }
        | Act::Delete(_)
        | Act::Replace { .. }
        | Act::Launch { .. }
        | Act::Point { .. }
        | Act::Quarantine { .. }
        | Act::Terminate { .. } => Vec::new(),
    }
}

/// Nodes that are marked.
fn quarantined<'a>(item: &Item<'a>) -> Vec<Changed<'a>> {
    let Act::Quarantine { nodes, was, reasons, seconds } = &item.act else { return Vec::new() };
    let one = |((id, was), how): ((&'a CloudId, &Node), &String)| {
        let (named, id) = (Named::node(item.address, id.as_str()), Some(id));
        let change = Changed::new(named, &["update"], Some(fields_with_id(node_fields(was), id)));
        change.to(fields_with_id(marked(was, how, *seconds), id))
    };
    nodes.iter().zip(*was).zip(*reasons).map(one).collect()
}

fn gone<'a>(address: &'a Address, doomed: Doomed<'a>, deposed: bool) -> Changed<'a> {
    let Doomed { id, was, empty_first: _ } = doomed;
    let before = with_id(was, Some(id));
    let named = Named::new(address, was.kind());
    let out = Changed::new(named, &["delete"], Some(before));
    Changed { deposed: deposed.then_some(id), ..out }
}

fn replaced<'a>(
    item: &Item<'a>,
    order: Order,
    spec: &'a Spec,
    old: &[Doomed<'a>],
) -> Vec<Changed<'a>> {
    let actions: &[&str] = match order {
        Order::DeleteFirst => &["delete", "create"],
        Order::CreateFirst => &["create", "delete"],
    };
    let before = old.first().map(|old| with_id(old.was, Some(old.id)));
    let mut main = Changed::new(Named::new(item.address, spec.kind()), actions, before);
    main.after = Some(with_id(spec, None));
    main.replace_paths = item.forced().iter().map(|field| json!([field])).collect();
    // An apply that was cut off may have left more than one.
    let rest = old.iter().skip(1).map(|old| gone(item.address, *old, true));
    std::iter::once(main).chain(rest).collect()
}

impl<'a> Changed<'a> {
    pub(super) fn new(
        named: Named<'a>,
        actions: &'static [&'static str],
        before: Option<Value>,
    ) -> Self {
        let (after, replace_paths) = (None, Vec::new());
        let (deposed, previous, importing) = (None, None, None);
        Self {
            named,
            actions,
            before,
            after,
            deposed,
            previous,
            importing,
            replace_paths,
            reason: None,
            became: None,
        }
    }

    /// It only changes hands or its address.
    fn is_tagging(&self) -> bool {
        self.previous.is_some() || self.importing.is_some()
    }

    fn to(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }

    /// The word for all of its actions, as the stream of events has it.
    pub(super) fn action(&self) -> &'static str {
        match self.actions {
            [one] => one,
            _ => "replace",
        }
    }

    /// The stream's word for the reason.
    pub(super) fn stream_reason(&self) -> Option<&'static str> {
        self.reason.map(|reason| match reason {
            "replace_by_request" => "requested",
            other => other.strip_prefix("replace_because_").unwrap_or(other),
        })
    }

    /// An entry of `resource_changes`.
    pub(super) fn json(&self) -> Value {
        let Self { named, deposed, previous, reason, became, .. } = self;
        let mut out = named.head();
        if let Some(previous) = previous {
            out.insert("previous_address".to_owned(), json!(previous.full()));
        }
        let module = named.module();
        if !module.is_empty() {
            out.insert("module_address".to_owned(), json!(module));
        }
        if let Some(id) = deposed {
            out.insert("deposed".to_owned(), json!(id));
        }
        out.insert("change".to_owned(), self.change());
        if let Some(reason) = reason {
            out.insert("action_reason".to_owned(), json!(reason));
        }
        let mut own = json!({ "address": named.address.to_string() });
        if let (Some(map), Some(word)) = (own.as_object_mut(), became) {
            map.insert("drift".to_owned(), json!(word));
        }
        out.insert("mlinfra".to_owned(), own);
        Value::Object(out)
    }

    fn change(&self) -> Value {
        let Self { actions, before, after, importing, replace_paths, .. } = self;
        // What is there has no unknown parts, only links to write as plain ids.
        let was = before.as_ref().map_or(Value::Null, |before| split(before).0);
        let (will, mut unknown) = after.as_ref().map_or((Value::Null, json!({})), split);
        if let (Some(map), true) = (unknown.as_object_mut(), after.is_some())
            && will.get("id").is_none()
        {
            map.insert("id".to_owned(), json!(true));
        }
        // No secret can enter a spec.
        let sensitive = |value: &Option<Value>| {
            if value.is_some() { json!({}) } else { json!(false) }
        };
        let mut out = json!({
            "actions": actions,
            "before": was,
            "after": will,
            "after_unknown": unknown,
            "before_sensitive": sensitive(before),
            "after_sensitive": sensitive(after),
        });
        if let (Some(map), false) = (out.as_object_mut(), replace_paths.is_empty()) {
            map.insert("replace_paths".to_owned(), json!(replace_paths));
        }
        if let (Some(map), Some(id)) = (out.as_object_mut(), importing) {
            map.insert("importing".to_owned(), json!({ "id": id }));
        }
        out
    }
}

/// Terraform's word for a reason, where it has one.
fn reason(why: &Why, act: &Act<'_>) -> Option<&'static str> {
    let replaces = matches!(act, Act::Replace { .. });
    match why {
        Why::Replaces { .. } if replaces => Some("replace_because_cannot_update"),
        Why::Failed { .. } if replaces => Some("replace_because_tainted"),
        Why::Requested if replaces => Some("replace_by_request"),
        Why::Removed => Some("delete_because_no_resource_config"),
        Why::Missing
        | Why::Changed
        | Why::Replaces { .. }
        | Why::Failed { .. }
        | Why::Superseded
        | Why::Destroyed
        | Why::Grow { .. }
        | Why::Shrink { .. }
        | Why::Outdated { .. }
        | Why::Unhealthy { .. }
        | Why::Kept
        | Why::Moved
        | Why::Requested
        | Why::Adopted
        | Why::Vanished { .. }
        | Why::Led
        | Why::Forgotten => None,
    }
}

/// The name of what a step acts on; of nodes, each.
pub(super) fn step_names(step: &crate::kinds::Step) -> Vec<Named<'_>> {
    use crate::kinds::Action;
    let at = &step.address;
    match &step.action {
        Action::Create { spec, .. } | Action::Update { spec, .. } | Action::Adopt { spec, .. } => {
            vec![Named::new(at, spec.kind())]
        }
        Action::Delete { was, .. } | Action::Forget { was, .. } => {
            vec![Named::new(at, was.kind())]
        }
        Action::Move { kind: KindName::Node, ids, .. } => {
            ids.iter().map(|id| Named::node(at, id.as_str())).collect()
        }
        Action::Move { kind, .. } => vec![Named::new(at, *kind)],
        Action::Point { .. } => vec![Named::new(at, KindName::HostedZone)],
        Action::Launch { batch, count, .. } => {
            (0..*count).map(|n| Named::node(at, format!("{batch}/{n}"))).collect()
        }
        Action::Quarantine { nodes, .. } | Action::Terminate { nodes, .. } => {
            nodes.iter().map(|id| Named::node(at, id.as_str())).collect()
        }
    }
}

/// The kind that a step concerns.
pub(super) fn step_kind(step: &crate::kinds::Step) -> KindName {
    if let crate::kinds::Action::Move { kind, .. } = &step.action {
        return *kind;
    }
    if let crate::kinds::Action::Point { .. } = &step.action {
        return KindName::HostedZone;
    }
    step.action.spec().map_or(KindName::Node, Spec::kind)
}
