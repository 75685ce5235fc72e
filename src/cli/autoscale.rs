//! `mlinfra autoscale run`, `once`, `status`, `explain`, `pause` and `resume`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Demand, Heard};
use crate::model::{Address, Clock as _, Moment};
use crate::serve::autoscale::{Blocked, Board, Kept, LEADER, Look, Pause, Service, World, once};
use crate::show;
use crate::show::screen::Untrusted;

use super::args::Global;
use super::autoscale_args::{AutoscaleCommand, OnceArgs, PauseArgs, RunArgs, WhichArgs};
use super::autoscale_folder::Folder;
use super::connect;
use super::fleet_world::FleetWorld;
use super::halt::Halt;
use super::load;
use super::simulate;
use super::terminal::Terminal;
use super::{CHANGES, DONE, INTERRUPTED, PROBLEM, listen, planfile};

/// `autoscale once`
fn look(global: &Global, terminal: &Terminal, args: &OnceArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let WhichArgs { cluster, vars } = &args.which;
        let world = FleetWorld::read(global, vars, cluster.as_ref()).await?;
        let stop = CancellationToken::new();
        tokio::spawn(signals(stop.clone(), None, Arc::default()));
        let looks = once(&world, &stop, args.dry_run).await;
        let looks = looks.map_err(|text| Halt::one("S010", text, "correct the stack"))?;
        let (mut bad, mut more) = (false, false);
        let mut all = Vec::new();
        for (name, (looked, answer)) in &looks {
            match looked {
                Ok(look) => {
                    more |= !look.orders.is_empty();
                    bad |= look.outcome.as_ref().is_some_and(|outcome| !outcome.is_complete());
                    // Whoever looks after a timer must hear of it.
                    bad |= matches!(look.decision.heard, Heard::Nothing { .. });
                }
                Err(_) => bad = true,
            }
            match global.json {
                true => all.push(look_json(name, looked, &answer.demand)),
                false => terminal.print(&look_text(terminal, name, looked, args.dry_run)),
            }
        }
        if global.json {
            terminal.json(&json!({ "format_version": "1.0", "clusters": all }));
        }
        if stop.is_cancelled() {
            terminal.say("Interrupted: what had begun was finished, and nothing else was.\n");
            return Ok(INTERRUPTED);
        }
        Ok(match (bad, more && args.dry_run) {
            (true, _) => PROBLEM,
            (false, true) => CHANGES,
            (false, false) => DONE,
        })
    })
}

fn look_text(terminal: &Terminal, name: &str, looked: &Result<Look, Blocked>, dry: bool) -> String {
    let screen = &terminal.screen;
    match looked {
        Err(blocked) => format!("{name}: {}\n", Untrusted(&blocked.to_string())),
        Ok(look) => {
            let mut lines = show::decision::explain(&look.decision);
            let failures = look.outcome.iter().flat_map(|outcome| outcome.failed.values());
            lines.extend(failures.map(|failure| format!("failed: {failure}")));
            if dry && !look.orders.is_empty() {
                lines.push("nothing was done: this was a dry run".to_owned());
            }
            show::fleet::text(name, Some(look.at), &lines, screen)
        }
    }
}

fn look_json(name: &str, looked: &Result<Look, Blocked>, demand: &Demand) -> Value {
    match looked {
        Err(blocked) => json!({ "cluster": name, "error": blocked.to_string() }),
        Ok(look) => {
            let failed = look.outcome.iter().flat_map(|outcome| outcome.failed.values());
            let failed: Vec<String> = failed.map(ToString::to_string).collect();
            json!({
                "cluster": name, "at": look.at.to_string(), "demand": demand,
                "decision": look.decision, "failed": failed,
            })
        }
    }
}

/// `autoscale`
pub fn run(global: &Global, terminal: &Terminal, command: &AutoscaleCommand) -> Result<u8, Halt> {
    match command {
        AutoscaleCommand::Run(args) => serve(global, terminal, args),
        AutoscaleCommand::Once(args) => look(global, terminal, args),
        AutoscaleCommand::Status(which) => status(global, terminal, which),
        AutoscaleCommand::Explain(which) => explain(global, terminal, which),
        AutoscaleCommand::Pause(args) => pause(global, terminal, args),
        AutoscaleCommand::Resume(which) => resume(global, terminal, which),
        AutoscaleCommand::Simulate(args) => simulate::run(global, terminal, args),
    }
}

