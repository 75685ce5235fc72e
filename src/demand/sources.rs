//! All sources of a cluster: asked at once, remembered, and told together with their age.

use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use tokio::task::spawn_blocking;

use crate::fleet::{Demand, Job, QueueId, Seconds, Work};
use crate::model::Moment;
use crate::stack;

use super::table::open;
use super::trouble::{Trouble, What};
use super::wanted::{Source, World};
use super::work::{Bounds, Reading};

/// For how long what was last heard still counts, in milliseconds. A queue that has been silent
/// for longer may be another one by now.
const REMEMBERED: i64 = 600_000;

/// The sources of one cluster.
pub struct Sources {
    all: Vec<Watched>,
}

/// A source that is ready.
pub struct Ready {
    /// What it is called.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// It says what runs, too.
    pub tells_running: bool,
    /// It.
    pub source: Box<dyn Source>,
}

struct Watched {
    ready: Ready,
    last: Mutex<Last>,
}

/// What it said last, and when.
type Last = Option<(Reading, Moment)>;

/// What all of them said together, and each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For the decision.
    pub demand: Demand,
    /// For metrics and people, in the order of the block.
    pub reports: Vec<Report>,
}

/// How one source answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What it is called.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// How old what is known of it is; none where nothing is.
    pub age: Option<Seconds>,
    /// How many jobs wait, as last heard.
    pub waiting: u64,
    /// How many run, as last heard.
    pub running: u64,
    /// Since when the oldest waits, where that is known.
    pub oldest: Option<Moment>,
    /// Jobs that this cluster cannot run.
    pub refused: Vec<String>,
    /// Jobs that wait for something else than nodes.
    pub held: Vec<String>,
    /// Why it gave no answer now.
    pub trouble: Option<Trouble>,
}

impl Sources {
    /// Makes all sources ready, or tells what is missing for which of them.
    pub fn open(
        wanted: &stack::Autoscale,
        (gpus, nodes): (Option<u32>, u32),
        world: World<'_>,
    ) -> Result<Self, Vec<(String, Trouble)>> {
        let (mut sources, mut bad) = (Vec::new(), Vec::new());
        for source in &wanted.sources {
            let bounds = Bounds { job: source.job, most: source.most, gpus, nodes };
            let stack::Source { kind, tells_running, .. } = *source;
            let (name, timeout) = (source.name.clone(), Duration::from_secs(source.timeout.into()));
            match open(source, bounds, world) {
                Ok(source) => sources.push(Ready { name, kind, timeout, tells_running, source }),
                Err(trouble) => bad.push((name, trouble)),
            }
        }
        if bad.is_empty() { Ok(Self::of(sources)) } else { Err(bad) }
    }

    /// Of sources that are ready.
    pub fn of(sources: Vec<Ready>) -> Self {
        let watched = |ready| Watched { ready, last: Mutex::default() };
        Self { all: sources.into_iter().map(watched).collect() }
    }

    /// Asks all of them at once. Takes as long as the slowest, at most its patience.
    pub async fn look(&self, now: Moment) -> Answer {
        let reports = join_all(self.all.iter().map(|each| each.ask(now))).await;
        let tells_running = self.all.iter().all(|each| each.ready.tells_running);
        let mut work = Work { tells_running, ..Work::default() };
        for each in &self.all {
            each.add_to(&mut work);
        }
        Answer { demand: demand(work, &reports), reports }
    }
}

/// What nobody in particular has said.
impl From<Demand> for Answer {
    fn from(demand: Demand) -> Self {
        Self { demand, reports: Vec::new() }
    }
}

/// An answer that comes in time: by the clock on the wall, since that of a simulated region jumps
/// to the end of every patience. It stands still while a thread waits.
async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let (done, end) = channel::<()>();
    // Whoever has its answer, or is given up, lets go of the other end.
    let late = spawn_blocking(move || end.recv_timeout(patience));
    let answer = async {
        let answer = answer.await;
        drop(done);
        answer
    };
    let answer = std::pin::pin!(answer);
    match select(answer, late).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, _)) => {
            let text = format!("no answer within {} s", patience.as_secs_f64());
            Err(Trouble::new(What::Timeout, text))
        }
    }
}

fn demand(work: Work, reports: &[Report]) -> Demand {
    let troubles: Vec<String> = reports
        .iter()
        .filter_map(|report| Some(format!("{}: {}", report.name, report.trouble.as_ref()?)))
        .collect();
    let why = troubles.join("; ");
    let oldest = reports.iter().filter_map(|report| report.age).max();
    // One that was never heard of may hold anything: what the others say is not all.
    match (troubles.is_empty(), oldest) {
        (true, Some(age)) => Demand::Known { work, age },
        (false, Some(age)) => Demand::Stale { work, age, why },
        (false, None) => Demand::Error { age: None, why },
        // Without sources nothing is known.
        (true, None) => Demand::Error { age: None, why: "there is no source".to_owned() },
    }
}

