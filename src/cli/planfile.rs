//! Saved plans: the file, and whether what is in it still holds.
//!
//! A saved plan was approved by being saved, so `apply FILE` asks nothing. It plans again,
//! from the configuration in the file and from what the cloud shows now, and goes on only if
//! nothing has changed: not the file, the ledger, the configuration, the cloud, the steps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::catalog::{Fresh, Tables};
use crate::cloud::Observed;
use crate::kinds::{Plan, Spec};
use crate::lang::{self, LOCK_FILE};
use crate::ledger::Ledger;
use crate::model::{Clock, Moment, Problem, Sources};
use crate::plan::Selection;
use crate::plan::cost::Bill;
use crate::plan::drift::Outside;
use crate::plan::saved::{self, Base, Saved};
use crate::show;
use crate::stack;

use super::args::{Global, VarArgs};
use super::connect::{self, Session};
use super::halt::Halt;
use super::load;

/// The version that makes and takes plans.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const AGAIN: &str = "make a new plan with `mlinfra plan --out FILE`, and read it";

/// `24h` in milliseconds.
pub fn duration(flag: &str, text: &str) -> Result<i64, Halt> {
    let seconds = lang::duration(text).ok().filter(|seconds| *seconds > 0);
    let millis = seconds.and_then(|seconds| i64::try_from(seconds.checked_mul(1000)?).ok());
    millis.ok_or_else(|| {
        let text = format!("{flag} {text:?} is no duration");
        Halt::one("P010", text, "write it like 30m, 24h or 7d")
    })
}

