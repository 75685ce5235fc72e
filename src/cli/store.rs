//! Where the ledger of a stack is: in a folder beside it, or where its `backend` says.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{
    FileStore, FolderObjects, Holder, Journal, Ledger, Manners, MemoryStore, ObjectStore, Objects,
    Store,
};
use crate::model::{Address, Problem, Severity, Sources};
use crate::stack::Backend;

use super::connect::{Session, Side};
use super::halt::Halt;
use super::machine::{Steady, dice};

/// The ledger's folder, beside the stack.
const LEDGER: &str = ".mlinfra";
/// What the lock of a stack is called.
pub const SCOPE: &str = "stack";
/// The ledgers of fleets, in that of the stack.
const FLEETS: &str = "fleet";
/// The buckets of the simulated world, in its folder.
pub const BUCKETS: &str = "buckets";

/// The ledger in a store, wherever the stack stands; for reading only.
pub async fn ledger_in(store: &dyn Store) -> Result<Ledger, Halt> {
    Ok(Journal::open(store, "").await?.ledger)
}

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

    /// The ledger, for reading only; refused where the stack stands elsewhere.
    pub async fn read_ledger(&self) -> Result<Ledger, Halt> {
        let store = self.read_store()?;
        let ledger = ledger_in(&*store).await?;
        self.stands_here(&*store, &ledger).await?;
        Ok(ledger)
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
        Some(self.object_store(self.stack.config.backend.as_ref()?))
    }

    fn object_store(&self, backend: &Backend) -> Box<dyn Store> {
        let manners = Manners {
            nonce: dice(),
            lease: Duration::from_secs(backend.lease),
            pace: Arc::new(Steady),
            waiting: Arc::new(waiting),
        };
        Box::new(ObjectStore::new(self.objects(backend), manners))
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

    /// The ledger of a fleet that is resized, for whoever writes: it stands beside the stack's,
    /// so that a long apply does not stop the autoscaler.
    pub fn fleet_store(&self, nodes: &Address) -> Result<Box<dyn Store>, Halt> {
        let name = fleet_folder(nodes);
        match &self.stack.config.backend {
            None => Ok(Box::new(FileStore::open(&self.ledger_folder().join(FLEETS).join(name))?)),
            Some(backend) => {
                let folder = format!("{}/{FLEETS}/{name}", backend.folder);
                Ok(self.object_store(&Backend { folder, ..backend.clone() }))
            }
        }
    }

    /// Whether there may be one: a folder is not made for who only asks.
    pub fn has_fleet_store(&self, nodes: &Address) -> bool {
        let folder = self.ledger_folder().join(FLEETS).join(fleet_folder(nodes));
        self.stack.config.backend.is_some() || folder.exists()
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

/// A name for a folder or a key, one for each fleet: what would mean something in a path is
/// written as its code.
fn fleet_folder(nodes: &Address) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text = nodes.owner().to_tag();
    let code = |c: char| if plain(c) { c.to_string() } else { format!("%{:x}", u32::from(c)) };
    text.chars().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fleet_has_a_folder_of_its_own() {
        let folder = |text: &str| fleet_folder(&Address::from_tag(text).expect("an address"));
        assert_eq!(folder("cluster.train/nodes"), "cluster.train");
        let odd: Address = "module.m[\"../a\"].cluster.train[\"x%2f\"]".parse().expect("one");
        let folder = fleet_folder(&odd);
        assert!(!folder.contains('/') && !folder.contains("%2f\""), "{folder}");
    }
}
