//! What EC2 says of instances beside what they are: status checks, scheduled events, and spot
//! requests that are being taken back. A hundred instances in a call, and none without nodes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    EventCode, Filter, InstanceStatus, InstanceStatusEvent, InstanceStatusSummary,
};

use super::{Aws, pages};
use crate::cloud::{Announced, Checks, Condition, Failure, Observed, Phase};
use crate::kinds::{KindName, Market, Spec};
use crate::model::CloudId;

/// Ids that one call takes
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html>).
const AT_ONCE: usize = 100;

/// What EC2 says of one instance.
#[derive(Default)]
pub(super) struct Told {
    checks: Option<Checks>,
    announced: Vec<Announced>,
}

impl Told {
    /// Into what is known of it already.
    pub(super) fn put(self, condition: &mut Condition) {
        condition.checks = self.checks.or(condition.checks.take());
        condition.announced.extend(self.announced);
    }
}

fn word(summary: Option<&InstanceStatusSummary>) -> String {
    let status = summary.and_then(|summary| summary.status.as_ref());
    status.map(|status| status.as_str().to_ascii_lowercase()).unwrap_or_default()
}

/// Since when a check fails, where that is said.
fn since(summary: Option<&InstanceStatusSummary>) -> String {
    let details = summary.and_then(|summary| summary.details.as_deref()).unwrap_or_default();
    let times = details.iter().filter_map(|detail| detail.impaired_since.as_ref());
    let first = times.min_by_key(|time| time.secs());
    first.map(|time| format!(" since {time}")).unwrap_or_default()
}

/// Both checks of a machine in one word.
fn checks(one: &InstanceStatus) -> Checks {
    let both = [("system", one.system_status.as_ref()), ("instance", one.instance_status.as_ref())];
    let bad = both.iter().find(|(_, summary)| word(*summary) == "impaired");
    if let Some((what, summary)) = bad {
        return Checks::Bad(format!("EC2's {what} check fails{}", since(*summary)));
    }
    let good = |summary| matches!(word(summary).as_str(), "ok" | "not-applicable");
    if both.iter().all(|(_, summary)| good(*summary)) { Checks::Good } else { Checks::Starting }
}

/// An event that is not over.
fn event(event: &InstanceStatusEvent) -> Option<Announced> {
    let text = event.description.as_deref().unwrap_or_default();
    // EC2 keeps telling of them for a week.
    if text.starts_with("[Completed]") || text.starts_with("[Canceled]") {
        return None;
    }
    let at = event.not_before.as_ref().map(ToString::to_string).unwrap_or_default();
    let code = event.code.as_ref().map(EventCode::as_str).unwrap_or_default();
    Some(match code {
        // A machine that is stopped is ended: nodes have no life after that.
        "instance-retirement" | "instance-stop" => Announced::Retirement { at },
        what => Announced::Maintenance { what: what.to_owned(), at },
    })
}

impl Aws {
    /// Adds what EC2 says to what the nodes of a stack say.
    pub(super) async fn judge(&self, observed: &mut Observed) {
        let ready = |id: &CloudId| {
            let live = observed.live.get(id)?;
            let Some(Spec::Node(node)) = live.spec() else { return None };
            (live.phase == Phase::Ready).then_some((id.clone(), node.market))
        };
        let running: Vec<_> = observed.conditions.keys().filter_map(ready).collect();
        if running.is_empty() || observed.blind.contains_key(&KindName::Node) {
            return;
        }
        let all: Vec<CloudId> = running.iter().map(|(id, _)| id.clone()).collect();
        let of_spot = running.iter().filter(|(_, market)| *market == Market::Spot);
        let on_spot: Vec<CloudId> = of_spot.map(|(id, _)| id.clone()).collect();
        let told = [self.statuses(&all).await, self.interruptions(&on_spot).await];
        let mut failures = Vec::new();
        for told in told {
            match told {
                Ok(told) => {
                    for (id, told) in told {
                        if let Some(condition) = observed.conditions.get_mut(&id) {
                            told.put(condition);
                        }
                    }
                }
                Err(failure) => failures.push(failure.to_string()),
            }
        }
        observed.unjudged = (!failures.is_empty()).then(|| failures.join("; "));
    }

