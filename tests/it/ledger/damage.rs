//! What is damaged on disk is either found, with the last good point named, or it is the
//! torn end of a write that never was durable. Nothing ever reads as something else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mlinfra::cloud::{Live, Observed, Owner, Phase, Seen};
use mlinfra::kinds::{InternetGateway, KindName, Tags};
use mlinfra::ledger::{
    Applied, Baseline, Entry, FileStore, Journal, Ledger, MemoryStore, Stood, Store, StoreError,
    Who, verify,
};
use mlinfra::model::{CloudId, Link, Moment, StackName, Token, VpcId};
use serde_json::{Map, json};

use super::{Place, now};
use crate::bucket::{Bucket, store};
use crate::sample;

/// A ledger of two finished applies and a third that stands at its tenth record.
pub fn history(store: &dyn Store) -> Ledger {
    now(async {
        let mut journal = Journal::open(store, "lineage").await.unwrap();
        for serial in 0..3 {
            for seq in 0..10 {
                journal.append(entry(serial * 10 + seq)).await.unwrap();
            }
            if serial < 2 {
                journal.finish(Moment(serial)).await.unwrap();
            }
        }
        journal.ledger
    })
}

fn entry(at: i64) -> Entry {
    let (address, who) = (sample::at("bucket.data"), Who::default());
    let ids = vec![CloudId(format!("b-{at}"))];
    let verb = if at % 2 == 0 { "create" } else { "delete" }.to_owned();
    let at = Moment(at);
    match at.0 % 10 {
        0 => Entry::Begin {
            at,
            who,
            steps: 8,
            names: BTreeSet::new(),
            plan: None,
            config: None,
            targets: Vec::new(),
            site: None,
        },
        9 => {
            let outputs = Map::from_iter([("n".to_owned(), json!(at.0))]);
            Entry::End { at, outcome: "converged".to_owned(), outputs }
        }
        _ => Entry::Did { at, address, verb, ids, failure: None, took: None },
    }
}

fn read(folder: &Path) -> Result<Ledger, StoreError> {
    let store = FileStore::open(folder)?;
    now(async { Ok(Journal::open(&store, "lineage").await?.ledger) })
}

fn append(folder: &Path, at: i64) -> Result<(), StoreError> {
    let store = FileStore::open(folder)?;
    now(async { Journal::open(&store, "lineage").await?.append(entry(at)).await })
}

/// A folder with a history, its journal file, and every ledger that its records lead to.
fn written() -> (Place, PathBuf, Vec<Ledger>) {
    let place = Place::folder();
    let whole = history(&*place.open());
    let journal = place.path().join("journal/0000000002.log");
    assert_eq!(read(&place.path()).unwrap(), whole, "reopening reads everything back");
    let state = fs::read(place.path().join("state")).unwrap();
    let bytes = fs::read(&journal).unwrap();
    fs::remove_file(&journal).unwrap();
    let mut steps = vec![read(&place.path()).unwrap()];
    for at in 20..30 {
        append(&place.path(), at).unwrap();
        steps.push(read(&place.path()).unwrap());
    }
    assert_eq!((fs::read(&journal).unwrap(), steps.last()), (bytes, Some(&whole)));
    assert_eq!(fs::read(place.path().join("state")).unwrap(), state);
    (place, journal, steps)
}

/// Where each record of a journal ends: behind the second line of two.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let lines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    lines.skip(1).step_by(2).collect()
}

#[test]
fn a_journal_cut_at_any_byte_loses_only_the_cut_record_and_goes_on() {
    let (place, journal, steps) = written();
    let bytes = fs::read(&journal).unwrap();
    let ends = ends(&bytes);
    assert_eq!(ends.len(), 10);
    for cut in 0..bytes.len() {
        fs::write(&journal, &bytes[..cut]).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        // The record after the last whole one: it reads what is left, and goes on from it.
        append(&place.path(), 20 + whole as i64).unwrap();
        assert_eq!(read(&place.path()).as_ref(), Ok(&steps[whole + 1]), "cut at {cut}");
    }
    println!("torn tails: cut at {} bytes of 10 records; 0 unreadable", bytes.len());
}

