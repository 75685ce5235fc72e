//! Single decisions, worked out by hand: what is launched, where, and who comes back.

use mlinfra::fleet::{
    Attempt, Decision, Demand, Fleet, Job, LatencyTarget, LaunchReason, Memory, Node, Offer,
    Outcome, Pool, Seconds, Shape, State, TurnTo, TurnWhy, Work, decide,
};
use mlinfra::kinds::{self, Market};
use mlinfra::model::{Link, Moment, Money, SubnetId, Zone};

const NOW: i64 = 1_790_000_000_000;

/// An offer of nodes with so many accelerators, at so many dollars per hour.
fn offer(kind: &str, gpus: u32, dollars: i64) -> Offer {
    let subnet = Link::Id(SubnetId("subnet-1".to_owned()));
    let mut launch = kinds::Offer::plain(kind, Zone("us-east-1a".to_owned()), subnet);
    launch.price = Some(Money::new(dollars.into()));
    Offer::new(launch, gpus)
}

fn pool(gpus: u32) -> Pool {
    let mut pool = Pool::new("cluster.a", (0, 20), gpus);
    pool.latency_target = LatencyTarget::CHEAPEST;
    pool
}

fn waiting(count: u32, shape: Shape) -> Demand {
    Demand::known(Work { waiting: vec![Job::depth(count, shape)], ..Work::default() })
}

fn node(number: u32, of: &Offer, state: State, quiet: i64) -> Node {
    Node {
        id: format!("i-{number}").into(),
        state,
        since: Moment(NOW - 600_000),
        batch: 0,
        offer: of.key.clone(),
        zone: of.launch.zone.clone(),
        market: Market::OnDemand,
        price: of.launch.price,
        launched_at: Moment(NOW - 3_600_000),
        gpus: of.gpus,
        free: of.gpus,
        jobs: Vec::new(),
        heard_at: Some(Moment(NOW - quiet)),
        own_mark: true,
        outdated: false,
        unheard: false,
    }
}

fn nodes(nodes: Vec<Node>) -> Fleet {
    Fleet { nodes, ..Fleet::default() }
}

/// Type and number of every launch.
fn launches(decision: &Decision) -> Vec<(String, u32)> {
    let kind = |key: &mlinfra::fleet::OfferKey| key.as_str().split('/').next().unwrap().to_owned();
    decision.launches.iter().map(|launch| (kind(&launch.offers[0]), launch.count)).collect()
}

fn first(pool: &Pool, fleet: &Fleet, demand: &Demand, offers: &[Offer]) -> Decision {
    decide(pool, fleet, demand, offers, Memory::default(), Moment(NOW)).0
}

