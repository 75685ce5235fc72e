//! `mlinfra nodes`, and how one node is found.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cloud::Observed;
use crate::model::{Address, Clock, CloudId, Place, Problem, Sources};
use crate::show::nodes::{self, NodeRow};

use super::DONE;
use super::args::{Global, NodesArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::node_args::WhichNode;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &NodesArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let observed = observe(&session).await?;
        let region = &session.facts.home.region;
        let wanted = |row: &NodeRow<'_>| {
            args.cluster.as_ref().is_none_or(|it| it.covers(&row.live.owner.address))
        };
        let all = nodes::rows(&observed, region, &session.tables);
        let rows: Vec<_> = all.iter().filter(|row| wanted(row)).cloned().collect();
        if let (Some(place), true) = (&args.cluster, rows.is_empty()) {
            known(place, &session, &observed)?;
        }
        let now = session.side.now();
        if global.json {
            let rows: Vec<_> = rows.iter().map(|row| nodes::json(row, now)).collect();
            terminal.json(&json!({ "format_version": "1.0", "nodes": rows }));
        } else if rows.is_empty() {
            terminal.print("There are no nodes.\n");
        } else {
            terminal.print(&nodes::text(&rows, now, &terminal.screen));
        }
        Ok(DONE)
    })
}

/// What the cloud shows; nodes that could not be listed are not none.
async fn observe(session: &Session) -> Result<Observed, Halt> {
    let mut ledger = session.read_ledger().await?;
    let observed = session.observe(&mut ledger, false).await?;
    match observed.blind.get(&crate::kinds::KindName::Node) {
        Some(why) => {
            let text = format!("the nodes could not be listed: {why}");
            Err(Halt::one("C001", text, "ask for the right that the message names"))
        }
        None => Ok(observed),
    }
}

/// A cluster without nodes is one that is declared, or that owns something.
fn known(place: &Place, session: &Session, observed: &Observed) -> Result<(), Halt> {
    let desired = session.desired(observed, false).map_err(|all| session.halt(all))?;
    let clusters: BTreeSet<Address> = desired.fleets.keys().map(Address::owner).collect();
    if clusters.iter().any(|cluster| place.covers(cluster)) {
        return Ok(());
    }
    let names: Vec<String> = clusters.iter().map(ToString::to_string).collect();
    let help = match names.as_slice() {
        [] => "the stack has no clusters".to_owned(),
        names => format!("its clusters are {}", names.join(", ")),
    };
    let problem = Problem::error("S002", format!("there is no cluster {place}")).help(help);
    Err(Halt::of(vec![problem], &Sources::default()))
}

/// One node that was named, with what else is to be known.
pub struct Found {
    /// The stack and its cloud.
    pub session: Session,
    /// What the cloud shows.
    pub observed: Observed,
    /// The node.
    pub id: CloudId,
}

impl Found {
    /// Its row.
    pub fn row(&self) -> Option<NodeRow<'_>> {
        let region = &self.session.facts.home.region;
        let tables = &self.session.tables;
        nodes::rows(&self.observed, region, tables).into_iter().find(|row| *row.id == self.id)
    }
}

/// Finds a node by its id, the beginning of it, or its cluster.
pub async fn find(global: &Global, which: &WhichNode) -> Result<Found, Halt> {
    let session = connect::session(global, &which.vars).await?;
    let observed = observe(&session).await?;
    let name = which.node.as_str();
    let place = name.parse::<Place>().ok().filter(|_| name.contains('.'));
    let rows = nodes::rows(&observed, &session.facts.home.region, &session.tables);
    let fits = |row: &&NodeRow<'_>| match &place {
        Some(place) => place.covers(&row.live.owner.address),
        None => row.id.short().starts_with(name),
    };
    let fitting: Vec<_> = rows.iter().filter(fits).collect();
    let exact = fitting.iter().find(|row| row.id.short() == name);
    let id = match (exact, fitting.as_slice()) {
        (Some(row), _) | (None, [row]) => row.id.clone(),
        (None, []) => {
            let help = "`mlinfra nodes` lists them";
            return Err(Halt::one("S002", format!("there is no node {name}"), help));
        }
        (None, many) => {
            let some: Vec<_> = many.iter().take(5).map(|row| row.id.short()).collect();
            let more = if many.len() > some.len() { ", …" } else { "" };
            let text = format!("{name} is {} nodes", many.len());
            return Err(Halt::one("S002", text, format!("name one: {}{more}", some.join(", "))));
        }
    };
    Ok(Found { session, observed, id })
}
