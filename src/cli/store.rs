//! Where the ledger of a stack is: in a folder beside it, or where its `backend` says.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{
    FileStore, FolderObjects, Holder, Journal, Ledger, Manners, MemoryStore, ObjectStore, Objects,
    Store,
};
use crate::model::{Problem, Severity, Sources};
use crate::stack::Backend;

use super::connect::{Session, Side};
use super::halt::Halt;
use super::machine::{Steady, dice};

/// The ledger's folder, beside the stack.
const LEDGER: &str = ".mlinfra";
/// What the lock of a stack is called.
pub const SCOPE: &str = "stack";
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
        match self.bucket_store() {
            None => self.file_store(),
            Some(store) => Ok(store),
        }
    }

    /// The same for whoever only reads: nothing is made, nothing is locked.
    pub fn read_store(&self) -> Result<Box<dyn Store>, Halt> {
        match self.bucket_store() {
            None if !self.ledger_folder().exists() => Ok(Box::new(MemoryStore::default())),
            None => self.file_store(),
            Some(store) => Ok(store),
        }
    }

    /// The ledger, for reading only.
    pub async fn read_ledger(&self) -> Result<Ledger, Halt> {
        let store = self.read_store()?;
        Ok(Journal::open(&*store, "").await?.ledger)
    }

    /// Where the ledger is kept, for people.
    pub fn ledger_place(&self) -> String {
        match &self.stack.config.backend {
            Some(Backend { bucket, folder, .. }) => format!("s3://{bucket}/{folder}"),
            None => self.folder_place(),
        }
    }

    /// The folder beside the stack, for people.
    pub fn folder_place(&self) -> String {
        let folder = self.ledger_folder();
        folder.strip_prefix("./").unwrap_or(&folder).display().to_string()
    }

    /// The store in the folder beside the stack; it is made if it is absent.
    pub fn file_store(&self) -> Result<Box<dyn Store>, Halt> {
        Ok(Box::new(FileStore::open(&self.ledger_folder())?))
    }

    /// The store that the stack's `backend` names.
    pub fn bucket_store(&self) -> Option<Box<dyn Store>> {
        let backend = self.stack.config.backend.as_ref()?;
        let manners = Manners {
            nonce: dice(),
            lease: Duration::from_secs(backend.lease),
            pace: Arc::new(Steady),
            waiting: Arc::new(waiting),
        };
        Some(Box::new(ObjectStore::new(self.objects(backend), manners)))
    }

    /// What stands beside the stack while an empty ledger in a bucket is in force: its
    /// history, and perhaps calls whose end is not known.
    pub async fn left_behind(&self, ledger: &Ledger) -> Option<Problem> {
        if self.stack.config.backend.is_none()
            || !ledger.is_blank()
            || !self.ledger_folder().exists()
        {
            return None;
        }
        let store = self.file_store().ok()?;
        let journal = Journal::open(&*store, "").await.ok()?;
        if journal.ledger.is_blank() {
            return None;
        }
        let (here, there) = (self.folder_place(), self.ledger_place());
        let text = format!("the ledger in {there} is empty, and the one in {here} is not");
        let help = format!(
            "`mlinfra ledger migrate --from file` moves it there; to do without its history,\n\
             move {here} away"
        );
        Some(Problem::warning("K003", text).help(help))
    }

    /// Refuses to begin anew while a history stands beside the stack.
    pub async fn nothing_left_behind(&self, ledger: &Ledger) -> Result<(), Halt> {
        match self.left_behind(ledger).await {
            Some(left) => {
                let left = Problem { severity: Severity::Error, ..left };
                Err(Halt::of(vec![left], &Sources::default()))
            }
            None => Ok(()),
        }
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
        let folder = self.stack.dir.join(LEDGER);
        match &self.stack.snapshot.env {
            Some(env) => folder.join("env").join(env),
            None => folder,
        }
    }
}
