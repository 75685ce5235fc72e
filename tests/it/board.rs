//! A board of the autoscaler after an hour of a cluster's life, for whoever shows it: jobs come,
//! nodes are launched, work, stand idle and are ended, a call is refused, a price is paid.

use std::sync::Arc;
use std::time::Duration;

use mlinfra::apply;
use mlinfra::cloud::{Class, Failure, Left};
use mlinfra::demand::{Answer, Report, Trouble, What};
use mlinfra::fleet::{
    Against, Attempt, Considered, Decision, Demand, Fate, Fleet, Job, Launch, LaunchReason, Node,
    NotLess, NotMore, Outcome, Pool, Seconds, Shape, State, Sums, Turn, TurnTo, TurnWhy, Work,
};
use mlinfra::kinds::{Action, Care, Market, Plan, Step, Why};
use mlinfra::model::{Address, CloudId, Link, Moment, Money, Zone};
use mlinfra::serve::autoscale::{
    Board, ClusterStatus, Counts, Illness, Look, Orders, Pause, Signs, Status,
};

/// 2026-11-28 09:00:00 UTC
pub const BEGAN: i64 = 1_795_856_400_000;
/// A look every ten seconds.
const EVERY_MS: i64 = 10_000;
const OFFER: &str = "p5.48xlarge/us-east-1a/on-demand";
const PRICE: i64 = 55;

/// A text that would be obeyed if it were taken for HTML, a label or a line.
pub const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\">\\\n\u{202e}";

/// What is true of the cluster at a look.
struct Scene {
    look: i64,
}

impl Scene {
    /// 0 until the first launch, then as many as the story has by then.
    fn counts(&self) -> (u32, u32, u32, u32) {
        // jobs, busy, free, coming
        match self.look {
            ..30 => (0, 0, 0, 0),
            30..36 => (6, 0, 0, 4),
            36..60 => (9, 0, 0, 4),
            60..62 => (9, 0, 4, 0),
            62..150 => (3, 4, 0, 0),
            150..180 => (12, 4, 0, 8),
            180..260 => (1, 12, 0, 0),
            260..290 => (0, 9, 3, 0),
            290..330 => (0, 6, 3, 0),
            330.. => (0, 2, 7, 0),
        }
    }

    fn at(&self) -> Moment {
        Moment(BEGAN + self.look * EVERY_MS)
    }

    fn node(&self, number: u32, state: State) -> Node {
        let free = if state == State::Busy { 2 * (number % 2) } else { 8 };
        Node {
            id: format!("i-{number:04}").as_str().into(),
            state,
            since: self.at(),
            batch: 1,
            offer: OFFER.into(),
            zone: Zone::from("us-east-1a"),
            market: Market::OnDemand,
            price: Some(dollars(PRICE)),
            launched_at: Moment(self.at().0 - 290_000),
            gpus: 8,
            free: if state.is_coming() { 8 } else { free },
            jobs: Vec::new(),
            heard_at: None,
            own_mark: false,
            outdated: false,
            unheard: false,
        }
    }

    fn fleet(&self) -> Fleet {
        let (_, busy, free, coming) = self.counts();
        let states = [(busy, State::Busy), (free, State::Idle), (coming, State::Booting)];
        let states = states.iter().flat_map(|(count, state)| (0..*count).map(|_| *state));
        let nodes = (0..).zip(states).map(|(number, state)| self.node(number, state)).collect();
        let attempt = |number, outcome| Attempt {
            number,
            batch: 1,
            offer: OFFER.into(),
            at: self.at(),
            outcome,
        };
        let attempts = match self.look {
            ..31 => vec![],
            31.. => {
                vec![attempt(1, Outcome::NoCapacity), attempt(2, Outcome::Started { count: 4 })]
            }
        };
        Fleet { nodes, attempts, last_batch: 0, blind: None }
    }

