//! `mlinfra nodes`, and how one node is found.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cloud::{Ask, Facts, Observed, SpotPrices};
use crate::kinds::{Market, Spec};
use crate::model::{Address, Clock, CloudId, Place, Problem, Sources};
use crate::plan::{self, Misled};
use crate::show::nodes::{self, NodeRow, Prices};

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
        let spot = spot(&session, &observed).await;
        let wanted = |row: &NodeRow<'_>| {
            args.cluster.as_ref().is_none_or(|it| it.covers(&row.live.owner.address))
        };
        let all = nodes::rows(&observed, Prices { spot: &spot, ..prices(&session) });
        let rows: Vec<_> = all.iter().filter(|row| wanted(row)).cloned().collect();
        if let (Some(place), true) = (&args.cluster, rows.is_empty()) {
            known(place, &session, &observed)?;
        }
        let now = session.side.now();
        let wrong = misled(&session, &observed);
        let wrong: Vec<Misled> = wrong
            .into_iter()
            .filter(|it| args.cluster.as_ref().is_none_or(|place| place.covers(&it.service)))
            .collect();
        if global.json {
            let rows: Vec<_> = rows.iter().map(|row| nodes::json(row, now)).collect();
            let names: Vec<_> = wrong.iter().map(nodes::misled_json).collect();
            let all = json!({ "format_version": "1.0", "nodes": rows, "misled": names });
            terminal.json(&all);
        } else if rows.is_empty() && wrong.is_empty() {
            terminal.print("There are no nodes.\n");
        } else {
            terminal.print(&nodes::text(&rows, &wrong, now, &terminal.screen));
        }
        Ok(DONE)
    })
}

/// Names that lead to machines which serve nobody. What a configuration with mistakes wants is
/// told by others.
fn misled(session: &Session, observed: &Observed) -> Vec<Misled> {
    let desired = session.desired(observed, false);
    desired.map(|desired| plan::misled(&desired, observed)).unwrap_or_default()
}

/// Where prices of nodes are found.
pub fn prices(session: &Session) -> Prices<'_> {
    let Facts { home, spot, .. } = &session.facts;
    Prices { region: &home.region, catalog: &session.tables, spot }
}

/// What spot costs where nodes run on it, also on types that the stack would not launch today. A
/// price that nobody tells is unknown, and no reason to tell nothing.
async fn spot(session: &Session, observed: &Observed) -> SpotPrices {
    let mut spot = session.facts.spot.clone();
    let nodes = observed.live.values().filter_map(|live| match live.spec() {
        Some(Spec::Node(node)) if node.market == Market::Spot => Some(node),
        Some(_) | None => None,
    });
    let open = nodes.filter(|it| !spot.contains_key(&(it.instance_type.clone(), it.zone.clone())));
    let types: BTreeSet<String> = open.map(|node| node.instance_type.clone()).collect();
    if !types.is_empty() {
        let ask = Ask { spot: types, at: session.side.now(), ..Ask::default() };
        if let Ok(facts) = session.side.cloud().facts(&ask).await {
            spot.extend(facts.spot);
        }
    }
    spot
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
    let problem = Problem::error("S006", format!("there is no cluster {place}")).help(help);
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
        let rows = nodes::rows(&self.observed, prices(&self.session));
        rows.into_iter().find(|row| *row.id == self.id)
    }
}

/// Finds a node by its id, the beginning of it, or its cluster.
pub async fn find(global: &Global, which: &WhichNode) -> Result<Found, Halt> {
    let session = connect::session(global, &which.vars).await?;
    let observed = observe(&session).await?;
    let name = which.node.as_str();
    let place = name.parse::<Place>().ok().filter(|_| name.contains('.'));
    let rows = nodes::rows(&observed, prices(&session));
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
            return Err(Halt::one("S006", format!("there is no node {name}"), help));
        }
        (None, many) => {
            let some: Vec<_> = many.iter().take(5).map(|row| row.id.short()).collect();
            let more = if many.len() > some.len() { ", …" } else { "" };
            let text = format!("{name} is {} nodes", many.len());
            return Err(Halt::one("S006", text, format!("name one: {}{more}", some.join(", "))));
        }
    };
    Ok(Found { session, observed, id })
}
