//! The knobs of the simulated world. The defaults are a friendly world for newcomers:
//! everything is offered everywhere, nothing fails, and a quota or two is as on AWS.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SimError;
use super::keys::KEYS;
use super::supply::{Supply, rate};
use crate::catalog::{self, Catalog};
use crate::kinds::{KindName, Market};
use crate::model::{AccountId, CloudId, ImageId, Region as RegionName, Zone};

/// The account that everything belongs to, unless the world is set otherwise. AWS has none of
/// that number.
pub const ACCOUNT: &str = "000000000000";

/// How the world behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The account that everything belongs to.
    pub account: AccountId,
    /// Ids follow from it.
    pub seed: u64,
    /// Letters of the zones that are open; none for those of the region.
    pub zones: Vec<char>,
    /// Milliseconds from sending a call to its answer.
    pub latency_ms: u64,
    /// Milliseconds until a create, edit or delete shows.
    pub visibility_ms: u64,
    /// Seconds from launch until a node is ready.
    pub boot_seconds: u64,
    /// Seconds from then until it says that it is ready, or its status checks end.
    pub report_seconds: u64,
    /// Calls per second before the region throttles; 0 for no limit.
    pub throttle: u64,
    /// Nodes that can be had: `type` (in each zone) or `type@zone`, of any market or of one
    /// (`type@zone/spot`); absent for plenty.
    pub capacity: BTreeMap<String, u64>,
    /// How many objects of a kind the account may have in a region.
    pub quota: BTreeMap<KindName, u64>,
    /// Images by name. None hides a name.
    pub images: BTreeMap<String, Option<ImageId>>,
    /// SSM parameters; the public ones of images need not be listed. None hides one.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Letters of the zones that offer an instance type; absent for all of them, if the
    /// catalogue has it or it was given a price.
    pub offers: BTreeMap<String, Vec<char>>,
    /// Kinds that may not be listed.
    pub blind: Vec<KindName>,
    /// Objects whose details may not be read.
    pub blind_objects: Vec<CloudId>,
    /// Machines of services whose user data hold this text say that they are unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sick: Option<String>,
    /// Actions that the caller may not do.
    pub denied: BTreeSet<String>,
    /// Seconds by which the cloud's clock is ahead of ours.
    pub clock_skew: i64,
    /// Seconds until the credentials end; none for those that last.
    pub session_seconds: Option<u64>,
    /// What goes wrong next.
    pub faults: Vec<Fault>,
    /// Reservations, prices and quotas.
    pub supply: Supply,
}

/// One thing that goes wrong once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Only calls of this API (`ec2:CreateVpc`); none for any mutating call.
    pub api: Option<String>,
    /// At which of these calls, from 1.
    pub nth: u64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection breaks before anything happens; the caller cannot know that.
    FailBefore,
    /// The call takes effect and its answer is lost.
    LoseAnswer,
    /// Refused: too many calls.
    Throttle,
    /// Refused: no right to.
    Deny,
    /// Refused: the credentials have run out.
    Expire,
    /// Refused: the cloud says that it does not know what the call names.
    NotFound,
}

impl FaultKind {
    const ALL: [(&'static str, Self); 6] = [
        ("fail_before", Self::FailBefore),
        ("lose_answer", Self::LoseAnswer),
        ("throttle", Self::Throttle),
        ("deny", Self::Deny),
        ("expire", Self::Expire),
        ("not_found", Self::NotFound),
    ];
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: AccountId::from(ACCOUNT),
            seed: 0,
            zones: Vec::new(),
            latency_ms: 40,
            visibility_ms: 0,
            boot_seconds: 40,
            report_seconds: 0,
            throttle: 0,
            capacity: BTreeMap::new(),
            quota: BTreeMap::from([(KindName::Vpc, 5), (KindName::ElasticIp, 5)]),
            images: BTreeMap::new(),
            parameters: BTreeMap::new(),
            offers: BTreeMap::new(),
            blind: Vec::new(),
            blind_objects: Vec::new(),
            sick: None,
            denied: BTreeSet::new(),
            clock_skew: 0,
            session_seconds: None,
            faults: Vec::new(),
            supply: Supply::default(),
        }
    }
}

