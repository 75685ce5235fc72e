//! What a node agent does about what it sees. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cloud::{Notice, NoticeKind};

/// How a node is, as its tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is being set up.
    Booting,
    /// It can take jobs, and has had none yet.
    Ready,
    /// It works.
    Busy,
    /// It has worked, and can take jobs.
    Idle,
    /// It has failed its boot, or something of it has since.
    Unhealthy,
}

impl State {
    /// The tag's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Idle => "idle",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// How the boot went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// It goes on.
    Underway,
    /// Every step was good.
    Good,
    /// One was not.
    Failed(String),
}

/// A job that runs here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// The name of its file.
    pub name: String,
    /// The process that gets signals.
    pub pid: Option<i32>,
    /// What people call it; empty for the name of its file.
    pub title: String,
}

/// Characters that the tag of a job has at most.
const LONGEST: usize = 100;

/// What is told of the jobs that run: the first of them by name, and how many more.
pub fn label(jobs: &[Job]) -> String {
    let Some(first) = jobs.first() else { return String::new() };
    let name = if first.title.is_empty() { &first.name } else { &first.title };
    // A tag takes letters, digits, spaces and these signs.
    let fine = |c: char| if c.is_ascii_alphanumeric() || "_.:/+=-@".contains(c) { c } else { ' ' };
    let plain: String = name.chars().map(fine).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(LONGEST).collect();
    let short = if short.is_empty() { "unnamed".to_owned() } else { short };
    match jobs.len() - 1 {
        0 => short,
        more => format!("{short} +{more}"),
    }
}

/// What a recommendation to rebalance means to jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRebalance {
    /// The same as an interruption: they get SIGTERM, and no other begins.
    #[default]
    Terminate,
    /// They can read it; nothing else.
    Note,
}

/// What is seen at one moment; none where nobody could say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The boot.
    pub boot: Boot,
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Whether the instance is marked to be drained.
    pub drain: Option<bool>,
    /// Whether it is marked to take no more jobs, and to stay.
    pub cordon: Option<bool>,
    /// What the cloud has announced.
    pub notices: Option<BTreeSet<Notice>>,
    /// What has failed since the boot.
    pub fault: Option<String>,
}

/// What is remembered from moment to moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    worked: bool,
    draining: bool,
    cordoned: bool,
    closed: bool,
    notices: BTreeSet<Notice>,
    told: BTreeSet<(Notice, Job)>,
    powered_off: Option<Duration>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// No job may begin any more.
    Close,
    /// Jobs may begin again.
    Open,
    /// Jobs may read a notice.
    Write(Notice),
    /// A job gets SIGTERM because of a notice.
    Terminate(Job, Notice),
    /// The machine is powered off.
    PowerOff,
}

impl Order {
    /// For a line of the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Close => "closing",
            Self::Open => "opening",
            Self::Write(_) => "writing a notice",
            Self::Terminate(..) => "ending a job",
            Self::PowerOff => "powering off",
        }
    }
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the node is.
    pub state: State,
    /// Why, where that is worth a word.
    pub reason: String,
    /// What it works on.
    pub job: String,
    /// What is to be done, in this order.
    pub orders: Vec<Order>,
}

/// A machine that does not go down is asked again.
const AGAIN: Duration = Duration::from_secs(60);

