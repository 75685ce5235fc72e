//! A handle on one region of the world, and the port on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::SimError;
use super::budget::Bucket;
use super::file::Log;
use super::object::Event;
use super::refusal::{broken, denied, lost, refusal};
use super::rules::{self, Caller as Judge};
use super::settings::{Fault, FaultKind, Settings};
use super::world::World;
use super::{look, lookup};
use crate::cloud::{
    Ask, Call, CallCounts, Caller, Cloud, Condition, Facts, Failure, Measure, Observed,
    Permissions, Phase, Pulse, Reply, Running, Scope, Stray,
};
use crate::kinds::KindName;
use crate::model::{CloudId, Region as RegionName};

/// One region of a simulated world. Clones, and handles on other regions made by
/// [`Region::elsewhere`], share the world.
#[derive(Clone)]
pub struct Region {
    pub(super) name: RegionName,
    inner: Arc<Mutex<Inner>>,
}

/// The world with its clock, its file and its counters.
pub(super) struct Inner {
    pub world: World,
    log: Option<Log>,
    epoch_ms: u64,
    opened: Instant,
    counts: CallCounts,
    mutations: u64,
    /// Calls that may come at once, and when that was so; none before the first.
    pub bucket: Bucket,
    pub launches: Bucket,
    pub launch_calls: Bucket,
}

impl Region {
    /// A world that lives as long as its handles.
    pub fn memory(name: RegionName, settings: Settings) -> Self {
        let mut world = World::default();
        world.settings = settings;
        Self::of(name, world, None)
    }

    /// The world in a folder; a new one if there is none.
    pub fn open(folder: &Path, name: RegionName) -> Result<Self, SimError> {
        let mut world = World::default();
        let log = Log::open(folder, &mut world)?;
        Ok(Self::of(name, world, Some(log)))
    }

    /// Starts a new world in a folder, whatever was there.
    pub fn reset(folder: &Path) -> Result<(), SimError> {
        Log::reset(folder)
    }

    fn of(name: RegionName, world: World, log: Option<Log>) -> Self {
        let inner = Inner {
            epoch_ms: world.time,
            world,
            log,
            opened: Instant::now(),
            counts: CallCounts::new(),
            mutations: 0,
            bucket: None,
            launches: None,
            launch_calls: None,
        };
        Self { name, inner: Arc::new(Mutex::new(inner)) }
    }

    /// Another region of the same world.
    #[must_use]
    pub fn elsewhere(&self, name: RegionName) -> Self {
        Self { name, inner: Arc::clone(&self.inner) }
    }

    /// Its name.
    pub fn name(&self) -> &RegionName {
        &self.name
    }

    /// Simulated milliseconds since the world began.
    pub fn now(&self) -> u64 {
        self.inner().now()
    }

    /// Calls that changed the world through the port, since this handle was opened.
    pub fn mutations(&self) -> u64 {
        self.inner().mutations
    }

    /// How the world behaves.
    pub fn settings(&self) -> Settings {
        let mut inner = self.inner();
        match inner.turn(|world, _| (world.settings.clone(), None)) {
            Ok(settings) => settings,
            Err(_) => inner.world.settings.clone(),
        }
    }

    /// Changes one setting; [`super::KEYS`] has the keys.
    pub fn set(&self, key: &str, value: &str) -> Result<(), SimError> {
        self.inner().turn(|world, _| {
            let mut settings = world.settings.clone();
            let done = settings.set(key, value);
            if settings.account != world.settings.account && !world.objects.is_empty() {
                let text = "The account is a part of ARNs: it changes only in an empty world.";
                return (Err(SimError::Setting(text.to_owned())), None);
            }
            let event = done.is_ok().then(|| Event::Settings { settings: Box::new(settings) });
            (done, event)
        })?
    }

    /// Changes all settings at once.
    pub fn configure(&self, settings: Settings) -> Result<(), SimError> {
        self.inner().turn(|_, _| ((), Some(Event::Settings { settings: Box::new(settings) })))
    }

