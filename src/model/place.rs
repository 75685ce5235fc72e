//! A place in the configuration at which objects stand: a block, one of its instances, one
//! object of it, or a whole module.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{Address, BadAddress, Block, Key, Module, Name, Part};

/// Where objects stand: `bucket.a`, `bucket.a["x"]`, `network.a/vpc`, `module.m.bucket.a`,
/// `module.m`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Modules from the outside in.
    pub module: Vec<Module>,
    /// The block; none when the place is the module as a whole.
    pub block: Option<BlockPlace>,
}

/// A block, or a part of what it becomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockPlace {
    /// The kind of block.
    pub block: Block,
    /// Its label.
    pub name: Name,
    /// One instance of it; none for all.
    pub key: Option<Key>,
    /// One of its objects; none for all.
    pub part: Option<Part>,
}

impl BlockPlace {
    /// Whether an object is meant, in whatever module it stands.
    fn holds(&self, address: &Address) -> bool {
        let Self { block, name, key, part } = self;
        (*block, name) == (address.block, &address.name)
            && (key.is_none() || *key == address.key)
            && (part.is_none() || *part == address.part)
    }
}

impl Place {
    /// Whether an object stands there: in exactly this module, or in an instance of the
    /// module that this place is.
    pub fn holds(&self, address: &Address) -> bool {
        self.at(self, address).is_some()
    }

    /// Whether somebody who selects this place means an object: as [`Place::holds`], but a
    /// module without a key stands for all its instances, wherever it is on the way.
    pub fn covers(&self, address: &Address) -> bool {
        let Self { module: path, block } = self;
        let Some((within, inner)) = address.module.split_at_checked(path.len()) else {
            return false;
        };
        path.iter().zip(within).all(|(wanted, module)| {
            wanted.name == module.name && (wanted.key.is_none() || wanted.key == module.key)
        }) && block.as_ref().is_none_or(|block| inner.is_empty() && block.holds(address))
    }

    /// A place that is named from inside of modules, as it is named from outside of them.
    #[must_use]
    pub fn within(mut self, path: &[Module]) -> Self {
        self.module.splice(0..0, path.iter().cloned());
        self
    }

    /// The address of exactly one object; none for a module.
    pub fn address(&self) -> Option<Address> {
        let BlockPlace { block, name, key, part } = self.block.clone()?;
        Some(Address { module: self.module.clone(), block, name, key, part })
    }

    /// Whether this is a module as a whole.
    pub fn is_module(&self) -> bool {
        self.block.is_none()
    }

    /// The address that an object has once this place is that one; none when it does not
    /// stand here.
    pub fn at(&self, other: &Self, address: &Address) -> Option<Address> {
        match (&self.block, &other.block) {
            (Some(from), Some(to)) if self.module == address.module => {
                let key = rekey((&from.key, &to.key), &address.key);
                let key = key.filter(|_| from.holds(address))?;
                let part = to.part.clone().or_else(|| address.part.clone());
                let (module, name) = (other.module.clone(), to.name.clone());
                Some(Address { module, block: to.block, name, key, part })
            }
            (None, None) => {
                let (from, outer) = self.module.split_last()?;
                let (to, new) = other.module.split_last()?;
                let (at, rest) = address.module.strip_prefix(outer)?.split_first()?;
                let key = rekey((&from.key, &to.key), &at.key).filter(|_| from.name == at.name)?;
                let inner = Module { name: to.name.clone(), key };
                let module = new.iter().cloned().chain([inner]).chain(rest.iter().cloned());
                Some(Address { module: module.collect(), ..address.clone() })
            }
            (Some(_) | None, Some(_) | None) => None,
        }
    }
}

/// The key that follows from a move: without keys on both sides all instances move along.
/// All of them cannot become one.
fn rekey((from, to): (&Option<Key>, &Option<Key>), at: &Option<Key>) -> Option<Option<Key>> {
    match (from, to, at) {
        (None, None, _) => Some(at.clone()),
        (None, Some(_), Some(_)) => None,
        (None, Some(_), None) => Some(to.clone()),
        (Some(_), _, _) => (from == at).then(|| to.clone()),
    }
}

impl From<Address> for Place {
    fn from(address: Address) -> Self {
        let Address { module, block, name, key, part } = address;
        Self { module, block: Some(BlockPlace { block, name, key, part }) }
    }
}

