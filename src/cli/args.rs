//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use super::autoscale_args::AutoscaleArgs;
pub use super::catalog_args::{CatalogArgs, UpdateArgs};
pub use super::init_args::InitArgs;
pub use super::node_args::{LogsArgs, NodeArgs, NodesArgs, SshArgs};
pub use super::plan_args::{PlanArgs, ShowArgs};
pub use super::price_args::{CostArgs, OffersArgs};
pub use super::status_args::{StatusArgs, TopArgs};
pub use super::tools::{
    CompletionArgs, DiffEnvArgs, ExplainArgs, LedgerArgs, LedgerCommand, LedgerPlace, ManArgs,
    SandboxArgs, SandboxCommand, SchemaArgs, Shell,
};

/// GPU training clusters and storage on AWS: declared in HCL, planned against the
/// actual cloud, applied without orphans.
#[derive(Debug, Parser)]
#[command(name = "mlinfra", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 a problem, 2 changes are present (drift, plan \
--detailed-exitcode), 3 formatting differs (fmt --check), 130 interrupted. mlinfra sends nothing \
to anybody but the cloud.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "For every command")]
pub struct Global {
    /// Work in this folder instead of the current one.
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    /// Write JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more; twice for the calls to the cloud.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No colours, as NO_COLOR does.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// For screen readers: one fact a line, words for signs, no columns, nothing that moves.
    #[arg(long, global = true, conflicts_with = "json")]
    pub plain: bool,
    /// Use the simulated region in this folder (`.mlinfra-sandbox` beside the stack when
    /// none is named) instead of AWS. MLINFRA_SANDBOX=1 does the same.
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true,
          default_missing_value = "1", env = "MLINFRA_SANDBOX", hide_env_values = true)]
    pub sandbox: Option<String>,
    /// Use the values in env/NAME.hcl; the stack's name ends in -NAME, so that environments
    /// never own each other's objects. MLINFRA_ENV does the same; `--env=` is none of them.
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// Use this profile of the AWS configuration.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Never ask; fail and name the flag that answers. MLINFRA_INPUT=0 does the same.
    #[arg(long, global = true)]
    pub no_input: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a stack by answering questions: priced, valid, and nothing runs before apply.
    Init(InitArgs),
    /// Check the configuration, without asking the cloud.
    Validate(VarArgs),
    /// Bring configuration files into the standard form, comments and all.
    Fmt(FmtArgs),
    /// Show what apply would do, against what the cloud shows now.
    Plan(PlanArgs),
    /// Plan, ask, and change the cloud accordingly.
    Apply(ApplyArgs),
    /// Delete everything that the stack owns.
    Destroy(DestroyArgs),
    /// Make an object that exists the stack's, at an address that is declared.
    Adopt(AdoptArgs),
    /// Make what stands at an address nobody's; it stays in the cloud as it is.
    Forget(ForgetArgs),
    /// Show clusters, nodes, queues, spend and what happened last, what is wrong first.
    Status(StatusArgs),
    /// Show the same on the whole terminal, again and again.
    Top(TopArgs),
    /// Name what others have changed since the last apply; exit with 2 when they have.
    Drift(VarArgs),
    /// Show who applied what and when.
    History(HistoryArgs),
    /// Plan the stack as it was at an earlier apply, ask, and change the cloud accordingly.
    Rollback(RollbackArgs),
    /// Show what the stack owns in the cloud now, or a saved plan.
    Show(ShowArgs),
    /// Show the outputs of the stack.
    Output(OutputArgs),
    /// Look at the ledger, check it, move it between a folder and a bucket.
    Ledger(LedgerArgs),
    /// Show what the stack costs, today, as configured, and with all clusters at their largest.
    Cost(CostArgs),
    /// Show where clusters can run at what price, best first, and what will not do and why.
    Offers(OffersArgs),
    /// Check whether the stack can be applied: credentials, permissions, quotas, images.
    Doctor(VarArgs),
    /// Pin images in mlinfra.lock.hcl to the newest ones.
    Update(UpdateArgs),
    /// Show instance types and prices, and ask AWS for today's.
    Catalog(CatalogArgs),
    /// Resize clusters by the work that waits for them.
    Autoscale(AutoscaleArgs),
    /// Show the nodes of clusters: state, type, zone, market, age, price.
    Nodes(NodesArgs),
    /// Log in to a node, through AWS Systems Manager: no port of it is open.
    Ssh(SshArgs),
    /// Show what a node has written: its console (boot, cloud-init, agent); of a service its journal.
    Logs(LogsArgs),
    /// Run the agent of a node on that node, or a job under it.
    Node(NodeArgs),
    /// Show in what two environments differ.
    DiffEnv(DiffEnvArgs),
    /// Look at the simulated region, change its rules, or act in it as a stranger.
    Sandbox(SandboxArgs),
    /// Print the schema of the language, or of a format that mlinfra writes.
    Schema(SchemaArgs),
    /// Say what the code of a problem means, and what to do; without a code, list all.
    Explain(ExplainArgs),
    /// Print the manual page, or write those of all commands into a folder.
    Man(ManArgs),
    /// Print the version.
    Version,
    /// Print a completion script for a shell.
    Completions(CompletionArgs),
}

