//! What exists in the simulated region, for whoever looks it up.

use std::collections::BTreeMap;

use super::object::Object;
use super::world::World;
use crate::cloud::{Lookup, Match, Phase, matched};
use crate::kinds::{Spec, Tags};
use crate::model::Region as RegionName;

/// Everything that fits a question.
pub(super) fn answer(world: &World, region: &RegionName, asked: &Lookup, now: u64) -> Vec<Match> {
    if let Lookup::Image { owner: _, name } = asked {
        let image = world.settings.image(name);
        let fields = |id| matched([("id", String::from(id)), ("name", name.clone())]);
        return image.map(fields).into_iter().collect();
    }
    let here = |object: &&Object| {
        // A bucket is seen from every region.
        let reach = object.region == *region || matches!(asked, Lookup::Bucket { .. });
        reach && !object.stranger && object.stands() && object.phase(now) == Phase::Ready
    };
    world.objects.values().filter(here).filter_map(|object| fit(object, asked)).collect()
}

fn fit(object: &Object, asked: &Lookup) -> Option<Match> {
    let id = object.id.to_string();
    match (asked, &object.spec) {
        (Lookup::Vpc { id: wanted, tags }, Spec::Vpc(vpc)) => {
            let fits = wanted.as_ref().is_none_or(|wanted| *wanted == id) && has(object, tags);
            fits.then(|| matched([("id", id), ("cidr", vpc.cidr.clone())]))
        }
        (Lookup::Subnets { vpc, tags }, Spec::Subnet(subnet)) => {
            let fits = subnet.vpc.id().is_some_and(|id| id.as_str() == vpc) && has(object, tags);
            let zone = subnet.zone.to_string();
            let cidr = subnet.cidr.clone();
            fits.then(|| {
                matched([("id", id), ("zone", zone), ("vpc", vpc.clone()), ("cidr", cidr)])
            })
        }
        (Lookup::Bucket { name }, Spec::Bucket(bucket)) => {
            let region = object.region.to_string();
            (bucket.name == *name).then(|| matched([("name", name.clone()), ("region", region)]))
        }
        (
            Lookup::Vpc { .. }
            | Lookup::Subnets { .. }
            | Lookup::Bucket { .. }
            | Lookup::Image { .. },
            _,
        ) => None,
    }
}

/// Whether an object has all of these tags.
fn has(object: &Object, wanted: &BTreeMap<String, String>) -> bool {
    let tags: Tags = object.tags();
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}
