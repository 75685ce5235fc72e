//! A bucket in memory, which keeps conditions as S3 does and can be told to misbehave; and
//! clocks for those who wait.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::ledger::{Blob, Holder, Manners, Miss, ObjectStore, Objects, Pace, Version};
use tokio::time::Instant;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    Reset,
    /// It is carried out, and the answer is lost.
    LostAnswer,
    /// The same, and the SDK sends it again: the answer is that to the second.
    LostAndRepeated,
    /// Another write is under way (409); nothing is done.
    Conflict,
    /// It arrives late.
    Late(Duration),
    /// A definitive no.
    Refused,
}

pub const FAULTS: [Fault; 6] = [
    Fault::Reset,
    Fault::LostAnswer,
    Fault::LostAndRepeated,
    Fault::Conflict,
    Fault::Late(Duration::from_secs(2)),
    Fault::Refused,
];

/// Decides about the n-th call (from 0), by its number, name and key.
type Script = Arc<dyn Fn(usize, &'static str, &str) -> Option<Fault> + Send + Sync>;

/// Objects. Clones share them, as processes share a bucket; each has its own script.
#[derive(Clone)]
pub struct Bucket {
    pub objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub calls: Arc<AtomicUsize>,
    script: Script,
    /// It takes conditional writes of these kinds and ignores their conditions.
    careless: Careless,
}

#[derive(Clone, Copy, Debug, Default)]
struct Careless {
    /// If-None-Match.
    new: bool,
    /// If-Match.
    replace: bool,
    /// Save for probes.
    sly: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        let script: Script = Arc::new(|_, _, _| None);
        Self {
            objects: Arc::default(),
            calls: Arc::default(),
            script,
            careless: Careless::default(),
        }
    }
}

enum Call<'a> {
    Get,
    Put(&'a [u8], Option<&'a Version>),
    Delete,
    List,
}

impl Call<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put(_, None) => "put new",
            Self::Put(_, Some(_)) => "put if",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

#[derive(Default)]
struct Answer {
    blob: Option<Blob>,
    version: Option<Version>,
    keys: Vec<String>,
}

impl Bucket {
    /// The same objects, seen through a connection that misbehaves.
    pub fn scripted(
        &self,
        script: impl Fn(usize, &'static str, &str) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { script: Arc::new(script), calls: Arc::default(), ..self.clone() }
    }

    /// It keeps no condition.
    pub fn careless() -> Self {
        let careless = Careless { new: true, replace: true, sly: false };
        Self { careless, ..Self::default() }
    }

    /// It keeps If-None-Match only.
    pub fn half() -> Self {
        let careless = Careless { new: false, replace: true, sly: false };
        Self { careless, ..Self::default() }
    }

    /// It keeps no condition, and no probe has found out.
    pub fn unprobed() -> Self {
        let careless = Careless { new: true, replace: true, sly: true };
        Self { careless, ..Self::default() }
    }

    fn keeps(&self, key: &str, condition: Option<&Version>) -> bool {
        let Careless { new, replace, sly } = self.careless;
        let ignored = if condition.is_none() { new } else { replace };
        !ignored || (sly && key.starts_with("probe/"))
    }

    /// The other content of a key, so that damage can be done to it.
    pub fn edit(&self, key: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        edit(self.objects.lock().unwrap().get_mut(key).unwrap_or_else(|| panic!("no {key}")));
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    fn carry_out(&self, key: &str, call: &Call<'_>) -> Result<Answer, Miss> {
        let mut objects = self.objects.lock().unwrap();
        let now = objects.get(key).map(|bytes| Version::of(bytes));
        let mut answer = Answer::default();
        match call {
            Call::Get => {
                let blob =
                    |bytes: &Vec<u8>| Blob { bytes: bytes.clone(), version: Version::of(bytes) };
                answer.blob = objects.get(key).map(blob);
            }
            Call::Put(_, condition)
                if self.keeps(key, *condition) && now.as_ref() != *condition =>
            {
                return Err(Miss::Condition);
            }
            Call::Put(bytes, _) => {
                objects.insert(key.to_owned(), bytes.to_vec());
                answer.version = Some(Version::of(bytes));
            }
            Call::Delete => drop(objects.remove(key)),
            Call::List => {
                answer.keys = objects.keys().filter(|one| one.starts_with(key)).cloned().collect();
            }
        }
        Ok(answer)
    }

    async fn call(&self, key: &str, call: Call<'_>) -> Result<Answer, Miss> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let lost = || Err(Miss::Unanswered("the connection was reset".to_owned()));
        match (self.script)(number, call.name(), key) {
            None => self.carry_out(key, &call),
            Some(Fault::Reset) => lost(),
            Some(Fault::LostAnswer) => {
                drop(self.carry_out(key, &call));
                lost()
            }
            Some(Fault::LostAndRepeated) => {
                drop(self.carry_out(key, &call));
                self.carry_out(key, &call)
            }
            Some(Fault::Conflict) => Err(Miss::Conflict),
            Some(Fault::Late(time)) => {
                tokio::time::sleep(time).await;
                self.carry_out(key, &call)
            }
            Some(Fault::Refused) => Err(Miss::Refused("AccessDenied: no".to_owned())),
        }
    }
}

#[async_trait]
impl Objects for Bucket {
    fn place(&self) -> String {
        "s3://memory/stack".to_owned()
    }
    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss> {
        Ok(self.call(key, Call::Get).await?.blob)
    }
    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        Ok(self.call(key, Call::Put(bytes, None)).await?.version.expect("a version"))
    }
    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss> {
        Ok(self.call(key, Call::Put(bytes, Some(version))).await?.version.expect("a version"))
    }
    async fn delete(&self, key: &str) -> Result<(), Miss> {
        self.call(key, Call::Delete).await.map(drop)
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss> {
        Ok(self.call(prefix, Call::List).await?.keys)
    }
}

/// The clock of the runtime. A process that is frozen is not woken any more, while the
/// clock goes on.
#[derive(Clone, Debug)]
pub struct Clockwork {
    begun: Instant,
    pub frozen: Arc<AtomicBool>,
}

impl Clockwork {
    pub fn new() -> Self {
        Self { begun: Instant::now(), frozen: Arc::default() }
    }
}

#[async_trait]
impl Pace for Clockwork {
    fn now(&self) -> Duration {
        // An origin of its own: no two machines' clocks are compared.
        Duration::from_secs(1000) + self.begun.elapsed()
    }
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
        if self.frozen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

pub const LEASE: Duration = Duration::from_secs(60);

/// How a process of a test uses an object store.
pub fn manners(pace: impl Pace + 'static) -> Manners {
    static PROCESS: AtomicUsize = AtomicUsize::new(0);
    let nonce = format!("process{}", PROCESS.fetch_add(1, Ordering::SeqCst));
    Manners { nonce, lease: LEASE, pace: Arc::new(pace), waiting: Arc::new(|_, _| {}) }
}

/// What a process sees of a bucket.
pub fn store(objects: impl Objects + 'static) -> ObjectStore {
    ObjectStore::new(Arc::new(objects), manners(Clockwork::new()))
}

pub fn me(pid: u32) -> Holder {
    let [who, doing, since] = ["ana@lab", "apply", "noon"].map(str::to_owned);
    Holder { who, pid, doing, since }
}
