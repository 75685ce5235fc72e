//! What a doctor looks at, one function each. None of them changes anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cloud::{CallCounts, Observed, Permission, Permissions, Pulse};
#[cfg(feature = "aws")]
use crate::kinds::Spec;
use crate::kinds::{Bucket, KindName};
use crate::lang::LOCK_FILE;
use crate::model::{Address, Clock, Problem, Region, Zone};
use crate::plan::{self, Misled};
use crate::show::doctor::{Check, Status};
use crate::stack::{self, Backend, Desired, Permits};

use super::connect::{Session, Side};

/// Seconds by which clocks may differ: AWS refuses requests beyond five minutes
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
const SKEW: i64 = 300;
/// From here on it is worth a word.
const SLOW: i64 = 30;
/// Credentials that end within so many seconds may not last for an apply.
const SOON: i64 = 900;
/// Names in a list.
const NAMES: usize = 6;

/// Whose the credentials are, and how long they last.
pub fn credentials(session: &Session, pulse: Pulse) -> Vec<Check> {
    const NAME: &str = "credentials";
    let text = format!("{} in account {}", session.arn, session.facts.home.account);
    let mut out = vec![Check::new(NAME, Status::Good, text)];
    let Some(ends) = pulse.ends else { return out };
    let left = ends.0.saturating_sub(session.side.now().0) / 1000;
    let status = if left < SOON { Status::Warning } else { Status::Good };
    let mut check = Check::new(NAME, status, format!("they end at {ends}, in {}", span(left)));
    if left < SOON {
        check = check.help("sign in again before a long apply (`aws sso login`, or new keys)");
    }
    out.push(check);
    out
}

fn span(seconds: i64) -> String {
    match seconds {
        ..=0 => "no time".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200.. => format!("{} h", seconds / 3600),
    }
}

/// Whether our clock and the cloud's agree.
pub fn clock(session: &Session, pulse: Pulse) -> Check {
    const NAME: &str = "clock";
    let Some(theirs) = pulse.clock else {
        return Check::new(NAME, Status::Unknown, "no answer of the cloud's had a date");
    };
    let ahead = (theirs.0 - session.side.now().0) / 1000;
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let text = format!("this machine's clock is {} s {side} the cloud's", ahead.abs());
    let help = "set the machine's clock by NTP (`timedatectl set-ntp true`)";
    match ahead.abs() {
        // A header tells whole seconds, and the answer takes its time.
        ..=1 => Check::new(NAME, Status::Good, "this machine's clock agrees with the cloud's"),
        2..=SLOW => Check::new(NAME, Status::Good, text),
        off if off <= SKEW => Check::new(NAME, Status::Warning, text).help(help),
        _ => Check::new(NAME, Status::Failed, format!("{text}: AWS refuses such requests"))
            .help(help),
    }
}

/// Zones that are open to the account.
pub fn region(session: &Session) -> Check {
    const NAME: &str = "region";
    let region = &session.facts.home.region;
    let zones = &session.facts.zones;
    if zones.is_empty() {
        let text = format!("no zone of {region} is open to this account");
        let help = "enable the region for the account (console: Account, AWS Regions)";
        return Check::new(NAME, Status::Failed, text).help(help);
    }
    Check::new(NAME, Status::Good, format!("zones {} of {region} are open", letters(zones.iter())))
}

/// What may be better about how clusters get their nodes.
pub fn capacity(desired: &Desired) -> Vec<Check> {
    let advice = desired.fleets.values().flat_map(|fleet| &fleet.advice);
    let check = |one: &Problem| {
        let Problem { summary, detail, help, .. } = one;
        let more = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let text = format!("{summary}{}", more.replace('\n', "; "));
        Check::new("capacity", Status::Warning, text).help(help.replace('\n', " "))
    };
    advice.map(check).collect()
}

fn letters<'a>(zones: impl Iterator<Item = &'a Zone>) -> String {
    let letters: Vec<String> = zones.filter_map(|zone| Some(zone.letter()?.to_string())).collect();
    letters.join(", ")
}

/// Whether everything can be listed: what cannot be seen is not acted on.
pub fn reading(observed: &Observed) -> Vec<Check> {
    const NAME: &str = "reading";
    if observed.blind.is_empty() {
        let text = format!("all {} kinds of objects can be listed", KindName::ALL.len());
        return vec![Check::new(NAME, Status::Good, text)];
    }
    let help = "ask for the right that the message names: what cannot be seen is not acted on";
    let check = |(kind, why): (&KindName, &String)| {
        let text = format!("{}s cannot be listed: {why}", kind.title());
        Check::new(NAME, Status::Failed, text).help(help)
    };
    observed.blind.iter().map(check).collect()
}

