//! `source "sqs"`: the depth of an SQS queue. Messages are never received: that would hide
//! them from workers, and count toward the dead-letter queue.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use crate::model::Moment;

use super::sqs_port::Queues;
use super::trouble::{Trouble, What};
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: String,
    #[serde(default = "yes")]
    oldest_age: bool,
}

fn yes() -> bool {
    true
}

/// CloudWatch has a value a minute (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>),
/// and a question costs USD 0.00001 (<https://aws.amazon.com/cloudwatch/pricing/>).
const EVERY: i64 = 60_000;
/// Who was refused asks again after an hour: rights may have been given.
const REFUSED: i64 = 3_600_000;

/// Who is not answered in that time does without: the depth matters, and has its own patience.
const PATIENCE: Duration = Duration::from_millis(800);

struct Sqs {
    settings: Settings,
    queues: Arc<dyn Queues>,
    bounds: Bounds,
    age: Mutex<Age>,
}

/// What is known of the oldest message, and when it may be asked for again.
#[derive(Clone, Copy, Default)]
struct Age {
    since: Option<Moment>,
    next: Option<Moment>,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let Some(queues) = wanted.world.queues.cloned() else {
        let text = "this mlinfra was built without the feature \"aws\"";
        return Err(Trouble::new(What::Setup, text));
    };
    let (settings, bounds) = (wanted.settings()?, wanted.bounds);
    Ok(Box::new(Sqs { settings, queues, bounds, age: Mutex::default() }))
}

#[async_trait]
impl Source for Sqs {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let depth = self.queues.depth(&self.settings.url).await?;
        // What was sent with a delay is work that is yet to come: a node may boot meanwhile.
        let waiting = depth.visible.saturating_add(depth.delayed);
        // Both are far below what a float holds exactly; if not, they are not believed.
        #[allow(clippy::cast_precision_loss)]
        let mut reading = Reading::depth(&self.bounds, waiting as f64, depth.in_flight as f64)?;
        if waiting > 0 && self.settings.oldest_age {
            reading.oldest = self.oldest(now).await;
            reading.work.waiting.iter_mut().for_each(|job| job.submitted_at = reading.oldest);
        }
        Ok(reading)
    }
}

impl Sqs {
    /// Since when the oldest waits. It is nice to know, and no reason to fail.
    async fn oldest(&self, now: Moment) -> Option<Moment> {
        let Age { since, next } = self.held();
        if next.is_some_and(|next| now < next) {
            return since;
        }
        // Also where this is given up half-way, the next look does not ask again.
        let later = |pause: i64| Some(Moment(now.0.saturating_add(pause)));
        self.hold(Age { since, next: later(EVERY) });
        let asked = self.queues.oldest(&self.settings.url, now);
        let Ok(asked) = tokio::time::timeout(PATIENCE, asked).await else { return since };
        let (since, pause) = match asked {
            Ok(age) => (age.and_then(|age| before(now, age)), EVERY),
            Err(trouble) if trouble.what == What::Denied => (None, REFUSED),
            Err(_) => (since, EVERY),
        };
        self.hold(Age { since, next: later(pause) });
        since
    }

    fn held(&self) -> Age {
        self.age.lock().map(|held| *held).unwrap_or_default()
    }

    fn hold(&self, age: Age) {
        if let Ok(mut held) = self.age.lock() {
            *held = age;
        }
    }
}

/// No message is older than 14 days; who says so is wrong.
fn before(now: Moment, age: u64) -> Option<Moment> {
    let millis = i64::try_from(age).ok().filter(|age| *age <= 1_209_600)? * 1000;
    Some(Moment(now.0.saturating_sub(millis)))
}

#[cfg(test)]
mod tests {
    use super::super::sqs_port::Depth;
    use super::*;
    use crate::stack;

    struct Shelf {
        depth: Depth,
        oldest: Result<Option<u64>, What>,
        hangs: bool,
        asked: Mutex<u32>,
    }

    #[async_trait]
    impl Queues for Shelf {
        async fn depth(&self, _: &str) -> Result<Depth, Trouble> {
            Ok(self.depth)
        }

        async fn oldest(&self, _: &str, _: Moment) -> Result<Option<u64>, Trouble> {
            *self.asked.lock().expect("a count") += 1;
            if self.hangs {
                std::future::pending::<()>().await;
            }
            self.oldest.map_err(|what| Trouble::new(what, "no"))
        }
    }

    fn sqs(visible: u64, oldest: Result<Option<u64>, What>) -> (Sqs, Arc<Shelf>) {
        shelf(visible, oldest, false)
    }

    fn shelf(visible: u64, oldest: Result<Option<u64>, What>, hangs: bool) -> (Sqs, Arc<Shelf>) {
        let depth = Depth { visible, delayed: 1, in_flight: 2 };
        let shelf = Arc::new(Shelf { depth, oldest, hangs, asked: Mutex::new(0) });
        let settings = Settings { url: "https://q".to_owned(), oldest_age: true };
        let bounds = Bounds { job: stack::Job::default(), most: 100, gpus: Some(8), nodes: 4 };
        let queues: Arc<dyn Queues> = shelf.clone();
        (Sqs { settings, queues, bounds, age: Mutex::default() }, shelf)
    }

    #[tokio::test]
    async fn the_age_is_asked_for_once_a_minute() {
        let (source, shelf) = sqs(3, Ok(Some(100)));
        for (second, asked, since) in [(1000, 1, 900), (1050, 1, 900), (1060, 2, 960)] {
            let reading = source.read(Moment(second * 1000)).await.expect("a reading");
            assert_eq!(reading.oldest, Some(Moment(since * 1000)), "{second}");
            assert_eq!(*shelf.asked.lock().expect("a count"), asked, "{second}");
            let counts: Vec<u32> = [&reading.work.waiting, &reading.work.running]
                .map(|jobs| jobs.iter().map(|job| job.count).sum())
                .to_vec();
            assert_eq!(counts, [4, 2]);
            assert_eq!(reading.work.waiting[0].submitted_at, reading.oldest);
        }
    }

    #[tokio::test]
    async fn without_the_right_to_it_or_with_nonsense_the_depth_is_known_all_the_same() {
        for oldest in [Err(What::Denied), Ok(Some(2_000_000)), Ok(Some(u64::MAX)), Ok(None)] {
            let (source, _) = sqs(3, oldest);
            let reading = source.read(Moment(1_000_000)).await.expect("a reading");
            assert_eq!((reading.oldest, reading.work.waiting.len()), (None, 1));
        }
        let (source, shelf) = sqs(3, Err(What::Denied));
        for minute in 0..60 {
            source.read(Moment(minute * 60_000)).await.expect("a reading");
        }
        assert_eq!(*shelf.asked.lock().expect("a count"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cloudwatch_that_hangs_keeps_nobody_waiting_for_the_depth() {
        let (source, shelf) = shelf(3, Ok(None), true);
        let begin = tokio::time::Instant::now();
        for second in [0, 10, 20] {
            let reading = source.read(Moment(second * 1000)).await.expect("a reading");
            assert_eq!((reading.oldest, reading.work.waiting[0].count), (None, 4));
        }
        assert_eq!((*shelf.asked.lock().expect("a count"), begin.elapsed()), (1, PATIENCE));
    }

    #[tokio::test]
    async fn a_depth_beyond_belief_is_refused() {
        let (source, _) = sqs(100, Ok(None));
        let trouble = source.read(Moment(0)).await.expect_err("too many");
        assert_eq!(trouble.what, What::Absurd);
    }
}
