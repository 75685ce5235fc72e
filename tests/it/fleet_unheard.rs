//! Nodes without an agent: all they say is that they have booted. What the queue says of all jobs
//! together decides. No node with a job is ended, as many come as jobs need, and they go when
//! nothing waits or runs, if the queue can tell that; the service dies again and again meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use mlinfra::fleet::{NotLess, Unheard};
use mlinfra::serve::autoscale::World as _;
use tokio_util::sync::CancellationToken;

use crate::dice::{Dice, number};
use crate::fleet_days::{FAIR, Ground, MOST, Weather, Yard, nodes, services, without_agent};

/// What came of some hours.
#[derive(Debug, Default)]
struct Told {
    done: usize,
    killed: usize,
    sent: usize,
    /// Nodes that stand in the end.
    left: usize,
    most: usize,
    /// The longest that a job waited beside nodes that could have come, in looks of five seconds.
    waited: usize,
}

fn standing(ground: &Ground) -> usize {
    nodes(&ground.region).iter().filter(|it| it.phase.stands()).count()
}

async fn play(ground: &Ground, dice: &mut Dice, rough: bool) -> Told {
    let mut yard = Yard::new(ground);
    let (mut told, mut waits) = (Told::default(), 0);
    for second in (0..3 * 3600).step_by(5) {
        let busy_hours = second < 3600;
        {
            let mut jobs = ground.jobs.lock().expect("jobs");
            if busy_hours && dice.one_in(40) {
                // Longer than every patience of the cluster.
                (0..1 + dice.roll(3)).for_each(|_| jobs.waiting.push_back(300 + dice.roll(900)));
            }
            if rough && dice.one_in(30) {
                jobs.silent = busy_hours && dice.one_in(3);
            }
            let stuck = !jobs.waiting.is_empty() && !jobs.silent;
            waits = if stuck { waits + 1 } else { 0 };
        }
        let all = standing(ground);
        told.most = told.most.max(all);
        if all < MOST {
            told.waited = told.waited.max(waits);
        }
        yard.tick(dice);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let jobs = ground.jobs.lock().expect("jobs");
    (told.done, told.killed) = (jobs.done, jobs.killed);
    told.sent = jobs.done + jobs.waiting.len();
    told
}

async fn history(seed: u64, weather: Weather, tells_running: bool) -> Told {
    let mut dice = Dice(seed);
    let ground = without_agent().await;
    ground.jobs.lock().expect("jobs").tells_running = tells_running;
    let stop = CancellationToken::new();
    let script = async {
        let told = play(&ground, &mut dice, weather.rough).await;
        stop.cancel();
        told
    };
    let (told, ()) = tokio::join!(script, services(&ground, weather, seed, &stop));
    Told { left: standing(&ground), ..told }
}

async fn histories(weather: Weather, tells_running: bool) {
    let count: u64 = number("MLINFRA_FLEET_UNHEARD").unwrap_or(2);
    let first: u64 = number("MLINFRA_FLEET_SEED").unwrap_or(1);
    for seed in first..first + count {
        let told = history(seed, weather, tells_running).await;
        let right = told.killed == 0 && told.done == told.sent && told.sent > 0;
        let goes = if tells_running { told.left == 0 } else { told.left == told.most };
        // Two minutes until it shows that nobody takes a job, one to boot, one to die and look.
        let grows = weather.rough || told.waited <= 5 * 12;
        assert!(right && goes && grows && told.most <= MOST, "seed {seed}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_go_only_when_nothing_waits_or_runs_and_no_job_is_killed() {
    histories(FAIR, true).await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_says_what_runs_none_goes() {
    histories(FAIR, false).await;
}

#[tokio::test(start_paused = true)]
async fn silence_and_deaths_of_the_service_end_no_job() {
    histories(Weather { dies_every: 120, twin: true, rough: true }, true).await;
    histories(Weather { dies_every: 120, twin: true, rough: true }, false).await;
}

/// A decision says why they stay, and what it may take for idle.
#[tokio::test(start_paused = true)]
async fn why_they_stay_is_told() {
    for (tells_running, want) in [(true, Unheard::Work), (false, Unheard::NotTold)] {
        let ground = without_agent().await;
        {
            let mut jobs = ground.jobs.lock().expect("jobs");
            jobs.tells_running = tells_running;
            jobs.waiting.extend([7200; 2]);
        }
        let (mut yard, mut dice) = (Yard::new(&ground), Dice(1));
        let mut said = BTreeSet::new();
        for _ in 0..60 {
            yard.tick(&mut dice);
            let observed = ground.observe().await;
            let clusters = ground.clusters(&observed).expect("clusters");
            let cluster = clusters.first().expect("one");
            let demand = ground.demand(&cluster.address).await;
            let look = ground.eye(&CancellationToken::new());
            let look = look.look(cluster, &observed, &demand).await.expect("a look");
            for why in look.decision.not_less {
                if let NotLess::Unheard { nodes, because } = why {
                    assert_eq!((nodes, look.decision.sums.unheard), (2, 2));
                    said.insert(because);
                }
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(said, BTreeSet::from([want]), "{tells_running}");
        assert_eq!(standing(&ground), 2);
    }
}
