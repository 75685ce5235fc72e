//! The engine against the figures that its rules gave elsewhere, and by hand.

use super::*;

pub(super) const SMALL: &[u8] = include_bytes!("../../../tests/data/philly-0e4a51.csv");
pub(super) const GANGS: &[u8] = include_bytes!("../../../tests/data/philly-ee9e8c.csv");
pub(super) const MANY: &[u8] = include_bytes!("../../../tests/data/philly-6c71a0.csv");

/// The three together, on the clock that they have in common: see `tests/data/README.md`.
pub(super) fn together() -> Vec<u8> {
    let mut rows: Vec<(u64, &str)> = Vec::new();
    for (bytes, from) in [(GANGS, 0), (MANY, 178_393), (SMALL, 483_130)] {
        let text = std::str::from_utf8(bytes).expect("text");
        rows.extend(text.lines().skip(1).map(|line| {
            let (submit, rest) = line.split_once(',').expect("a row");
            (submit.parse::<u64>().expect("a second") + from, rest)
        }));
    }
    rows.sort_unstable();
    let lines = rows.iter().map(|(submit, rest)| format!("{submit},{rest}\n"));
    format!("submit_s,duration_s,gpus\n{}", lines.collect::<String>()).into_bytes()
}

pub(super) fn setting() -> Setting {
    let (faults, market) = (Faults::default(), Market::default());
    Setting { gpus: 8, max_nodes: 400, boot: 300 * SECOND, faults, market }
}

pub(super) fn jobs(bytes: &[u8]) -> Vec<Job> {
    Trace::read(bytes).expect("a trace").jobs
}

/// Accelerator-hours, whole, and launches.
fn figures(bytes: &[u8], peer: Peer) -> (u64, u64) {
    let outcome = peer.replay(&setting(), &jobs(bytes)).outcome;
    assert_eq!((outcome.kills, outcome.unfinished), (0, 0));
    (outcome.cost_gpu_h.round() as u64, outcome.launches)
}

#[test]
fn figures_are_those_of_the_rules() {
    assert_eq!(figures(GANGS, Peer::Reference), (269_348, 933));
    assert_eq!(figures(GANGS, Peer::Karpenter), (270_536, 2_244));
    assert_eq!(figures(GANGS, Peer::ClusterAutoscaler), (270_658, 877));
    assert_eq!(figures(MANY, Peer::Reference), (110_903, 1_168));
    assert_eq!(figures(MANY, Peer::Karpenter), (116_319, 1_094));
    assert_eq!(figures(MANY, Peer::ClusterAutoscaler), (117_586, 972));
    assert_eq!(figures(SMALL, Peer::Reference), (112_204, 184));
    assert_eq!(figures(SMALL, Peer::Karpenter), (112_270, 193));
    assert_eq!(figures(SMALL, Peer::ClusterAutoscaler), (112_410, 190));
}

#[test]
fn waits_are_those_of_the_rules() {
    let of = |bytes, peer: Peer| {
        let outcome = peer.replay(&setting(), &jobs(bytes)).outcome;
        let instant = (outcome.instant_share * 100.0).round() as u32;
        (outcome.wait_p95 as u32, outcome.gang_wait_p95 as u32, instant)
    };
    assert_eq!(of(GANGS, Peer::Ray), (305, 603, 47));
    assert_eq!(of(SMALL, Peer::Ray), (694, 0, 37));
    assert_eq!(of(GANGS, Peer::Spare(2)), (4, 304, 95));
    assert_eq!(of(SMALL, Peer::Spare(1)), (287, 0, 51));
    assert_eq!(of(GANGS, Peer::Adaptive(95)), (305, 326, 48));
    assert_eq!(of(GANGS, Peer::Dstack), (303, 308, 92));
    assert_eq!(of(GANGS, Peer::Idle(60)), (309, 319, 57));
}

#[test]
fn depth_alone_starves_gangs_and_a_blind_victim_is_a_killed_job() {
    let empty = Peer::Keda(4).replay(&setting(), &jobs(GANGS)).outcome;
    assert_eq!((empty.wait_p95 as u32, empty.unfinished, empty.kills), (530_304, 9, 0));
    let any = Peer::Hpa(4).replay(&setting(), &jobs(SMALL)[..300]).outcome;
    assert!(any.kills > 50 && any.wasted_gpu_h > 100.0, "{any:?}");
}

fn trace(rows: &str) -> Vec<Job> {
    jobs(format!("submit_s,duration_s,gpus\n{rows}").as_bytes())
}

