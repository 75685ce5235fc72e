//! The catalogue: one instance type with all that is known of it, many as a table, and what a
//! refresh has brought; each figure with its day and its source.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::table::{Line, Table};
use crate::catalog::{Catalog, Fresh, InstanceType, Price, Tables};
use crate::kinds::Market;
use crate::model::{Money, Region};

/// The version of the document; a minor step only adds keys.
const FORMAT: &str = "1.0";

/// What is shown: tables of a region, and how many days ago that told its own.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The tables.
    pub tables: &'a Tables,
    /// The region.
    pub region: &'a Region,
    /// The age of what it told, where it told anything.
    pub days: Option<i64>,
}

/// Where the facts of a type are from: the day and the source.
fn origin<'a>(view: &View<'a>, name: &str) -> (&'a str, &'a str) {
    let (day, source) = Catalog::hardware();
    match view.tables.fresh() {
        Some(fresh) if Catalog::shipped().get(name).is_none() => (&fresh.day, &fresh.source),
        Some(_) | None => (day, source),
    }
}

fn price<'a>(view: &View<'a>, name: &str) -> Option<&'a Price> {
    view.tables.price(view.region, name, Market::OnDemand)
}

/// What spot cost on the day of the refresh, the cheapest zone first.
fn spot<'a>(fresh: Option<&'a Fresh>, name: &str) -> Vec<(&'a str, Money)> {
    let all = fresh.into_iter().flat_map(|fresh| &fresh.spot);
    let of = all.filter(|((of, _), _)| of == name);
    let mut found: Vec<_> = of.map(|((_, zone), usd)| (zone.as_str(), *usd)).collect();
    found.sort_by_key(|(zone, usd)| (*usd, *zone));
    found
}

/// `read 2026-01-19: https://…`
fn read(day: &str, source: &str) -> String {
    format!("read {day}: {source}")
}

/// From when and from whom the figures of a region are.
fn heading(view: &View<'_>) -> String {
    let region = view.region;
    match (view.tables.fresh(), view.days) {
        (Some(fresh), Some(0)) => {
            format!("{region}, as it told on {} (today): {}", fresh.day, fresh.source)
        }
        (Some(fresh), days) => {
            let days = days.and_then(|days| usize::try_from(days).ok()).unwrap_or(0);
            let ago = count(days, "day", "days");
            format!("{region}, as it told on {} ({ago} ago): {}", fresh.day, fresh.source)
        }
        (None, _) => format!(
            "{region}, by the tables in this mlinfra; `mlinfra catalog refresh` asks the region"
        ),
    }
}

fn cards_of(number: i32) -> String {
    count(usize::try_from(number).unwrap_or(0), "card", "cards")
}

/// One type.
pub fn one(view: &View<'_>, found: &InstanceType, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Bold, &found.name));
    let (day, source) = origin(view, &found.name);
    let markets: Vec<&str> = found.markets.iter().map(|market| market.word()).collect();
    let placement: Vec<&str> = found.placement.iter().map(String::as_str).collect();
    let nvme = match found.nvme {
        0 => "none".to_owned(),
        size => format!("{size} GB"),
    };
    let efa = match found.efa {
        0 => "none".to_owned(),
        cards => format!("{}, from card {}", cards_of(cards), found.efa_from),
    };
    let facts = [
        ("accelerators", found.accelerator_words()),
        ("processors", format!("{} vCPU, {}", found.vcpus, found.architecture)),
        ("memory", format!("{} GiB", found.memory.normalize())),
        ("network", format!("{} Gbit/s, {}", found.gbps.normalize(), cards_of(found.cards))),
        ("EFA", efa),
        ("local NVMe", nvme),
        ("to volumes", format!("{} Gbit/s", found.ebs_gbps.normalize())),
        ("sold", markets.join(", ")),
        ("placement", placement.join(", ")),
    ];
    let line = |page: &mut Page, name: &str, text: &str| {
        if screen.plain {
            let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
            return page.row(&Row::at(0).words(Ink::Plain, name + text));
        }
        let row = Row::at(2).hang(16).code(Ink::Dim, &format!("{name:<14}"));
        page.row(&row.words(Ink::Plain, text));
    };
    for (name, text) in facts {
        line(&mut page, name, &text);
    }
    line(&mut page, "", &read(day, source));
    page.gap();
    page.row(&Row::at(0).words(Ink::Bold, heading(view)));
    let text = price(view, &found.name).map_or_else(
        || "unknown".to_owned(),
        |price| format!("{}/h, {}", price.usd, read(&price.day, &price.source)),
    );
    line(&mut page, "on-demand", &text);
    if let Some(fresh) = view.tables.fresh() {
        let spot = spot(Some(fresh), &found.name);
        let each: Vec<String> =
            spot.iter().map(|(zone, usd)| format!("{usd}/h in {zone}")).collect();
        if !each.is_empty() {
            line(&mut page, "spot", &format!("{}, read {}", each.join(", "), fresh.day));
        }
        let zones: Vec<String> =
            fresh.zones.get(&found.name).into_iter().flatten().map(ToString::to_string).collect();
        let zones = if zones.is_empty() { "none".to_owned() } else { zones.join(", ") };
        line(&mut page, "zones", &zones);
    }
    page.finish()
}

