//! Instance types: accelerators, network cards, price.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;

/// The day on which the prices were read; us-east-1, Linux, on demand.
pub const PRICES_OF: &str = "2026-07-20";

/// What an instance type is.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceType {
    /// Its name.
    pub name: &'static str,
    /// The accelerator's name.
    pub accelerator: &'static str,
    /// How many accelerators.
    pub accelerators: u32,
    /// Processors.
    pub vcpus: u32,
    /// Network cards.
    pub cards: i32,
    /// Interfaces that can be EFA.
    pub efa: i32,
    /// USD per hour on demand, where it is known.
    pub price: Option<Decimal>,
}

static TABLE: LazyLock<BTreeMap<&'static str, InstanceType>> = LazyLock::new(|| {
    let rows = include_str!("instance_types.csv").lines();
    rows.filter_map(row).map(|found| (found.name, found)).collect()
});

fn row(line: &'static str) -> Option<InstanceType> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split(',');
    let mut next = || words.next();
    let (name, accelerator) = (next()?, next()?);
    let (accelerators, _memory, vcpus) = (next()?.parse().ok()?, next()?, next()?.parse().ok()?);
    let (_ram, _gbps) = (next()?, next()?);
    let (cards, efa) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (_nvme, price) = (next()?, next()?.parse().ok());
    Some(InstanceType { name, accelerator, accelerators, vcpus, cards, efa, price })
}

/// Looks an instance type up; most of AWS's types have no accelerator and no entry.
pub fn instance_type(name: &str) -> Option<&'static InstanceType> {
    TABLE.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let rows = include_str!("instance_types.csv").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows.count(), TABLE.len());
        let p5 = instance_type("p5.48xlarge").expect("in the table");
        assert_eq!((p5.accelerator, p5.accelerators, p5.cards, p5.efa), ("H100", 8, 32, 32));
        assert_eq!(p5.price, Some(Decimal::new(5504, 2)));
        assert!(TABLE.values().all(|found| found.efa <= found.cards));
    }
}