    fn launch(count: u32, jobs: u32) -> Launch {
        let reason = LaunchReason::Jobs { jobs, gpus: u64::from(jobs) * 4 };
        Launch { batch: 1, count, whole: false, offers: vec![OFFER.into()], reason }
    }

    fn fate(jobs: u32, coming: u32) -> Fate {
        Fate {
            shape: Shape::single(4),
            priority: 0,
            first: None,
            jobs,
            on_free: 0,
            on_coming: coming.min(jobs),
            launched: 0,
            held: (jobs > coming).then_some(NotMore::Max { max: 12 }),
        }
    }

    fn decision(&self) -> Decision {
        let (jobs, busy, free, coming) = self.counts();
        let launches = match self.look {
            30 => vec![Self::launch(4, 6)],
            150 => vec![Self::launch(8, 12)],
            _ => vec![],
        };
        let turn =
            |number: u32, to, why| Turn { node: format!("i-{number:04}").as_str().into(), to, why };
        let idle = || TurnWhy::Idle { idle: Seconds(300) };
        let turns = match self.look {
            287 => (9..12).map(|it| turn(it, TurnTo::Cordon, idle())).collect(),
            289 => (9..12).map(|it| turn(it, TurnTo::Terminate, TurnWhy::StillIdle)).collect(),
            _ => vec![],
        };
        let nodes = busy + free + coming;
        let sums = Sums {
            serving: busy + free,
            busy,
            coming,
            going: if (287..289).contains(&self.look) { 3 } else { 0 },
            missing: 0,
            max: 12,
            target: nodes,
            jobs_waiting: jobs,
            gpus_waiting: u64::from(jobs) * 4,
            gpus_free: u64::from(free) * 8,
            per_hour: dollars(PRICE * i64::from(nodes)),
            this_month: dollars(1200 + self.look),
            ..Sums::default()
        };
        let fate = Self::fate(jobs, coming);
        let refused = Some(Against::Refused { until: Moment(self.at().0 + 180_000) });
        let per_gpu = Some(dollars(7));
        let offer = |key: &str, against| Considered { offer: key.into(), per_gpu, against };
        Decision {
            launches,
            turns,
            sums,
            waiting: if jobs > 0 { vec![fate] } else { vec![] },
            not_more: vec![if nodes < 12 { NotMore::Enough } else { NotMore::Max { max: 12 } }],
            not_less: vec![if free > 0 {
                NotLess::NotIdleEnough { nodes: free, until: Moment(self.at().0 + 120_000) }
            } else {
                NotLess::NoneIdle
            }],
            considered: vec![offer(OFFER, None), offer("p5.48xlarge/us-east-1b/spot", refused)],
            alerts: vec![],
            wake: None,
            ..Decision::default()
        }
    }

    fn demand(&self) -> Demand {
        let (jobs, ..) = self.counts();
        let job = Job {
            submitted_at: Some(Moment(self.at().0 - 45_000)),
            queue: Some("queue.jobs".into()),
            ..Job::depth(jobs, Shape::single(4))
        };
        Demand::known(Work { waiting: vec![job], ..Work::default() })
    }

    /// What became of the decision: the second launch failed.
    fn outcome(&self, decision: &Decision) -> (Orders, Option<apply::Outcome>) {
        let ends: Vec<CloudId> = decision
            .turns
            .iter()
            .filter(|turn| turn.to == TurnTo::Terminate)
            .map(|turn| CloudId::from(turn.node.as_str()))
            .collect();
        let mut steps = Vec::new();
        let mut step = |action, why| {
            let address = Address::from_tag("cluster.train/nodes").expect("an address");
            steps.push(Step { address, action, why, needs: vec![] });
        };
        if !ends.is_empty() {
            let action = Action::Terminate { nodes: ends, was: vec![], drain: false, once: vec![] };
            step(action, Why::Shrink { from: 1, to: 0 });
        }
        for launch in &decision.launches {
            let action = Action::Launch {
                batch: 1,
                count: launch.count,
                gang: false,
                template: Link::Id("lt-1".into()),
                offers: vec![],
                tags: mlinfra::kinds::Tags::new(),
                care: Care::default(),
            };
            step(action, Why::Grow { from: 0, to: 1 });
        }
        if steps.is_empty() {
            return (Orders::default(), None);
        }
        let mut outcome = apply::Outcome::default();
        for id in 0..steps.len() {
            if self.look == 150 {
                let code = "InsufficientInstanceCapacity";
                let failure =
                    Failure::new(Class::Capacity, Left::Nothing, "RunInstances", code, "none");
                outcome.failed.insert(id, failure);
            } else {
                outcome.done.insert(id, vec![]);
            }
        }
        (Orders { marks: vec![], plan: Plan { steps, ..Plan::default() } }, Some(outcome))
    }

