//! `mlinfra offers`

use serde_json::json;

use crate::model::{Address, Place, Problem, Sources};
use crate::show;
use crate::stack::Fleet;

use super::DONE;
use super::args::{Global, OffersArgs};
use super::connect;
use super::halt::Halt;
use super::terminal::Terminal;

pub fn run(global: &Global, terminal: &Terminal, args: &OffersArgs) -> Result<u8, Halt> {
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let observed = session.observe(&mut ledger, false).await?;
        let desired = session.desired(&observed, false).map_err(|all| session.halt(all))?;
        let wanted = |address: &Address| args.cluster.as_ref().is_none_or(|it| it.covers(address));
        let fleets: Vec<(&Address, &Fleet)> =
            desired.fleets.iter().filter(|(address, _)| wanted(address)).collect();
        if let (Some(place), true) = (&args.cluster, fleets.is_empty()) {
            return Err(unknown(place, desired.fleets.keys()));
        }
        if global.json {
            let all: Vec<_> = fleets
                .iter()
                .map(|(address, fleet)| show::offers::json(&session.tables, address, fleet))
                .collect();
            terminal.json(&json!({ "format_version": "1.0", "clusters": all }));
        } else if fleets.is_empty() {
            terminal.print("The stack has no clusters.\n");
        } else {
            let texts: Vec<String> = fleets
                .iter()
                .map(|(address, fleet)| {
                    show::offers::text(&session.tables, address, fleet, &terminal.screen)
                })
                .collect();
            terminal.print(&texts.join("\n"));
        }
        Ok(DONE)
    })
}

pub fn unknown<'a>(place: &Place, known: impl Iterator<Item = &'a Address>) -> Halt {
    let known: Vec<String> = known.map(|address| address.owner().to_string()).collect();
    let help = if known.is_empty() {
        "the stack has no clusters".to_owned()
    } else {
        format!("its clusters are {}", known.join(", "))
    };
    let problem = Problem::error("S006", format!("there is no cluster {place}")).help(help);
    Halt::of(vec![problem], &Sources::default())
}
