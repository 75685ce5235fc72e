//! Token buckets, as AWS rates calls by.

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
