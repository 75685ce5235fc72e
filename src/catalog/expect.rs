//! What a node must have when it has booted: the boot check holds it to this.

use crate::kinds::{InterfaceKind, Offer};

use super::{Catalog, InstanceType};

/// Who makes accelerators, and so how they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// NVIDIA: `nvidia-smi`.
    Nvidia,
    /// AWS: Trainium and Inferentia, `/dev/neuron*`.
    Neuron,
}

impl InstanceType {
    /// Who makes its accelerators.
    pub fn maker(&self) -> Option<Maker> {
        let name = &self.accelerator.as_ref()?.name;
        let neuron = ["Trainium", "Inferentia"].iter().any(|word| name.starts_with(word));
        Some(if neuron { Maker::Neuron } else { Maker::Nvidia })
    }
}

/// The accelerators and EFA devices of a node on an offer, as the value of a tag:
/// `nvidia=8 efa=32`. None for what the catalogue does not know, and for what has neither.
pub fn expectation(catalog: &Catalog, offer: &Offer) -> Option<String> {
    let mut words = Vec::new();
    if let Some(found) = catalog.get(&offer.instance_type)
        && let Some(maker) = found.maker()
        && found.accelerators() > 0
    {
        let word = match maker {
            Maker::Nvidia => "nvidia",
            Maker::Neuron => "neuron",
        };
        words.push(format!("{word}={}", found.accelerators()));
    }
    let efa = offer.interfaces.iter().filter(|one| match one.kind {
        InterfaceKind::Efa | InterfaceKind::EfaOnly => true,
        InterfaceKind::Ip => false,
    });
    match efa.count() {
        0 => {}
        count => words.push(format!("efa={count}")),
    }
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::{Fresh, Tables};
    use super::*;
    use crate::kinds::Interface;
    use crate::model::{Link, Zone};

    #[test]
    fn a_node_must_have_what_its_type_has_and_the_devices_of_its_launch() {
        let zone = Zone::from("us-east-1a");
        let expects = |offer: &Offer| expectation(Catalog::shipped(), offer);
        let offer = |name| Offer::plain(name, zone.clone(), Link::Id("subnet-1".into()));
        assert_eq!(expects(&offer("g5.12xlarge")).as_deref(), Some("nvidia=4"));
        assert_eq!(expects(&offer("trn1.32xlarge")).as_deref(), Some("neuron=16"));
        assert_eq!(expects(&offer("c7i.2xlarge")), None);
        assert_eq!(expects(&offer("z9.huge")), None);
        let card = |card, kind| Interface { card, device: 0, kind };
        let mut p5 = offer("p5.48xlarge");
        p5.interfaces = vec![card(0, InterfaceKind::Ip), card(0, InterfaceKind::EfaOnly)];
        p5.interfaces.push(card(1, InterfaceKind::Efa));
        assert_eq!(expects(&p5).as_deref(), Some("nvidia=8 efa=2"));
    }
    /// A type that only a refresh of the tables knows is held to what it has, too.
    #[test]
    fn what_a_refresh_has_told_counts() {
        let mut fresh = Fresh::new("us-east-1".into(), "2026-11-27".to_owned(), String::new());
        let mut own = Catalog::shipped().get("p5.48xlarge").expect("in the table").clone();
        own.name = "p9.48xlarge".to_owned();
        fresh.types.insert(own.name.clone(), own);
        let offer =
            Offer::plain("p9.48xlarge", Zone::from("us-east-1a"), Link::Id("subnet-1".into()));
        let tables = Tables::with(fresh);
        assert_eq!(expectation(&tables, &offer).as_deref(), Some("nvidia=8"));
        assert_eq!(expectation(Catalog::shipped(), &offer), None);
    }
}
