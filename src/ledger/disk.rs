//! What a ledger in a folder asks of the file system.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::StoreError;
use super::log::io;

/// Begins the names of files that are still being written.
pub(super) const DRAFT: &str = ".draft-";

pub(super) fn length(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io(path, &error)),
    }
}

/// A file that is made if it is absent, for its owner alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false).mode(0o600);
    options
}

pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(path, &error)),
    }
}

pub(super) fn make_dir(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| io(path, &error))
}

pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|dir| dir.sync_all()).map_err(|error| io(folder, &error))
}

/// Writes a whole file so that a crash leaves all of it or nothing.
pub(super) fn write_whole(path: &Path, bytes: &[u8], replace: bool) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_dir(folder)?;
    let fail = |error: std::io::Error| io(path, &error);
    let mut temp = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder).map_err(fail)?;
    temp.write_all(bytes).map_err(fail)?;
    temp.as_file().sync_all().map_err(fail)?;
    if replace {
        temp.persist(path).map_err(|error| fail(error.error))?;
    } else {
        temp.persist_noclobber(path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => StoreError::Exists(path.display().to_string()),
            _ => fail(error.error),
        })?;
    }
    sync_parent(path)
}
