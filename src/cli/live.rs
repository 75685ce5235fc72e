//! Telling what happens during apply: live lines on a terminal, plain lines elsewhere,
//! JSON lines for programs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::apply::Event;
use crate::kinds::Plan;
use crate::model::Clock;
use crate::show::event_json;
use crate::show::events::Progress;

use super::connect::wall;
use super::terminal::Terminal;

/// The time, for lines of a log.
pub fn stamp() -> String {
    wall().to_string()
}

/// Hears events and shows them. Plain lines carry the time of the cloud's clock: in the
/// simulated region that is the region's own.
pub struct Live<'a> {
    terminal: Terminal,
    json: bool,
    clock: &'a dyn Clock,
    plan: &'a Plan,
    begun: Instant,
    inner: Mutex<Inner<'a>>,
}

struct Inner<'a> {
    progress: Progress<'a>,
    bars: Option<MultiProgress>,
    lines: Vec<ProgressBar>,
}

impl<'a> Live<'a> {
    /// For one run of a plan.
    pub fn new(terminal: &Terminal, json: bool, clock: &'a dyn Clock, plan: &'a Plan) -> Self {
        let progress = Progress::new(plan, terminal.screen);
        let bars = (terminal.live && !json)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        let inner = Mutex::new(Inner { progress, bars, lines: Vec::new() });
        Self { terminal: *terminal, json, clock, plan, begun: Instant::now(), inner }
    }

    /// Hears one event.
    pub fn hear(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let said = inner.progress.hear(event, self.begun.elapsed());
        if self.json {
            if let Some(value) = event_json::event_json(event, self.plan, &stamp()) {
                self.terminal.json_line(&value);
            }
            return;
        }
        let Some(said) = said else { return };
        match &inner.bars {
            None => {
                let clock = self.clock.now().to_string();
                let time = clock.get(11..19).unwrap_or(&clock);
                self.terminal.print(&said.stamped(time));
            }
            Some(bars) if said.lasting => {
                let _ = bars.println(said.text.trim_end());
            }
            Some(_) => {}
        }
    }

    /// Redraws the live lines.
    pub fn redraw(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let Some(bars) = &inner.bars else { return };
        let texts = inner.progress.live(self.begun.elapsed());
        while inner.lines.len() > texts.len() {
            if let Some(bar) = inner.lines.pop() {
                bar.finish_and_clear();
                bars.remove(&bar);
            }
        }
        for (at, text) in texts.into_iter().enumerate() {
            if inner.lines.len() <= at {
                let bar = bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{msg}") {
                    bar.set_style(style);
                }
                inner.lines.push(bar);
            }
            inner.lines[at].set_message(text);
        }
    }

    /// Takes the live lines away and returns the last word.
    pub fn end(&self) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut inner.lines) {
            bar.finish_and_clear();
        }
        inner.progress.summary(self.begun.elapsed())
    }

    /// How often live lines are redrawn.
    pub const BEAT: Duration = Duration::from_millis(200);
}
