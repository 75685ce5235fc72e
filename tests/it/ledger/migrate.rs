//! Moving a ledger from a folder to a bucket and back: whole, once, whatever dies when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mlinfra::ledger::{
    Blob, End, Holder, Journal, Ledger, Lock, Migrated, Store, StoreError, Version, migrate,
};
use mlinfra::model::Moment;

use super::{Place, begin, damage, now};
use crate::bucket::{Bucket, me};

async fn carry(from: &dyn Store, to: &dyn Store) -> Result<Migrated, StoreError> {
    let (here, there) = (from.lock("stack", &me(1)).await?, to.lock("stack", &me(1)).await?);
    let from = End { store: from, lock: &here, place: "here" };
    let to = End { store: to, lock: &there, place: "there" };
    let done = migrate(&from, &to, Moment(77)).await;
    here.release().await?;
    there.release().await?;
    done
}

async fn read(store: &dyn Store) -> Result<Ledger, StoreError> {
    Ok(Journal::open(store, "x").await?.ledger)
}

fn bucket() -> Place {
    Place::Objects(Bucket::default())
}

async fn apply(store: &dyn Store) {
    let lock = store.lock("stack", &me(3)).await.unwrap();
    let mut journal = Journal::write(store, "x", &lock).await.unwrap();
    journal.append(begin()).await.unwrap();
    journal.finish(Moment(9)).await.unwrap();
    lock.release().await.unwrap();
}

#[test]
fn a_ledger_goes_to_a_bucket_and_comes_back_whole() {
    let (folder, bucket) = (Place::folder(), bucket());
    let (file, s3) = (folder.open(), bucket.open());
    now(async {
        assert_eq!(carry(&*file, &*s3).await, Ok(Migrated::Nothing));
    });
    damage::history(&*file);
    now(async {
        let before = read(&*file).await.unwrap();
        let moved = carry(&*file, &*s3).await.unwrap();
        assert_eq!(moved, Migrated::Moved(3, before.applies.len()));
        let after = read(&*s3).await.unwrap();
        assert_eq!((after.applies, after.lineage), (before.applies, before.lineage));
        let gone = read(&*file).await;
        assert!(matches!(gone, Err(StoreError::Moved { ref to, .. }) if to == "there"), "{gone:?}");
        assert_eq!(carry(&*file, &*s3).await, Ok(Migrated::Already), "a second time");
        apply(&*s3).await;
        assert_eq!(carry(&*file, &*s3).await, Ok(Migrated::Already), "and later");
        let newest = read(&*s3).await.unwrap();
        assert_eq!(carry(&*s3, &*file).await, Ok(Migrated::Moved(4, newest.applies.len())));
        assert_eq!(read(&*file).await.unwrap(), newest, "back");
        assert!(matches!(read(&*s3).await, Err(StoreError::Moved { .. })));
        apply(&*file).await;
        assert_eq!(carry(&*file, &*s3).await.unwrap(), Migrated::Moved(5, 5));
    });
}

#[test]
fn another_history_is_never_replaced() {
    let (one, other) = (Place::folder(), bucket());
    let (from, to) = (one.open(), other.open());
    damage::history(&*from);
    let refused = |why: &'static str| {
        now(async {
            let (before, there) = (read(&*from).await.unwrap(), read(&*to).await.unwrap());
            match carry(&*from, &*to).await {
                Err(StoreError::Taken { problem, .. }) => {
                    assert!(problem.contains(why), "{problem}");
                }
                other => panic!("{other:?}"),
            }
            let (now_, still) = (read(&*from).await.unwrap(), read(&*to).await.unwrap());
            assert_eq!((now_.applies, still), (before.applies, there), "neither has changed");
        });
    };
    now(async {
        let lock = to.lock("stack", &me(5)).await.unwrap();
        let mut journal = Journal::write(&*to, "stranger", &lock).await.unwrap();
        journal.append(begin()).await.unwrap();
        lock.release().await.unwrap();
    });
    refused("cut off has left records");
    now(apply(&*to));
    refused("another ledger stands there");
    // The same ledger, grown apart on both sides.
    let (one, other) = (Place::folder(), bucket());
    let (from, to) = (one.open(), other.open());
    damage::history(&*from);
    now(async {
        for key in ["state", "backups/0000000001"] {
            let blob = from.get(key).await.unwrap().unwrap();
            to.create_new(key, &blob.bytes).await.unwrap();
        }
        apply(&*to).await;
        for _ in 0..2 {
            apply(&*from).await;
        }
        let moved = carry(&*from, &*to).await;
        assert!(
            matches!(moved, Err(StoreError::Taken { ref problem, .. }) if problem.contains("lacks")),
            "{moved:?}"
        );
        for _ in 0..5 {
            apply(&*to).await;
        }
        let moved = carry(&*from, &*to).await;
        assert!(
            matches!(moved, Err(StoreError::Taken { ref problem, .. }) if problem.contains("newer")),
            "{moved:?}"
        );
    });
}

/// A store whose process ends at one of its writes, before or after it.
struct Mortal(Arc<dyn Store>, Arc<AtomicUsize>, usize);

impl Mortal {
    fn moment(&self) -> Result<(), StoreError> {
        let dies = self.1.fetch_add(1, Ordering::SeqCst) == self.2;
        let dead = || StoreError::Io { place: "here".to_owned(), problem: "died".to_owned() };
        if dies { Err(dead()) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Mortal {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        self.0.get(key).await
    }
    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        self.moment()?;
        let version = self.0.create_new(key, bytes).await?;
        self.moment()?;
        Ok(version)
    }
    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        self.moment()?;
        let version = self.0.replace_if(key, bytes, version).await?;
        self.moment()?;
        Ok(version)
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.0.list(prefix).await
    }
    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.moment()?;
        self.0.remove(key).await?;
        self.moment()
    }
    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        self.0.lock(scope, holder).await
    }
}

#[test]
fn dying_at_any_write_leaves_a_ledger_that_can_be_moved_again() {
    for to_bucket in [true, false] {
        for at in 0.. {
            let (one, other) =
                if to_bucket { (Place::folder(), bucket()) } else { (bucket(), Place::folder()) };
            let (from, to) = (one.open(), other.open());
            let whole = damage::history(&*from);
            let moments = Arc::new(AtomicUsize::new(0));
            let mortal = |store: &Arc<dyn Store>| Mortal(store.clone(), moments.clone(), at);
            let (dying_from, dying_to) = (mortal(&from), mortal(&to));
            let died = now(carry(&dying_from, &dying_to)).is_err();
            if !died {
                println!("moving, to a bucket {to_bucket}: died at {at} moments, 0 lost");
                assert!(at > 10);
                break;
            }
            now(async {
                // In between one of the two is whole, and says so.
                let either = [read(&*from).await, read(&*to).await];
                let kept = either.iter().flatten().any(|ledger| ledger.applies == whole.applies);
                assert!(kept, "death at {at}: {either:?}");
                let again = carry(&*from, &*to).await.unwrap_or_else(|bad| panic!("{at}: {bad}"));
                assert_ne!(again, Migrated::Nothing, "death at {at}");
                assert_eq!(read(&*to).await.unwrap().applies, whole.applies, "death at {at}");
                assert!(matches!(read(&*from).await, Err(StoreError::Moved { .. })), "{at}");
            });
        }
    }
}
