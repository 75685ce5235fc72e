//! A ledger in a folder beside the stack.
//!
//! Whole files are written to a temporary file, synced, renamed, and the folder synced:
//! a crash leaves the old content or the new, never a part. The keys of one journal
//! stand in one append-only file, and are removed together. Nobody else may read or
//! write the folder. One writer at a time holds `.guard` for the length of one write, so
//! that "create only" and "replace only what was read" hold between processes too, also
//! for one that never had the lock or has lost it.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    /// How many bytes of the file are whole records.
    good: u64,
    /// How long the file was when it was read: another length means another writer.
    seen: u64,
    records: BTreeMap<String, Vec<u8>>,
}

/// Files of the store's own, which hold no key: the guard and drafts of whole files.
const OWN: char = '.';
const GUARD: &str = ".guard";
const DRAFT: &str = ".draft-";
const LOCK: &str = "lock-";

impl FileStore {
    /// Opens the folder and makes it if it is absent. A folder that others may write to
    /// is refused: whoever can change a ledger can make mlinfra repeat any call.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let look = || fs::symlink_metadata(root);
        let meta = match look() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_dir(root)?;
                look()
            }
            found => found,
        };
        let meta = meta.map_err(|error| io(root, &error))?;
        let problem = if meta.is_symlink() {
            "it is a symbolic link: remove it, and put the folder itself here".to_owned()
        } else if !meta.is_dir() {
            "it is a file where the ledger's folder belongs: move it away".to_owned()
        } else if meta.mode() & 0o022 != 0 {
            format!("others may write to it: run `chmod 700 {}`", root.display())
        } else {
            return Ok(Self { root: root.to_owned(), journals: Mutex::default() });
        };
        Err(StoreError::Io { place: root.display().to_string(), problem })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn lock_of(&self, scope: &str) -> PathBuf {
        self.root.join(format!("{LOCK}{}", scope.replace('/', "-")))
    }

    /// `journal/<serial>/<seq>` → the file of that serial.
    fn journal_of(&self, key: &str) -> Option<PathBuf> {
        let serial = key.strip_prefix("journal/")?.split('/').next()?;
        Some(self.root.join("journal").join(format!("{serial}.log")))
    }

    /// What a journal holds, read again when its file has another length.
    fn with_journal<T>(
        &self,
        path: &Path,
        act: impl FnOnce(&mut Journal) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let length = length(path)?;
        let journal = journals.entry(path.to_owned()).or_default();
        if journal.seen != length {
            let contents = log::read(path)?;
            let records = contents.records.into_iter().map(|r| (r.key, r.bytes)).collect();
            *journal = Journal { good: contents.good, seen: contents.length, records };
        }
        act(journal)
    }

    /// Does one write while nobody else writes. The folder itself is not made again: a
    /// ledger that was taken away under a running apply must stop it.
    fn guarded<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let path = self.root.join(GUARD);
        let guard = private().open(&path).map_err(|error| io(&path, &error))?;
        guard.lock().map_err(|error| io(&path, &error))?;
        act()
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(path) = self.journal_of(key) {
            return self.with_journal(&path, |journal| Ok(journal.records.get(key).cloned()));
        }
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path, &error)),
        }
    }

    fn append(&self, path: &Path, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        if let Some(folder) = path.parent() {
            make_dir(folder)?;
        }
        self.unless_shrunk(path, key)?;
        self.with_journal(path, |journal| {
            if journal.records.contains_key(key) {
                return Err(StoreError::Exists(key.to_owned()));
            }
            let first = journal.good == 0;
            journal.good = log::append(path, journal.good, key, bytes)?;
            journal.seen = journal.good;
            journal.records.insert(key.to_owned(), bytes.to_vec());
            if first {
                sync_parent(path)?;
            }
            Ok(Version::of(bytes))
        })
    }

    /// A journal only grows. One that is shorter than what this process has seen of it is
    /// another one: the ledger was removed or replaced meanwhile.
    fn unless_shrunk(&self, path: &Path, key: &str) -> Result<(), StoreError> {
        let journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        match journals.get(path) {
            Some(journal) if length(path)? < journal.good => Err(StoreError::Lost(key.to_owned())),
            Some(_) | None => Ok(()),
        }
    }

    /// Every file of the folder, as a path below it, in no order.
    fn files(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let mut todo = vec![String::new()];
        while let Some(below) = todo.pop() {
            let folder = self.root.join(&below);
            let fail = |error: std::io::Error| io(&folder, &error);
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(fail(error)),
            };
            for entry in entries {
                let entry = entry.map_err(fail)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                let folder = entry.file_type().map_err(fail)?.is_dir();
                if folder { &mut todo } else { &mut found }.push(path);
            }
        }
        Ok(found)
    }

    /// Drafts that a process left when it died. Whoever writes holds the guard, so that
    /// none of them is still being written.
    fn sweep(&self) -> Result<(), StoreError> {
        let files = self.files()?.into_iter();
        for draft in files.filter(|path| base(path).starts_with(DRAFT)) {
            remove(&self.path(&draft))?;
        }
        Ok(())
    }
}

