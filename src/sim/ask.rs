//! A question about one object, with everything that can keep it from being answered.

use super::refusal::{broken, refusal, throttled};
use super::region::Inner;
use super::world::World;
use super::{budget, physics};
use crate::cloud::{Call, Failure};
use crate::kinds::KindName;

impl Inner {
    /// One question about one object of a kind.
    pub fn ask<R>(
        &mut self,
        kind: KindName,
        look: impl Fn(&World, u64) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let physics = physics::of(kind);
        let api = physics.api(physics.list);
        self.count(&api, 1);
        self.throttle(&api)?;
        let said = self.turn(|world, now| {
            let quiet = world.settings.faults.is_empty();
            (quiet.then(|| look(world, now)), None)
        });
        if let Some(said) = said.map_err(|why| broken(&api, &why))? {
            return said;
        }
        if let Some(failure) = self.fault(&api, false)?.and_then(|kind| refusal(kind, &api)) {
            return Err(failure);
        }
        self.turn(|world, now| (look(world, now), None)).map_err(|why| broken(&api, &why))?
    }
}

/// What calls are rated by.
impl Inner {
    /// Asks the cloud what it says of so many nodes.
    pub fn judged(&mut self, nodes: usize) -> Result<(), Failure> {
        const API: &str = "ec2:DescribeInstanceStatus";
        if nodes == 0 {
            return Ok(());
        }
        self.count(API, (nodes as u64).div_ceil(100));
        match self.fault(API, false)?.and_then(|fault| refusal(fault, API)) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// The bucket refills by the second and holds one second's worth.
    pub fn throttle(&mut self, api: &str) -> Result<(), Failure> {
        let (rate, now) = (self.world.settings.throttle as f64, self.now());
        let allowed = rate == 0.0 || budget::take(&mut self.bucket, (rate, rate), 1.0, now);
        if allowed { Ok(()) } else { Err(throttled(api)) }
    }

    /// Calls that launch have a bucket of their own, and the nodes that they launch another; a
    /// call that there are no nodes left for has been a call.
    pub fn afford(&mut self, api: &str, call: &Call) -> Result<(), Failure> {
        let Call::Launch(launch) = call else { return Ok(()) };
        let (supply, now) = (&self.world.settings.supply, self.now());
        let (calls, nodes) = (supply.launch_calls, supply.launches);
        let buckets = [
            (&mut self.launch_calls, calls, 1.0),
            (&mut self.launches, nodes, f64::from(launch.count)),
        ];
        for (bucket, rate, cost) in buckets {
            let Some((size, refill)) = rate else { continue };
            if !budget::take(bucket, (size as f64, refill as f64), cost, now) {
                return Err(throttled(api));
            }
        }
        Ok(())
    }
}
