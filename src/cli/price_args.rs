//! Arguments of the commands about prices.

use clap::Args;

use crate::model::Place;

use super::args::VarArgs;

/// `cost`
#[derive(Args, Debug)]
pub struct CostArgs {
    #[command(flatten)]
    pub vars: VarArgs,
}

/// `offers`
#[derive(Args, Debug)]
pub struct OffersArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// Only this cluster, such as `cluster.train`.
    pub cluster: Option<Place>,
}
