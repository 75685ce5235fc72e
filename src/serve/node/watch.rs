//! Whether a machine that has come up stays good: the boot check again, every now and then.
//!
//! What the driver reports (Xid, ECC, a GPU that is lost) comes while jobs run, and they may
//! outlive it: they are never ended by this. The node says that it is unhealthy, takes no
//! other job, and stays so until it is booted again, for what has failed once is not trusted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::decide::Boot;
use super::jobs;

/// How a machine is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The check: its last line is the reason when it fails. It gets `watch` as its argument,
    /// and leaves out what would disturb a job.
    pub program: PathBuf,
    /// How often.
    pub every: Duration,
}

/// So many failures in a row are believed: a driver may be busy once.
const BELIEVED: u32 = 2;
/// A check that does not end is a driver that does not answer. It may be slow under load, so
/// more patience is due.
const STUCK: u32 = 3;
/// A check takes this long at most.
const PATIENCE: Duration = Duration::from_secs(45);

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// All is well.
    Good,
    /// Something is not.
    Bad(String),
    /// It did not end.
    Slow,
    /// It cannot be run, and tells nothing.
    Absent(String),
}

/// What the checks have said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    bad: u32,
    slow: u32,
    fault: Option<String>,
}

impl Pulse {
    /// Takes in one more.
    pub fn takes(&mut self, beat: &Beat) {
        match beat {
            Beat::Good => (self.bad, self.slow) = (0, 0),
            Beat::Bad(_) => self.bad += 1,
            Beat::Slow => self.slow += 1,
            Beat::Absent(_) => {}
        }
        let found = match beat {
            Beat::Bad(why) if self.bad >= BELIEVED => Some(format!("watch: {why}")),
            Beat::Slow if self.slow >= STUCK => {
                Some("watch: the driver does not answer".to_owned())
            }
            Beat::Bad(_) | Beat::Slow | Beat::Good | Beat::Absent(_) => None,
        };
        if self.fault.is_none() {
            self.fault = found;
        }
    }

    /// What has failed.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

/// What is known by now, for whoever decides.
pub type Known = Arc<Mutex<Pulse>>;

/// What has failed so far.
pub fn fault(known: &Known) -> Option<String> {
    let pulse = known.lock().unwrap_or_else(PoisonError::into_inner);
    pulse.fault().map(str::to_owned)
}

impl Watch {
    /// Checks for ever, once the boot is over; beside the agent's own looks, which must not
    /// wait for a driver.
    pub async fn attend(&self, dir: PathBuf, known: Known, say: &(dyn Fn(&str) + Sync)) {
        let mut said = false;
        loop {
            sleep(self.every).await;
            if jobs::boot(&dir) != Boot::Good {
                continue;
            }
            let beat = self.beat().await;
            if let (Beat::Absent(why), false) = (&beat, said) {
                say(&format!("the machine is not watched: {why}"));
                said = true;
            }
            known.lock().unwrap_or_else(PoisonError::into_inner).takes(&beat);
        }
    }

    async fn beat(&self) -> Beat {
        let mut command = Command::new(&self.program);
        // One that hangs in the driver must not pile up.
        let running = command.arg("watch").kill_on_drop(true).output();
        match timeout(PATIENCE.min(self.every.max(Duration::from_secs(1))), running).await {
            Err(_) => Beat::Slow,
            Ok(Err(error)) => Beat::Absent(format!("{}: {error}", self.program.display())),
            Ok(Ok(output)) if output.status.success() => Beat::Good,
            Ok(Ok(output)) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
                Beat::Bad(last.unwrap_or("the check fails and says nothing").to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(beats: &[Beat]) -> Option<String> {
        let mut pulse = Pulse::default();
        beats.iter().for_each(|beat| pulse.takes(beat));
        pulse.fault().map(str::to_owned)
    }

    #[test]
    fn one_bad_check_is_not_believed_and_what_is_believed_stays() {
        let bad = || Beat::Bad("reboot after Xid 79".to_owned());
        assert_eq!(after(&[bad()]), None);
        assert_eq!(after(&[bad(), Beat::Good, bad()]), None);
        let fault = Some("watch: reboot after Xid 79".to_owned());
        assert_eq!(after(&[bad(), bad()]), fault);
        assert_eq!(after(&[bad(), bad(), Beat::Good, Beat::Good]), fault);
        assert_eq!(after(&[bad(), Beat::Absent(String::new()), bad()]), fault);
        let stuck = Some("watch: the driver does not answer".to_owned());
        assert_eq!(after(&[Beat::Slow, Beat::Slow]), None);
        assert_eq!(after(&[Beat::Slow, Beat::Slow, Beat::Slow]), stuck);
    }
}