#[test]
fn a_job_waits_for_the_tick_and_the_boot_and_its_node_is_paid_from_the_request_on() {
    let outcome = Peer::Karpenter.replay(&setting(), &trace("0,3600,1\n")).outcome;
    // The first multiple of ten seconds after its submission, and the boot.
    assert_eq!(outcome.wait_p50, 310.0);
    assert_eq!(outcome.cost_gpu_h, 8.0 * 3_900.0 / 3_600.0);
    assert_eq!(outcome.used_gpu_h, 1.0);
    assert_eq!((outcome.launches, outcome.nodes_max, outcome.instant_share), (1, 1, 0.0));
    let fixed = Peer::Static(2).replay(&setting(), &trace("0,3600,1\n")).outcome;
    assert_eq!((fixed.cost_gpu_h, fixed.instant_share, fixed.launches), (16.0, 1.0, 2));
}

#[test]
fn small_jobs_pack_and_gangs_take_whole_nodes_at_once() {
    // Four and three share a node; two more accelerators do not fit it.
    let packed =
        Peer::Static(2).replay(&setting(), &trace("0,100,4\n0,100,3\n0,100,2\n1,10,16\n")).outcome;
    assert_eq!((packed.gangs, packed.gang_wait_p95), (1, 99.0));
    // A job behind the gang starts before it where it fits.
    let passed = Peer::Static(2).replay(&setting(), &trace("0,100,8\n1,10,16\n2,10,8\n")).outcome;
    assert_eq!(passed.wait_p95, 99.0);
    assert_eq!(passed.instant_share, 2.0 / 3.0);
}

#[test]
fn what_does_not_fit_the_most_nodes_never_runs_and_the_replay_ends() {
    let small = Setting { max_nodes: 2, ..setting() };
    let outcome = Peer::Karpenter.replay(&small, &trace("0,100,24\n5,100,1\n")).outcome;
    assert_eq!((outcome.unfinished, outcome.kills), (1, 0));
    assert!(outcome.nodes_max <= 2);
}

#[test]
fn priority_goes_first_and_nodes_of_a_job_are_whole() {
    let rows = b"gpus,duration_s,submit_s,nodes,priority,queue\n8,100,0,,0,a\n8,10,1,,0,b\n8,10,2,,5,a\n4,10,3,2,,b\n";
    let trace = Trace::read(rows).expect("a trace");
    assert_eq!(trace.queues, ["a", "b"]);
    assert_eq!(trace.jobs[3].whole_nodes(8), 2);
    let outcome = Peer::Static(1).replay(&setting(), &trace.jobs[..3]).outcome;
    // The later one with more priority at 100 s, then the other.
    assert_eq!((outcome.wait_p50, outcome.wait_p99), (98.0, 109.0));
}

#[test]
fn faults_act() {
    let faulty = |text: &str| {
        let faults = Faults::parse(text).expect("faults");
        Peer::Karpenter.replay(&Setting { faults, ..setting() }, &jobs(SMALL)).outcome
    };
    let (well, refused) = (faulty(""), faulty("refuse=0.5,seed=1"));
    assert_eq!(well.faults, 0);
    assert!(refused.faults > 50 && refused.unfinished == 0, "{refused:?}");
    let boots = faulty("boot=0.3");
    assert!(boots.faults > 30 && boots.launches > well.launches, "{boots:?}");
    let lost = faulty("lost=0.01");
    assert!(lost.restarts > 50 && lost.kills == 0 && lost.wasted_gpu_h > 0.0, "{lost:?}");
    assert_eq!(faulty("lost=0.01"), lost);
    assert_ne!(faulty("lost=0.01,seed=9"), lost);
    for (bad, why) in [
        ("boot", "\"boot\" has no `=`"),
        ("boot=2", "\"2\" is no rate between 0 and 1"),
        ("boot=NaN", "\"NaN\" is no rate between 0 and 1"),
        ("moon=1", "there is no fault \"moon\"; there are refuse, boot, lost and seed"),
        ("seed=-1", "\"-1\" is no whole number"),
    ] {
        assert_eq!(Faults::parse(bad), Err(why.to_owned()), "{bad}");
    }
}

