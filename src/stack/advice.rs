//! What the author of a cluster may want to know of how its nodes are got: capacity that is paid
//! and stays unused, and a need that too few pools of spot can meet. Advice, never a refusal.

use std::collections::BTreeSet;

use crate::cloud::Reservation;
use crate::kinds::{Market, Offer};
use crate::lang::{Evaluated, Value};
use crate::model::Problem;

use super::ladder::{self, Rung};
use super::need::Candidates;

/// With fewer types than this spot is worth a word: EC2's own advice is ten and more
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-best-practices.html>), of which few
/// have the same accelerators.
const TYPES: usize = 5;

/// A cluster, and what was found for it.
pub(super) struct Asked<'a> {
    pub block: &'a Evaluated,
    pub rungs: &'a [Rung],
    pub candidates: &'a Candidates,
    /// Its nodes stand in a placement group of its own.
    pub together: bool,
    pub offers: &'a [Offer],
}

impl Asked<'_> {
    /// All of it. `room` says how many of its nodes a reservation would take, where any.
    pub fn advice(
        &self,
        reservations: &[Reservation],
        room: impl Fn(&Reservation) -> Option<u32>,
    ) -> Vec<Problem> {
        let idle = self.idle(reservations, room);
        idle.into_iter().chain(self.thin()).collect()
    }

    fn who(&self) -> String {
        self.block.address.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Open reservations that its nodes would fit in, where it names none.
    fn idle(
        &self,
        reservations: &[Reservation],
        room: impl Fn(&Reservation) -> Option<u32>,
    ) -> Option<Problem> {
        // Whoever names some has chosen among them.
        if self.rungs.iter().any(|rung| matches!(rung, Rung::Kept(_))) {
            return None;
        }
        let on_demand = self.rungs.contains(&Rung::Open(Market::OnDemand));
        // EC2 itself puts nodes on demand into an open one: where nothing says how they stand.
        let taken = |found: &Reservation| on_demand && !self.together && found.group.is_none();
        let fits = |found: &Reservation| {
            let of_type = self.candidates.fit.iter().any(|one| one.name == found.instance_type);
            of_type && found.open && !taken(found)
        };
        let lines: Vec<String> = reservations
            .iter()
            .filter(|found| fits(found))
            .filter_map(|found| {
                let free = room(found).filter(|free| *free > 0)?;
                let places = if free == 1 { "place" } else { "places" };
                let Reservation { id, instance_type, zone, tags, .. } = found;
                let tags: String =
                    tags.iter().map(|(key, value)| format!(", {key}={value}")).collect();
                Some(format!("{id} has {free} free {places} of {instance_type} in {zone}{tags}"))
            })
            .collect();
        if lines.is_empty() {
            return None;
        }
        let text = format!("{} leaves reservations unused that it would fit in", self.who());
        let help = format!(
            "a reservation is paid whether it is used or not: write\n{} to have it taken first",
            self.ladder(Some("reserved"), None)
        );
        let problem = Problem::warning("G004", text).detail(lines.join("\n")).help(help);
        Some(problem.at(self.block.place("capacity"), ""))
    }

    /// Spot alone, and few types to be had there.
    fn thin(&self) -> Option<Problem> {
        let spot = self.offers.iter().all(|offer| offer.market == Market::Spot);
        let types: BTreeSet<&str> =
            self.offers.iter().map(|offer| offer.instance_type.as_str()).collect();
        if self.offers.is_empty() || !spot || types.len() >= TYPES {
            return None;
        }
        let number = match types.len() {
            1 => "one instance type".to_owned(),
            number => format!("{number} instance types"),
        };
        let text = format!("{} gets its nodes on spot alone, as {number}", self.who());
        let kept = self.rungs.contains(&Rung::Open(Market::OnDemand));
        let way = match kept {
            // It is written, and `fallback = false` forbids it.
            true => "take `fallback = false` away".to_owned(),
            false => format!("write {}", self.ladder(None, Some("on-demand"))),
        };
        let help = format!(
            "spot has what nobody else buys, and may have none for days: let it be {TYPES} types or \
             more,\nor {way} to have another way when there is none"
        );
        Some(Problem::warning("G005", text).help(help).at(self.block.place("capacity"), ""))
    }

    /// The attribute with a word more.
    fn ladder(&self, first: Option<&str>, last: Option<&str>) -> String {
        let written = self.block.attr("capacity").and_then(Value::as_list).unwrap_or_default();
        let mut words: Vec<&str> = written.iter().filter_map(Value::as_str).collect();
        if words.is_empty() {
            words.push(Market::OnDemand.word());
        }
        let all: Vec<String> =
            first.into_iter().chain(words).chain(last).map(|word| format!("{word:?}")).collect();
        format!("`capacity = [{}]`", all.join(", "))
    }
}

/// Whether reservations that the author does not name could be of use to a cluster, and so are
/// worth a question.
pub(super) fn could_use(block: &Evaluated, together: bool) -> bool {
    let rungs = ladder::rungs(block);
    let kept = rungs.iter().any(|rung| matches!(rung, Rung::Kept(_)));
    !kept && (together || !rungs.contains(&Rung::Open(Market::OnDemand)))
}
