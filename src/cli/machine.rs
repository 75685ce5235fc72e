//! The machine that mlinfra runs on: its clock and its environment.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::ledger::Pace;
use crate::model::Moment;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the room that asks the clock")]
pub fn wall() -> Moment {
    Moment(Timestamp::now().as_millisecond())
}

/// Reads a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The time, for lines of a log.
pub fn stamp() -> String {
    wall().to_string()
}

/// A clock that nobody can set, and that goes on while the machine sleeps: a laptop that
/// was closed for an hour has not held its lock for an hour.
#[derive(Clone, Copy, Debug)]
pub struct Steady;

#[async_trait]
impl Pace for Steady {
    fn now(&self) -> Duration {
        #[cfg(target_os = "linux")]
        let now = clock_gettime(ClockId::Boottime);
        #[cfg(not(target_os = "linux"))]
        let now = clock_gettime(ClockId::Monotonic);
        Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
    }

    /// In real time also where the runtime's clock jumps to whatever is waited for.
    async fn sleep(&self, time: Duration) {
        aside(move || std::thread::sleep(time)).await;
    }
}

/// Does what blocks (waiting, asking a person) while everything else goes on; none when
/// that panicked. Nobody waits for it when the command ends before.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, waiting) = oneshot::channel();
    // Nobody may be waiting any more.
    std::thread::spawn(move || drop(done.send(work())));
    waiting.await.ok()
}

/// A name for a new ledger (tokens of two ledgers never meet), or for a process.
#[expect(clippy::disallowed_methods, reason = "this is the room that rolls dice")]
pub fn dice() -> String {
    Uuid::now_v7().to_string()
}
