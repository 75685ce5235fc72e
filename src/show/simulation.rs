//! What policies would have cost, and who would have waited: a table for people, the same as
//! JSON.

use serde_json::{Map, Value, json};

use super::fold::{Page, Row, count};
use super::screen::{Ink, Screen};
use super::table::{Line, Table};
use super::words::{nodes, span};
use crate::fleet::replay::{Outcome, Replay, Setting};
use crate::model::Money;

/// A replay under a policy.
#[derive(Clone, Debug)]
pub struct Run {
    /// The policy.
    pub name: String,
    /// What came of it.
    pub replay: Replay,
    /// In dollars, where a price is known.
    pub usd: Option<f64>,
    /// Seconds of wall time that it took to compute.
    pub wall_s: f64,
}

/// Replays of one trace.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The trace's file.
    pub trace: String,
    /// Its jobs.
    pub jobs: usize,
    /// Rows of it that are no jobs.
    pub left_out: usize,
    /// Jobs that fit on no number of nodes that there may be: they were not replayed.
    pub unfit: usize,
    /// The most nodes that one of these wants.
    pub unfit_nodes: u32,
    /// From its first job to its last, in seconds.
    pub span_s: f64,
    /// Accelerator-hours that its jobs ran.
    pub work_gpu_h: f64,
    /// What was replayed.
    pub setting: Setting,
    /// What a node costs per hour, where that is known.
    pub price: Option<Money>,
    /// Nodes without a boot.
    pub reference: Outcome,
    /// Under each policy.
    pub runs: Vec<Run>,
    /// Ours with other settings of its knob, by percent; empty where no curve is wanted.
    pub curve: Vec<(u8, Outcome)>,
}

impl Simulation {
    /// What it cost, as a multiple of the reference.
    pub fn ratio(&self, outcome: &Outcome) -> f64 {
        match self.reference.cost_gpu_h > 0.0 {
            true => outcome.cost_gpu_h / self.reference.cost_gpu_h,
            false => 1.0,
        }
    }

    /// How many jobs no policy could have run, and why.
    pub(super) fn unfitting(&self) -> Option<String> {
        if self.unfit == 0 {
            return None;
        }
        let do_not = if self.unfit == 1 { "does not" } else { "do not" };
        let jobs = count(self.unfit, "job", "jobs");
        let (gpus, most) = (self.setting.gpus, self.setting.max_nodes);
        let larger = nodes(self.unfit_nodes as usize);
        Some(format!(
            "{jobs} {do_not} fit: the largest wants {larger} of {gpus} GPUs, and there are {most} at \
             most (--max-nodes, --gpus-per-node). Nothing was launched for that, and it counts as \
             never run."
        ))
    }

    /// What it is of.
    pub(super) fn head(&self) -> [String; 2] {
        let Setting { gpus, max_nodes, boot, faults: _, market } = &self.setting;
        let left = match self.left_out {
            0 => String::new(),
            left => format!(" ({} without accelerators or duration left out)", row_count(left)),
        };
        let jobs = count(self.jobs, "job", "jobs");
        let (days, work) = (self.span_s / 86_400.0, grouped(self.work_gpu_h));
        let price =
            self.price.map_or(String::new(), |price| format!(", {price} per node and hour"));
        let spot = if market.supply.is_empty() { "" } else { ", spot where there is any" };
        [
            format!("{}: {jobs}{left} in {days:.1} days, {work} GPU-hours of work", self.trace),
            format!(
                "{} at most, {gpus} GPUs each, {} from the request to the first job{spot}{price}",
                nodes(*max_nodes as usize),
                span(millis(*boot)),
            ),
        ]
    }
}

fn row_count(rows: usize) -> String {
    count(rows, "row", "rows")
}

