//! `source "slurm"`: what `squeue --json` tells, of this machine or over ssh.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;

use crate::model::Moment;

use super::trouble::{Trouble, What};
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};
use super::{process, squeue};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    partitions: Vec<String>,
    ssh: Option<String>,
    #[serde(default = "squeue")]
    squeue: String,
}

fn squeue() -> String {
    "squeue".to_owned()
}

struct Slurm {
    words: Vec<String>,
    partitions: Vec<String>,
    folder: PathBuf,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let settings: Settings = wanted.settings()?;
    Ok(Box::new(Slurm {
        words: words(&settings),
        partitions: settings.partitions,
        folder: wanted.world.folder.to_owned(),
        bounds: wanted.bounds,
    }))
}

/// Without the variable Slurm cuts the tasks of a job array after 64 characters, and the rest
/// of them would not count (<https://slurm.schedmd.com/squeue.html>, `SLURM_BITSTR_LEN`).
fn words(settings: &Settings) -> Vec<String> {
    let here = ["env", "SLURM_BITSTR_LEN=0", &settings.squeue, "--json"];
    match &settings.ssh {
        None => here.map(str::to_owned).to_vec(),
        Some(host) => {
            // The other side's shell takes it apart again.
            let quoted = format!("'{}'", settings.squeue.replace('\'', "'\\''"));
            let there = format!("env SLURM_BITSTR_LEN=0 {quoted} --json");
            let ssh = ["ssh", "-T", "-o", "BatchMode=yes", "--", host.as_str(), &there];
            ssh.map(str::to_owned).to_vec()
        }
    }
}

#[async_trait]
impl Source for Slurm {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let out = process::output(&self.folder, &self.words).await.map_err(denied)?;
        squeue::read(&out, &self.partitions, &self.bounds, now)
    }
}

/// ssh says in words what its exit code does not.
fn denied(trouble: Trouble) -> Trouble {
    let said = |word: &str| trouble.text.contains(word);
    let what = if said("Permission denied") || said("Host key verification failed") {
        What::Denied
    } else if said("Unable to contact slurm controller") || said("Connection refused") {
        What::Unreachable
    } else {
        trouble.what
    };
    Trouble { what, ..trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_gets_one_line_that_nobody_can_break_out_of() {
        let of = |json| serde_json::from_value::<Settings>(json).expect("settings");
        let here = words(&of(serde_json::json!({})));
        assert_eq!(here, ["env", "SLURM_BITSTR_LEN=0", "squeue", "--json"]);
        let there = words(&of(serde_json::json!({ "ssh": "ops@head", "squeue": "/a';reboot;'" })));
        assert_eq!(there[..6], ["ssh", "-T", "-o", "BatchMode=yes", "--", "ops@head"]);
        assert_eq!(there[6], "env SLURM_BITSTR_LEN=0 '/a'\\'';reboot;'\\''' --json");
    }
}
