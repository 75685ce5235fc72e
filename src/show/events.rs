//! A run, as it happens: lines for a log, live lines for a terminal, and the summary.
//!
//! [`Progress`] is told the events and how much time has passed; it owns no clock and
//! prints nothing.

use std::time::Duration;

use super::advice::{self, Failed};
use super::fold::{Page, Row, cut};
use super::screen::{Ink, Screen};
use super::state::{State, ink};
use super::words::{self, span};
use crate::apply::Event;
use crate::kinds::{Plan, Step, StepId};

/// How long a step may say the same before a log hears it again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of a run so far.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    plan: &'a Plan,
    screen: Screen,
    /// Lines fit the screen.
    folded: bool,
    states: Vec<State>,
    stopping: bool,
    crowd: Option<Crowd>,
}

/// What is told of a run with more steps than anybody reads about.
#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    /// Steps behind it.
    behind: usize,
    /// How many of them failed.
    failed: usize,
    /// How many steps were behind it, and when, as it was last told.
    told: (usize, Duration),
}

/// Steps of a plan of which each is told.
const FEW: usize = 100;
/// Lines about how far a run with more steps is.
const LINES: usize = 20;
/// Steps under way that a terminal shows: fewer than it has lines.
const RUNNING: usize = 10;
/// Steps that wait, of those that a terminal shows.
const WAITS: usize = 3;
/// Failures that such a run tells as they happen; the summary counts the others.
const FAILURES: usize = 10;

/// A line, or several, about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The text; each line ends.
    pub text: String,
    /// Worth keeping above the live lines of a terminal; a log keeps everything.
    pub lasting: bool,
}

impl Said {
    /// With the time in front, as a log has it; further lines are indented as deep.
    pub fn stamped(&self, clock: &str) -> String {
        let mut out = String::new();
        for (i, line) in self.text.lines().enumerate() {
            let first = if i == 0 { clock.to_owned() } else { " ".repeat(clock.chars().count()) };
            out.push_str(&format!("{first} {line}\n"));
        }
        out
    }
}

impl<'a> Progress<'a> {
    /// Nothing has happened yet.
    pub fn new(plan: &'a Plan, screen: Screen) -> Self {
        let states = plan.steps.iter().map(|_| State::Open).collect();
        let many = plan.steps.len() > FEW && !screen.verbose;
        let crowd = many.then(Crowd::default);
        Self { plan, screen, folded: false, states, stopping: false, crowd }
    }

    /// For a terminal: lines are folded to its width. A log's never are, so that grep finds them.
    #[must_use]
    pub fn folded(self) -> Self {
        Self { folded: true, ..self }
    }

    fn page(&self) -> Page {
        let width = if self.folded { self.screen.width } else { usize::MAX };
        Page::new(Screen { width, ..self.screen })
    }

    /// Takes in an event, `now` being the time since the run began. Returns what there is
    /// to say about it. Of many steps only failures and their number are told.
    pub fn hear(&mut self, event: &Event, now: Duration) -> Option<Said> {
        let said = self.take(event, now);
        let Some(mut crowd) = self.crowd else { return said };
        let said = match event {
            Event::Recovering { .. } | Event::Settling { .. } | Event::Stopping => return said,
            Event::Started { .. } | Event::Calling { .. } | Event::Waiting { .. } => None,
            Event::Done { .. } | Event::Skipped { .. } => {
                crowd.behind += 1;
                None
            }
            Event::Failed { .. } => {
                (crowd.behind, crowd.failed) = (crowd.behind + 1, crowd.failed + 1);
                said.filter(|_| crowd.failed <= FAILURES)
            }
        };
        let (told, then) = crowd.told;
        let all = self.states.len();
        let due = crowd.behind - told >= all.div_ceil(LINES)
            || (crowd.behind > told
                && (crowd.behind == all || now.saturating_sub(then) >= PATIENCE));
        let counted = due.then(|| {
            crowd.told = (crowd.behind, now);
            self.counted_line(crowd)
        });
        self.crowd = Some(crowd);
        match (said, counted) {
            (Some(said), Some(counted)) => Some(Said { text: said.text + &counted.text, ..said }),
            (said, counted) => said.or(counted),
        }
    }

