//! What was found around the wizard: profiles, the account, what a region offers.

use std::collections::BTreeSet;

use crate::catalog::Tables;
use crate::model::Money;

/// A profile of the AWS configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The region that it names.
    pub region: Option<String>,
}

/// Whose the credentials are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// Nobody has asked yet.
    #[default]
    Unasked,
    /// It has answered.
    Found {
        /// Its twelve digits.
        id: String,
        /// Who asks.
        arn: String,
    },
    /// There is none to be seen, and why.
    Missing(String),
}

/// Where the nodes of a draft can run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fits {
    /// How many offers there are.
    pub offers: usize,
    /// What a node costs per hour on the best one.
    pub price: Option<Money>,
    /// The same on the best offer of the dearest way to buy it that may be fallen back to.
    pub fallback: Option<Money>,
    /// The first reason why something does not do.
    pub why: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// The simulated region was asked for.
    pub sandbox: bool,
    /// Profiles, in the order of their files.
    pub profiles: Vec<Profile>,
    /// The profile that flags or the environment name.
    pub profile: Option<String>,
    /// The region that the environment names.
    pub region: Option<String>,
    /// Whose the credentials are.
    pub account: Account,
    /// What the folder is called.
    pub folder: String,
    /// Files that would be overwritten.
    pub existing: Vec<String>,
    /// Public keys that could log in.
    pub keys: Vec<String>,
    /// Instance types that the region offers; none where nobody could tell.
    pub offered: Option<BTreeSet<String>>,
    /// Hardware and prices.
    pub tables: Tables,
    /// Where the draft can run; none where nobody could tell.
    pub fits: Option<Fits>,
    /// What the draft costs per hour with all of its nodes, where all prices are known.
    pub most_per_hour: Option<Money>,
    /// The bucket that would keep the ledger.
    pub ledger_bucket: Option<String>,
}

impl Around {
    /// The region that profile or environment name.
    pub fn named_region(&self, profile: Option<&str>) -> Option<&str> {
        let chosen = profile.or(self.profile.as_deref()).unwrap_or("default");
        let of = self.profiles.iter().find(|known| known.name == chosen);
        self.region.as_deref().or_else(|| of?.region.as_deref())
    }
}
