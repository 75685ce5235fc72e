//! Applies at once, in every order in which the calls of two or three processes can reach
//! their store, up to a bound. A scheduler lets one call through at a time, moves the clock,
//! and freezes processes; the code between is the real one.
//!
//! A schedule is told by where it departs from the plainest one, in which a process goes on
//! until it has ended. All schedules with up to so many departures are tried, then random
//! ones. MLINFRA_DEPARTURES says how many departures, MLINFRA_ORDERS how many schedules of one
//! kind at most (with three departures there are millions: an even sample of them is tried, and
//! it is printed how many of how many), MLINFRA_SCHEDULES how many random ones, MLINFRA_SEED
//! which.

mod processes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mlinfra::ledger::Pace;
use tokio::sync::oneshot::{Sender, channel};
use tokio::task::yield_now;

/// What a scheduler may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// Lets the next call of a process through.
    Pass(usize),
    /// Moves the clock to whoever sleeps least long.
    Wait,
    /// Lets nothing of a process through until all others have ended.
    Freeze(usize),
}

#[derive(Default)]
struct Inner {
    /// Calls that wait at the gate, by process.
    gates: BTreeMap<usize, VecDeque<Sender<()>>>,
    /// Sleepers by the time at which they wake.
    sleepers: Vec<(Duration, usize, Sender<()>)>,
    now: Duration,
    frozen: BTreeSet<usize>,
    ended: BTreeSet<usize>,
    /// Goes up whenever anybody comes to wait or ends.
    arrivals: usize,
    log: Vec<String>,
}

/// Where everybody waits to be let through.
#[derive(Clone, Default)]
pub struct Stage(Arc<Mutex<Inner>>);

impl Stage {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A call of a process waits for its turn.
    pub async fn gate(&self, process: usize, what: &str) {
        let (sender, turn) = channel();
        {
            let mut inner = self.inner();
            inner.gates.entry(process).or_default().push_back(sender);
            inner.arrivals += 1;
        }
        turn.await.expect("the scheduler lives longer");
        self.note(process, what);
    }

    /// Writes down what happened, in the order in which it did.
    pub fn note(&self, process: usize, what: &str) {
        let mut inner = self.inner();
        let now = inner.now.as_millis();
        inner.log.push(format!("{now} #{process} {what}"));
    }

    pub fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }

    /// The clock of a process, which began at an origin of its own.
    pub fn pace(&self, process: usize) -> Arc<dyn Pace> {
        Arc::new(StagePace(self.clone(), process))
    }

    /// Runs until nobody does anything but wait.
    async fn settle(&self) {
        let mut quiet = 0;
        let mut seen = self.inner().arrivals;
        while quiet < 2 {
            yield_now().await;
            let now = self.inner().arrivals;
            quiet = if now == seen { quiet + 1 } else { 0 };
            seen = now;
        }
    }

    /// What can be done next, the plainest first.
    fn moves(&self, last: usize, processes: usize) -> Vec<Move> {
        let inner = self.inner();
        let mut moves = Vec::new();
        let ready = |process: &usize| {
            inner.gates.get(process).is_some_and(|gate| !gate.is_empty())
                && !inner.frozen.contains(process)
        };
        moves
            .extend((0..processes).map(|at| (last + at) % processes).filter(ready).map(Move::Pass));
        if inner.sleepers.iter().any(|(_, process, _)| !inner.frozen.contains(process)) {
            moves.push(Move::Wait);
        }
        let may_freeze = |process: &usize| {
            !inner.ended.contains(process)
                && inner.frozen.is_empty()
                && inner.ended.len() + 1 < processes
        };
        moves.extend((0..processes).filter(may_freeze).map(Move::Freeze));
        moves
    }

    fn make(&self, next: Move) {
        let mut inner = self.inner();
        match next {
            Move::Pass(process) => {
                let sender = inner.gates.get_mut(&process).and_then(VecDeque::pop_front);
                // Who waited may have been dropped with its process.
                let _ = sender.map(|sender| sender.send(()));
            }
            Move::Wait => {
                let awake = |one: &&(Duration, usize, Sender<()>)| !inner.frozen.contains(&one.1);
                let Some(until) = inner.sleepers.iter().filter(awake).map(|one| one.0).min() else {
                    return;
                };
                inner.now = inner.now.max(until);
                let frozen = inner.frozen.clone();
                let all = std::mem::take(&mut inner.sleepers);
                for (wakes, process, sender) in all {
                    if wakes <= until && !frozen.contains(&process) {
                        let _ = sender.send(());
                    } else {
                        inner.sleepers.push((wakes, process, sender));
                    }
                }
            }
            Move::Freeze(process) => {
                inner.frozen.insert(process);
            }
        }
    }

    /// Wakes the frozen when nobody else is left.
    fn thaw(&self, processes: usize) {
        let mut inner = self.inner();
        if inner.ended.len() + inner.frozen.len() >= processes {
            inner.frozen.clear();
        }
    }
}