/// The name of a file without its folder.
fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn length(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io(path, &error)),
    }
}

/// A file that is made if it is absent, for its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false).mode(0o600);
    options
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(path, &error)),
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

#[derive(Debug)]
struct FileLock {
    /// The lock goes with the open file: also when the process dies.
    file: Mutex<Option<File>>,
}

impl FileLock {
    fn let_go(&self) {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The next holder writes its name after it has the lock: until then none is better
        // than the last one's. If it fails, only that is worse.
        drop(file.map(|file| file.set_len(0)));
    }
}

#[async_trait]
impl Lock for FileLock {
    async fn release(&self) -> Result<(), StoreError> {
        self.let_go();
        Ok(())
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Who holds a lock file. Its holder writes that right after it took the lock, so that it
/// may take a moment.
fn holder(path: &Path) -> Holder {
    for _ in 0..20 {
        let told = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(holder) = told {
            return holder;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Holder {
        who: "another process".to_owned(),
        pid: 0,
        doing: "?".to_owned(),
        since: "?".to_owned(),
    }
}

#[async_trait]
impl Store for FileStore {
    async fn get(&self, key: &str) -> Result<Option<Blob>, StoreError> {
        Ok(self.read(key)?.map(|bytes| Blob { version: Version::of(&bytes), bytes }))
    }

    async fn create_new(&self, key: &str, bytes: &[u8]) -> Result<Version, StoreError> {
        self.guarded(|| match self.journal_of(key) {
            Some(path) => self.append(&path, key, bytes),
            None => {
                write_whole(&self.path(key), bytes, false)?;
                Ok(Version::of(bytes))
            }
        })
    }

    async fn replace_if(
        &self,
        key: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Version, StoreError> {
        self.guarded(|| match self.read(key)? {
            Some(old) if Version::of(&old) == *version => {
                write_whole(&self.path(key), bytes, true)?;
                Ok(Version::of(bytes))
            }
            Some(_) | None => Err(StoreError::Lost(key.to_owned())),
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        for file in self.files()? {
            if base(&file).starts_with(OWN) || file.starts_with(LOCK) {
                continue;
            }
            let serial = file.strip_prefix("journal/").and_then(|name| name.strip_suffix(".log"));
            let Some(serial) = serial else {
                keys.push(file);
                continue;
            };
            let head = format!("journal/{serial}/");
            if head.starts_with(prefix) || prefix.starts_with(&head) {
                self.with_journal(&self.path(&file), |journal| {
                    keys.extend(journal.records.keys().cloned());
                    Ok(())
                })?;
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.guarded(|| match self.journal_of(key) {
            // Records of a journal go together, once the state holds what they said.
            Some(path) => {
                self.journals.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
                remove(&path)
            }
            None => remove(&self.path(key)),
        })
    }

    async fn holder(&self, scope: &str) -> Result<Option<Holder>, StoreError> {
        let path = self.lock_of(scope);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(&path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder(&path))),
            Err(TryLockError::Error(error)) => Err(io(&path, &error)),
        }
    }

    async fn unlock(&self, scope: &str) -> Result<bool, StoreError> {
        match self.holder(scope).await? {
            Some(holder) => Err(StoreError::Held(Box::new(holder))),
            None => Ok(false),
        }
    }

    async fn lock(&self, scope: &str, who: &Holder) -> Result<Arc<dyn Lock>, StoreError> {
        let path = self.lock_of(scope);
        let fail = |error: std::io::Error| io(&path, &error);
        let file = private().open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Held(Box::new(holder(&path)))),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let text = serde_json::to_vec(who).unwrap_or_default();
        file.set_len(0).and_then(|()| (&file).write_all(&text)).map_err(fail)?;
        let lock = FileLock { file: Mutex::new(Some(file)) };
        self.guarded(|| self.sweep())?;
        Ok(Arc::new(lock))
    }
}
