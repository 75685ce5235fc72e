//! A laboratory: a simulated region, a ledger in memory or in a bucket, and a process that
//! can die at any of its calls and writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::apply::{Ended, NoApply};
use mlinfra::cloud::{
    Ask, Call, CallCounts, Caller, Cloud, Condition, Facts, Failure, Measure, Observed,
    Permissions, Phase, Pulse, Reply, Running, Scope, Stray,
};
use mlinfra::kinds::{Home, KindName, Plan};
use mlinfra::lang::{self, File, Loaded, Vars};
use mlinfra::ledger::{
    Blob, Holder, Journal, Lock, MemoryStore, Miss, Objects, Store, StoreError, Version,
};
use mlinfra::model::{Clock, CloudId, Moment, tags};
use mlinfra::plan::{Refusal, plan};
use mlinfra::sim::{ObjectView, Region, Settings};
use mlinfra::stack::{self, Desired, Moves, Pins, Words};
use tokio::sync::Notify;

use crate::bucket::{self, Bucket};
use crate::hands::{Strays, hands, reach};

/// The clock of a simulated region.
pub struct SimClock(pub Region);

impl Clock for SimClock {
    fn now(&self) -> Moment {
        Moment(i64::try_from(self.0.now()).expect("a time"))
    }
}

/// Counts the moments at which a process can die, and dies at one of them.
#[derive(Clone)]
pub struct Death {
    seen: Arc<AtomicUsize>,
    at: usize,
    died: Arc<Notify>,
}

impl Death {
    /// Dies at the n-th moment (from 0); never at `usize::MAX`.
    pub fn at(at: usize) -> Self {
        Self { seen: Arc::default(), at, died: Arc::default() }
    }

    /// How many moments there were.
    pub fn moments(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// A moment passes. The process that dies does nothing any more: its future never
    /// goes on, and whoever waits for it drops it.
    async fn moment(&self) {
        if self.seen.fetch_add(1, Ordering::SeqCst) == self.at {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// What was made while another of the same address and generation (or batch) stood.
type Doubles = std::sync::Mutex<BTreeSet<String>>;

fn standing(object: &ObjectView) -> bool {
    !matches!(object.phase, Phase::Leaving | Phase::Gone)
}

/// The others of the same address and number that stand beside what a call has made.
fn twins(region: &Region, call: &Call, reply: &Reply) -> Vec<String> {
    let Some(owner) = call.owner() else { return Vec::new() };
    let number = match call {
        Call::Launch(launch) => (tags::BATCH, launch.batch),
        _ => (tags::GENERATION, owner.generation),
    };
    let address = owner.address.to_tag();
    let tag = |object: &ObjectView, key: &str| object.tags.get(key).cloned().unwrap_or_default();
    let twins = region.snapshot().into_iter().filter(|object| {
        standing(object)
            && tag(object, tags::ADDRESS) == address
            && tag(object, number.0) == number.1.to_string()
            && !reply.ids.contains(&object.id)
    });
    twins
        .map(|twin| format!("{address} #{}: {} beside {:?}", number.1, twin.id, reply.ids))
        .collect()
}

/// A cloud as a mortal process sees it. What it makes is counted even when the process
/// does not live to hear of it.
struct MortalCloud<'a>(&'a Region, &'a Death, &'a Doubles);

#[async_trait]
impl Cloud for MortalCloud<'_> {
    async fn caller(&self) -> Result<Caller, Failure> {
        self.0.caller().await
    }
    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        self.0.facts(ask).await
    }
    async fn observe(&self, scope: &Scope) -> Observed {
        self.0.observe(scope).await
    }
    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        self.1.moment().await;
        let reply = self.0.act(call).await;
        if let Ok(reply) = &reply {
            let twins = twins(self.0, call, reply);
            self.2.lock().expect("doubles").extend(twins);
        }
        self.1.moment().await;
        reply
    }
    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure> {
        self.0.find(kind, name).await
    }
    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        self.0.phase(kind, id).await
    }
    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        self.0.conditions(nodes).await
    }
    async fn quota(&self, service: &str, code: &str) -> Result<Option<u64>, Failure> {
        self.0.quota(service, code).await
    }
    async fn usage(&self, of: &Measure) -> Result<u64, Failure> {
        self.0.usage(of).await
    }

    async fn pulse(&self) -> Pulse {
        self.0.pulse().await
    }

    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions {
        self.0.permissions(actions).await
    }

    async fn running(&self) -> Result<Running, Failure> {
        self.0.running().await
    }
    fn lag(&self) -> Duration {
        self.0.lag()
    }

    fn calls(&self) -> CallCounts {
        self.0.calls()
    }
}

