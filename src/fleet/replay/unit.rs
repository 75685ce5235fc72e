//! Units of time and of cost in a replay.

/// One second, in milliseconds.
pub const SECOND: i64 = 1_000;

/// Accelerator-hours of node-milliseconds.
pub(super) fn gpu_hours(node_millis: i64, gpus: u32) -> f64 {
    node_millis as f64 * f64::from(gpus) / (3_600 * SECOND) as f64
}
