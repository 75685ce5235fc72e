//! `mlinfra version`

use serde_json::json;

use super::DONE;
use super::args::Global;
use super::halt::Halt;
use super::terminal::Terminal;

#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub fn run(global: &Global, terminal: &Terminal) -> Result<u8, Halt> {
    let (version, aws) = (env!("CARGO_PKG_VERSION"), cfg!(feature = "aws"));
    if global.json {
        let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
        terminal.json(&json!({ "mlinfra_version": version, "platform": platform, "aws": aws }));
    } else {
        let with = if aws { "" } else { " (without the AWS adapter)" };
        terminal.print(&format!("mlinfra {version}{with}\n"));
    }
    Ok(DONE)
}