/// A store as a mortal process sees it.
struct MortalStore<'a>(&'a MemoryStore, &'a Death);

#[async_trait]
impl Store for MortalStore<'_> {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        self.0.get(key).await
    }
    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        self.1.moment().await;
        let version = self.0.create_new(key, bytes).await;
        self.1.moment().await;
        version
    }
    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        v: &Version,
    ) -> Result<Version, StoreError> {
        self.1.moment().await;
        let version = self.0.replace_if(key, bytes, v).await;
        self.1.moment().await;
        version
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.0.list(prefix).await
    }
    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.1.moment().await;
        let done = self.0.remove(key).await;
        self.1.moment().await;
        done
    }
    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        self.0.lock(scope, holder).await
    }
}

/// A bucket as a mortal process sees it.
struct MortalObjects(Bucket, Death);

#[async_trait]
impl Objects for MortalObjects {
    fn place(&self) -> String {
        self.0.place()
    }
    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss> {
        self.0.get(key).await
    }
    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        self.1.moment().await;
        let put = self.0.put_new(key, bytes).await;
        self.1.moment().await;
        put
    }
    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss> {
        self.1.moment().await;
        let put = self.0.put_if(key, bytes, version).await;
        self.1.moment().await;
        put
    }
    async fn delete(&self, key: &str) -> Result<(), Miss> {
        self.1.moment().await;
        let deleted = self.0.delete(key).await;
        self.1.moment().await;
        deleted
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss> {
        self.0.list(prefix).await
    }
}

/// A region and a ledger.
pub struct Lab {
    pub region: Region,
    pub store: MemoryStore,
    /// Where the ledger is kept instead, under a lock.
    pub bucket: Option<Bucket>,
    runs: AtomicUsize,
    doubles: Doubles,
}

impl Lab {
    pub fn new(settings: Settings) -> Self {
        let region = Region::memory("us-east-1".into(), settings);
        Self {
            region,
            store: MemoryStore::default(),
            bucket: None,
            runs: AtomicUsize::new(0),
            doubles: Doubles::default(),
        }
    }

    /// One whose ledger is kept in a bucket.
    pub fn with_bucket(settings: Settings) -> Self {
        Self { bucket: Some(Bucket::default()), ..Self::new(settings) }
    }

    /// Where the lab's stacks live.
    pub fn home(&self) -> Home {
        Home { account: self.region.settings().account, region: self.region.name().clone() }
    }

    /// What a configuration wants in an empty lab.
    pub async fn desired(&self, text: &str) -> Desired {
        self.desired_with(text, Pins::default()).await
    }

    /// What a configuration wants where another one has been applied before.
    pub async fn desired_after(&self, text: &str, before: &Desired) -> Desired {
        let moves = Moves::of(&self.loaded(text, &Pins::default()));
        let observed = self.region.observe(&self.scope(before)).await;
        let pins = Pins::of(&moves.relocate(&before.stack, &observed).0);
        self.desired_with(text, pins).await
    }

    fn loaded(&self, text: &str, pins: &Pins) -> Loaded {
        let files = [File { name: "main.hcl".to_owned(), text: text.to_owned() }];
        let account = Some(self.home().account);
        let words = Words { account, origins: Arc::clone(&pins.origins), facts: None };
        lang::load(&files, &Vars::new(), &words, None)
    }

    async fn desired_with(&self, text: &str, pins: Pins) -> Desired {
        let loaded = self.loaded(text, &pins);
        assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
        let facts = self.region.facts(&stack::ask(&loaded, &pins)).await.expect("facts");
        stack::expand(&loaded, &facts, &pins).expect("a stack")
    }

    pub fn scope(&self, desired: &Desired) -> Scope {
        Scope { stack: desired.stack.clone(), home: self.home(), names: desired.names.clone() }
    }

