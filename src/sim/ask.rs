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

    /// Nodes that are launched come out of a bucket of their own.
    pub fn afford(&mut self, api: &str, call: &Call) -> Result<(), Failure> {
        let (Call::Launch(launch), Some((size, refill))) =
            (call, self.world.settings.supply.launches)
        else {
            return Ok(());
        };
        let (cost, now) = (f64::from(launch.count), self.now());
        let allowed = budget::take(&mut self.launches, (size as f64, refill as f64), cost, now);
        if allowed { Ok(()) } else { Err(throttled(api)) }
    }
}
