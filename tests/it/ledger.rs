//! Where the ledger is kept: one contract for every store, and what files promise beyond
//! it. `damage` breaks what is on disk.

mod damage;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::{Arc, Barrier};

use mlinfra::ledger::{
    Entry, FileStore, Holder, Journal, MemoryStore, Store, StoreError, Version, Who,
};
use mlinfra::model::Moment;
use tempfile::TempDir;

fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// A place that several processes can open.
enum Place {
    Memory(MemoryStore),
    Folder(TempDir),
}

impl Place {
    fn both() -> [Self; 2] {
        [Self::Memory(MemoryStore::default()), Self::folder()]
    }

    fn folder() -> Self {
        Self::Folder(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Memory(_) => panic!("memory has no path"),
            Self::Folder(folder) => folder.path().join(".mlinfra"),
        }
    }

    /// What one process sees of it.
    fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Folder(_) => Arc::new(FileStore::open(&self.path()).unwrap()),
        }
    }
}

fn me(pid: u32) -> Holder {
    let [who, doing, since] = ["ana@lab", "apply", "noon"].map(str::to_owned);
    Holder { who, pid, doing, since }
}

fn get(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    now(store.get(key)).unwrap().map(|blob| blob.bytes)
}

const RECORD: &str = "journal/0000000007/00000000";

#[test]
fn a_key_is_created_only_once() {
    for place in Place::both() {
        for key in ["state", "backups/0000000001", RECORD] {
            let (one, other) = (place.open(), place.open());
            assert_eq!(get(&*other, key), None, "absent");
            let version = now(one.create_new(key, b"first")).unwrap();
            let refused = now(other.create_new(key, b"second"));
            assert!(matches!(refused, Err(StoreError::Exists(_))), "{key}: {refused:?}");
            let blob = now(other.get(key)).unwrap().unwrap();
            assert_eq!((blob.bytes, blob.version), (b"first".to_vec(), version), "{key}");
        }
    }
}

