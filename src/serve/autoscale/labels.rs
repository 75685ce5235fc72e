//! Words of labels: few, whatever comes in.

use serde::Serialize;
use serde_json::Value;

use crate::fleet::{Node, TurnTo};
use crate::kinds::Market;

/// Where a node stands and how it is paid: instance type, zone, market.
pub type Place = (String, String, &'static str);

/// Where a node stands and how it is paid.
pub fn place(node: &Node) -> Place {
    let instance = node.offer.as_str().split('/').next().unwrap_or_default();
    (instance.to_owned(), node.zone.to_string(), node.market.word())
}

/// A market that there is; text that names none is `other`.
pub fn known_market(word: &str) -> &'static str {
    let all = [Market::OnDemand, Market::Spot, Market::Reserved, Market::CapacityBlock];
    all.into_iter().map(Market::word).find(|it| *it == word).unwrap_or("other")
}

/// What a node is told.
pub fn turned(to: TurnTo) -> &'static str {
    match to {
        TurnTo::Cordon => "cordon",
        TurnTo::Uncordon => "uncordon",
        TurnTo::Drain => "drain",
        TurnTo::Terminate => "terminate",
        TurnTo::Quarantine => "quarantine",
    }
}

/// A reason's name, as JSON has it.
pub fn tag(reason: &impl Serialize, key: &str) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
