//! Where the ledger of a stack is: in a folder beside it, or where its `backend` says.

use std::path::PathBuf;

use crate::ledger::{FileStore, Journal, Ledger, MemoryStore, Store};
use crate::stack::Backend;

use super::connect::Session;
use super::halt::Halt;

/// The ledger's folder, beside the stack.
const LEDGER: &str = ".mlinfra";

impl Session {
    /// The store of the ledger, for whoever writes; it is made if it is absent.
    pub fn store(&self) -> Result<Box<dyn Store>, Halt> {
        match &self.stack.config.backend {
            None => Ok(Box::new(FileStore::open(&self.ledger_folder())?)),
            Some(backend) => self.bucket(backend),
        }
    }

    /// The same for whoever only reads: nothing is made, nothing is locked.
    pub fn read_store(&self) -> Result<Box<dyn Store>, Halt> {
        match &self.stack.config.backend {
            None if !self.ledger_folder().exists() => Ok(Box::new(MemoryStore::default())),
            Some(_) | None => self.store(),
        }
    }

    /// The ledger, for reading only.
    pub async fn read_ledger(&self) -> Result<Ledger, Halt> {
        let store = self.read_store()?;
        Ok(Journal::open(&*store, "").await?.ledger)
    }

    fn bucket(&self, backend: &Backend) -> Result<Box<dyn Store>, Halt> {
        let text = format!("bucket {} cannot hold the ledger yet", backend.bucket);
        Err(Halt::one("K003", text, "leave the `backend` block away"))
    }

    fn ledger_folder(&self) -> PathBuf {
        self.stack.dir.join(LEDGER)
    }
}
