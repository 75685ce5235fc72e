//! Parts of a plan: `--target`, `--replace`, `--refresh-only`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::cloud::Observed;
use crate::kinds::{Step, Why};
use crate::model::{Address, BadAddress, Module};
use crate::stack::Desired;

/// What is asked of a plan beside the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Only these, and what they need; everything when empty.
    pub targets: BTreeSet<Target>,
    /// These get a successor although they could stay.
    pub replace: BTreeSet<Address>,
    /// Nothing is done; only the outputs follow what the cloud shows.
    pub refresh_only: bool,
}

impl Selection {
    /// Everything, as it is declared.
    pub fn is_whole(&self) -> bool {
        self.targets.is_empty() && !self.refresh_only
    }

    /// The same once it was carried out: what was replaced stays.
    #[must_use]
    pub fn afterwards(&self) -> Self {
        Self { replace: BTreeSet::new(), ..self.clone() }
    }

    /// Refuses what names nothing, or too much.
    pub fn check(&self, desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
        if self.targets.is_empty() && self.replace.is_empty() {
            return Ok(());
        }
        let live: BTreeSet<&Address> =
            observed.live.values().map(|live| &live.owner.address).collect();
        let declared = desired.specs.keys().chain(desired.fleets.keys());
        let all: BTreeSet<&Address> = live.iter().copied().chain(declared).collect();
        for target in &self.targets {
            if !all.iter().any(|address| target.covers(address)) {
                return Err(absent(&target.to_string(), &all));
            }
        }
        for address in &self.replace {
            if live.contains(address) {
                continue;
            }
            let block = Target::Block(address.clone());
            let parts: Vec<String> =
                live.iter().filter(|live| block.covers(live)).map(ToString::to_string).collect();
            let address = address.to_string();
            return Err(match parts.is_empty() {
                true => absent(&address, &live),
                false => Refusal::Several { address, parts },
            });
        }
        Ok(())
    }

    /// The steps that it wants, each with all that it needs. Steps need only steps before
    /// them, so one pass from the end finds all.
    pub(super) fn of(&self, steps: Vec<Step>) -> Vec<Step> {
        if self.refresh_only {
            return Vec::new();
        }
        if self.targets.is_empty() {
            return steps;
        }
        let mut wanted: Vec<bool> =
            steps.iter().map(|step| self.targets.iter().any(|t| t.covers(&step.address))).collect();
        for (at, step) in steps.iter().enumerate().rev() {
            if wanted[at] {
                step.needs.iter().for_each(|need| wanted[*need] = true);
            }
        }
        let mut place = vec![0; steps.len()];
        let mut out: Vec<Step> = Vec::new();
        for (at, mut step) in steps.into_iter().enumerate().filter(|(at, _)| wanted[*at]) {
            place[at] = out.len();
            step.needs.iter_mut().for_each(|need| *need = place[*need]);
            if step.why == Why::Destroyed {
                step.why = Why::Requested;
            }
            out.push(step);
        }
        out
    }
}

/// A few addresses that somebody may have meant.
fn absent(address: &str, all: &BTreeSet<&Address>) -> Refusal {
    let mut near: Vec<(f64, String)> = all
        .iter()
        .map(|known| known.to_string())
        .map(|known| (strsim::jaro_winkler(address, &known), known))
        .filter(|(like, _)| *like > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let like = near.into_iter().take(3).map(|(_, known)| known).collect();
    Refusal::Absent { address: address.to_owned(), like }
}

/// Addresses: a whole module, a block with all its instances and parts, or one of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `module.a`, `module.a["eu"]`: everything in it.
    Module(Vec<Module>),
    /// `bucket.data`, `bucket.data["eu"]`, `network.main/vpc`.
    Block(Address),
}

impl Target {
    /// Whether an object is meant.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Module(path) => {
                let within = address.module.get(..path.len());
                within.is_some_and(|within| path.iter().zip(within).all(|(a, b)| is_of(a, b)))
            }
            Self::Block(Address { module, block, name, key, part }) => {
                let Address { module: m, block: b, name: n, key: k, part: p } = address;
                module.len() == m.len()
                    && module.iter().zip(m).all(|(a, b)| is_of(a, b))
                    && (block, name) == (b, n)
                    && (key.is_none() || key == k)
                    && (part.is_none() || part == p)
            }
        }
    }
}

/// Without a key all instances of a module are meant.
fn is_of(wanted: &Module, module: &Module) -> bool {
    wanted.name == module.name && (wanted.key.is_none() || wanted.key == module.key)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(path) => {
                let path: Vec<String> = path.iter().map(ToString::to_string).collect();
                f.write_str(&path.join("."))
            }
            Self::Block(address) => address.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        text.parse().map(Self::Block).or_else(|bad| {
            // A module's path is an address without its block.
            let inside: Address = format!("{text}.bucket.x").parse().map_err(|_| bad)?;
            Ok(Self::Module(inside.module))
        })
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Address {
        text.parse().expect("an address")
    }

    #[test]
    fn targets_cover_modules_blocks_instances_and_parts() {
        let cases = [
            ("bucket.data", "bucket.data", true),
            ("bucket.data", "bucket.data[\"eu\"]", true),
            ("bucket.data[\"eu\"]", "bucket.data[\"us\"]", false),
            ("network.main", "network.main/vpc", true),
            ("network.main/vpc", "network.main/gateway", false),
            ("network.main", "network.other/vpc", false),
            ("bucket.data", "module.a.bucket.data", false),
            ("module.a", "module.a.bucket.data", true),
            ("module.a", "module.a[\"x\"].module.b.bucket.data", true),
            ("module.a[\"x\"]", "module.a[\"y\"].bucket.data", false),
            ("module.a.module.b", "module.a.bucket.data", false),
            ("module.a.bucket.data", "module.a[0].bucket.data", true),
        ];
        for (target, address, covered) in cases {
            let target: Target = target.parse().expect("a target");
            assert_eq!(target.covers(&at(address)), covered, "{target} {address}");
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert!("".parse::<Target>().is_err());
        assert!("module".parse::<Target>().is_err());
        assert!("bucket".parse::<Target>().is_err());
    }
}