/// `autoscale run`
fn serve(global: &Global, terminal: &Terminal, args: &RunArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let (stop, again) = (CancellationToken::new(), Arc::new(Notify::new()));
        let board = Arc::new(Board::default());
        let reader = Folder::new(global, &args.which);
        // A stack that cannot be read is told as every other command tells it.
        let first = reader.world().await?;
        let server = listen::start(&args.listen, &board, &stop)?;
        if let Some(server) = &server {
            terminal.say(&format!("answers at {}\n", server.url()));
        }
        let bell = Arc::new(Notify::new());
        tokio::spawn(signals(stop.clone(), Some(Arc::clone(&again)), Arc::clone(&bell)));
        introduce(&first, &board, args.every);
        let hurries = load::hurries(global);
        if hurries {
            terminal.say(&hurry(args.every));
        }
        reader.put(first);
        let speaker = *terminal;
        let service = Service {
            reader: Box::new(reader),
            every: Duration::from_secs(u64::from(args.every)),
            pace: if hurries { PACE } else { Duration::ZERO },
            board,
            stop: stop.clone(),
            bell,
            again,
            say: Box::new(move |text| {
                let stamp = super::machine::stamp();
                let text = speaker.hinted(text);
                speaker.say(&format!("{stamp} {}\n", Untrusted(&text)));
            }),
        };
        let ended = service.run().await;
        stop.cancel();
        if let Some(server) = server {
            server.wait();
        }
        ended.map_err(|text| Halt::one("S010", text, "correct the stack"))?;
        Ok(DONE)
    })
}

/// Beside the simulated region a look takes so long, whatever time passes there meanwhile.
const PACE: Duration = Duration::from_secs(1);

/// Why its nodes come up in no time.
fn hurry(every: u32) -> String {
    let passes = match every {
        1 => "a second passes".to_owned(),
        every => format!("up to {every} seconds pass"),
    };
    format!(
        "The region is simulated: {passes} there in each second here.\n\
         Its nodes come up by themselves; `mlinfra sandbox put QUEUE NUMBER` sends\n\
         work, and `take` takes it.\n"
    )
}

/// What the board says before the first look.
fn introduce(world: &FleetWorld, board: &Board, every: u32) {
    let (stack, started_at) = (&world.session().stack.config, world.session().side.now());
    board.write(|status| {
        status.version = env!("CARGO_PKG_VERSION").to_owned();
        status.stack = stack.stack.to_string();
        status.region = stack.region.to_string();
        (status.started_at, status.every_s) = (started_at, every);
    });
}

/// The first signal to end lets the call in flight end and gives back what is held; the second ends
/// at once, which loses nothing either: whoever looks next finds what was begun. A hang-up reads the
/// stack again, where somebody does. SIGUSR1 asks for a look now: work has just been handed in.
async fn signals(stop: CancellationToken, again: Option<Arc<Notify>>, bell: Arc<Notify>) {
    let kinds = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
        SignalKind::user_defined1(),
    ];
    let [Ok(mut term), Ok(mut int), Ok(mut hup), Ok(mut usr1)] = kinds.map(signal) else { return };
    loop {
        let ends = tokio::select! {
            _ = usr1.recv() => {
                bell.notify_one();
                continue;
            }
            _ = hup.recv() => again.is_none(),
            _ = term.recv() => true,
            _ = int.recv() => true,
        };
        match (ends, &again) {
            (false, Some(again)) => again.notify_one(),
            (false, None) => {}
            (true, _) if stop.is_cancelled() => at_once(),
            (true, _) => stop.cancel(),
        }
    }
}

/// What is waited for may never come: nothing of it is let finish.
#[expect(clippy::disallowed_methods, reason = "whoever asks twice does not want to wait")]
fn at_once() {
    std::process::exit(i32::from(INTERRUPTED));
}

/// What is kept of each cluster that was named, or of all.
async fn kept(
    global: &Global,
    which: &WhichArgs,
) -> Result<(FleetWorld, Vec<(Address, Kept, Option<Pause>)>), Halt> {
    let world = FleetWorld::read(global, &which.vars, which.cluster.as_ref()).await?;
    let now = world.session().side.now();
    let mut found = Vec::new();
    for (cluster, store) in world.stores() {
        let (kept, _) = Kept::read(store).await?;
        found.push((cluster, kept, Pause::read(store, now).await?));
    }
    Ok((world, found))
}

