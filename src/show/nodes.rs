//! The nodes of a stack: a table for people, the same as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row};
use super::node_notes;
use super::screen::{Ink, Screen, Untrusted};
use super::table::Table;
use super::words;
use crate::catalog::Catalog;
use crate::cloud::{Condition, Live, Observed, Phase, SpotPrices};
use crate::kinds::{Market, Node, Spec};
use crate::model::{CloudId, Moment, Money, Region};
use crate::plan::Misled;

/// One node as it is told.
#[derive(Clone, Debug)]
pub struct NodeRow<'a> {
    /// Its id.
    pub id: &'a CloudId,
    /// What is known of it.
    pub live: &'a Live,
    /// What it is, where that could be read.
    pub node: Option<&'a Node>,
    /// What it says of itself.
    pub condition: Condition,
    /// What it costs per hour, where that is known; nothing in capacity that is paid whether it
    /// is used or not.
    pub price: Option<Money>,
    /// The day on which the cloud said so, of a price on spot.
    pub priced: Option<&'a str>,
}

impl NodeRow<'_> {
    /// One word: the cloud's while the machine comes or goes, else its own.
    pub fn state(&self) -> &str {
        match &self.live.phase {
            Phase::Ready | Phase::Pending if self.condition.quarantine.is_some() => "quarantine",
            Phase::Pending => "pending",
            Phase::Leaving => "terminating",
            Phase::Gone => "gone",
            Phase::Failed(_) => "failed",
            Phase::Ready => self.condition.state.as_deref().unwrap_or("running"),
        }
    }

    /// What it works on.
    pub fn job(&self) -> Option<&str> {
        self.condition.job.as_deref()
    }

    /// Why it is in that state.
    pub fn reason(&self) -> Option<&str> {
        match &self.live.phase {
            Phase::Failed(why) => Some(why),
            Phase::Pending | Phase::Leaving | Phase::Gone => None,
            // The mark says why.
            Phase::Ready if self.condition.quarantine.is_some() => None,
            Phase::Ready => self.condition.reason.as_deref(),
        }
    }

    /// It runs in capacity that is paid whether it is used or not.
    pub fn prepaid(&self) -> bool {
        let market = self.node.map(|node| node.market);
        matches!(market, Some(Market::Reserved | Market::CapacityBlock))
    }

    /// The cluster that it belongs to.
    pub fn cluster(&self) -> String {
        self.live.owner.address.owner().to_string()
    }
}

/// Where prices of nodes are found.
#[derive(Clone, Copy)]
pub struct Prices<'a> {
    /// The region.
    pub region: &'a Region,
    /// What is listed.
    pub catalog: &'a Catalog,
    /// What spot costs now, which counts more than what is listed.
    pub spot: &'a SpotPrices,
}

impl<'a> Prices<'a> {
    /// Of a node, and the day of a price on spot. The market decides, as it does in a bill.
    fn of(self, node: &Node) -> (Option<Money>, Option<&'a str>) {
        let listed = || self.catalog.price(self.region, &node.instance_type, node.market);
        match node.market {
            Market::Reserved | Market::CapacityBlock => (Some(Money::ZERO), None),
            Market::OnDemand => (listed().map(|it| it.usd), None),
            Market::Spot => {
                let now = self.spot.get(&(node.instance_type.clone(), node.zone.clone()));
                match now {
                    Some(now) => (Some(now.usd), Some(&now.day)),
                    None => (listed().map(|it| it.usd), None),
                }
            }
        }
    }
}

/// Every node, by cluster, batch and id.
pub fn rows<'a>(observed: &'a Observed, prices: Prices<'a>) -> Vec<NodeRow<'a>> {
    let one = |(id, live): (&'a CloudId, &'a Live)| {
        let node = match live.spec() {
            Some(Spec::Node(node)) => Some(node),
            Some(_) | None => None,
        };
        let (price, priced) = node.map_or((None, None), |node| prices.of(node));
        let condition = observed.conditions.get(id).cloned().unwrap_or_default();
        NodeRow { id, live, node, condition, price, priced }
    };
    let nodes = observed.live.iter().filter(|(_, live)| live.kind == crate::kinds::KindName::Node);
    let mut all: Vec<_> = nodes.map(one).collect();
    all.sort_by(|a, b| {
        let key = |row: &NodeRow<'a>| (row.live.owner.address.clone(), row.live.batch);
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(b.id))
    });
    all
}

