//! What a region sells, as its own services told on a day: what `mlinfra catalog refresh`
//! writes down, and how that is read again.
//!
//! The file is text that people can read and compare. It begins with its format, and ends
//! with a line of its own, so that half a file is not taken for a small one.

use std::collections::{BTreeMap, BTreeSet};

use super::instances::{self, InstanceType};
use super::services::Unit;
use crate::model::{Money, Region, Zone};

/// The words that such a file begins with, and its format.
const MAGIC: &str = "mlinfra-catalogue";
/// The format that this version writes and reads.
const FORMAT: &str = "2";
const END: &str = "[end]";

/// What a region sells.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh {
    /// The region.
    pub region: Region,
    /// The day on which it was asked, as `2026-11-27`.
    pub day: String,
    /// Who told the prices.
    pub source: String,
    /// Instance types by name.
    pub types: BTreeMap<String, InstanceType>,
    /// The zones that offer a type.
    pub zones: BTreeMap<String, BTreeSet<Zone>>,
    /// US dollars for an hour on demand.
    pub prices: BTreeMap<String, Money>,
    /// US dollars for an hour on spot.
    pub spot: BTreeMap<(String, Zone), Money>,
    /// What else has a price.
    pub services: BTreeMap<String, (Unit, Money)>,
}

/// Why a file is none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// Something else.
    #[error("it is no catalogue of mlinfra's")]
    Foreign,
    /// From another time.
    #[error("it has format {0:?}, and this mlinfra reads format {FORMAT:?}")]
    Format(String),
    /// Of somewhere else.
    #[error("it is of region {0}")]
    Elsewhere(Region),
    /// Its end is missing.
    #[error("it is cut off: its last line is not {END:?}")]
    CutOff,
    /// A line says nothing.
    #[error("line {0} cannot be read")]
    Line(usize),
}

impl Fresh {
    /// An empty one.
    pub fn new(region: Region, day: String, source: String) -> Self {
        Self {
            region,
            day,
            source,
            types: BTreeMap::new(),
            zones: BTreeMap::new(),
            prices: BTreeMap::new(),
            spot: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    /// Only what a few types and the services cost: enough to plan again with the same prices.
    #[must_use]
    pub fn only(mut self, names: &BTreeSet<String>) -> Self {
        self.types.retain(|name, _| names.contains(name));
        self.zones.retain(|name, _| names.contains(name));
        self.prices.retain(|name, _| names.contains(name));
        self.spot.retain(|(name, _), _| names.contains(name));
        self
    }

    /// As the text of a file.
    pub fn text(&self) -> String {
        let Self { region, day, source, types, zones, prices, spot, services } = self;
        let mut out = format!(
            "{MAGIC} {FORMAT}\n\
             # What {region} sells, as AWS told it: `mlinfra catalog refresh` writes this file,\n\
             # `mlinfra catalog clear` takes it away. Prices are list prices in USD.\n\
             region {region}\nday {day}\nsource {source}\n\n\
             # type, architecture, accelerator, how many, GiB each, vCPU, GiB, network Gbit/s,\n\
             # cards, interfaces per card, cards with EFA, the first of them, NVMe GB, EBS Gbit/s, \
             markets, placement groups\n[types]\n"
        );
        let mut add = |line: String| {
            out.push_str(&line);
            out.push('\n');
        };
        types.values().for_each(|found| add(instances::line(found)));
        add("\n# type, zones that offer it\n[zones]".to_owned());
        for (name, found) in zones {
            let found: Vec<&str> = found.iter().map(Zone::as_str).collect();
            add(format!("{name},{}", found.join(" ")));
        }
        add("\n# type, USD an hour on demand (Linux)\n[prices]".to_owned());
        prices.iter().for_each(|(name, usd)| add(format!("{name},{}", usd.dollars())));
        add("\n# type, zone, USD an hour on spot on that day (Linux)\n[spot]".to_owned());
        spot.iter().for_each(|((name, at), usd)| add(format!("{name},{at},{}", usd.dollars())));
        add("\n# what, a unit of it by the hour or by the month, USD\n[services]".to_owned());
        for (name, (unit, usd)) in services {
            add(format!("{name},{},{}", unit.word(), usd.dollars()));
        }
        add(format!("\n{END}"));
        out
    }

    /// Reads what [`Fresh::text`] wrote for a region, and trusts nothing.
    pub fn read(text: &str, region: &Region) -> Result<Self, Stale> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        match first.strip_prefix(MAGIC).map(str::trim) {
            Some(FORMAT) => {}
            Some(other) => return Err(Stale::Format(other.to_owned())),
            None => return Err(Stale::Foreign),
        }
        let mut out = Self::new(Region(String::new()), String::new(), String::new());
        let (mut section, mut ended) = (String::new(), false);
        for (at, line) in lines.enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            ended = line == END;
            if line.starts_with('[') {
                line.clone_into(&mut section);
            } else {
                out.take(&section, line).ok_or(Stale::Line(at + 2))?;
            }
        }
        if !ended {
            return Err(Stale::CutOff);
        }
        if out.region != *region {
            return Err(Stale::Elsewhere(out.region));
        }
        let whole = is_day(&out.day) && !out.source.is_empty();
        whole.then_some(out).ok_or(Stale::Foreign)
    }

