//! `mlinfra top`: one thread looks, one draws, and the terminal is given back however it ends:
//! on q, on Ctrl-C, on a signal, on a panic.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::signal::unix::{SignalKind, signal};

use crate::show::overview::{Key, Ui, View, draw};

use super::args::{Global, StatusArgs, TopArgs};
use super::halt::Halt;
use super::machine::stamp;
use super::terminal::Terminal;
use super::{DONE, INTERRUPTED, connect, overview, planfile};

/// How long a key may wait at most.
const BEAT: Duration = Duration::from_millis(100);
/// How often it is looked for whether the terminal is still there, and how long the window has
/// to close.
const GRACE: Duration = Duration::from_secs(1);
/// Lines of a page, as the keys for pages have it.
const PAGE: isize = 10;

/// What came of a look, and when that was.
type Seen = (Result<View, String>, String);

pub fn run(global: &Global, terminal: &Terminal, args: &TopArgs) -> Result<u8, Halt> {
    let every = planfile::duration("--every", &args.every)?;
    let every = Duration::from_millis(u64::try_from(every).unwrap_or(0));
    if !is_there() || terminal.json || terminal.screen.plain {
        let text = "`top` draws on a whole terminal, and there is none, or it is not wanted";
        let help = "`mlinfra status` says the same once: as text, read aloud with\n\
                    --plain, or as JSON with --json";
        return Err(Halt::one("X007", text, help));
    }
    let (seen, again) = looker(global, &args.status, every);
    let ended = Arc::new(AtomicBool::new(false));
    signals(&ended);
    let screen = ratatui::try_init().map_err(|error| broken(&error))?;
    let ui = Ui { colour: terminal.screen.colour, note: "looking…".to_owned(), ..Ui::default() };
    let window = Window { ui, view: None, every: args.every.clone(), seen, again };
    let done = attend(window, screen, &ended);
    if !is_there() {
        return Ok(INTERRUPTED);
    }
    ratatui::restore();
    done.map_err(|error| broken(&error))?;
    Ok(if ended.load(Ordering::SeqCst) { INTERRUPTED } else { DONE })
}

/// Whether there is a terminal.
fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Waits for the window to close, and no longer than a moment once it was told to: whoever reads
/// keys from a terminal that is gone may never come back.
fn attend(
    mut window: Window,
    mut screen: ratatui::DefaultTerminal,
    ended: &Arc<AtomicBool>,
) -> std::io::Result<()> {
    let (tell, closed) = channel();
    let told = Arc::clone(ended);
    std::thread::spawn(move || {
        let done = window.run(&mut screen, &told);
        // It gives the cursor back, and before anybody goes on. Where there is no terminal any
        // more it would complain to it, and that would panic.
        match is_there() {
            true => drop(screen),
            false => std::mem::forget(screen),
        }
        // Nobody may be waiting any more.
        let _ = tell.send(done);
    });
    loop {
        let late = ended.load(Ordering::SeqCst);
        match closed.recv_timeout(GRACE) {
            Ok(done) => return done,
            Err(RecvTimeoutError::Timeout) if !late => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn broken(error: &std::io::Error) -> Halt {
    Halt::one("X007", format!("the terminal cannot be drawn on: {error}"), "use `mlinfra status`")
}

/// Looks, again and again, in a thread of its own: a slow cloud holds up no key.
fn looker(global: &Global, args: &StatusArgs, every: Duration) -> (Receiver<Seen>, Sender<()>) {
    let (tell, seen) = channel();
    let (again, asked) = channel();
    let (global, vars) = (global.clone(), args.vars.clone());
    std::thread::spawn(move || {
        loop {
            let look = connect::runtime(&global)
                .and_then(|runtime| runtime.block_on(overview::look(&global, &vars)));
            let look = look.map_err(|halt| words(&halt));
            let over = tell.send((look, stamp())).is_err();
            // Nobody looks at it any more once the window is gone.
            if over || asked.recv_timeout(every) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    });
    (seen, again)
}

fn words(halt: &Halt) -> String {
    let all: Vec<&str> = halt.problems.iter().map(|problem| problem.summary.as_str()).collect();
    all.join("; ")
}

/// Signals end it as a key does, so that the terminal is given back; so does a terminal that is
/// gone.
fn signals(ended: &Arc<AtomicBool>) {
    let ended = Arc::clone(ended);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
            let [Ok(mut term), Ok(mut int), Ok(mut hup)] = kinds.map(signal) else { return };
            loop {
                tokio::select! {
                    _ = term.recv() => break,
                    _ = int.recv() => break,
                    _ = hup.recv() => break,
                    () = tokio::time::sleep(GRACE) => {
                        if !is_there() {
                            break;
                        }
                    }
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
    });
}

/// What a press of a key asks for.
enum Press {
    Quit,
    Look,
    Move(Key),
}

fn press(key: KeyEvent) -> Option<Press> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return matches!(key.code, KeyCode::Char('c')).then_some(Press::Quit);
    }
    let key = match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return Some(Press::Quit),
        KeyCode::Char('r') => return Some(Press::Look),
        KeyCode::Tab | KeyCode::Right => Key::Next,
        KeyCode::BackTab | KeyCode::Left => Key::Back,
        KeyCode::Down | KeyCode::Char('j') => Key::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Key::Move(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Key::Move(PAGE),
        KeyCode::PageUp => Key::Move(-PAGE),
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Char('?' | 'h') => Key::Help,
        KeyCode::Char(c) => Key::Number(usize::try_from(c.to_digit(10)?).ok()?),
        _ => return None,
    };
    Some(Press::Move(key))
}

/// What is drawn.
struct Window {
    ui: Ui,
    view: Option<View>,
    every: String,
    seen: Receiver<Seen>,
    again: Sender<()>,
}

impl Window {
    fn run(
        &mut self,
        screen: &mut ratatui::DefaultTerminal,
        ended: &AtomicBool,
    ) -> std::io::Result<()> {
        let mut fresh = true;
        while !ended.load(Ordering::SeqCst) {
            fresh |= self.hear();
            if fresh {
                screen.draw(|frame| draw(frame, self.view.as_ref(), &mut self.ui))?;
                fresh = false;
            }
            if !event::poll(BEAT)? {
                continue;
            }
            fresh = true;
            let Event::Key(key) = event::read()? else { continue };
            match press(key) {
                Some(Press::Quit) => return Ok(()),
                Some(Press::Look) => {
                    self.ui.note = "looking…".to_owned();
                    // It looks already, or has ended and said why.
                    let _ = self.again.send(());
                }
                Some(Press::Move(key)) => self.ui.press(key),
                None => {}
            }
        }
        Ok(())
    }

    /// Takes in what was seen meanwhile. What was seen before stays when a look fails.
    fn hear(&mut self) -> bool {
        let mut fresh = false;
        for (look, at) in self.seen.try_iter() {
            let clock = at.get(11..19).unwrap_or(&at).to_owned();
            match look {
                Ok(view) => {
                    self.ui.note = format!("looked at {clock} UTC, every {}", self.every);
                    (self.ui.failed, self.view) = (false, Some(view));
                }
                Err(why) => {
                    self.ui.note = format!("the look at {clock} UTC failed: {why}");
                    self.ui.failed = true;
                }
            }
            fresh = true;
        }
        fresh
    }
}