#[test]
fn any_byte_of_a_journal_that_flips_is_found_or_was_of_the_last_record() {
    let (place, journal, steps) = written();
    let bytes = fs::read(&journal).unwrap();
    let ends = ends(&bytes);
    let (mut found, mut torn) = (0, 0);
    for at in 0..bytes.len() {
        let good = ends.iter().filter(|end| **end <= at).count();
        for mask in [1 << (at % 8), 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            fs::write(&journal, &flipped).unwrap();
            match read(&place.path()) {
                Err(StoreError::Corrupt { problem, .. }) => {
                    assert!(problem.contains(&format!("the {good} records before")), "{problem}");
                    found += 1;
                }
                Ok(ledger) if good == 9 && ledger == steps[9] => torn += 1,
                other => panic!("byte {at} ^ {mask:#x}: {other:?}"),
            }
        }
    }
    println!("journal flips: {found} found, {torn} torn (last record only), 0 silent");
    assert!(torn * 9 <= found);
}

#[test]
fn any_byte_of_the_state_that_flips_is_found() {
    let (place, journal, _) = written();
    // Alone: the journal's chain would find it too.
    fs::remove_file(journal).unwrap();
    let state = place.path().join("state");
    let bytes = fs::read(&state).unwrap();
    for at in 0..bytes.len() {
        for mask in [1 << (at % 8), 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            fs::write(&state, &flipped).unwrap();
            match read(&place.path()) {
                Err(StoreError::Corrupt { place, problem }) => {
                    assert_eq!(place, "state");
                    let newer = problem.contains("use a newer one");
                    assert!(newer || problem.contains("backups/0000000001"), "{problem}");
                }
                other => panic!("byte {at} ^ {mask:#x}: {other:?}"),
            }
        }
    }
    println!("state flips: {} found, 0 silent", bytes.len() * 2);
}

#[test]
fn a_record_taken_out_or_put_elsewhere_breaks_the_chain() {
    let (place, journal, _) = written();
    let bytes = fs::read(&journal).unwrap();
    let ends = ends(&bytes);
    let record = |n: usize| &bytes[if n == 0 { 0 } else { ends[n - 1] }..ends[n]];
    for at in 0..9 {
        let mut order: Vec<usize> = (0..10).collect();
        order.swap(at, at + 1);
        // Under each other's keys, as whoever meddles would write them.
        let under = |(key, n): (usize, &usize)| (key, record(*n));
        let store = MemoryStore::default();
        now(async {
            let state = fs::read(place.path().join("state")).unwrap();
            store.create_new("state", &state).await.unwrap();
            for (key, framed) in order.iter().enumerate().map(under) {
                let body = framed.split(|byte| *byte == b'\n').nth(1).unwrap();
                store.create_new(&format!("journal/0000000002/{key:08}"), body).await.unwrap();
            }
            match Journal::open(&store, "lineage").await.map(|journal| journal.ledger) {
                Err(StoreError::Corrupt { problem, .. }) => {
                    assert!(problem.contains(&format!("good up to record {at}")), "{problem}");
                }
                other => panic!("{order:?}: {other:?}"),
            }
        });
    }
    for out in 0..9 {
        let order: Vec<usize> = (0..10).filter(|n| *n != out).collect();
        let framed: Vec<u8> = order.iter().flat_map(|n| record(*n)).copied().collect();
        fs::write(&journal, framed).unwrap();
        let found = read(&place.path());
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{order:?}: {found:?}");
    }
}