impl Settings {
    /// How high a quota is, by its code: of objects of which there may be so many, else as it was
    /// set; none for plenty.
    pub fn quota_of(&self, code: &str) -> Option<u64> {
        let limit = |what| Catalog::limit(what).is_some_and(|limit| limit.code == code);
        let kind = if limit("addresses") {
            Some(KindName::ElasticIp)
        } else {
            limit("vpcs").then_some(KindName::Vpc)
        };
        let objects = kind.and_then(|kind| self.quota.get(&kind));
        objects.or_else(|| self.supply.vcpus.get(code)).copied()
    }

    /// Changes one setting.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SimError> {
        let bad = || wrong(key, value);
        let value = value.trim();
        let number = || value.parse::<u64>().map_err(|_| bad());
        let list = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
        match key.split_once('.') {
            None => match key {
                "account" if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) => {
                    self.account = AccountId::from(value);
                }
                "seed" => self.seed = number()?,
                "sick" => self.sick = (value != "none").then(|| value.to_owned()),
                "zones" => self.zones = letters(value, "default").ok_or_else(bad)?,
                "latency_ms" => self.latency_ms = number()?,
                "visibility_ms" => self.visibility_ms = number()?,
                "boot_seconds" => self.boot_seconds = number()?,
                "report_seconds" => self.report_seconds = number()?,
                "throttle" => self.throttle = number()?,
                "launches" => self.supply.launches = rate(value).ok_or_else(bad)?,
                "launch_calls" => self.supply.launch_calls = rate(value).ok_or_else(bad)?,
                "blind" if value == "none" => self.blind.clear(),
                "blind" => {
                    self.blind = list().map(kind).collect::<Option<_>>().ok_or_else(bad)?;
                }
                "blind_objects" if value == "none" => self.blind_objects.clear(),
                "blind_objects" => self.blind_objects = list().map(CloudId::from).collect(),
                "denied" if value == "none" => self.denied.clear(),
                "denied" => self.denied = list().map(str::to_owned).collect(),
                "clock_skew" => self.clock_skew = value.parse().map_err(|_| bad())?,
                "session_seconds" if value == "none" => self.session_seconds = None,
                "session_seconds" => self.session_seconds = Some(number()?),
                "faults" if value == "none" => self.faults.clear(),
                "faults" => {
                    self.faults = list().map(Fault::read).collect::<Option<_>>().ok_or_else(bad)?;
                }
                _ => return Err(bad()),
            },
            Some((group, name)) => return self.set_in(group, name, value).ok_or_else(bad),
        }
        Ok(())
    }

    fn set_in(&mut self, group: &str, name: &str, value: &str) -> Option<()> {
        if name.is_empty() {
            return None;
        }
        let name = name.to_owned();
        match (group, value) {
            ("capacity", "plenty") => drop(self.capacity.remove(&name)),
            ("capacity", _) => drop(self.capacity.insert(name, value.parse().ok()?)),
            ("quota", "none") => drop(self.quota.remove(&kind(&name)?)),
            ("quota", _) => drop(self.quota.insert(kind(&name)?, value.parse().ok()?)),
            ("image", "default") => drop(self.images.remove(&name)),
            ("image", "hidden") => drop(self.images.insert(name, None)),
            ("image", id) if id.starts_with("ami-") => {
                self.images.insert(name, Some(ImageId::from(id)));
            }
            ("parameter", "default") => drop(self.parameters.remove(&name)),
            ("parameter", "hidden") => drop(self.parameters.insert(name, None)),
            ("parameter", value) => drop(self.parameters.insert(name, Some(value.to_owned()))),
            ("offer", "default") => drop(self.offers.remove(&name)),
            ("offer", zones) => drop(self.offers.insert(name, letters(zones, "nowhere")?)),
            (_, _) => self.supply.set(group, name, value)?,
        }
        Some(())
    }

    /// Every setting as the text that [`Settings::set`] takes.
    pub fn list(&self) -> Vec<(String, String)> {
        let or = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
        let join = |words: Vec<String>| words.join(",");
        let chars = |zones: &[char]| join(zones.iter().map(char::to_string).collect());
        let mut out = vec![
            ("account".to_owned(), self.account.to_string()),
            ("seed".to_owned(), self.seed.to_string()),
            ("zones".to_owned(), or(chars(&self.zones), "default")),
            ("latency_ms".to_owned(), self.latency_ms.to_string()),
            ("visibility_ms".to_owned(), self.visibility_ms.to_string()),
            ("boot_seconds".to_owned(), self.boot_seconds.to_string()),
            ("report_seconds".to_owned(), self.report_seconds.to_string()),
            ("throttle".to_owned(), self.throttle.to_string()),
        ];
        out.extend(self.capacity.iter().map(|(k, v)| (format!("capacity.{k}"), v.to_string())));
        out.extend(self.supply.list());
        out.extend(self.quota.iter().map(|(k, v)| (format!("quota.{k}"), v.to_string())));
        for (name, id) in &self.images {
            let id = id.as_ref().map_or("hidden".to_owned(), ImageId::to_string);
            out.push((format!("image.{name}"), id));
        }
        for (name, value) in &self.parameters {
            let value = value.as_deref().unwrap_or("hidden").to_owned();
            out.push((format!("parameter.{name}"), value));
        }
        for (name, zones) in &self.offers {
            out.push((format!("offer.{name}"), or(chars(zones), "nowhere")));
        }
        let blind = self.blind.iter().map(KindName::to_string).collect();
        out.push(("blind".to_owned(), or(join(blind), "none")));
        let objects = self.blind_objects.iter().map(CloudId::to_string).collect();
        out.push(("blind_objects".to_owned(), or(join(objects), "none")));
        let denied = self.denied.iter().cloned().collect();
        out.push(("denied".to_owned(), or(join(denied), "none")));
        out.push(("clock_skew".to_owned(), self.clock_skew.to_string()));
        let session = self.session_seconds.map_or("none".to_owned(), |left| left.to_string());
        out.push(("session_seconds".to_owned(), session));
        let faults = self.faults.iter().map(Fault::text).collect();
        out.push(("faults".to_owned(), or(join(faults), "none")));
        out
    }

    /// The open zones of a region.
    pub fn zones_of(&self, region: &RegionName) -> Vec<Zone> {
        let letters: Vec<char> = match (self.zones.is_empty(), region.as_str()) {
            (false, _) => self.zones.clone(),
            (true, "us-east-1") => ('a'..='f').collect(),
            (true, _) => ('a'..='c').collect(),
        };
        letters.iter().map(|letter| Zone(format!("{region}{letter}"))).collect()
    }

    /// Whether a zone offers an instance type.
    pub fn offers(&self, instance_type: &str, zone: &Zone) -> bool {
        match self.offers.get(instance_type) {
            Some(zones) => zone.letter().is_some_and(|letter| zones.contains(&letter)),
            // As on AWS: nowhere is offered what there is not.
            None => {
                Catalog::shipped().get(instance_type).is_some()
                    || self.supply.prices.contains_key(instance_type)
            }
        }
    }

    /// How many nodes of a type a zone has room for, of all markets together or of one; none
    /// for plenty.
    pub fn capacity_of(&self, instance_type: &str, zone: &Zone, of: Option<Market>) -> Option<u64> {
        let market = of.map(|market| format!("/{}", market.word())).unwrap_or_default();
        let here = self.capacity.get(&format!("{instance_type}@{zone}{market}"));
        here.or_else(|| self.capacity.get(&format!("{instance_type}{market}"))).copied()
    }

    /// The image behind a name.
    pub fn image(&self, name: &str) -> Option<ImageId> {
        match self.images.get(name) {
            Some(known) => known.clone(),
            None if name.starts_with("ami-") => Some(ImageId::from(name)),
            None if catalog::is_parameter(name) => {
                let value = self.parameter(name).filter(|value| catalog::is_image_id(value));
                value.map(ImageId)
            }
            None if catalog::image_names().any(|known| known == name) => Some(made_up(name)),
            None => None,
        }
    }

    /// The value of an SSM parameter. Those in which images are published have one, and
    /// the one of an image that has a name here too is that image.
    pub fn parameter(&self, name: &str) -> Option<String> {
        match (self.parameters.get(name), catalog::image_of_parameter(name)) {
            (Some(set), _) => set.clone(),
            (None, Some(short)) => self.image(short).map(|id| id.to_string()),
            (None, None) => catalog::is_public_image_parameter(name).then(|| made_up(name).0),
        }
    }
}

