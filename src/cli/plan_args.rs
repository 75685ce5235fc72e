//! Arguments of the commands that show plans.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{SelectArgs, VarArgs};

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    // For a terminal.
    #[default]
    Text,
    // For programs: the document of `show --json PLANFILE`.
    Json,
    // A comment on a pull request, in Markdown.
    Md,
    // One page that needs nothing else.
    Html,
    // The picture of what needs what.
    Svg,
    // The same for Graphviz.
    Dot,
}

/// How a plan is shown, in every command that shows one.
#[derive(Args, Debug, Default)]
pub struct FormatArgs {
    /// The plan as text, as the document of `show --json PLANFILE`, as a comment on a pull request,
    /// as a page, or as a picture.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_default_value = true,
        conflicts_with = "json"
    )]
    pub format: PlanFormat,
}

/// `plan`
#[derive(Args, Debug)]
pub struct PlanArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Save the plan in this file, for `mlinfra apply FILE`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How long the saved plan may be applied.
    #[arg(long, value_name = "DURATION", default_value = "24h", requires = "out")]
    pub expires: String,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show which calls were made, and how long they took.
    #[arg(long)]
    pub timings: bool,
    /// Plan to delete everything that the stack owns.
    #[arg(long, conflicts_with_all = ["replace", "refresh_only"])]
    pub destroy: bool,
    #[command(flatten)]
    pub shown: FormatArgs,
}

/// `show`
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A plan that `mlinfra plan --out` has saved; or the address of what is to be shown alone,
    /// such as `bucket.data` or `cluster.train/nodes`.
    #[arg(value_name = "PLANFILE|ADDRESS")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub vars: VarArgs,
    #[command(flatten)]
    pub shown: FormatArgs,
}