    /// Checks and events of running instances. What ended a moment ago fails no call: EC2 knows
    /// its id for another hour.
    pub(super) async fn statuses(
        &self,
        ids: &[CloudId],
    ) -> Result<BTreeMap<CloudId, Told>, Failure> {
        let mut out = BTreeMap::new();
        for some in ids.chunks(AT_ONCE) {
            let request = || {
                let ids = some.iter().map(|id| id.0.clone()).collect();
                self.ec2.describe_instance_status().set_instance_ids(Some(ids))
            };
            let all = pages!(self, "ec2:DescribeInstanceStatus", request(), instance_statuses);
            for one in all {
                let announced = one.events.iter().flatten().filter_map(event).collect();
                let told = Told { checks: Some(checks(&one)), announced };
                out.extend(one.instance_id.map(|id| (CloudId(id), told)));
            }
        }
        Ok(out)
    }

    /// Spot instances that are being taken back.
    async fn interruptions(&self, ids: &[CloudId]) -> Result<BTreeMap<CloudId, Told>, Failure> {
        let mut out = BTreeMap::new();
        for some in ids.chunks(AT_ONCE) {
            let values = some.iter().map(|id| id.0.clone()).collect();
            let filter = Filter::builder().name("instance-id").set_values(Some(values)).build();
            let request = || {
                let request = self.ec2.describe_spot_instance_requests();
                request.filters(filter.clone()).max_results(1000)
            };
            let all =
                pages!(self, "ec2:DescribeSpotInstanceRequests", request(), spot_instance_requests);
            for one in all {
                let code = one.status.and_then(|status| status.code).unwrap_or_default();
                // `fulfilled` is how it should be
                // (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html).
                if !code.starts_with("marked-for-") {
                    continue;
                }
                let announced = vec![Announced::Interruption { what: code }];
                let told = Told { announced, ..Told::default() };
                out.extend(one.instance_id.map(|id| (CloudId(id), told)));
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::primitives::DateTime;
    use aws_sdk_ec2::types::{InstanceStatusDetails, SummaryStatus};

    use super::*;

    fn summary(status: &str) -> InstanceStatusSummary {
        let since = DateTime::from_secs(1_764_000_000);
        let detail = InstanceStatusDetails::builder().impaired_since(since).build();
        InstanceStatusSummary::builder().status(SummaryStatus::from(status)).details(detail).build()
    }

    fn judged(system: &str, instance: &str) -> Checks {
        let (system, instance) = (summary(system), summary(instance));
        checks(&InstanceStatus::builder().system_status(system).instance_status(instance).build())
    }

    #[test]
    fn both_checks_count() {
        assert_eq!(judged("ok", "ok"), Checks::Good);
        assert_eq!(judged("ok", "initializing"), Checks::Starting);
        assert_eq!(judged("insufficient-data", "ok"), Checks::Starting);
        assert_eq!(judged("ok", "not-applicable"), Checks::Good);
        let bad = "EC2's instance check fails since 2025-11-24T16:00:00Z".to_owned();
        assert_eq!(judged("initializing", "impaired"), Checks::Bad(bad));
        assert_eq!(checks(&InstanceStatus::builder().build()), Checks::Starting);
    }

    #[test]
    fn events_that_are_over_are_none() {
        let at = DateTime::from_secs(1_764_000_000);
        let said = |code: &str, text: &str| {
            let code = EventCode::from(code);
            event(
                &InstanceStatusEvent::builder().code(code).description(text).not_before(at).build(),
            )
        };
        let at = "2025-11-24T16:00:00Z".to_owned();
        let retired = Some(Announced::Retirement { at: at.clone() });
        assert_eq!(
            said("instance-retirement", "The instance is running on degraded hardware"),
            retired
        );
        assert_eq!(said("instance-stop", ""), retired);
        let what = "system-reboot".to_owned();
        assert_eq!(said("system-reboot", "x"), Some(Announced::Maintenance { what, at }));
        assert_eq!(said("instance-stop", "[Completed] The instance"), None);
        assert_eq!(said("instance-stop", "[Canceled] The instance"), None);
    }
}
