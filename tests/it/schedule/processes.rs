//! The processes that are scheduled: each takes the lock, opens the ledger for writing, sends
//! two calls to the cloud, each behind an intent and a confirmation as the executor does, and
//! ends. What may never happen is written down here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use mlinfra::ledger::{
    Blob, Entry, FileStore, Holder, Journal, Lock, LockStatus, Miss, ObjectStore, Objects, Store,
    StoreError, Version, Who,
};
use mlinfra::model::Moment;
use tempfile::TempDir;

use super::{Chooser, Covered, Move, Stage, enumerate, run};
use crate::bucket::{Bucket, Clockwork, manners, me};
use crate::dice::{Dice, number};
use crate::sample;

/// Calls to S3 that wait for their turn.
struct Gated(Bucket, Stage, usize);

#[async_trait]
impl Objects for Gated {
    fn place(&self) -> String {
        self.0.place()
    }
    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss> {
        self.1.gate(self.2, &format!("get {key}")).await;
        self.0.get(key).await
    }
    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        self.1.gate(self.2, &format!("put new {key}")).await;
        self.0.put_new(key, bytes).await
    }
    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss> {
        self.1.gate(self.2, &format!("put if {key}")).await;
        self.0.put_if(key, bytes, version).await
    }
    async fn delete(&self, key: &str) -> Result<(), Miss> {
        self.1.gate(self.2, &format!("delete {key}")).await;
        self.0.delete(key).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss> {
        self.1.gate(self.2, &format!("list {prefix}")).await;
        self.0.list(prefix).await
    }
}

/// Calls to a folder that wait for their turn.
struct GatedFiles(FileStore, Stage, usize);

#[async_trait]
impl Store for GatedFiles {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        self.1.gate(self.2, &format!("get {key}")).await;
        self.0.get(key).await
    }
    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        self.1.gate(self.2, &format!("create {key}")).await;
        self.0.create_new(key, bytes).await
    }
    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        self.1.gate(self.2, &format!("replace {key}")).await;
        self.0.replace_if(key, bytes, version).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.1.gate(self.2, &format!("list {prefix}")).await;
        self.0.list(prefix).await
    }
    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.1.gate(self.2, &format!("remove {key}")).await;
        self.0.remove(key).await
    }
    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        self.1.gate(self.2, &format!("lock {scope}")).await;
        self.0.lock(scope, holder).await
    }
    async fn look_at_lock(&self, scope: &str) -> Result<LockStatus, StoreError> {
        self.0.look_at_lock(scope).await
    }
}

/// What the processes share.
#[derive(Clone)]
enum Ledger {
    Objects(Bucket),
    Files(Arc<TempDir>),
}

/// What is left out, to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// Nobody asks whether the lock is still held.
    Unconfirmed,
    /// The lock is not waited for and not asked for.
    Unlocked,
}

impl Ledger {
    fn files() -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Self::Files(Arc::new(folder.unwrap()))
    }

    fn open(&self, stage: &Stage, process: usize) -> Arc<dyn Store> {
        match self {
            Self::Objects(bucket) => {
                let mut manners = manners(Clockwork::new());
                manners.pace = stage.pace(process);
                let gated = Gated(bucket.clone(), stage.clone(), process);
                Arc::new(ObjectStore::new(Arc::new(gated), manners))
            }
            Self::Files(folder) => {
                let store = FileStore::open(&folder.path().join("l")).unwrap();
                Arc::new(GatedFiles(store, stage.clone(), process))
            }
        }
    }

    /// What stands there in the end.
    fn read(&self) -> Result<mlinfra::ledger::Ledger, StoreError> {
        let read = |store: &dyn Store| {
            let journal = futures_util::FutureExt::now_or_never(Journal::open(store, "x"));
            journal.expect("nothing waits").map(|journal| journal.ledger)
        };
        match self {
            Self::Objects(bucket) => read(&crate::bucket::store(bucket.clone())),
            Self::Files(folder) => read(&FileStore::open(&folder.path().join("l")).unwrap()),
        }
    }
}

/// What a process came to.
#[derive(Debug)]
struct Ended {
    /// Records that it was told are written.
    written: usize,
    /// Calls that it sent.
    calls: usize,
    error: Option<StoreError>,
}

async fn process(ledger: Ledger, stage: Stage, me_: usize, flaw: Flaw) -> Ended {
    let store = ledger.open(&stage, me_);
    let mut ended = Ended { written: 0, calls: 0, error: None };
    ended.error = work(&*store, &stage, me_, flaw, &mut ended).await.err();
    stage.note(me_, &format!("ended {:?}", ended.error));
    ended
}

