//! Nodes on spot that were taken back, or are about to be.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::notice::{Notice, NoticeKind};
use crate::kinds::{Market, Node};
use crate::model::{Moment, Zone};

/// A node that was taken back, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// Of which type it is.
    pub instance_type: String,
    /// Where.
    pub zone: Zone,
    /// When; none where nobody says more than that it was of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
}

impl Interrupted {
    /// A node on spot in such a condition, if that is what happens to it. A recommendation to
    /// move on counts as well: the risk is higher there.
    pub fn of(node: &Node, condition: &Condition) -> Option<Self> {
        let told = || Notice::all(condition.reason.as_deref().unwrap_or_default());
        let on_spot = |kind: NoticeKind| match kind {
            NoticeKind::Interruption | NoticeKind::Rebalance => true,
            NoticeKind::BlockEnd => false,
        };
        let risky = condition.is_interrupted() || told().any(|notice| on_spot(notice.kind));
        let times = told().filter(|notice| on_spot(notice.kind));
        let at = times.filter_map(|notice| Moment::read(&notice.time)).max();
        (node.market == Market::Spot && risky).then(|| Self::at(node, at))
    }

    /// A node that was taken back.
    pub fn at(node: &Node, at: Option<Moment>) -> Self {
        let (instance_type, zone) = (node.instance_type.clone(), node.zone.clone());
        Self { instance_type, zone, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Announced;
    use crate::model::Link;

    fn node(market: Market) -> Node {
        Node {
            template: Link::Id("lt-1".into()),
            subnet: Link::Id("subnet-1".into()),
            zone: "us-east-1a".into(),
            instance_type: "g5.xlarge".to_owned(),
            market,
            placement: None,
            reservation: None,
        }
    }

    fn says(reason: &str) -> Condition {
        Condition { reason: Some(reason.to_owned()), ..Condition::default() }
    }

    #[test]
    fn notices_of_spot_count_and_others_do_not() {
        let of = |market, condition: &Condition| Interrupted::of(&node(market), condition);
        let noon = Moment::read("2026-11-24T12:02:00Z");
        let told = of(Market::Spot, &says("cordoned, spot interruption at 2026-11-24T12:02:00Z"));
        assert_eq!(told.expect("one").at, noon);
        let told = of(Market::Spot, &says("rebalance recommended at 2026-11-24T12:02:00Z"));
        assert_eq!(told.expect("one").at, noon);
        let what = "marked-for-termination".to_owned();
        let announced = vec![Announced::Interruption { what }];
        let marked = Condition { announced, ..Condition::default() };
        assert_eq!(of(Market::Spot, &marked).expect("one").at, None);
        assert_eq!(of(Market::OnDemand, &marked), None);
        let block = says("Capacity Block taken back from 2026-11-24T12:02:00Z");
        assert_eq!(of(Market::Spot, &block), None);
        assert_eq!(of(Market::Spot, &says("cordoned")), None);
    }
}
