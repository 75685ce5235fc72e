//! Floor 2: the port. What a cloud can be asked and told, whichever cloud it is.
//!
//! Two adapters stand behind it: `aws/` and the simulated region `sim/`. One
//! [`Call`] is one mutating API call, so that every point at which a process can
//! die between two calls exists in the simulated region too.

mod call;
mod capacity;
mod condition;
mod failure;
mod interruption;
mod lookup;
mod notice;
mod observed;
mod probe;

pub use call::{Call, Launch, Make, Owner, Reply};
pub use capacity::{Reservation, SpotPrice, SpotPrices, is_closing, taken_back};
pub use condition::{Announced, Checks, Condition, Health, Quarantine};
pub use failure::{Class, Failure, Left};
pub use interruption::Interrupted;
pub use lookup::{Lookup, Lookups, Match, matched};
pub use notice::{Notice, NoticeKind};
pub use observed::{Live, Observed, Phase, Seen, Stray};
pub use probe::{Measure, Permission, Permissions, Pulse, Running};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;

use crate::kinds::{Home, KindName};
use crate::model::{CloudId, ImageId, Moment, Region, StackName, Zone};

/// A region of a cloud, seen through one set of credentials. Every adapter answers every question
/// itself: an answer that came from here would look like the cloud's, and what a cloud was not
/// asked for is not nothing. Only what follows from another answer stands here.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Who asks, and in which account.
    async fn caller(&self) -> Result<Caller, Failure>;

    /// What expanding the configuration needs to know of the world.
    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure>;

    /// Everything that carries the stack's tag. Cannot fail as a whole: what could not
    /// be listed is named in [`Observed::blind`].
    async fn observe(&self, scope: &Scope) -> Observed;

    /// The same of some kinds only, for whoever looks every few seconds.
    async fn glance(&self, scope: &Scope, kinds: &BTreeSet<KindName>) -> Observed {
        self.observe(scope).await.only(kinds)
    }

    /// Exactly one mutating API call, without retries of our own.
    async fn act(&self, call: &Call) -> Result<Reply, Failure>;

    /// One object by its id or name, whoever owns it.
    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure>;

    /// How far one object is on its way to being ready, or gone.
    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure>;

    /// How far nodes are and how they are, in as few calls as that takes; one that is not there
    /// may be left out.
    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure>;

    /// How high a quota of the account is, by its service and code; none where that is not known.
    async fn quota(&self, service: &str, code: &str) -> Result<Option<u64>, Failure>;

    /// How much of something the account has in the region, whoever's it is.
    async fn usage(&self, of: &Measure) -> Result<u64, Failure>;

    /// Its clock, and when the credentials end.
    async fn pulse(&self) -> Pulse;

    /// Which of these actions the caller may do, found out without doing any.
    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions;

    /// Nodes that run or start in the account and region, whoever's they are.
    async fn running(&self) -> Result<Running, Failure>;

    /// For how long reads may still show what was deleted.
    fn lag(&self) -> Duration;

    /// Which APIs were called how often so far.
    fn calls(&self) -> CallCounts;
}

/// API → number of calls and the seconds they took in all.
pub type CallCounts = BTreeMap<String, CallCount>;

/// One row of [`CallCounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CallCount {
    /// Requests sent, retries included.
    pub calls: u64,
    /// Seconds from sending to answer, summed.
    pub seconds: f64,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Account and region.
    pub home: Home,
    /// The identity's ARN.
    pub arn: String,
}

/// What to find out before the configuration can be expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Images by name, SSM parameter or id.
    pub images: BTreeSet<String>,
    /// Instance types whose zones matter.
    pub instance_types: BTreeSet<String>,
    /// What exists already.
    pub lookups: BTreeSet<Lookup>,
    /// Whether capacity is kept for the account.
    pub reservations: Wish,
    /// Instance types whose prices on spot matter.
    pub spot: BTreeSet<String>,
    /// When they are asked for.
    pub at: Moment,
}

/// How much an answer matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// Nobody asks.
    #[default]
    No,
    /// It is told where it may be seen: nothing depends on it.
    Welcome,
    /// Nothing goes on without.
    Needed,
}

/// The root disk of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDisk {
    /// What the image calls it. A disk under any other name would be a second one.
    pub device: String,
    /// What it holds, in GiB: EC2 makes none that is smaller.
    pub size: u32,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Account and region.
    pub home: Home,
    /// Zones that are open to this account, in order.
    pub zones: Vec<Zone>,
    /// The image behind each name; a name that has none is absent.
    pub images: BTreeMap<String, ImageId>,
    /// What their publishers call them, where that is known.
    pub image_names: BTreeMap<ImageId, String>,
    /// Their root disks, where that is known.
    pub image_disks: BTreeMap<ImageId, ImageDisk>,
    /// Which zones offer an instance type; empty for a type that the region lacks.
    pub offerings: BTreeMap<String, BTreeSet<Zone>>,
    /// What was found of what exists already.
    pub lookups: Lookups,
    /// Capacity that is kept for the account, in the order of ids.
    pub reservations: Vec<Reservation>,
    /// What spot costs, where that is known.
    pub spot: SpotPrices,
}

impl Facts {
    /// Facts that only name the home: enough to check a configuration without a cloud.
    pub fn bare(home: Home) -> Self {
        let (images, image_names) = (BTreeMap::new(), BTreeMap::new());
        let image_disks = BTreeMap::new();
        let (offerings, lookups) = (BTreeMap::new(), Lookups::new());
        let (zones, reservations, spot) = (Vec::new(), Vec::new(), SpotPrices::new());
        Self {
            home,
            zones,
            images,
            image_names,
            image_disks,
            offerings,
            lookups,
            reservations,
            spot,
        }
    }

    /// The region.
    pub fn region(&self) -> &Region {
        &self.home.region
    }
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose objects.
    pub stack: StackName,
    /// Where.
    pub home: Home,
    /// Names that the author chose and that no prefix of ours covers.
    pub names: BTreeSet<(KindName, String)>,
}

/// In names of buckets whose objects are ours, behind the stack's.
pub const OBJECTS: &str = "setup";

impl Scope {
    /// What the computed names of the stack's buckets begin with: all of the stack's name,
    /// or as much of it as a shortened name keeps. Tags tell whose a bucket is.
    pub fn bucket_prefix(&self) -> String {
        self.kept(&format!("{}-", self.stack))
    }

    /// The same of buckets whose objects are ours as well ([`crate::kinds::BucketObject`]).
    pub fn object_prefix(&self) -> String {
        self.kept(&format!("{}-{OBJECTS}-", self.stack))
    }

    /// As much of the beginning of a name as a shortened one keeps.
    fn kept(&self, beginning: &str) -> String {
        let Home { account, region } = &self.home;
        let tail = format!("-{account}-{region}-an").len();
        // A shortened name ends in a dash and eight digits of a checksum, before its tail.
        let kept = 63_usize.saturating_sub(tail + 9);
        beginning.chars().take(kept).collect()
    }
}
