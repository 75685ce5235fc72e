//! Floor 2: tables of what AWS offers, as readable data with a date.

mod expect;
mod images;
mod instances;
mod need;
mod prices;

pub use expect::{Maker, expectation};
pub use images::{
    ImageQuery, image_names, image_of_parameter, image_query, is_image_id, is_parameter,
    is_public_image_parameter,
};
pub use instances::{Accelerator, InstanceType};
pub use need::{AcceleratorNeed, BadNeed, Need, Size};
pub use prices::Price;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::kinds::Market;
use crate::model::Region;

/// What AWS offers, and for how much.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    types: BTreeMap<String, InstanceType>,
    prices: BTreeMap<(Region, String, Market), Price>,
}

static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    types: instances::read(include_str!("instance_types.csv")),
    prices: prices::read(include_str!("prices.csv")),
});

impl Catalog {
    /// The one that every binary carries.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Looks an instance type up. AWS has many more, most of them without accelerators.
    pub fn get(&self, name: &str) -> Option<&InstanceType> {
        self.types.get(name)
    }

    /// All of them.
    pub fn types(&self) -> impl Iterator<Item = &InstanceType> {
        self.types.values()
    }

    /// What a node costs per hour; none where that is not known.
    pub fn price(&self, region: &Region, name: &str, market: Market) -> Option<&Price> {
        self.prices.get(&(region.clone(), name.to_owned(), market))
    }
}

/// The lines of a table that hold data.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let data = |line: &&str| !line.starts_with('#') && !line.trim().is_empty();
    text.lines().filter(data).map(|line| line.split(',').collect())
}
