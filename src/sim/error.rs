//! What can go wrong with the region itself, as opposed to what it simulates.

use std::path::{Path, PathBuf};

/// Why the region cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A setting that does not exist, or a value that it does not take.
    #[error("{0}")]
    Setting(String),
    /// Something that a foreign hand cannot do.
    #[error("{0}")]
    Foreign(String),
    /// The world's file holds what no version of mlinfra wrote.
    #[error("{}, line {line}: {why}. `mlinfra sandbox reset` starts a new world.", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The file system refused.
    #[error("{}: {why}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// In its words.
        why: std::io::Error,
    },
}

impl SimError {
    /// Names the file that an error of the file system concerns.
    pub(super) fn io(file: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_owned();
        move |why| Self::Io { file, why }
    }
}
