//! Replays as one page that needs nothing else: figures, queue, nodes and cost over time, and
//! the curve of the knob among the peers.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::simulation::{COLUMNS, Run, Simulation, cells, heads, percent, surplus, waited, wrongs};
use crate::fleet::replay::{Outcome, Point};

/// uPlot (<https://github.com/leeoniya/uPlot>), under the MIT licence beside it.
const PLOT: &str = include_str!("assets/uPlot.iife.min.js");
const PLOT_STYLE: &str = include_str!("assets/uPlot.min.css");
const PLOT_LICENCE: &str = include_str!("assets/uPlot.LICENSE");
const STYLE: &str = include_str!("assets/simulation.css");
const SCRIPT: &str = include_str!("assets/simulation.js");

/// Columns of a picture: what a screen shows.
const GRID: usize = 900;

/// The page.
pub fn page(all: &Simulation) -> String {
    let [first, second] = all.head().map(|line| escaped(&line));
    let unfit = all.unfitting().map(|text| format!("<p class=\"bad\">{}</p>\n", escaped(&text)));
    let unfit = unfit.unwrap_or_default();
    let table = table(all);
    let curve = curve(all);
    let data = data(all).to_string().replace('<', "\\u003c");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{first}</title>\n<style>\n{PLOT_STYLE}\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{first}</h1>\n{unfit}<p>{second}</p>\n{table}\n\
         <section id=\"charts\"></section>\n{curve}\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n\
         <script>\n/*\n{PLOT_LICENCE}*/\n{PLOT}</script>\n<script>\n{SCRIPT}</script>\n\
         </body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn table(all: &Simulation) -> String {
    let priced = all.runs.iter().any(|run| run.usd.is_some());
    let heads = heads(priced).map(|head| format!("<th>{head}</th>")).concat();
    let row = |run: &Run| {
        let cells: [String; COLUMNS] =
            cells(all, run).map(|cell| format!("<td>{}</td>", escaped(&cell)));
        let wrong = wrongs(all, &run.replay.outcome).join("; ");
        let wrong = if wrong.is_empty() {
            String::new()
        } else {
            format!("<tr class=\"bad\"><td colspan=\"{COLUMNS}\">{}</td></tr>", escaped(&wrong))
        };
        format!("<tr>{}</tr>\n{wrong}", cells.concat())
    };
    let rows: String = all.runs.iter().map(row).collect();
    format!(
        "<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
         <p class=\"note\">VS REF: against nodes that boot in no time and end when empty. IDLE: \
         paid and not used. AT ONCE: waited for less than a second. P50, P95: half, and 95 of 100, \
         of the jobs waited no longer. GANG: jobs on several nodes.</p>"
    )
}

/// All runs on one grid of moments.
fn data(all: &Simulation) -> Value {
    let points = |run: &Run| run.replay.series.points.last().map_or(0, |point| point.at);
    // Under a rule that leaves jobs waiting forever a replay goes on for a month, in which nothing
    // happens: the others would be squeezed into a corner.
    let ends = |run: &&Run| run.replay.outcome.unfinished <= all.unfit;
    let ended = all.runs.iter().filter(ends).map(points).max();
    let end = ended.or_else(|| all.runs.iter().map(points).max()).unwrap_or(0).max(1);
    let at = |column: usize| end * (column as i64 + 1) / GRID as i64;
    let times: Vec<f64> = (0..GRID).map(|column| at(column) as f64 / 1_000.0).collect();
    let runs: Vec<Value> = all
        .runs
        .iter()
        .map(|run| {
            let grid = on_grid(&run.replay.series.points, &at);
            let of = |field: fn(&Point) -> Value| {
                let value = |point: &Option<Point>| point.as_ref().map_or(Value::Null, field);
                grid.iter().map(value).collect::<Vec<_>>()
            };
            json!({
                "name": run.name,
                "waiting": of(|point| json!(point.waiting)),
                "nodes": of(|point| json!(point.nodes)),
                "busy": of(|point| json!(point.busy)),
                "gpu_hours": of(|point| json!(point.gpu_hours.round())),
            })
        })
        .collect();
    json!({ "times": times, "runs": runs })
}

/// The most in each column; what was left where nothing happened; nothing behind the end.
fn on_grid(points: &[Point], at: &dyn Fn(usize) -> i64) -> Vec<Option<Point>> {
    let mut out: Vec<Option<Point>> = Vec::with_capacity(GRID);
    let end = points.last().map_or(0, |point| point.at);
    let mut rest = points.iter().peekable();
    let mut last = Point::default();
    for column in 0..GRID {
        let mut most: Option<Point> = None;
        while let Some(point) = rest.next_if(|point| point.at <= at(column)) {
            let before = most.unwrap_or(*point);
            most = Some(Point {
                waiting: before.waiting.max(point.waiting),
                nodes: before.nodes.max(point.nodes),
                busy: before.busy.max(point.busy),
                ..*point
            });
            last = *point;
        }
        let [waiting, nodes, busy] = last.left;
        // A span that is longer than a column shows in all of its columns.
        let over = column > 0 && at(column - 1) >= end;
        let still = (!over).then_some(Point { waiting, nodes, busy, ..last });
        out.push(most.or(still));
    }
    out
}

// ---- the curve of the knob ------------------------------------------------------------

const WIDE: f64 = 860.0;
const HIGH: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 46.0;

/// Where a pair of figures is in the picture.
struct Frame {
    cost: (f64, f64),
    instant: (f64, f64),
}

