//! What our policy comes to on the traces of `tests/data`, within bands, and that no peer does
//! better. Whoever changes the policy sees here what it costs.

use super::tests::{GANGS, MANY, SMALL, jobs, setting, together};
use super::{Ours, Outcome, Peer, Trace};
use crate::fleet::{LatencyTarget, Pool};

fn ours(bytes: &[u8], percent: u8) -> Outcome {
    with_spare(bytes, (percent, 0))
}

fn with_spare(bytes: &[u8], (percent, spare): (u8, u32)) -> Outcome {
    let mut pool = Pool::new("cluster.replay", (0, 400), 8);
    (pool.latency_target, pool.spare) = (LatencyTarget::new(percent), spare);
    let ours = Ours { pool, price: None, spot_price: None };
    let outcome = ours.replay(&setting(), &Trace::read(bytes).expect("a trace")).outcome;
    assert_eq!((outcome.kills, outcome.unfinished), (0, 0), "{outcome:?}");
    assert!(outcome.broken.is_empty(), "{outcome:?}");
    assert!(outcome.gang_wait_p95 <= 330.0, "{outcome:?}");
    outcome
}

/// Cost in percent above the reference, and how many in a hundred start at once.
fn point(outcome: &Outcome, reference: &Outcome) -> (f64, f64) {
    let cost = (outcome.cost_gpu_h / reference.cost_gpu_h - 1.0) * 100.0;
    (cost, outcome.instant_share * 100.0)
}

#[test]
fn what_the_knob_buys_stays_within_its_bands() {
    // Cost at most, and instant starts at least; measured: see docs/autoscaling-policy.md.
    for (bytes, percent, most, least) in [
        (SMALL, 0, 0.2, 36.5),
        (SMALL, 50, 0.4, 40.0),
        (SMALL, 75, 1.7, 54.5),
        (GANGS, 0, 0.3, 45.0),
        (GANGS, 50, 0.4, 45.0),
        // One spare node has 85.4 at 6.8.
        (GANGS, 84, 7.9, 86.5),
        (GANGS, 92, 14.3, 93.6),
        // Whoever will not wait at all.
        (GANGS, 100, 22.2, 96.5),
        (MANY, 50, 4.5, 62.5),
    ] {
        let reference = Peer::Reference.replay(&setting(), &jobs(bytes)).outcome;
        let (cost, instant) = point(&ours(bytes, percent), &reference);
        assert!(cost <= most && instant >= least, "{percent}: {cost:.2} %, {instant:.1} %");
    }
}

/// What was asked for of the three together: 75, 84 and 90 in a hundred start at once for what
/// the peers pay for 70, 79 and 84. Their gangs wait for a boot and no more.
#[test]
fn on_the_three_together_more_start_at_once_for_the_same_money() {
    let trace = together();
    let reference = Peer::Reference.replay(&setting(), &jobs(&trace)).outcome;
    for (percent, most, least) in [(50, 1.0, 75.0), (70, 3.5, 84.0), (77, 6.6, 90.0)] {
        let outcome = ours(&trace, percent);
        let (cost, instant) = point(&outcome, &reference);
        assert!(cost <= most && instant >= least, "{percent}: {cost:.2} %, {instant:.1} %");
        assert!(outcome.gang_wait_p95 <= 302.0, "{percent}: {}", outcome.gang_wait_p95);
    }
}

/// Jobs that come while a gang's nodes boot find one more there, instead of taking one of them.
/// Twice as many come as on the trace, at half the distance.
#[test]
fn gangs_among_many_smaller_jobs_wait_for_one_boot() {
    let text = String::from_utf8(together()).expect("text");
    let rows = text.lines().skip(1).map(|line| {
        let (submit, rest) = line.split_once(',').expect("a row");
        format!("{},{rest}\n", submit.parse::<u64>().expect("a second") / 2)
    });
    let trace = format!("submit_s,duration_s,gpus\n{}", rows.collect::<String>());
    let outcome = ours(trace.as_bytes(), 50);
    assert!(outcome.gang_wait_p95 <= 302.0, "{}", outcome.gang_wait_p95);
    let peer = Peer::ClusterAutoscaler.replay(&setting(), &jobs(trace.as_bytes())).outcome;
    assert!(peer.gang_wait_p95 > 400.0, "a trace on which it does not show: {peer:?}");
}

#[test]
fn nodes_that_stand_ready_cost_and_bring_what_they_do_elsewhere() {
    // Those that keep a fixed number have 85.4 at 6.8, and 95.0 at 13.3.
    for (spare, most, least) in [(1, 6.9, 85.0), (2, 13.4, 94.8)] {
        let reference = Peer::Reference.replay(&setting(), &jobs(GANGS)).outcome;
        let (cost, instant) = point(&with_spare(GANGS, (50, spare)), &reference);
        assert!(cost <= most && instant >= least, "{spare}: {cost:.2} %, {instant:.1} %");
    }
}

#[test]
fn no_peer_is_better_in_both_cost_and_waits() {
    for bytes in [SMALL, GANGS, MANY] {
        let balanced = ours(bytes, 50);
        let peers = Peer::ALL.into_iter().filter(|it| !matches!(it, Peer::Hpa(_)));
        for peer in peers {
            let other = peer.replay(&setting(), &jobs(bytes)).outcome;
            let cheaper = other.cost_gpu_h < balanced.cost_gpu_h;
            assert!(!(cheaper && other.wait_p95 < balanced.wait_p95), "{peer}: {other:?}");
        }
    }
}

/// A queue that is hardly used pays for its boots, and little for who may come next.
#[test]
fn a_small_queue_is_not_made_dear() {
    // A job of twenty minutes every five hours.
    let rows: String = (0..200).map(|job| format!("{},1200,1\n", job * 18_000)).collect();
    let trace = format!("submit_s,duration_s,gpus\n{rows}");
    let reference = Peer::Reference.replay(&setting(), &jobs(trace.as_bytes())).outcome;
    let at = |percent| point(&ours(trace.as_bytes(), percent), &reference).0;
    let (cheapest, balanced) = (at(0), at(50));
    assert!(balanced <= cheapest + 10.0, "{cheapest:.1} %, {balanced:.1} %");
}
