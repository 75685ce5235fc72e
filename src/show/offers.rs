//! Where clusters can run at what price: a table for people, the same as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::table::{Line, Table};
use crate::catalog::Catalog;
use crate::cloud::taken_back;
use crate::kinds::Offer;
use crate::model::{Address, Link, Money};
use crate::stack::{Fleet, Rejected};

/// What a node costs for each of its accelerators.
fn per_gpu(catalog: &Catalog, offer: &Offer) -> Option<Money> {
    let known = catalog.get(&offer.instance_type)?;
    offer.price?.over(known.accelerators())
}

fn money(price: Option<Money>) -> String {
    price.map_or_else(|| "unknown".to_owned(), |price| price.to_string())
}

fn cells(catalog: &Catalog, at: usize, offer: &Offer) -> [String; 7] {
    let known = catalog.get(&offer.instance_type);
    let per_gpu = match known.map(|known| known.accelerators()) {
        Some(0) => "-".to_owned(),
        Some(_) | None => money(per_gpu(catalog, offer)),
    };
    [
        (at + 1).to_string(),
        offer.instance_type.clone(),
        known.map_or_else(|| "unknown".to_owned(), |known| known.accelerator_words()),
        offer.zone.to_string(),
        match &offer.reservation {
            Some(id) => format!("{} {id}", offer.market.word()),
            None => offer.market.word().to_owned(),
        },
        money(offer.price),
        per_gpu,
    ]
}

const HEADS: [&str; 7] = ["", "TYPE", "ACCELERATORS", "ZONE", "MARKET", "$/H", "$/GPU-H"];

/// What the author may want to know of it.
fn advice(page: &mut Page, fleet: &Fleet) {
    for one in &fleet.advice {
        let mut lines = vec![one.summary.clone()];
        lines.extend(one.detail.lines().map(str::to_owned));
        lines.push(one.help.replace('\n', " "));
        let row = |at, ink, line: &str| Row::at(at).hang(4).words(ink, line);
        for (at, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
            page.row(&if at == 0 { row(2, Ink::Warn, line) } else { row(4, Ink::Plain, line) });
        }
    }
}

/// One fleet.
pub fn text(catalog: &Catalog, address: &Address, fleet: &Fleet, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let nodes = count(usize::try_from(fleet.count).unwrap_or(0), "node", "nodes");
    let nodes = match fleet.is_scaled() {
        true => format!("{} to {} nodes", fleet.count, fleet.most),
        false => nodes,
    };
    let gang = if fleet.gang { ", all or none" } else { "" };
    let order = if fleet.offers.is_empty() { "nowhere to be had now" } else { "best offer first" };
    let head = format!("{}: {nodes}{gang}, {order}", address.owner());
    page.row(&Row::at(0).words(Ink::Bold, head));
    let offers = fleet.offers.iter().enumerate();
    let rows = offers.map(|(at, offer)| (Ink::Plain, cells(catalog, at, offer).to_vec()));
    let rows: Vec<Line> = rows.collect();
    if !rows.is_empty() {
        let table = Table { heads: &HEADS, right: &[5, 6], indent: 2, out: &[] };
        table.write(&mut page, screen, &rows);
    }
    let best = fleet.offers.first().and_then(|offer| offer.price);
    if let Some(price) = best.filter(|_| fleet.count > 0) {
        let (hour, month) = (price * fleet.count, (price * fleet.count).per_month());
        let total = format!("{nodes} on the first offer: {hour}/h, {month} in a month of 730 h.");
        page.row(&Row::at(2).words(Ink::Plain, total));
    }
    if fleet.offers.iter().any(|offer| offer.reservation.is_some()) {
        let text =
            "A reservation is paid whether it is used or not: nodes in it cost nothing more.";
        page.row(&Row::at(2).words(Ink::Plain, text));
    }
    for offer in &fleet.offers {
        let group = offer.placement.as_ref().and_then(Link::id);
        let (Some(id), Some(group)) = (&offer.reservation, group) else { continue };
        let name = group.as_str().rsplit('/').next().unwrap_or_default();
        let text = format!("{id} is in the placement group {name}, and so are its nodes.");
        page.row(&Row::at(2).words(Ink::Plain, text));
    }
    for offer in &fleet.offers {
        let (Some(id), Some(ends)) = (&offer.reservation, offer.ends) else { continue };
        let text =
            format!("{id} ends at {ends}; AWS takes machines back from {} on.", taken_back(ends));
        page.row(&Row::at(2).words(Ink::Plain, text));
    }
    for offer in &fleet.offers {
        let Some(setback) = offer.setback else { continue };
        let text = format!("{}: {}.", offer.words(), setback.words());
        page.row(&Row::at(2).hang(4).words(Ink::Plain, text));
    }
    advice(&mut page, fleet);
    if !fleet.rejected.is_empty() {
        page.row(&Row::at(2).words(Ink::Bold, "Will not do:"));
        for Rejected { what, why } in &fleet.rejected {
            page.row(&Row::at(4).hang(6).words(Ink::Dim, format!("{what}: {why}")));
        }
    }
    page.finish()
}

/// One fleet.
pub fn json(catalog: &Catalog, address: &Address, fleet: &Fleet) -> Value {
    let offer = |offer: &Offer| {
        json!({
            "instance_type": offer.instance_type,
            "zone": offer.zone,
            "market": offer.market,
            "reservation": offer.reservation,
            "free": offer.free,
            "ends_at": offer.ends.map(|at| at.to_string()),
            "setback": offer.setback.map(|it| json!({
                "times": it.times,
                "until": it.until.to_string(),
            })),
            "usd_per_hour": offer.price,
            "usd_per_gpu_hour": per_gpu(catalog, offer),
        })
    };
    let no = |one: &Rejected| json!({ "what": one.what, "why": one.why });
    json!({
        "address": address.owner().to_string(),
        "nodes": fleet.count,
        "max": fleet.most,
        "gang": fleet.gang,
        "offers": fleet.offers.iter().map(offer).collect::<Vec<_>>(),
        "rejected": fleet.rejected.iter().map(no).collect::<Vec<_>>(),
    })
}
