//! What a failed step left behind, and what to do next: one answer per class of failure.

use std::time::Duration;

use super::fold::Row;
use super::screen::Ink;
use super::words;
use crate::apply::{BOOTS, asked};
use crate::catalog::Catalog;
use crate::cloud::{Class, Failure, Left};
use crate::kinds::{Action, Market, Offer, Step, Why};
use crate::model::CloudId;

/// How a step failed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// The call that failed.
    pub failure: Failure,
    /// Other calls of the step had succeeded before.
    pub further: bool,
    /// Since it began.
    pub took: Duration,
}

/// Everything there is to say about a failed step.
pub(super) fn rows(failed: &Failed, step: &Step) -> Vec<Row> {
    let Failed { failure, further, took } = failed;
    let doing = words::doing(&step.action);
    let text = format!("{}: {doing} failed after {}", step.address, words::span(*took));
    let Failure { class, left, api: _, code: _, text: _, request: _ } = failure;
    vec![
        Row::marked(0, Ink::Bad, "!").words(Ink::Bold, text),
        Row::at(2).words(Ink::Bad, failure.to_string()),
        Row::at(2).words(Ink::Plain, self::left(*left, *further, &step.action)),
        Row::at(2).words(Ink::Plain, same_command(next(*class, failure, step), step)),
    ]
}

/// Whoever was destroying goes on destroying: an apply would build it all up again.
fn same_command(advice: String, step: &Step) -> String {
    if step.why == Why::Destroyed {
        advice.replace("`mlinfra apply`", "`mlinfra destroy`")
    } else {
        advice
    }
}

/// What is in the cloud now.
pub(super) fn left(left: Left, further: bool, action: &Action) -> String {
    let nothing = match action {
        // A Create is one call that makes and then calls that complete.
        Action::Create { .. } if further => {
            "It was made, but is not complete. The next apply finds it by its tags and completes it."
        }
        Action::Create { .. } => "Nothing was made.",
        Action::Update { .. } => "Nothing was changed by that call.",
        Action::Delete { .. } => "It is still there.",
        Action::Launch { .. } => "No node was started.",
        Action::Quarantine { .. } => "The nodes are not marked.",
        Action::Terminate { .. } => "The nodes still run, and are billed.",
        Action::Point { .. } => "The name leads where it led before.",
        Action::Move { .. } | Action::Adopt { .. } | Action::Forget { .. } => {
            "Its tags are as they were."
        }
    };
    match left {
        Left::Nothing => nothing.to_owned(),
        Left::Something => {
            "A part of it was done. The next apply finds what is there and goes on from it."
                .to_owned()
        }
        Left::Unknown => "Whether it was done is not known: the answer was lost. The next apply \
                          finds that out before it does anything else."
            .to_owned(),
    }
}

/// What to do.
pub(super) fn next(class: Class, failure: &Failure, step: &Step) -> String {
    let Failure { class: _, left: _, api, code, text, request } = failure;
    if let (Action::Point { .. }, "node") = (&step.action, api.as_str()) {
        return unhealthy(code);
    }
    match class {
        Class::Throttled => "Too many calls for too long. Wait a minute and run `mlinfra apply` \
                             again: it goes on where it stopped."
            .to_owned(),
        Class::Unavailable => "The cloud, or the way to it, failed again and again. Run `mlinfra \
                               apply` again: it goes on where it stopped."
            .to_owned(),
        Class::Settling => "Something made a moment ago is still not known everywhere. Run \
                            `mlinfra apply` again in a minute."
            .to_owned(),
        Class::InUse => in_use(text, step),
        Class::Capacity => capacity(step),
        Class::Quota => quota(code, text, step),
        Class::Denied => format!(
            "The identity may not call {api}. Have that allowed, and look for an explicit deny \
             (a permissions boundary, an SCP), then run `mlinfra apply` again."
        ),
        Class::Expired => "The credentials have run out. Sign in again (`aws sso login`, or new \
                           keys), then run `mlinfra apply`: it goes on where it stopped."
            .to_owned(),
        Class::Exists => format!(
            "Something with that name exists and does not carry the tags of this stack: mlinfra \
             leaves it alone. Take it over with `mlinfra adopt {}`, choose another name, or \
             delete it.",
            step.address
        ),
        Class::Gone => "It vanished while the plan was carried out. Run `mlinfra plan` to see \
                        what is there now."
            .to_owned(),
        Class::Mismatch => "An earlier run sent another request under the same token. Run \
                            `mlinfra plan` again: it first finds out what that request made."
            .to_owned(),
        Class::Invalid if code == BOOTS => {
            "Look at a node that is kept (`mlinfra nodes`, `mlinfra logs NODE`, `mlinfra ssh \
             NODE`). Where the configuration is to blame, another `setup`, image or type is a new \
             start: run `mlinfra apply`. Where something else was, mend that, then run `mlinfra \
             apply --retry`."
                .to_owned()
        }
        Class::Invalid => format!(
            "The cloud calls the request wrong. Check what the configuration says about {}; if \
             that is right, this is a bug of mlinfra: report it{}.",
            step.address,
            with_request(request.as_deref())
        ),
        Class::Unknown => format!(
            "mlinfra does not know the code {code}, so it did not try again. Run `mlinfra plan` \
             to see what is there now, and report the code{}.",
            with_request(request.as_deref())
        ),
    }
}

