//! A ledger in a folder beside the stack.
//!
//! Whole files are written to a temporary file, synced, renamed, and the folder synced:
//! a crash leaves the old content or the new, never a part. The keys of one journal
//! stand in one append-only file. Nobody else may read or write the folder.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::log::{self, io};
use super::{Blob, Holder, Lock, Store, StoreError, Version};

/// A ledger in a folder.
#[derive(Debug)]
pub struct FileStore {
    root: PathBuf,
    /// How much of each journal file is good, once it was read.
    journals: Mutex<BTreeMap<PathBuf, Journal>>,
}

#[derive(Debug, Default, Clone)]
struct Journal {
    good: u64,
    records: BTreeMap<String, Vec<u8>>,
}

impl FileStore {
    /// Opens the folder and makes it if it is absent. A folder that others may write to
    /// is refused: whoever can change a ledger can make mlinfra repeat any call.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        make_dir(root)?;
        let meta = fs::symlink_metadata(root).map_err(|error| io(root, &error))?;
        let problem = if !meta.is_dir() {
            Some("it is not a folder (a symbolic link is refused too)")
        } else if meta.mode() & 0o022 != 0 {
            Some("others may write to it: run `chmod 700` on it")
        } else {
            None
        };
        match problem {
            Some(problem) => Err(StoreError::Io {
                place: root.display().to_string(),
                problem: problem.to_owned(),
            }),
            None => Ok(Self { root: root.to_owned(), journals: Mutex::default() }),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// `journal/<serial>/<seq>` → the file of that serial.
    fn journal_of(&self, key: &str) -> Option<PathBuf> {
        let serial = key.strip_prefix("journal/")?.split('/').next()?;
        Some(self.root.join("journal").join(format!("{serial}.log")))
    }

    fn with_journal<T>(
        &self,
        path: &Path,
        act: impl FnOnce(&mut Journal) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        if !journals.contains_key(path) {
            let contents = log::read(path)?;
            let records = contents.records.into_iter().map(|r| (r.key, r.bytes)).collect();
            journals.insert(path.to_owned(), Journal { good: contents.good, records });
        }
        let journal = journals.entry(path.to_owned()).or_default();
        act(journal)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(path) = self.journal_of(key) {
            return self.with_journal(&path, |journal| Ok(journal.records.get(key).cloned()));
        }
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path, &error)),
        }
    }

    fn append(&self, path: &Path, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        if let Some(folder) = path.parent() {
            make_dir(folder)?;
        }
        self.with_journal(path, |journal| {
            if journal.records.contains_key(key) {
                return Err(StoreError::Exists(key.to_owned()));
            }
            let first = journal.good == 0;
            journal.good = log::append(path, journal.good, key, bytes)?;
            journal.records.insert(key.to_owned(), bytes.to_vec());
            if first {
                sync_parent(path)?;
            }
            Ok(Version::of(bytes))
        })
    }
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| io(path, &error))
}

fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|dir| dir.sync_all()).map_err(|error| io(folder, &error))
}

/// Writes a whole file so that a crash leaves all of it or nothing.
fn write_whole(path: &Path, bytes: &[u8], replace: bool) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_dir(folder)?;
    let fail = |error: std::io::Error| io(path, &error);
    let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    temp.write_all(bytes).map_err(fail)?;
    temp.as_file().sync_all().map_err(fail)?;
    if replace {
        temp.persist(path).map_err(|error| fail(error.error))?;
    } else {
        temp.persist_noclobber(path).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists(path.display().to_string()),
            _ => fail(error.error),
        })?;
    }
    sync_parent(path)
}

#[derive(Debug)]
struct FileLock {
    /// The lock goes with the open file: also when the process dies.
    _file: File,
}

impl Lock for FileLock {}

#[async_trait]
impl Store for FileStore {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        Ok(self.read(key)?.map(|bytes| Blob { version: Version::of(&bytes), bytes }))
    }

    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        if let Some(path) = self.journal_of(key) {
            return self.append(&path, key, bytes);
        }
        write_whole(&self.path(key), bytes, false)?;
        Ok(Version::of(bytes))
    }

    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        match self.read(key)? {
            Some(old) if Version::of(&old) == *version => {
                write_whole(&self.path(key), bytes, true)?;
                Ok(Version::of(bytes))
            }
            Some(_) | None => Err(StoreError::Lost(key.to_owned())),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if let Some(path) = self.journal_of(prefix) {
            return self.with_journal(&path, |journal| {
                Ok(journal.records.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
            });
        }
        let (folder, _) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let mut keys = Vec::new();
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Ok(keys) };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if key.starts_with(prefix) {
                keys.push(key);
            }
        }
        keys.sort();
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let path = match self.journal_of(key) {
            // Records of a journal go together, once the state holds what they said.
            Some(path) => {
                self.journals.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
                path
            }
            None => self.path(key),
        };
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io(&path, &error)),
        }
    }

    async fn lock(&self, scope: &str, holder: &Holder) -> Result<Box<dyn Lock>, StoreError> {
        let path = self.root.join(format!("lock-{}", scope.replace('/', "-")));
        let fail = |error: std::io::Error| io(&path, &error);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(fail)?;
                let unknown = Holder {
                    who: "another process".to_owned(),
                    pid: 0,
                    doing: "?".to_owned(),
                    since: "?".to_owned(),
                };
                let other = serde_json::from_str(&text).unwrap_or(unknown);
                return Err(StoreError::Held(Box::new(other)));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let text = serde_json::to_vec(holder).unwrap_or_default();
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
        file.write_all(&text).map_err(fail)?;
        Ok(Box::new(FileLock { _file: file }))
    }
}
