//! `top`: the same view drawn on a terminal's whole screen. A function of the view, of what the
//! person has pressed and of the screen's size; it asks nobody.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::grid::grid;
use super::words;
use super::{Trouble, View};
use crate::show::screen::Untrusted;

/// Problems that are shown above everything else.
const PROBLEMS: usize = 3;
/// The length of a bar.
const BAR: usize = 30;

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Clusters, spend, what happened.
    #[default]
    Overview,
    /// Every node.
    Nodes,
    /// What costs how much.
    Spend,
    /// What happened.
    Events,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Overview, Self::Nodes, Self::Spend, Self::Events];

    fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Nodes => "Nodes",
            Self::Spend => "Spend",
            Self::Events => "Events",
        }
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }
}

/// What a person may press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next tab.
    Next,
    /// The one before.
    Back,
    /// That tab, from 1.
    Number(usize),
    /// So many lines down; up where negative.
    Move(isize),
    /// To the first line.
    Home,
    /// To the last.
    End,
    /// What the keys are.
    Help,
}

/// What a person has pressed so far, and what else stands around the view.
#[derive(Clone, Debug, Default)]
pub struct Ui {
    /// What is looked at.
    pub tab: Tab,
    /// Lines above the first one that is shown.
    pub scroll: usize,
    /// The keys are explained.
    pub help: bool,
    /// Colours are shown; nothing is said by them alone.
    pub colour: bool,
    /// When it was looked, or why that failed.
    pub note: String,
    /// The note is a failure.
    pub failed: bool,
}

impl Ui {
    /// Takes in a key.
    pub fn press(&mut self, key: Key) {
        let (all, at) = (Tab::ALL.len(), self.tab.place());
        let to = |place: usize| Tab::ALL.get(place).copied().unwrap_or_default();
        let help = self.help;
        self.help = false;
        match key {
            Key::Help => self.help = !help,
            Key::Next => (self.tab, self.scroll) = (to((at + 1) % all), 0),
            Key::Back => (self.tab, self.scroll) = (to((at + all - 1) % all), 0),
            Key::Number(number) if (1..=all).contains(&number) => {
                (self.tab, self.scroll) = (to(number - 1), 0);
            }
            Key::Number(_) => {}
            Key::Move(lines) => self.scroll = self.scroll.saturating_add_signed(lines),
            Key::Home => self.scroll = 0,
            Key::End => self.scroll = usize::MAX,
        }
    }

    fn ink(&self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }
}

/// Draws it. Where nothing was seen yet there is no view.
pub fn draw(frame: &mut Frame<'_>, view: Option<&View>, ui: &mut Ui) {
    let head = head(view, ui);
    let rows = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(rows), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(head), top);
    let width = usize::from(middle.width);
    let lines = match view {
        Some(view) => body(view, ui, width, usize::from(middle.height)),
        None => vec![Line::from("The stack is looked at…")],
    };
    // The last line stays at the bottom of the screen.
    let most = lines.len().saturating_sub(usize::from(middle.height));
    ui.scroll = ui.scroll.min(most);
    let shown = lines.into_iter().skip(ui.scroll).take(usize::from(middle.height));
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), middle);
    let keys = Line::from(" q quit   tab next   ↑ ↓ scroll   r look again   ? keys");
    frame.render_widget(Paragraph::new(keys.style(Modifier::REVERSED)), bottom);
    if ui.help {
        help(frame, middle);
    }
}

fn clean(text: &str) -> String {
    Untrusted(text).to_string()
}

/// The stack, what is wrong with it, and the tabs.
fn head<'a>(view: Option<&View>, ui: &Ui) -> Vec<Line<'a>> {
    let title = view.map_or_else(|| "mlinfra top".to_owned(), words::title);
    let note =
        if ui.failed { ui.ink(Color::Red) } else { Style::new().add_modifier(Modifier::DIM) };
    let mut out = vec![
        Line::from(Span::styled(clean(&title), Modifier::BOLD)),
        Line::from(Span::styled(clean(&ui.note), note)),
    ];
    let problems = view.map(|view| view.problems.as_slice()).unwrap_or_default();
    for Trouble { grave, text, help: _ } in problems.iter().take(PROBLEMS) {
        let (mark, style) = if *grave {
            ("! error: ", ui.ink(Color::Red).add_modifier(Modifier::BOLD))
        } else {
            ("? warning: ", ui.ink(Color::Yellow))
        };
        out.push(Line::from(Span::styled(format!("{mark}{}", clean(text)), style)));
    }
    if problems.len() > PROBLEMS {
        let more = problems.len() - PROBLEMS;
        out.push(Line::from(format!("  and {more} more: `mlinfra status` tells all of them")));
    } else if problems.is_empty() && view.is_some() {
        out.push(Line::from(Span::styled("No problems are known.", ui.ink(Color::Green))));
    }
    let mut tabs = Vec::new();
    for (at, tab) in Tab::ALL.into_iter().enumerate() {
        let text = format!(" {} {} ", at + 1, tab.title());
        // Brackets say what the colours of a reversed tab say.
        let here = tab == ui.tab;
        let text = if here { format!("[{}]", text.trim()) } else { text };
        let style = if here { Modifier::REVERSED } else { Modifier::empty() };
        tabs.push(Span::styled(text, style));
        tabs.push(Span::raw(" "));
    }
    out.push(Line::from(""));
    out.push(Line::from(tabs));
    out
}