/// Wall clocks are ten minutes off in either direction: they are only for show.
fn wall(process: usize, step: usize) -> Moment {
    let off = [0, 600_000, -600_000][(process + step) % 3];
    Moment(1_000_000 + off)
}

async fn work(
    store: &dyn Store,
    stage: &Stage,
    me_: usize,
    flaw: Flaw,
    ended: &mut Ended,
) -> Result<(), StoreError> {
    let who = me(u32::try_from(me_).unwrap());
    let (lock, mut journal);
    if flaw == Flaw::Unlocked {
        lock = None;
        journal = Journal::open(store, "x").await?;
    } else {
        let held = store.lock("stack", &who).await?;
        journal = Journal::write(store, "x", &held).await?;
        lock = Some(held);
    }
    stage.note(me_, "writes");
    let begin = |step| Entry::Begin {
        at: wall(me_, step),
        who: Who::default(),
        steps: me_,
        names: BTreeSet::new(),
        plan: None,
        config: None,
        targets: Vec::new(),
        site: None,
    };
    journal.append(begin(0)).await?;
    ended.written += 1;
    for step in 0..2 {
        if flaw != Flaw::Unconfirmed {
            journal.confirm().await?;
        }
        let (at, verb) = (wall(me_, step), "intent".to_owned());
        let address = sample::at(&format!("bucket.b{me_}"));
        journal
            .append(Entry::Did { at, address, verb, ids: Vec::new(), failure: None, took: None })
            .await?;
        ended.written += 1;
        // Whatever a call may have to wait for once its intent is written.
        stage.gate(me_, "thinks").await;
        if flaw != Flaw::Unconfirmed {
            journal.confirm().await?;
        }
        stage.note(me_, "CALL");
        ended.calls += 1;
    }
    journal.finish(wall(me_, 9)).await?;
    if let Some(lock) = lock {
        lock.release().await?;
    }
    Ok(())
}

/// What is wrong with a run.
fn wrongs(ledger: &Ledger, stage: &Stage, ended: &[Ended]) -> Vec<String> {
    let mut wrongs = Vec::new();
    // Whoever writes after another has begun to write must have been the one in charge.
    let mut writer = None;
    for line in stage.log() {
        let mut words = line.split(' ').skip(1);
        let process: usize = words.next().unwrap()[1..].parse().unwrap();
        match words.next().unwrap() {
            "writes" => writer = Some(process),
            "CALL" if writer != Some(process) => {
                wrongs.push(format!("#{process} changes something after it was replaced"));
            }
            _ => {}
        }
    }
    let written: usize = ended.iter().map(|one| one.written).sum();
    match ledger.read() {
        Ok(read) => {
            let kept: usize = read.applies.iter().map(|apply| 1 + apply.done.len()).sum();
            if kept != written {
                wrongs.push(format!("{written} records were written, {kept} are there"));
            }
        }
        Err(error) => wrongs.push(format!("the ledger cannot be read: {error}")),
    }
    if !ended.iter().any(|one| one.error.is_none()) {
        wrongs.push("nobody succeeded".to_owned());
    }
    for (at, one) in ended.iter().enumerate() {
        match &one.error {
            None if one.calls != 2 => wrongs.push(format!("#{at} left something out")),
            Some(StoreError::Held(_)) if one.calls + one.written > 0 => {
                wrongs.push(format!("#{at} was told to wait and changed something"));
            }
            Some(StoreError::Io { .. } | StoreError::Corrupt { .. }) => {
                wrongs.push(format!("#{at} failed: {:?}", one.error));
            }
            None | Some(_) => {}
        }
    }
    wrongs
}

/// Schedules of one game at most: with two departures there are fewer.
const ORDERS: usize = 200_000;

struct Game {
    processes: usize,
    flaw: Flaw,
    make: fn() -> Ledger,
}

#[derive(Default)]
struct Tally {
    played: usize,
    /// How many were told to wait, and how many were replaced.
    held: usize,
    replaced: usize,
    wrong: Vec<String>,
    /// How much of what there is, by departures; empty for random ones.
    covered: Vec<Covered>,
}

impl Game {
    fn play(&self, choose: Chooser<'_>, tally: &mut Tally) -> Vec<usize> {
        let (stage, ledger) = (Stage::default(), (self.make)());
        let all = (0..self.processes)
            .map(|at| process(ledger.clone(), stage.clone(), at, self.flaw))
            .collect();
        let (ended, choices) = run(&stage, all, choose);
        tally.played += 1;
        for error in ended.iter().filter_map(|one| one.error.as_ref()) {
            match error {
                StoreError::Held(_) => tally.held += 1,
                _ => tally.replaced += 1,
            }
        }
        let wrongs = wrongs(&ledger, &stage, &ended);
        if !wrongs.is_empty() && tally.wrong.len() < 3 {
            tally.wrong.push(format!("{wrongs:?}\n{:#?}\n{:#?}", ended, stage.log()));
        } else if !wrongs.is_empty() {
            tally.wrong.push(String::new());
        }
        choices
    }

