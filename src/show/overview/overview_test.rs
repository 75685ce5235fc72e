//! Overviews, exactly, as text and on screens of several sizes.

use std::collections::BTreeMap;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rust_decimal::Decimal;

use super::{
    Cluster, Happened, Key, Last, Node, Pending, Scaled, Spend, Tab, Trouble, Ui, View, draw, text,
};
use crate::model::{Moment, Money};
use crate::show::golden::check;
use crate::show::screen::Screen;

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2))
}

const NOW: Moment = Moment(1_763_976_600_000);

fn ago(seconds: i64) -> Moment {
    Moment(NOW.0 - seconds * 1000)
}

fn node(number: usize, state: &str, job: Option<&str>) -> Node {
    Node {
        id: format!("i-{number:017x}"),
        cluster: "cluster.train".to_owned(),
        state: state.to_owned(),
        instance_type: "p5.48xlarge".to_owned(),
        zone: "us-east-1a".to_owned(),
        market: "on-demand".to_owned(),
        launched: Some(ago(5400)),
        per_hour: Some(usd(5504)),
        job: job.map(str::to_owned),
        reason: None,
    }
}

fn clusters() -> Vec<Cluster> {
    let scaled =
        Scaled { at: Some(ago(9)), jobs_waiting: 37, gpus_waiting: 296, target: 16, pause: None };
    let train = Cluster {
        name: "cluster.train".to_owned(),
        least: 0,
        most: 16,
        states: BTreeMap::from([("busy".to_owned(), 12), ("running".to_owned(), 3)]),
        per_hour: usd(82560),
        unpriced: 0,
        scaled: Some(scaled),
    };
    let mlflow = Cluster {
        name: "service.mlflow".to_owned(),
        least: 1,
        most: 1,
        states: BTreeMap::from([("running".to_owned(), 1)]),
        per_hour: usd(9),
        ..Cluster::default()
    };
    vec![train, mlflow]
}

fn spend() -> Spend {
    let block = |name: &str, hour, month| (name.to_owned(), usd(hour), usd(month));
    Spend {
        per_hour: usd(82582),
        per_month: usd(60_284_860),
        ceiling: usd(88_086),
        unpriced: 0,
        budget_per_hour: Some(usd(90_000)),
        budget_per_month: None,
        blocks: vec![
            block("cluster.train", 82560, 60_268_800),
            block("network.main", 13, 9490),
            block("service.mlflow", 9, 6570),
        ],
    }
}

fn happened(seconds: i64, of: &str, text: &str) -> Happened {
    Happened { at: ago(seconds), of: of.to_owned(), text: text.to_owned() }
}

fn trouble(grave: bool, text: &str, help: &str) -> Trouble {
    Trouble { grave, text: text.to_owned(), help: help.to_owned() }
}

fn busy() -> View {
    let job = Some("llama-70b-sweep-117");
    let mut nodes: Vec<Node> = (0..12).map(|at| node(at, "busy", job)).collect();
    nodes.extend((12..15).map(|at| node(at, "running", None)));
    View {
        stack: "llm-prod".to_owned(),
        region: "us-east-1".to_owned(),
        account: "123456789012".to_owned(),
        simulated: false,
        at: NOW,
        problems: vec![
            trouble(
                true,
                "a node of cluster.train is unhealthy: GPU 3 fell off the bus (Xid 79)",
                "it is replaced by the next look; `mlinfra nodes` names it",
            ),
            trouble(false, "the hostile \u{1b}[2J job\u{202e} waits", ""),
        ],
        clusters: clusters(),
        nodes,
        spend: Some(spend()),
        pending: Pending::Changes("Plan: 0 to add, 1 to change, 0 to delete.".to_owned()),
        last: Some(Last {
            number: 14,
            verb: "apply".to_owned(),
            outcome: "converged".to_owned(),
            began: ago(90_000),
            ended: Some(ago(89_000)),
            who: "ann@laptop".to_owned(),
        }),
        events: vec![
            happened(9, "cluster.train", "launch 4 nodes: 37 jobs wait"),
            happened(320, "cluster.train", "drain i-0000000000000000c: idle for 15 minutes"),
            happened(89_000, "stack", "apply 14 ended: converged, 3 steps"),
        ],
    }
}

#[test]
fn status_at_three_widths_and_read_aloud() {
    let view = busy();
    for width in [60, 80, 160] {
        let shown = text(&view, &Screen { width, ..Screen::PLAIN });
        check(&format!("status_{width}.txt"), &shown);
        let over: Vec<&str> = shown.lines().filter(|line| line.chars().count() > width).collect();
        assert!(over.is_empty(), "{over:?}");
    }
    let plain = Screen { plain: true, width: usize::MAX, ..Screen::PLAIN };
    check("status_plain.txt", &text(&view, &plain));
    check("status_nothing.txt", &text(&View { at: NOW, ..View::default() }, &Screen::PLAIN));
    check("status.json", &format!("{:#}\n", super::json(&view)));
}

/// What stands on the screen.
fn drawn(view: Option<&View>, ui: &mut Ui, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, view, ui)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn top_at_two_sizes_and_on_each_tab() {
    let view = busy();
    let note = "every 5 s".to_owned();
    for (width, height) in [(80, 24), (160, 40)] {
        let mut ui = Ui { note: note.clone(), ..Ui::default() };
        let mut all = String::new();
        for _ in 0..4 {
            all.push_str(&drawn(Some(&view), &mut ui, (width, height)));
            all.push_str("====\n");
            ui.press(Key::Next);
        }
        assert_eq!(ui.tab, Tab::Overview);
        ui.press(Key::Help);
        all.push_str(&drawn(Some(&view), &mut ui, (width, height)));
        check(&format!("top_{width}.txt"), &all);
        assert!(!all.contains(['\u{1b}', '\u{202e}']));
    }
}

#[test]
fn keys_move_and_no_further_than_there_is_something() {
    let view = busy();
    let mut ui = Ui::default();
    ui.press(Key::Number(2));
    ui.press(Key::End);
    let shown = drawn(Some(&view), &mut ui, (80, 16));
    assert!(shown.contains("i-0000000000000000e") && ui.scroll > 0, "{shown}");
    let bottom = ui.scroll;
    ui.press(Key::Move(10));
    drawn(Some(&view), &mut ui, (80, 16));
    assert_eq!(ui.scroll, bottom);
    ui.press(Key::Move(-1));
    assert_eq!(ui.scroll, bottom - 1);
    ui.press(Key::Home);
    assert_eq!(ui.scroll, 0);
    ui.press(Key::Number(9));
    assert_eq!(ui.tab, Tab::Nodes);
    ui.press(Key::Back);
    ui.press(Key::Back);
    assert_eq!(ui.tab, Tab::Events);
}

#[test]
fn any_size_can_be_drawn_also_before_anything_was_seen() {
    let view = busy();
    for width in [1, 2, 10, 40, 79, 200] {
        for height in [1, 2, 5, 10, 23] {
            for help in [false, true] {
                drawn(None, &mut Ui { help, ..Ui::default() }, (width, height));
                drawn(Some(&view), &mut Ui { help, ..Ui::default() }, (width, height));
            }
        }
    }
}