    /// Lets time pass at once.
    pub fn advance(&self, by: Duration) -> Result<(), SimError> {
        let mut inner = self.inner();
        inner.epoch_ms += u64::try_from(by.as_millis()).unwrap_or(u64::MAX / 2);
        inner.turn(|_, _| ((), Some(Event::Tick)))
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere does not make plain data wrong.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Half of a call's latency: whoever drops the call in its second half loses the answer.
    pub(super) async fn travel(&self, times: u64) {
        let ms = self.inner().world.settings.latency_ms * times;
        if ms > 0 {
            tokio::time::sleep(Duration::from_micros(ms * 500)).await;
        }
    }

    fn strike(&self, call: &Call, api: &str) -> Result<Reply, Failure> {
        let mut inner = self.inner();
        inner.count(api, 1);
        inner.throttle(api)?;
        inner.afford(api, call)?;
        let region = self.name.clone();
        let judged = |world: &World, now| {
            if world.settings.denied.contains(api) {
                return (Err(denied(api)), None);
            }
            match (Judge { world, region: &region, now }).judge(call) {
                Ok((event, reply)) => (Ok((event.is_some(), reply)), event),
                Err(failure) => (Err(failure), None),
            }
        };
        // Nearly always nothing is to go wrong, which the same look at the world tells.
        let outcome = inner.turn(|world, now| match world.settings.faults.is_empty() {
            true => {
                let (verdict, event) = judged(world, now);
                (Some(verdict), event)
            }
            false => (None, None),
        });
        let mut fault = None;
        let verdict = match outcome.map_err(|why| broken(api, &why))? {
            Some(verdict) => verdict,
            None => {
                fault = inner.fault(api, true)?;
                if let Some(failure) = fault.and_then(|kind| refusal(kind, api)) {
                    return Err(failure);
                }
                inner.turn(judged).map_err(|why| broken(api, &why))?
            }
        };
        let (changed, reply) = verdict?;
        inner.mutations += u64::from(changed);
        match fault {
            Some(FaultKind::LoseAnswer) => Err(lost(api)),
            Some(_) | None => Ok(reply),
        }
    }
}

impl Drop for Inner {
    /// Whoever has made a log long leaves it short for the next one.
    fn drop(&mut self) {
        if let Some(log) = &mut self.log
            && log.lock(&mut self.world).is_ok()
        {
            // Nothing is lost if it stays long.
            drop(log.tidy(&self.world));
            log.unlock();
        }
    }
}

impl Inner {
    /// Simulated milliseconds.
    pub fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX / 2);
        self.epoch_ms + elapsed
    }

    /// One look at the world, and at most one change of it, while nobody else has it.
    pub fn turn<R>(
        &mut self,
        deed: impl FnOnce(&World, u64) -> (R, Option<Event>),
    ) -> Result<R, SimError> {
        if let Some(log) = &mut self.log {
            log.lock(&mut self.world)?;
        }
        // Others may be ahead of our clock.
        self.epoch_ms += self.world.time.saturating_sub(self.now());
        let now = self.now();
        self.world.sweep(now);
        let (out, mut event) = deed(&self.world, now);
        if let Some(log) = &mut self.log {
            // Time that only readers saw pass is kept too: to the second, and exactly where what
            // is seen lags, since nobody may see again what another has seen go.
            let grain = if self.world.settings.visibility_ms == 0 { 1000 } else { 1 };
            let stale = now >= self.world.time + grain;
            event = event.or(stale.then_some(Event::Tick));
            let done = event.as_ref().map_or(Ok(()), |event| log.append(now, event));
            log.unlock();
            done?;
        }
        if let Some(event) = event {
            self.world.apply(now, event);
        }
        Ok(out)
    }

    pub fn count(&mut self, api: &str, calls: u64) {
        let seconds = self.world.settings.latency_ms as f64 / 1000.0;
        let row = self.counts.entry(api.to_owned()).or_default();
        row.calls += calls;
        row.seconds += seconds * calls as f64;
    }

    /// The fault that strikes this call, if one does.
    pub fn fault(&mut self, api: &str, mutates: bool) -> Result<Option<FaultKind>, Failure> {
        // Where others may have set some, only a look at the file tells.
        if self.log.is_none() && self.world.settings.faults.is_empty() {
            return Ok(None);
        }
        let outcome = self.turn(|world, _| {
            let mut struck = None;
            let mut left = Vec::new();
            for fault in &world.settings.faults {
                let fits = fault.api.as_ref().map_or(mutates, |only| only == api);
                match (fits, fault.nth) {
                    (true, ..=1) if struck.is_none() => struck = Some(fault.kind),
                    (true, 2..) => left.push(Fault { nth: fault.nth - 1, ..fault.clone() }),
                    (_, _) => left.push(fault.clone()),
                }
            }
            let changed = left != world.settings.faults;
            (struck, changed.then_some(Event::Faults { faults: left }))
        });
        outcome.map_err(|why| broken(api, &why))
    }
}