/// `45s`, `12m`, `5h`, `3d`
fn age(launched: Option<Moment>, now: Moment) -> String {
    let Some(launched) = launched else { return "unknown".to_owned() };
    words::age(launched, now)
}

const HEADS: [&str; 9] = ["NODE", "STATE", "TYPE", "ZONE", "MARKET", "AGE", "$/H", "BATCH", "JOB"];
/// Columns of numbers.
const RIGHT: [usize; 3] = [5, 6, 7];
/// The column of zones.
const ZONE: usize = 3;
/// The column of launches.
const BATCH: usize = 7;
/// The column of jobs.
const JOBS: usize = 8;
/// Characters of a job's name that the table shows.
const JOB: usize = 20;

fn cells(row: &NodeRow<'_>, now: Moment) -> [String; 9] {
    let of = |text: fn(&Node) -> String| row.node.map_or_else(|| "unknown".to_owned(), text);
    let clean = |text: &str| Untrusted(text).to_string();
    let price = || row.price.map_or_else(|| "unknown".to_owned(), |price| price.to_string());
    [
        clean(row.id.short()),
        clean(row.state()),
        clean(&of(|node| node.instance_type.clone())),
        clean(&of(|node| node.zone.to_string())),
        of(|node| node.market.word().to_owned()),
        age(row.condition.launched, now),
        if row.prepaid() { "prepaid".to_owned() } else { price() },
        row.live.batch.map_or_else(|| "unknown".to_owned(), |batch| batch.to_string()),
        row.job().map(|job| clean(job).chars().take(JOB).collect()).unwrap_or_default(),
    ]
}

/// The zone without its region, which is the same for all: `1a`.
fn letter(zone: &str) -> String {
    zone.rsplit('-').next().unwrap_or_default().to_owned()
}

/// How the rows are laid out: which columns, and how wide each is. Where the screen is narrow,
/// what matters least goes first: numbers of launches, the region in front of each zone, and jobs,
/// which then have lines of their own. Where even that does not help, rows are lists.
fn lay_out(table: &mut [[String; 9]], jobs: bool, width: usize) -> Option<Vec<(usize, usize)>> {
    let full: Vec<String> = table.iter().map(|row| row[ZONE].clone()).collect();
    // Where there are jobs, they matter more than numbers of launches.
    let first: &[usize] = if jobs { &[BATCH] } else { &[JOBS] };
    let least: &[usize] = &[BATCH, JOBS];
    let second = if jobs { first } else { least };
    for (short, out) in [(false, first), (false, second), (true, second), (true, least)] {
        for (row, zone) in table.iter_mut().zip(&full) {
            row[ZONE] = if short { letter(zone) } else { zone.clone() };
        }
        let found = columns(table, out);
        // Two characters stand before each of them.
        if found.iter().map(|(_, wide)| wide + 2).sum::<usize>() <= width {
            return Some(found);
        }
    }
    table.iter_mut().zip(full).for_each(|(row, zone)| row[ZONE] = zone);
    None
}

/// The columns but for some, and how wide each is.
fn columns(table: &[[String; 9]], out: &[usize]) -> Vec<(usize, usize)> {
    let wide = |at: usize| {
        let cells = table.iter().map(|row| row[at].chars().count());
        cells.chain([HEADS[at].len()]).max().unwrap_or(0)
    };
    (0..HEADS.len()).filter(|at| !out.contains(at)).map(|at| (at, wide(at))).collect()
}

