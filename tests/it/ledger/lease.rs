//! The lock of an object store: a lease that is judged on a clock of one's own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mlinfra::ledger::{Journal, ObjectStore, Reach, Store, StoreError};
use mlinfra::model::Moment;
use tokio::time::{Instant, sleep};

use super::{begin, now};
use crate::bucket::{Bucket, Clockwork, FAULTS, Fault, LEASE, manners, me, store};

/// A process whose wake-ups can be taken from it, as SIGSTOP does.
fn freezable(bucket: &Bucket) -> (ObjectStore, Clockwork) {
    let clock = Clockwork::new();
    (ObjectStore::new(std::sync::Arc::new(bucket.clone()), manners(clock.clone())), clock)
}

#[test]
fn a_process_frozen_past_its_lease_begins_nothing_more() {
    now(async {
        let bucket = Bucket::default();
        let (sleeper, clock) = freezable(&bucket);
        let lock = sleeper.lock("stack", &me(1)).await.unwrap();
        let mut journal = Journal::write(&sleeper, "x", &lock).await.unwrap();
        journal.append(begin()).await.unwrap();
        sleep(LEASE / 2).await;
        clock.frozen.store(true, Ordering::SeqCst);
        let other = store(bucket.clone());
        let next = other.lock("stack", &me(2)).await.expect("it is taken over");
        let mut successor = Journal::write(&other, "x", &next).await.unwrap();
        // It wakes up: it may do nothing, whichever way it tries.
        let told = journal.confirm().await;
        assert!(
            matches!(&told, Err(StoreError::Deposed(by)) if by.contains("process 2")),
            "{told:?}"
        );
        assert!(journal.append(begin()).await.is_err(), "its next record is taken");
        assert!(journal.finish(Moment(1)).await.is_err(), "the state is another one");
        lock.release().await.unwrap();
        next.confirm().await.expect("the lock of the other is not let go of");
        successor.append(begin()).await.unwrap();
        assert_eq!(successor.ledger.applies.len(), 2, "its record was read before the fence");
        successor.finish(Moment(2)).await.unwrap();
    });
}

/// Between the last confirmation and a fold a process can be frozen as well: the fold of
/// the one before must not take the place of the successor's records.
#[test]
fn a_fold_that_comes_too_late_is_refused() {
    now(async {
        let bucket = Bucket::default();
        let (sleeper, clock) = freezable(&bucket);
        let lock = sleeper.lock("stack", &me(1)).await.unwrap();
        let mut journal = Journal::write(&sleeper, "x", &lock).await.unwrap();
        journal.append(begin()).await.unwrap();
        journal.finish(Moment(1)).await.unwrap();
        journal.append(begin()).await.unwrap();
        clock.frozen.store(true, Ordering::SeqCst);
        let other = store(bucket.clone());
        let next = other.lock("stack", &me(2)).await.unwrap();
        let mut successor = Journal::write(&other, "x", &next).await.unwrap();
        successor.append(begin()).await.unwrap();
        let folded = journal.finish(Moment(2)).await;
        assert!(matches!(folded, Err(StoreError::Lost(_))), "{folded:?}");
        let read = Journal::open(&store(bucket), "y").await.unwrap().ledger;
        assert_eq!(read.applies.len(), 3);
    });
}

#[test]
fn a_process_that_slept_while_nobody_came_goes_on() {
    now(async {
        let bucket = Bucket::default();
        let (sleeper, clock) = freezable(&bucket);
        let lock = sleeper.lock("stack", &me(1)).await.unwrap();
        clock.frozen.store(true, Ordering::SeqCst);
        sleep(LEASE * 10).await;
        lock.confirm().await.expect("the store says that it is still its own");
    });
}

#[test]
fn a_lock_is_taken_over_after_a_whole_lease_without_a_sign_and_not_before() {
    now(async {
        let bucket = Bucket::default();
        let (sleeper, clock) = freezable(&bucket);
        let _lock = sleeper.lock("stack", &me(1)).await.unwrap();
        clock.frozen.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        store(bucket).lock("stack", &me(2)).await.unwrap();
        let waited = begun.elapsed();
        assert!((LEASE..LEASE + LEASE / 5).contains(&waited), "{waited:?}");
    });
}

