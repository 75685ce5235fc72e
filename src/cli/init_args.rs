//! Arguments of `init`.

use std::path::PathBuf;

use clap::Args;

/// `init`
#[derive(Args, Debug, Default)]
pub struct InitArgs {
    /// Start from a stack that mlinfra ships; `--list` shows them.
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Show the stacks to start from, and the keys of all questions.
    #[arg(long)]
    pub list: bool,
    /// Take answers from a file of `key = value` lines; flags win.
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Answer a question. May be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What the stack is called.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The AWS region.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The GPU, such as `H100`; `memory` for any with enough.
    #[arg(long, value_name = "GPU")]
    pub gpu: Option<String>,
    /// How many GPUs in each node.
    #[arg(long, value_name = "NUMBER")]
    pub gpus: Option<String>,
    /// How many nodes.
    #[arg(long, value_name = "NUMBER")]
    pub nodes: Option<String>,
    /// Ask nothing: take defaults, and name every answer that has none.
    #[arg(long)]
    pub non_interactive: bool,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
    /// Make the bucket of the ledger without asking.
    #[arg(short = 'y', long)]
    pub yes: bool,
}

impl InitArgs {
    /// The answers that have flags of their own.
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let all = [
            ("name", &self.name),
            ("region", &self.region),
            ("gpu", &self.gpu),
            ("gpus", &self.gpus),
            ("nodes", &self.nodes),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}
