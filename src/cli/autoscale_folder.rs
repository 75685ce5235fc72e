//! The stack that `mlinfra autoscale run` serves: read again when a file of it has changed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;

use crate::model::Place;
use crate::serve::autoscale::{Reader, World};

use super::args::{Global, VarArgs};
use super::autoscale_args::WhichArgs;
use super::fleet_world::FleetWorld;
use super::halt::Halt;
use super::load;

/// A stack in a folder, read again when a file of it has changed.
pub struct Folder {
    global: Global,
    vars: VarArgs,
    only: Option<Place>,
    seen: Mutex<Option<Vec<Trace>>>,
    first: Mutex<Option<FleetWorld>>,
}

/// A file, how long it is, and when it was written.
type Trace = (PathBuf, u64, Option<SystemTime>);

impl Folder {
    /// The stack in the folder where the command runs.
    pub fn new(global: &Global, which: &WhichArgs) -> Self {
        let WhichArgs { cluster, vars } = which.clone();
        let seen = Mutex::new(Some(traces(&load::folder(global))));
        Self { global: global.clone(), vars, only: cluster, seen, first: Mutex::default() }
    }

    /// Reads it.
    pub async fn world(&self) -> Result<FleetWorld, Halt> {
        FleetWorld::read(&self.global, &self.vars, self.only.as_ref()).await
    }

    /// What was read already is given out first.
    pub fn put(&self, world: FleetWorld) {
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(world);
    }
}

#[async_trait(?Send)]
impl Reader for Folder {
    async fn read(&self) -> Result<Box<dyn World>, String> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(world) = first {
            return Ok(Box::new(world));
        }
        // Prices, reservations and the account's zones change although no file does.
        match self.world().await {
            Ok(world) => Ok(Box::new(world)),
            Err(halt) => {
                let texts: Vec<String> = halt.problems.into_iter().map(|it| it.summary).collect();
                Err(texts.join("; "))
            }
        }
    }

    fn has_changed(&self) -> bool {
        let now = traces(&load::folder(&self.global));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = seen.as_ref() != Some(&now);
        *seen = Some(now);
        changed
    }
}

/// The configuration files of a folder, and of the folders in it, which may be modules.
fn traces(folder: &Path) -> Vec<Trace> {
    let mut found = Vec::new();
    let mut todo = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = todo.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, meta) = (entry.path(), entry.metadata());
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let Ok(meta) = meta else { continue };
            if meta.is_dir() && !hidden && depth < 4 {
                todo.push((path, depth + 1));
            } else if meta.is_file() && path.extension().is_some_and(|it| it == "hcl") {
                found.push((path, meta.len(), meta.modified().ok()));
            }
        }
    }
    found.sort();
    found
}