/// A name that everybody knows always has an image; the same one each time.
fn made_up(name: &str) -> ImageId {
    let sum = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ImageId(format!("ami-0{sum:016x}"))
}

impl Fault {
    /// Reads `kind@n`, `kind@api` or `kind@api#n`.
    fn read(text: &str) -> Option<Self> {
        let (word, at) = text.split_once('@')?;
        let kind = FaultKind::ALL.into_iter().find(|(known, _)| *known == word)?.1;
        let (api, nth) = match (at.split_once('#'), at.parse()) {
            (Some((api, nth)), _) => (Some(api), nth.parse().ok()?),
            (None, Ok(nth)) => (None, nth),
            (None, Err(_)) => (Some(at), 1),
        };
        let named = api.is_none_or(|api| api.contains(':'));
        (nth > 0 && named).then(|| Self { kind, api: api.map(str::to_owned), nth })
    }

    fn text(&self) -> String {
        let word = FaultKind::ALL.into_iter().find(|(_, kind)| *kind == self.kind);
        let word = word.map_or("", |(word, _)| word);
        match &self.api {
            Some(api) => format!("{word}@{api}#{}", self.nth),
            None => format!("{word}@{}", self.nth),
        }
    }
}

fn kind(word: &str) -> Option<KindName> {
    KindName::ALL.iter().copied().find(|kind| kind.word() == word)
}