impl FromStr for Place {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        match text.parse::<Address>() {
            Ok(address) => Ok(address.into()),
            // What could hold a block is a module.
            Err(bad) => match format!("{text}.bucket.x").parse::<Address>() {
                Ok(within) if !within.module.is_empty() => {
                    Ok(Self { module: within.module, block: None })
                }
                Ok(_) | Err(_) => Err(bad),
            },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, block } = self;
        let Some(BlockPlace { block, name, key, part }) = block else {
            let path: Vec<String> = module.iter().map(ToString::to_string).collect();
            return f.write_str(&path.join("."));
        };
        let (module, name) = (module.clone(), name.clone());
        Address { module, block: *block, name, key: key.clone(), part: part.clone() }.fmt(f)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().expect("a place")
    }

    fn moved(from: &str, to: &str, address: &str) -> Option<String> {
        let address = address.parse().expect("an address");
        place(from).at(&place(to), &address).map(|new| new.to_string())
    }

    #[test]
    fn places_are_read_and_written() {
        for text in [
            "bucket.a",
            "bucket.a[\"x\"]",
            "bucket.a[0]",
            "network.a/vpc",
            "module.m",
            "module.m[\"x\"]",
        ] {
            assert_eq!(place(text).to_string(), text);
        }
        assert_eq!(place("module.m.module.n.bucket.a").to_string(), "module.m.module.n.bucket.a");
        for text in ["", "bucket", "module", "module.M", "bucket.a.name"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_block_moves_with_its_parts_and_keys() {
        let gone = |from, to, at: &str| moved(from, to, at);
        assert_eq!(gone("bucket.a", "bucket.b", "bucket.a").as_deref(), Some("bucket.b"));
        assert_eq!(gone("queue.a", "queue.b", "queue.a/dead").as_deref(), Some("queue.b/dead"));
        assert_eq!(
            gone("bucket.a", "bucket.b", "bucket.a[\"x\"]").as_deref(),
            Some("bucket.b[\"x\"]")
        );
        assert_eq!(gone("bucket.a", "bucket.a[0]", "bucket.a").as_deref(), Some("bucket.a[0]"));
        assert_eq!(gone("bucket.a[0]", "bucket.a", "bucket.a[0]").as_deref(), Some("bucket.a"));
        assert_eq!(gone("bucket.a", "bucket.a[0]", "bucket.a[1]"), None);
        assert_eq!(gone("bucket.a", "bucket.b", "bucket.aa"), None);
    }

    #[test]
    fn modules_move_whole() {
        let at = "module.m.module.n.bucket.a";
        assert_eq!(
            moved("module.m", "module.k", at).as_deref(),
            Some("module.k.module.n.bucket.a")
        );
        assert_eq!(
            moved("bucket.a", "module.m.bucket.a", "bucket.a").as_deref(),
            Some("module.m.bucket.a")
        );
        assert_eq!(moved("module.m", "module.k", "bucket.a"), None);
        let one = "module.m[\"x\"].bucket.a";
        assert_eq!(moved("module.m[\"x\"]", "module.x", one).as_deref(), Some("module.x.bucket.a"));
        assert_eq!(moved("module.m", "module.k", one).as_deref(), Some("module.k[\"x\"].bucket.a"));
    }

    #[test]
    fn places_cover_modules_blocks_instances_and_parts() {
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
            let (target, at) = (place(target), address.parse().expect("an address"));
            assert_eq!(target.covers(&at), covered, "{target} {address}");
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert!("".parse::<Place>().is_err());
        assert!("module".parse::<Place>().is_err());
        assert!("bucket".parse::<Place>().is_err());
    }

    #[test]
    fn only_who_selects_means_all_instances_of_a_module_on_the_way() {
        for (at, object, held, covered) in [
            ("module.a.bucket.data", "module.a[0].bucket.data", false, true),
            ("module.a.module.b", "module.a[0].module.b.bucket.data", false, true),
            ("module.a.bucket.data", "module.a.module.b.bucket.data", false, false),
            ("module.a.bucket.data", "module.a.bucket.data", true, true),
            ("module.a.module.b", "module.a.module.b[0].bucket.data", true, true),
        ] {
            let object = object.parse().expect("an address");
            let found = (place(at).holds(&object), place(at).covers(&object));
            assert_eq!(found, (held, covered), "{at} {object}");
        }
    }
}
