//! Telling what happens during apply: live lines on a terminal, plain lines elsewhere,
//! JSON lines for programs.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use dialoguer::console::Term;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

use crate::apply::Event;
use crate::kinds::{Plan, StepId};
use crate::model::Clock;
use crate::show::event_json;
use crate::show::events::Progress;

use super::machine::stamp;
use super::terminal::Terminal;

/// Hears events and shows them. Plain lines carry the time of the cloud's clock: in the
/// simulated region that is the region's own.
pub struct Live<'a> {
    terminal: Terminal,
    json: bool,
    clock: &'a dyn Clock,
    plan: &'a Plan,
    begun: Instant,
    progress: Progress<'a>,
    foot: Option<Foot>,
    steps: BTreeMap<StepId, Instant>,
}

impl<'a> Live<'a> {
    /// How often live lines are redrawn.
    const BEAT: Duration = Duration::from_millis(200);

    /// For one run of a plan.
    pub fn new(terminal: &Terminal, json: bool, clock: &'a dyn Clock, plan: &'a Plan) -> Self {
        let foot = (terminal.live && !json).then(Foot::default);
        let progress = Progress::new(plan, terminal.screen);
        let progress = if foot.is_some() { progress.folded() } else { progress };
        let (terminal, begun) = (*terminal, Instant::now());
        Self { terminal, json, clock, plan, begun, progress, foot, steps: BTreeMap::new() }
    }

    /// Does some work, and shows what is told of it meanwhile.
    pub async fn attend<T>(
        &mut self,
        work: impl Future<Output = T>,
        events: &mut UnboundedReceiver<Event>,
    ) -> T {
        tokio::pin!(work);
        let done = loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.hear(&event),
                done = &mut work => break done,
                () = sleep(Self::BEAT), if self.foot.is_some() => self.redraw(),
            }
        };
        while let Ok(event) = events.try_recv() {
            self.hear(&event);
        }
        done
    }

    fn hear(&mut self, event: &Event) {
        let said = self.progress.hear(event, self.begun.elapsed());
        if self.json {
            if let Event::Started { step } = event {
                self.steps.insert(*step, Instant::now());
            }
            let since = |step| self.steps.get(&step).map(Instant::elapsed).unwrap_or_default();
            for value in event_json::event_json(event, self.plan, since, &stamp()) {
                self.terminal.json_line(&value);
            }
            return;
        }
        let Some(said) = said else { return };
        match &mut self.foot {
            None => {
                let clock = self.clock.now().to_string();
                let time = clock.get(11..19).unwrap_or(&clock);
                self.terminal.print(&said.stamped(time));
            }
            Some(foot) if said.lasting => foot.draw(&said.text, None),
            Some(_) => {}
        }
    }

    fn redraw(&mut self) {
        let lines = self.progress.live(self.begun.elapsed());
        if let Some(foot) = &mut self.foot {
            foot.draw("", Some(lines));
        }
    }

    /// Takes the live lines away and returns the last word.
    pub fn end(&mut self) -> String {
        if let Some(foot) = &mut self.foot {
            foot.draw("", Some(Vec::new()));
        }
        self.progress.summary(self.begun.elapsed())
    }
}

/// The lines at the bottom of a terminal that are drawn over. The cursor rests on the empty line
/// below them: what is typed meanwhile, as `^C`, stands there and moves nothing.
#[derive(Debug, Default)]
struct Foot {
    lines: Vec<String>,
}

impl Foot {
    /// Puts what lasts above the lines, and draws them anew: others, where there are.
    fn draw(&mut self, lasting: &str, others: Option<Vec<String>>) {
        if lasting.is_empty() && others.as_ref().is_none_or(|others| *others == self.lines) {
            return;
        }
        let term = Term::buffered_stdout();
        let above = self.lines.len();
        if let Some(others) = others {
            self.lines = others;
        }
        // What has left the screen cannot be drawn over.
        let rows = term.size_checked().map_or(usize::MAX, |(rows, _)| usize::from(rows));
        self.lines.truncate(rows.saturating_sub(1));
        let lines: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        // A terminal that cannot be written to is seen by the next print.
        let _ = term
            .clear_line()
            .and_then(|()| term.move_cursor_up(above))
            .and_then(|()| term.clear_to_end_of_screen())
            .and_then(|()| term.write_str(&(lasting.to_owned() + &lines)))
            .and_then(|()| term.flush());
    }
}