/// Decides. Whatever could not be seen stays as it was.
pub fn decide(memory: &mut Memory, seen: &Seen, rebalance: OnRebalance, now: Duration) -> Outcome {
    let mut orders = Vec::new();
    memory.worked |= !seen.jobs.is_empty();
    memory.draining = seen.drain.unwrap_or(memory.draining);
    memory.cordoned = seen.cordon.unwrap_or(memory.cordoned);
    if let Some(notices) = &seen.notices {
        let new = notices.iter().filter(|notice| !memory.notices.contains(*notice));
        orders.extend(new.cloned().map(Order::Write));
        memory.notices.clone_from(notices);
    }
    let ends = |notice: &&Notice| match notice.kind {
        NoticeKind::Interruption | NoticeKind::BlockEnd => true,
        NoticeKind::Rebalance => rebalance == OnRebalance::Terminate,
    };
    let ill = seen.fault.is_some() || matches!(seen.boot, Boot::Failed(_));
    let told = memory.notices.iter().any(|notice| ends(&notice));
    let closed = ill || memory.draining || memory.cordoned || told;
    // A job that begins just now has its file before it looks whether it may: so the jobs
    // that count are those seen after the door was closed.
    let was_closed = std::mem::replace(&mut memory.closed, closed);
    match (was_closed, closed) {
        (false, true) => orders.push(Order::Close),
        (true, false) => orders.push(Order::Open),
        (true, true) | (false, false) => {}
    }
    for notice in memory.notices.iter().filter(ends) {
        for job in seen.jobs.iter().filter(|job| job.pid.is_some()) {
            if memory.told.insert((notice.clone(), job.clone())) {
                orders.push(Order::Terminate(job.clone(), notice.clone()));
            }
        }
    }
    let due = memory.powered_off.is_none_or(|before| now.saturating_sub(before) >= AGAIN);
    if memory.draining && was_closed && seen.jobs.is_empty() && due {
        memory.powered_off = Some(now);
        orders.push(Order::PowerOff);
    }
    let (state, mut reasons) = state(memory, seen);
    if memory.draining {
        reasons.push("draining".to_owned());
    } else if memory.cordoned {
        reasons.push("cordoned".to_owned());
    }
    reasons.extend(memory.notices.iter().map(Notice::words));
    Outcome { state, reason: reasons.join(", "), job: label(&seen.jobs), orders }
}

