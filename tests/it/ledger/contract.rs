//! What every store of a ledger promises: files, memory, an object store in memory and in a
//! folder, and S3 (moto), through one and the same checks.

use std::sync::Barrier;

use mlinfra::ledger::{Journal, Store, StoreError, Version};
use mlinfra::model::Moment;

use super::{Place, begin};
use crate::bucket::me;

const RECORD: &str = "journal/0000000007/00000000";

fn get(place: &Place, store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    place.now(store.get(key)).unwrap().map(|blob| blob.bytes)
}

pub fn a_key_is_created_only_once(place: &Place) {
    for key in ["state", "backups/0000000001", RECORD] {
        let (one, other) = (place.open(), place.open());
        assert_eq!(get(place, &*other, key), None, "absent");
        let version = place.now(one.create_new(key, b"first")).unwrap();
        let refused = place.now(other.create_new(key, b"second"));
        assert!(matches!(refused, Err(StoreError::Exists(_))), "{key}: {refused:?}");
        let blob = place.now(other.get(key)).unwrap().unwrap();
        assert_eq!((blob.bytes, blob.version), (b"first".to_vec(), version), "{key}");
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

pub fn of_racing_writers_exactly_one_wins(place: &Place) {
    for round in 0..10 {
        for key in [format!("backups/{round}"), format!("journal/0000000001/{round:08}")] {
            let won = race(place, |store, me| place.now(store.create_new(&key, &[me])));
            assert_eq!(won, 1, "{key}");
        }
        let key = format!("backups/{round}");
        let read = place.now(place.open().get(&key)).unwrap().unwrap().version;
        let won = race(place, |store, me| place.now(store.replace_if(&key, &[me, 1], &read)));
        assert_eq!(won, 1, "replacing {key}");
    }
    let keys = place.now(place.open().list("journal/0000000001/")).unwrap();
    assert_eq!(keys.len(), 10, "no record was overwritten");
}

pub fn only_the_version_that_was_read_is_replaced(place: &Place) {
    let (one, other) = (place.open(), place.open());
    let absent = place.now(one.replace_if("state", b"x", &Version::of(b"")));
    assert!(matches!(absent, Err(StoreError::Lost(_))), "{absent:?}");
    let first = place.now(one.create_new("state", b"1")).unwrap();
    let second = place.now(other.replace_if("state", b"2", &first)).unwrap();
    let stale = place.now(one.replace_if("state", b"3", &first));
    assert!(matches!(stale, Err(StoreError::Lost(_))), "{stale:?}");
    assert_eq!(get(place, &*one, "state"), Some(b"2".to_vec()));
    assert_eq!(place.now(one.get("state")).unwrap().unwrap().version, second);
}

pub fn keys_are_listed_in_order_and_nothing_else_is(place: &Place) {
    let journal = |serial: u32, seq: u32| format!("journal/{serial:010}/{seq:08}");
    let mut keys: Vec<String> = (0..12).map(|seq| journal(2, seq)).collect();
    keys.extend([journal(10, 0), "state".into(), "backups/0000000002".into(), "fleet/a/b".into()]);
    let (one, other) = (place.open(), place.open());
    let _lock = place.now(one.lock("stack", &me(1))).unwrap();
    for key in keys.iter().rev() {
        place.now(one.create_new(key, key.as_bytes())).unwrap();
    }
    for prefix in ["", "journal/", "journal/0000000002/", "journal/00000000", "st", "fleet/"] {
        let mut wanted: Vec<_> =
            keys.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        wanted.sort();
        assert_eq!(place.now(other.list(prefix)).unwrap(), wanted, "{prefix:?}");
    }
    assert_eq!(place.now(other.list("nothing/")).unwrap(), Vec::<String>::new());
}

pub fn removing_is_final_and_removing_what_is_absent_is_fine(place: &Place) {
    let store = place.open();
    let keys = ["state".to_owned(), RECORD.to_owned(), RECORD.replace("00000000", "00000001")];
    for key in &keys {
        place.now(store.remove(key)).unwrap();
        place.now(store.create_new(key, b"x")).unwrap();
    }
    for key in &keys {
        place.now(store.remove(key)).unwrap();
        assert_eq!((get(place, &*store, key), get(place, &*place.open(), key)), (None, None));
        place.now(store.remove(key)).unwrap();
    }
    place.now(store.create_new(RECORD, b"anew")).unwrap();
    assert_eq!(get(place, &*place.open(), RECORD), Some(b"anew".to_vec()));
}

pub fn a_lock_has_one_holder_whom_the_second_is_told_until_it_is_released(place: &Place) {
    let (one, other) = (place.open(), place.open());
    place.now(async {
        let mut kept = Vec::new();
        for round in 1..4 {
            assert_eq!(other.look_at_lock("stack").await.unwrap().holder, None);
            let lock = one.lock("stack", &me(round)).await.unwrap();
            assert_eq!(other.look_at_lock("stack").await.unwrap().holder, Some(me(round)));
            for store in [&one, &other] {
                match store.lock("stack", &me(99)).await {
                    Err(StoreError::Held(holder)) => assert_eq!(*holder, me(round)),
                    taken => panic!("{taken:?}"),
                }
            }
            let fleet = other.lock("fleet/train", &me(50)).await.expect("another scope is free");
            lock.confirm().await.unwrap();
            lock.release().await.unwrap();
            fleet.release().await.unwrap();
            lock.release().await.expect("twice is harmless");
            kept.push(lock);
        }
        let last = one.lock("stack", &me(7)).await.unwrap();
        drop(kept);
        last.confirm().await.expect("those who held it before do not let go of it again");
        assert_eq!(other.look_at_lock("stack").await.unwrap().holder, Some(me(7)));
        last.release().await.unwrap();
    });
}

pub fn a_lock_whose_process_is_gone_is_free_in_the_end(place: &Place) {
    let (one, other) = (place.open(), place.open());
    place.now(async {
        for round in 1..3 {
            drop(one.lock("stack", &me(round)).await.unwrap());
            let next = other.lock("stack", &me(9)).await.expect("free");
            next.confirm().await.unwrap();
            next.release().await.unwrap();
        }
    });
}

pub fn a_writer_whose_next_record_is_taken_is_deposed(place: &Place) {
    let (one, other) = (place.open(), place.open());
    place.now(async {
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

pub fn writers_in_turn_build_one_history(place: &Place) {
    place.now(async {
        for round in 0..4 {
            let store = place.open();
            let lock = store.lock("stack", &me(round)).await.unwrap();
            let mut journal = Journal::write(&*store, "x", &lock).await.unwrap();
            journal.append(begin()).await.unwrap();
            journal.append(begin()).await.unwrap();
            // Every other one leaves its records for the next to fold.
            if round % 2 == 0 {
                journal.finish(Moment(2)).await.unwrap();
            }
            lock.release().await.unwrap();
        }
        let read = Journal::open(&*place.open(), "x").await.unwrap().ledger;
        assert_eq!((read.applies.len(), read.lineage.as_str()), (8, "x"));
    });
}

pub fn the_last_twenty_states_are_kept(place: &Place) {
    let store = place.open();
    place.now(async {
        let mut journal = Journal::open(&*store, "x").await.unwrap();
        for round in 0..30 {
            journal.finish(Moment(round)).await.unwrap();
        }
        let kept = store.list("backups/").await.unwrap();
        assert_eq!(kept.len(), 20);
        assert_eq!(kept.last().unwrap(), "backups/0000000029");
    });
}

/// Every check by its name.
#[cfg(feature = "aws")]
pub type Check = (&'static str, fn(&Place));

macro_rules! every {
    ($($check:ident),* $(,)?) => {
        #[cfg(feature = "aws")]
        pub const ALL: &[Check] = &[$((stringify!($check), $check)),*];
        $(mod $check {
            #[test]
            fn on_every_store() {
                for place in crate::ledger::Place::all() {
                    super::$check(&place);
                }
            }
        })*
    };
}

every!(
    a_key_is_created_only_once,
    of_racing_writers_exactly_one_wins,
    only_the_version_that_was_read_is_replaced,
    keys_are_listed_in_order_and_nothing_else_is,
    removing_is_final_and_removing_what_is_absent_is_fine,
    a_lock_has_one_holder_whom_the_second_is_told_until_it_is_released,
    a_lock_whose_process_is_gone_is_free_in_the_end,
    a_writer_whose_next_record_is_taken_is_deposed,
    writers_in_turn_build_one_history,
    the_last_twenty_states_are_kept,
);

/// S3 itself, as far as an independent emulator is S3.
#[cfg(feature = "aws")]
#[test]
#[ignore = "needs moto: run `make test`"]
fn on_s3() {
    let server = super::moto::Server::start();
    for (name, check) in ALL {
        let begun = std::time::Instant::now();
        check(&Place::S3(server.bucket()));
        println!("S3 (moto): {name} ({} ms)", begun.elapsed().as_millis());
    }
}
