//! Floor 9: the commands, one file each.
//!
//! The only room that wires things together, reads the environment, asks the clock and
//! writes to the terminal. Problems of every other room get their hints here.

mod adopt;
mod advise;
mod apply;
mod args;
mod ask;
mod autoscale;
mod autoscale_args;
mod autoscale_folder;
mod cache;
mod catalog;
mod catalog_args;
mod closing;
mod completions;
mod connect;
mod cost;
mod destroy;
mod diff_env;
mod doctor;
mod doctor_checks;
mod doctor_limits;
mod doctor_quota;
mod drift;
mod environment;
mod explain;
mod fleet_lock;
mod fleet_world;
mod fmt;
mod forget;
mod halt;
mod hand;
mod help;
mod hints;
mod history;
mod init;
mod init_args;
mod init_choose;
mod init_files;
mod init_ledger;
mod init_look;
mod init_next;
mod init_notes;
mod init_person;
mod ledger;
mod listen;
mod live;
mod load;
mod logs;
mod machine;
mod man;
mod node;
mod node_args;
mod nodes;
mod offers;
mod order;
mod output;
mod overview;
mod plan;
mod plan_args;
mod planfile;
mod price_args;
mod queues;
mod report;
mod rollback;
mod sandbox;
mod schema;
mod seek;
mod select;
mod show;
mod signing;
mod simulate;
mod simulate_args;
mod simulate_cluster;
mod site;
mod ssh;
mod status;
mod status_args;
mod store;
mod tell;
mod terminal;
mod tools;
mod top;
mod update;
mod usage;
mod validate;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Command};
use halt::Halt;
use terminal::Terminal;

/// Nothing wrong.
const DONE: u8 = 0;
/// A problem.
const PROBLEM: u8 = 1;
/// Changes are present (`plan --detailed-exitcode`).
const CHANGES: u8 = 2;
/// Formatting differs.
const DIFFERS: u8 = 3;
/// Interrupted.
const INTERRUPTED: u8 = 130;

/// Runs the program.
pub fn main() -> ExitCode {
    let words = usage::asked_for_help(args::double_dashes(std::env::args_os()));
    let command = Cli::command().override_help(help::TEXT);
    let read = command.try_get_matches_from(&words);
    let cli = match read.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage::tell(&error, &words)),
    };
    let terminal = Terminal::detect(&cli.global);
    terminal.trace(&cli.global);
    let code = match run(&cli, &terminal) {
        Ok(code) => code,
        Err(halt) => terminal.halt(&signing::explain(halt, &cli.global)),
    };
    ExitCode::from(code)
}

fn run(cli: &Cli, terminal: &Terminal) -> Result<u8, Halt> {
    let global = &cli.global;
    let _span = tracing::info_span!("command", verb = cli.command.verb()).entered();
    match &cli.command {
        Command::Init(args) => init::run(global, terminal, args),
        Command::Validate(args) => validate::run(global, terminal, args),
        Command::Fmt(args) => fmt::run(global, terminal, args),
        Command::Plan(args) => plan::run(global, terminal, args),
        Command::Apply(args) => apply::run(global, terminal, args),
        Command::Destroy(args) => destroy::run(global, terminal, args),
        Command::Adopt(args) => adopt::run(global, terminal, args),
        Command::Forget(args) => forget::run(global, terminal, args),
        Command::Status(args) => status::run(global, terminal, args),
        Command::Top(args) => top::run(global, terminal, args),
        Command::Drift(args) => drift::run(global, terminal, args),
        Command::History(args) => history::run(global, terminal, args),
        Command::Rollback(args) => rollback::run(global, terminal, args),
        Command::Show(args) => show::run(global, terminal, args),
        Command::Output(args) => output::run(global, terminal, args),
        Command::Ledger(args) => ledger::run(global, terminal, args),
        Command::Cost(args) => cost::run(global, terminal, args),
        Command::Offers(args) => offers::run(global, terminal, args),
        Command::Doctor(args) => doctor::run(global, terminal, args),
        Command::Update(args) => update::run(global, terminal, args),
        Command::Catalog(args) => catalog::run(global, terminal, args),
        Command::Autoscale(args) => autoscale::run(global, terminal, &args.command),
        Command::Nodes(args) => nodes::run(global, terminal, args),
        Command::Ssh(args) => ssh::run(global, terminal, args),
        Command::Logs(args) => logs::run(global, terminal, args),
        Command::Node(args) => node::run(terminal, args),
        Command::DiffEnv(args) => diff_env::run(global, terminal, args),
        Command::Sandbox(args) => sandbox::run(global, terminal, args),
        Command::Schema(args) => schema::run(global, terminal, args),
        Command::Explain(args) => explain::run(global, terminal, args),
        Command::Man(args) => man::run(terminal, args),
        Command::Version => version::run(global, terminal),
        Command::Completions(args) => completions::run(terminal, args),
    }
}