    fn counted_line(&self, crowd: Crowd) -> Said {
        let mut text = format!("{} of {} steps", crowd.behind, self.states.len());
        if crowd.failed > 0 {
            text.push_str(&format!(", {} failed", crowd.failed));
        }
        self.say(if crowd.failed > 0 { Ink::Warn } else { Ink::Plain }, "*", &text, true)
    }

    /// What there is to say about an event; nothing when it only says again what was said
    /// a moment ago.
    fn take(&mut self, event: &Event, now: Duration) -> Option<Said> {
        match event {
            Event::Recovering { address, how } => {
                let text = format!("{address}: an earlier run was cut off here: {how}");
                Some(self.say(Ink::Warn, "*", &text, true))
            }
            Event::Settling { wait } => {
                let text = words::settling(*wait);
                Some(self.say(Ink::Warn, "*", &text, true))
            }
            Event::Started { step } => {
                let action = &self.plan.steps.get(*step)?.action;
                let doing = words::doing(action);
                self.set(*step, State::begun(now, &doing));
                self.about(*step, &format!("{doing}..."), false)
            }
            Event::Calling { step, what } => {
                self.called(*step, what);
                self.note(*step, what, now)?;
                // The calls of a step are of interest where it tries one offer after another.
                let launches = matches!(
                    self.plan.steps.get(*step)?.action,
                    crate::kinds::Action::Launch { .. }
                );
                if launches || self.screen.verbose { self.about(*step, what, false) } else { None }
            }
            Event::Waiting { step, what } => {
                self.note(*step, what, now)?;
                self.about(*step, &format!("{what} ({})", self.elapsed(*step, now)), false)
            }
            Event::Done { step, ids, took } => {
                let action = &self.plan.steps.get(*step)?.action;
                let text = format!("{} in {}", words::done(action, ids), span(*took));
                self.set(*step, State::Done { ids: ids.clone() });
                self.about(*step, &text, true)
            }
            Event::Failed { step, failure, took } => {
                let further =
                    matches!(self.states.get(*step), Some(State::Running { further: true, .. }));
                let failed = Failed { failure: failure.clone(), further, took: *took };
                let said = self.failed(self.plan.steps.get(*step)?, &failed);
                self.set(*step, State::Failed(failed));
                Some(said)
            }
            Event::Skipped { step, because } => {
                self.set(*step, State::Skipped { because: *because });
                let (step, because) = (self.plan.steps.get(*step)?, self.plan.steps.get(*because)?);
                let text = format!("{}: skipped, because {} failed", step.address, because.address);
                Some(self.say(Ink::Warn, ".", &text, true))
            }
            Event::Stopping => {
                self.stopping = true;
                let text = "Stopping: calls in flight are finished, nothing new is begun.";
                Some(self.say(Ink::Warn, "!", text, true))
            }
        }
    }

    fn set(&mut self, step: StepId, state: State) {
        if let Some(slot) = self.states.get_mut(step) {
            *slot = state;
        }
    }

    /// Remembers that a step has come to a call.
    fn called(&mut self, step: StepId, what: &str) {
        if let Some(State::Running { first, further, .. }) = self.states.get_mut(step) {
            match first {
                Some(first) => *further |= first != what,
                None => *first = Some(what.to_owned()),
            }
        }
    }

    /// Remembers what a step does now; nothing when a log has just heard the same.
    fn note(&mut self, step: StepId, what: &str, time: Duration) -> Option<()> {
        if let Some(State::Running { now, heard, .. }) = self.states.get_mut(step) {
            if now == what && time.saturating_sub(*heard) < PATIENCE {
                return None;
            }
            what.clone_into(now);
            *heard = time;
        }
        Some(())
    }

    fn elapsed(&self, step: StepId, now: Duration) -> String {
        match self.states.get(step) {
            Some(State::Running { since, .. }) => span(now.saturating_sub(*since)),
            Some(State::Open | State::Done { .. } | State::Failed(_) | State::Skipped { .. })
            | None => span(Duration::ZERO),
        }
    }