#[test]
fn a_state_that_is_missing_old_or_too_new_is_refused() {
    let (place, _, _) = written();
    let state = place.path().join("state");
    let text = fs::read_to_string(&state).unwrap();
    let problem = || match read(&place.path()) {
        Err(error @ StoreError::Corrupt { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    fs::write(&state, text.replace("\"min_reader\": 1", "\"min_reader\": 9")).unwrap();
    assert!(problem().contains("use a newer one"), "{}", problem());
    fs::write(&state, r#"{"format": 7, "min_reader": 7, "all": "else"}"#).unwrap();
    assert!(problem().contains("written in format 7"), "{}", problem());
    fs::copy(place.path().join("backups/0000000001"), &state).unwrap();
    assert!(problem().contains("journal/0000000002"), "{}", problem());
    fs::remove_file(&state).unwrap();
    assert!(problem().contains("the last good one before it is backups/"), "{}", problem());
}

#[test]
fn a_lost_state_comes_back_whole_from_its_last_backup() {
    let (place, _, _) = written();
    let store = place.open();
    let whole = now(async {
        let mut journal = Journal::open(&*store, "x").await.unwrap();
        journal.finish(Moment(99)).await.unwrap();
        journal.ledger
    });
    fs::copy(place.path().join("backups/0000000002"), place.path().join("state")).unwrap();
    let back = read(&place.path()).unwrap();
    assert_eq!((back.applies, back.outputs, back.serial), (whole.applies, whole.outputs, 2));
}

/// Every object of a ledger in a bucket, and every byte of it.
#[test]
fn any_byte_of_any_object_that_flips_is_found_with_the_last_good_point() {
    let bucket = Bucket::default();
    history(&store(bucket.clone()));
    keep_applied(&store(bucket.clone()), 2);
    let whole = now(async { verify(&store(bucket.clone()), "stack").await.unwrap() });
    assert_eq!(whole.damage, []);
    assert!(bucket.keys().iter().any(|key| key.starts_with("applied/")));
    let mut flips = 0;
    for key in bucket.keys().into_iter().filter(|key| !key.starts_with("lock/")) {
        let length = bucket.objects.lock().unwrap()[&key].len();
        // Each place once, in turn from all of eight bits.
        for at in (0..length).step_by(5) {
            let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at / 5 % 8);
            bucket.edit(&key, flip);
            let store = store(bucket.clone());
            let found = now(async { verify(&store, "stack").await.unwrap() });
            assert!(
                found.damage.iter().any(|one| one.place.ends_with(&key)),
                "{key} {at}: {found:?}"
            );
            // No apply reads the history, or what stood after one: nothing else is lost.
            let beside = key.starts_with("history/") || key.starts_with("applied/");
            assert!(found.good < whole.good || beside, "{key} {at}: {found:?}");
            if key == "state" || key.starts_with("journal/0000000002") {
                let read = now(async { Journal::open(&store, "x").await.map(|_| ()) });
                let Err(StoreError::Corrupt { problem, .. }) = read else { panic!("{key} {at}") };
                assert!(problem.contains("good"), "{problem}");
            }
            bucket.edit(&key, flip);
            flips += 1;
        }
    }
    println!("flips in {} objects: {flips} found, 0 silent", bucket.keys().len());
    assert!(flips > 1000);
}

/// What stood at the end of an apply.
fn applied(number: u64) -> Applied {
    let tags = Tags::from([("team".to_owned(), "ml".to_owned())]);
    let gateway = InternetGateway { vpc: Some(Link::Id(VpcId("vpc-1".to_owned()))), tags };
    let stood = Stood { address: sample::at("network.main"), generation: 1, spec: gateway.into() };
    let objects = BTreeMap::from([(CloudId("igw-1".to_owned()), stood)]);
    let blind = BTreeSet::from([KindName::Bucket]);
    Applied {
        number,
        at: Moment(7),
        objects,
        blind,
        ..Applied::of(0, Moment(0), Observed::default())
    }
}

fn keep_applied(store: &dyn Store, number: u64) {
    now(async {
        let journal = Journal::open(store, "x").await.unwrap();
        journal.keep_applied(&applied(number)).await.unwrap();
    });
}

/// Every byte of what drift compares with, alone: no other object's checksum covers it.
#[test]
fn any_byte_of_what_was_applied_that_flips_is_found_and_told_as_no_drift() {
    let place = Place::folder();
    history(&*place.open());
    keep_applied(&*place.open(), 2);
    let last = || now(async { Applied::last(&*place.open()).await });
    assert_eq!(last(), Ok(Some(applied(2))));
    let path = place.path().join("applied/0000000002");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        for mask in [1, 2, 3, 4, 8, 16, 32, 64, 128, 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            fs::write(&path, &flipped).unwrap();
            let Err(StoreError::Corrupt { place, problem }) = last() else {
                panic!("byte {at} ^ {mask:#x}: {:?}", last());
            };
            assert_eq!(place, "applied/0000000002");
            assert!(problem.ends_with("history do not depend on it"), "{problem}");
        }
    }
    for cut in 0..bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert!(matches!(last(), Err(StoreError::Corrupt { .. })), "cut at {cut}");
    }
    let found = now(async { verify(&*place.open(), "stack").await.unwrap() });
    assert_eq!(found.damage.len(), 1);
    assert_eq!(found.damage[0].place, "applied/0000000002");
    // Neither the ledger nor the next apply depends on it.
    append(&place.path(), 30).unwrap();
    keep_applied(&*place.open(), 2);
    assert_eq!(last(), Ok(Some(applied(2))), "the same number again");
    fs::write(&path, b"torn").unwrap();
    keep_applied(&*place.open(), 3);
    assert_eq!(last(), Ok(Some(applied(3))));
    assert!(!path.exists());
    println!("applied flips: {} found, 0 silent", bytes.len() * 10);
}

/// What the cloud shows when it is just that.
fn observed() -> Observed {
    let live = applied(2).objects.into_iter().map(|(id, stood)| {
        let (stack, token) = (StackName::from("s"), Token("t".to_owned()));
        let Stood { address, generation, spec } = stood;
        let owner = Owner { stack, address, generation, token, named: None };
        let (kind, seen, phase) = (spec.kind(), Seen::Spec(spec), Phase::Ready);
        (id, Live { kind, owner, seen, phase, holds_data: false, batch: None })
    });
    let blind = BTreeMap::from([(KindName::Bucket, "denied".to_owned())]);
    Observed { live: live.collect(), blind, ..Observed::default() }
}

#[test]
fn what_was_applied_is_read_only_when_the_cloud_shows_something_else() {
    let place = Place::folder();
    history(&*place.open());
    let against =
        |observed: &Observed| now(async { Applied::against(&*place.open(), observed).await });
    assert_eq!(against(&observed()), Ok(Baseline::Absent));
    keep_applied(&*place.open(), 2);
    assert_eq!(against(&observed()), Ok(Baseline::Same { number: 2 }));
    let other = Ok(Baseline::Other(applied(2)));
    let with = |change: &dyn Fn(&mut Live)| {
        let mut observed = observed();
        observed.live.values_mut().for_each(change);
        against(&observed)
    };
    assert_eq!(with(&|live| live.phase = Phase::Leaving), other);
    assert_eq!(with(&|live| live.phase = Phase::Failed("x".to_owned())), other);
    assert_eq!(with(&|live| live.owner.generation = 2), other);
    assert_eq!(with(&|live| live.owner.address = sample::at("network.other")), other);
    assert_eq!(with(&|live| live.seen = Seen::Blind("denied".to_owned())), other);
    let gateway = InternetGateway { vpc: None, tags: Tags::new() };
    assert_eq!(with(&|live| live.seen = Seen::Spec(gateway.clone().into())), other);
    assert_eq!(against(&Observed::default()), other);
    // What the cloud shows does not excuse a flip, not even in what is not compared.
    let path = place.path().join("applied/0000000002");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        assert!(matches!(against(&observed()), Err(StoreError::Corrupt { .. })), "byte {at}");
    }
}