fn millis(millis: i64) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// `1,107,439`
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && out != "-" {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0s`, `4m10s`, `7d06h`; as short as a column wants it.
pub(super) fn waited(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60),
        86_400.. => format!("{}d{:02}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// `+0.7%`
pub(super) fn surplus(ratio: f64) -> String {
    let shown = format!("{:+.1}%", (ratio - 1.0) * 100.0);
    if shown == "-0.0%" { "+0.0%".to_owned() } else { shown }
}

/// What was paid and not used.
pub(super) fn idle(outcome: &Outcome) -> f64 {
    match outcome.cost_gpu_h > 0.0 {
        true => (1.0 - outcome.used_gpu_h / outcome.cost_gpu_h).max(0.0),
        false => 0.0,
    }
}

pub(super) const COLUMNS: usize = 9;
/// The column of what was paid and not used.
const IDLE: usize = 3;
/// The column of what half of the jobs waited.
const P50: usize = 5;

pub(super) fn heads(priced: bool) -> [&'static str; COLUMNS] {
    let cost = if priced { "COST" } else { "GPU-HOURS" };
    ["POLICY", cost, "VS REF", "IDLE", "AT ONCE", "P50", "P95", "GANG P95", "LAUNCHES"]
}

pub(super) fn cells(all: &Simulation, run: &Run) -> [String; COLUMNS] {
    let outcome = &run.replay.outcome;
    let gang = if outcome.gangs == 0 { "-".to_owned() } else { waited(outcome.gang_wait_p95) };
    let usd = |usd: f64| format!("${}", grouped(usd));
    [
        run.name.clone(),
        run.usd.map_or_else(|| grouped(outcome.cost_gpu_h), usd),
        surplus(all.ratio(outcome)),
        percent(idle(outcome)),
        percent(outcome.instant_share),
        waited(outcome.wait_p50),
        waited(outcome.wait_p95),
        gang,
        grouped(outcome.launches as f64),
    ]
}

/// For people.
pub fn text(all: &Simulation, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    let [first, second] = all.head();
    page.row(&Row::at(0).hang(2).words(Ink::Bold, first));
    page.row(&Row::at(0).hang(2).words(Ink::Plain, second));
    if let Some(text) = all.unfitting() {
        page.row(&Row::at(0).hang(2).words(Ink::Bad, text));
    }
    page.gap();
    let priced = all.runs.iter().any(|run| run.usd.is_some());
    let heads = heads(priced);
    let rows: Vec<[String; COLUMNS]> = all.runs.iter().map(|run| cells(all, run)).collect();
    let wide = |at: usize| {
        rows.iter().map(|row| row[at].chars().count()).chain([heads[at].len()]).max().unwrap_or(0)
    };
    // What fewer ask for gives way to the comparison of the others.
    let mut shown: Vec<usize> = (0..COLUMNS).collect();
    for least in [IDLE, P50] {
        let whole = shown.iter().map(|at| wide(*at) + 2).sum::<usize>();
        if whole > screen.width.saturating_add(2) && !screen.plain {
            shown.retain(|at| *at != least);
        }
    }
    let some = |row: &[String; COLUMNS]| shown.iter().map(|at| row[*at].clone()).collect();
    let lines: Vec<Line> = rows.iter().map(|row| (Ink::Plain, some(row))).collect();
    let heads: Vec<&str> = shown.iter().map(|at| heads[*at]).collect();
    let right: Vec<usize> = (1..heads.len()).collect();
    Table { heads: &heads, right: &right, indent: 0, out: &[] }.write(&mut page, screen, &lines);
    notes(&mut page, all, &shown);
    page.finish()
}

fn notes(page: &mut Page, all: &Simulation, shown: &[usize]) {
    page.gap();
    for run in &all.runs {
        for note in wrongs(all, &run.replay.outcome) {
            let text = format!("{}: {note}", run.name);
            page.row(&Row::at(0).hang(2).words(Ink::Bad, text));
        }
    }
    let reference = grouped(all.reference.cost_gpu_h);
    let told = |column: usize, words: &'static str, else_: &'static str| {
        if shown.contains(&column) { words } else { else_ }
    };
    let legend = format!(
        "VS REF is against {reference} GPU-hours: nodes that boot in no time and end when empty. \
         {}AT ONCE waited for less than a second; {} no longer than P95; gangs are jobs on \
         several nodes.",
        told(IDLE, "IDLE was paid and not used. ", ""),
        told(P50, "half of the jobs waited no longer than P50, 95 of 100", "95 of 100 jobs waited"),
    );
    page.row(&Row::at(0).words(Ink::Dim, legend));
}

/// What must not be overlooked.
pub(super) fn wrongs(all: &Simulation, outcome: &Outcome) -> Vec<String> {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    if outcome.kills > 0 {
        let lost = grouped(outcome.wasted_gpu_h);
        let jobs = count(number(outcome.kills), "running job", "running jobs");
        out.push(format!("{jobs} killed, {lost} GPU-hours of work lost"));
    }
    // Of what fits nowhere it was told before.
    let never = outcome.unfinished.saturating_sub(all.unfit);
    if never > 0 {
        out.push(format!("{} never ran", count(never, "job", "jobs")));
    }
    if outcome.restarts > 0 {
        let jobs = count(number(outcome.restarts), "job", "jobs");
        let lost = grouped(outcome.wasted_gpu_h);
        out.push(format!("{jobs} lost with a node and started anew, {lost} GPU-hours lost"));
    }
    for (what, times) in &outcome.broken {
        out.push(format!("{what} ({})", count(number(*times), "time", "times")));
    }
    out
}

/// To three digits behind the point: more would be noise.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// One run.
pub fn json(all: &Simulation, run: &Run) -> Value {
    let outcome = &run.replay.outcome;
    json!({
        "cost_gpu_h": rounded(outcome.cost_gpu_h),
        "cost_usd": run.usd.map(rounded),
        "cost_vs_reference": (all.ratio(outcome) * 1e6).round() / 1e6,
        "wait_p50_s": rounded(outcome.wait_p50),
        "wait_p95_s": rounded(outcome.wait_p95),
        "wait_p99_s": rounded(outcome.wait_p99),
        "gang_wait_p95_s": rounded(outcome.gang_wait_p95),
        "instant_share": (outcome.instant_share * 1e6).round() / 1e6,
        "launches": outcome.launches,
        "kills": outcome.kills,
        "unfinished": outcome.unfinished,
        "nodes_max": outcome.nodes_max,
        "wall_s": rounded(run.wall_s),
    })
}

/// One run, or of several each by the name of its policy.
pub fn document(all: &Simulation) -> Value {
    match all.runs.as_slice() {
        [run] => json(all, run),
        runs => {
            let each = runs.iter().map(|run| (run.name.clone(), json(all, run)));
            Value::Object(each.collect::<Map<_, _>>())
        }
    }
}
