//! `source "program"`: what a program prints.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;

use crate::model::Moment;

use super::trouble::Trouble;
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};
use super::{answer, process};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    command: Vec<String>,
    #[serde(default)]
    pointer: String,
}

struct Program {
    settings: Settings,
    folder: PathBuf,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let folder = wanted.world.folder.to_owned();
    Ok(Box::new(Program { settings: wanted.settings()?, folder, bounds: wanted.bounds }))
}

#[async_trait]
impl Source for Program {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let out = process::output(&self.folder, &self.settings.command).await?;
        let found = answer::json(&out)?;
        Reading::json(&self.bounds, answer::at(&found, &self.settings.pointer)?, now)
    }
}
