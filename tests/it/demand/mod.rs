//! Every source of demand against the real thing: Debian's Redis, PostgreSQL, Prometheus and
//! Slurm, and moto's SQS, each started here on free ports in a folder of its own, and ended.

// Without clients there is nothing to try most peers on.
#![cfg_attr(not(feature = "tls"), allow(dead_code))]

mod peer;
#[cfg(feature = "postgres")]
mod postgres;
mod program;
#[cfg(feature = "http")]
mod prometheus;
#[cfg(feature = "redis")]
mod redis;
mod slurm;
#[cfg(all(feature = "aws", feature = "http"))]
mod sqs;
#[cfg(feature = "http")]
mod web;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mlinfra::cloud::Facts;
use mlinfra::demand::{Answer, Queues, Sources, Trouble, What, World};
use mlinfra::fleet::{Demand, Shape};
use mlinfra::kinds::Home;
use mlinfra::lang::{self, File, Vars};
use mlinfra::model::{AccountId, Moment, Region, Zone};
use mlinfra::stack::{self, Autoscale, Pins, Words};

/// Some day in 2027.
pub const NOW: Moment = Moment(1_800_000_000_000);

/// The block `autoscale` of a cluster of up to 16 nodes with 8 GPUs each, as a stack says it.
pub fn autoscale(body: &str) -> Autoscale {
    let text = format!(
        "stack \"s\" {{\n  region = \"us-east-1\"\n}}\nnetwork \"n\" {{\n  cidr = \"10.0.0.0/16\"\n}}\n\
         cluster \"c\" {{\n  network = network.n\n  accelerators = \"A100:8\"\n  \
         nodes = {{ min = 0, max = 16 }}\n  autoscale {{\n{body}\n  }}\n}}\n"
    );
    let file = File { name: "main.hcl".to_owned(), text };
    let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let (account, region) = (AccountId::from("123456789012"), Region::from("us-east-1"));
    let mut facts = Facts::bare(Home { account, region });
    facts.zones = vec![Zone("us-east-1a".to_owned())];
    facts.images = BTreeMap::from([("dlami-base".to_owned(), "ami-1".into())]);
    let wanted = stack::expand(&loaded, &facts, &Pins::default()).expect("a stack");
    let fleet = wanted.fleets.into_values().next().expect("a fleet");
    fleet.autoscale.expect("an autoscaled cluster")
}

/// What a test gives to its sources.
pub struct Around<'a> {
    pub folder: &'a Path,
    pub env: Vec<(&'a str, &'a str)>,
    pub queues: Option<Arc<dyn Queues>>,
}

impl<'a> Around<'a> {
    pub fn folder(folder: &'a Path) -> Self {
        Self { folder, env: Vec::new(), queues: None }
    }

    pub fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.env.push((name, value));
        self
    }

    /// Its sources, ready, or what is missing for the first of them.
    pub fn open(&self, body: &str) -> Result<Sources, Trouble> {
        let env = |name: &str| {
            let found = self.env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let world = World { env: &env, folder: self.folder, queues: self.queues.as_ref() };
        let opened = Sources::open(&autoscale(body), (Some(8), 16), world);
        opened.map_err(|bad| bad.into_iter().next().expect("a reason").1)
    }

    /// What its sources say when they are asked once.
    pub async fn look(&self, body: &str) -> Answer {
        let watch = self.open(body).unwrap_or_else(|bad| panic!("{bad}"));
        watch.look(NOW).await
    }

    /// Why they say nothing.
    pub async fn trouble(&self, body: &str) -> Trouble {
        match self.open(body) {
            Err(trouble) => trouble,
            Ok(watch) => trouble(watch.look(NOW).await),
        }
    }
}

/// The trouble of the only source.
pub fn trouble(answer: Answer) -> Trouble {
    let report = answer.reports.into_iter().next().expect("a report");
    report.trouble.unwrap_or_else(|| panic!("it answered: {:?}", answer.demand))
}

/// How many jobs wait, by shape, and how many run; only of what is known.
pub fn known(answer: &Answer) -> (Vec<(u32, Shape)>, u32) {
    let Demand::Known { work, .. } = &answer.demand else { panic!("{answer:?}") };
    let waiting = work.waiting.iter().map(|job| (job.count, job.shape)).collect();
    (waiting, work.running.iter().map(|job| job.count).sum())
}

/// That a trouble is of this sort and says this, and no credential of a test.
pub fn told(trouble: &Trouble, what: What, part: &str) {
    assert_eq!(trouble.what, what, "{trouble}");
    assert!(trouble.text.contains(part), "{part:?} is not in {:?}", trouble.text);
    assert!(!trouble.text.contains("hunter2"), "a credential is told: {trouble}");
    assert!(!trouble.text.chars().any(char::is_control), "{trouble:?}");
}

/// Waits until a condition holds, a test's whole patience.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within a minute: {what}");
}