#[async_trait]
impl Cloud for Region {
    async fn caller(&self) -> Result<Caller, Failure> {
        self.travel(2).await;
        let mut inner = self.inner();
        inner.count("sts:GetCallerIdentity", 1);
        let home = look::home(&inner.world, &self.name);
        let arn = home.arn("iam", "user/sandbox");
        Ok(Caller { home, arn })
    }

    async fn facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        self.travel(2).await;
        let mut inner = self.inner();
        for (api, calls) in lookup::calls(ask) {
            inner.count(api, calls);
            if let Some(failure) = inner.fault(api, false)?.and_then(|fault| refusal(fault, api)) {
                return Err(failure);
            }
        }
        let facts = inner.turn(|world, now| (look::facts(world, &self.name, ask, now), None));
        facts.map_err(|why| broken("ec2:DescribeAvailabilityZones", &why))
    }

    async fn observe(&self, scope: &Scope) -> Observed {
        self.see(scope, None).await
    }

    async fn glance(&self, scope: &Scope, kinds: &BTreeSet<KindName>) -> Observed {
        self.see(scope, Some(kinds)).await
    }

    async fn act(&self, call: &Call) -> Result<Reply, Failure> {
        let api = rules::api(call);
        self.travel(1).await;
        let outcome = self.strike(call, &api);
        self.travel(1).await;
        outcome
    }

    async fn find(&self, kind: KindName, name: &str) -> Result<Option<Stray>, Failure> {
        self.travel(2).await;
        self.inner().ask(kind, |world, now| look::find(world, &self.name, kind, name, now))
    }

    async fn phase(&self, kind: KindName, id: &CloudId) -> Result<Phase, Failure> {
        self.travel(2).await;
        self.inner().ask(kind, |world, now| look::phase(world, &self.name, kind, id, now))
    }

    async fn conditions(
        &self,
        nodes: &[CloudId],
    ) -> Result<BTreeMap<CloudId, (Phase, Condition)>, Failure> {
        self.travel(2).await;
        let mut inner = self.inner();
        inner.judged(nodes.len())?;
        inner.ask(KindName::Node, |world, now| look::conditions(world, &self.name, nodes, now))
    }

    async fn quota(&self, _service: &str, code: &str) -> Result<Option<u64>, Failure> {
        self.travel(2).await;
        let mut inner = self.inner();
        inner.count("servicequotas:GetServiceQuota", 1);
        Ok(inner.world.settings.quota_of(code))
    }

    async fn usage(&self, of: &Measure) -> Result<u64, Failure> {
        self.travel(2).await;
        self.usage_of(of)
    }

    async fn pulse(&self) -> Pulse {
        self.travel(2).await;
        self.pulse_now()
    }

    async fn permissions(&self, actions: &BTreeSet<String>) -> Permissions {
        self.travel(2).await;
        self.inner().count("iam:SimulatePrincipalPolicy", 1);
        self.allowed(actions)
    }

    async fn running(&self) -> Result<Running, Failure> {
        self.travel(2).await;
        self.inner().count("ec2:DescribeInstances", 1);
        self.running_now()
    }

    fn lag(&self) -> Duration {
        Duration::from_millis(self.inner().world.settings.visibility_ms)
    }

    fn calls(&self) -> CallCounts {
        let mut counts = self.inner().counts.clone();
        counts.retain(|_, row| row.calls > 0);
        counts
    }
}
