//! A long apply and the autoscaler at once: neither waits for the other, and neither undoes what
//! the other did.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::bench::{Bench, Clock, Running};

fn stack(fixed: u32) -> String {
    format!(
        r#"
stack "beside" {{
  region = "us-east-1"
}}

network "main" {{
  zones = ["a"]
}}

cluster "fixed" {{
  network       = network.main
  instance_type = "c7i.large"
  nodes         = {fixed}
}}

cluster "train" {{
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = {{ min = 0, max = 4 }}

  autoscale {{
    source "program" {{
      command       = ["cat", "depth"]
      tells_running = true
    }}
  }}
}}
"#
    )
}

fn lives(running: &Running) -> bool {
    fs::read_link(Path::new("/proc").join(running.pid().to_string()).join("exe")).is_ok()
}

fn nodes(bench: &Bench) -> usize {
    let found = bench.objects().into_iter().filter(|(name, _)| name.contains("/nodes"));
    found.map(|(_, count)| count).sum()
}

#[test]
fn a_long_apply_does_not_stop_the_autoscaler_and_a_plan_does_not_fight_it() {
    let bench = Bench::new();
    fs::write(bench.path("main.hcl"), stack(0)).unwrap();
    fs::write(bench.path("depth"), "0").unwrap();
    assert_eq!(bench.run(&["apply", "--yes"]).code, Some(0));
    fs::write(bench.path("main.hcl"), stack(1)).unwrap();
    fs::write(bench.path("depth"), "2").unwrap();
    // It waits for half a minute for its node, and holds the ledger's lock meanwhile.
    bench.set("boot_seconds", "30");
    let apply = bench.start(&["apply", "--yes"], Clock::Real);
    apply.wait_for("cluster.fixed");
    let began = Instant::now();
    let once = bench.start(&["autoscale", "once"], Clock::Real).end();
    assert_eq!(once.code, Some(0), "{once:#?}");
    assert!(lives(&apply), "the apply was too short to show anything: {:?}", began.elapsed());
    assert_eq!(nodes(&bench), 3, "{once:#?}");
    let done = apply.end();
    assert!(done.code == Some(0) && began.elapsed() < Duration::from_secs(120), "{done:#?}");
    // What the one launched is nothing that the other would change.
    let plan = bench.run(&["plan", "--detailed-exitcode"]);
    assert_eq!((plan.code, nodes(&bench)), (Some(0), 3), "{plan:#?}");
    // And an apply that changes the cluster leaves its size to the autoscaler.
    fs::write(bench.path("main.hcl"), stack(1).replace("max = 4", "max = 3")).unwrap();
    let again = bench.run(&["apply", "--yes"]);
    assert_eq!((again.code, nodes(&bench)), (Some(0), 3), "{again:#?}");
    let whole = bench.run(&["ledger", "verify"]);
    assert_eq!(whole.code, Some(0), "{whole:#?}");
}
