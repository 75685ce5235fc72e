//! Quotas that networks, disks and file systems count against, by what is wanted, used and allowed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::catalog::{Catalog, Counted, Limit};
use crate::cloud::{Cloud, Measure, Observed};
use crate::kinds::{Disk, Spec};
use crate::model::{Address, CloudId, Link};
use crate::show::doctor::{Check, Status};
use crate::stack::Desired;

use super::connect::Session;
use super::doctor_checks::some;

const NAME: &str = "quotas";
/// The service that has no regions.
const GLOBAL: &str = "iam";

/// What is wanted of one quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Want {
    /// At once.
    least: u64,
    /// With every cluster at its most nodes.
    most: u64,
    /// What of it the stack has already.
    own: u64,
    /// Which blocks.
    by: BTreeSet<Address>,
}

/// Wants by the words of the table of limits.
type Wants = BTreeMap<String, Want>;

fn add(wants: &mut Wants, what: &str, block: &Address, (least, most): (u64, u64)) {
    if most > 0 {
        let want = wants.entry(what.to_owned()).or_default();
        want.least += least;
        want.most += most;
        want.by.insert(block.owner());
    }
}

/// The most of something that one object has: not added up over objects.
fn at_most(wants: &mut Wants, what: &str, block: &Address, number: usize) {
    let number = number as u64;
    let want = wants.entry(what.to_owned()).or_default();
    if number > want.most {
        *want = Want { least: number, most: number, own: 0, by: BTreeSet::from([block.owner()]) };
    }
}

/// Subnets count in each VPC for itself.
fn subnets(wants: &mut Wants, desired: &Desired) {
    let mut places = BTreeMap::new();
    for (address, spec) in &desired.specs {
        if let Spec::Subnet(subnet) = spec {
            let place = places.entry(&subnet.vpc).or_insert((0, address));
            place.0 += 1;
        }
    }
    for (number, address) in places.into_values() {
        at_most(wants, "subnets", address, number);
    }
}

/// What a stack wants, and has.
fn wants(desired: &Desired, observed: &Observed) -> Wants {
    let mut wants = Wants::new();
    subnets(&mut wants, desired);
    for (address, spec) in &desired.specs {
        if let Some((what, number)) = counted(spec) {
            add(&mut wants, what, address, (number, number));
        }
        if let Spec::Volume(it) = spec
            && let Some(iops) = it.provisioned.iops
        {
            let what = format!("{}-iops", it.provisioned.volume_type);
            add(&mut wants, &what, address, (iops.into(), iops.into()));
        }
        if let Spec::SecurityGroup(group) = spec {
            at_most(&mut wants, "rules", address, group.ingress.len().max(group.egress.len()));
        }
        if let Spec::LaunchTemplate(template) = spec {
            at_most(&mut wants, "groups", address, template.groups.len());
        }
    }
    for (address, fleet) in &desired.fleets {
        let cards = fleet.offers.first().map_or(0, |offer| offer.interfaces.len().max(1) as u64);
        let of = |nodes: u32| cards * u64::from(nodes);
        add(&mut wants, "interfaces", address, (of(fleet.count), of(fleet.most)));
        if let Some(Spec::LaunchTemplate(template)) = desired.specs.get(&fleet.template) {
            let Disk { volume_type, size, .. } = &template.disk;
            let each = u64::try_from(*size).unwrap_or(0);
            let of = |nodes: u32| each * u64::from(nodes);
            add(&mut wants, volume_type, address, (of(fleet.count), of(fleet.most)));
        }
    }
    for live in observed.live.values().filter(|live| live.phase.stands()) {
        let Some(spec) = live.spec() else { continue };
        let has = counted(spec).map(|(what, number)| (what.to_owned(), number));
        if let Some((what, number)) = has.or_else(|| root_disk(spec, observed))
            && let Some(want) = wants.get_mut(&what)
        {
            want.own += number;
        }
    }
    wants
}

/// What an object counts as, and how much of it.
fn counted(spec: &Spec) -> Option<(&str, u64)> {
    match spec {
        Spec::ElasticIp(_) => Some(("addresses", 1)),
        Spec::Vpc(_) => Some(("vpcs", 1)),
        Spec::EfsFileSystem(_) => Some(("filesystems", 1)),
        Spec::Role(_) => Some(("roles", 1)),
        Spec::InstanceProfile(_) => Some(("profiles", 1)),
        Spec::Volume(it) => Some((&it.provisioned.volume_type, it.provisioned.size.into())),
        Spec::LustreFileSystem(it) => Some((&it.deployment, it.size.into())),
        Spec::Subnet(_)
        | Spec::InternetGateway(_)
        | Spec::NatGateway(_)
        | Spec::RouteTable(_)
        | Spec::VpcEndpoint(_)
        | Spec::SecurityGroup(_)
        | Spec::HostedZone(_)
        | Spec::Bucket(_)
        | Spec::BucketObject(_)
        | Spec::Queue(_)
        | Spec::DataRepositoryAssociation(_)
        | Spec::PlacementGroup(_)
        | Spec::LaunchTemplate(_)
        | Spec::Node(_) => None,
    }
}

/// The root disk of a node stands in its template.
fn root_disk(spec: &Spec, observed: &Observed) -> Option<(String, u64)> {
    let Spec::Node(node) = spec else { return None };
    let id = CloudId(Link::id(&node.template)?.0.clone());
    let Some(Spec::LaunchTemplate(template)) = observed.live.get(&id)?.spec() else { return None };
    let Disk { volume_type, size, .. } = &template.disk;
    Some((volume_type.clone(), u64::try_from(*size).unwrap_or(0)))
}

