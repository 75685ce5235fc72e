//! What a plan says of nodes that come and go.

use std::time::Duration;

use super::fold::{Row, count};
use super::screen::Ink;
use super::value;
use super::words::span;
use crate::kinds::{Node, Offer};
use crate::model::CloudId;

/// Where everything that belongs to an object starts.
pub(super) const BODY: usize = 6;

/// Offers that the short form lists.
const OFFERS: usize = 4;

/// Where nodes may be launched.
pub(super) fn offers(offers: &[Offer], verbose: bool) -> Vec<Row> {
    let shown = if verbose { offers.len() } else { OFFERS };
    let mut rows = Vec::new();
    for (i, offer) in offers.iter().take(shown).enumerate() {
        let Offer {
            instance_type,
            zone,
            subnet,
            market,
            reservation,
            placement,
            interfaces: _,
            price,
            max_price: _,
            free,
            ends,
            setback,
        } = offer;
        let first = if i == 0 { "on" } else { "or" };
        let mut text = format!("{first} {instance_type} in {zone}, {}", market.word());
        text.extend(reservation.iter().map(|id| format!(" ({id})")));
        text.extend(free.iter().map(|free| format!(", room for {free}")));
        text.extend(price.iter().map(|price| match reservation {
            Some(_) => ", paid with the reservation".to_owned(),
            None => format!(", {price}/h each"),
        }));
        text.extend(ends.iter().map(|at| format!(", ends at {at}")));
        text.extend(setback.iter().map(|it| format!(" ({})", it.words())));
        if verbose {
            text.push_str(&format!(", {}", value::inline(&serde_json::json!(subnet))));
            let group = placement.iter();
            text.extend(group.map(|to| format!(", in {}", value::inline(&serde_json::json!(to)))));
        }
        rows.push(Row::at(BODY).hang(BODY + 3).words(Ink::Plain, text));
    }
    if offers.is_empty() {
        let text = "nowhere: no capacity can be had now (`mlinfra offers` says why)";
        rows.push(Row::at(BODY).hang(BODY + 3).words(Ink::Warn, text));
    }
    if offers.len() > shown {
        let more = count(offers.len() - shown, "more offer", "more offers");
        rows.push(Row::at(BODY).words(Ink::Dim, format!("or {more}")));
    }
    rows
}

/// Nodes that have failed, and how.
pub(super) fn quarantined(
    (nodes, was): (&[CloudId], &[Node]),
    reasons: &[String],
    seconds: u32,
) -> Vec<Row> {
    let kept = span(Duration::from_secs(seconds.into()));
    let text = format!("# failed: kept for {kept} to be looked at, and replaced");
    let mut rows = vec![Row::at(BODY).words(Ink::Plain, text)];
    for (i, id) in nodes.iter().enumerate() {
        let mut text = id.to_string();
        if let Some(Node { zone, instance_type, market, .. }) = was.get(i) {
            text.push_str(&format!("  {instance_type} in {zone}, {}", market.word()));
        }
        rows.push(Row::marked(BODY, Ink::Warn, "!").words(Ink::Plain, text));
        rows.extend(reasons.get(i).map(|how| Row::at(BODY + 4).words(Ink::Dim, how)));
    }
    rows
}

/// Nodes that go.
pub(super) fn terminated(nodes: &[CloudId], was: &[Node]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, id) in nodes.iter().enumerate() {
        let mut text = id.to_string();
        if let Some(Node { zone, instance_type, market, .. }) = was.get(i) {
            text.push_str(&format!("  {instance_type} in {zone}, {}", market.word()));
        }
        rows.push(Row::marked(BODY, Ink::Remove, "-").words(Ink::Plain, text));
    }
    rows
}
