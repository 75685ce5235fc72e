//! The command line of the commands around the main job: ledger, environments, sandbox,
//! schemas, completions.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::args::VarArgs;

/// `ledger`
#[derive(Args, Debug)]
pub struct LedgerArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// What can be done with a ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show what it remembers, and who holds its lock.
    Show,
    /// Check every state and record; exit with 1 and name the last good point if any is
    /// damaged or missing.
    Verify,
    /// Free the lock of a process that is gone. One that lives keeps it.
    Unlock {
        /// Do not ask.
        #[arg(short = 'y', long, visible_alias = "auto-approve")]
        yes: bool,
    },
    /// Fold the journal into the state now.
    Compact,
    /// Move it into the bucket of the stack's `backend`, or from there back beside the stack.
    Migrate {
        /// Where it is now.
        #[arg(long)]
        from: LedgerPlace,
    },
}

/// Where a ledger can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LedgerPlace {
    /// `.mlinfra/` beside the stack.
    File,
    /// The bucket of the stack's `backend`.
    S3,
}

/// `diff-env`
#[derive(Args, Debug)]
pub struct DiffEnvArgs {
    #[command(flatten)]
    pub vars: VarArgs,
    /// One environment: the name of a file in env/.
    pub from: String,
    /// The other.
    pub to: String,
    /// Exit with 2 when their objects differ.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `sandbox`
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// The region to look at; the stack's when none is named.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    #[command(subcommand)]
    pub command: SandboxCommand,
}

/// What can be done to the simulated region.
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Show its rules, its time and what it holds.
    Status,
    /// Begin anew with an empty world.
    Reset,
    /// Change a rule, such as `capacity.p5.48xlarge@us-east-1a 0`.
    Set {
        /// Which rule; `status` lists them.
        key: String,
        /// Its value.
        value: String,
    },
    /// Change a field of an object, as somebody else with rights in the account would.
    Edit {
        /// The object: its id, name, or address.
        object: String,
        /// The field, as `mlinfra show --json` names it.
        field: String,
        /// Its value, as JSON.
        value: String,
    },
    /// Set a tag of an object, as somebody else would: mlinfra's own (`mlinfra:address`), too.
    Tag {
        /// The object: its id, name, or address.
        object: String,
        /// The tag.
        key: String,
        /// Its value; without one the tag goes.
        value: Option<String>,
    },
    /// Let the cloud give an object up.
    Fail {
        /// The object: its id, name, or address.
        object: String,
        /// In the cloud's words.
        text: String,
    },
    /// Make an object without our tags, as somebody else would.
    Create {
        /// Its kind, as `mlinfra show --json` names it.
        kind: String,
        /// Its fields, as JSON.
        fields: String,
        /// A tag; may be given several times.
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
    },
    /// Delete an object, as somebody else would.
    Delete {
        /// The object: its id, name, or address.
        object: String,
    },
    /// Put objects into a bucket, or messages into a queue.
    Put {
        /// The bucket or queue: its name or address.
        bucket: String,
        /// How many.
        #[arg(default_value_t = 1)]
        count: u64,
    },
    /// Take messages out of a queue, as workers would, or objects out of a bucket.
    Take {
        /// The queue or bucket: its name or address.
        from: String,
        /// How many; as many as there are, where there are fewer.
        #[arg(default_value_t = 1)]
        count: u64,
    },
}

/// `schema`
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of what: `language`, or a format that `mlinfra schema --list` names.
    #[arg(default_value = "language")]
    pub name: String,
    /// The language as a page for people instead of JSON Schema.
    #[arg(long)]
    pub markdown: bool,
    /// Name all that there is a schema of.
    #[arg(long, conflicts_with_all = ["name", "markdown"])]
    pub list: bool,
}

/// `explain`
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The code, such as L012.
    pub code: Option<String>,
}

/// `man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder, which is made where there is none;
    /// without it the main page is printed (`mlinfra man | man -l -` shows it).
    pub dir: Option<PathBuf>,
    /// Print all commands as one page for people instead.
    #[arg(long, conflicts_with = "dir")]
    pub markdown: bool,
}

/// `completions`
#[derive(Args, Debug)]
pub struct CompletionArgs {
    /// The shell.
    pub shell: Shell,
}

/// A shell.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// fish
    Fish,
    /// zsh
    Zsh,
}