/// Runs eight threads with a store each at once, and counts those who won.
fn race(place: &Place, act: impl Fn(&dyn Store, u8) -> Result<Version, StoreError> + Sync) -> u8 {
    let barrier = Barrier::new(8);
    let run = |me: u8| {
        let store = place.open();
        barrier.wait();
        u8::from(act(&*store, me).is_ok())
    };
    std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..8).map(|me| scope.spawn(move || run(me))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn of_racing_writers_exactly_one_wins() {
    let mut races = 0;
    for place in Place::both() {
        for round in 0..25 {
            for key in [format!("backups/{round}"), format!("journal/0000000001/{round:08}")] {
                let won = race(&place, |store, me| now(store.create_new(&key, &[me])));
                assert_eq!(won, 1, "{key}");
                races += 1;
            }
            let key = format!("backups/{round}");
            let read = now(place.open().get(&key)).unwrap().unwrap().version;
            let won = race(&place, |store, me| now(store.replace_if(&key, &[me, 1], &read)));
            assert_eq!(won, 1, "replacing {key}");
            races += 1;
        }
        let keys = now(place.open().list("journal/0000000001/")).unwrap();
        assert_eq!(keys.len(), 25, "no record was overwritten");
    }
    println!("races: {races} of 8 writers each, 1 winner each");
}

#[test]
fn only_the_version_that_was_read_is_replaced() {
    for place in Place::both() {
        let (one, other) = (place.open(), place.open());
        let absent = now(one.replace_if("state", b"x", &Version::of(b"")));
        assert!(matches!(absent, Err(StoreError::Lost(_))), "{absent:?}");
        let first = now(one.create_new("state", b"1")).unwrap();
        let second = now(other.replace_if("state", b"2", &first)).unwrap();
        let stale = now(one.replace_if("state", b"3", &first));
        assert!(matches!(stale, Err(StoreError::Lost(_))), "{stale:?}");
        assert_eq!(get(&*one, "state"), Some(b"2".to_vec()));
        assert_eq!(now(one.get("state")).unwrap().unwrap().version, second);
    }
}

#[test]
fn keys_are_listed_in_order_and_nothing_else_is() {
    let journal = |serial: u32, seq: u32| format!("journal/{serial:010}/{seq:08}");
    let mut keys: Vec<String> = (0..12).map(|seq| journal(2, seq)).collect();
    keys.extend([journal(10, 0), "state".into(), "backups/0000000002".into(), "fleet/a/b".into()]);
    for place in Place::both() {
        let (one, other) = (place.open(), place.open());
        let _lock = now(one.lock("stack", &me(1))).unwrap();
        for key in keys.iter().rev() {
            now(one.create_new(key, key.as_bytes())).unwrap();
        }
        for prefix in ["", "journal/", "journal/0000000002/", "journal/00000000", "st", "fleet/"] {
            let mut wanted: Vec<_> =
                keys.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
            wanted.sort();
            assert_eq!(now(other.list(prefix)).unwrap(), wanted, "{prefix:?}");
        }
        assert_eq!(now(other.list("nothing/")).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn removing_is_final_and_removing_what_is_absent_is_fine() {
    for place in Place::both() {
        let store = place.open();
        let keys = ["state".to_owned(), RECORD.to_owned(), RECORD.replace("00000000", "00000001")];
        for key in &keys {
            now(store.remove(key)).unwrap();
            now(store.create_new(key, b"x")).unwrap();
        }
        for key in &keys {
            now(store.remove(key)).unwrap();
            assert_eq!((get(&*store, key), get(&*place.open(), key)), (None, None));
            now(store.remove(key)).unwrap();
        }
        now(store.create_new(RECORD, b"anew")).unwrap();
        assert_eq!(get(&*place.open(), RECORD), Some(b"anew".to_vec()));
    }
}

#[test]
fn a_lock_has_one_holder_whom_the_second_is_told_until_it_is_dropped() {
    for place in Place::both() {
        let (one, other) = (place.open(), place.open());
        for round in 1..4 {
            let lock = now(one.lock("stack", &me(round))).unwrap();
            for store in [&one, &other] {
                match now(store.lock("stack", &me(99))) {
                    Err(StoreError::Held(holder)) => assert_eq!(*holder, me(round)),
                    taken => panic!("{taken:?}"),
                }
            }
            let fleet = now(other.lock("fleet/train", &me(50))).expect("another scope is free");
            drop((lock, fleet));
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
    Entry::Begin { at, who, steps: 1, names: Default::default() }
}

#[test]
fn a_writer_whose_next_record_is_taken_is_deposed() {
    for place in Place::both() {
        let (one, other) = (place.open(), place.open());
        now(async {
            let mut deposed = Journal::open(&*one, "one").await.unwrap();
            deposed.append(begin()).await.unwrap();
            let mut successor = Journal::open(&*other, "other").await.unwrap();
            successor.append(begin()).await.unwrap();
            let refused = deposed.append(begin()).await;
            assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
            successor.append(begin()).await.unwrap();
            let read = Journal::open(&*place.open(), "x").await.unwrap().ledger;
            assert_eq!(read.applies.len(), 3, "the successor's records all stand");
            successor.finish(Moment(2)).await.unwrap();
            assert!(deposed.append(begin()).await.is_err());
            assert!(deposed.finish(Moment(3)).await.is_err());
            let read = Journal::open(&*place.open(), "x").await.unwrap().ledger;
            assert_eq!((read.applies.len(), read.serial), (3, 1));
        });
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

#[test]
fn the_last_twenty_states_are_kept() {
    for place in Place::both() {
        let store = place.open();
        now(async {
            let mut journal = Journal::open(&*store, "x").await.unwrap();
            for round in 0..30 {
                journal.finish(Moment(round)).await.unwrap();
            }
            let kept = store.list("backups/").await.unwrap();
            assert_eq!(kept.len(), 20);
            assert_eq!(kept.last().unwrap(), "backups/0000000029");
        });
    }
}