/// What the caller may not do, and the policy that allows it.
pub fn permissions(permits: &Permits, told: &Permissions) -> (Vec<Check>, Option<Value>) {
    const NAME: &str = "permissions";
    let of = |wanted: fn(&Permission) -> bool| -> Vec<&String> {
        let fits = |name: &&String| told.get(*name).is_some_and(wanted);
        permits.keys().filter(fits).collect()
    };
    let denied = of(|it| *it == Permission::Denied);
    let unknown = of(|it| matches!(it, Permission::Unknown(_)));
    let mut out = Vec::new();
    if permits.is_empty() {
        // What a stack wants that cannot be expanded nobody knows; why is told above.
        return (out, None);
    }
    if !denied.is_empty() {
        let blocks: BTreeSet<&Address> =
            denied.iter().filter_map(|name| permits.get(*name)).flatten().collect();
        let blocks = some(blocks.iter().map(|at| at.to_string()));
        let text = format!(
            "{} of {} actions are denied: {} (for {blocks})",
            denied.len(),
            permits.len(),
            some(denied.iter().map(|name| (*name).clone()))
        );
        out.push(Check::new(NAME, Status::Failed, text).help("ask for the policy below"));
    }
    if let (Some(first), Some(Permission::Unknown(why))) =
        (unknown.first(), unknown.first().and_then(|name| told.get(*name)))
    {
        let text = format!(
            "of {} of {} actions, such as {first}, nobody could tell: {why}",
            unknown.len(),
            permits.len()
        );
        let help =
            "allow iam:SimulatePrincipalPolicy (and iam:GetRole for roles) to have them told";
        out.push(Check::new(NAME, Status::Unknown, text).help(help));
    }
    if out.is_empty() {
        let text = format!("all {} actions that the stack takes are allowed", permits.len());
        out.push(Check::new(NAME, Status::Good, text));
    }
    let policy = (!denied.is_empty()).then(|| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": denied, "Resource": "*" }],
        })
    });
    (out, policy)
}