#[test]
fn what_was_applied_reads_in_the_first_format_and_in_no_other_place_or_format() {
    let place = Place::folder();
    history(&*place.open());
    let folder = place.path().join("applied");
    fs::create_dir(&folder).unwrap();
    // As it was written before there was a checksum.
    let first = r#"{"format":1,"number":2,"at":7,"objects":{"igw-1":{"address":"network.main","generation":1,"kind":"internet_gateway","spec":{"vpc":{"$id":"vpc-1"},"tags":{"team":"ml"}}}},"blind":["bucket"]}"#;
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("0000000002", first);
    let last = || now(async { Applied::last(&*place.open()).await });
    let wanted = applied(2);
    assert_eq!(last(), Ok(Some(Applied { format: 1, ..wanted })));
    let verified = || now(async { verify(&*place.open(), "stack").await.unwrap().damage });
    assert_eq!(verified(), []);
    let refused = |wanted: &str| {
        let Err(StoreError::Corrupt { problem, .. }) = last() else { panic!("{:?}", last()) };
        assert!(problem.contains(wanted), "{problem}");
        assert_eq!(verified().len(), 1);
    };
    write("0000000002", &first.replace("\"format\":1", "\"format\":2"));
    refused("its checksum is missing");
    write("0000000002", &first.replace("\"format\":1", "\"format\":3"));
    refused("a newer mlinfra wrote it");
    write("0000000002", &first.replace("\"number\":2", "\"number\":1"));
    refused("it is that of apply 1");
    // The next apply writes it with one.
    keep_applied(&*place.open(), 3);
    assert_eq!((last(), verified()), (Ok(Some(applied(3))), vec![]));
    let text = fs::read_to_string(folder.join("0000000003")).unwrap();
    assert!(text.starts_with("{\"format\":2,\"number\":3,") && text.contains("\"sha256\":\""));
    // One that is whole, and another apply's.
    fs::rename(folder.join("0000000003"), folder.join("0000000009")).unwrap();
    refused("it is that of apply 3");
}

