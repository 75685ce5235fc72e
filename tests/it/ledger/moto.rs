//! A ledger on S3, over moto.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mlinfra::aws::{Aws, Shelf};
use mlinfra::ledger::{Manners, ObjectStore, Objects};
use mlinfra::model::Region;
use tokio::runtime::Runtime;

use crate::bucket::{Clockwork, manners};
use crate::moto::Moto;

/// How long a lock lasts here, where time is real.
pub const LEASE: Duration = Duration::from_secs(2);

/// moto, and the runtime that its proxy lives in.
pub struct Server {
    runtime: Arc<Runtime>,
    moto: Arc<Moto>,
    aws: Arc<Aws>,
    buckets: AtomicUsize,
}

/// One folder of one bucket.
pub struct Bucket {
    pub runtime: Arc<Runtime>,
    _moto: Arc<Moto>,
    pub objects: Arc<dyn Objects>,
}

impl Server {
    pub fn start() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = Arc::new(runtime.worker_threads(2).enable_all().build().unwrap());
        let moto = Arc::new(runtime.block_on(Moto::start()));
        let aws = Arc::new(runtime.block_on(moto.aws()));
        Self { runtime, moto, aws, buckets: AtomicUsize::new(0) }
    }

    pub fn bucket(&self) -> Bucket {
        let bucket = format!("ledger-{}", self.buckets.fetch_add(1, Ordering::SeqCst));
        let made = self.runtime.block_on(self.moto.raw("PUT", &format!("/{bucket}"), ""));
        assert!(made.contains(" 200 "), "{made}");
        let shelf = Shelf {
            bucket,
            folder: "mlinfra/llm".to_owned(),
            region: Region::from("us-east-1"),
            account: None,
            kms_key: None,
            lease: LEASE,
        };
        let objects = Arc::new(self.aws.bucket(shelf));
        Bucket { runtime: self.runtime.clone(), _moto: self.moto.clone(), objects }
    }
}

impl Bucket {
    pub fn open(&self) -> ObjectStore {
        let manners = Manners { lease: LEASE, ..manners(Clockwork::new()) };
        ObjectStore::new(self.objects.clone(), manners)
    }
}