/// The first few names.
pub fn some(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// Whether the images are there, and pinned. What there is none of fails as a mistake of the
/// stack.
pub fn images(session: &Session) -> Vec<Check> {
    const NAME: &str = "images";
    let region = &session.facts.home.region;
    let named: BTreeSet<String> =
        stack::images(&session.stack.loaded, &session.pins(&Observed::default()))
            .into_iter()
            .map(|(_, image)| image)
            .collect();
    let check = |image: &String| match session.stack.lock.image(image, region) {
        Some(pin) if session.facts.images.contains_key(pin.id.as_str()) => {
            let text = format!("{image} is {}, pinned on {}", pin.id, pin.pinned);
            Check::new(NAME, Status::Good, text)
        }
        Some(pin) => {
            let text = format!("{image} is pinned to {}, which is not to be seen", pin.id);
            let help = format!("`mlinfra update {image}` moves the pin to the newest one");
            Check::new(NAME, Status::Failed, text).help(help)
        }
        None => match session.facts.images.get(image) {
            Some(id) => {
                let text = format!("{image} is {id} today, and not pinned in {LOCK_FILE}");
                let help = "`mlinfra update` pins it, so that a new image is a visible change";
                Check::new(NAME, Status::Warning, text).help(help)
            }
            None => {
                let text = format!("there is no image {image} in {region}");
                Check::new(NAME, Status::Failed, text)
            }
        },
    };
    named.iter().map(check).collect()
}

/// Which zones offer the types of each cluster.
pub fn zones(session: &Session, desired: &Desired) -> Vec<Check> {
    const NAME: &str = "zones";
    let mut out = Vec::new();
    for (address, fleet) in &desired.fleets {
        let owner = address.owner();
        let offered: BTreeSet<&Zone> = fleet.offers.iter().map(|offer| &offer.zone).collect();
        let types: BTreeSet<&str> =
            fleet.offers.iter().map(|offer| offer.instance_type.as_str()).collect();
        let nowhere: Vec<String> = fleet
            .types
            .iter()
            .filter(|name| session.facts.offerings.get(*name).is_some_and(BTreeSet::is_empty))
            .cloned()
            .collect();
        let text = format!(
            "{owner} can have {} in zones {}",
            some(types.into_iter().map(str::to_owned)),
            letters(offered.into_iter())
        );
        out.push(Check::new(NAME, Status::Good, text));
        if !nowhere.is_empty() {
            let region = &session.facts.home.region;
            let text = format!("{region} does not offer {}", some(nowhere.into_iter()));
            let help = format!("{owner} falls back to its other types, or name another region");
            out.push(Check::new(NAME, Status::Warning, text).help(help));
        }
    }
    out
}

/// Names that lead to machines which serve nobody.
pub fn services(desired: &Desired, observed: &Observed) -> Vec<Check> {
    let one =
        |one: &Misled| Check::new("services", Status::Warning, one.words()).help(Misled::HELP);
    plan::misled(desired, observed).iter().map(one).collect()
}

/// Where the ledger is, and whether that is a good place.
pub async fn ledger(session: &Session) -> Check {
    const NAME: &str = "ledger";
    let place = session.ledger_place();
    let Some(backend) = &session.stack.config.backend else {
        return Check::new(NAME, Status::Good, format!("kept in {place}, on this machine alone"));
    };
    let Backend { bucket, region, .. } = backend;
    match &session.side {
        Side::Sandbox(_) => {
            let text = format!("s3://{bucket} of {region} is a folder of the simulated world");
            Check::new(NAME, Status::Good, text)
        }
        #[cfg(feature = "aws")]
        Side::Aws(aws) => {
            use crate::cloud::{Cloud, Seen, Stray};
            match aws.find(KindName::Bucket, bucket).await {
                Ok(Some(Stray { seen: Seen::Spec(Spec::Bucket(found)), .. })) => {
                    settings(&found, &place)
                }
                Ok(Some(_)) => {
                    let text = format!("the settings of s3://{bucket} in {region} cannot be read");
                    Check::new(NAME, Status::Unknown, text)
                }
                Ok(None) => no_bucket(bucket, region),
                Err(failure) => Check::new(NAME, Status::Failed, failure.to_string()),
            }
        }
    }
}

/// The bucket of the backend is not there.
#[cfg_attr(not(feature = "aws"), allow(dead_code))]
fn no_bucket(bucket: &str, region: &Region) -> Check {
    let text = format!("there is no bucket {bucket} in {region}");
    let help = format!("aws s3api create-bucket --bucket {bucket} --region {region}");
    Check::new("ledger", Status::Failed, text).help(help)
}

/// What a bucket that keeps a ledger should have.
#[cfg_attr(not(feature = "aws"), allow(dead_code))]
fn settings(bucket: &Bucket, place: &str) -> Check {
    let mut odd = Vec::new();
    if !bucket.versioning {
        odd.push("keeps no former versions");
    }
    if !bucket.public_access_block {
        odd.push("may be opened to everybody");
    }
    if bucket.encryption.is_none() {
        odd.push("is not encrypted by default");
    }
    if odd.is_empty() {
        let text = format!("{place}: versioned, closed to the public, encrypted");
        return Check::new("ledger", Status::Good, text);
    }
    let text = format!("{place}: the bucket {}", odd.join(", "));
    let help = format!(
        "aws s3api put-bucket-versioning, put-public-access-block and put-bucket-encryption \
         --bucket {}",
        bucket.name
    );
    Check::new("ledger", Status::Warning, text).help(help)
}

/// Which services have answered, and how fast.
pub fn endpoints(calls: &CallCounts) -> Check {
    let mut services: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for (api, count) in calls {
        let service = api.split(':').next().unwrap_or_default();
        let (number, seconds) = services.entry(service).or_default();
        *number += count.calls;
        *seconds += count.seconds;
    }
    let each = services.iter().map(|(service, (number, seconds))| {
        let ms = seconds * 1000.0 / (*number).max(1) as f64;
        format!("{service} {ms:.0} ms")
    });
    let each: Vec<String> = each.collect();
    Check::new("endpoints", Status::Good, format!("answered: {}", each.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Bucket {
        Bucket {
            name: "acme".to_owned(),
            versioning: true,
            encryption: Some(crate::kinds::Encryption {
                algorithm: "AES256".to_owned(),
                key: None,
            }),
            public_access_block: true,
            ownership: None,
            policy: None,
            lifecycle: Vec::new(),
            precious: true,
            tags: crate::kinds::Tags::new(),
        }
    }

    #[test]
    fn a_ledger_s_bucket_is_held_to_what_protects_it() {
        let place = "s3://acme/mlinfra/llm";
        assert_eq!(settings(&bucket(), place).status, Status::Good);
        let open = Bucket { versioning: false, public_access_block: false, ..bucket() };
        let found = settings(&open, place);
        assert_eq!(found.status, Status::Warning);
        assert!(found.text.contains("keeps no former versions, may be opened"), "{}", found.text);
        let bare = Bucket { encryption: None, ..bucket() };
        assert!(settings(&bare, place).text.ends_with("the bucket is not encrypted by default"));
        let none = no_bucket("acme", &Region::from("us-east-1"));
        assert_eq!(none.status, Status::Failed);
    }

    #[test]
    fn what_nobody_could_tell_is_not_called_allowed() {
        let permits: Permits = ["ec2:CreateVpc", "iam:CreateRole", "s3:CreateBucket"]
            .map(|name| (name.to_owned(), BTreeSet::new()))
            .into();
        let why = "iam:SimulatePrincipalPolicy: AccessDenied".to_owned();
        let told: Permissions = [
            ("ec2:CreateVpc".to_owned(), Permission::Denied),
            ("iam:CreateRole".to_owned(), Permission::Unknown(why)),
            ("s3:CreateBucket".to_owned(), Permission::Allowed),
        ]
        .into();
        let (checks, policy) = permissions(&permits, &told);
        let statuses: Vec<_> = checks.iter().map(|check| check.status).collect();
        assert_eq!(statuses, [Status::Failed, Status::Unknown]);
        let policy = policy.expect("a policy");
        assert_eq!(policy["Statement"][0]["Action"], json!(["ec2:CreateVpc"]));
        let fine = permits.keys().map(|name| (name.clone(), Permission::Allowed)).collect();
        let (checks, policy) = permissions(&permits, &fine);
        assert_eq!((checks[0].status, policy), (Status::Good, None));
    }
}
