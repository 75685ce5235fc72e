//! The agent's folder: how the boot went, which jobs run, whether another may begin.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::decide::{Boot, Job};
use crate::cloud::{Notice, NoticeKind};

/// The exit code of a job that may not begin here: somewhere else it may.
pub const TRY_ELSEWHERE: u8 = 75;

fn closed(dir: &Path) -> PathBuf {
    dir.join("closed")
}

fn jobs(dir: &Path) -> PathBuf {
    dir.join("jobs")
}

/// Writes a file that readers see whole or not at all.
fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().ok_or_else(|| Error::other("a file in no folder"))?;
    fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut new, text.as_bytes())?;
    // Jobs of other users read it.
    use std::os::unix::fs::PermissionsExt as _;
    new.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn gone_is_fine(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// How the boot went, as its script has written it down.
pub fn boot(dir: &Path) -> Boot {
    let text = fs::read_to_string(dir.join("boot")).unwrap_or_default();
    let mut lines = text.lines();
    match lines.next() {
        Some("ready") => Boot::Good,
        Some("unhealthy") => Boot::Failed(lines.next().unwrap_or_default().to_owned()),
        Some(_) | None => Boot::Underway,
    }
}

fn pid(number: i32) -> Option<Pid> {
    // 1 is the machine itself.
    (number > 1).then(|| Pid::from_raw(number)).flatten()
}

/// Somebody else's process is alive as well.
fn is_alive(process: Pid) -> bool {
    !matches!(test_kill_process(process), Err(rustix::io::Errno::SRCH))
}

/// The owner of a job's file is root or the owner of its process.
fn may_signal(file: &Path, process: Pid) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| fs::symlink_metadata(path).ok().map(|found| found.uid());
    let of_process = owner(&Path::new("/proc").join(process.as_raw_nonzero().to_string()));
    match (owner(file), of_process) {
        (Some(0), _) => true,
        (Some(file), Some(process)) => file == process,
        (Some(_), None) | (None, _) => false,
    }
}

/// The jobs that run. One whose process has ended is none any more, and its file goes.
pub fn running(dir: &Path) -> Vec<Job> {
    let mut found = Vec::new();
    for entry in fs::read_dir(jobs(dir)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        // Those being written.
        if !file || name.starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let number = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
        let process = number.and_then(pid);
        if process.is_some_and(|process| !is_alive(process)) {
            // Who cannot remove it sees it again.
            let _ = fs::remove_file(entry.path());
            continue;
        }
        // Who may write here must not have us signal what is not theirs.
        let theirs = process.filter(|process| may_signal(&entry.path(), *process));
        let title = text.lines().nth(1).unwrap_or_default().trim().to_owned();
        found.push(Job { name, pid: theirs.and(number), title });
    }
    found.sort();
    found
}

/// No job may begin any more.
pub fn close(dir: &Path, why: &str) -> Result<()> {
    write(&closed(dir), &format!("{why}\n"))
}

/// Jobs may begin again.
pub fn open(dir: &Path) -> Result<()> {
    gone_is_fine(fs::remove_file(closed(dir)))
}

/// Writes down what the cloud has announced, for jobs to read.
pub fn notice(dir: &Path, notice: &Notice) -> Result<()> {
    let kind = match notice.kind {
        NoticeKind::Interruption => "interruption",
        NoticeKind::Rebalance => "rebalance",
        NoticeKind::BlockEnd => "capacity-block-end",
    };
    write(&dir.join("notice"), &format!("{}\n", json!({ "kind": kind, "time": notice.time })))
}