/// What has to be asked to know how much there is.
fn measure(limit: &Limit) -> Option<Measure> {
    match limit.counted {
        Counted::Addresses => Some(Measure::Addresses),
        Counted::Vpcs => Some(Measure::Vpcs),
        Counted::Disks => Some(Measure::Disks(limit.what.clone())),
        Counted::Lustre => Some(Measure::Lustre(limit.what.clone())),
        Counted::FileSystems => Some(Measure::FileSystems),
        Counted::Roles => Some(Measure::Roles),
        Counted::Profiles => Some(Measure::Profiles),
        Counted::Nothing => None,
    }
}

/// Looks at each quota that the stack touches.
pub async fn limits(session: &Session, desired: &Desired, observed: &Observed) -> Vec<Check> {
    let cloud = session.side.cloud();
    let wants = wants(desired, observed);
    let known = wants.iter().filter_map(|(what, want)| Some((Catalog::limit(what)?, want)));
    let known: Vec<_> = known.collect();
    let told = join_all(known.iter().map(|(limit, want)| look(cloud, limit, want))).await;
    let (mut out, mut open) = (Vec::new(), Vec::new());
    for ((limit, _), told) in known.iter().zip(told) {
        match told {
            Some(check) => out.push(check),
            None => open.push(limit.name.clone()),
        }
    }
    if !open.is_empty() {
        let text = format!("no limit is known: {}", open.join("; "));
        out.push(Check::new(NAME, Status::Good, text));
    }
    out
}

/// How one of them is; none where there is no limit.
async fn look(cloud: &dyn Cloud, limit: &Limit, want: &Want) -> Option<Check> {
    let unknown = |text: String, right: &str| {
        let text = format!("{}: {text}", limit.name);
        Check::new(NAME, Status::Unknown, text).help(format!("allow {right}"))
    };
    let value = match cloud.quota(&limit.service, &limit.code).await {
        Ok(Some(value)) => value * limit.unit,
        Ok(None) => return None,
        Err(failure) => {
            let right = match limit.service.as_str() {
                GLOBAL => "iam:GetAccountSummary",
                _ => "servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota",
            };
            return Some(unknown(format!("it cannot be told: {failure}"), right));
        }
    };
    let Some(measure) = measure(limit) else {
        return Some(judged(limit, want, (value, None)));
    };
    Some(match cloud.usage(&measure).await {
        Ok(in_use) => judged(limit, want, (value, Some(in_use))),
        Err(failure) => {
            let text = format!("what is in use cannot be told: {failure}");
            unknown(text, &failure.api)
        }
    })
}

fn judged(limit: &Limit, want: &Want, (value, in_use): (u64, Option<u64>)) -> Check {
    let Want { least, most, own, by } = want;
    let by = some(by.iter().map(ToString::to_string));
    let wants = match least == most {
        true => format!("{by} wants {least}"),
        false => format!("{by} wants {least} to {most}"),
    };
    let unit = match limit.counted {
        Counted::Disks | Counted::Lustre => " GiB",
        Counted::Addresses
        | Counted::Vpcs
        | Counted::FileSystems
        | Counted::Roles
        | Counted::Profiles
        | Counted::Nothing => "",
    };
    let used = in_use.map(|in_use| format!(", {in_use} in use")).unwrap_or_default();
    let text = format!("{}: {value}{unit}{used}; {wants}", limit.name);
    // What is the stack's own already is in both numbers.
    let others = in_use.unwrap_or(0).saturating_sub(*own);
    let status = if others + least > value {
        Status::Failed
    } else if others + most > value {
        Status::Warning
    } else {
        Status::Good
    };
    let check = Check::new(NAME, status, text);
    if status == Status::Good {
        return check;
    }
    // Service Quotas knows those of IAM in one region only.
    let place = if limit.service == GLOBAL { " --region us-east-1" } else { "" };
    check.help(format!(
        "aws service-quotas request-service-quota-increase --service-code {} --quota-code {} \
         --desired-value {}{place}",
        limit.service,
        limit.code,
        (others + most).div_ceil(limit.unit)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(least: u64, most: u64, own: u64) -> Want {
        let by = BTreeSet::from(["cluster.c".parse().expect("an address")]);
        Want { least, most, own, by }
    }

    #[test]
    fn what_the_stack_has_itself_counts_once_and_a_quota_is_raised_in_its_own_unit() {
        let disks = Catalog::limit("gp3").expect("in the table");
        let of = |want: &Want, in_use| judged(disks, want, (50 * 1024, Some(in_use)));
        let fine = of(&want(1000, 2000, 500), 40_000);
        assert_eq!(fine.status, Status::Good);
        let name = "Storage for General Purpose SSD (gp3) volumes, in TiB";
        let text = "51200 GiB, 40000 in use; cluster.c wants 1000 to 2000";
        assert_eq!(fine.text, format!("{name}: {text}"));
        let most = of(&want(1000, 12_000, 0), 40_000);
        assert_eq!(most.status, Status::Warning);
        assert!(
            most.help.ends_with("--service-code ebs --quota-code L-7A658B76 --desired-value 51")
        );
        assert_eq!(of(&want(12_000, 12_000, 0), 40_000).status, Status::Failed);
        assert_eq!(of(&want(12_000, 12_000, 12_000), 40_000).status, Status::Good);
        let roles = Catalog::limit("roles").expect("in the table");
        let full = judged(roles, &want(2, 2, 0), (1000, Some(999)));
        assert_eq!(full.status, Status::Failed);
        assert!(full.help.ends_with("--desired-value 1001 --region us-east-1"), "{}", full.help);
        let rules = Catalog::limit("rules").expect("in the table");
        let many = judged(rules, &want(61, 61, 0), (60, None));
        assert_eq!(many.status, Status::Failed);
        assert!(many.text.ends_with(": 60; cluster.c wants 61"), "{}", many.text);
    }
}