#[test]
fn an_object_that_is_missing_or_stands_elsewhere_is_found() {
    let bucket = Bucket::default();
    history(&store(bucket.clone()));
    let verified = || now(async { verify(&store(bucket.clone()), "stack").await.unwrap() });
    let whole = verified();
    let keys = bucket.keys();
    let journal: Vec<_> = keys.iter().filter(|key| key.starts_with("journal/0000000002")).collect();
    // The last one is missed by the lock only (see `lease`).
    for key in &journal[..journal.len() - 1] {
        let bytes = bucket.objects.lock().unwrap().remove(*key).unwrap();
        let found = verified();
        assert!(!found.damage.is_empty() && found.good < whole.good, "{key}: {found:?}");
        bucket.objects.lock().unwrap().insert((*key).clone(), bytes);
    }
    for pair in journal.windows(2) {
        let swap = || {
            let mut objects = bucket.objects.lock().unwrap();
            let [one, other] = [pair[0], pair[1]].map(|key| objects[key].clone());
            objects.insert(pair[0].clone(), other);
            objects.insert(pair[1].clone(), one);
        };
        swap();
        assert!(!verified().damage.is_empty(), "{pair:?}");
        swap();
    }
    let state = bucket.objects.lock().unwrap().remove("state").unwrap();
    assert!(!verified().damage.is_empty());
    bucket.objects.lock().unwrap().insert("state".to_owned(), state);
    assert_eq!(verified(), whole);
}

/// A writer that dies while it lets go of the records of a state long folded leaves any of
/// them: no damage, since nobody reads them again, and the next writer removes them.
#[test]
fn what_is_left_of_a_journal_that_was_being_removed_is_no_damage() {
    let bucket = Bucket::default();
    history(&store(bucket.clone()));
    let old: BTreeMap<_, _> = bucket.objects.lock().unwrap().clone().into_iter().collect();
    let finish = || {
        let store = store(bucket.clone());
        now(async {
            let mut journal = Journal::open(&store, "lineage").await.unwrap();
            journal.append(entry(40)).await.unwrap();
            journal.finish(Moment(40)).await.unwrap();
        });
    };
    finish();
    let verified = || now(async { verify(&store(bucket.clone()), "stack").await.unwrap() });
    let whole = verified();
    assert_eq!((whole.damage.len(), whole.good.map(|good| good.serial)), (0, Some(3)));
    let gone = |key: &&String| key.starts_with("journal/0000000001/");
    let records: Vec<_> = old.keys().filter(gone).cloned().collect();
    assert_eq!(records.len(), 10);
    let put = |key: &String| bucket.objects.lock().unwrap().insert(key.clone(), old[key].clone());
    let leftovers = || bucket.keys().iter().filter(gone).count();
    for left in 1..records.len() {
        for some in [&records[..left], &records[left..]] {
            assert_eq!(leftovers(), 0);
            some.iter().for_each(|key| drop(put(key)));
            assert_eq!(verified(), whole, "{some:?}");
            let mut objects = bucket.objects.lock().unwrap();
            some.iter().for_each(|key| drop(objects.remove(key)));
        }
    }
    // Even where the state is lost, which is all that is then wrong.
    put(&records[9]);
    let state = bucket.objects.lock().unwrap().remove("state").unwrap();
    assert_eq!(verified().damage.iter().map(|one| &one.place[..]).collect::<Vec<_>>(), ["state"]);
    bucket.objects.lock().unwrap().insert("state".to_owned(), state);
    finish();
    assert_eq!((leftovers(), verified().damage), (0, vec![]));
}

/// The same for files, as `mlinfra ledger verify` reads them.
#[test]
fn verify_names_what_is_damaged_on_disk() {
    let (place, journal, _) = written();
    let verified = || now(async { verify(&*place.open(), "stack").await.unwrap() });
    let whole = verified();
    assert_eq!((whole.damage.len(), whole.states), (0, 2));
    for path in [place.path().join("state"), place.path().join("backups/0000000001"), journal] {
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 4;
        fs::write(&path, &flipped).unwrap();
        let found = verified();
        assert!(!found.damage.is_empty() && found.good < whole.good, "{path:?}: {found:?}");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(verified(), whole);
}