/// Asks a job to save what it has, and to end.
pub fn terminate(job: &Job) -> Result<()> {
    let Some(process) = job.pid.and_then(pid) else { return Ok(()) };
    match kill_process(process, Signal::TERM) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A job's file; it goes with this value.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What people call a job that has no name: its program, and what that runs. Its other words
/// may hold what nobody else is to read, and the title becomes a tag.
fn title(words: &[String]) -> String {
    let base = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let script = |word: &&String| {
        [".py", ".sh"].iter().any(|end| word.ends_with(end)) && !word.contains('=')
    };
    let rest = words.get(1..).unwrap_or_default();
    let names = words.first().into_iter().chain(rest.iter().find(script));
    names.map(base).collect::<Vec<_>>().join(" ")
}

/// Runs a command as a job of this node: the node is busy as long as it runs. Its exit code
/// is the command's; [`TRY_ELSEWHERE`] when no job may begin here.
pub async fn work(dir: &Path, name: Option<&str>, words: &[String]) -> Result<u8> {
    let Some((program, rest)) = words.split_first() else {
        return Err(Error::other("a job is a command"));
    };
    let own = std::process::id();
    let file = File(jobs(dir).join(own.to_string()));
    let title = name.map_or_else(|| title(words), str::to_owned).replace(['\n', '\r'], " ");
    // First we are a job, then we look whether we may: the agent does it the other way round.
    write(&file.0, &format!("{own}\n{title}\n"))?;
    if closed(dir).exists() {
        return Ok(TRY_ELSEWHERE);
    }
    // Before the job is: a signal in between must not leave it alone.
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut child = Command::new(program)
        .args(rest)
        .env("MLINFRA_NOTICE", dir.join("notice"))
        .spawn()
        .map_err(|error| Error::new(error.kind(), format!("{program}: {error}")))?;
    if let Some(process) = child.id() {
        write(&file.0, &format!("{process}\n{title}\n"))?;
    }
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            Some(()) = term.recv() => pass(&child, Signal::TERM),
            Some(()) = int.recv() => pass(&child, Signal::INT),
        }
    };
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// What we are told, the job is told.
fn pass(child: &Child, signal: Signal) {
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(pid);
    if let Some(process) = process {
        // It has just ended, then.
        let _ = kill_process(process, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_a_file_whose_process_lives() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(running(dir.path()), []);
        let own = i32::try_from(std::process::id()).expect("a pid");
        write(&jobs(dir.path()).join("a"), &format!("{own}\ntrain\n")).expect("written");
        write(&jobs(dir.path()).join("slurm-17"), "").expect("written");
        let mut ended = std::process::Command::new("true").spawn().expect("it starts");
        let dead = jobs(dir.path()).join("dead");
        write(&dead, &format!("{}\n", ended.id())).expect("written");
        ended.wait().expect("it ends");
        let named = |name: &str, pid, title: &str| Job {
            name: name.to_owned(),
            pid,
            title: title.to_owned(),
        };
        let job = |name: &str, pid| named(name, pid, "");
        let both = [named("a", Some(own), "train"), job("slurm-17", None)];
        assert_eq!(running(dir.path()), both);
        assert!(!dead.exists());
        // Somebody else's process gets no signal of ours.
        if std::os::unix::fs::chown(jobs(dir.path()).join("a"), Some(65534), None).is_ok() {
            assert_eq!(running(dir.path())[0], named("a", None, "train"));
            std::fs::remove_file(jobs(dir.path()).join("a")).expect("it goes");
        }
        // Nobody is asked to end who is the machine, or everybody.
        for text in ["1", "0", "-1", "-7"] {
            write(&jobs(dir.path()).join("a"), text).expect("written");
            assert_eq!(running(dir.path())[0], job("a", None), "{text}");
        }
    }

    #[test]
    fn a_job_is_called_by_its_program_and_never_by_its_secrets() {
        let title = |line: &str| title(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(title("/usr/bin/python3 -u src/train.py --key=s3cr3t"), "python3 train.py");
        assert_eq!(title("torchrun --nproc 8 train.py --token s3cr3t"), "torchrun train.py");
        assert_eq!(title("sh -c s3cr3t"), "sh");
        assert_eq!(title("curl --data=s3cr3t.py x"), "curl");
    }

    #[test]
    fn the_boot_s_word_is_read() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(boot(dir.path()), Boot::Underway);
        let said = |text: &str| {
            fs::write(dir.path().join("boot"), text).expect("written");
            boot(dir.path())
        };
        assert_eq!(said("booting\n\n"), Boot::Underway);
        assert_eq!(said("ready\n\n"), Boot::Good);
        assert_eq!(
            said("unhealthy\ncheck: 3 of 4 GPUs\n"),
            Boot::Failed("check: 3 of 4 GPUs".into())
        );
    }
}
