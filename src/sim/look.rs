//! What readers see: late where the world is set so, and only what they may.

use std::collections::BTreeMap;

use super::condition;
use super::lookup;
use super::object::{Object, all_tags};
use super::physics::{self, Physics};
use super::rules::{Caller, refuse};
use super::supply::Notice;
use super::world::World;
use crate::cloud::{
    Ask, Class, Condition, Facts, Failure, Interrupted, Live, Observed, Owner, Phase, Reservation,
    Scope, Seen, SpotPrices, Stray, Wish,
};
use crate::kinds::{Home, KindName, Market, Spec};
use crate::model::{CloudId, Moment, Region as RegionName, Zone, tags};

/// Objects on one page of a list.
const PAGE: u64 = 1000;
/// Detail reads that are under way at once.
pub(super) const PARALLEL: u64 = 8;

/// What a refresh cost for one kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    pub list: u64,
    pub detail: u64,
}

pub(super) fn home(world: &World, region: &RegionName) -> Home {
    Home { account: world.settings.account.clone(), region: region.clone() }
}

/// The answers to what an expansion asks.
pub(super) fn facts(world: &World, region: &RegionName, ask: &Ask, now: u64) -> Facts {
    let settings = &world.settings;
    let zones = settings.zones_of(region);
    let image = |name: &String| Some((name.clone(), settings.image(name)?));
    let called = |name: &String| Some((settings.image(name)?, lookup::called(name)));
    let disk = |name: &String| Some((settings.image(name)?, lookup::disk(name)));
    let offering = |name: &String| {
        let here = zones.iter().filter(|zone| settings.offers(name, zone)).cloned().collect();
        (name.clone(), here)
    };
    Facts {
        home: home(world, region),
        images: ask.images.iter().filter_map(image).collect(),
        image_names: ask.images.iter().filter_map(called).collect(),
        image_disks: ask.images.iter().filter_map(disk).collect(),
        offerings: ask.instance_types.iter().map(offering).collect(),
        lookups: ask
            .lookups
            .iter()
            .map(|question| (question.clone(), lookup::answer(world, region, question, now)))
            .collect(),
        reservations: match ask.reservations {
            Wish::No => Vec::new(),
            Wish::Welcome | Wish::Needed => kept(world, region, now),
        },
        spot: ask.spot.iter().flat_map(|name| spot(world, region, name, &zones)).collect(),
        zones,
    }
}

fn spot(world: &World, region: &RegionName, name: &str, zones: &[Zone]) -> SpotPrices {
    let price = |zone: &Zone| {
        let price = world.settings.supply.spot(region, name, zone)?;
        Some(((name.to_owned(), zone.clone()), price))
    };
    zones.iter().filter_map(price).collect()
}

/// Capacity that is kept in a region.
fn kept(world: &World, region: &RegionName, now: u64) -> Vec<Reservation> {
    let zones = world.settings.zones_of(region);
    let here = world.settings.supply.reservations.iter().filter(|(_, it)| zones.contains(&it.zone));
    let judge = Caller { world, region, now };
    here.map(|(id, kept)| Reservation {
        id: id.as_str().into(),
        market: kept.market,
        instance_type: kept.instance_type.clone(),
        zone: kept.zone.clone(),
        open: kept.market == Market::Reserved && !kept.targeted,
        group: judge.group_of(kept),
        free: judge.free_in(id, kept.total),
        total: kept.total,
        ends: kept.ends.filter(|_| kept.market == Market::CapacityBlock),
        closed: None,
        leaving: false,
        tags: kept.tags.clone(),
    })
    .map(|found| found.at(i64::try_from(now).map(Moment).unwrap_or_default()))
    .collect()
}

/// How far nodes are and how they are.
pub(super) fn conditions(
    world: &World,
    region: &RegionName,
    nodes: &[CloudId],
    now: u64,
) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
    let at = now.saturating_sub(world.settings.visibility_ms);
    let one = |id: &CloudId| {
        let phase = phase(world, region, KindName::Node, id, now)?;
        let object = world.objects.get(id);
        let seen = object.and_then(|object| Some((object, object.view(at)?.1)));
        let condition = seen.map(|(object, marks)| condition::of(world, object, marks, at));
        Ok((id.clone(), (phase, condition.unwrap_or_default())))
    };
    nodes.iter().map(one).collect()
}

/// Everything that carries a stack's tag, with what finding it cost.
pub(super) fn observe(
    world: &World,
    region: &RegionName,
    scope: &Scope,
    now: u64,
) -> (Observed, BTreeMap<KindName, Cost>) {
    let at = now.saturating_sub(world.settings.visibility_ms);
    let seen_at = i64::try_from(now).map(Moment).unwrap_or_default();
    let mut out = Observed { at: seen_at, ..Observed::default() };
    let mut found: BTreeMap<KindName, u64> = BTreeMap::new();
    for (id, object) in &world.objects {
        let kind = object.spec.kind();
        if object.region != *region || object.stranger || world.settings.blind.contains(&kind) {
            continue;
        }
        let Some((spec, marks)) = object.view(at) else {
            out.interrupted.extend(taken_back(world, object, scope));
            continue;
        };
        // Whose it is stands in reserved tags, which no spec holds.
        match Owner::from_tags(&scope.stack, marks) {
            None => {}
            Some(Err(why)) => drop(out.unreadable.insert(id.clone(), why)),
            Some(Ok(owner)) => {
                *found.entry(kind).or_default() += 1;
                let seen = match world.settings.blind_objects.contains(id) {
                    true => Seen::Blind("AccessDenied: its details may not be read".to_owned()),
                    false => Seen::Spec(spec.clone()),
                };
                out.live.insert(id.clone(), live(object, owner, seen, at));
                if kind == KindName::Node {
                    let condition = condition::of(world, object, marks, at);
                    out.conditions.insert(id.clone(), condition);
                }
            }
        }
    }
    let mut costs = BTreeMap::new();
    for kind in KindName::ALL {
        let (budget, found) = (kind.traits().budget, found.get(kind).copied().unwrap_or(0));
        // A node's own list has one call; what the cloud says of it is counted beside.
        let calls = if *kind == KindName::Node { 1 } else { u64::from(budget.list) };
        let list = calls * found.div_ceil(PAGE).max(1);
        costs.insert(*kind, Cost { list, detail: u64::from(budget.detail) * found });
        if world.settings.blind.contains(kind) {
            let physics = physics::of(*kind);
            let api = physics.api(physics.list);
            out.blind.insert(*kind, format!("{api}: UnauthorizedOperation"));
        }
    }
    (out, costs)
}

