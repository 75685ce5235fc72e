//! The nodes of a stack: a table for people, the same as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row};
use super::node_notes;
use super::screen::{Ink, Screen, Untrusted};
use super::table::{Line, Table, Wides};
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
    /// Of a node, and the day of a price on spot.
    fn of(self, node: &Node) -> (Option<Money>, Option<&'a str>) {
        let place = (node.instance_type.clone(), node.zone.clone());
        let now = self.spot.get(&place).filter(|_| node.market == Market::Spot);
        let asked = now.map(|now| now.usd);
        let paid = self.catalog.paid(self.region, &node.instance_type, node.market, asked);
        (paid.per_hour(), now.map(|now| now.day.as_str()))
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

/// What stands in the table and may be left out, and where zones are short.
type Layout = (bool, &'static [usize]);

/// How the rows are laid out: which columns, and how wide each is. Where the screen is narrow,
/// what matters least goes first: numbers of launches, the region in front of each zone, and jobs,
/// which then have lines of their own. Where even that does not help, rows are lists.
fn lay_out(lines: &mut [Line], jobs: bool, screen: &Screen) -> (Table<'static>, Option<Wides>) {
    const WITH_JOBS: [Layout; 3] = [(false, &[BATCH]), (true, &[BATCH]), (true, &[BATCH, JOBS])];
    const WITHOUT: [Layout; 3] =
        [(false, &[JOBS]), (false, &[BATCH, JOBS]), (true, &[BATCH, JOBS])];
    let full: Vec<String> = lines.iter().map(|(_, cells)| cells[ZONE].clone()).collect();
    let table = |out| Table { heads: &HEADS, right: &RIGHT, indent: 2, out };
    // Where there are jobs, they matter more than numbers of launches.
    let ways: &[Layout] = if jobs { &WITH_JOBS } else { &WITHOUT };
    for (short, out) in ways {
        for ((_, cells), zone) in lines.iter_mut().zip(&full) {
            cells[ZONE] = if *short { letter(zone) } else { zone.clone() };
        }
        if let Some(wides) = table(*out).lay_out(screen, lines) {
            return (table(*out), Some(wides));
        }
    }
    lines.iter_mut().zip(full).for_each(|((_, cells), zone)| cells[ZONE] = zone);
    let indent = if screen.plain { 0 } else { 2 };
    (Table { indent, ..table(&[]) }, None)
}

fn ink(row: &NodeRow<'_>) -> Ink {
    match row.state() {
        "unhealthy" | "failed" => Ink::Bad,
        "quarantine" => Ink::Warn,
        _ => Ink::Plain,
    }
}

/// A table per cluster.
pub fn text(all: &[NodeRow<'_>], wrong: &[Misled], now: Moment, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let line = |row: &NodeRow<'_>| (ink(row), cells(row, now).to_vec());
    let mut lines: Vec<Line> = all.iter().map(line).collect();
    let jobs = all.iter().any(|row| row.job().is_some());
    let (table, wides) = lay_out(&mut lines, jobs, screen);
    let mut cluster = String::new();
    for (row, line) in all.iter().zip(&lines) {
        let here = row.cluster();
        if here != cluster {
            page.row(&Row::at(0).words(Ink::Bold, &here));
            if let Some(wides) = &wides {
                table.head(&mut page, wides);
            }
            cluster = here;
        }
        match &wides {
            Some(wides) => {
                table.row(&mut page, line, wides);
                if let Some(job) = row.job().filter(|_| table.out.contains(&JOBS)) {
                    page.row(&Row::at(4).hang(6).words(Ink::Dim, format!("works on {job}")));
                }
            }
            None => table.facts(&mut page, screen, std::slice::from_ref(line)),
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