/// Refuses to write over what is no plan, before any work is done.
pub fn writable(path: &Path) -> Result<(), Halt> {
    let (name, folder) = (path.display(), folder(path));
    if !folder.is_dir() {
        let text = format!("there is no folder {}", folder.display());
        return Err(Halt::one("P010", text, "name a file in a folder that you may write to"));
    }
    match fs::read(path) {
        Ok(bytes) if Saved::is_one(&bytes) => Ok(()),
        Ok(_) => {
            let text = format!("{name} is there already, and is no saved plan");
            Err(Halt::one("P010", text, "name another file, or take that one away"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritten(path, &error)),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Halt {
    let text = format!("the plan cannot be written to {}: {}", path.display(), error.kind());
    Halt::one("P010", text, "name a file in a folder that you may write to")
}

/// Writes a plan as a whole or not at all, for its owner's eyes only.
fn write(path: &Path, saved: &Saved) -> Result<(), Halt> {
    writable(path)?;
    let (bad, folder) = (|error: std::io::Error| unwritten(path, &error), folder(path));
    // A temporary file is for its owner only from its first moment.
    let mut file =
        tempfile::Builder::new().prefix(".mlinfra-plan-").tempfile_in(folder).map_err(bad)?;
    file.write_all(&saved.to_bytes()).map_err(bad)?;
    file.as_file().sync_all().map_err(bad)?;
    file.persist(path).map_err(|error| unwritten(path, &error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(bad)
}

/// Reads a plan, and trusts nothing.
pub fn read(path: &Path) -> Result<Saved, Halt> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| {
        let text = match error.kind() {
            ErrorKind::NotFound => format!("there is no file {name}"),
            _ => format!("cannot read {name}: {error}"),
        };
        Halt::one("P010", text, "`mlinfra plan --out FILE` saves a plan in a file")
    })?;
    Saved::from_bytes(&bytes)
        .map_err(|why| Halt::one("P010", format!("{name} cannot be used: {why}"), AGAIN))
}

/// Writes it, and returns what to do with it, in words.
pub fn save(path: &Path, saved: &Saved) -> Result<String, Halt> {
    write(path, saved)?;
    Ok(hint(path, saved))
}

/// What to do with a plan that was saved.
fn hint(path: &Path, saved: &Saved) -> String {
    format!(
        "\nThe plan was saved. Until {} this applies it, without a question:\n\n    mlinfra apply {}\n",
        saved.expires,
        path.display()
    )
}

/// What came out of planning.
pub struct Made {
    /// What the cloud showed.
    pub observed: Observed,
    /// The plan.
    pub plan: Plan,
    /// What it costs.
    pub bill: Bill,
    /// What others have changed; none when nobody can tell.
    pub outside: Option<Outside>,
    /// Nothing is wanted.
    pub destroy: bool,
    /// The parts.
    pub selection: Selection,
}

/// Puts together what is saved.
pub fn make(session: &Session, ledger: &Ledger, made: Made, lasts: i64) -> Saved {
    let (own, created) = (&session.stack, session.side.now());
    let Made { observed, plan, bill, outside, destroy, selection } = made;
    let home = session.site();
    Saved {
        mlinfra: VERSION.to_owned(),
        by: connect::user(),
        created,
        expires: Moment(created.0.saturating_add(lasts)),
        home,
        destroy,
        selection,
        ledger: Base::of(ledger),
        catalogue: catalogue(session, &observed),
        configuration: own.snapshot.digest(),
        snapshot: own.snapshot.clone(),
        variables: variables(session),
        observed,
        former: ledger.outputs.clone(),
        outside,
        cost: bill,
        plan,
    }
}

fn variables(session: &Session) -> BTreeMap<String, Option<Value>> {
    let each = session.stack.loaded.variables.iter().map(|variable| {
        let shown = !variable.value.holds_sensitive() && !variable.value.is_wholly_unknown();
        (variable.name.clone(), shown.then(|| variable.value.to_json()))
    });
    each.collect()
}

/// A plan cannot be saved while an intent is open: applying would first change the cloud.
pub fn unfinished(what: &str) -> Halt {
    Halt::one("P011", format!("no plan can be saved: {what}"), "run `mlinfra apply` first")
}

fn stale(code: &'static str, what: impl Into<String>, detail: String) -> Halt {
    let problem = Problem::error(code, what).detail(detail).help(AGAIN);
    Halt::of(vec![problem], &Sources::default())
}

/// Connects with the configuration of a saved plan, and compares all that can be compared
/// without the ledger.
pub async fn session(global: &Global, args: &VarArgs, saved: &Saved) -> Result<Session, Halt> {
    if saved.mlinfra != VERSION {
        let text = format!("the plan was made by mlinfra {}, and this is {VERSION}", saved.mlinfra);
        return Err(stale("P012", text, String::new()));
    }
    if saved.snapshot.digest() != saved.configuration {
        let text = "the configuration in the plan does not have the checksum that it names";
        return Err(stale("P010", text, String::new()));
    }
    same_files(&load::folder(global), saved)?;
    let tables = Some(tables(saved)?);
    let session = connect::session_as_written(global, args, &saved.snapshot, tables).await?;
    same_variables(global, args, saved, &session)?;
    let (home, now) = (&session.facts.home, session.side.now());
    if (&home.account, &home.region) != (&saved.home.account, &saved.home.region) {
        let text = format!(
            "the plan is for account {} in {}, and these credentials are for account {} in {}",
            saved.home.account, saved.home.region, home.account, home.region
        );
        return Err(Halt::one("P012", text, "use the credentials of that account (--profile)"));
    }
    if now >= saved.expires {
        let text = format!("the plan has expired: it could be applied until {}", saved.expires);
        return Err(stale("P012", text, format!("it is {now} now")));
    }
    Ok(session)
}

/// The tables that it was made with: the prices of today would be other steps.
fn tables(saved: &Saved) -> Result<Tables, Halt> {
    let Some(text) = &saved.catalogue else { return Ok(Tables::default()) };
    let fresh = Fresh::read(text, &saved.home.region);
    fresh.map(Tables::with).map_err(|why| {
        stale("P010", format!("the catalogue in the plan cannot be used: {why}"), String::new())
    })
}

/// What of the fresh tables a plan was made with.
fn catalogue(session: &Session, observed: &Observed) -> Option<String> {
    let fresh = session.tables.fresh()?.clone();
    let mut names = stack::ask(&session.stack.loaded, &session.pins(observed)).instance_types;
    let nodes = observed.live.values().filter_map(|live| match live.spec() {
        Some(Spec::Node(node)) => Some(node.instance_type.clone()),
        Some(_) | None => None,
    });
    names.extend(nodes);
    Some(fresh.only(&names).text())
}

/// Refuses when files of the configuration differ from those in the plan. A folder without
/// any is fine: the plan has all that it needs.
fn same_files(dir: &Path, saved: &Saved) -> Result<(), Halt> {
    let snapshot = &saved.snapshot;
    let inner = |name: &String| Path::new(name).parent().map(Path::to_path_buf);
    // Files of modules are among what was read.
    let modules = snapshot.reads.keys().filter(|name| name.ends_with(".hcl"));
    let all = snapshot.files.keys().chain(modules);
    let mut folders: BTreeSet<PathBuf> = all.filter_map(inner).collect();
    folders.insert(PathBuf::new());
    let mut here: BTreeSet<String> = BTreeSet::new();
    for folder in folders {
        let found = load::files(&dir.join(&folder)).unwrap_or_default();
        let names = found.iter().filter_map(|path| path.file_name());
        here.extend(names.map(|name| folder.join(name).display().to_string()));
    }
    if here.is_empty() {
        return Ok(());
    }
    let mut told = Vec::new();
    for (name, text) in &snapshot.files {
        match fs::read(dir.join(name)) {
            Ok(bytes) if bytes == text.as_bytes() => {}
            Ok(_) => told.push(format!("{name} has changed")),
            Err(_) => told.push(format!("{name} is gone")),
        }
    }
    let lock = fs::read_to_string(dir.join(LOCK_FILE)).ok();
    if lock != snapshot.lock {
        told.push(format!("{LOCK_FILE} has changed"));
    }
    let known =
        |name: &String| snapshot.files.contains_key(name) || snapshot.reads.contains_key(name);
    let added = here.iter().filter(|name| !known(name));
    told.extend(added.map(|name| format!("{name} is new")));
    for path in snapshot.reads.keys() {
        let was = lang::ReadFile::read(snapshot, path).unwrap_or_default();
        if fs::read(dir.join(path)).ok().as_ref() != Some(&was) {
            told.push(format!("{path}, which the configuration reads, has changed"));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    Err(stale("P014", "the configuration is not the one that was planned", told.join("\n")))
}

/// Refuses when a value is given for a variable that had another one.
fn same_variables(
    global: &Global,
    args: &VarArgs,
    saved: &Saved,
    session: &Session,
) -> Result<(), Halt> {
    let loaded = &session.stack.loaded;
    let now = load::written_over(
        global,
        args,
        &saved.snapshot,
        Some(session.facts.home.account.clone()),
    )?;
    let mut told = Vec::new();
    for (was, is) in loaded.variables.iter().zip(&now.loaded.variables) {
        if !was.value.holds_sensitive() && was.value.to_json() != is.value.to_json() {
            let (was, is, name) = (was.value.describe(), is.value.describe(), &was.name);
            told.push(format!("var.{name} is {is}, and was {was}"));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    Err(stale("P014", "variables have other values than when it was planned", told.join("\n")))
}

/// Refuses when the ledger has gone on.
pub fn same_ledger(saved: &Saved, ledger: &Ledger) -> Result<(), Halt> {
    let (was, is) = (&saved.ledger, Base::of(ledger));
    if let Some((_, making)) = ledger.open_intents().next() {
        let text = format!("an apply was cut off while it began to {}", making.call.words());
        let help = "`mlinfra apply` finds out whether that was done; then make a new plan";
        return Err(Halt::one("P011", text, help));
    }
    if *was == is {
        return Ok(());
    }
    let detail = match ledger.applies.last().filter(|last| Some(last.began) != was.applied) {
        Some(last) => {
            let who = &last.who;
            format!("{} ran `mlinfra {}` at {}", who.user, who.verb, last.began)
        }
        None => "it is another ledger than the one it was made against".to_owned(),
    };
    let text = format!(
        "the stack was changed since: the plan is for state {} of its ledger, which is at {}",
        was.serial, is.serial
    );
    Err(stale("P013", text, detail))
}

/// Refuses when the cloud shows something else.
pub fn same_world(saved: &Saved, observed: &Observed) -> Result<(), Halt> {
    let differences = saved::world(&saved.observed, observed);
    if differences.is_empty() {
        return Ok(());
    }
    let text = "the cloud is not as it was when this was planned";
    Err(stale("P015", text, show::saved::world(&differences)))
}

/// Refuses when other steps come out.
pub fn same_steps(saved: &Saved, plan: &Plan) -> Result<(), Halt> {
    let odd = saved::steps(&saved.plan, plan);
    if odd.is_empty() {
        return Ok(());
    }
    let text = "a new plan has other steps than the saved one";
    Err(stale("P016", text, show::saved::steps(&odd)))
}