/// A successor that does not serve: its predecessor still does.
fn unhealthy(code: &str) -> String {
    let look = match code {
        "Gone" => "`mlinfra nodes` shows which are left",
        _ => "`mlinfra logs` shows what it said",
    };
    format!(
        "{look}. Mend the configuration and run `mlinfra apply` again, or go back with `mlinfra \
         rollback`: whichever machine is not wanted then ends."
    )
}

fn with_request(request: Option<&str>) -> String {
    request.map(|id| format!(" with the request id {id}")).unwrap_or_default()
}

fn in_use(text: &str, step: &Step) -> String {
    let blockers = ids_in(text, &own_ids(&step.action));
    let what = if blockers.is_empty() {
        "Something that this stack does not own still uses it; most often that is a network \
         interface, an instance or an endpoint that was made by hand"
            .to_owned()
    } else {
        format!("It is still used by {}, which this stack does not own", blockers.join(", "))
    };
    format!("{what}. Remove that, then run `mlinfra apply` again.")
}

fn own_ids(action: &Action) -> Vec<&CloudId> {
    match action {
        Action::Create { .. } | Action::Launch { .. } => Vec::new(),
        Action::Update { id, .. }
        | Action::Delete { id, .. }
        | Action::Adopt { id, .. }
        | Action::Forget { id, .. } => vec![id],
        Action::Quarantine { nodes: ids, .. }
        | Action::Terminate { nodes: ids, .. }
        | Action::Point { nodes: ids, .. }
        | Action::Move { ids, .. } => ids.iter().collect(),
    }
}

/// The EC2 ids (`eni-0abc123`) in the cloud's words, other than the object's own.
fn ids_in(text: &str, own: &[&CloudId]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let Some((prefix, rest)) = word.rsplit_once('-') else { continue };
        let is_id = (1..=16).contains(&prefix.len())
            && prefix.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && (8..=17).contains(&rest.len())
            && rest.chars().all(|c| c.is_ascii_hexdigit());
        if is_id && !own.iter().any(|id| id.short() == word) && !out.iter().any(|id| id == word) {
            out.push(word.to_owned());
        }
    }
    out
}

fn capacity(step: &Step) -> String {
    let Action::Launch { count, gang, offers, .. } = &step.action else {
        return "The cloud has no capacity for it now. Run `mlinfra apply` again later.".to_owned();
    };
    if offers.is_empty() {
        return "Nothing that the cluster may run on can be had now: `mlinfra offers` says why. Add \
                another way to its `capacity`, or run `mlinfra apply` again later."
            .to_owned();
    }
    let at_once = if *gang { " at once" } else { "" };
    format!(
        "None of the offers had capacity for {count}{at_once}: {}. Allow more instance types or \
         zones, ask for fewer nodes, reserve capacity, or run `mlinfra apply` again later.",
        tried(offers).join("; ")
    )
}

/// Types, how they are bought and where, each zone once: `g5.xlarge (spot, on-demand) in
/// us-east-1a, us-east-1b`.
fn tried(offers: &[Offer]) -> Vec<String> {
    let mut ways: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for Offer { instance_type, zone, market, reservation, .. } in offers {
        let id = reservation.iter().map(|id| format!(" {id}")).collect::<String>();
        let how = format!("{}{id}", market.word());
        match ways.iter_mut().find(|(kind, way, _)| kind == instance_type && *way == how) {
            Some((_, _, zones)) if zones.contains(&zone.as_str()) => {}
            Some((_, _, zones)) => zones.push(zone.as_str()),
            None => ways.push((instance_type, how, vec![zone.as_str()])),
        }
    }
    let mut out: Vec<(&str, Vec<String>, Vec<&str>)> = Vec::new();
    for (kind, how, mut zones) in ways {
        zones.sort_unstable();
        match out.iter_mut().find(|(other, _, same)| *other == kind && *same == zones) {
            Some((_, hows, _)) => hows.push(how),
            None => out.push((kind, vec![how], zones)),
        }
    }
    let line = |(kind, hows, zones): &(&str, Vec<String>, Vec<&str>)| {
        format!("{kind} ({}) in {}", hows.join(", "), zones.join(", "))
    };
    out.iter().map(line).collect()
}

