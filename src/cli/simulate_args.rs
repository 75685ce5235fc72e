//! Arguments of a replay of what was once submitted.

use std::path::PathBuf;

use clap::Args;

use crate::model::Place;

use super::args::VarArgs;

/// `autoscale simulate`
#[derive(Args, Debug)]
#[command(after_help = "The trace is CSV with the columns submit_s, duration_s, gpus and, where \
known, nodes, priority and queue, in any order. Without --policy ours stands beside its peers; with \
--json it stands alone.

Policies: ours, all, reference, karpenter, cluster-autoscaler, ray, parallelcluster, determined, \
dstack, keda=JOBS, hpa=JOBS (jobs per node), idle=MINUTES, spare=NODES, adaptive=PERCENT, \
static=NODES. The peers' are our reading of what they document, not the products.

Faults: refuse=RATE (launches that the cloud refuses), boot=RATE (nodes that never finish their \
boot), lost=RATE (nodes lost in an hour of their life), seed=NUMBER; such as \
refuse=0.1,boot=0.02,lost=0.001.")]
pub struct SimulateArgs {
    /// The jobs; `-` reads them from standard input.
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// Take nodes, prices and settings from this cluster of the stack; its schedules are left out.
    #[arg(long, value_name = "ADDRESS")]
    pub cluster: Option<Place>,
    #[command(flatten)]
    pub vars: VarArgs,
    /// Accelerators of a node: 8, or the cluster's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub gpus_per_node: Option<u32>,
    /// The most nodes: 400, or the cluster's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_nodes: Option<u32>,
    /// What a node costs per hour, in dollars.
    #[arg(long, value_name = "USD")]
    pub price: Option<String>,
    /// From the request of a node to its first job: 300s, or the cluster's.
    #[arg(long, value_name = "DURATION")]
    pub boot: Option<String>,
    /// When how many spot nodes can be had: JSON as of skypilot-org/spot-traces, or CSV as of
    /// Bamboo. Beyond that nodes are on demand.
    #[arg(long, value_name = "FILE")]
    pub spot: Option<PathBuf>,
    /// What a spot node costs per hour, in dollars.
    #[arg(long, value_name = "USD", requires = "spot")]
    pub spot_price: Option<String>,
    /// What goes wrong, by rate; see below.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    pub faults: String,
    /// The policies to compare; see below.
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// How much is paid so that nobody waits: cheapest, balanced, fastest, or 0 to 100; balanced,
    /// or the cluster's.
    #[arg(long, value_name = "TARGET")]
    pub latency_target: Option<String>,
    /// How many nodes ours keeps ready in any case: 0, or the cluster's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub spare: Option<u32>,
    /// Write a page with charts into this file; it works offline.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}