impl Watched {
    fn last(&self) -> MutexGuard<'_, Last> {
        // Nobody panics under it.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, now: Moment) -> Report {
        let trouble = match within(self.ready.timeout, self.ready.source.read(now)).await {
            Ok(reading) => {
                *self.last() = Some((reading, now));
                None
            }
            Err(trouble) => Some(trouble),
        };
        let mut last = self.last();
        if last.as_ref().is_some_and(|(_, at)| now.since(*at) > REMEMBERED) {
            *last = None;
        }
        self.report(&last, now, trouble)
    }

    fn report(&self, last: &Last, now: Moment, trouble: Option<Trouble>) -> Report {
        let last = last.as_ref();
        let sum = |jobs: fn(&Work) -> &Vec<Job>| {
            let jobs = last.map(|(reading, _)| jobs(&reading.work)).into_iter().flatten();
            jobs.map(|job| u64::from(job.count)).sum()
        };
        let age = |at: Moment| Seconds(u32::try_from(now.since(at) / 1000).unwrap_or(u32::MAX));
        Report {
            name: self.ready.name.clone(),
            kind: self.ready.kind,
            age: last.map(|(_, at)| age(*at)),
            waiting: sum(|work| &work.waiting),
            running: sum(|work| &work.running),
            oldest: last.and_then(|(reading, _)| reading.oldest),
            refused: last.map(|(reading, _)| reading.refused.clone()).unwrap_or_default(),
            held: last.map(|(reading, _)| reading.held.clone()).unwrap_or_default(),
            trouble,
        }
    }

    fn add_to(&self, all: &mut Work) {
        let last = self.last();
        let Some((reading, _)) = last.as_ref() else { return };
        let queue = QueueId::from(self.ready.name.as_str());
        let named = |job: &Job| Job { queue: Some(queue.clone()), ..job.clone() };
        all.waiting.extend(reading.work.waiting.iter().map(named));
        all.running.extend(reading.work.running.iter().map(named));
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    /// Says what it is told to say, in turn; then nothing, for ever.
    struct Script(Mutex<Vec<Result<f64, What>>>);

    #[async_trait]
    impl Source for Script {
        async fn read(&self, _: Moment) -> Result<Reading, Trouble> {
            let next = self.0.lock().expect("a script").pop();
            match next {
                Some(Ok(depth)) => Reading::depth(&BOUNDS, depth, 1.0),
                Some(Err(what)) => Err(Trouble::new(what, "it fell over")),
                None => std::future::pending().await,
            }
        }
    }

    const JOB: stack::Job =
        stack::Job { gpus: 1, nodes: 1, gang: false, priority: 0, preemptible: false };
    const BOUNDS: Bounds = Bounds { job: JOB, most: 100, gpus: None, nodes: 8 };

    fn watch(scripts: &[&[Result<f64, What>]]) -> Sources {
        let one = |(at, script): (usize, &&[Result<f64, What>])| {
            let turns = script.iter().rev().copied().collect();
            let source: Box<dyn Source> = Box::new(Script(Mutex::new(turns)));
            let (kind, timeout) = ("script", Duration::from_millis(50));
            Ready { name: format!("q{at}"), kind, timeout, tells_running: at == 0, source }
        };
        Sources::of(scripts.iter().enumerate().map(one).collect())
    }

    fn told(demand: &Demand) -> (&'static str, Option<u32>, Option<u32>) {
        let count = demand.work().map(|work| work.waiting.iter().map(|job| job.count).sum());
        match demand {
            Demand::Known { age, .. } => ("known", count, Some(age.0)),
            Demand::Stale { age, .. } => ("stale", count, Some(age.0)),
            Demand::Error { age, .. } => ("error", count, age.map(|age| age.0)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_heard_last_counts_until_it_is_too_old() {
        let down = Err(What::Unreachable);
        let watch = watch(&[&[down, Ok(3.0), down, Ok(-1.0), Ok(0.0), down, down]]);
        let minute = |at: i64| Moment(at * 60_000);
        let look = async |at| told(&watch.look(minute(at)).await.demand);
        assert_eq!(look(0).await, ("error", None, None));
        assert_eq!(look(1).await, ("known", Some(3), Some(0)));
        assert_eq!(look(2).await, ("stale", Some(3), Some(60)));
        // Nonsense is no answer, and nothing is a known answer.
        assert_eq!(look(3).await, ("stale", Some(3), Some(120)));
        assert_eq!(look(4).await, ("known", Some(0), Some(0)));
        assert_eq!(look(14).await, ("stale", Some(0), Some(600)));
        assert_eq!(look(15).await, ("error", None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_silent_makes_the_whole_stale_and_keeps_nobody_waiting() {
        let watch = watch(&[&[Ok(2.0), Ok(4.0)], &[Ok(5.0)]]);
        assert_eq!(told(&watch.look(Moment(0)).await.demand), ("known", Some(7), Some(0)));
        let answer = watch.look(Moment(10_000)).await;
        assert_eq!(told(&answer.demand), ("stale", Some(9), Some(10)));
        let [first, second] = answer.reports.as_slice() else { panic!("{answer:?}") };
        assert_eq!((first.waiting, first.running, &first.trouble), (4, 1, &None));
        assert_eq!(second.trouble.as_ref().map(|it| it.what), Some(What::Timeout));
        let Demand::Stale { why, work, .. } = &answer.demand else { panic!("{answer:?}") };
        assert_eq!(why, "q1: no answer within 0.05 s");
        let queues: Vec<_> = work.waiting.iter().filter_map(|job| job.queue.as_ref()).collect();
        assert_eq!(queues, [&QueueId::from("q0"), &QueueId::from("q1")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_is_told_of_only_where_every_source_tells() {
        let told = async |scripts: &[&[Result<f64, What>]]| {
            let demand = watch(scripts).look(Moment(0)).await.demand;
            demand.work().map(|work| work.tells_running)
        };
        assert_eq!(told(&[&[Ok(2.0)]]).await, Some(true));
        assert_eq!(told(&[&[Ok(2.0)], &[Ok(0.0)]]).await, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_never_heard_leaves_the_others_in_doubt() {
        let watch = watch(&[&[Ok(2.0)], &[Err(What::Denied)]]);
        assert_eq!(told(&watch.look(Moment(0)).await.demand), ("stale", Some(2), Some(0)));
        assert_eq!(told(&Sources::of(Vec::new()).look(Moment(0)).await.demand).0, "error");
    }
}
