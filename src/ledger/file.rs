//! A ledger in a folder beside the stack.
//!
//! Whole files are written to a temporary file, synced, renamed, and the folder synced:
//! a crash leaves the old content or the new, never a part. The keys of one journal
//! stand in one append-only file, and are removed together. Nobody else may read or
//! write the folder. One writer at a time holds `.guard` for the length of one write, so
//! that "create only" and "replace only what was read" hold between processes too, also
//! for one that never had the lock or has lost it.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::disk::{DRAFT, length, make_dir, private, remove, sync_parent, write_whole};
use super::log::{self, io};
use super::{Blob, Holder, Lock, LockStatus, Store, StoreError, Version};

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
    records: BTreeMap<String, Content>,
}

/// What a record holds.
#[derive(Debug, Clone)]
enum Content {
    /// As it was read.
    Bytes(Vec<u8>),
    /// As it was written by this process, which hardly ever asks for it.
    At(log::Place),
}

/// Files of the store's own, which hold no key: the guard and drafts of whole files.
const OWN: char = '.';
const GUARD: &str = ".guard";
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
            let records = contents.records.into_iter();
            let records = records.map(|r| (r.key, Content::Bytes(r.bytes))).collect();
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
            return self.with_journal(&path, |journal| match journal.records.get(key) {
                None => Ok(None),
                Some(Content::Bytes(bytes)) => Ok(Some(bytes.clone())),
                Some(Content::At(place)) => log::at(&path, *place).map(Some),
            });
        }
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path, &error)),
        }
    }

    /// Appends records to one journal, all with one write.
    fn append(&self, path: &Path, records: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let Some((first, _)) = records.first() else { return Ok(()) };
        if let Some(folder) = path.parent() {
            make_dir(folder)?;
        }
        self.unless_shrunk(path, first)?;
        self.with_journal(path, |journal| {
            let mut keys = records.iter().map(|(key, _)| key);
            if let Some(taken) = keys.find(|key| journal.records.contains_key(*key)) {
                return Err(StoreError::Exists(taken.clone()));
            }
            let new = journal.good == 0;
            let (good, places) = log::append(path, journal.good, records)?;
            (journal.good, journal.seen) = (good, good);
            for ((key, _), place) in records.iter().zip(places) {
                journal.records.insert(key.clone(), Content::At(place));
            }
            if new { sync_parent(path) } else { Ok(()) }
        })
    }

    /// Journals whose keys may stand at or behind a first one.
    fn is_behind(head: &str, first: &str) -> bool {
        first.rfind('/').is_none_or(|end| *head >= first[..=end])
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
                // The ledgers of environments stand in this one's folder and are not of it.
                if folder && path == "env" {
                    continue;
                }
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

#[derive(Debug)]
struct FileLock {
    /// The lock goes with the open file: also when the process dies.
    file: Mutex<Option<File>>,
}

impl FileLock {
    /// Unlocked by word, since closing is not enough: a child that another thread is about to
    /// start has the file open, too, until it becomes another program.
    fn let_go(&self) {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The next holder writes its name after it has the lock: until then none is better
        // than the last one's. If it fails, only that is worse.
        drop(file.map(|file| file.set_len(0).and_then(|()| file.unlock())));
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
            Some(path) => {
                self.append(&path, &[(key.to_owned(), bytes.to_vec())])?;
                Ok(Version::of(bytes))
            }
            None => {
                write_whole(&self.path(key), bytes, false)?;
                Ok(Version::of(bytes))
            }
        })
    }

    async fn create_all(&self, records: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let paths: Vec<_> = records.iter().map(|(key, _)| self.journal_of(key)).collect();
        match paths.first() {
            Some(Some(path)) if paths.iter().all(|other| other.as_ref() == Some(path)) => {
                self.guarded(|| self.append(path, records))
            }
            Some(_) | None => {
                for (key, bytes) in records {
                    self.create_new(key, bytes).await?;
                }
                Ok(())
            }
        }
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
        self.list_from(prefix, "").await
    }

    async fn list_from(&self, prefix: &str, first: &str) -> Result<Vec<String>, StoreError> {
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
            // A journal that is not asked for is not read: it can be long.
            let asked = head.starts_with(prefix) || prefix.starts_with(&head);
            if asked && Self::is_behind(&head, first) {
                self.with_journal(&self.path(&file), |journal| {
                    keys.extend(journal.records.keys().cloned());
                    Ok(())
                })?;
            }
        }
        keys.retain(|key| key.starts_with(prefix) && key.as_str() >= first);
        keys.sort();
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        // Most records of a journal have gone with its first.
        if self.journal_of(key).is_some_and(|path| length(&path) == Ok(0)) {
            return Ok(());
        }
        self.guarded(|| match self.journal_of(key) {
            // Records of a journal go together, once the state holds what they said.
            Some(path) => {
                self.journals.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
                remove(&path)
            }
            None => remove(&self.path(key)),
        })
    }

    async fn look_at_lock(&self, scope: &str) -> Result<LockStatus, StoreError> {
        let path = self.lock_of(scope);
        let free = LockStatus::default();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(free),
            Err(error) => return Err(io(&path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map(|()| free).map_err(|error| io(&path, &error)),
            Err(TryLockError::WouldBlock) => Ok(LockStatus { holder: Some(holder(&path)), ..free }),
            Err(TryLockError::Error(error)) => Err(io(&path, &error)),
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
