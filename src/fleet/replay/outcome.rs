//! What came of a replay.

use std::collections::BTreeMap;

use super::unit::{SECOND, gpu_hours};
use super::world::{Count, World};

/// What came of a replay. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Accelerator-hours that were paid, from each node's request on.
    pub cost_gpu_h: f64,
    /// Of these on the spot market.
    pub spot_gpu_h: f64,
    /// Accelerator-hours in which jobs ran.
    pub used_gpu_h: f64,
    /// Of these for runs that a fault or a policy ended.
    pub wasted_gpu_h: f64,
    /// Half of all jobs waited no longer.
    pub wait_p50: f64,
    /// 95 of 100 waited no longer.
    pub wait_p95: f64,
    /// 99 of 100 waited no longer.
    pub wait_p99: f64,
    /// 95 of 100 jobs on several nodes waited no longer.
    pub gang_wait_p95: f64,
    /// Jobs on several nodes.
    pub gangs: usize,
    /// Share of jobs that waited for less than a second.
    pub instant_share: f64,
    /// Nodes that were asked for.
    pub launches: u64,
    /// Running jobs that the policy ended.
    pub kills: u64,
    /// Running jobs that a fault ended.
    pub restarts: u64,
    /// Launches and nodes that came to nothing.
    pub faults: u64,
    /// Jobs that had not run to their end when the replay gave up.
    pub unfinished: usize,
    /// The most nodes that lived at once.
    pub nodes_max: u32,
    /// The policy's turns.
    pub turns: u64,
    /// What must never happen, and how often it did.
    pub broken: BTreeMap<&'static str, u64>,
}

impl Outcome {
    pub(super) fn of(world: &World) -> Self {
        let Count { paid, paid_spot, used, wasted, waits, gang_waits, .. } = &world.count;
        let gpus = world.setting.gpus;
        let (mut waits, mut gang_waits) = (waits.clone(), gang_waits.clone());
        waits.sort_unstable();
        gang_waits.sort_unstable();
        let instant = waits.partition_point(|wait| *wait < SECOND);
        Self {
            cost_gpu_h: gpu_hours(*paid, gpus),
            spot_gpu_h: gpu_hours(*paid_spot, gpus),
            used_gpu_h: gpu_hours(*used, 1),
            wasted_gpu_h: gpu_hours(*wasted, 1),
            wait_p50: percentile(&waits, 50),
            wait_p95: percentile(&waits, 95),
            wait_p99: percentile(&waits, 99),
            gang_wait_p95: percentile(&gang_waits, 95),
            gangs: gang_waits.len(),
            instant_share: instant as f64 / waits.len().max(1) as f64,
            launches: world.count.launches,
            kills: world.count.kills,
            restarts: world.count.restarts,
            faults: world.count.faults,
            unfinished: world.jobs.len() - world.count.done,
            nodes_max: world.count.peak,
            turns: world.count.turns,
            broken: world.count.broken.clone(),
        }
    }
}

/// In seconds; 0 of nothing.
fn percentile(sorted: &[i64], percent: usize) -> f64 {
    let at = (percent * sorted.len() / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |wait| *wait as f64 / SECOND as f64)
}
