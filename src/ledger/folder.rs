//! A bucket of the simulated world: files in a folder, with the conditions of an object
//! store. One process at a time holds `.guard` for the length of one write.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::objects::{Miss, Objects};
use super::{Blob, Version};

/// Objects in a folder. Nothing is made before the first write.
#[derive(Clone, Debug)]
pub struct FolderObjects {
    root: PathBuf,
    place: String,
}

const GUARD: &str = ".guard";
const DRAFT: &str = ".draft";

fn refused(path: &Path, error: &std::io::Error) -> Miss {
    Miss::Refused(format!("{}: {error}", path.display()))
}

impl FolderObjects {
    /// The objects in a folder, under the name that people are told.
    pub fn new(root: &Path, place: &str) -> Self {
        Self { root: root.to_owned(), place: place.to_owned() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn read(&self, key: &str) -> Result<Option<Blob>, Miss> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Blob { version: Version::of(&bytes), bytes })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(&path, &error)),
        }
    }

    fn guarded<T>(&self, act: impl FnOnce() -> Result<T, Miss>) -> Result<T, Miss> {
        let path = self.root.join(GUARD);
        let fail = |error: std::io::Error| refused(&path, &error);
        fs::create_dir_all(&self.root).map_err(fail)?;
        let mut options = OpenOptions::new();
        let guard = options.create(true).write(true).truncate(false).open(&path).map_err(fail)?;
        guard.lock().map_err(fail)?;
        act()
    }

    /// A whole file or nothing, also when the process dies. (A machine that dies takes the
    /// simulated world with it.)
    fn put(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        let path = self.path(key);
        let fail = |error: std::io::Error| refused(&path, &error);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(fail)?;
        let draft = self.root.join(DRAFT);
        File::create(&draft).and_then(|mut file| file.write_all(bytes)).map_err(fail)?;
        fs::rename(&draft, &path).map_err(fail)?;
        Ok(Version::of(bytes))
    }

    fn walk(&self, below: &str, found: &mut Vec<String>) -> Result<(), Miss> {
        let folder = self.path(below);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(refused(&folder, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| refused(&folder, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let key = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.path().is_dir() {
                self.walk(&key, found)?;
            } else {
                found.push(key);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Objects for FolderObjects {
    fn place(&self) -> String {
        self.place.clone()
    }

    async fn get(&self, key: &str) -> Result<Option<Blob>, Miss> {
        self.read(key)
    }

    async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<Version, Miss> {
        self.guarded(|| match self.read(key)? {
            Some(_) => Err(Miss::Condition),
            None => self.put(key, bytes),
        })
    }

    async fn put_if(&self, key: &str, bytes: &[u8], version: &Version) -> Result<Version, Miss> {
        self.guarded(|| match self.read(key)? {
            Some(now) if now.version == *version => self.put(key, bytes),
            Some(_) | None => Err(Miss::Condition),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), Miss> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(refused(&path, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Miss> {
        let mut found = Vec::new();
        // Only the folders that the prefix names whole, or that begin with it.
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.walk(folder, &mut found)?;
        found.retain(|key| key.starts_with(prefix) && !key.starts_with('.'));
        found.sort();
        Ok(found)
    }
}
