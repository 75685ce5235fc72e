//! The tables that hold: those in the binary, with a region's fresh ones over them.

use std::ops::Deref;
use std::sync::Arc;

use super::{Catalog, Fresh};

/// The tables that hold. Without more they are those in the binary.
#[derive(Clone, Debug, Default)]
pub struct Tables(Option<Arc<(Catalog, Fresh)>>);

impl Tables {
    /// With what a region told over them.
    pub fn with(fresh: Fresh) -> Self {
        let catalog = Catalog::shipped().clone().over(&fresh);
        Self(Some(Arc::new((catalog, fresh))))
    }

    /// What lies over them.
    pub fn fresh(&self) -> Option<&Fresh> {
        self.0.as_ref().map(|found| &found.1)
    }
}

impl PartialEq for Tables {
    fn eq(&self, other: &Self) -> bool {
        self.fresh() == other.fresh()
    }
}

impl Eq for Tables {}

impl Deref for Tables {
    type Target = Catalog;

    fn deref(&self) -> &Catalog {
        self.0.as_ref().map_or_else(|| Catalog::shipped(), |found| &found.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Market;
    use crate::model::{Money, Region};

    #[test]
    fn fresh_prices_hold_in_their_region_and_the_shipped_ones_elsewhere() {
        let region = Region::from("eu-central-1");
        let mut fresh =
            Fresh::new(region.clone(), "2026-11-27".to_owned(), "https://x/".to_owned());
        let usd = |text: &str| Money::new(text.parse().expect("a number"));
        fresh.prices.insert("p5.48xlarge".to_owned(), usd("68.8"));
        let mut own = Catalog::shipped().get("p5.48xlarge").expect("in the table").clone();
        own.vcpus = 1;
        fresh.types.insert(own.name.clone(), own.clone());
        own.name = "p9.48xlarge".to_owned();
        fresh.types.insert(own.name.clone(), own.clone());
        own.name = "m9.large".to_owned();
        own.accelerator = None;
        fresh.types.insert(own.name.clone(), own);
        let tables = Tables::with(fresh);
        let price = tables.price(&region, "p5.48xlarge", Market::OnDemand).expect("a price");
        assert_eq!((price.day.as_str(), price.usd), ("2026-11-27", usd("68.8")));
        let other = tables.price(&Region::from("us-east-1"), "p5.48xlarge", Market::OnDemand);
        assert_eq!(other.map(|it| it.usd), Some(usd("55.04")));
        // What was checked by hand stays; what nobody had heard of is added, by name, and by
        // need where it has accelerators.
        assert_eq!(tables.get("p5.48xlarge").map(|it| it.vcpus), Some(192));
        assert!(tables.get("m9.large").is_some() && tables.get("p9.48xlarge").is_some());
        let known: Vec<&str> = tables.types().map(|it| it.name.as_str()).collect();
        assert!(known.contains(&"p9.48xlarge") && !known.contains(&"m9.large"));
        assert_ne!(tables, Tables::default());
        assert_eq!(Tables::default().types().count(), Catalog::shipped().types().count());
    }
}
