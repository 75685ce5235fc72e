//! What exists in the simulated region, for whoever looks it up.

use std::collections::BTreeMap;

use super::object::Object;
use super::world::World;
use crate::catalog;
use crate::cloud::{Ask, ImageDisk, Lookup, Match, Phase, Wish, matched};
use crate::kinds::{Spec, Tags};
use crate::model::Region as RegionName;

/// The calls that AWS would get for a question about the world.
pub(super) fn calls(ask: &Ask) -> BTreeMap<&'static str, u64> {
    let mut out = BTreeMap::from([("ec2:DescribeAvailabilityZones", 1)]);
    let mut add = |api, calls: u64| {
        if calls > 0 {
            *out.entry(api).or_default() += calls;
        }
    };
    add("ec2:DescribeInstanceTypeOfferings", u64::from(!ask.instance_types.is_empty()));
    add("ec2:DescribeCapacityReservations", u64::from(ask.reservations > Wish::No));
    add("ec2:DescribeSpotPriceHistory", u64::from(!ask.spot.is_empty()));
    add("ec2:DescribeImages", ask.images.len() as u64);
    let parameters = ask.images.iter().filter(|name| catalog::is_parameter(name));
    add("ssm:GetParameter", parameters.count() as u64);
    for lookup in &ask.lookups {
        match lookup {
            Lookup::Vpc { .. } => add("ec2:DescribeVpcs", 1),
            Lookup::Subnets { .. } => add("ec2:DescribeSubnets", 1),
            Lookup::Bucket { .. } => add("s3:HeadBucket", 1),
            Lookup::Image { .. } => add("ec2:DescribeImages", 1),
            Lookup::Parameter { .. } => {
                add("ssm:GetParameter", 1);
                add("ec2:DescribeImages", 1);
            }
        }
    }
    out
}

/// Everything that fits a question.
pub(super) fn answer(world: &World, region: &RegionName, asked: &Lookup, now: u64) -> Vec<Match> {
    if let Lookup::Image { owner: _, name } = asked {
        let image = world.settings.image(name);
        let fields = |id| matched([("id", String::from(id)), ("name", name.clone())]);
        return image.map(fields).into_iter().collect();
    }
    if let Lookup::Parameter { name } = asked {
        return world
            .settings
            .parameter(name)
            .map(|value| named(name, value))
            .into_iter()
            .collect();
    }
    let here = |object: &&Object| {
        // A bucket is seen from every region.
        let reach = object.region == *region || matches!(asked, Lookup::Bucket { .. });
        reach && !object.stranger && object.stands() && object.phase(now) == Phase::Ready
    };
    world
        .objects
        .values()
        .map(|object| &**object)
        .filter(here)
        .filter_map(|object| fit(object, asked))
        .collect()
}

/// The image that a parameter's value names.
fn named(parameter: &str, value: String) -> Match {
    if !catalog::is_image_id(&value) {
        return Match::new();
    }
    matched([("id", value), ("name", called(parameter))])
}

/// What the publisher of an image calls it, by our name or the parameter that names it.
pub(super) fn called(name: &str) -> String {
    let known = catalog::image_of_parameter(name)
        .or_else(|| catalog::image_names().find(|short| *short == name));
    match known {
        Some(short) => catalog::image_query(short).name.replace('*', "20261101"),
        None => name.trim_start_matches('/').replace('/', "-"),
    }
}

/// The root disk of an image, by our name or the parameter that names it.
pub(super) fn disk(name: &str) -> ImageDisk {
    let (device, size) = catalog::image_disk(name).unwrap_or(("/dev/sda1", 8));
    ImageDisk { device: device.to_owned(), size }
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
            | Lookup::Image { .. }
            | Lookup::Parameter { .. },
            _,
        ) => None,
    }
}

/// Whether an object has all of these tags.
fn has(object: &Object, wanted: &BTreeMap<String, String>) -> bool {
    let tags: Tags = object.tags();
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}
