//! The node agent: tells by its instance's tags how its node is, obeys a drain mark, passes
//! notices of the cloud on to jobs.
//!
//! It has no port. What it knows it reads: the metadata service, the result of the boot
//! (`boot` in its folder), and the jobs (`jobs/`, a file each, whose first line is a process
//! that gets signals; a file without one counts as a job until it is removed). What it decides
//! stands in [`decide`], which knows neither clock nor file.

pub mod decide;
pub mod imds;
pub mod jobs;
pub mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};

use crate::cloud::{Notice, NoticeKind, is_closing, taken_back};
use crate::model::{Moment, tags};
use decide::{Memory, OnRebalance, Order, Outcome, Seen, State};
use imds::Imds;
use watch::{Known, Watch};

/// Which instance this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Itself {
    /// Its id.
    pub id: String,
    /// Its region.
    pub region: String,
}

/// Whoever can tag this instance.
#[async_trait]
pub trait Tagger: Sync {
    /// Sets the tags of its state, the reason, and its job.
    async fn tag(&self, itself: &Itself, word: &Word) -> Result<(), String>;
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// How it is.
    pub state: State,
    /// Why.
    pub reason: String,
    /// What it works on; empty for nothing.
    pub job: String,
}

impl Word {
    /// As tags.
    pub fn tags(&self) -> [(&'static str, &str); 3] {
        let Self { state, reason, job } = self;
        [(tags::STATE, state.word()), (tags::REASON, reason), (tags::JOB, job)]
    }
}

/// How an agent works.
pub struct Agent<'a> {
    /// The metadata service.
    pub imds: Imds,
    /// Its folder.
    pub dir: PathBuf,
    /// How often it looks. AWS asks for every 5 seconds where spot is used.
    pub every: Duration,
    /// What powers the machine off: a line for the shell.
    pub power_off: String,
    /// What a recommendation to rebalance means to jobs.
    pub on_rebalance: OnRebalance,
    /// How it watches its machine.
    pub watch: Watch,
    /// The wall clock, by which a Capacity Block ends.
    pub now: fn() -> Moment,
    /// Who tags.
    pub tagger: &'a dyn Tagger,
    /// Where it says what it does.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// A tag call takes this long at most: a notice leaves two minutes.
const TAGGING: Duration = Duration::from_secs(10);
/// A tag that could not be set is tried again after this long at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What was last tagged, and when it is tried again.
#[derive(Default)]
struct Told {
    what: Option<Word>,
    again: Option<Instant>,
    failures: u32,
}

impl Agent<'_> {
    /// Runs until the process is asked to end.
    pub async fn run(&self) -> std::io::Result<()> {
        let mut ended = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let known = Known::default();
        tokio::select! {
            () = self.attend(&known) => Ok(()),
            () = self.watch.attend(self.dir.clone(), known.clone(), self.say) => Ok(()),
            _ = ended.recv() => Ok(()),
            _ = interrupted.recv() => Ok(()),
        }
    }

    async fn attend(&self, known: &Known) {
        let itself = self.find_itself().await;
        (self.say)(&format!("node {} in {}", itself.id, itself.region));
        let (mut memory, mut told) = (Memory::default(), Told::default());
        let (mut deaf, begun) = (false, Instant::now());
        loop {
            let seen = Seen { fault: watch::fault(known), ..self.look(&mut deaf).await };
            let outcome = decide::decide(&mut memory, &seen, self.on_rebalance, begun.elapsed());
            for order in &outcome.orders {
                self.obey(order, &outcome).await;
            }
            self.tell(&itself, outcome, &mut told).await;
            sleep(self.every).await;
        }
    }

    /// The metadata service may come up later than we do.
    async fn find_itself(&self) -> Itself {
        let mut said = false;
        loop {
            let found = async {
                let id = self.imds.get("instance-id").await?;
                let region = self.imds.get("placement/region").await?;
                Ok::<_, std::io::Error>(id.zip(region))
            };
            match found.await {
                Ok(Some((id, region))) => return Itself { id, region },
                Ok(None) if !said => (self.say)("the metadata service does not know this instance"),
                Err(error) if !said => {
                    (self.say)(&format!("the metadata service does not answer: {error}"));
                }
                Ok(None) | Err(_) => {}
            }
            said = true;
            sleep(self.every).await;
        }
    }

