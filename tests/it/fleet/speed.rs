//! How long a decision takes: ten thousand nodes, a hundred thousand jobs. `benches/decision.rs`
//! prints it of an optimised build.

use std::time::{Duration, Instant};

use mlinfra::fleet::{
    Demand, Fleet, Job, Memory, Node, Offer, Pool, Seconds, Shape, State, Work, decide,
};
use mlinfra::kinds;
use mlinfra::model::{Link, Moment, SubnetId, Zone};

const NOW: i64 = 1_790_000_000_000;

fn fleet(offer: &Offer, nodes: u32) -> Fleet {
    let node = |at: u32| Node {
        id: format!("i-{at:017x}").into(),
        state: if at.is_multiple_of(3) { State::Idle } else { State::Busy },
        since: Moment(NOW - 60_000),
        batch: u64::from(at / 100),
        offer: offer.key.clone(),
        zone: offer.launch.zone.clone(),
        market: kinds::Market::OnDemand,
        price: None,
        launched_at: Moment(NOW - 600_000),
        gpus: 8,
        free: if at.is_multiple_of(3) { 8 } else { at % 8 },
        jobs: Vec::new(),
        heard_at: None,
        own_mark: false,
        outdated: false,
        unheard: false,
    };
    Fleet { nodes: (0..nodes).map(node).collect(), last_batch: 1000, ..Fleet::default() }
}

fn jobs(count: u32) -> Vec<Job> {
    let job = |at: u32| Job {
        id: Some(format!("job-{at}").into()),
        priority: (at % 3) as i32,
        submitted_at: Some(Moment(NOW - i64::from(at % 4000) * 1000)),
        ..Job::depth(
            1,
            if at.is_multiple_of(10) {
                Shape::gang(8, 2 + at % 7)
            } else {
                Shape::single(1 + at % 8)
            },
        )
    };
    (0..count).map(job).collect()
}

/// How long one decision takes, the best of a few.
pub fn time(nodes: u32, count: u32) -> Duration {
    let subnet = Link::Id(SubnetId("subnet-1".to_owned()));
    let offer = kinds::Offer::plain("p5.48xlarge", Zone("us-east-1a".to_owned()), subnet);
    let offers = [Offer::new(offer, 8)];
    let mut pool = Pool::new("cluster.a", (0, 20_000), 8);
    pool.boot = Seconds(300);
    let fleet = fleet(&offers[0], nodes);
    let demand = Demand::known(Work { waiting: jobs(count), ..Work::default() });
    let once = |_| {
        let began = Instant::now();
        let (decision, memory) =
            decide(&pool, &fleet, &demand, &offers, Memory::default(), Moment(NOW));
        let took = began.elapsed();
        assert!(!decision.launches.is_empty() && memory.next_batch > 1000);
        took
    };
    (0..5).map(once).min().unwrap()
}

/// A debug build takes ten times as long and more, and is held to ten times the bound.
#[test]
#[ignore = "a measurement: `cargo bench --no-default-features --bench decision` prints it"]
fn a_decision_over_ten_thousand_nodes_and_a_hundred_thousand_jobs_is_quick() {
    let took = time(10_000, 100_000);
    println!("10,000 nodes, 100,000 jobs: {:.1} ms", took.as_secs_f64() * 1e3);
    let most = Duration::from_millis(50) * if cfg!(debug_assertions) { 10 } else { 1 };
    assert!(took < most, "{took:?}");
}

/// Ten times as much may take fifteen times as long, not a hundred: in any build.
#[test]
fn the_time_of_a_decision_grows_with_what_it_is_about() {
    let (small, large) = (time(500, 5_000), time(5_000, 50_000));
    assert!(large < small * 30, "{small:?}, then {large:?}");
}
