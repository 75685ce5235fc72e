//! Where the ledger is kept: `contract` holds every store to the same promises, here is
//! what files promise beyond it. `damage` breaks what is stored, `lease` plays with the lock
//! of an object store, `migrate` moves a ledger from one to another.

mod contract;
mod damage;
mod history;
mod lease;
mod migrate;
#[cfg(feature = "aws")]
mod moto;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use mlinfra::ledger::{
    Entry, FileStore, FolderObjects, Journal, MemoryStore, Store, StoreError, Who,
};
use mlinfra::model::Moment;
use tempfile::TempDir;

use crate::bucket::{Bucket, me, store};

/// Nobody waits in vain: time jumps to whatever is waited for.
fn now<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// A place that several processes can open.
pub enum Place {
    Memory(MemoryStore),
    Folder(TempDir),
    /// An object store in memory.
    Objects(Bucket),
    /// An object store of the simulated world.
    World(TempDir),
    #[cfg(feature = "aws")]
    S3(moto::Bucket),
}

impl Place {
    /// Those that need no peer.
    pub fn all() -> [Self; 4] {
        let world = Self::World(TempDir::new().unwrap());
        [
            Self::Memory(MemoryStore::default()),
            Self::folder(),
            Self::Objects(Bucket::default()),
            world,
        ]
    }

    fn folder() -> Self {
        Self::Folder(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join(".mlinfra"),
            _ => panic!("only a folder has a path"),
        }
    }

    /// What one process sees of it.
    pub fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Folder(_) => Arc::new(FileStore::open(&self.path()).unwrap()),
            Self::Objects(bucket) => Arc::new(store(bucket.clone())),
            Self::World(folder) => {
                Arc::new(store(FolderObjects::new(&folder.path().join("b"), "s3://b")))
            }
            #[cfg(feature = "aws")]
            Self::S3(bucket) => Arc::new(bucket.open()),
        }
    }

    /// Does something to the end.
    pub fn now<T>(&self, work: impl Future<Output = T>) -> T {
        match self {
            #[cfg(feature = "aws")]
            Self::S3(bucket) => bucket.runtime.block_on(work),
            _ => now(work),
        }
    }
}

fn refusal(store: Result<FileStore, StoreError>) -> String {
    store.expect_err("refused").to_string()
}

#[test]
fn files_are_for_their_owner_alone() {
    let place = Place::folder();
    let store = place.open();
    let _lock = now(store.lock("stack", &me(1))).unwrap();
    damage::history(&*store);
    let mut todo = vec![place.path()];
    let mut seen = 0;
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let wanted = if meta.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(meta.permissions().mode() & 0o777, wanted, "{}", path.display());
        if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        seen += 1;
    }
    assert!(seen >= 7, "the folder, two below it, state, backup, journal, lock: {seen}");
}

#[test]
fn a_folder_that_cannot_be_trusted_is_refused_with_what_to_do() {
    let place = Place::folder();
    let path = place.path();
    drop(place.open());
    for mode in [0o770, 0o702, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let text = refusal(FileStore::open(&path));
        assert!(text.contains(&format!("run `chmod 700 {}`", path.display())), "{text}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    FileStore::open(&path).unwrap();
    for target in [path.as_path(), std::path::Path::new("nowhere")] {
        let link = path.with_extension("link");
        symlink(target, &link).unwrap();
        let text = refusal(FileStore::open(&link));
        assert!(text.contains("symbolic link: remove it"), "{text}");
        fs::remove_file(&link).unwrap();
    }
    let file = path.with_extension("file");
    fs::write(&file, "mine").unwrap();
    let text = refusal(FileStore::open(&file));
    assert!(text.contains("it is a file") && text.contains("move it away"), "{text}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

fn begin() -> Entry {
    let (at, who) = (Moment(1), Who::default());
    Entry::Begin {
        at,
        who,
        steps: 1,
        names: Default::default(),
        plan: None,
        config: None,
        targets: Vec::new(),
        site: None,
    }
}

#[test]
fn a_folder_taken_away_under_a_writer_stops_it() {
    let place = Place::folder();
    let store = place.open();
    now(async {
        let mut journal = Journal::open(&*store, "one").await.unwrap();
        journal.append(begin()).await.unwrap();
        fs::remove_dir_all(place.path()).unwrap();
        assert!(journal.append(begin()).await.is_err());
        assert!(!place.path().exists(), "it is not made again behind the owner's back");
        let other = place.open();
        let mut successor = Journal::open(&*other, "two").await.unwrap();
        assert!(journal.append(begin()).await.is_err());
        let refused = store.create_new("journal/0000000000/00000001", b"{}").await;
        assert!(matches!(refused, Err(StoreError::Lost(_))), "{refused:?}");
        successor.append(begin()).await.unwrap();
        let read = Journal::open(&*place.open(), "x").await.unwrap().ledger;
        assert_eq!(read.applies.len(), 1);
    });
}

#[test]
fn what_a_dead_process_left_half_done_is_cleared_away() {
    let place = Place::folder();
    damage::history(&*place.open());
    let old = place.path().join("journal/0000000002.log");
    let bytes = fs::read(&old).unwrap();
    now(async {
        let store = place.open();
        let mut journal = Journal::open(&*store, "x").await.unwrap();
        journal.finish(Moment(9)).await.unwrap();
        // It died before it let go of the journal, and while it drafted a backup.
        fs::write(&old, &bytes).unwrap();
        let draft = place.path().join("backups/.draft-x");
        fs::write(&draft, "half").unwrap();
        let ledger = Journal::open(&*store, "x").await.unwrap().ledger;
        assert_eq!(ledger, journal.ledger, "an old journal says nothing");
        drop(store.lock("stack", &me(1)).await.unwrap());
        journal.finish(Moment(10)).await.unwrap();
        assert!(!draft.exists() && !old.exists());
    });
}