impl Command {
    /// The word that was typed.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Validate(_) => "validate",
            Self::Fmt(_) => "fmt",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Destroy(_) => "destroy",
            Self::Adopt(_) => "adopt",
            Self::Forget(_) => "forget",
            Self::Status(_) => "status",
            Self::Top(_) => "top",
            Self::Drift(_) => "drift",
            Self::History(_) => "history",
            Self::Rollback(_) => "rollback",
            Self::Show(_) => "show",
            Self::Output(_) => "output",
            Self::Ledger(_) => "ledger",
            Self::Cost(_) => "cost",
            Self::Offers(_) => "offers",
            Self::Doctor(_) => "doctor",
            Self::Update(_) => "update",
            Self::Catalog(_) => "catalog",
            Self::Autoscale(_) => "autoscale",
            Self::Nodes(_) => "nodes",
            Self::Ssh(_) => "ssh",
            Self::Logs(_) => "logs",
            Self::Node(_) => "node",
            Self::DiffEnv(_) => "diff-env",
            Self::Sandbox(_) => "sandbox",
            Self::Schema(_) => "schema",
            Self::Explain(_) => "explain",
            Self::Man(_) => "man",
            Self::Version => "version",
            Self::Completions(_) => "completions",
        }
    }
}

/// Values for variables.
#[derive(Args, Clone, Debug, Default)]
pub struct VarArgs {
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Set variables from a file of `name = value` lines; later ones win.
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
}

/// `fmt`
#[derive(Args, Debug)]
pub struct FmtArgs {
    /// Write nothing; exit with 3 and name the files that differ.
    #[arg(long)]
    pub check: bool,
    /// Show the differences; without --check the files are written too.
    #[arg(long)]
    pub diff: bool,
    /// Also the files in folders inside it, such as those of modules.
    #[arg(short, long)]
    pub recursive: bool,
    /// Files, or `-` for standard input; every .hcl file of the folder when none is named.
    pub files: Vec<PathBuf>,
}

/// Parts of a plan.
#[derive(Args, Debug, Default)]
pub struct SelectArgs {
    /// Only this, and what it needs: a block, one of its instances or objects, or a module.
    /// May be given several times.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<String>,
    /// Make a successor of this object although it could stay. May be given several times.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "refresh_only")]
    pub replace: Vec<String>,
    /// Change nothing in the cloud: say what others have changed there since the last apply;
    /// `apply` takes that over into the ledger, and the outputs.
    #[arg(long)]
    pub refresh_only: bool,
}

/// `apply`
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// A plan that `mlinfra plan --out` has saved: applied without a question, if it still
    /// holds.
    #[arg(value_name = "PLANFILE", conflicts_with_all = ["targets", "replace", "refresh_only"])]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Launch nodes again where five in a row had failed.
    #[arg(long)]
    pub retry: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// `destroy`
#[derive(Args, Debug)]
pub struct DestroyArgs {
    /// Only this, and what stands on it. May be given several times.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `apply` and `destroy` have in common.
#[derive(Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// Do not ask.
    #[arg(short = 'y', long, visible_alias = "auto-approve")]
    pub yes: bool,
    /// Show which calls were made, and how long they took.
    #[arg(long)]
    pub timings: bool,
}

/// `adopt`
#[derive(Args, Debug)]
pub struct AdoptArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Where it is declared, such as `bucket.data` or `network.main/vpc`.
    pub address: String,
    /// Its id, name or ARN.
    pub id: String,
}

/// `forget`
#[derive(Args, Debug)]
pub struct ForgetArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Where it was declared: a block, one object of it, or a module.
    pub address: String,
}

/// `history`
#[derive(Args, Debug)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
}

/// What can be asked of the history.
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Show everything about one apply.
    Show {
        /// Its number.
        number: u64,
    },
    /// Check that no record was changed or is missing.
    Verify,
}

/// `rollback`
#[derive(Args, Debug)]
pub struct RollbackArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// The number of the apply; `mlinfra history` lists them.
    pub number: u64,
    /// Also when that apply failed or did not end.
    #[arg(long)]
    pub force: bool,
}

/// `output`
#[derive(Args, Debug)]
pub struct OutputArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// Only this one.
    pub name: Option<String>,
    /// A text without quotes, for scripts.
    #[arg(long, requires = "name")]
    pub raw: bool,
    /// As a state document that Terraform's data source `terraform_remote_state` reads.
    #[arg(long, conflicts_with_all = ["name", "raw"])]
    pub terraform_state: bool,
}

/// Flags that Terraform's users write with one dash.
const SINGLE: &[&str] = &[
    "auto-approve",
    "chdir",
    "check",
    "destroy",
    "detailed-exitcode",
    "diff",
    "env",
    "format",
    "json",
    "no-color",
    "out",
    "plain",
    "raw",
    "recursive",
    "refresh-only",
    "replace",
    "target",
    "var",
    "var-file",
    "version",
];

/// Gives those flags their second dash.
pub fn double_dashes(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let fix = |word: OsString| {
        let name = word.to_str().and_then(|text| {
            let rest = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
            let name = rest.split('=').next().unwrap_or(rest);
            SINGLE.contains(&name).then(|| format!("--{rest}"))
        });
        name.map_or(word, OsString::from)
    };
    words.map(fix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraform_s_spelling_is_understood() {
        let words = ["mlinfra", "-chdir=x", "plan", "-detailed-exitcode", "-v", "-var", "a=1", "-"];
        let fixed = double_dashes(words.iter().map(OsString::from));
        let expect =
            ["mlinfra", "--chdir=x", "plan", "--detailed-exitcode", "-v", "--var", "a=1", "-"];
        assert_eq!(fixed, expect);
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
