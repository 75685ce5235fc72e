//! Arguments of the commands about the autoscaler.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::model::Place;

use super::args::VarArgs;
use super::simulate_args::SimulateArgs;

/// `autoscale`
#[derive(Args, Debug)]
pub struct AutoscaleArgs {
    #[command(subcommand)]
    pub command: AutoscaleCommand,
}

/// What can be done with the autoscaler.
#[derive(Debug, Subcommand)]
pub enum AutoscaleCommand {
    /// Resize clusters as their queues fill and empty, until told to stop.
    Run(RunArgs),
    /// Look at clusters once and do what follows: for timers and pipelines.
    Once(OnceArgs),
    /// Show who decides, what was decided last, and what is paused.
    Status(WhichArgs),
    /// Show why each cluster has the nodes that it has, and what becomes of its jobs.
    Explain(WhichArgs),
    /// Leave clusters as they are until somebody resumes.
    Pause(PauseArgs),
    /// Resize clusters again.
    Resume(WhichArgs),
    /// Replay what was once submitted: what it would have cost, and who would have waited.
    Simulate(SimulateArgs),
}

/// Which clusters.
#[derive(Args, Clone, Debug)]
pub struct WhichArgs {
    /// The cluster, such as `cluster.train`; all that are resized when none is named.
    pub cluster: Option<Place>,
    #[command(flatten)]
    pub vars: VarArgs,
}

/// `autoscale run`
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub which: WhichArgs,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub every: u32,
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// Where the service answers.
#[derive(Args, Debug)]
#[command(next_help_heading = "Health, metrics and page")]
pub struct ListenArgs {
    /// Answer at this address. Another than this machine's own needs a token or certificates.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9464",
        conflicts_with = "no_listen"
    )]
    pub listen: Option<SocketAddr>,
    /// Answer nowhere.
    #[arg(long)]
    pub no_listen: bool,
    /// The file with the token that whoever asks must show; MLINFRA_AUTOSCALE_TOKEN may hold it,
    /// too.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The service's certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The authorities whose certificates whoever asks must show.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
}

/// `autoscale once`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 nothing was to be done, or was done; 1 a problem; 2 something \
would be done (--dry-run)."
)]
pub struct OnceArgs {
    #[command(flatten)]
    pub which: WhichArgs,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

/// `autoscale pause`
#[derive(Args, Debug)]
pub struct PauseArgs {
    #[command(flatten)]
    pub which: WhichArgs,
    /// Why, for whoever wonders.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Resume by itself after this time, such as 2h.
    #[arg(long = "for", value_name = "TIME")]
    pub until: Option<String>,
}
