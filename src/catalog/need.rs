//! What a node must have, as its users say it: `H100:8`, `A100-80GB:8`, memory, processors.

use rust_decimal::Decimal;
use thiserror::Error;

use super::InstanceType;

/// What every node of a cluster must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Need {
    /// Any of these, the first best; empty where accelerators do not matter.
    pub accelerators: Vec<AcceleratorNeed>,
    /// Any of these, the first best; empty for every type that has the rest.
    pub types: Vec<String>,
    /// Processors.
    pub cpus: Option<Size>,
    /// Memory, GiB.
    pub memory: Option<Size>,
}

/// Accelerators that would do.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceleratorNeed {
    /// Which; none for any.
    pub name: Option<String>,
    /// Memory of each, GiB.
    pub memory: Option<Size>,
    /// How many; none for any number.
    pub count: Option<u32>,
}

/// A size that would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly so much, as far as people name it: 80 is also what reports 79.6.
    Exactly(Decimal),
    /// So much or more.
    AtLeast(Decimal),
}

/// A need that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BadNeed(String);

impl Size {
    /// Reads `80`, `80GiB`, `80GB` or `>=80GiB`.
    pub fn read(text: &str) -> Result<Self, BadNeed> {
        let bad = || BadNeed(format!("{text:?} is no size: write \"80GiB\" or \">=80GiB\""));
        let text = text.trim();
        let (at_least, number) = match text.strip_prefix(">=") {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        let bare = ["GiB", "GB", "TiB"].iter().find_map(|unit| number.strip_suffix(unit));
        let size: Decimal = bare.unwrap_or(number).trim().parse().map_err(|_| bad())?;
        let size = if number.ends_with("TiB") { size * Decimal::from(1024) } else { size };
        if size <= Decimal::ZERO {
            return Err(bad());
        }
        Ok(if at_least { Self::AtLeast(size) } else { Self::Exactly(size) })
    }

    fn holds(self, size: Decimal) -> bool {
        match self {
            // Makers' gigabytes: an A10G of 24 reports 22.4 GiB, a B200 of 180 reports 179.1.
            Self::Exactly(wanted) => {
                size >= wanted * Decimal::new(93, 2) && size <= wanted * Decimal::new(107, 2)
            }
            Self::AtLeast(wanted) => size >= wanted,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Exactly(size) => size.normalize().to_string(),
            Self::AtLeast(size) => format!("at least {}", size.normalize()),
        }
    }
}

impl AcceleratorNeed {
    /// Reads `H100`, `H100:8` or `A100-80GB:8`.
    pub fn read(text: &str) -> Result<Self, BadNeed> {
        let bad = |why: &str| {
            BadNeed(format!("{text:?} {why}: write a name and a number, such as \"H100:8\""))
        };
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => {
                let count: u32 = count.trim().parse().map_err(|_| bad("has no number"))?;
                (name.trim(), Some(count))
            }
            None => (text.trim(), None),
        };
        if name.is_empty() || count == Some(0) {
            return Err(bad("asks for nothing"));
        }
        let sized = name.rsplit_once('-').filter(|(_, tail)| {
            let digits = tail.trim_end_matches("GB").trim_end_matches("GiB");
            tail.ends_with('B') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        });
        let (name, memory) = match sized {
            Some((name, size)) => (name, Some(Size::read(size)?)),
            None => (name, None),
        };
        Ok(Self { name: Some(name.to_owned()), memory, count })
    }

    /// Why these accelerators would not do; none when they would.
    fn lacks(&self, found: &InstanceType) -> Option<String> {
        let Some(has) = &found.accelerator else { return Some("has no accelerators".to_owned()) };
        let other = |name: &String| !name.eq_ignore_ascii_case(&has.name);
        if self.name.as_ref().is_some_and(other) {
            return Some(format!("has {}", has.name));
        }
        if let Some(memory) = self.memory.filter(|memory| !memory.holds(has.memory)) {
            let (has, wanted) = (has.memory.normalize(), memory.words());
            return Some(format!("has {has} GiB per accelerator, not {wanted}"));
        }
        let count = self.count.filter(|count| *count != has.count);
        count.map(|count| format!("has {} {}, not {count}", has.count, has.name))
    }

    /// Whether it is about these accelerators at all: what is left out then deserves a reason.
    fn is_about(&self, found: &InstanceType) -> bool {
        let name = found.accelerator.as_ref().map(|has| has.name.as_str()).unwrap_or_default();
        self.name.as_ref().is_some_and(|wanted| wanted.eq_ignore_ascii_case(name))
    }
}

