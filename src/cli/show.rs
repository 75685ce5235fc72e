//! `mlinfra show`

use std::collections::BTreeMap;
use std::path::Path;

use crate::cloud::Observed;
use crate::ledger::Ledger;
use crate::model::{Place, Sources};
use crate::show::outputs::Output;
use crate::show::{self, objects, state_json};

use super::args::{Global, ShowArgs};
use super::closing::Closing;
use super::halt::Halt;
use super::plan_args::PlanFormat;
use super::terminal::Terminal;
use super::{DONE, connect, load, planfile, report, select};

pub fn run(global: &Global, terminal: &Terminal, args: &ShowArgs) -> Result<u8, Halt> {
    let named = args.plan.as_deref().and_then(place);
    if let (Some(path), None) = (&args.plan, &named) {
        return saved(global, terminal, path, args.shown.format);
    }
    if !matches!(args.shown.format, PlanFormat::Text | PlanFormat::Json) {
        let text = "--format shows a saved plan, and none is named";
        let help = "`mlinfra plan --out FILE` saves one; without a file `show` lists objects, as \
                    text or with --format json";
        return Err(Halt::one("P018", text, help));
    }
    let runtime = connect::runtime(global)?;
    runtime.block_on(async {
        let session = connect::session(global, &args.vars).await?;
        let mut ledger = session.read_ledger().await?;
        let mut observed = session.observe(&mut ledger, false).await?;
        if let Some(place) = &named {
            only(&mut observed, place)?;
        }
        let outputs = outputs(&ledger);
        // What was read is no longer needed, and the document is as large again.
        drop((session, ledger));
        if global.json || args.shown.format == PlanFormat::Json {
            terminal.json(&state_json::json(&observed, &outputs));
        } else {
            terminal.print(&objects::text(&observed, &terminal.screen));
        }
        Ok(DONE)
    })
}

/// An address in the place of a file, which `terraform state show` takes too: what no file is
/// called by is an object of the stack, a block, or a module.
fn place(path: &Path) -> Option<Place> {
    if path.exists() { None } else { path.to_str()?.parse().ok() }
}

/// Leaves what stands there.
fn only(observed: &mut Observed, place: &Place) -> Result<(), Halt> {
    observed.live.retain(|_, live| place.covers(&live.owner.address));
    if observed.live.is_empty() {
        let text = format!("nothing of the stack stands at {place}");
        return Err(Halt::one("P007", text, "`mlinfra show` lists what there is"));
    }
    Ok(())
}

/// The outputs of the last apply; of sensitive ones nothing is kept.
fn outputs(ledger: &Ledger) -> BTreeMap<String, Output> {
    let each = ledger
        .outputs
        .iter()
        .map(|(name, value)| (name.clone(), Output { value: value.clone(), sensitive: false }));
    each.collect()
}

/// A saved plan, as it was: neither the cloud nor the configuration is asked.
fn saved(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    format: PlanFormat,
) -> Result<u8, Halt> {
    let saved = planfile::read(path)?;
    if global.json {
        terminal.json(&report::document(&saved));
        return Ok(DONE);
    }
    if format != PlanFormat::Text {
        report::print(
            terminal,
            (&saved, Some(path), load::sandbox(global).is_some()),
            format,
            &Closing::default(),
        );
        return Ok(DONE);
    }
    let former = saved.former.clone().into_iter().collect();
    terminal.print(&show::saved::head(&saved));
    let told = (saved.outside.as_ref(), saved.selection.refresh_only);
    super::tell::outside(terminal, global, &saved.plan, told);
    let order = super::order::Order::of(saved.destroy, saved.selection);
    let priced = (&saved.plan, &saved.cost);
    terminal.print(&super::tell::text(priced, &order, &former, terminal));
    terminal.print(&super::tell::cost(&saved.plan, &order, &saved.cost, terminal));
    Closing::default().with(&select::part(&order.selection), &Sources::default()).tell(terminal);
    Ok(DONE)
}