/// `autoscale status`
fn status(global: &Global, terminal: &Terminal, which: &WhichArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let (world, all) = kept(global, which).await?;
        let leader = world.store().look_at_lock(LEADER).await?.holder;
        if global.json {
            let clusters = all.iter().map(|(cluster, kept, pause)| {
                let (at, decision) = kept.last.clone().unzip();
                json!({
                    "cluster": cluster.to_string(), "pause": pause,
                    "at": at.map(|at: Moment| at.to_string()), "decision": decision,
                })
            });
            let clusters: Vec<Value> = clusters.collect();
            let leader = leader.map(|it| it.to_string());
            terminal
                .json(&json!({ "format_version": "1.0", "leader": leader, "clusters": clusters }));
            return Ok(DONE);
        }
        let screen = &terminal.screen;
        let leader = leader.map_or_else(
            || "Nobody leads: run `mlinfra autoscale run`, or `once` from a timer.".to_owned(),
            |holder| format!("Led by {holder}."),
        );
        terminal.print(&format!("{}\n", Untrusted(&terminal.hinted(&leader))));
        for (cluster, kept, pause) in &all {
            let name = cluster.to_string();
            let (at, mut lines) = match &kept.last {
                Some((at, decision)) => (Some(*at), show::decision::numbers(decision)),
                None => (None, vec!["nobody has looked at it yet".to_owned()]),
            };
            lines.extend(pause.as_ref().map(pause_words));
            terminal.print(&show::fleet::text(&name, at, &lines, screen));
        }
        Ok(DONE)
    })
}

/// Who has paused a cluster, and why.
pub fn pause_words(pause: &Pause) -> String {
    let Pause { who, at, why, until } = pause;
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let until = until.map_or_else(String::new, |until| format!(" until {until}"));
    format!("paused by {who} at {at}{until}{why}")
}

/// `autoscale explain`
fn explain(global: &Global, terminal: &Terminal, which: &WhichArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let (_, all) = kept(global, which).await?;
        let mut documents = Vec::new();
        for (at, (cluster, kept, _)) in all.iter().enumerate() {
            let name = cluster.to_string();
            match (&kept.last, global.json) {
                (Some((when, decision)), true) => documents.push(json!({
                    "cluster": name, "at": when.to_string(), "decision": decision,
                })),
                (None, true) => documents.push(json!({ "cluster": name })),
                (last, false) => {
                    let gap = if at > 0 { "\n" } else { "" };
                    let text = match last {
                        Some((when, decision)) => {
                            let lines = show::decision::explain(decision);
                            show::fleet::text(&name, Some(*when), &lines, &terminal.screen)
                        }
                        None => format!("{name}: nobody has looked at it yet\n"),
                    };
                    terminal.print(&format!("{gap}{text}"));
                }
            }
        }
        if global.json {
            terminal.json(&json!({ "format_version": "1.0", "clusters": documents }));
        }
        Ok(DONE)
    })
}

/// `autoscale pause`
fn pause(global: &Global, terminal: &Terminal, args: &PauseArgs) -> Result<u8, Halt> {
    let time = args.until.as_deref().map(|text| planfile::duration("--for", text)).transpose()?;
    connect::runtime(global)?.block_on(async {
        let WhichArgs { cluster, vars } = &args.which;
        let world = FleetWorld::read(global, vars, cluster.as_ref()).await?;
        let at = world.session().side.now();
        let until = time.map(|time| Moment(at.0.saturating_add(time)));
        let why = args.reason.clone().unwrap_or_default();
        let pause = Pause { who: connect::user(), at, why, until };
        for (cluster, store) in world.stores() {
            pause.write(store).await?;
            terminal.print(&format!(
                "{cluster} is {}: nothing is launched or ended until `mlinfra autoscale resume`.\n",
                Untrusted(&pause_words(&pause)),
            ));
        }
        Ok(DONE)
    })
}

/// `autoscale resume`
fn resume(global: &Global, terminal: &Terminal, which: &WhichArgs) -> Result<u8, Halt> {
    connect::runtime(global)?.block_on(async {
        let world = FleetWorld::read(global, &which.vars, which.cluster.as_ref()).await?;
        let now = world.session().side.now();
        for (cluster, store) in world.stores() {
            let paused = Pause::read(store, now).await?.is_some();
            Pause::clear(store).await?;
            terminal.print(&match paused {
                true => format!("{cluster} is resized again.\n"),
                false => format!("{cluster} was not paused.\n"),
            });
        }
        Ok(DONE)
    })
}
