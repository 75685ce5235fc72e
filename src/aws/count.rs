//! Counts what is sent: every attempt of every call, with the seconds it took.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::time::Instant;

use crate::cloud::CallCounts;

/// Shared by the clients of all services.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    counts: Arc<Mutex<CallCounts>>,
    date: Arc<Mutex<Option<String>>>,
}

#[derive(Clone, Copy, Debug)]
struct Sent(Instant);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Counter {
    /// The counts so far.
    pub fn counts(&self) -> CallCounts {
        self.counts.lock().map(|counts| counts.clone()).unwrap_or_default()
    }

    /// The date of the last answer, as its header says it.
    pub fn date(&self) -> Option<String> {
        self.date.lock().ok().and_then(|date| date.clone())
    }

    fn update(&self, cfg: &ConfigBag, calls: u64, seconds: f64) {
        let Some(about) = cfg.load::<Metadata>() else { return };
        let api = format!("{}:{}", about.service().to_ascii_lowercase(), about.name());
        if let Ok(mut counts) = self.counts.lock() {
            let count = counts.entry(api).or_default();
            count.calls += calls;
            count.seconds += seconds;
        }
    }
}

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.update(cfg, 1, 0.0);
        cfg.interceptor_state().store_put(Sent(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().and_then(|answer| answer.headers().get("date"));
        if let (Some(date), Ok(mut last)) = (date, self.date.lock()) {
            *last = Some(date.to_owned());
        }
        if let Some(Sent(at)) = cfg.load::<Sent>().copied() {
            self.update(cfg, 0, at.elapsed().as_secs_f64());
        }
        Ok(())
    }
}
