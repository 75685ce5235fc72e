//! The world in a folder.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::cloud::Observed;
use crate::sim::SimError;

fn open(folder: &Path) -> Region {
    Region::open(folder, RegionName::from("us-east-1")).expect("a world")
}

fn text(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("world.jsonl")).expect("a log")
}

fn append(folder: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().append(true).open(folder.join("world.jsonl"));
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}

#[tokio::test(start_paused = true)]
async fn the_world_is_there_again_at_the_time_it_was_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let region = open(folder.path());
    region.set("visibility_ms", "1000").expect("a setting");
    let id = make(&region, "v", vpc()).await;
    tokio::time::sleep(Duration::from_secs(500)).await;
    let seen = observe(&region).await;
    let (then, all) = (region.now(), region.snapshot());
    drop(region);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let again = open(folder.path());
    assert!(again.now() <= then && again.now() > 499_000, "nobody saw the hour pass");
    assert_eq!(again.snapshot(), all);
    let now = observe(&again).await;
    assert_eq!(now, Observed { at: now.at, ..seen });
    assert_eq!(again.settings().visibility_ms, 1000);
    assert_ne!(make(&again, "w", vpc()).await, id);
}

#[tokio::test(start_paused = true)]
async fn time_that_a_patient_reader_saw_pass_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let region = open(folder.path());
    region.set("latency_ms", "0").expect("a setting");
    for _ in 0..250 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(phase(&region, KindName::Vpc, &CloudId::from("vpc-1")).await, Phase::Gone);
    }
    assert!(open(folder.path()).now() > 98_000);
    assert!(text(folder.path()).lines().count() < 110);
}

#[tokio::test(start_paused = true)]
async fn two_processes_see_one_world() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (open(folder.path()), open(folder.path()));
    let id = make(&one, "v", vpc()).await;
    let inside = make(&two, "s", subnet(&id, "10.0.0.0/20", "us-east-1a")).await;
    assert_eq!(one.snapshot(), two.snapshot());
    assert!(delete(&one, &id, vpc()).await.is_err(), "the other's subnet is in it");
    delete(&one, &inside, subnet(&id, "10.0.0.0/20", "us-east-1a")).await.expect("a delete");
    two.advance(Duration::from_secs(1000)).expect("time");
    assert!(one.snapshot() == two.snapshot() && one.now() >= 1_000_000);
    two.set("faults", "deny@1").expect("a fault");
    assert_eq!(create(&one, "x", vpc()).await.expect_err("denied").class, Class::Denied);
    assert!(two.settings().faults.is_empty(), "it struck once for all");
}

#[test]
fn threads_share_a_folder_without_losing_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let work = |who: u32| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let region = open(folder.path());
        runtime.block_on(async {
            for n in 0..50 {
                make(&region, &format!("{who}-{n}"), address()).await;
            }
        });
    };
    open(folder.path()).set("quota.elastic_ip", "none").expect("a setting");
    std::thread::scope(|scope| {
        (0..4).for_each(|who| drop(scope.spawn(move || work(who))));
    });
    assert_eq!(open(folder.path()).snapshot().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_line_never_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    make(&open(folder.path()), "v", vpc()).await;
    let before = text(folder.path());
    append(folder.path(), "[5000,{\"event\":\"dele");
    let region = open(folder.path());
    assert_eq!(region.snapshot().len(), 1);
    assert_eq!(text(folder.path()), before);
    append(folder.path(), "[5000,");
    make(&region, "w", vpc()).await;
    assert_eq!(open(folder.path()).snapshot().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let region = open(folder.path());
    append(folder.path(), "nonsense\n");
    let failure = create(&region, "v", vpc()).await.expect_err("unreadable");
    assert_eq!(failure.class, Class::Unavailable);
    assert_eq!(observe(&region).await.blind.len(), KindName::ALL.len());
    let opened = Region::open(folder.path(), RegionName::from("us-east-1"));
    let why = opened.err().expect("unreadable");
    assert!(matches!(why, SimError::Unreadable { line: 2, .. }), "{why}");
    assert!(why.to_string().contains("world.jsonl") && why.to_string().contains("sandbox reset"));
    Region::reset(folder.path()).expect("a new world");
    make(&region, "v", vpc()).await;
    assert_eq!(open(folder.path()).snapshot().len(), 1);
    Region::reset(folder.path()).expect("a new world");
    assert!(region.snapshot().is_empty(), "an open handle follows");
    std::fs::write(folder.path().join("world.jsonl"), "{\"mlinfra_world\":9,\"fold\":0}\n")
        .expect("written");
    let newer = Region::open(folder.path(), RegionName::from("us-east-1")).err().expect("newer");
    assert!(newer.to_string().contains("format 9"), "{newer}");
}

#[tokio::test(start_paused = true)]
async fn a_long_log_is_folded_and_others_follow() {
    let folder = tempfile::tempdir().expect("a folder");
    let region = open(folder.path());
    region.set("visibility_ms", "60000").expect("a setting");
    let queue = make(&region, "v", vpc()).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ip = make(&region, "e", address()).await;
    for n in 0..1100 {
        region.foreign_tag(queue.as_str(), "n", Some(&n.to_string())).expect("a tag");
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    region.foreign_delete(ip.as_str()).expect("a delete");
    let (all, seen) = (region.snapshot(), observe(&region).await);
    assert!(text(folder.path()).lines().count() > 1100);
    let other = open(folder.path());
    assert!(text(folder.path()).lines().count() < 10);
    assert_eq!((other.snapshot(), region.snapshot()), (all.clone(), all));
    // A look takes its time, which the other handle's clock begins after.
    let again = Observed { at: seen.at, ..observe(&other).await };
    assert_eq!(again, seen);
    make(&region, "w", vpc()).await;
    assert_eq!(other.snapshot().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_objects_come_back_quickly() {
    let folder = tempfile::tempdir().expect("a folder");
    let region = open(folder.path());
    region.set("quota.vpc", "none").expect("a setting");
    for n in 0..10_000 {
        make(&region, &format!("t{n}"), vpc()).await;
    }
    assert_eq!(open(folder.path()).snapshot().len(), 10_000);
}
