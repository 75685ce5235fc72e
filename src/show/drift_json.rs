//! What others have changed, in the shape of Terraform's `resource_drift`.

use serde_json::{Value, json};

use super::change_json::Changed;
use super::event_json;
use super::state_json::with_id;
use super::terraform::Named;
use crate::cloud::{Live, Observed};
use crate::kinds::KindName;
use crate::plan::drift::{Changed as Become, Drift};

/// What others have changed. What is not seen as the stack's at its address is gone, and what
/// they have added is no drift in Terraform's sense.
pub(super) fn outside<'a>(found: &'a [Drift], observed: &Observed) -> Vec<Changed<'a>> {
    found.iter().filter_map(|drift| of_drift(drift, observed)).collect()
}

fn of_drift<'a>(drift: &'a Drift, observed: &Observed) -> Option<Changed<'a>> {
    let Drift { address, id, kind, was, change } = drift;
    let (word, actions): (_, &[&str]) = match change {
        Become::Fields(_) => ("changed", &["update"]),
        Become::Failed { .. } => ("failed", &["update"]),
        Become::Gone => ("gone", &["delete"]),
        Become::Disowned { .. } => ("disowned", &["delete"]),
        Become::Moved { .. } => ("moved", &["delete"]),
        Become::Appeared => return None,
    };
    let named = if *kind == KindName::Node {
        Named::node(address, id.as_str())
    } else {
        Named::new(address, *kind)
    };
    let before = was.as_ref().map(|was| with_id(was, Some(id)));
    let now = observed.live.get(id).and_then(Live::spec).filter(|_| actions == ["update"]);
    let after = now.map(|now| with_id(now, Some(id)));
    Some(Changed { after, became: Some(word), ..Changed::new(named, actions, before) })
}

/// A line of the stream.
pub(super) fn line(change: &Changed<'_>, timestamp: &str) -> Value {
    let action = change.action();
    let told = json!({ "resource": change.named.line(), "action": action });
    let text = format!("{}: Drift detected ({action})", change.named.address);
    event_json::line("info", &text, timestamp, "resource_drift", &json!({ "change": told }))
}
