//! From a queue to nodes and back, with real processes: the service, agents, workers and jobs.
//! The service is killed again and again, an agent too, and a machine is lost with its job.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Plays it; every word of it is printed.
fn play(place: &str) {
    let peers = std::env::var_os("MLINFRA_PEERS").map(PathBuf::from).expect("MLINFRA_PEERS is set");
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer");
    let status = Command::new(peers.join("bin/python"))
        .arg(peer.join("fleet.py"))
        .arg(env!("CARGO_BIN_EXE_mlinfra"))
        .arg(peer.join("fleet/main.hcl"))
        .arg(place)
        .status()
        .expect("Python starts");
    assert!(status.success(), "{place}: {status}; MLINFRA_SEED repeats the times of this run");
}

/// In the simulated region, with a ledger in its S3.
#[test]
#[ignore = "needs boto3 and some minutes: run `make test`"]
fn every_job_of_a_simulated_queue_runs_whatever_is_killed() {
    play("sandbox");
}

/// Through the real SDK, against the emulator's EC2, SQS and S3.
#[cfg(feature = "aws")]
#[test]
#[ignore = "needs moto and boto3: run `make test`"]
fn every_job_of_an_sqs_queue_runs_whatever_is_killed() {
    play("moto");
}
