//! Looking for what is to be adopted, before a plan judges it.

use crate::cloud::{Live, Observed};
use crate::model::CloudId;
use crate::stack::{Adoption, Desired};

use super::connect::Session;
use super::halt::Halt;

impl Session {
    /// Looks for what is to be adopted, when anything is.
    pub async fn seek(&self, observed: &mut Observed, destroy: bool) -> Result<(), Halt> {
        let mut blocks = self.stack.loaded.blocks.iter();
        if self.hand.is_none() && !blocks.any(|block| block.word == "adopt") {
            return Ok(());
        }
        let desired = self.desired(observed, destroy).map_err(|found| self.halt(found))?;
        self.look_for(&desired, observed).await
    }

    /// Looks for what is to be adopted, so that a plan can judge it.
    async fn look_for(&self, desired: &Desired, observed: &mut Observed) -> Result<(), Halt> {
        for (address, adoption) in &desired.adopt {
            let at = |live: &&Live| live.owner.address == *address;
            if let Some(live) = observed.live.values().filter(|live| live.is_usable()).find(at) {
                self.only_one(live, observed, adoption)?;
                continue;
            }
            let Some(spec) = desired.specs.get(address) else { continue };
            let found = self.side.cloud().find(spec.kind(), &adoption.id).await?;
            observed.strays.insert(address.clone(), found);
        }
        Ok(())
    }

    /// A command that adopts says so when another object has the address; a block that
    /// stands there since is no problem.
    fn only_one(&self, live: &Live, observed: &Observed, adoption: &Adoption) -> Result<(), Halt> {
        let wanted = CloudId::from(adoption.id.as_str());
        let address = &live.owner.address;
        let mut ids = observed.live.iter().filter(|(_, other)| other.owner.address == *address);
        let same = ids.clone().any(|(id, _)| id.short() == wanted.short());
        if self.hand.is_none() || same {
            return Ok(());
        }
        let id = ids.next().map(|(id, _)| id.short().to_owned()).unwrap_or_default();
        let text = format!("{address} cannot adopt {}: {id} stands there already", adoption.id);
        Err(Halt::one("P008", text, "delete or forget that one first"))
    }
}