fn letters(text: &str, none: &str) -> Option<Vec<char>> {
    if text == none {
        return Some(Vec::new());
    }
    let one = |item: &str| match item.trim().as_bytes() {
        [letter] if letter.is_ascii_lowercase() => Some(char::from(*letter)),
        _ => None,
    };
    text.split(',').map(one).collect()
}

fn wrong(key: &str, value: &str) -> SimError {
    let group = key.split_once('.').map_or(key, |(group, _)| group);
    let known = KEYS.iter().find(|(known, _)| known.split('.').next() == Some(group));
    let text = match known {
        Some((known, takes)) => {
            let kinds = match group {
                "blind" | "quota" => {
                    let words: Vec<_> = KindName::ALL.iter().map(|kind| kind.word()).collect();
                    format!(" Kinds: {}.", words.join(", "))
                }
                "faults" => {
                    let words: Vec<_> = FaultKind::ALL.iter().map(|(word, _)| *word).collect();
                    format!(" Faults: {}.", words.join(", "))
                }
                _ => String::new(),
            };
            format!("`{value}` is not a value of `{key}`: {known} takes {takes}.{kinds}")
        }
        None => {
            let keys: Vec<_> =
                KEYS.iter().map(|(key, takes)| format!("  {key} = {takes}")).collect();
            format!("The sandbox has no setting `{key}`. It has:\n{}", keys.join("\n"))
        }
    };
    SimError::Setting(text)
}
