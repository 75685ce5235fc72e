//! Quotas that launches count against.

use crate::kinds::Market;

/// A quota of the account in a region, in vCPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Families of instance types, or families with their generation.
    families: Vec<String>,
    /// Of which market.
    market: Market,
    /// Its code, as the service knows it.
    pub code: String,
    /// Its name, as the console shows it.
    pub name: String,
}

/// Reads the table; the last field may hold commas, in quotes.
pub(super) fn read(text: &str) -> Vec<Quota> {
    let data = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    data.filter_map(row).collect()
}

fn row(line: &str) -> Option<Quota> {
    let mut words = line.splitn(4, ',');
    let (families, market, code, name) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    Some(Quota {
        families: families.split(' ').map(str::to_owned).collect(),
        market: Market::from_word(market)?,
        code: code.to_owned(),
        name: name.trim_matches('"').to_owned(),
    })
}

impl Quota {
    /// Whether nodes of a type count against it. A reservation counts like what is bought on
    /// demand.
    pub(super) fn counts(&self, instance_type: &str, market: Market) -> bool {
        let market = match market {
            Market::Spot => Market::Spot,
            Market::OnDemand | Market::Reserved | Market::CapacityBlock => Market::OnDemand,
        };
        let letters = instance_type.chars().take_while(char::is_ascii_alphabetic).count();
        let (family, rest) = instance_type.split_at(letters);
        let generation: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let of = |known: &String| *known == family || *known == format!("{family}{generation}");
        self.market == market && self.families.iter().any(of)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_type_has_the_quota_of_its_family() {
        let code = |name, market| Catalog::quota(name, market).map(|quota| quota.code.as_str());
        assert_eq!(code("p5.48xlarge", Market::OnDemand), Some("L-417A185B"));
        assert_eq!(code("p5.48xlarge", Market::Reserved), Some("L-417A185B"));
        assert_eq!(code("p5en.48xlarge", Market::Spot), Some("L-C4BD4855"));
        assert_eq!(code("p4de.24xlarge", Market::Spot), Some("L-7212CCBC"));
        assert_eq!(code("p6-b200.48xlarge", Market::Spot), None);
        assert_eq!(code("g6e.xlarge", Market::OnDemand), Some("L-DB2E81BA"));
        assert_eq!(code("m7i.large", Market::Spot), Some("L-34B43A08"));
        let text = include_str!("quotas.csv");
        assert_eq!(text.lines().filter(|line| line.contains(",L-")).count(), read(text).len());
        for found in Catalog::shipped().types() {
            assert!(code(&found.name, Market::OnDemand).is_some(), "{}", found.name);
        }
    }
}
