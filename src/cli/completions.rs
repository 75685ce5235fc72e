//! `mlinfra completions`

use clap::CommandFactory;
use clap_complete::generate;
use clap_complete::shells;

use super::DONE;
use super::args::{Cli, CompletionArgs, Shell};
use super::halt::Halt;
use super::terminal::Terminal;

#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub fn run(terminal: &Terminal, args: &CompletionArgs) -> Result<u8, Halt> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    match args.shell {
        Shell::Bash => generate(shells::Bash, &mut command, "mlinfra", &mut text),
        Shell::Fish => generate(shells::Fish, &mut command, "mlinfra", &mut text),
        Shell::Zsh => generate(shells::Zsh, &mut command, "mlinfra", &mut text),
    }
    terminal.print(&String::from_utf8_lossy(&text));
    Ok(DONE)
}