fn line(cells: &[String], columns: &[(usize, usize)]) -> String {
    let padded = columns.iter().map(|(at, wide)| {
        let cell = &cells[*at];
        if RIGHT.contains(at) { format!("{cell:>wide$}") } else { format!("{cell:<wide$}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// A table per cluster.
pub fn text(all: &[NodeRow<'_>], wrong: &[Misled], now: Moment, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let mut table: Vec<_> = all.iter().map(|row| cells(row, now)).collect();
    let jobs = all.iter().any(|row| row.job().is_some());
    let columns = lay_out(&mut table, jobs, screen.width).filter(|_| !screen.plain);
    let mut cluster = String::new();
    for (row, cells) in all.iter().zip(&table) {
        let here = row.cluster();
        if here != cluster {
            page.row(&Row::at(0).words(Ink::Bold, &here));
            if let Some(columns) = &columns {
                page.row(&Row::at(2).code(Ink::Dim, &line(&HEADS.map(str::to_owned), columns)));
            }
            cluster = here;
        }
        let ink = match row.state() {
            "unhealthy" | "failed" => Ink::Bad,
            "quarantine" => Ink::Warn,
            _ => Ink::Plain,
        };
        match &columns {
            Some(columns) => {
                page.row(&Row::at(2).code(ink, &line(cells, columns)));
                let shown = columns.iter().any(|(at, _)| *at == JOBS);
                if let Some(job) = row.job().filter(|_| jobs && !shown) {
                    page.row(&Row::at(4).hang(6).words(Ink::Dim, format!("works on {job}")));
                }
            }
            None => {
                let indent = if screen.plain { 0 } else { 2 };
                let heads = Table { heads: &HEADS, right: &[], indent };
                heads.facts(&mut page, screen, &[(ink, cells.to_vec())]);
            }
        }
        if let Some(reason) = row.reason() {
            page.row(&Row::at(4).hang(6).words(Ink::Dim, reason));
        }
        for (_, text) in node_notes::words(&row.condition, now) {
            page.row(&Row::at(4).hang(6).words(Ink::Dim, text));
        }
    }
    for one in wrong {
        page.row(&Row::at(0).hang(2).words(Ink::Bad, format!("{}.", one.words())));
        page.row(&Row::at(2).hang(2).words(Ink::Dim, format!("{}.", Misled::HELP)));
    }
    for text in prices_say(all) {
        page.row(&Row::at(0).words(Ink::Dim, text));
    }
    page.finish()
}

/// What prices stand for that are no list prices.
fn prices_say(all: &[NodeRow<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    if all.iter().any(NodeRow::prepaid) {
        let text = "prepaid: a reservation is paid whether it is used or not; nodes in it cost \
                    nothing more.";
        out.push(text.to_owned());
    }
    if let Some(day) = all.iter().filter_map(|row| row.priced).max() {
        out.push(format!("Prices on spot are those that AWS asks now ({day})."));
    }
    out
}

/// A name that leads where nobody serves.
pub fn misled_json(one: &Misled) -> Value {
    let Misled { service, name, node, address, why } = one;
    json!({
        "service": service.to_string(),
        "name": name,
        "node": node.as_ref().map(CloudId::short),
        "address": address,
        "why": why,
    })
}

/// One node.
pub fn json(row: &NodeRow<'_>, now: Moment) -> Value {
    let NodeRow { id, live, node, condition, price, priced } = row;
    json!({
        "id": id.short(),
        "cluster": row.cluster(),
        "state": row.state(),
        "reason": row.reason(),
        "job": row.job(),
        "mark": condition.mark,
        "quarantine": condition.quarantine.as_ref().map(|it| json!({
            "until": it.until.map(|until| until.to_string()),
            "reason": it.reason,
        })),
        "notices": node_notes::words(condition, now)
            .into_iter()
            .filter(|(word, _)| *word != "quarantine")
            .map(|(word, text)| json!({ "notice": word, "text": text }))
            .collect::<Vec<_>>(),
        "instance_type": node.map(|node| &node.instance_type),
        "zone": node.map(|node| &node.zone),
        "market": node.map(|node| node.market.word()),
        "usd_per_hour": price,
        "prepaid": row.prepaid(),
        "priced_on": priced,
        "launched_at": condition.launched.map(|at| at.to_string()),
        "age_seconds": condition.launched.map(|at| now.since(at) / 1000),
        "batch": live.batch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let at = |seconds: i64| age(Some(Moment(1000)), Moment(1000 + seconds * 1000));
        assert_eq!([at(0), at(119), at(120), at(7199)], ["0s", "119s", "2m", "119m"]);
        assert_eq!([at(7200), at(172_799), at(172_800)], ["2h", "47h", "2d"]);
        assert_eq!(age(Some(Moment(5000)), Moment(0)), "0s");
        assert_eq!(age(None, Moment(0)), "unknown");
    }
}
