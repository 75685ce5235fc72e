//! What the sources of one cluster tell of, counted for the metrics. Pure.

use std::collections::BTreeMap;

use crate::demand::{Report, What};
use crate::fleet::{Demand, Job};
use crate::model::Moment;

/// A queue's numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// Jobs that wait.
    pub jobs: u64,
    /// The accelerators that they need.
    pub waiting: u64,
    /// The accelerators of jobs that run, where the source tells.
    pub running: u64,
    /// When the oldest job that waits was handed in, where the source tells.
    pub oldest: Option<Moment>,
    /// What kind of source tells of it.
    pub source: &'static str,
    /// Seconds since it last answered, where it ever has.
    pub age: Option<u32>,
    /// Looks at which it gave no answer, by what went wrong.
    pub errors: BTreeMap<What, u64>,
}

impl Queue {
    /// Its numbers are known: without an answer there is no telling that nothing waits.
    pub fn is_known(&self) -> bool {
        self.source.is_empty() || self.age.is_some()
    }
}

/// All queues of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queues {
    /// By name; those without one together.
    pub all: BTreeMap<String, Queue>,
}

impl Queues {
    /// How each source answered.
    pub fn heard(&mut self, reports: &[Report]) {
        for Report { name, kind, age, trouble, .. } in reports {
            let queue = self.all.entry(name.clone()).or_default();
            (queue.source, queue.age) = (kind, age.map(|age| age.0));
            if let Some(trouble) = trouble {
                *queue.errors.entry(trouble.what).or_default() += 1;
            }
        }
    }

    /// Counts their jobs.
    pub fn counted(&mut self, demand: &Demand) {
        let Some(work) = demand.work() else { return };
        for queue in self.all.values_mut() {
            (queue.jobs, queue.waiting, queue.running, queue.oldest) = (0, 0, 0, None);
        }
        let name = |job: &Job| job.queue.as_ref().map_or("", |it| it.as_str()).to_owned();
        for job in &work.waiting {
            let queue = self.all.entry(name(job)).or_default();
            queue.jobs += u64::from(job.count);
            queue.waiting += needs(job);
            queue.oldest = queue.oldest.into_iter().chain(job.submitted_at).min();
        }
        for job in &work.running {
            self.all.entry(name(job)).or_default().running += needs(job);
        }
    }
}

fn needs(job: &Job) -> u64 {
    u64::from(job.count) * u64::from(job.shape.gpus) * u64::from(job.shape.nodes.max(1))
}
