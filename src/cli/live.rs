//! Telling what happens during apply: live lines on a terminal, plain lines elsewhere,
//! JSON lines for programs.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
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
    bars: Option<MultiProgress>,
    lines: Vec<ProgressBar>,
    steps: BTreeMap<StepId, Instant>,
}

impl<'a> Live<'a> {
    /// How often live lines are redrawn.
    const BEAT: Duration = Duration::from_millis(200);

    /// For one run of a plan.
    pub fn new(terminal: &Terminal, json: bool, clock: &'a dyn Clock, plan: &'a Plan) -> Self {
        let progress = Progress::new(plan, terminal.screen);
        let bars = (terminal.live && !json)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        let (terminal, begun) = (*terminal, Instant::now());
        let (lines, steps) = (Vec::new(), BTreeMap::new());
        Self { terminal, json, clock, plan, begun, progress, bars, lines, steps }
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
                () = sleep(Self::BEAT), if self.bars.is_some() => self.redraw(),
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
        match &self.bars {
            None => {
                let clock = self.clock.now().to_string();
                let time = clock.get(11..19).unwrap_or(&clock);
                self.terminal.print(&said.stamped(time));
            }
            Some(bars) if said.lasting => {
                // A terminal that cannot be written to is seen by the next print.
                let _ = bars.println(said.text.trim_end());
            }
            Some(_) => {}
        }
    }

    fn redraw(&mut self) {
        let Some(bars) = &self.bars else { return };
        let texts = self.progress.live(self.begun.elapsed());
        while self.lines.len() > texts.len() {
            if let Some(bar) = self.lines.pop() {
                bar.finish_and_clear();
                bars.remove(&bar);
            }
        }
        for (at, text) in texts.into_iter().enumerate() {
            if self.lines.len() <= at {
                let bar = bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{msg}") {
                    bar.set_style(style);
                }
                self.lines.push(bar);
            }
            self.lines[at].set_message(text);
        }
    }

    /// Takes the live lines away and returns the last word.
    pub fn end(&mut self) -> String {
        for bar in std::mem::take(&mut self.lines) {
            bar.finish_and_clear();
        }
        self.progress.summary(self.begun.elapsed())
    }
}