fn many(list: &[(&str, u32)]) -> Vec<(String, u32)> {
    list.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[test]
fn what_does_not_fill_a_large_node_is_put_on_small_ones() {
    // Both cost 7 dollars for each accelerator: a large one pays only where it is full.
    let offers = [offer("p5.48xlarge", 8, 56), offer("p5.4xlarge", 1, 7)];
    let of = |jobs| {
        launches(&first(&pool(8), &nodes(vec![]), &waiting(jobs, Shape::single(1)), &offers))
    };
    assert_eq!(of(8), many(&[("p5.48xlarge", 1)]));
    assert_eq!(of(9), many(&[("p5.48xlarge", 1), ("p5.4xlarge", 1)]));
    assert_eq!(of(18), many(&[("p5.48xlarge", 2), ("p5.4xlarge", 2)]));
    assert_eq!(of(1), many(&[("p5.4xlarge", 1)]));
    // Where the small one is dearer by so much, seven of it cost more than a large one.
    let dear = [offer("p5.48xlarge", 8, 56), offer("p5.4xlarge", 1, 9)];
    let of =
        |jobs| launches(&first(&pool(8), &nodes(vec![]), &waiting(jobs, Shape::single(1)), &dear));
    assert_eq!(of(15), many(&[("p5.48xlarge", 2)]));
    assert_eq!(of(14), many(&[("p5.48xlarge", 1), ("p5.4xlarge", 6)]), "54 dollars, not 56");
}

#[test]
fn a_gang_takes_the_cheapest_nodes_that_are_large_enough() {
    let offers = [offer("p5.48xlarge", 8, 56), offer("g6e.12xlarge", 4, 11)];
    let of = |shape| launches(&first(&pool(8), &nodes(vec![]), &waiting(1, shape), &offers));
    assert_eq!(of(Shape::gang(4, 3)), many(&[("g6e.12xlarge", 3)]));
    assert_eq!(of(Shape::gang(8, 3)), many(&[("p5.48xlarge", 3)]));
    // The next best follows, should the first be refused.
    let decision = first(&pool(8), &nodes(vec![]), &waiting(1, Shape::gang(4, 3)), &offers);
    assert_eq!(decision.launches[0].offers.len(), 2);
    assert!(matches!(decision.launches[0].reason, LaunchReason::Gang { .. }));
}

/// Refused `times` in a row, each time as soon as it may be tried: when the next try is.
fn refused(offers: &[Offer], times: u64) -> Option<i64> {
    let demand = waiting(1, Shape::single(8));
    let (mut memory, mut now) = (Memory::default(), NOW);
    let mut fleet = nodes(vec![]);
    for number in 1..=times {
        fleet.last_batch += 1;
        fleet.attempts.push(Attempt {
            number,
            batch: fleet.last_batch,
            offer: offers[0].key.clone(),
            at: Moment(now),
            outcome: Outcome::NoCapacity,
        });
        let (mut decision, after) = decide(&pool(8), &fleet, &demand, offers, memory, Moment(now));
        memory = after;
        let begun = now;
        let tried = |decision: &Decision| {
            decision.launches.iter().any(|launch| launch.offers.contains(&offers[0].key))
        };
        while !tried(&decision) {
            now += 10_000;
            assert!(now < begun + 7_200_000, "never again");
            fleet.last_batch += decision.launches.len() as u64;
            let again = decide(&pool(8), &fleet, &demand, offers, memory, Moment(now));
            (decision, memory) = again;
        }
        if number == times {
            return Some((now - begun) / 1000);
        }
    }
    None
}

#[test]
fn an_offer_that_was_refused_is_left_alone_for_longer_only_where_there_is_another() {
    let alone = [offer("p5.48xlarge", 8, 56)];
    assert_eq!([1, 2, 5].map(|times| refused(&alone, times)), [Some(180); 3]);
    // A smaller one is no other for who needs eight.
    let small = [offer("p5.48xlarge", 8, 56), offer("p5.4xlarge", 1, 7)];
    assert_eq!(refused(&small, 3), Some(180));
    let two = [offer("p5.48xlarge", 8, 56), offer("p5en.48xlarge", 8, 60)];
    assert_eq!([1, 2, 3].map(|times| refused(&two, times)), [Some(180), Some(360), Some(720)]);
}

#[test]
fn a_node_that_is_silent_is_not_called_back() {
    let offers = [offer("p5.48xlarge", 8, 56)];
    let with = |quiet| {
        let fleet = nodes(vec![node(1, &offers[0], State::Cordoned, quiet)]);
        first(&pool(8), &fleet, &waiting(1, Shape::single(8)), &offers)
    };
    let back = with(5_000);
    assert!(back.launches.is_empty() && back.turns[0].to == TurnTo::Uncordon, "{back:?}");
    let silent = with(1_200_000);
    assert!(silent.turns.iter().all(|turn| turn.to != TurnTo::Uncordon), "{silent:?}");
    assert_eq!(launches(&silent), many(&[("p5.48xlarge", 1)]));
}

#[test]
fn a_node_that_goes_because_it_is_silent_is_made_up_for_at_once() {
    let offers = [offer("p5.48xlarge", 8, 56)];
    let mut pool = pool(8);
    pool.min = 1;
    pool.limits.lost = Seconds::minutes(15);
    let fleet = nodes(vec![node(1, &offers[0], State::Idle, 1_200_000)]);
    let decision = first(&pool, &fleet, &Demand::known(Work::default()), &offers);
    assert!(matches!(decision.turns[0].why, TurnWhy::Lost { .. }), "{decision:?}");
    assert_eq!(launches(&decision), many(&[("p5.48xlarge", 1)]));
    assert_eq!(decision.launches[0].reason, LaunchReason::Minimum);
}

#[test]
fn what_runs_already_is_no_reason_to_launch() {
    let offers = [offer("p5.48xlarge", 8, 56)];
    let running = vec![Job::depth(5, Shape::gang(8, 4))];
    let demand = Demand::known(Work { running, ..Work::default() });
    assert!(first(&pool(8), &nodes(vec![]), &demand, &offers).launches.is_empty());
}
