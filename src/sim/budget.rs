//! Token buckets, as AWS rates calls by.

use super::region::{Inner, throttled};
use crate::cloud::{Call, Failure};

/// What is left of a bucket, and when it was looked at; none while it is full.
pub(super) type Bucket = Option<(f64, u64)>;

/// Takes so many tokens out of a bucket, if it holds them. It holds `size` and refills by
/// `refill` per second.
pub(super) fn take(bucket: &mut Bucket, (size, refill): (f64, f64), cost: f64, now: u64) -> bool {
    let full = bucket.map_or(size, |(left, then)| {
        let gained = now.saturating_sub(then) as f64 / 1000.0 * refill;
        (left + gained).min(size)
    });
    let allowed = full >= cost;
    *bucket = Some((if allowed { full - cost } else { full }, now));
    allowed
}

impl Inner {
    /// The bucket refills by the second and holds one second's worth.
    pub fn throttle(&mut self, api: &str) -> Result<(), Failure> {
        let (rate, now) = (self.world.settings.throttle as f64, self.now());
        let allowed = rate == 0.0 || take(&mut self.bucket, (rate, rate), 1.0, now);
        if allowed { Ok(()) } else { Err(throttled(api)) }
    }

    /// Nodes that are launched come out of a bucket of their own.
    pub fn afford(&mut self, api: &str, call: &Call) -> Result<(), Failure> {
        let (Call::Launch(launch), Some((size, refill))) =
            (call, self.world.settings.supply.launches)
        else {
            return Ok(());
        };
        let (cost, now) = (f64::from(launch.count), self.now());
        let allowed = take(&mut self.launches, (size as f64, refill as f64), cost, now);
        if allowed { Ok(()) } else { Err(throttled(api)) }
    }
}
