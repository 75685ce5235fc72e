//! Arguments of the commands that show a stack as it is.

use clap::Args;

use super::args::VarArgs;

/// `status`
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    pub vars: VarArgs,
}

/// `top`
#[derive(Args, Debug)]
pub struct TopArgs {
    #[command(flatten)]
    pub status: StatusArgs,
    /// How often it looks at the cloud.
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub every: String,
}