/// A quota of AWS: the code of the failure, its service, its own code, its name.
type Quota = (&'static str, &'static str, &'static str, &'static str);

/// Quotas by the code with which a call fails.
const QUOTAS: [Quota; 8] = [
    ("VpcLimitExceeded", "vpc", "L-F678F1CE", "VPCs per Region"),
    ("SubnetLimitExceeded", "vpc", "L-407747CB", "Subnets per VPC"),
    ("InternetGatewayLimitExceeded", "vpc", "L-A4707A72", "Internet gateways per Region"),
    ("NatGatewayLimitExceeded", "vpc", "L-FE5A380F", "NAT gateways per Availability Zone"),
    ("RouteTableLimitExceeded", "vpc", "L-589F43AA", "Route tables per VPC"),
    ("SecurityGroupLimitExceeded", "vpc", "L-E79EC296", "VPC security groups per Region"),
    ("AddressLimitExceeded", "ec2", "L-0263D0A3", "EC2-VPC Elastic IPs"),
    ("TooManyBuckets", "s3", "L-DC2B2D3D", "General purpose buckets"),
];

/// Not a quota that can be raised: a volume is modified once in a while.
const MODIFIED: [&str; 2] = ["VolumeModificationRateExceeded", "IncorrectModificationState"];

fn quota(code: &str, text: &str, step: &Step) -> String {
    if MODIFIED.contains(&code) {
        return "The volume was modified a short time ago, or still is. AWS takes the next \
                modification once the last one is complete, and four in 24 hours. Run \
                `mlinfra apply` again then."
            .to_owned();
    }
    let market = match code {
        "VcpuLimitExceeded" => Some(Market::OnDemand),
        "MaxSpotInstanceCountExceeded" => Some(Market::Spot),
        _ => None,
    };
    let found = match (market, &step.action) {
        (Some(market), Action::Launch { offers, .. }) => offers
            .iter()
            .find_map(|offer| Catalog::quota(&offer.instance_type, market))
            .map(|quota| ("ec2", quota.code.as_str(), quota.name.as_str())),
        (_, _) => QUOTAS
            .iter()
            .find(|(failure, ..)| *failure == code)
            .map(|(_, service, quota, name)| (*service, *quota, *name)),
    };
    match found {
        Some((service, quota, name)) => {
            let (value, means) = match asked(text) {
                Some(value) => (value.to_string(), ""),
                None => ("N".to_owned(), " (N is what it shall be in all)"),
            };
            format!(
                "The account's quota \"{name}\" is used up. Raise it: `aws service-quotas \
                 request-service-quota-increase --service-code {service} --quota-code {quota} \
                 --desired-value {value}`{means}; then run `mlinfra apply` again."
            )
        }
        None => format!(
            "A quota of the account is used up ({}). Raise it in the Service Quotas console, then \
             run `mlinfra apply` again.",
            if text.is_empty() { code } else { text }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, delete, fresh, mixed, subnet};
    use super::*;
    use crate::kinds::Why;

    fn failure(class: Class, code: &str, text: &str) -> Failure {
        Failure::new(class, Left::Nothing, "ec2:X", code, text)
    }

    fn said(class: Class, code: &str, text: &str) -> String {
        let launch = fresh().steps.pop().expect("a launch");
        next(class, &failure(class, code, text), &launch)
    }

    #[test]
    fn a_quota_is_named_with_the_way_to_raise_it() {
        let p = said(Class::Quota, "VcpuLimitExceeded", "");
        assert!(p.contains("\"Running On-Demand P instances\""), "{p}");
        assert!(p.contains("--service-code ec2 --quota-code L-417A185B"), "{p}");
        assert!(p.contains("--desired-value N`"), "{p}");
        let told = said(Class::Quota, "VcpuLimitExceeded", "(… take 768: ask for 864)");
        assert!(told.contains("--desired-value 864`; then"), "{told}");
        let vpc = said(Class::Quota, "VpcLimitExceeded", "");
        assert!(vpc.contains("--service-code vpc --quota-code L-F678F1CE"), "{vpc}");
        let other = said(Class::Quota, "FooLimitExceeded", "no more foos");
        assert!(other.contains("(no more foos)") && other.contains("Service Quotas"), "{other}");
        let spot = said(Class::Quota, "MaxSpotInstanceCountExceeded", "");
        assert!(spot.contains("--quota-code L-C4BD4855"), "{spot}");
        let soon = said(Class::Quota, "VolumeModificationRateExceeded", "");
        assert!(soon.contains("24 hours"), "{soon}");
    }

    #[test]
    fn what_was_tried_names_each_zone_once_and_how_it_was_asked() {
        let offer = |kind: &str, zone: &str, market, kept: Option<&str>| Offer {
            market,
            reservation: kept.map(Into::into),
            ..Offer::plain(kind, zone.into(), crate::model::Link::Id("subnet-1".into()))
        };
        let (spot, on_demand) = (Market::Spot, Market::OnDemand);
        let offers = [
            offer("p5.48xlarge", "us-east-1a", Market::Reserved, Some("cr-0a")),
            offer("p5.48xlarge", "us-east-1b", spot, None),
            offer("p5.48xlarge", "us-east-1a", spot, None),
            offer("p5.48xlarge", "us-east-1a", on_demand, None),
            offer("p5.48xlarge", "us-east-1b", on_demand, None),
            offer("p4d.24xlarge", "us-east-1b", on_demand, None),
        ];
        assert_eq!(
            tried(&offers),
            [
                "p5.48xlarge (reserved cr-0a) in us-east-1a",
                "p5.48xlarge (spot, on-demand) in us-east-1a, us-east-1b",
                "p4d.24xlarge (on-demand) in us-east-1b",
            ]
        );
    }

    #[test]
    fn blockers_are_named() {
        let vpc = serde_json::json!({"$id": "vpc-0aaaaaaaaaaaaaaa1"});
        let step = Step {
            address: at("network.main/private-a"),
            action: delete("subnet-0123456789abcdef0", subnet(&vpc, "a", "10.0.0.0/20")),
            why: Why::Removed,
            needs: Vec::new(),
        };
        let text = "The subnet 'subnet-0123456789abcdef0' has dependencies: eni-0aabbccdd11223344.";
        let said = next(Class::InUse, &failure(Class::InUse, "DependencyViolation", text), &step);
        assert!(said.starts_with("It is still used by eni-0aabbccdd11223344, which"), "{said}");
        let said = next(Class::InUse, &failure(Class::InUse, "DependencyViolation", ""), &step);
        assert!(said.contains("a network interface, an instance"), "{said}");
    }

    #[test]
    fn every_class_has_an_answer_that_ends_in_something_to_do() {
        let classes = [
            (Class::Throttled, "`mlinfra apply`"),
            (Class::Unavailable, "`mlinfra apply`"),
            (Class::Settling, "`mlinfra apply`"),
            (Class::InUse, "`mlinfra apply`"),
            (Class::Capacity, "`mlinfra apply`"),
            (Class::Quota, "`mlinfra apply`"),
            (Class::Denied, "may not call ec2:X"),
            (Class::Expired, "`aws sso login`"),
            (Class::Exists, "`mlinfra adopt cluster.train/nodes`"),
            (Class::Gone, "`mlinfra plan`"),
            (Class::Mismatch, "`mlinfra plan`"),
            (Class::Invalid, "bug of mlinfra"),
            (Class::Unknown, "report the code"),
        ];
        for (class, words) in classes {
            let said = said(class, "X", "").replace("`mlinfra \n", "`mlinfra ");
            assert!(said.contains(words), "{class:?}: {said}");
            assert!(!said.contains("  "), "{class:?}: {said}");
        }
    }

    #[test]
    fn what_is_left_depends_on_what_was_done() {
        let words = |left: Left| {
            mixed()
                .steps
                .iter()
                .map(|step| self::left(left, false, &step.action))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            words(Left::Nothing)[..3],
            ["Nothing was changed by that call.", "It is still there.", "Nothing was made."]
        );
        let made = fresh().steps.remove(0).action;
        assert!(self::left(Left::Nothing, true, &made).starts_with("It was made, but"));
        assert!(words(Left::Unknown).iter().all(|text| text.contains("the answer was lost")));
        assert!(words(Left::Something).iter().all(|text| text.contains("A part of it")));
    }
}
