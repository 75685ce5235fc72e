//! Our own token buckets, so that a large apply beside an autoscaler does not run the
//! account into throttling that would hit everybody else in it too.
//!
//! The numbers are those that EC2 publishes
//! (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>): each
//! API has its own bucket, and starting or ending instances draws on a second one
//! that counts instances. The others are set well below what those services allow.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How much a bucket holds, and how much comes back each second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    size: f64,
    refill: f64,
}

const fn rate(size: f64, refill: f64) -> Rate {
    Rate { size, refill }
}

/// EC2's calls that have a rate of their own.
const SPECIAL: &[(&str, Rate)] = &[
    ("ec2:RunInstances", rate(5.0, 2.0)),
    ("ec2:TerminateInstances", rate(100.0, 5.0)),
    ("ec2:CreateTags", rate(100.0, 10.0)),
    ("ec2:DeleteTags", rate(100.0, 10.0)),
    ("ec2:CreateVpcEndpoint", rate(4.0, 0.3)),
    ("ec2:ModifyVpcEndpoint", rate(4.0, 0.3)),
    ("ec2:DeleteVpcEndpoints", rate(4.0, 0.3)),
];

/// Instances started or ended.
const RESOURCES: Rate = rate(1000.0, 2.0);

fn rate_of(api: &str) -> Rate {
    if let Some((_, rate)) = SPECIAL.iter().find(|(name, _)| *name == api) {
        return *rate;
    }
    let reads = ["Describe", "Get", "List"];
    let is_read = |name: &str| reads.iter().any(|verb| name.starts_with(verb));
    match api.split_once(':') {
        Some(("ec2", name)) if is_read(name) => rate(100.0, 20.0),
        Some(("ec2", _)) => rate(50.0, 5.0),
        // IAM publishes no numbers; it is the strictest of the other services.
        Some(("iam", _)) => rate(20.0, 10.0),
        // Neither publishes numbers for calls that change; both throttle early.
        Some(("fsx" | "efs", name)) if !is_read(name) => rate(10.0, 2.0),
        Some(("fsx" | "efs", _)) => rate(20.0, 5.0),
        // Five a second for all that an account asks Route 53
        // (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>).
        Some(("route53", _)) => rate(5.0, 4.0),
        // The Price List API publishes no number either, and is slow.
        Some(("pricing", _)) => rate(10.0, 5.0),
        // Parameter Store: 40 a second for all that the account reads.
        Some(("ssm", _)) => rate(40.0, 20.0),
        Some((_, _)) | None => rate(100.0, 100.0),
    }
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// The buckets of one account in one region.
#[derive(Debug, Default)]
pub struct Limits {
    levels: Mutex<BTreeMap<String, Level>>,
}

impl Limits {
    /// Waits until the API may be called once.
    pub async fn wait(&self, api: &str) {
        // Route 53 counts all of its calls together.
        let bucket = if api.starts_with("route53:") { "route53" } else { api };
        self.take(bucket, rate_of(api), 1.0).await;
    }

    /// Waits until so many instances may be started or ended by the API.
    pub async fn wait_instances(&self, api: &str, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.take(&format!("{api}/instances"), RESOURCES, f64::from(count)).await;
    }

    async fn take(&self, bucket: &str, rate: Rate, count: f64) {
        let delay = self.draw(bucket, rate, count, Instant::now());
        if delay > Duration::ZERO {
            sleep(delay).await;
        }
    }

    /// Draws now and says how long to wait for it: the level may go below zero, so
    /// that those who wait are served in their order.
    fn draw(&self, bucket: &str, rate: Rate, count: f64, now: Instant) -> Duration {
        let Ok(mut levels) = self.levels.lock() else { return Duration::ZERO };
        let level =
            levels.entry(bucket.to_owned()).or_insert_with(|| Level { tokens: rate.size, at: now });
        let passed = now.saturating_duration_since(level.at).as_secs_f64();
        level.tokens = (level.tokens + passed * rate.refill).min(rate.size) - count;
        level.at = now;
        Duration::from_secs_f64((-level.tokens / rate.refill).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_rest_waits_for_the_refill() {
        let limits = Limits::default();
        let start = Instant::now();
        for _ in 0..50 {
            limits.wait("ec2:CreateSubnet").await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            limits.wait("ec2:CreateSubnet").await;
        }
        assert!(start.elapsed() >= Duration::from_millis(1999), "{:?}", start.elapsed());
        assert!(start.elapsed() <= Duration::from_millis(2100), "{:?}", start.elapsed());
    }

    #[test]
    fn half_of_the_reads_of_parameters_are_left_to_others() {
        assert_eq!(rate_of("ssm:GetParameter"), rate(40.0, 20.0));
    }

    #[tokio::test(start_paused = true)]
    async fn apis_do_not_wait_for_each_other() {
        let limits = Limits::default();
        let start = Instant::now();
        for _ in 0..5 {
            limits.wait("ec2:RunInstances").await;
        }
        limits.wait("ec2:DescribeInstances").await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        limits.wait("ec2:RunInstances").await;
        assert!(start.elapsed() >= Duration::from_millis(499));
    }

    #[tokio::test(start_paused = true)]
    async fn instances_are_counted_in_a_bucket_of_their_own() {
        let limits = Limits::default();
        let start = Instant::now();
        limits.wait_instances("ec2:RunInstances", 1000).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        limits.wait_instances("ec2:RunInstances", 20).await;
        assert!(start.elapsed() >= Duration::from_millis(9_900), "{:?}", start.elapsed());
    }
}
