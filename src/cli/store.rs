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

use super::connect::{Session, Side};
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
            Some(backend) => Ok(self.bucket(backend)),
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

    fn bucket(&self, backend: &Backend) -> Box<dyn Store> {
        let objects = self.objects(backend);
        let manners = Manners {
            nonce: dice(),
            lease: Duration::from_secs(backend.lease),
            pace: Arc::new(Steady),
            waiting: Arc::new(waiting),
        };
        Box::new(ObjectStore::new(objects, manners))
    }

    fn objects(&self, backend: &Backend) -> Arc<dyn Objects> {
        let Backend { bucket, folder, .. } = backend;
        match &self.side {
            // What is kept in the simulated world goes with it.
            Side::Sandbox(_) => {
                let world = self.world.clone().unwrap_or_else(|| self.ledger_folder());
                let root = world.join(BUCKETS).join(bucket).join(folder);
                Arc::new(FolderObjects::new(&root, &format!("s3://{bucket}/{folder}")))
            }
            #[cfg(feature = "aws")]
            Side::Aws(aws) => Arc::new(aws.bucket(crate::aws::Shelf {
                bucket: bucket.clone(),
                folder: folder.clone(),
                region: backend.region.clone(),
                account: backend.account.clone(),
                kms_key: backend.kms_key.clone(),
                lease: Duration::from_secs(backend.lease),
            })),
        }
    }

    fn ledger_folder(&self) -> PathBuf {
        self.stack.dir.join(LEDGER)
    }
}