fn body<'a>(view: &View, ui: &Ui, width: usize, height: usize) -> Vec<Line<'a>> {
    match ui.tab {
        Tab::Overview => overview(view, ui, width, height),
        Tab::Nodes => {
            let rows = view.nodes.iter().map(|node| words::node(node, view.at).to_vec());
            let mut out = grid(&words::NODE, &rows.collect::<Vec<_>>(), &[5, 6], width);
            if view.nodes.is_empty() {
                out = vec![Line::from("There are no nodes.")];
            }
            out
        }
        Tab::Spend => spend(view, width),
        Tab::Events => events(view, usize::MAX),
    }
}

fn overview<'a>(view: &View, ui: &Ui, width: usize, height: usize) -> Vec<Line<'a>> {
    let rows = view.clusters.iter().map(|cluster| words::cluster(cluster, view.at).to_vec());
    let rows: Vec<_> = rows.collect();
    let mut out = match rows.is_empty() {
        true => vec![Line::from("The stack has no clusters.")],
        false => grid(&words::CLUSTER, &rows, &[1, 2, 5], width),
    };
    for cluster in &view.clusters {
        let Some(pause) = cluster.scaled.as_ref().and_then(|it| it.pause.as_ref()) else {
            continue;
        };
        let text = clean(&format!("{}: {pause}", cluster.name));
        out.push(Line::from(Span::styled(text, ui.ink(Color::Yellow))));
    }
    out.push(Line::from(""));
    for text in words::spend(view) {
        let budget = text.starts_with("Budget: ");
        out.push(Line::from(clean(&text)));
        let spend = view.spend.as_ref().filter(|_| budget);
        let limit = spend.and_then(|spend| Some((spend, spend.budget_per_hour?)));
        if let Some((spend, limit)) = limit {
            let share = spend.per_hour.ratio(limit);
            let colour = match share {
                ..0.8 => Color::Green,
                0.8..1.0 => Color::Yellow,
                _ => Color::Red,
            };
            out.push(Line::from(Span::styled(bar(share, BAR), ui.ink(colour))));
        }
    }
    out.push(Line::from(clean(&words::last(view))));
    out.extend(words::rest(view).iter().map(|text| Line::from(clean(text))));
    if !view.events.is_empty() {
        out.push(Line::from(""));
        out.push(Line::from(Span::styled("Last events", Modifier::BOLD)));
        let room = height.saturating_sub(out.len()).max(3);
        out.extend(events(view, room));
    }
    out
}

/// `[##########----------]`
fn bar(share: f64, length: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * length as f64).round() as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(length - full))
}

fn spend<'a>(view: &View, width: usize) -> Vec<Line<'a>> {
    let mut out: Vec<Line<'a>> =
        words::spend(view).iter().map(|text| Line::from(clean(text))).collect();
    out.push(Line::from(""));
    let blocks = view.spend.as_ref().map(|spend| spend.blocks.as_slice()).unwrap_or_default();
    let most = blocks.first().map(|(_, hour, _)| *hour).unwrap_or_default();
    let rows: Vec<Vec<String>> = blocks
        .iter()
        .map(|(name, hour, month)| {
            vec![name.clone(), hour.to_string(), month.to_string(), bar(hour.ratio(most), BAR / 2)]
        })
        .collect();
    out.extend(grid(&["BLOCK", "$/H", "$/MONTH", ""], &rows, &[1, 2], width));
    out
}

fn events<'a>(view: &View, most: usize) -> Vec<Line<'a>> {
    if view.events.is_empty() {
        return vec![Line::from("Nothing has happened yet.")];
    }
    let each = view.events.iter().take(most).map(|event| {
        let at = Span::styled(words::when(event.at), Modifier::DIM);
        Line::from(vec![at, Span::raw(format!("  {}: {}", clean(&event.of), clean(&event.text)))])
    });
    each.collect()
}

/// The keys, in a box over what is looked at.
fn help(frame: &mut Frame<'_>, area: Rect) {
    let lines = [
        "tab, →       the next tab",
        "shift-tab, ← the one before",
        "1 … 4        that tab",
        "↑ ↓, k j     a line up or down",
        "PgUp PgDn    a page up or down",
        "Home End     to the top, to the end",
        "r            look again now",
        "?            this, and away again",
        "q, Esc       quit; Ctrl-C, too",
    ];
    let most = |size: usize, room: u16| u16::try_from(size + 2).unwrap_or(0).min(room);
    let wide = lines.iter().map(|line| line.chars().count() + 2).max().unwrap_or(0);
    let (width, height) = (most(wide, area.width), most(lines.len(), area.height));
    let x = area.x + (area.width - width) / 2;
    let area = Rect { x, width, height, ..area };
    frame.render_widget(Clear, area);
    let lines: Vec<Line<'_>> =
        lines.into_iter().map(|line| Line::from(format!(" {line}"))).collect();
    let keys = Paragraph::new(lines).block(Block::bordered().title(" Keys "));
    frame.render_widget(keys, area);
}