impl Frame {
    fn around(figures: &[(f64, f64)]) -> Self {
        let range = |of: fn(&(f64, f64)) -> f64, least: f64| {
            let low = figures.iter().map(of).fold(f64::INFINITY, f64::min);
            let high = figures.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
            let margin = ((high - low) * 0.06).max(least);
            (low - margin, high + margin)
        };
        Self { cost: range(|it| it.0, 0.002), instant: range(|it| it.1, 0.01) }
    }

    fn x(&self, cost: f64) -> f64 {
        let (low, high) = self.cost;
        LEFT + (cost - low) / (high - low) * (WIDE - LEFT - RIGHT)
    }

    fn y(&self, instant: f64) -> f64 {
        let (low, high) = self.instant;
        HIGH - BOTTOM - (instant - low) / (high - low) * (HIGH - TOP - BOTTOM)
    }
}

fn curve(all: &Simulation) -> String {
    if all.curve.is_empty() {
        return String::new();
    }
    let figures = |outcome: &Outcome| (all.ratio(outcome), outcome.instant_share);
    let line: Vec<(u8, (f64, f64))> =
        all.curve.iter().map(|(percent, outcome)| (*percent, figures(outcome))).collect();
    let mut within: Vec<(f64, f64)> = line.iter().map(|(_, it)| *it).collect();
    let dearest = within.iter().map(|it| it.0).fold(1.0, f64::max);
    let peers = || all.runs.iter().filter(|run| !run.name.starts_with("ours"));
    // What is far dearer than the whole curve would squeeze everything else.
    let near = |run: &&Run| all.ratio(&run.replay.outcome) <= 1.0 + (dearest - 1.0) * 1.6 + 0.01;
    within.extend(peers().filter(near).map(|run| figures(&run.replay.outcome)));
    let frame = Frame::around(&within);
    let mut svg = axes(&frame);
    let path: Vec<String> = line
        .iter()
        .map(|(_, (cost, instant))| format!("{:.1},{:.1}", frame.x(*cost), frame.y(*instant)))
        .collect();
    let _ = write!(svg, "<polyline class=\"ours\" points=\"{}\"/>", path.join(" "));
    for (percent, it) in &line {
        let label = match percent {
            0 => "cheapest",
            50 => "balanced",
            100 => "fastest",
            _ => "",
        };
        svg.push_str(&dot(&frame, "ours", *it, label, &format!("latency target {percent}")));
    }
    for run in peers().filter(near) {
        let it = figures(&run.replay.outcome);
        svg.push_str(&dot(&frame, "peer", it, &run.name, &waited(run.replay.outcome.wait_p95)));
    }
    let far: Vec<String> = peers()
        .filter(|run| !near(run))
        .map(|run| {
            let (cost, instant) = figures(&run.replay.outcome);
            format!("{} ({}, {} at once)", run.name, surplus(cost), percent(instant))
        })
        .collect();
    let far = match far.is_empty() {
        true => String::new(),
        false => format!("<p class=\"note\">Far to the right: {}.</p>", escaped(&far.join(", "))),
    };
    format!(
        "<h2>What the knob buys</h2>\n<svg viewBox=\"0 0 {WIDE} {HIGH}\" role=\"img\" \
         aria-label=\"Share of jobs that start at once, by cost\">{svg}</svg>\n{far}"
    )
}

fn axes(frame: &Frame) -> String {
    let (right, floor) = (WIDE - RIGHT, HIGH - BOTTOM);
    let mut out = format!("<path class=\"axis\" d=\"M{LEFT},{TOP} V{floor} H{right}\"/>");
    for step in 0..=4 {
        let part = f64::from(step) / 4.0;
        let cost = frame.cost.0 + (frame.cost.1 - frame.cost.0) * part;
        let instant = frame.instant.0 + (frame.instant.1 - frame.instant.0) * part;
        let (x, y) = (frame.x(cost), frame.y(instant));
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"mid\">{}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{:.0}%</text>\
             <path class=\"grid\" d=\"M{LEFT},{y:.1} H{right}\"/>",
            floor + 18.0,
            surplus(cost),
            LEFT - 8.0,
            y + 4.0,
            instant * 100.0
        );
    }
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" class=\"mid\">cost against the reference</text>\
         <text x=\"{:.1}\" y=\"12\">jobs that start at once</text>",
        (LEFT + right) / 2.0,
        HIGH - 8.0,
        LEFT + 6.0
    );
    out
}

fn dot(frame: &Frame, class: &str, (cost, instant): (f64, f64), label: &str, more: &str) -> String {
    let (x, y) = (frame.x(cost), frame.y(instant));
    let above = if class == "ours" { y - 10.0 } else { y + 4.0 };
    let title = format!("{} at once for {}; {more}", percent(instant), surplus(cost));
    format!(
        "<g class=\"{class}\"><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>\
         <text x=\"{:.1}\" y=\"{above:.1}\">{}</text></g>",
        escaped(&title),
        x + 8.0,
        escaped(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_shows_what_was_left_and_nothing_behind_the_end() {
        let point = |at: i64, most: u32, left: u32| Point {
            at,
            nodes: most,
            left: [0, left, 0],
            ..Point::default()
        };
        // Five nodes within the first span, one at its end; the replay ends at 600.
        let points = [point(100, 5, 1), point(600, 2, 0)];
        let grid = on_grid(&points, &|column| (column as i64 + 1) * 50);
        let nodes: Vec<Option<u32>> =
            grid.iter().take(14).map(|point| point.map(|it| it.nodes)).collect();
        let still = std::iter::repeat_n(Some(1), 9);
        let wanted: Vec<Option<u32>> =
            [Some(0), Some(5)].into_iter().chain(still).chain([Some(2), None, None]).collect();
        assert_eq!(nodes, wanted);
        assert_eq!(grid.len(), GRID);
    }
}