    /// Reads one line.
    fn take(&mut self, section: &str, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split(',').collect();
        let usd = |text: &str| Some(Money::new(text.parse().ok()?));
        match (section, words.as_slice()) {
            ("", _) => {
                let (key, value) = line.split_once(' ')?;
                match key {
                    "region" => self.region = Region::from(value),
                    "day" => value.clone_into(&mut self.day),
                    "source" => value.clone_into(&mut self.source),
                    _ => return None,
                }
            }
            ("[types]", words) => {
                let found = instances::row(words)?;
                self.types.insert(found.name.clone(), found);
            }
            ("[zones]", [name, zones]) => {
                let zones = zones.split_whitespace().map(Zone::from).collect();
                self.zones.insert((*name).to_owned(), zones);
            }
            ("[prices]", [name, price]) => drop(self.prices.insert((*name).into(), usd(price)?)),
            ("[spot]", [name, zone, price]) => {
                self.spot.insert(((*name).to_owned(), Zone::from(*zone)), usd(price)?);
            }
            ("[services]", [name, unit, price]) => {
                let unit = Unit::from_word(unit)?;
                self.services.insert((*name).to_owned(), (unit, usd(price)?));
            }
            (_, _) => return None,
        }
        Some(())
    }
}

/// Whether a text is a day, such as `2026-11-27`.
fn is_day(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    fn fresh() -> Fresh {
        let region = Region::from("eu-central-1");
        let mut out = Fresh::new(region, "2026-11-27".to_owned(), "https://x/".to_owned());
        let usd = |text: &str| Money::new(text.parse().expect("a number"));
        for name in ["p5.48xlarge", "c7i.2xlarge"] {
            let found = Catalog::shipped().get(name).expect("in the table");
            out.types.insert(name.to_owned(), found.clone());
        }
        let zone = Zone::from("eu-central-1a");
        out.zones.insert("p5.48xlarge".to_owned(), [zone.clone()].into());
        out.prices.insert("p5.48xlarge".to_owned(), usd("68.8"));
        out.spot.insert(("p5.48xlarge".to_owned(), zone), usd("20.125"));
        out.services.insert("nat-gateway".to_owned(), (Unit::Hour, usd("0.052")));
        out.services.insert("gp3-storage".to_owned(), (Unit::Month, usd("0.0952")));
        out
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (fresh, region) = (fresh(), Region::from("eu-central-1"));
        assert_eq!(Fresh::read(&fresh.text(), &region), Ok(fresh.clone()));
        let some = fresh.only(&["c7i.2xlarge".to_owned()].into());
        assert_eq!((some.types.len(), some.prices.len(), some.services.len()), (1, 0, 2));
        assert_eq!(Fresh::read(&some.text(), &region), Ok(some));
    }

    #[test]
    fn what_is_not_whole_is_not_believed() {
        let (text, region) = (fresh().text(), Region::from("eu-central-1"));
        let read = |text: &str| Fresh::read(text, &region).expect_err("no catalogue");
        assert_eq!(read(""), Stale::Foreign);
        assert_eq!(read("[end]\n"), Stale::Foreign);
        assert_eq!(read(&text.replacen(" 2\n", " 1\n", 1)), Stale::Format("1".to_owned()));
        let half = &text[..text.len() / 2];
        assert!(matches!(read(half), Stale::CutOff | Stale::Line(_)), "{half}");
        assert_eq!(read(text.trim_end().trim_end_matches(END)), Stale::CutOff);
        let line = text.lines().position(|line| line.starts_with("p5.48xlarge,68.8"));
        let wrong = text.replace("p5.48xlarge,68.8", "p5.48xlarge,cheap");
        assert_eq!(read(&wrong), Stale::Line(line.expect("a price") + 1));
        assert_eq!(read(&text.replace("day 2026-11-27", "day today")), Stale::Foreign);
        let other = Fresh::read(&text, &Region::from("us-east-1"));
        assert_eq!(other, Err(Stale::Elsewhere(region)));
    }
}
