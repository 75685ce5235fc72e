//! Arguments of the commands about nodes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::model::Place;
use crate::serve::node::imds;

use super::args::VarArgs;

/// `node`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct NodeArgs {
    #[command(subcommand)]
    pub command: Option<NodeCommand>,
    #[command(flatten)]
    pub place: NodePlace,
    /// The instance metadata service.
    #[arg(long, value_name = "URL", default_value = imds::HOME,
          env = "AWS_EC2_METADATA_SERVICE_ENDPOINT", hide_env_values = true)]
    pub metadata: String,
    /// How often to look for a drain mark, notices and jobs.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub every: f64,
    /// What powers a drained node off.
    #[arg(long, value_name = "COMMAND", default_value = "systemctl poweroff")]
    pub power_off: String,
    /// What a recommendation to rebalance means to jobs: SIGTERM, or only a note.
    #[arg(long, value_enum, default_value_t = Rebalance::Terminate)]
    pub on_rebalance: Rebalance,
    /// What looks whether the machine is still good. It gets the argument `watch`; when it fails
    /// twice in a row the node is unhealthy for the reason that its last line gives.
    #[arg(long, value_name = "PROGRAM", default_value = "/usr/local/lib/mlinfra/check")]
    pub check: PathBuf,
    /// How often it looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub check_every: f64,
    /// Tag the instance by this program, which gets KEY=VALUE arguments, instead of AWS's API.
    #[arg(long, value_name = "PROGRAM")]
    pub tag_with: Option<PathBuf>,
}

/// Where the agent and its jobs meet.
#[derive(Args, Clone, Debug)]
pub struct NodePlace {
    /// The agent's folder.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/run/mlinfra",
        env = "MLINFRA_RUN",
        hide_env_values = true
    )]
    pub dir: PathBuf,
}

/// What else `node` can do.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Run a command as a job: the node is busy as long as it runs. It gets SIGTERM when the
    /// machine is to be taken back; the file in $MLINFRA_NOTICE says why and when. Exits as
    /// the command does, or with 75 when no job may begin here.
    Run {
        #[command(flatten)]
        place: NodePlace,
        /// What the job is called in `mlinfra nodes`: a tag, in which no secret may stand. Without
        /// it, by its program and script.
        #[arg(long)]
        name: Option<String>,
        /// The command.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// What a recommendation to rebalance means to jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rebalance {
    /// They get SIGTERM, and no other begins.
    Terminate,
    /// They can read it.
    Note,
}

/// `nodes`
#[derive(Args, Debug)]
pub struct NodesArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// Only this cluster, such as `cluster.train`.
    pub cluster: Option<Place>,
}

/// Which node.
#[derive(Args, Debug)]
pub struct WhichNode {
    #[command(flatten)]
    pub vars: VarArgs,
    /// The node: its id, the beginning of it, or a cluster that has just one.
    pub node: String,
}

/// `ssh`
#[derive(Args, Debug)]
pub struct SshArgs {
    #[command(flatten)]
    pub which: WhichNode,
    /// Log in by SSH as this user, through AWS Systems Manager; the user's key must be known on
    /// the node (`access` in the cluster). Without it the session is Systems Manager's own.
    #[arg(long, short = 'l')]
    pub user: Option<String>,
    /// Print the command, and do not run it.
    #[arg(long)]
    pub print: bool,
    /// What to run there, instead of a shell.
    #[arg(last = true, requires = "user")]
    pub words: Vec<String>,
}

/// `logs`
#[derive(Args, Debug)]
pub struct LogsArgs {
    #[command(flatten)]
    pub which: WhichNode,
    /// The console also of a machine of a service, of which the journal is shown otherwise.
    #[arg(long)]
    pub console: bool,
    /// The journal of this systemd unit, such as `mlinfra-node` (the agent), through AWS Systems
    /// Manager.
    #[arg(long, conflicts_with = "console")]
    pub unit: Option<String>,
    /// Print the command that reads the journal, and do not run it.
    #[arg(long, conflicts_with = "console")]
    pub print: bool,
}