/// A node on spot that was taken back, for as long as its id is known: its own word or the
/// cloud's has said so.
fn taken_back(world: &World, object: &Object, scope: &Scope) -> Option<(CloudId, Interrupted)> {
    let Spec::Node(node) = &object.spec else { return None };
    let ended = object.gone_at.and_then(|at| i64::try_from(at).ok()).map(Moment)?;
    let ours = matches!(Owner::from_tags(&scope.stack, &object.marks), Some(Ok(_)));
    let notice = world.settings.supply.notices.get(object.id.short());
    let told = Interrupted::of(node, &Condition::of(&object.marks, None, None));
    let told = told.or_else(|| {
        let taken = node.market == Market::Spot && notice == Some(&Notice::Interruption);
        taken.then(|| Interrupted::at(node, Some(ended)))
    });
    Some((object.id.clone(), told.filter(|_| ours)?))
}

fn live(object: &Object, owner: Owner, seen: Seen, at: u64) -> Live {
    Live {
        kind: object.spec.kind(),
        owner,
        seen,
        phase: object.phase(at),
        holds_data: object.contents > 0,
        batch: object.marks.get(tags::BATCH).and_then(|batch| batch.parse().ok()),
    }
}

/// One object by its id or name, whoever owns it.
pub(super) fn find(
    world: &World,
    region: &RegionName,
    kind: KindName,
    name: &str,
    now: u64,
) -> Result<Option<Stray>, Failure> {
    let physics = physics::of(kind);
    let api = physics.api(physics.list);
    let denied = |text: &str| refuse(Class::Denied, &api, "UnauthorizedOperation", text);
    if world.settings.blind.contains(&kind) {
        return Err(denied("You are not authorized to perform this operation."));
    }
    let at = now.saturating_sub(world.settings.visibility_ms);
    let named = world.objects.values().find(|object| {
        object.spec.kind() == kind
            && (physics.global || object.region == *region)
            && (object.id.as_str() == name || object.id.short() == CloudId::from(name).short())
            && object.view(at).is_some()
    });
    let Some(object) = named else { return Ok(None) };
    if object.stranger {
        return Err(denied("it belongs to another account"));
    }
    Ok(object.view(at).map(|(spec, marks)| Stray {
        id: object.id.clone(),
        tags: all_tags(spec, marks),
        seen: Seen::Spec(spec.clone()),
        phase: object.phase(at),
        holds_data: object.contents > 0,
    }))
}

/// How far one object is.
pub(super) fn phase(
    world: &World,
    region: &RegionName,
    kind: KindName,
    id: &CloudId,
    now: u64,
) -> Result<Phase, Failure> {
    let physics = physics::of(kind);
    let denied = world.settings.blind.contains(&kind) || world.settings.blind_objects.contains(id);
    if denied {
        let text = "You are not authorized to perform this operation.";
        let api = physics.api(physics.list);
        return Err(refuse(Class::Denied, &api, "UnauthorizedOperation", text));
    }
    let at = now.saturating_sub(world.settings.visibility_ms);
    let here = |object: &&Object| {
        object.spec.kind() == kind && (physics.global || object.region == *region)
    };
    Ok(world
        .objects
        .get(id)
        .map(|object| &**object)
        .filter(here)
        .map_or(Phase::Gone, |object| object.phase(at)))
}

/// The API of detail reads.
pub(super) fn detail_api(physics: &Physics) -> String {
    match physics.service {
        "sqs" => "sqs:GetQueueAttributes".to_owned(),
        "s3" => "s3:GetBucket".to_owned(),
        "iam" => format!("iam:{}", physics.create.replace("Create", "Get")),
        _ => physics.api(&format!("{}Details", physics.list.trim_end_matches('s'))),
    }
}

/// Takes away what the cloud says of nodes beside their tags.
pub(super) fn unjudged(mut seen: Observed, why: Option<String>) -> Observed {
    if let (Some(why), false) = (why, seen.conditions.is_empty()) {
        for condition in seen.conditions.values_mut() {
            (condition.checks, condition.announced) = (None, Vec::new());
        }
        seen.unjudged = Some(why);
    }
    seen
}

/// A region that cannot be seen at all.
pub(super) fn nothing(why: &str) -> Observed {
    let blind = KindName::ALL.iter().map(|kind| (*kind, why.to_owned())).collect();
    Observed { blind, ..Observed::default() }
}

/// Takes away what could not be listed.
pub(super) fn without(mut seen: Observed, denied: BTreeMap<KindName, String>) -> Observed {
    seen.live.retain(|_, live| !denied.contains_key(&live.kind));
    if denied.contains_key(&KindName::Node) {
        seen.conditions.clear();
        seen.interrupted.clear();
    }
    seen.blind.extend(denied);
    seen
}
