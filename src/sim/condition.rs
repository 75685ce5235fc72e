//! How a node of the simulated region is: what its tags say, and what it and the cloud would say.

use super::object::Object;
use super::supply::Notice;
use super::supply::Unfit;
use super::world::World;
use crate::cloud::{Announced, Checks, Condition, Phase};
use crate::kinds::Tags;
use crate::model::{Moment, tags};

/// What is said of a machine that fails its boot check here.
const FAULT: &str = "check: uncorrected ECC errors on GPU 0 (simulated)";
/// What AWS says of a machine whose checks fail.
const IMPAIRED: &str = "instance reachability failed";
/// A machine is retired two weeks after that was announced.
const FORTNIGHT: u32 = 14 * 86_400;

/// How a node is at a moment. Nobody runs on it: what its boot, and its agent, would say is made
/// up, unless a tag says it. Every node of a template says so at its boot, with an agent or not
/// (`stack/machine/boot.sh`); what others have made says nothing.
pub(super) fn of(world: &World, object: &Object, marks: &Tags, at: u64) -> Condition {
    let moment = |ms: u64| i64::try_from(ms).ok().map(Moment);
    let mut it = Condition::of(marks, moment(object.born_at), object.address.clone());
    if object.phase(at) != Phase::Ready {
        return it;
    }
    let reported = at >= object.ready_at + world.settings.report_seconds * 1000;
    let notice = world.settings.supply.notices.get(object.id.short()).copied();
    it.checks = Some(match (notice, object.unfit) {
        (Some(Notice::Impaired), _) => Checks::Bad(IMPAIRED.to_owned()),
        (_, Some(Unfit::Silent)) => Checks::Starting,
        (_, Some(Unfit::Check) | None) if reported => Checks::Good,
        (_, Some(Unfit::Check) | None) => Checks::Starting,
    });
    let on = moment(object.born_at).unwrap_or_default().plus(FORTNIGHT).to_string();
    it.announced = match notice {
        Some(Notice::Retirement) => vec![Announced::Retirement { at: on }],
        Some(Notice::Reboot) => {
            vec![Announced::Maintenance { what: "system-reboot".to_owned(), at: on }]
        }
        Some(Notice::Interruption) => {
            vec![Announced::Interruption { what: "marked-for-termination".to_owned() }]
        }
        Some(Notice::Impaired) | None => Vec::new(),
    };
    if it.state.is_none() {
        let speaks = it.reports || marks.contains_key(tags::TEMPLATE);
        let said = match (object.unfit, reported) {
            (Some(Unfit::Check), true) => Some(("unhealthy", Some(FAULT))),
            (Some(Unfit::Silent), _) => None,
            (Some(Unfit::Check) | None, false) => speaks.then_some(("booting", None)),
            (None, true) => speaks.then_some(("ready", None)),
        };
        if let Some((state, reason)) = said {
            it.state = Some(state.to_owned());
            it.reason = reason.map(str::to_owned);
        }
    }
    it
}
