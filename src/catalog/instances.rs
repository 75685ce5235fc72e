//! Instance types: accelerators, processors, network cards, local disks.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::kinds::Market;

/// What an instance type is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceType {
    /// Its name.
    pub name: String,
    /// Its processors' architecture: `x86_64` or `arm64`.
    pub architecture: String,
    /// Its accelerators.
    pub accelerator: Option<Accelerator>,
    /// Processors.
    pub vcpus: u32,
    /// Memory, GiB.
    pub memory: Decimal,
    /// Network, Gbit/s at most.
    pub gbps: Decimal,
    /// Network cards.
    pub cards: i32,
    /// Interfaces that a card takes.
    pub per_card: i32,
    /// Cards that take EFA.
    pub efa: i32,
    /// The first of them: on p6-b300 card 0 takes none.
    pub efa_from: i32,
    /// Local NVMe, GB in all.
    pub nvme: u32,
    /// To its volumes, Gbit/s at most.
    pub ebs_gbps: Decimal,
    /// How it can be bought. A reservation takes whatever is sold on demand.
    pub markets: BTreeSet<Market>,
    /// Strategies of the placement groups that take it, in EC2's words.
    pub placement: BTreeSet<String>,
}

/// The accelerators of an instance type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accelerator {
    /// Their name, as in `H100`.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Memory of each, GiB.
    pub memory: Decimal,
}

impl InstanceType {
    /// How many accelerators it has.
    pub fn accelerators(&self) -> u32 {
        self.accelerator.as_ref().map_or(0, |found| found.count)
    }

    /// Whether nodes of it can stand close together, in a cluster placement group.
    pub fn stands_close(&self) -> bool {
        self.placement.contains("cluster")
    }

    /// Its accelerators in a few words: `8 × H100 80 GiB`.
    pub fn accelerator_words(&self) -> String {
        match &self.accelerator {
            Some(Accelerator { name, count, memory }) => {
                format!("{count} × {name} {} GiB", memory.normalize())
            }
            None => "none".to_owned(),
        }
    }
}

/// Reads the table; a line that cannot be read is left out, and a test counts them.
pub(super) fn read(text: &str) -> BTreeMap<String, InstanceType> {
    super::rows(text).filter_map(|row| self::row(&row)).map(|it| (it.name.clone(), it)).collect()
}

pub(super) fn row(words: &[&str]) -> Option<InstanceType> {
    let [name, architecture, kind, count, each, vcpus, memory, gbps, cards, per_card, rest @ ..] =
        words
    else {
        return None;
    };
    let [efa, efa_from, nvme, ebs, markets, placement] = rest else { return None };
    let accelerator = match *kind {
        "" => None,
        name => Some(Accelerator {
            name: name.to_owned(),
            count: count.parse().ok()?,
            memory: each.parse().ok()?,
        }),
    };
    Some(InstanceType {
        name: (*name).to_owned(),
        architecture: (*architecture).to_owned(),
        accelerator,
        vcpus: vcpus.parse().ok()?,
        memory: memory.parse().ok()?,
        gbps: gbps.parse().ok()?,
        cards: cards.parse().ok()?,
        per_card: per_card.parse().ok()?,
        efa: efa.parse().ok()?,
        efa_from: efa_from.parse().ok()?,
        nvme: nvme.parse().ok()?,
        ebs_gbps: ebs.parse().ok()?,
        markets: markets.split(' ').map(Market::from_word).collect::<Option<_>>()?,
        placement: placement.split_whitespace().map(str::to_owned).collect(),
    })
}

/// The line that [`row`] reads.
pub(super) fn line(found: &InstanceType) -> String {
    let accelerator = match &found.accelerator {
        Some(Accelerator { name, count, memory }) => format!("{name},{count},{memory}"),
        None => ",0,0".to_owned(),
    };
    let InstanceType { name, architecture, vcpus, memory, gbps, cards, per_card, .. } = found;
    let InstanceType { efa, efa_from, nvme, ebs_gbps, markets, placement, .. } = found;
    let markets: Vec<&str> = markets.iter().map(|market| market.word()).collect();
    format!(
        "{name},{architecture},{accelerator},{vcpus},{memory},{gbps},{cards},{per_card},{efa},\
         {efa_from},{nvme},{ebs_gbps},{},{}",
        markets.join(" "),
        placement.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    )
}

/// Sizes of instance types that are no multiple of one.
const SIZES: [&str; 7] = ["nano", "micro", "small", "medium", "large", "xlarge", "metal"];

/// Whether AWS could call a type so: `p5.48xlarge`, `u7in-16tb.224xlarge`, `i7ie.metal-24xl`
/// (<https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>).
pub fn is_type_name(name: &str) -> bool {
    let Some((family, size)) = name.split_once('.') else { return false };
    let fine = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let family = family.bytes().all(fine)
        && family.starts_with(|c: char| c.is_ascii_lowercase())
        && !family.ends_with('-');
    let number = |text: &str| text.parse::<u16>().is_ok() && !text.starts_with(['0', '+']);
    let times = |end: &str| size.strip_suffix(end).is_some_and(number);
    let metal = size.strip_prefix("metal-").and_then(|size| size.strip_suffix("xl"));
    family && (SIZES.contains(&size) || times("xlarge") || metal.is_some_and(number))
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, rows};
    use super::*;

    #[test]
    fn every_row_is_read() {
        let text = include_str!("instance_types.csv");
        assert_eq!(rows(text).count(), read(text).len());
        let p5 = Catalog::shipped().get("p5.48xlarge").expect("in the table");
        assert_eq!(p5.accelerator_words(), "8 × H100 80 GiB");
        assert_eq!((p5.cards, p5.efa, p5.efa_from, p5.nvme), (32, 32, 0, 30400));
        assert!(p5.markets.contains(&Market::CapacityBlock) && p5.stands_close());
        assert!(Catalog::shipped().get("t3.large").is_some_and(|it| !it.stands_close()));
        for found in Catalog::shipped().types() {
            assert_eq!(row(&line(found).split(',').collect::<Vec<_>>()).as_ref(), Some(found));
            assert!(found.efa == 0 || found.stands_close(), "{}", found.name);
            assert!(found.efa_from + found.efa <= found.cards, "{}", found.name);
            assert!(found.markets.contains(&Market::OnDemand), "{}", found.name);
        }
    }

    #[test]
    fn it_holds_what_people_train_on() {
        let names: BTreeSet<_> = Catalog::shipped()
            .types()
            .filter_map(|found| Some(found.accelerator.as_ref()?.name.as_str()))
            .collect();
        for name in [
            "V100",
            "A100",
            "H100",
            "H200",
            "B200",
            "B300",
            "L4",
            "L40S",
            "A10G",
            "T4",
            "Trainium",
            "Trainium2",
            "Inferentia2",
        ] {
            assert!(names.contains(name), "{name}");
        }
        assert!(Catalog::shipped().get("m7i.2xlarge").is_some_and(|it| it.accelerator.is_none()));
    }
}