    async fn look(&self, deaf: &mut bool) -> Seen {
        let heard = self.hear().await;
        if let (Err(error), false) = (&heard, *deaf) {
            (self.say)(&format!("the metadata service does not answer: {error}"));
        }
        *deaf = heard.is_err();
        let (mark, notices) = heard.ok().unzip();
        let (drain, cordon) = mark.unzip();
        let (boot, jobs) = (jobs::boot(&self.dir), jobs::running(&self.dir));
        Seen { boot, jobs, drain, cordon, notices, fault: None }
    }

    /// Whether it is to be drained, whether it is only to take no more jobs, and notices.
    async fn hear(&self) -> std::io::Result<((bool, bool), BTreeSet<Notice>)> {
        let mark = self.imds.get(&format!("tags/instance/{}", tags::DRAIN)).await?;
        let mark = mark.as_deref().map_or("", str::trim);
        let cordon = mark == tags::CORDON;
        let drain = !cordon && !matches!(mark, "" | "false");
        let mut notices = BTreeSet::new();
        let places = [
            ("spot/instance-action", "time", NoticeKind::Interruption),
            ("events/recommendations/rebalance", "noticeTime", NoticeKind::Rebalance),
        ];
        for (path, field, kind) in places {
            let Some(text) = self.imds.get(path).await? else { continue };
            let read = serde_json::from_str::<serde_json::Value>(&text).ok();
            let time = read.and_then(|read| Some(read.get(field)?.as_str()?.to_owned()));
            // That there is one says enough, whatever it looks like.
            notices.insert(Notice { kind, time: time.unwrap_or_default() });
        }
        notices.extend(self.block_end().await?);
        Ok(((drain, cordon), notices))
    }

    /// That the Capacity Block of this machine ends: EC2 tells it to nobody here, so its launch has
    /// written it down.
    async fn block_end(&self) -> std::io::Result<Option<Notice>> {
        let ends = self.imds.get(&format!("tags/instance/{}", tags::ENDS)).await?;
        let ends = ends.and_then(|text| Moment::read(text.trim()));
        let due = ends.filter(|ends| is_closing(*ends, (self.now)()));
        let notice =
            |ends| Notice { kind: NoticeKind::BlockEnd, time: taken_back(ends).to_string() };
        Ok(due.map(notice))
    }

    async fn obey(&self, order: &Order, outcome: &Outcome) {
        let done = match order {
            Order::Close => jobs::close(&self.dir, &outcome.reason),
            Order::Open => jobs::open(&self.dir),
            Order::Write(notice) => jobs::notice(&self.dir, notice),
            Order::Terminate(job, notice) => {
                (self.say)(&format!("{}: job {} gets SIGTERM", notice.words(), job.name));
                jobs::terminate(job)
            }
            Order::PowerOff => {
                (self.say)("drained: powers off");
                let run = Command::new("sh").arg("-c").arg(&self.power_off).status().await;
                run.and_then(|status| match status.success() {
                    true => Ok(()),
                    false => Err(std::io::Error::other(format!("{}: {status}", self.power_off))),
                })
            }
        };
        if let Err(error) = done {
            (self.say)(&format!("{}: {error}", order.word()));
        }
    }

    /// Tags what is new; what could not be tagged is tried again, ever more rarely.
    async fn tell(&self, itself: &Itself, outcome: Outcome, told: &mut Told) {
        let Outcome { state, reason, job, orders: _ } = outcome;
        let new = Word { state, reason, job };
        let changed = told.what.as_ref() != Some(&new);
        if told.again.is_some_and(|again| Instant::now() < again) || !changed {
            return;
        }
        let words = match new.reason.as_str() {
            "" => state.word().to_owned(),
            reason => format!("{}: {reason}", state.word()),
        };
        let call = self.tagger.tag(itself, &new);
        let done = timeout(TAGGING, call).await.unwrap_or_else(|_| Err("no answer".to_owned()));
        match done {
            Ok(()) => {
                (self.say)(&words);
                *told = Told { what: Some(new), ..Told::default() };
            }
            Err(error) => {
                if told.failures == 0 {
                    (self.say)(&format!("{words}; but it cannot be tagged: {error}"));
                }
                let pause = self.every.saturating_mul(2_u32.saturating_pow(told.failures.min(16)));
                told.again = Some(Instant::now() + pause.min(LONGEST_PAUSE));
                told.failures += 1;
            }
        }
    }
}
