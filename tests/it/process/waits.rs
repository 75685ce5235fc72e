//! `autoscale run` in the simulated region as somebody tries it: before there is anything to
//! launch from, and with nobody who plays its nodes.

use std::fs;
use std::time::Duration;

use super::bench::{Bench, Clock, Done};

/// The manual's own.
const STACK: &str = include_str!("../../../docs/autoscaler.in/main.hcl");

fn fine(bench: &Bench, words: &str) -> Done {
    let args: Vec<&str> = words.split(' ').collect();
    let done = bench.run(&args);
    assert_eq!(done.code, Some(0), "{words}: {done:#?}");
    done
}

#[test]
fn a_service_waits_for_the_first_apply_and_nodes_come_up_and_go_by_themselves() {
    let bench = Bench::new();
    fs::write(bench.path("main.hcl"), STACK).unwrap();
    let args = ["autoscale", "run", "--no-listen", "--every", "60"];
    let service = bench.start(&args, Clock::Jumps);
    service.wait_for("cluster.train/template is not there");
    // Three more looks.
    std::thread::sleep(Duration::from_millis(3500));
    fine(&bench, "apply --yes");
    service.wait_for("cluster.train: is looked after again");
    fine(&bench, "sandbox put queue.jobs 2");
    service.wait_for("launches 2 nodes");
    let (mut text, mut looks) = (String::new(), 0);
    while !text.contains("2 ready") {
        std::thread::sleep(Duration::from_millis(500));
        text = fine(&bench, "status").out;
        looks += 1;
        assert!(looks < 60, "its nodes never come up: {text}");
    }
    assert!(text.contains("No problems are known."), "{text}");
    fine(&bench, "sandbox take queue.jobs 2");
    // Idle for ten minutes of a clock that shows a minute in each second here.
    service.wait_for(": ends ");
    service.signal("TERM");
    let done = service.end();
    assert_eq!(done.code, Some(0), "{done:#?}");
    let said = format!("{}{}", done.out, done.err);
    assert_eq!(said.matches("run `mlinfra apply` first").count(), 1, "said once: {said}");
    assert!(!said.contains("quarantine"), "{said}");
    println!("{said}");
}