fn state(memory: &Memory, seen: &Seen) -> (State, Vec<String>) {
    if let Some(why) = &seen.fault {
        return (State::Unhealthy, vec![why.clone()]);
    }
    let state = match &seen.boot {
        Boot::Failed(why) => return (State::Unhealthy, vec![why.clone()]),
        // A job may begin in the author's own set-up.
        Boot::Underway | Boot::Good if !seen.jobs.is_empty() => State::Busy,
        Boot::Underway => State::Booting,
        Boot::Good if memory.worked => State::Idle,
        Boot::Good => State::Ready,
    };
    (state, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        Seen {
            boot: Boot::Good,
            jobs: Vec::new(),
            drain: Some(false),
            cordon: Some(false),
            notices: Some(BTreeSet::new()),
            fault: None,
        }
    }

    fn job(pid: i32) -> Job {
        Job { name: pid.to_string(), pid: Some(pid), title: String::new() }
    }

    fn notice(kind: NoticeKind) -> Notice {
        Notice { kind, time: "2026-11-24T12:02:00Z".to_owned() }
    }

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn states_follow_the_boot_and_the_jobs() {
        let mut memory = Memory::default();
        let mut state = |seen: &Seen| decide(&mut memory, seen, OnRebalance::Terminate, NOW).state;
        assert_eq!(state(&Seen { boot: Boot::Underway, ..seen() }), State::Booting);
        assert_eq!(state(&seen()), State::Ready);
        assert_eq!(state(&Seen { jobs: vec![job(7)], ..seen() }), State::Busy);
        assert_eq!(state(&seen()), State::Idle);
        let failed = Boot::Failed("check: 7 of 8 GPUs".to_owned());
        let outcome = decide(&mut memory, &Seen { boot: failed, ..seen() }, OnRebalance::Note, NOW);
        assert_eq!(outcome.state, State::Unhealthy);
        assert_eq!(outcome.reason, "check: 7 of 8 GPUs");
    }

    #[test]
    fn a_drained_node_finishes_its_job_and_powers_off_once() {
        let mut memory = Memory::default();
        let mut at = |seconds, seen: &Seen| {
            decide(&mut memory, seen, OnRebalance::Terminate, Duration::from_secs(seconds))
        };
        let busy = Seen { jobs: vec![job(7)], drain: Some(true), ..seen() };
        let first = at(0, &busy);
        assert_eq!((first.orders, first.state), (vec![Order::Close], State::Busy));
        assert_eq!(first.reason, "draining");
        assert_eq!(at(5, &busy).orders, []);
        // The mark cannot be read for a while: it holds.
        let silent = Seen { drain: None, cordon: None, notices: None, ..seen() };
        assert_eq!(at(10, &silent).orders, [Order::PowerOff]);
        assert_eq!(at(15, &silent).orders, []);
        assert_eq!(at(70, &silent).orders, [Order::PowerOff]);
        assert_eq!(at(75, &seen()).orders, [Order::Open]);
    }

    #[test]
    fn an_empty_node_closes_before_it_powers_off() {
        let mut memory = Memory::default();
        let mut step = |seen: &Seen| decide(&mut memory, seen, OnRebalance::Terminate, NOW).orders;
        let drained = Seen { drain: Some(true), ..seen() };
        assert_eq!(step(&drained), [Order::Close]);
        // A job has slipped in; then it has ended.
        assert_eq!(step(&Seen { jobs: vec![job(7)], ..drained.clone() }), []);
        assert_eq!(step(&drained), [Order::PowerOff]);
    }

    #[test]
    fn a_cordoned_node_takes_no_jobs_and_stays() {
        let mut memory = Memory::default();
        let mut step = |seen: &Seen| decide(&mut memory, seen, OnRebalance::Terminate, NOW);
        let cordoned = Seen { cordon: Some(true), ..seen() };
        let first = step(&cordoned);
        assert_eq!((first.orders, first.reason.as_str()), (vec![Order::Close], "cordoned"));
        assert_eq!(step(&cordoned).orders, []);
        assert_eq!(step(&Seen { cordon: None, ..cordoned }).orders, []);
        let back = step(&seen());
        assert_eq!((back.orders, back.reason.as_str()), (vec![Order::Open], ""));
    }

    #[test]
    fn an_interruption_ends_every_job_once_and_never_powers_off() {
        let mut memory = Memory::default();
        let mut step = |seen: &Seen| decide(&mut memory, seen, OnRebalance::Terminate, NOW).orders;
        let spot = notice(NoticeKind::Interruption);
        let slurm = Job { name: "slurm".to_owned(), pid: None, title: String::new() };
        let jobs = vec![job(7), slurm];
        let now = Seen { jobs, notices: Some(BTreeSet::from([spot.clone()])), ..seen() };
        let expected = [Order::Write(spot.clone()), Order::Close, Order::Terminate(job(7), spot)];
        assert_eq!(step(&now), expected);
        assert_eq!(step(&now), []);
        let silent = Seen { notices: None, drain: None, ..now.clone() };
        assert_eq!(step(&silent), []);
        assert_eq!(step(&Seen { jobs: Vec::new(), ..now }), []);
    }

    #[test]
    fn what_fails_while_a_job_runs_closes_the_door_and_ends_nothing() {
        let mut memory = Memory::default();
        let fault = Some("watch: reboot after Xid 79".to_owned());
        let busy = Seen { jobs: vec![job(7)], fault, ..seen() };
        let outcome = decide(&mut memory, &busy, OnRebalance::Terminate, NOW);
        assert_eq!((outcome.state, outcome.orders), (State::Unhealthy, vec![Order::Close]));
        assert_eq!(
            (outcome.reason.as_str(), outcome.job.as_str()),
            ("watch: reboot after Xid 79", "7")
        );
        // Its job ends; nobody powers it off, for somebody may want to look at it.
        let idle = Seen { jobs: Vec::new(), ..busy };
        assert_eq!(decide(&mut memory, &idle, OnRebalance::Terminate, NOW).orders, []);
    }

    #[test]
    fn jobs_are_named_in_what_a_tag_takes() {
        let named = |title: &str| Job { title: title.to_owned(), ..job(7) };
        assert_eq!(label(&[]), "");
        assert_eq!(label(&[named("")]), "7");
        assert_eq!(label(&[named("llm/train-17"), named("b"), named("c")]), "llm/train-17 +2");
        assert_eq!(label(&[named("a\u{1b}[31m b\n")]), "a 31m b");
        assert_eq!(label(&[named("\u{1b}")]), "unnamed");
        assert_eq!(label(&[named(&"x".repeat(300))]).len(), 100);
    }

    #[test]
    fn a_recommendation_is_what_the_author_says_it_is() {
        let hint = notice(NoticeKind::Rebalance);
        let now =
            Seen { jobs: vec![job(7)], notices: Some(BTreeSet::from([hint.clone()])), ..seen() };
        let orders = |policy| decide(&mut Memory::default(), &now, policy, NOW).orders;
        assert_eq!(orders(OnRebalance::Note), [Order::Write(hint.clone())]);
        let all = [Order::Write(hint.clone()), Order::Close, Order::Terminate(job(7), hint)];
        assert_eq!(orders(OnRebalance::Terminate), all);
    }
}