/// Whoever lives is never robbed, whatever happens to its signs of life but silence.
#[test]
fn a_holder_that_lives_keeps_its_lock_through_every_fault() {
    now(async {
        for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Refused) {
            let bucket = Bucket::default();
            // Every third call goes wrong.
            let bad = bucket.scripted(move |n, _, _| (n % 3 == 0).then_some(fault));
            let holder = store(bad);
            let lock = holder.lock("stack", &me(1)).await.unwrap();
            for _ in 0..30 {
                sleep(LEASE / 2).await;
                lock.confirm().await.unwrap_or_else(|bad| panic!("{fault:?}: {bad}"));
                let other = store(bucket.clone()).lock("stack", &me(2)).await;
                assert!(matches!(other, Err(StoreError::Held(_))), "{fault:?}: {other:?}");
            }
            lock.release().await.unwrap();
        }
    });
}

#[test]
fn without_an_answer_a_holder_stops_before_anybody_may_take_over() {
    now(async {
        let bucket = Bucket::default();
        let out = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = out.clone();
        let cut =
            bucket.scripted(move |_, _, _| seen.load(Ordering::SeqCst).then_some(Fault::Reset));
        let holder = store(cut);
        let lock = holder.lock("stack", &me(1)).await.unwrap();
        out.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        while lock.confirm().await.is_ok() {
            sleep(Duration::from_millis(500)).await;
        }
        let stopped = begun.elapsed();
        assert!(stopped > LEASE / 2 && stopped < LEASE, "{stopped:?}");
        // The store answers again, and nobody came: it may go on.
        out.store(false, Ordering::SeqCst);
        lock.confirm().await.unwrap();
    });
}

#[test]
fn a_bucket_that_ignores_conditions_is_refused_before_anything_is_written() {
    now(async {
        let bucket = Bucket::careless();
        let refused = store(bucket.clone()).lock("stack", &me(1)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unfit { .. }), "{refused:?}");
        assert!(refused.to_string().contains("it ignores If-None-Match"), "{refused}");
        assert_eq!(bucket.keys(), Vec::<String>::new(), "the probe is removed");
        // One that keeps only the first condition.
        let half = Bucket::half();
        let refused = store(half.clone()).lock("stack", &me(1)).await.unwrap_err();
        assert!(refused.to_string().contains("it ignores If-Match"), "{refused}");
        assert_eq!(half.keys(), Vec::<String>::new());
    });
}

#[test]
fn a_probe_is_not_misled_by_any_fault() {
    now(async {
        for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Refused) {
            for at in 0..8 {
                let bad = Bucket::default().scripted(move |n, _, _| (n == at).then_some(fault));
                let lock = store(bad).lock("stack", &me(1)).await;
                assert!(lock.is_ok(), "{fault:?} at call {at}: {lock:?}");
                let careless =
                    Bucket::careless().scripted(move |n, _, _| (n == at).then_some(fault));
                let lock = store(careless).lock("stack", &me(1)).await;
                assert!(lock.is_err(), "{fault:?} at call {at}");
            }
        }
    });
}

#[test]
fn a_lock_that_cannot_be_read_is_taken_over_like_any_other() {
    now(async {
        let bucket = Bucket::default();
        let _lock = store(bucket.clone()).lock("stack", &me(1)).await.unwrap();
        bucket.edit("lock/stack", |bytes| bytes.truncate(bytes.len() / 2));
        let begun = Instant::now();
        let next = store(bucket).lock("stack", &me(2)).await.unwrap();
        assert!(begun.elapsed() >= LEASE);
        next.confirm().await.unwrap();
    });
}

/// What is gone from the end of a journal breaks no chain. The lock says how far it reached.
#[test]
fn records_that_are_missing_at_the_end_are_missed() {
    now(async {
        let bucket = Bucket::default();
        let one = store(bucket.clone());
        let lock = one.lock("stack", &me(1)).await.unwrap();
        let mut journal = Journal::write(&one, "x", &lock).await.unwrap();
        for _ in 0..3 {
            journal.append(begin()).await.unwrap();
        }
        lock.release().await.unwrap();
        let reach = one.look_at_lock("stack").await.unwrap().reach;
        assert_eq!(reach, Some(Reach { serial: 0, records: 4 }), "a fence and three");
        let last = bucket.keys().into_iter().rfind(|key| key.starts_with("journal/")).unwrap();
        bucket.objects.lock().unwrap().remove(&last);
        let next = one.lock("stack", &me(2)).await.unwrap();
        let refused = Journal::write(&one, "x", &next).await.map(|_| ()).unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, StoreError::Corrupt { .. }), "{text}");
        assert!(text.contains("good up to state 0 and record 3"), "{text}");
    });
}

