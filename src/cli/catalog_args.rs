//! The command line of `catalog` and `update`.

use clap::{Args, Subcommand};

use super::args::VarArgs;

/// `catalog`
#[derive(Args, Debug)]
pub struct CatalogArgs {
    #[command(subcommand)]
    pub command: CatalogCommand,
}

/// What can be done with the catalogue.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Show instance types: hardware, prices and zones, each with its day and source.
    Show {
        /// Only this one, such as `p5.48xlarge`.
        #[arg(value_name = "TYPE", conflicts_with = "accelerator")]
        name: Option<String>,
        /// Only those with these accelerators, as in a cluster: `H100:8`, `H100`.
        #[arg(long, value_name = "NEED")]
        accelerator: Option<String>,
        #[command(flatten)]
        at: RegionArg,
    },
    /// Ask AWS what the region sells today, and at what price; plan, offers and cost use it
    /// from then on.
    Refresh {
        #[command(flatten)]
        at: RegionArg,
    },
    /// Take what `refresh` has written away again, of all regions or of one.
    Clear {
        #[command(flatten)]
        at: RegionArg,
    },
}

/// Which region.
#[derive(Args, Debug)]
pub struct RegionArg {
    /// The region; the stack's when none is named.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// `update`
#[derive(Args, Debug)]
pub struct UpdateArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// Only these: names of images as the configuration says them, or clusters such as
    /// `cluster.train`; every image when none is named.
    #[arg(value_name = "IMAGE|ADDRESS")]
    pub images: Vec<String>,
    /// Show what would move, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}