impl Need {
    /// How good a type is, 0 best, or why it would not do.
    pub fn rank(&self, found: &InstanceType) -> Result<usize, String> {
        let mut rank = 0;
        if !self.types.is_empty() {
            let at = self.types.iter().position(|name| *name == found.name);
            rank = at.ok_or("is not among `instance_types`")?;
        }
        if !self.accelerators.is_empty() {
            let at = self.accelerators.iter().position(|need| need.lacks(found).is_none());
            let near = self.accelerators.iter().find(|need| need.is_about(found));
            let why = || near.or(self.accelerators.first()).and_then(|need| need.lacks(found));
            // Among named types the order of types counts.
            let at = at.ok_or_else(|| why().unwrap_or_default())?;
            rank = if self.types.is_empty() { at } else { rank };
        }
        let short = |word: &str, has: Decimal, size: Option<Size>| match size {
            Some(size) if !size.holds(has) => {
                Err(format!("has {} {word}, not {}", has.normalize(), size.words()))
            }
            Some(_) | None => Ok(()),
        };
        short("vCPUs", Decimal::from(found.vcpus), self.cpus)?;
        short("GiB of memory", found.memory, self.memory)?;
        Ok(rank)
    }

    /// Whether a type that would not do is close enough for its reason to be of use.
    pub fn is_near(&self, found: &InstanceType) -> bool {
        self.types.contains(&found.name)
            || self.accelerators.iter().any(|need| need.is_about(found))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    fn need(text: &str) -> Need {
        let need = AcceleratorNeed::read(text).expect("a need");
        Need { accelerators: vec![need], ..Need::default() }
    }

    fn fits(need: &Need) -> Vec<&'static str> {
        let types = Catalog::shipped().types();
        types.filter(|found| need.rank(found).is_ok()).map(|found| found.name.as_str()).collect()
    }

    #[test]
    fn accelerators_are_asked_for_by_name_memory_and_number() {
        assert_eq!(fits(&need("H100:8")), ["p5.48xlarge"]);
        assert_eq!(fits(&need("h100")), ["p5.48xlarge", "p5.4xlarge"]);
        assert_eq!(fits(&need("A100:8")), ["p4d.24xlarge", "p4de.24xlarge"]);
        assert_eq!(fits(&need("A100-80GB:8")), ["p4de.24xlarge"]);
        assert_eq!(fits(&need("A10G-24GB:8")), ["g5.48xlarge"]);
        assert_eq!(fits(&need("RTX-PRO-6000:8")), ["g7e.48xlarge"]);
        // A slice is no GPU.
        assert!(!fits(&need("L4:1")).iter().any(|name| name.starts_with("g6f")));
    }

    #[test]
    fn sizes_are_asked_for_exactly_or_at_least() {
        let sized = AcceleratorNeed {
            name: None,
            memory: Some(Size::read(">=141GiB").expect("a size")),
            count: Some(8),
        };
        let large = Need { accelerators: vec![sized], ..Need::default() };
        assert_eq!(
            fits(&large),
            ["p5e.48xlarge", "p5en.48xlarge", "p6-b200.48xlarge", "p6-b300.48xlarge"]
        );
        let head = Need {
            types: vec!["m7i.xlarge".to_owned(), "m7i.2xlarge".to_owned()],
            cpus: Some(Size::read(">=8").expect("a size")),
            ..Need::default()
        };
        assert_eq!(fits(&head), ["m7i.2xlarge"]);
        let four = Catalog::shipped().get("m7i.xlarge").expect("in the table");
        assert_eq!(head.rank(four), Err("has 4 vCPUs, not at least 8".to_owned()));
        assert_eq!(Size::read("2TiB"), Ok(Size::Exactly(Decimal::from(2048))));
    }

    #[test]
    fn what_will_not_do_says_why() {
        let why = |text: &str, name: &str| {
            need(text).rank(Catalog::shipped().get(name).expect("in the table")).expect_err("no")
        };
        assert_eq!(why("H100:8", "p5.4xlarge"), "has 1 H100, not 8");
        assert_eq!(why("H100:8", "p4d.24xlarge"), "has A100");
        assert_eq!(why("A100-80GB:8", "p4d.24xlarge"), "has 40 GiB per accelerator, not 80");
        assert_eq!(why("H100:8", "m7i.2xlarge"), "has no accelerators");
        let near = |name: &str| {
            need("H100:8").is_near(Catalog::shipped().get(name).expect("in the table"))
        };
        assert!(near("p5.4xlarge") && !near("m7i.2xlarge"));
    }

    #[test]
    fn preference_is_the_order() {
        let either = Need {
            accelerators: ["H200:8", "H100:8"]
                .map(|text| AcceleratorNeed::read(text).expect("a need"))
                .into(),
            ..Need::default()
        };
        let rank = |name: &str| either.rank(Catalog::shipped().get(name).expect("in the table"));
        assert_eq!((rank("p5en.48xlarge"), rank("p5.48xlarge")), (Ok(0), Ok(1)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ":8", "H100:", "H100:zero", "H100:0"] {
            assert!(AcceleratorNeed::read(text).is_err(), "{text:?}");
        }
        for text in ["", "many", "-1GiB", ">=0"] {
            assert!(Size::read(text).is_err(), "{text:?}");
        }
    }
}