    fn say(&self, ink: Ink, mark: &str, text: &str, lasting: bool) -> Said {
        let mut page = self.page();
        // The line says by itself what the sign says.
        page.row(&Row::marked(0, ink, mark).spoken("").words(Ink::Plain, text));
        Said { text: page.finish(), lasting }
    }

    fn about(&self, id: StepId, text: &str, lasting: bool) -> Option<Said> {
        // Of many steps not each is told.
        if self.crowd.is_some() {
            return None;
        }
        let Step { address, action, why: _, needs: _ } = self.plan.steps.get(id)?;
        let (ink, mark) = ink(action);
        Some(self.say(ink, mark, &format!("{address}: {text}"), lasting))
    }

    fn failed(&self, step: &Step, failed: &Failed) -> Said {
        let mut page = self.page();
        page.rows(&advice::rows(failed, step));
        Said { text: page.finish(), lasting: true }
    }

    /// One line for each step under way, for a terminal that redraws them, what waits for
    /// them, and how far the run is; each fits the screen. `now` is the time since the run began.
    pub fn live(&self, now: Duration) -> Vec<String> {
        let mut out = Vec::new();
        let mut more = 0;
        for (step, state) in self.plan.steps.iter().zip(&self.states) {
            let State::Running { since, now: what, .. } = state else { continue };
            if out.len() >= RUNNING {
                more += 1;
                continue;
            }
            let (ink, mark) = ink(&step.action);
            let time = span(now.saturating_sub(*since));
            let text = format!("{}: {what}", step.address);
            let line = self.fitted(mark.len() + 1, &text, &time);
            out.push(format!("{} {line}", self.screen.paint(ink, mark)));
        }
        if out.is_empty() {
            return out;
        }
        if more > 0 {
            out.push(self.screen.paint(Ink::Dim, &format!("  and {more} more under way")));
        }
        out.extend(self.waits());
        let (behind, all) = self.counted();
        let running = self.states.iter().filter(|state| state.is_running()).count();
        let text = format!(
            "{behind} of {all} steps done, {running} under way, {} to come",
            all - behind - running
        );
        out.push(self.fitted(0, &text, &span(now)));
        out
    }

    /// Steps that could begin if others were done: what they wait for.
    fn waits(&self) -> Vec<String> {
        let running = |id: &StepId| self.states.get(*id).is_some_and(State::is_running);
        let open = self.plan.steps.iter().zip(&self.states).filter_map(|(step, state)| {
            let needs = matches!(state, State::Open).then_some(&step.needs)?;
            let for_it = needs.iter().find(|id| running(id))?;
            Some((step, self.plan.steps.get(*for_it)?))
        });
        let text = |(step, other): (&Step, &Step)| {
            let text = format!("  {} waits for {}", step.address, other.address);
            let text = super::screen::Untrusted(&text).to_string();
            self.screen.paint(Ink::Dim, &cut(&text, self.screen.width.saturating_sub(1)))
        };
        open.take(WAITS).map(text).collect()
    }

    /// A text, cut, and a time behind it.
    fn fitted(&self, taken: usize, text: &str, time: &str) -> String {
        let text = super::screen::Untrusted(text).to_string();
        let room = self.screen.width.saturating_sub(taken + time.len() + 2);
        format!("{}  {}", cut(&text, room), self.screen.paint(Ink::Dim, time))
    }

    /// `7 of 12`: how many steps are behind it, for the bar of a terminal.
    pub fn counted(&self) -> (usize, usize) {
        let open = self.states.iter().filter(|state| match state {
            State::Open | State::Running { .. } => true,
            State::Done { .. } | State::Failed(_) | State::Skipped { .. } => false,
        });
        (self.states.len() - open.count(), self.states.len())
    }

    /// The last word: what was done, what failed, what is left, how to go on.
    pub fn summary(&self, took: Duration) -> String {
        let mut page = Page::new(self.screen);
        super::summary::write(&mut page, self.plan, &self.states, took);
        page.finish()
    }

    /// True when every step has succeeded.
    pub fn is_complete(&self) -> bool {
        self.states.iter().all(|state| match state {
            State::Done { .. } => true,
            State::Open | State::Running { .. } | State::Failed(_) | State::Skipped { .. } => false,
        })
    }

    /// True once an interrupt has been heard.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }
}
