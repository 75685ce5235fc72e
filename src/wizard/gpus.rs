//! The accelerators that can be had, by their names, with what a node of them costs.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Accelerator, InstanceType};
use crate::kinds::Market;
use crate::model::{Money, Region};

use super::around::Around;

/// Kinds that nobody trains on: parts of a card, and chips for inference alone.
const NOT_FOR_TRAINING: [&str; 3] = ["Inferentia2", "L4-slice", "T4g"];

/// Accelerators of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// As a cluster's `accelerators` names them: `H100`, `A100-80GB`.
    pub name: String,
    /// Memory of each, in the makers' words.
    pub memory: String,
    /// How many a node may have, and the least that such a node costs per hour.
    pub counts: BTreeMap<u32, Option<Money>>,
    /// Some of its nodes have local NVMe disks.
    pub nvme: bool,
    /// All nodes with so many of them have EFA.
    pub efa: BTreeSet<u32>,
}

impl Gpu {
    /// The least that a node costs.
    fn least(&self) -> Option<Money> {
        self.counts.values().flatten().min().copied()
    }

    /// `24 GiB each, 1, 4 or 8 in a node, from $1.01/h`
    pub(super) fn says(&self) -> String {
        let counts: Vec<String> = self.counts.keys().map(ToString::to_string).collect();
        let counts = match counts.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            counts => counts.concat(),
        };
        let price = match self.least() {
            Some(price) => format!("a node from {price}/h"),
            None => "price not known".to_owned(),
        };
        format!("{} GiB each, {counts} in a node, {price}", self.memory)
    }
}

/// All that the region offers, the cheapest first, those without a known price last.
pub fn gpus(around: &Around, region: &Region) -> Vec<Gpu> {
    let mut by: BTreeMap<String, BTreeMap<String, Vec<&InstanceType>>> = BTreeMap::new();
    for found in around.tables.types() {
        let Some(accelerator) = &found.accelerator else { continue };
        let gone = around.offered.as_ref().is_some_and(|offered| !offered.contains(&found.name));
        if !gone && !NOT_FOR_TRAINING.contains(&accelerator.name.as_str()) {
            let sizes = by.entry(accelerator.name.clone()).or_default();
            sizes.entry(gigabytes(accelerator)).or_default().push(found);
        }
    }
    let several = |name: &str| {
        let known = around.tables.types().filter_map(|found| found.accelerator.as_ref());
        let sizes: BTreeSet<String> = known.filter(|it| it.name == name).map(gigabytes).collect();
        sizes.len() > 1
    };
    let mut out: Vec<Gpu> = Vec::new();
    for (name, sizes) in &by {
        for (memory, types) in sizes {
            let name = if several(name) { format!("{name}-{memory}GB") } else { name.clone() };
            out.push(gpu(name, memory, types, (around, region)));
        }
    }
    out.sort_by_key(|gpu| (gpu.least().is_none(), gpu.least(), gpu.name.clone()));
    out
}

fn gpu(
    name: String,
    memory: &str,
    types: &[&InstanceType],
    (around, region): (&Around, &Region),
) -> Gpu {
    let mut counts: BTreeMap<u32, Option<Money>> = BTreeMap::new();
    for found in types {
        let price = around.tables.price(region, &found.name, Market::OnDemand).map(|it| it.usd);
        let least = counts.entry(found.accelerators()).or_default();
        *least = (*least).into_iter().chain(price).min();
    }
    let nvme = types.iter().any(|found| found.nvme > 0);
    let slow =
        |count: &u32| types.iter().any(|found| found.accelerators() == *count && found.efa == 0);
    let efa = counts.keys().copied().filter(|count| !slow(count)).collect();
    Gpu { name, memory: memory.to_owned(), counts, nvme, efa }
}

/// As the makers say it: EC2 reports 22.4 GiB for an A10G of 24, and 44.7 for an L40S of 48.
fn gigabytes(accelerator: &Accelerator) -> String {
    const SOLD: [u32; 14] = [3, 6, 8, 12, 16, 24, 32, 40, 48, 80, 96, 141, 180, 288];
    let memory = accelerator.memory;
    let near = SOLD.iter().find(|sold| {
        let sold = rust_decimal::Decimal::from(**sold);
        memory <= sold && memory * rust_decimal::Decimal::new(108, 2) >= sold
    });
    near.map_or_else(|| memory.normalize().to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_had_is_told_with_its_price() {
        let around = Around::default();
        let found = gpus(&around, &Region::from("us-east-1"));
        let names: Vec<&str> = found.iter().map(|gpu| gpu.name.as_str()).collect();
        for name in ["A10G", "A100-40GB", "A100-80GB", "H100", "H200", "V100-16GB", "L40S", "B200"]
        {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert_eq!(names.first(), Some(&"T4"));
        let a10g = found.iter().find(|gpu| gpu.name == "A10G").expect("there");
        assert_eq!(a10g.says(), "24 GiB each, 1, 4 or 8 in a node, a node from $1.01/h");
        assert!(a10g.nvme);
        let elsewhere = gpus(&around, &Region::from("eu-west-1"));
        assert!(elsewhere[0].says().ends_with("price not known"), "{}", elsewhere[0].says());
    }

    #[test]
    fn what_a_region_does_not_offer_is_left_out() {
        let offered = Some(["p5.48xlarge".to_owned()].into());
        let around = Around { offered, ..Around::default() };
        let found = gpus(&around, &Region::from("us-east-1"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].counts.keys().collect::<Vec<_>>(), [&8]);
        assert!(found[0].efa.contains(&8));
    }
}