/// One fault at one call, at every call of an apply, of every kind: what passes is passed
/// over, and what does not pass stops the writer. In neither case is anything lost that was
/// said to be written.
#[test]
fn a_fault_at_any_call_loses_nothing() {
    let whole = |bucket: Bucket| async move {
        let store = store(bucket);
        let lock = store.lock("stack", &me(1)).await.map_err(|bad| (0, bad))?;
        let mut journal = Journal::write(&store, "x", &lock).await.map_err(|bad| (0, bad))?;
        let mut written = 0;
        for round in 0..2 {
            for _ in 0..2 {
                journal.append(begin()).await.map_err(|bad| (written, bad))?;
                written += 1;
            }
            journal.finish(Moment(round)).await.map_err(|bad| (written, bad))?;
        }
        lock.release().await.map_err(|bad| (written, bad))?;
        Ok::<usize, (usize, StoreError)>(written)
    };
    now(async {
        let undisturbed = Bucket::default().scripted(|_, _, _| None);
        whole(undisturbed.clone()).await.unwrap();
        let calls = undisturbed.calls.load(Ordering::SeqCst);
        let (mut passed, mut stopped) = (0, 0);
        for at in 0..calls {
            // Once, and from then on for good.
            for (fault, lasts) in FAULTS.into_iter().flat_map(|one| [(one, false), (one, true)]) {
                let bucket = Bucket::default();
                let bad =
                    bucket.scripted(move |n, _, _| (n == at || (lasts && n > at)).then_some(fault));
                let ended = whole(bad).await;
                let reader = store(bucket);
                let read = Journal::open(&reader, "y").await;
                let read = read.unwrap_or_else(|bad| panic!("{fault:?} at {at}: {bad}")).ledger;
                let told = match &ended {
                    Ok(written) | Err((written, _)) => *written,
                };
                let kept = read.applies.len();
                // One more may stand there: the one of which no answer came.
                assert!((told..=told + 1).contains(&kept), "{fault:?} at {at}: {told}, {kept}");
                let transient = !lasts && fault != Fault::Refused;
                if transient {
                    assert_eq!((kept, ended.is_ok()), (4, true), "{fault:?} at {at}: {ended:?}");
                }
                if let Err((_, error)) = &ended {
                    let known = matches!(
                        error,
                        StoreError::Io { .. }
                            | StoreError::Exists(_)
                            | StoreError::Lost(_)
                            | StoreError::Unfit { .. }
                            | StoreError::Deposed(_)
                    );
                    assert!(known, "{error:?}");
                    stopped += 1;
                } else {
                    passed += 1;
                }
            }
        }
        println!(
            "faults: {calls} calls, each with {} kinds of fault, once and for good: {passed} passed over, {stopped} stopped, 0 lost",
            FAULTS.len()
        );
        assert!(passed > calls * 5 && stopped > calls);
    });
}

/// The check can fail: without the nonce a write whose answer was lost is taken for
/// somebody else's.
#[test]
fn an_own_write_is_known_by_its_nonce_and_a_foreign_one_is_not() {
    now(async {
        let bucket = Bucket::default();
        let bad = bucket
            .scripted(|n, call, _| (n == 0 && call == "put new").then_some(Fault::LostAndRepeated));
        store(bad).create_new("state", b"mine").await.expect("its own");
        let foreign = store(bucket.scripted(|_, _, _| Some(Fault::LostAndRepeated)));
        // The same bytes by somebody else are not one's own.
        let refused = foreign.create_new("state", b"mine").await;
        assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    });
}

/// Five answers that somebody else is writing, and no more tries.
#[test]
fn conflicts_are_retried_a_few_times() {
    now(async {
        for conflicts in 0..7_usize {
            let bucket = Bucket::default();
            let bad =
                bucket.scripted(move |_, call, _| (call == "put new").then_some(Fault::Conflict));
            let left = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(conflicts));
            let bad = if conflicts == 6 {
                bad
            } else {
                bucket.scripted(move |_, call, _| {
                    let more = call == "put new"
                        && left
                            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                            .is_ok();
                    more.then_some(Fault::Conflict)
                })
            };
            let written = store(bad).create_new("state", b"x").await;
            assert_eq!(written.is_ok(), conflicts < 5, "{conflicts}: {written:?}");
        }
    });
}
