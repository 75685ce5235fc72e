//! The nodes of a stack: a table for people, the same as JSON.

use serde_json::{Value, json};

use super::fold::{Page, Row};
use super::node_notes;
use super::screen::{Ink, Screen, Untrusted};
use super::table::Table;
use super::words;
use crate::catalog::Catalog;
use crate::cloud::{Condition, Live, Observed, Phase};
use crate::kinds::{Node, Spec};
use crate::model::{CloudId, Moment, Money, Region};

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
    /// What it costs per hour, where that is known.
    pub price: Option<Money>,
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

    /// The cluster that it belongs to.
    pub fn cluster(&self) -> String {
        self.live.owner.address.owner().to_string()
    }
}

/// Every node, by cluster, batch and id.
pub fn rows<'a>(observed: &'a Observed, region: &Region, catalog: &Catalog) -> Vec<NodeRow<'a>> {
    let one = |(id, live): (&'a CloudId, &'a Live)| {
        let node = match live.spec() {
            Some(Spec::Node(node)) => Some(node),
            Some(_) | None => None,
        };
        let price = node.and_then(|node| {
            catalog.price(region, &node.instance_type, node.market).map(|it| it.usd)
        });
        let condition = observed.conditions.get(id).cloned().unwrap_or_default();
        NodeRow { id, live, node, condition, price }
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
const RIGHT: std::ops::Range<usize> = 5..8;
/// The column of launches, and behind it that of jobs.
const BATCH: usize = 7;
/// Characters of a job's name that the table shows.
const JOB: usize = 20;

fn cells(row: &NodeRow<'_>, now: Moment) -> [String; 9] {
    let of = |text: fn(&Node) -> String| row.node.map_or_else(|| "unknown".to_owned(), text);
    let clean = |text: &str| Untrusted(text).to_string();
    [
        clean(row.id.short()),
        clean(row.state()),
        clean(&of(|node| node.instance_type.clone())),
        clean(&of(|node| node.zone.to_string())),
        of(|node| node.market.word().to_owned()),
        age(row.condition.launched, now),
        row.price.map_or_else(|| "unknown".to_owned(), |price| price.to_string()),
        row.live.batch.map_or_else(|| "unknown".to_owned(), |batch| batch.to_string()),
        row.job().map(|job| clean(job).chars().take(JOB).collect()).unwrap_or_default(),
    ]
}

/// A table per cluster.
pub fn text(all: &[NodeRow<'_>], now: Moment, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let table: Vec<_> = all.iter().map(|row| cells(row, now)).collect();
    let wide = |at: usize| {
        let cells = table.iter().map(|row| row[at].chars().count());
        cells.chain([HEADS[at].len()]).max().unwrap_or(0)
    };
    let wides: Vec<usize> = (0..HEADS.len()).map(wide).collect();
    // Where there are jobs, they matter more than numbers of launches.
    let left_out = if all.iter().any(|row| row.job().is_some()) { BATCH } else { BATCH + 1 };
    let line = |cells: &[String]| {
        let shown = cells.iter().zip(&wides).enumerate().filter(|(at, _)| *at != left_out);
        let padded = shown.map(|(at, (cell, wide))| {
            if RIGHT.contains(&at) { format!("{cell:>wide$}") } else { format!("{cell:<wide$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut cluster = String::new();
    for (row, cells) in all.iter().zip(&table) {
        let here = row.cluster();
        if here != cluster {
            page.row(&Row::at(0).words(Ink::Bold, &here));
            if !screen.plain {
                page.row(&Row::at(2).code(Ink::Dim, &line(&HEADS.map(str::to_owned))));
            }
            cluster = here;
        }
        let ink = match row.state() {
            "unhealthy" | "failed" => Ink::Bad,
            "quarantine" => Ink::Warn,
            _ => Ink::Plain,
        };
        if screen.plain {
            let heads = Table { heads: &HEADS, right: &[], indent: 0 };
            heads.facts(&mut page, screen, &[(ink, cells.to_vec())]);
        } else {
            page.row(&Row::at(2).code(ink, &line(cells)));
        }
        if let Some(reason) = row.reason() {
            page.row(&Row::at(4).hang(6).words(Ink::Dim, reason));
        }
        for (_, text) in node_notes::words(&row.condition) {
            page.row(&Row::at(4).hang(6).words(Ink::Dim, text));
        }
    }
    page.finish()
}

/// One node.
pub fn json(row: &NodeRow<'_>, now: Moment) -> Value {
    let NodeRow { id, live, node, condition, price } = row;
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
        "notices": node_notes::words(condition)
            .into_iter()
            .filter(|(word, _)| *word != "quarantine")
            .map(|(word, text)| json!({ "notice": word, "text": text }))
            .collect::<Vec<_>>(),
        "instance_type": node.map(|node| &node.instance_type),
        "zone": node.map(|node| &node.zone),
        "market": node.map(|node| node.market.word()),
        "usd_per_hour": price,
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