const HEADS: [&str; 6] = ["TYPE", "ACCELERATORS", "VCPU", "GIB", "$/H", "READ"];

/// Many of them.
pub fn many(view: &View<'_>, found: &[&InstanceType], screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Bold, heading(view)));
    let row = |it: &&InstanceType| {
        let price = price(view, &it.name);
        let usd = price.map_or_else(|| "unknown".to_owned(), |price| price.usd.to_string());
        let day = price.map_or_else(|| "-".to_owned(), |price| price.day.clone());
        let memory = it.memory.normalize().to_string();
        let vcpus = it.vcpus.to_string();
        (Ink::Plain, vec![it.name.clone(), it.accelerator_words(), vcpus, memory, usd, day])
    };
    let lines: Vec<Line> = found.iter().map(row).collect();
    Table { heads: &HEADS, right: &[2, 3, 4], indent: 2, out: &[] }
        .write(&mut page, screen, &lines);
    sources(&mut page, view, found);
    page.finish()
}

/// Whose figures these are.
fn sources(page: &mut Page, view: &View<'_>, found: &[&InstanceType]) {
    let (day, source) = Catalog::hardware();
    let prices: BTreeSet<&str> = found
        .iter()
        .filter_map(|it| price(view, &it.name))
        .map(|price| price.source.as_str())
        .collect();
    let prices: Vec<&str> = prices.into_iter().collect();
    if !prices.is_empty() {
        let text = format!("On demand, Linux, without taxes: {}.", prices.join(", "));
        page.row(&Row::at(2).hang(4).words(Ink::Dim, text));
    }
    let text = format!("Hardware: {}.", read(day, source));
    page.row(&Row::at(2).hang(4).words(Ink::Dim, text));
}

/// Types as a document.
pub fn json(view: &View<'_>, found: &[&InstanceType]) -> Value {
    let fresh = view.tables.fresh();
    let types: Vec<Value> = found
        .iter()
        .map(|it| {
            let (day, source) = origin(view, &it.name);
            let price = price(view, &it.name).map(
                |Price { usd, day, source }| json!({ "usd": usd, "day": day, "source": source }),
            );
            let spot: Vec<Value> = spot(fresh, &it.name)
                .into_iter()
                .map(|(zone, usd)| json!({ "zone": zone, "usd": usd }))
                .collect();
            let zones = fresh.map(|fresh| fresh.zones.get(&it.name).cloned().unwrap_or_default());
            json!({
                "hardware": it, "day": day, "source": source, "on_demand": price, "spot": spot,
                "zones": zones,
            })
        })
        .collect();
    let services: Vec<Value> = view
        .tables
        .services(view.region)
        .map(|(name, (unit, price))| {
            let Price { usd, day, source } = price;
            let unit = unit.word();
            json!({ "name": name, "unit": unit, "usd": usd, "day": day, "source": source })
        })
        .collect();
    json!({
        "format_version": FORMAT,
        "region": view.region,
        "refreshed": fresh.map(|fresh| json!({ "day": fresh.day, "source": fresh.source })),
        "types": types,
        "services": services,
    })
}

/// What a refresh has brought.
pub fn refreshed(before: &Tables, fresh: &Fresh, path: &str, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let region = &fresh.region;
    let Fresh { types, prices, spot, services, day, .. } = fresh;
    let text = format!(
        "{region} told on {day}: {}, {} on demand, {} on spot, {} of services.",
        count(types.len(), "type", "types"),
        count(prices.len(), "price", "prices"),
        spot.len(),
        services.len(),
    );
    page.row(&Row::at(0).words(Ink::Plain, text));
    let mut changed: Vec<String> = Vec::new();
    for (name, usd) in prices {
        match before.price(region, name, Market::OnDemand) {
            Some(was) if was.usd != *usd => {
                changed.push(format!("{name}  {}/h -> {usd}/h", was.usd));
            }
            Some(_) | None => {}
        }
    }
    let known = |name: &&String| Catalog::shipped().get(name).is_none();
    let new = types.values().filter(|it| it.accelerator.is_some()).map(|it| &it.name);
    changed.extend(new.filter(known).map(|name| format!("{name}  is new here")));
    let differs =
        |it: &&InstanceType| Catalog::shipped().get(&it.name).is_some_and(|known| known != *it);
    changed.extend(types.values().filter(differs).map(|it| {
        format!("{}  has other hardware here than in the shipped table, which holds", it.name)
    }));
    for line in &changed {
        page.row(&Row::at(2).hang(4).words(Ink::Plain, line));
    }
    page.row(
        &Row::at(0).words(Ink::Dim, format!("Written to {path}; plan, offers and cost use it.")),
    );
    page.finish()
}
