//! Programs that know something: run without a shell, for so long, and read up to so much.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::trouble::{Trouble, What, one_line};

/// More than this is no answer.
const LONGEST: u64 = 512 << 20;
/// What is kept of its complaints.
const COMPLAINT: u64 = 4096;

/// What a program prints when it ends well. It dies with whoever waits for it.
pub(super) async fn output(folder: &Path, words: &[String]) -> Result<Vec<u8>, Trouble> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Trouble::new(What::Setup, "there is no program to run"));
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command.process_group(0)).map_err(|error| {
        Trouble::new(What::Setup, format!("{program} cannot be started: {error}"))
    })?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let child = &mut running.child;
    let told = tokio::join!(
        take(child.stdout.take(), LONGEST, &mut out),
        take(child.stderr.take(), COMPLAINT, &mut err),
    );
    let failed = |text: String| Trouble::new(What::Answer, format!("{program} {text}"));
    if let (Err(error), _) | (_, Err(error)) = told {
        return Err(failed(format!("cannot be read: {error}")));
    }
    if u64::try_from(out.len()).is_ok_and(|length| length >= LONGEST) {
        return Err(failed(format!("printed more than {} MiB", LONGEST >> 20)));
    }
    let status = running.end().await.map_err(|error| failed(format!("is lost: {error}")))?;
    if !status.success() {
        let said = one_line(&String::from_utf8_lossy(&err));
        let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
        return Err(failed(format!("ended with {status}: {said}")));
    }
    Ok(out)
}

/// A program with all that it has started.
struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    fn start(command: &mut Command) -> std::io::Result<Self> {
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self { child, group: id.and_then(Pid::from_raw) })
    }

    async fn end(&mut self) -> std::io::Result<std::process::ExitStatus> {
        let status = self.child.wait().await?;
        // The number may be another's from now on.
        self.group = None;
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // Whoever is gone already needs no end.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Reads so much, and to the end of it where what follows is not wanted.
async fn take(
    from: Option<impl AsyncRead + Unpin>,
    most: u64,
    into: &mut Vec<u8>,
) -> std::io::Result<()> {
    let Some(mut from) = from else { return Ok(()) };
    (&mut from).take(most).read_to_end(into).await?;
    if most < LONGEST {
        // A complaint that nobody reads would keep the program from ending.
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    async fn sh(script: &str) -> Result<String, Trouble> {
        let words = ["sh", "-c", script].map(str::to_owned);
        let out = output(Path::new("/"), &words).await?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[tokio::test]
    async fn what_it_prints_counts_only_when_it_ends_well() {
        assert_eq!(sh("echo 3").await, Ok("3\n".to_owned()));
        let trouble = sh("echo 3; echo 'no\n\tway' >&2; exit 7").await.expect_err("code 7");
        assert_eq!(trouble.text, "sh ended with exit status: 7: no way");
        assert_eq!(sh("kill -9 $$").await.map_err(|it| it.what), Err(What::Answer));
        let loud = "yes | head -c 1000000 >&2; echo 1";
        assert_eq!(sh(loud).await, Ok("1\n".to_owned()));
        let missing = output(Path::new("/"), &["no-such-program".to_owned()]).await;
        assert_eq!(missing.map_err(|it| it.what), Err(What::Setup));
        assert_eq!(output(Path::new("/"), &[]).await.map_err(|it| it.what), Err(What::Setup));
    }

    #[tokio::test]
    #[allow(clippy::disallowed_methods)]
    async fn who_is_given_up_ends_with_all_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("mark");
        let script = format!("(sleep 1; touch {}) & sleep 100", mark.display());
        let begin = Instant::now();
        let given_up = tokio::time::timeout(Duration::from_millis(300), sh(&script)).await;
        assert!(given_up.is_err() && begin.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!mark.exists(), "the child of the child went on");
    }
}