#[test]
fn spot_capacity_is_used_and_taken_back() {
    let read = |text: &str| Market::read(text);
    let sky = read(r#"{"metadata": {"gap_seconds": 600}, "data": [1, 1, 0, 1]}"#).expect("a trace");
    let some = u32::MAX;
    assert_eq!(sky.supply, [(0, some), (600_000, some), (1_200_000, 0), (1_800_000, some)]);
    let bamboo = read("0,add,a\n0,add,b\n5000,remove,a\n").expect("a trace");
    assert_eq!(bamboo.supply, [(0, 2), (5_000, 1)]);
    // The node is taken back at 1200 s; the job starts anew, on demand.
    let setting = Setting { market: sky, ..setting() };
    let outcome = Peer::Karpenter.replay(&setting, &trace("0,3600,1\n")).outcome;
    assert_eq!((outcome.restarts, outcome.launches, outcome.unfinished), (1, 2, 0));
    assert_eq!(outcome.spot_gpu_h, 8.0 * 1_190.0 / 3_600.0);
    assert_eq!(outcome.wasted_gpu_h, 890.0 / 3_600.0);
    for (bad, why) in [
        ("", "the file is empty"),
        ("{}", "metadata.gap_seconds is no number of seconds from 1 on"),
        (r#"{"metadata":{"gap_seconds":60},"data":[]}"#, "data is no list of numbers of nodes"),
        (
            r#"{"metadata":{"gap_seconds":60},"data":[1,-1]}"#,
            "data[1] is -1, which is no number of nodes",
        ),
        ("0,add", ""),
        ("x,add,a", "line 1: the time is no number of milliseconds"),
        ("0,add,a\n5,move,a", "line 2: the second field is neither `add` nor `remove`"),
        ("0,remove,a", "line 1: no node is left to remove"),
        ("9,add,a\n5,add,b", "line 2: time goes backwards"),
    ] {
        match read(bad) {
            Ok(market) => assert!(why.is_empty(), "{bad}: {market:?}"),
            Err(said) => assert_eq!(said, why, "{bad}"),
        }
    }
}

#[test]
fn bad_rows_are_told_with_their_line() {
    let said = |text: &str| {
        let bad = Trace::read(text.as_bytes()).expect_err("a bad trace");
        bad.into_iter().map(|row| format!("{}: {}", row.line, row.why)).collect::<Vec<_>>()
    };
    assert_eq!(said(""), ["0: the file is empty"]);
    assert_eq!(said("submit_s,gpus\n1,2\n"), ["1: there is no column duration_s"]);
    assert_eq!(said("gpus,submit_s,GPUs,duration_s\n"), ["1: the column gpus is there twice"]);
    assert_eq!(said("submit_s,duration_s,gpus\n"), ["0: the trace has no jobs"]);
    let left = "0: all 1 rows have no accelerators, or no duration";
    assert_eq!(said("submit_s,duration_s,gpus\n0,0,1\n"), [left]);
    let rows = "0,-5,1\n0,NaN,1\n0,5,1.5\n\nx,5,1\n0,1e300,1\n0,5\n0,5,-1\ninf,5,1\n";
    assert_eq!(
        said(&format!("submit_s,duration_s,gpus\r\n{rows}")),
        [
            "2: duration_s is \"-5\", which is not from 0 to 31622400",
            "3: duration_s is \"NaN\", which is no number",
            "4: gpus is \"1.5\", which is not a whole number",
            "6: submit_s is \"x\", which is no number",
            "7: duration_s is \"1e300\", which is not from 0 to 31622400",
            "8: the row has 2 fields, the header 3",
            "9: gpus is \"-1\", which is not from 0 to 1000000",
            "10: submit_s is \"inf\", which is no number",
        ]
    );
}

#[test]
fn marks_line_ends_order_and_spaces_make_no_difference() {
    let plain = trace("0,10,1\n5,20,2\n");
    let other =
        Trace::read(b"\xef\xbb\xbfgpus , submit_s,duration_s,user\r\n2,105,20,x\r\n1,1e2,10,y");
    assert_eq!(other.expect("a trace").jobs, plain);
}

#[test]
fn policies_are_named_as_they_are_read() {
    for peer in Peer::ALL.into_iter().chain(Peer::USUAL).chain([Peer::Reference]) {
        assert_eq!(peer.to_string().parse(), Ok(peer));
    }
    assert_eq!("keda".parse(), Ok(Peer::Keda(4)));
    for (bad, why) in [
        ("keda=0", "\"keda=0\" has no number from 1 to 100000"),
        ("ray=2", "ray takes no number"),
        ("adaptive=101", "\"adaptive=101\" is more than 100 percent"),
    ] {
        assert_eq!(bad.parse::<Peer>(), Err(why.to_owned()));
    }
    assert!(
        "yarn".parse::<Peer>().is_err_and(|why| why.contains("there are ours, all, reference"))
    );
}

#[test]
fn a_series_ends_with_the_sums() {
    let Replay { outcome, series } = Peer::Karpenter.replay(&setting(), &jobs(GANGS));
    let points = &series.points;
    assert!((500..=2_000).contains(&points.len()), "{}", points.len());
    assert!(points.is_sorted_by_key(|point| point.at));
    let last = points.last().expect("a point");
    assert!((last.gpu_hours - outcome.cost_gpu_h).abs() < 1e-6, "{last:?}");
    let most = points.iter().map(|point| point.nodes).max();
    assert_eq!(most, Some(outcome.nodes_max));
}
