//! `mlinfra ssh`: a session on a node, through AWS Systems Manager.

use std::io::ErrorKind;
use std::process::Command;

use super::args::{Global, SshArgs};
use super::connect::Side;
use super::halt::Halt;
use super::terminal::Terminal;
use super::{DONE, PROBLEM, connect, nodes};

pub fn run(global: &Global, terminal: &Terminal, args: &SshArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    let found = runtime.block_on(nodes::find(global, &args.which))?;
    let region = found.session.facts.home.region.to_string();
    let words = command(found.id.short(), &region, global.profile.as_deref(), args);
    if args.print {
        terminal.print(&format!("{}\n", line(&words)));
        return Ok(DONE);
    }
    match found.session.side {
        Side::Sandbox(_) => {
            let text = "nobody can log in to a simulated node";
            Err(Halt::one("X003", text, "--print shows the command for a real one"))
        }
        #[cfg(feature = "aws")]
        Side::Aws(_) => call(&words),
    }
}

#[cfg_attr(not(feature = "aws"), allow(dead_code))]
pub(super) fn call(words: &[String]) -> Result<u8, Halt> {
    let Some((program, rest)) = words.split_first() else { return Ok(PROBLEM) };
    match Command::new(program).args(rest).status() {
        Ok(status) => Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(PROBLEM)),
        Err(error) => {
            let help = match error.kind() {
                ErrorKind::NotFound => {
                    "install the AWS CLI and its Session Manager plugin, or see --print"
                }
                _ => "`mlinfra ssh --print` shows the command",
            };
            Err(Halt::one("X002", format!("{program}: {error}"), help))
        }
    }
}

/// `aws ssm start-session …`
pub(super) fn session(target: &str, region: &str, profile: Option<&str>) -> Vec<String> {
    let mut words = ["aws", "ssm", "start-session", "--target", target, "--region", region]
        .map(str::to_owned)
        .to_vec();
    let profile = profile.map(|profile| ["--profile", profile]).into_iter().flatten();
    words.extend(profile.map(str::to_owned));
    words
}

/// The words of a command as one line for a shell.
pub(super) fn line(words: &[String]) -> String {
    words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ")
}

/// `aws ssm start-session …`, or `ssh` through it.
fn command(id: &str, region: &str, profile: Option<&str>, args: &SshArgs) -> Vec<String> {
    let session = |target: &str| session(target, region, profile);
    let Some(user) = &args.user else { return session(id) };
    let mut proxy: Vec<String> = session("%h").iter().map(|word| shell(word)).collect();
    proxy.push("--document-name AWS-StartSSHSession --parameters portNumber=%p".to_owned());
    let mut words = vec!["ssh".to_owned(), "-o".to_owned()];
    words.push(format!("ProxyCommand={}", proxy.join(" ")));
    // What stands in front of the host is an option: a user that begins with a dash is none.
    words.extend(["-l".to_owned(), user.clone(), "--".to_owned(), id.to_owned()]);
    words.extend(args.words.iter().cloned());
    words
}

/// A word as a shell reads it back.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
