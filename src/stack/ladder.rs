//! The capacity ladder of a cluster: in which ways it gets its nodes, in order.

use crate::cloud::Reservation;
use crate::kinds::Market;
use crate::lang::{Evaluated, Value};
use crate::model::ReservationId;

use super::expansion::Expansion;

/// What the author may write, for the reference and for errors.
pub(super) const WAYS: &str = "\"capacity-block:cr-…\", \"reservation:cr-…\", \
                               \"reserved:KEY=VALUE\" (any with that tag), \"reserved\" (any that \
                               fits), \"spot\" and \"on-demand\"";

/// One way to get nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    /// For the asking.
    Open(Market),
    /// Kept for the account.
    Kept(Which),
}

/// Which reservations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Every one that fits.
    Any,
    /// This one.
    One(Market, ReservationId),
    /// Those with this tag.
    Tagged(String, String),
}

impl Rung {
    /// Reads a word of the ladder.
    pub fn read(word: &str) -> Option<Self> {
        match word.split_once(':') {
            None if word == "reserved" => Some(Self::Kept(Which::Any)),
            None => Market::from_word(word)
                .filter(|market| matches!(market, Market::OnDemand | Market::Spot))
                .map(Self::Open),
            Some(("reserved", tag)) => {
                let (key, value) = tag.split_once('=').filter(|(key, _)| !key.is_empty())?;
                Some(Self::Kept(Which::Tagged(key.to_owned(), value.to_owned())))
            }
            Some((word, id)) => {
                let market = match word {
                    "reservation" => Market::Reserved,
                    "capacity-block" => Market::CapacityBlock,
                    _ => return None,
                };
                let digits = id.strip_prefix("cr-")?;
                let fine = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
                fine.then(|| Self::Kept(Which::One(market, ReservationId::from(id))))
            }
        }
    }
}

impl Which {
    /// Whether a reservation is one of these.
    pub fn covers(&self, found: &Reservation) -> bool {
        match self {
            Self::Any => true,
            Self::One(market, id) => found.id == *id && found.market == *market,
            Self::Tagged(key, value) => found.tags.get(key) == Some(value),
        }
    }

    /// What it is in words, where none was found.
    pub fn words(&self) -> String {
        match self {
            Self::Any => "any reservation".to_owned(),
            Self::One(market, id) => format!("{} {id}", market.word()),
            Self::Tagged(key, value) => format!("reservations tagged {key}={value}"),
        }
    }
}

/// The rungs that a cluster's block names; on demand where it names none.
pub(super) fn ladder(x: &mut Expansion<'_>, block: &Evaluated) -> Vec<Rung> {
    let Some(written) = block.attr("capacity").filter(|value| !value.holds_unknown()) else {
        return vec![Rung::Open(Market::OnDemand)];
    };
    let mut rungs = Vec::new();
    for value in written.as_list().unwrap_or_default() {
        let word = value.as_str().unwrap_or_default();
        match Rung::read(word) {
            Some(rung) if rungs.contains(&rung) => {}
            Some(rung) => rungs.push(rung),
            None => {
                let problem = format!("{word:?} is no way to get nodes");
                x.check(value, Some(problem), &format!("the ways are {WAYS}"));
            }
        }
    }
    let none = written.as_list().is_some_and(<[Value]>::is_empty);
    let problem = "a cluster needs a way to get its nodes".to_owned();
    let help = format!("name at least one; the ways are {WAYS}");
    x.check(written, none.then_some(problem), &help);
    rungs
}

/// The rungs of a block, as far as they can be read; on demand where it names none.
pub(super) fn rungs(block: &Evaluated) -> Vec<Rung> {
    match block.attr("capacity").and_then(Value::as_list) {
        None => vec![Rung::Open(Market::OnDemand)],
        Some(words) => words.iter().filter_map(|it| Rung::read(it.as_str()?)).collect(),
    }
}

/// What has to be found out before the offers of a cluster can be told: whether there are
/// reservations, and what spot costs.
pub(super) fn questions(block: &Evaluated) -> (bool, bool) {
    let rungs = rungs(block);
    let kept = rungs.iter().any(|rung| matches!(rung, Rung::Kept(_)));
    (kept, rungs.contains(&Rung::Open(Market::Spot)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read_and_nothing_else() {
        let one = |market, id: &str| Some(Rung::Kept(Which::One(market, id.into())));
        assert_eq!(Rung::read("on-demand"), Some(Rung::Open(Market::OnDemand)));
        assert_eq!(Rung::read("spot"), Some(Rung::Open(Market::Spot)));
        assert_eq!(Rung::read("reserved"), Some(Rung::Kept(Which::Any)));
        assert_eq!(
            Rung::read("reserved:team=a=b"),
            Some(Rung::Kept(Which::Tagged("team".to_owned(), "a=b".to_owned())))
        );
        assert_eq!(Rung::read("reservation:cr-0a1"), one(Market::Reserved, "cr-0a1"));
        assert_eq!(Rung::read("capacity-block:cr-0a1"), one(Market::CapacityBlock, "cr-0a1"));
        for bad in ["", "capacity-block", "reservation:", "reservation:cr-", "reservation:cr-xyz"] {
            assert_eq!(Rung::read(bad), None, "{bad}");
        }
        for bad in ["reserved:", "reserved:=a", "reserved:team", "spot:cr-0a1", "preemptible"] {
            assert_eq!(Rung::read(bad), None, "{bad}");
        }
    }
}
