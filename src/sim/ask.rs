//! A question about one object, with everything that can keep it from being answered.

use super::physics;
use super::region::{Inner, broken, refusal};
use super::world::World;
use crate::cloud::Failure;
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