    /// One apply by a process that lives as long as `death` lets it; none when it died.
    pub async fn mortal_apply(
        &self,
        desired: &Desired,
        death: &Death,
    ) -> Option<Result<(Plan, Ended), NoApply>> {
        let cloud = MortalCloud(&self.region, death, &self.doubles);
        let memory = MortalStore(&self.store, death);
        let bucket = self.bucket.clone().map(|bucket| MortalObjects(bucket, death.clone()));
        let bucket = bucket.map(bucket::store);
        let store: &dyn Store = bucket.as_ref().map_or(&memory, |bucket| bucket);
        let clock = SimClock(self.region.clone());
        let strays = self.sought(desired).await;
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let work = async {
            let name = format!("lab-{run}");
            let lock = match &bucket {
                Some(bucket) => {
                    let lock = bucket.lock("stack", &bucket::me(1)).await;
                    Some(lock.map_err(NoApply::Ledger)?)
                }
                None => None,
            };
            let journal = match &lock {
                Some(lock) => Journal::write(store, &name, lock).await,
                None => Journal::open(store, &name).await,
            };
            let journal = match journal {
                Err(error @ StoreError::Corrupt { .. }) => panic!("an unreadable ledger: {error}"),
                journal => journal.map_err(NoApply::Ledger)?,
            };
            let hands = hands(&cloud, &clock, self.scope(desired), journal);
            let ended = reach(&hands, desired, &strays).await;
            if let Some(lock) = lock {
                // What fails here costs the next one only time.
                drop(lock.release().await);
            }
            ended
        };
        tokio::select! {
            biased;
            result = work => Some(result),
            () = death.died.notified() => None,
        }
    }

    /// What is to be adopted, found by its id.
    async fn sought(&self, desired: &Desired) -> Strays {
        let mut strays = Strays::new();
        for (address, adoption) in &desired.adopt {
            let kind = desired.specs[address].kind();
            let found = self.region.find(kind, &adoption.id).await.expect("an answer");
            strays.insert(address.clone(), found);
        }
        strays
    }

    /// One apply that nothing disturbs.
    pub async fn apply(&self, desired: &Desired) -> Result<(Plan, Ended), NoApply> {
        let result = self.mortal_apply(desired, &Death::at(usize::MAX)).await;
        result.expect("it does not die")
    }

    /// What a plan says now.
    pub async fn plan(&self, desired: &Desired) -> Result<Plan, Refusal> {
        let mut observed = self.region.observe(&self.scope(desired)).await;
        let bucket = self.bucket.clone().map(bucket::store);
        let store: &dyn Store = bucket.as_ref().map_or(&self.store, |bucket| bucket);
        let mut journal = Journal::open(store, "reader").await.expect("a ledger");
        journal.ledger.reconcile(&mut observed);
        plan(desired, &journal.ledger, &observed)
    }

    /// Living objects of a stack by address, for an oracle that sees everything.
    pub fn objects(&self, stack: &str) -> BTreeMap<String, Vec<ObjectView>> {
        let mut found: BTreeMap<String, Vec<ObjectView>> = BTreeMap::new();
        for object in self.region.snapshot() {
            if object.tags.get(tags::STACK).map(String::as_str) == Some(stack) && standing(&object)
            {
                let address = object.tags.get(tags::ADDRESS).cloned().unwrap_or_default();
                found.entry(address).or_default().push(object);
            }
        }
        found
    }

    /// What was ever made twice, even if one of the two is gone by now.
    pub fn doubled(&self) -> BTreeSet<String> {
        self.doubles.lock().expect("doubles").clone()
    }

    /// What is wrong with the world, if it should hold exactly what is desired.
    pub fn wrongs(&self, desired: &Desired) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut objects = self.objects(desired.stack.as_str());
        for address in desired.specs.keys() {
            match objects.remove(&address.to_tag()).map_or(0, |found| found.len()) {
                1 => {}
                count => wrongs.push(format!("{address}: {count} objects")),
            }
        }
        for (address, fleet) in &desired.fleets {
            let count = objects.remove(&address.to_tag()).map_or(0, |found| found.len());
            if count != fleet.count as usize {
                wrongs.push(format!("{address}: {count} nodes instead of {}", fleet.count));
            }
        }
        wrongs.extend(objects.keys().map(|address| format!("{address}: an orphan")));
        wrongs
    }
}
