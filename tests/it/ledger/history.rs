//! The history of applies: a chain of records of its own, ledgers of the first format, and
//! applies that died.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mlinfra::ledger::{
    Entry, FileStore, Journal, Ledger, MemoryStore, Store, StoreError, Who, history,
};
use mlinfra::model::Moment;
use tempfile::TempDir;

use super::now;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/ledger/format-1");

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A ledger as the first version of its format left it after two applies.
fn first_format() -> (TempDir, FileStore) {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join(".mlinfra");
    copy(Path::new(GOLDEN), &root);
    let store = FileStore::open(&root).unwrap();
    (folder, store)
}

fn begin(at: i64) -> Entry {
    let who = Who { verb: "apply".to_owned(), ..Who::default() };
    let (plan, config) = (Some("p".to_owned()), None);
    Entry::Begin {
        at: Moment(at),
        who,
        steps: 0,
        names: Default::default(),
        plan,
        config,
        targets: Vec::new(),
        site: None,
    }
}

fn end(at: i64) -> Entry {
    Entry::End { at: Moment(at), outcome: "converged".to_owned(), outputs: Default::default() }
}

async fn apply(store: &dyn Store, at: i64) -> Result<Ledger, StoreError> {
    let mut journal = Journal::open(store, "lineage").await?;
    journal.append(begin(at)).await?;
    journal.append(end(at + 1)).await?;
    journal.finish(Moment(at + 1)).await?;
    Ok(journal.ledger)
}

#[test]
fn ledgers_of_the_first_format_load_and_go_on() {
    let (_folder, store) = first_format();
    now(async {
        let read = Journal::open(&store, "").await.unwrap().ledger;
        let told: Vec<_> = read.applies.iter().map(|a| (a.number, a.done.len())).collect();
        assert_eq!(told, [(1, 3), (2, 1)]);
        assert_eq!(read.applies[0].done[0].verb, "create");
        assert_eq!(history::all(&store, &read).await.unwrap().len(), 2);
        // The next apply writes their records too.
        let after = apply(&store, 10_000).await.unwrap();
        assert_eq!(history::verify(&store, &after).await.unwrap(), 3);
        let (first, _) = history::record(&store, 1).await.unwrap().unwrap();
        assert_eq!((first.apply.steps, first.apply.who.verb.as_str()), (3, "apply"));
    });
}

#[test]
fn records_that_know_of_no_targets_read_as_they_were_and_keep_their_sums() {
    let store = MemoryStore::default();
    now(async {
        let ledger = apply(&store, 0).await.unwrap();
        let text = String::from_utf8(store.get("history/0000000001").await.unwrap().unwrap().bytes);
        // One of the whole stack is written as before there were targets.
        assert!(!text.unwrap().contains("targets"));
        let (kept, _) = history::record(&store, 1).await.unwrap().unwrap();
        assert_eq!((kept.apply.targets, kept.apply.outcome), (vec![], "converged".to_owned()));
        assert_eq!(history::verify(&store, &ledger).await, Ok(1));
    });
    // So does a journal that was begun before.
    let old = r#"{"entry":"begin","at":1,"who":{"arn":"","user":"","commit":null,"verb":"apply"},"steps":1,"names":[]}"#;
    let Entry::Begin { targets, .. } = serde_json::from_str(old).unwrap() else { panic!() };
    assert_eq!(targets, [""; 0]);
}

#[test]
fn a_journal_of_the_first_format_that_was_not_folded_shows_as_unfinished() {
    let (folder, store) = first_format();
    let root = folder.path().join(".mlinfra");
    fs::copy(root.join("backups/0000000001"), root.join("state")).unwrap();
    let log = root.join("journal/0000000001.log");
    let text = fs::read_to_string(&log).unwrap();
    let last = text.rfind("journal/0000000001/").unwrap();
    let cut = text[..last].rfind('\n').unwrap() + 1;
    fs::write(&log, &text[..cut]).unwrap();
    now(async {
        let read = Journal::open(&store, "").await.unwrap().ledger;
        let all = history::all(&store, &read).await.unwrap();
        assert_eq!(all.iter().map(|a| a.ended.is_some()).collect::<Vec<_>>(), [true, false]);
        let after = apply(&store, 10_000).await.unwrap();
        assert_eq!(history::verify(&store, &after).await.unwrap(), 3);
        let (second, _) = history::record(&store, 2).await.unwrap().unwrap();
        assert_eq!(second.apply.ended, None, "it stays unfinished in its record");
    });
}

#[test]
fn records_are_kept_when_the_state_has_long_let_go_of_them() {
    let store = MemoryStore::default();
    now(async {
        for at in 0..25 {
            apply(&store, at * 10).await.unwrap();
        }
        let ledger = Journal::open(&store, "").await.unwrap().ledger;
        assert_eq!((ledger.applies.len(), ledger.total), (10, 25));
        assert_eq!(history::all(&store, &ledger).await.unwrap().len(), 25);
        assert_eq!(history::verify(&store, &ledger).await.unwrap(), 25);
    });
}

#[test]
fn a_lost_state_does_not_take_the_history_along() {
    let store = MemoryStore::default();
    now(async {
        apply(&store, 0).await.unwrap();
        apply(&store, 10).await.unwrap();
        store.remove("state").await.unwrap();
        for key in store.list("journal/").await.unwrap() {
            store.remove(&key).await.unwrap();
        }
        let ledger = apply(&store, 20).await.unwrap();
        assert_eq!((ledger.total, ledger.history.number), (3, 3));
        assert_eq!(history::verify(&store, &ledger).await.unwrap(), 3);
    });
}

#[test]
fn whatever_is_changed_in_the_history_is_found() {
    let key = |number: u64| format!("history/{number:010}");
    for number in 1..=3 {
        for lose in [false, true] {
            let store = MemoryStore::default();
            now(async {
                let mut ledger = Ledger::default();
                for at in 0..3 {
                    ledger = apply(&store, at * 10).await.unwrap();
                }
                let blob = store.get(&key(number)).await.unwrap().unwrap();
                store.remove(&key(number)).await.unwrap();
                if !lose {
                    let text = String::from_utf8(blob.bytes).unwrap();
                    let other = text.replace("\"converged\"", "\"failed\"");
                    store.create_new(&key(number), other.as_bytes()).await.unwrap();
                }
                let found = history::verify(&store, &ledger).await;
                let Err(StoreError::Corrupt { problem, .. }) = found else {
                    panic!("{number} {lose}: {found:?}");
                };
                let good = format!("good up to apply {}", number - 1);
                assert!(problem.contains(&good), "{number} {lose}: {problem}");
            });
        }
    }
}

#[test]
fn a_death_between_record_and_state_writes_the_record_once() {
    let store = MemoryStore::default();
    now(async {
        apply(&store, 0).await.unwrap();
        let mut journal = Journal::open(&store, "").await.unwrap();
        journal.append(begin(10)).await.unwrap();
        journal.append(end(11)).await.unwrap();
        // It dies right after its record was written, before the state was.
        let state = store.get("state").await.unwrap().unwrap();
        journal.finish(Moment(11)).await.unwrap();
        let after = store.get("state").await.unwrap().unwrap();
        store.replace_if("state", &state.bytes, &after.version).await.unwrap();
        let ledger = apply(&store, 20).await.unwrap();
        assert_eq!(history::verify(&store, &ledger).await.unwrap(), 3);
    });
}
