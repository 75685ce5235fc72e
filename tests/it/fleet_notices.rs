//! What the cloud says of a machine, and its node cannot: that its checks fail, that it is retired,
//! that spot takes it back. Such a node is not free, whatever it said last; what waits gets another,
//! and it ends, unless it has a job.

use std::time::Duration;

use mlinfra::fleet::Alert;
use mlinfra::model::tags;
use mlinfra::serve::autoscale::World as _;
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::fleet_days::{Ground, Yard, ground, nodes};

struct Days {
    ground: Ground,
    yard: Yard,
    alerts: Vec<Alert>,
    launched: u32,
}

impl Days {
    async fn new(jobs: &[u64]) -> Self {
        let ground = ground().await;
        ground.jobs.lock().expect("jobs").waiting.extend(jobs);
        let yard = Yard::new(&ground);
        Self { ground, yard, alerts: Vec::new(), launched: 0 }
    }

    /// So many seconds of looks and of agents.
    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds / 10 {
            self.yard.tick(&mut Dice(1));
            let observed = self.ground.observe().await;
            let clusters = self.ground.clusters(&observed).expect("clusters");
            let cluster = clusters.first().expect("one");
            let demand = self.ground.demand(&cluster.address).await;
            let eye = self.ground.eye(&CancellationToken::new());
            let look = eye.look(cluster, &observed, &demand).await.expect("a look");
            self.launched += look.decision.launches.iter().map(|it| it.count).sum::<u32>();
            self.alerts = look.decision.alerts;
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }

    /// Nodes that stand, with what they say.
    fn standing(&self) -> Vec<(String, String)> {
        let all = nodes(&self.ground.region).into_iter().filter(|it| it.phase.stands());
        all.map(|it| (it.id.to_string(), it.tags.get(tags::STATE).cloned().unwrap_or_default()))
            .collect()
    }

    fn who(&self, state: &str) -> String {
        let found = self.standing().into_iter().find(|(_, it)| it == state);
        found.unwrap_or_else(|| panic!("{state}: {:?}", self.standing())).0
    }

    fn notice(&self, node: &str, what: &str) {
        self.ground.region.set(&format!("notice.{node}"), what).expect("a notice");
    }

    fn send(&self, seconds: u64) {
        self.ground.jobs.lock().expect("jobs").waiting.push_back(seconds);
    }

    fn stands(&self, node: &str) -> bool {
        self.standing().iter().any(|(id, _)| id == node)
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_machine_fails_its_checks_is_not_free_and_ends_without_a_job() {
    let mut days = Days::new(&[30, 7200]).await;
    days.pass(180).await;
    let (idle, busy) = (days.who("idle"), days.who("busy"));
    for node in [&idle, &busy] {
        days.notice(node, "impaired");
    }
    days.yard.away.insert(idle.as_str().into());
    days.send(3600);
    days.pass(20).await;
    assert_eq!(days.launched, 3, "the idle one cannot be reached: another comes");
    let told = |days: &Days, node: &str| {
        let is = |alert: &Alert| matches!(alert, Alert::Impaired { node: it, .. } if it.as_str() == node);
        days.alerts.iter().any(is)
    };
    assert!(told(&days, &idle) && told(&days, &busy), "{:?}", days.alerts);
    days.pass(1000).await;
    assert!(!days.stands(&idle), "it has had no job for a quarter of an hour");
    assert!(days.stands(&busy), "what may have a job is ended by nobody");
    // It recovers, and does not go before its job.
    days.notice(&busy, "none");
    days.pass(60).await;
    assert!(!told(&days, &busy));
    let jobs = days.ground.jobs.lock().expect("jobs");
    assert_eq!(jobs.killed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_to_be_taken_away_gets_no_job_and_ends_after_its_own() {
    for notice in ["retirement", "interruption"] {
        let mut days = Days::new(&[30, 600]).await;
        days.pass(180).await;
        let (idle, busy) = (days.who("idle"), days.who("busy"));
        days.notice(&idle, notice);
        days.notice(&busy, notice);
        days.pass(60).await;
        assert!(!days.stands(&idle), "{notice}: it has no job");
        assert!(days.stands(&busy), "{notice}: it has one");
        days.pass(900).await;
        assert!(!days.stands(&busy), "{notice}: its job is done");
        let jobs = days.ground.jobs.lock().expect("jobs");
        assert_eq!((jobs.done, jobs.killed), (2, 0), "{notice}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_that_is_announced_changes_nothing() {
    let mut days = Days::new(&[30]).await;
    days.pass(120).await;
    let idle = days.who("idle");
    days.notice(&idle, "reboot");
    days.send(60);
    days.pass(60).await;
    assert_eq!((days.launched, days.alerts.len()), (1, 0));
    assert!(days.stands(&idle));
}