    fn look(&self) -> Look {
        let decision = self.decision();
        let (orders, outcome) = self.outcome(&decision);
        let took = Duration::from_micros(700);
        let ill = Illness { check: "watch", xid: "79".to_owned() };
        let first = self.fleet().nodes.first().cloned().filter(|_| self.look > 50);
        let ill = first.map(|node| (node.id, ill));
        let signs = Signs { saved: dollars(3), ill: ill.into_iter().collect(), ..Signs::default() };
        Look {
            at: self.at(),
            fleet: self.fleet(),
            decision,
            orders,
            pause: None,
            outcome,
            took,
            signs,
        }
    }
}

fn dollars(number: i64) -> Money {
    Money::new(number.into())
}

/// A source that answered so many seconds ago.
fn report(name: &str, kind: &'static str, age: u32) -> Report {
    Report {
        name: name.to_owned(),
        kind,
        age: Some(Seconds(age)),
        waiting: 0,
        running: 0,
        oldest: None,
        refused: Vec::new(),
        held: Vec::new(),
        trouble: None,
    }
}

/// One more look at the cluster.
pub fn look(status: &mut Status, look: i64) {
    let scene = Scene { look };
    let mut pool = Pool::new("cluster.train", (0, 12), 8);
    pool.monthly_budget = Some(dollars(9000));
    let cluster = status.clusters.entry("cluster.train".to_owned()).or_default();
    let reports = vec![report("queue.jobs", "sqs", 0)];
    cluster.looked(&scene.look(), &Answer { demand: scene.demand(), reports }, &pool);
    status.ticked_at = Some(scene.at());
    status.counts.ticks += 1;
}

/// The board after so many looks, with two clusters beside it that are not well.
pub fn board(looks: i64) -> Arc<Board> {
    let board = Arc::new(Board::default());
    board.write(|status| {
        *status = Status {
            version: "0.1.0".to_owned(),
            stack: "llm".to_owned(),
            region: "us-east-1".to_owned(),
            started_at: Moment(BEGAN),
            every_s: 10,
            leader: Some(true),
            lease_epoch: Some(7),
            orphans: Some(0),
            counts: Counts { ticks: 0, failed: 1 },
            ..Status::default()
        };
        for at in 0..looks {
            look(status, at);
        }
        let mut idle = ClusterStatus::default();
        let why = HOSTILE.to_owned();
        let demand = Demand::Stale { work: Work::default(), age: Seconds(75), why };
        let scene = Scene { look: 0 };
        let pause = Pause {
            who: "ann@host".to_owned(),
            at: Moment(BEGAN),
            why: "an upgrade".to_owned(),
            until: Some(Moment(BEGAN + 7_200_000)),
        };
        let paused = Look { pause: Some(pause), ..scene.look() };
        let trouble = Some(Trouble::new(What::Unreachable, HOSTILE));
        let reports = vec![Report { trouble, ..report("redis", "redis", 75) }];
        idle.looked(&paused, &Answer { demand, reports }, &Pool::new("cluster.video", (0, 4), 8));
        status.clusters.insert("cluster.video".to_owned(), idle);
    });
    board
}