    fn all(&self, bound: usize) -> Tally {
        let mut tally = Tally::default();
        let limit = number("MLINFRA_ORDERS").unwrap_or(ORDERS);
        let covered = enumerate((bound, limit), |departures: &BTreeMap<usize, usize>| {
            let mut choose = |step: usize, _: &[Move]| departures.get(&step).copied().unwrap_or(0);
            self.play(&mut choose, &mut tally)
        });
        Tally { covered, ..tally }
    }

    fn random(&self, count: usize, seed: u64) -> Tally {
        let mut tally = Tally::default();
        let mut dice = Dice(seed);
        for _ in 0..count {
            // Some schedules change often, some seldom; time and frost are rare in both.
            let often = 1 + dice.roll(8);
            let mut choose = |_: usize, moves: &[Move]| {
                if dice.roll(8) >= often {
                    return 0;
                }
                let pick = usize::try_from(dice.roll(moves.len() as u64)).unwrap();
                match moves[pick] {
                    Move::Pass(_) => pick,
                    Move::Wait if dice.roll(3) == 0 => pick,
                    Move::Freeze(_) if dice.roll(10) == 0 => pick,
                    Move::Wait | Move::Freeze(_) => 0,
                }
            };
            self.play(&mut choose, &mut tally);
        }
        tally
    }
}

fn objects() -> Ledger {
    Ledger::Objects(Bucket::default())
}

fn report(what: &str, tally: &Tally) {
    println!(
        "{what}: {} schedules; {} processes were told to wait, {} were replaced; {} wrong",
        tally.played,
        tally.held,
        tally.replaced,
        tally.wrong.len()
    );
    for Covered { departures, played, all } in &tally.covered {
        println!("  with {departures} departures: {played} of {all}");
        // What every run claims to have tried in full.
        assert!(played == all || *departures > 2, "too few orders: raise MLINFRA_ORDERS");
    }
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n\n"));
    assert!(tally.held + tally.replaced > 0, "there was a contest");
}

#[test]
fn two_at_once_in_a_bucket_in_every_order() {
    let game = Game { processes: 2, flaw: Flaw::None, make: objects };
    let tally = game.all(number("MLINFRA_DEPARTURES").unwrap_or(1));
    report("two in a bucket", &tally);
    assert!(tally.replaced > 0, "some were frozen past their lease");
}

#[test]
fn three_at_once_in_a_bucket_in_every_order() {
    let game = Game { processes: 3, flaw: Flaw::None, make: objects };
    report("three in a bucket", &game.all(number("MLINFRA_DEPARTURES").unwrap_or(1)));
}

#[test]
fn two_and_three_at_once_in_a_bucket_in_random_orders() {
    let count = number("MLINFRA_SCHEDULES").unwrap_or(2_000);
    let seed = number("MLINFRA_SEED").unwrap_or(1);
    for processes in [2, 3] {
        let game = Game { processes, flaw: Flaw::None, make: objects };
        let tally = game.random(count / 2, seed);
        report(&format!("{processes} in a bucket, at random (seed {seed})"), &tally);
        assert!(tally.replaced > 0, "some were frozen past their lease");
    }
}

#[test]
fn two_and_three_at_once_in_a_folder_in_every_order() {
    for (processes, bound) in [(2, number("MLINFRA_DEPARTURES").unwrap_or(1)), (3, 1)] {
        let game = Game { processes, flaw: Flaw::None, make: Ledger::files };
        report(&format!("{processes} in a folder"), &game.all(bound));
    }
}

/// The checks can fail: without what they guard against they do.
#[test]
fn without_conditions_or_confirmation_or_lock_schedules_go_wrong() {
    let count = |flaw, make: fn() -> Ledger| {
        let game = Game { processes: 2, flaw, make };
        game.all(1).wrong.len() + game.random(300, 1).wrong.len()
    };
    let careless = count(Flaw::None, || Ledger::Objects(Bucket::unprobed()));
    let unconfirmed = count(Flaw::Unconfirmed, objects);
    let unlocked = count(Flaw::Unlocked, objects);
    let folder = count(Flaw::Unlocked, Ledger::files);
    println!(
        "wrong schedules: {careless} in a bucket that ignores conditions, {unconfirmed} when \
         nobody confirms, {unlocked} and {folder} without a lock"
    );
    assert!(careless > 0 && unconfirmed > 0 && unlocked > 0 && folder > 0);
}