struct StagePace(Stage, usize);

#[async_trait]
impl Pace for StagePace {
    fn now(&self) -> Duration {
        Duration::from_secs(1000 * (1 + self.1 as u64)) + self.0.inner().now
    }
    async fn sleep(&self, time: Duration) {
        let (sender, turn) = channel();
        {
            let mut inner = self.0.inner();
            let until = inner.now + time;
            inner.sleepers.push((until, self.1, sender));
            inner.arrivals += 1;
        }
        // The scheduler may end before a heart does.
        if turn.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Who chooses among the moves: by the number of the step and how many there are.
pub type Chooser<'a> = &'a mut dyn FnMut(usize, &[Move]) -> usize;

/// Runs processes under a scheduler to their ends; returns what they came to, and how many
/// choices there were at each step.
pub fn run<T: Send + 'static>(
    stage: &Stage,
    processes: Vec<impl Future<Output = T> + Send + 'static>,
    choose: Chooser<'_>,
) -> (Vec<T>, Vec<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let count = processes.len();
        let (mut tasks, mut choices, mut last) = (Vec::new(), Vec::new(), 0);
        for (at, process) in processes.into_iter().enumerate() {
            let stage = stage.clone();
            tasks.push(tokio::spawn(async move {
                let result = process.await;
                let mut inner = stage.inner();
                inner.ended.insert(at);
                inner.arrivals += 1;
                result
            }));
        }
        for step in 0.. {
            stage.settle().await;
            stage.thaw(count);
            if stage.inner().ended.len() == count {
                break;
            }
            assert!(step < 5000, "it does not end: {:#?}", stage.log());
            let moves = stage.moves(last, count);
            assert!(!moves.is_empty(), "nobody can go on: {:#?}", stage.log());
            choices.push(moves.len());
            let next = moves[choose(step, &moves).min(moves.len() - 1)];
            if let Move::Pass(process) = next {
                last = process;
            }
            stage.make(next);
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        (results, choices)
    })
}

/// How many of the schedules with so many departures were played.
#[derive(Clone, Copy, Debug)]
pub struct Covered {
    pub departures: usize,
    pub played: usize,
    pub all: usize,
}

/// A schedule, and how many choices there were at each of its steps.
type Played = (BTreeMap<usize, usize>, Vec<u8>);

/// The schedules that depart once more than one that was played.
struct Beyond<'p>(&'p Played);

impl Beyond<'_> {
    fn from(&self) -> usize {
        self.0.0.keys().next_back().map_or(0, |last| last + 1)
    }

    fn count(&self) -> usize {
        let choices = self.0.1.iter().skip(self.from());
        choices.map(|count| usize::from(*count).saturating_sub(1)).sum()
    }

    fn nth(&self, mut at: usize) -> BTreeMap<usize, usize> {
        let mut departures = self.0.0.clone();
        for (step, count) in self.0.1.iter().enumerate().skip(self.from()) {
            let more = usize::from(*count).saturating_sub(1);
            if at < more {
                departures.insert(step, at + 1);
                break;
            }
            at -= more;
        }
        departures
    }
}

/// Schedules with up to `bound` departures from the plainest, those with fewer first, and
/// about `limit` in all: where those with one departure more are too many, as many of them as
/// are left are played, evenly spread, and none that depart more often. Says what was covered.
pub fn enumerate(
    (bound, limit): (usize, usize),
    mut play: impl FnMut(&BTreeMap<usize, usize>) -> Vec<usize>,
) -> Vec<Covered> {
    let mut play = |departures: BTreeMap<usize, usize>| -> Played {
        let choices = play(&departures);
        (departures, choices.into_iter().map(|count| u8::try_from(count).unwrap()).collect())
    };
    let mut level = vec![play(BTreeMap::new())];
    let mut covered = vec![Covered { departures: 0, played: 1, all: 1 }];
    for departures in 1..=bound {
        let sizes: Vec<usize> = level.iter().map(|one| Beyond(one).count()).collect();
        let (all, before) = (sizes.iter().sum(), covered.iter().map(|one| one.played).sum());
        let count = limit.saturating_sub(before).min(all);
        let (mut next, mut parent, mut start) = (Vec::new(), 0, 0);
        for at in (0..count).map(|at| at * all / count) {
            while at - start >= sizes[parent] {
                start += sizes[parent];
                parent += 1;
            }
            let played = play(Beyond(&level[parent]).nth(at - start));
            if departures < bound && count == all {
                next.push(played);
            }
        }
        covered.push(Covered { departures, played: count, all });
        if count < all {
            break;
        }
        level = next;
    }
    covered
}
