//! Where the ledger of a stack is: in a folder beside it, or where its `backend` says.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{
    FileStore, FolderObjects, Holder, Journal, Ledger, Manners, MemoryStore, ObjectStore, Objects,
    Store,
};
use crate::stack::Backend;

use super::connect::Session;
use super::halt::Halt;
use super::machine::{Steady, dice};

/// The ledger's folder, beside the stack.
const LEDGER: &str = ".mlinfra";
/// The buckets of the simulated world, in its folder.
pub const BUCKETS: &str = "buckets";

/// Says why nothing happens for a while.
fn waiting(holder: &Holder, time: Duration) {
    let text = format!(
        "Locked by {holder}.\nIf there is no sign of it for {} s it is gone, and the lock is taken over.\n",
        time.as_secs()
    );
    // Who cannot be told waits all the same.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

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
        let objects = self.objects(backend)?;
        let manners = Manners {
            nonce: dice(),
            lease: Duration::from_secs(backend.lease),
            pace: Arc::new(Steady),
            waiting: Arc::new(waiting),
        };
        Ok(Box::new(ObjectStore::new(objects, manners)))
    }

    fn objects(&self, backend: &Backend) -> Result<Arc<dyn Objects>, Halt> {
        let Backend { bucket, folder, .. } = backend;
        if let Some(world) = &self.world {
            let root = world.join(BUCKETS).join(bucket).join(folder);
            let place = format!("s3://{bucket}/{folder}");
            return Ok(Arc::new(FolderObjects::new(&root, &place)));
        }
        let text = format!("bucket {bucket} cannot hold the ledger yet");
        Err(Halt::one("K003", text, "leave the `backend` block away"))
    }

    fn ledger_folder(&self) -> PathBuf {
        let folder = self.stack.dir.join(LEDGER);
        match &self.stack.snapshot.env {
            Some(env) => folder.join("env").join(env),
            None => folder,
        }
    }
}
