//! The simulated region keeps the contract, also when it shows everything late, when it
//! is kept in a file, and when it throttles.
#![allow(missing_docs, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::cloud::{
    Ask, Call, CallCounts, Caller, Cloud, Condition, Facts, Failure, Measure, Observed,
    Permissions, Phase, Pulse, Reply, Running, Scope, Stray,
};
use mlinfra::kinds::KindName;
use mlinfra::model::{CloudId, Region as RegionName, Token};
use mlinfra::sim::{Region, Settings};
use tempfile::TempDir;

use crate::contract::{Harness, Skip, suite};

/// A region, and the folder that must outlive it.
struct Simulated {
    region: Region,
    _folder: Option<TempDir>,
}

#[async_trait]
impl Harness for Simulated {
    fn cloud(&self) -> &dyn Cloud {
        &self.region
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn fill(&self, bucket: &CloudId, objects: u32) -> bool {
        self.region.put_objects(bucket.as_str(), u64::from(objects)).is_ok()
    }

    async fn hide(&self, kind: KindName) -> bool {
        self.region.set("blind", kind.word()).is_ok()
    }
}

fn name() -> RegionName {
    RegionName::from("us-east-1")
}

fn memory(settings: Settings) -> Simulated {
    Simulated { region: Region::memory(name(), settings), _folder: None }
}

#[tokio::test(start_paused = true)]
async fn the_simulated_region_keeps_the_contract() {
    suite(&[], async || memory(Settings::default())).await;
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract_when_all_shows_late() {
    let late = Settings { visibility_ms: 7000, ..Settings::default() };
    suite(&[], async || memory(late.clone())).await;
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract_when_it_throttles() {
    let slow = Settings { throttle: 2, ..Settings::default() };
    suite(&[], async || memory(slow.clone())).await;
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract_in_a_file() {
    suite(&[], async || {
        let folder = tempfile::tempdir().expect("a folder");
        let region = Region::open(folder.path(), name()).expect("a world");
        Simulated { region, _folder: Some(folder) }
    })
    .await;
}

/// An adapter that forgets to send tokens and keeps half of what it saw to itself.
struct Sloppy(Region, AtomicU32);

#[async_trait]
impl Cloud for Sloppy {
    async fn caller(&self) -> Result<Caller, Failure> {
        self.0.caller().await
    }
    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        self.0.facts(ask).await
    }
    async fn observe(&self, scope: &Scope) -> Observed {
        Observed { blind: BTreeMap::new(), ..self.0.observe(scope).await }
    }
    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        let mut call = call.clone();
        if let Call::Launch(launch) = &mut call {
            launch.owner.token = Token(self.1.fetch_add(1, Ordering::Relaxed).to_string());
        }
        self.0.act(&call).await
    }
    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure> {
        self.0.find(kind, name).await
    }

    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        self.0.phase(kind, id).await
    }
    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        self.0.conditions(nodes).await
    }
    async fn quota(&self, service: &str, code: &str) -> Result<Option<u64>, Failure> {
        self.0.quota(service, code).await
    }
    async fn usage(&self, of: &Measure) -> Result<u64, Failure> {
        self.0.usage(of).await
    }

    async fn pulse(&self) -> Pulse {
        self.0.pulse().await
    }

    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions {
        self.0.permissions(actions).await
    }

    async fn running(&self) -> Result<Running, Failure> {
        self.0.running().await
    }
    fn lag(&self) -> Duration {
        self.0.lag()
    }

    fn calls(&self) -> CallCounts {
        self.0.calls()
    }
}

#[async_trait]
impl Harness for Sloppy {
    fn cloud(&self) -> &dyn Cloud {
        self
    }
    async fn pause(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    async fn fill(&self, _: &CloudId, _: u32) -> bool {
        false
    }
    async fn hide(&self, kind: KindName) -> bool {
        self.0.set("blind", kind.word()).is_ok()
    }
}

/// The cases that such an adapter fails.
const KNOWN: [Skip; 3] = [
    Skip { case: "a launch is replayed", why: "it sends a new token each time" },
    Skip { case: "nodes live and die", why: "the tag is not the intent's" },
    Skip { case: "what is hidden is reported", why: "it keeps that to itself" },
];

async fn sloppy() -> Sloppy {
    Sloppy(Region::memory(name(), Settings::default()), AtomicU32::new(0))
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "3 of ")]
async fn the_contract_finds_a_sloppy_adapter_out() {
    suite(&[], sloppy).await;
}

#[tokio::test(start_paused = true)]
async fn known_wrongs_are_skipped_by_name() {
    suite(&KNOWN, sloppy).await;
}
