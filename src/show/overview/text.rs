//! `status` for people: what is wrong first.

use super::words;
use super::{Spend, Trouble, View};
use crate::show::fold::{Page, Row, count};
use crate::show::screen::{Ink, Screen};
use crate::show::table::Table;

/// Blocks whose costs are listed.
const BLOCKS: usize = 12;
/// Events that are listed; with -v all that are known.
const EVENTS: usize = 8;

/// The stack as it is now.
pub fn text(view: &View, screen: &Screen) -> String {
    let mut page = Page::new(*screen);
    page.row(&Row::at(0).words(Ink::Bold, words::title(view)));
    problems(&mut page, view);
    clusters(&mut page, view, screen);
    page.gap();
    for text in words::spend(view) {
        page.row(&Row::at(0).hang(2).words(Ink::Plain, text));
    }
    blocks(&mut page, view, screen);
    page.gap();
    page.row(&Row::at(0).hang(2).words(Ink::Plain, words::last(view)));
    for text in words::rest(view) {
        page.row(&Row::at(0).hang(2).words(Ink::Plain, text));
    }
    events(&mut page, view, screen);
    page.finish()
}

fn problems(page: &mut Page, view: &View) {
    if view.problems.is_empty() {
        page.row(&Row::at(0).words(Ink::Add, "No problems are known."));
        return;
    }
    page.gap();
    let title = format!("{}:", count(view.problems.len(), "problem", "problems"));
    page.row(&Row::at(0).words(Ink::Bold, title));
    for Trouble { grave, text, help } in &view.problems {
        let (ink, mark, word) =
            if *grave { (Ink::Bad, "!", "error") } else { (Ink::Warn, "?", "warning") };
        let row = Row::marked(2, ink, mark).spoken("").words(ink, format!("{word}: "));
        page.row(&row.words(Ink::Plain, text));
        if !help.is_empty() {
            page.row(&Row::at(4).hang(4).words(Ink::Dim, help));
        }
    }
}

fn clusters(page: &mut Page, view: &View, screen: &Screen) {
    page.gap();
    if view.clusters.is_empty() {
        page.row(&Row::at(0).words(Ink::Plain, "The stack has no clusters."));
        return;
    }
    page.row(&Row::at(0).words(Ink::Bold, "Clusters"));
    let lines: Vec<_> = view
        .clusters
        .iter()
        .map(|cluster| (Ink::Plain, words::cluster(cluster, view.at).to_vec()))
        .collect();
    let table = Table { heads: &words::CLUSTER, right: &[1, 2, 5], indent: 2, out: &[] };
    table.write(page, screen, &lines);
    for cluster in &view.clusters {
        let Some(pause) = cluster.scaled.as_ref().and_then(|it| it.pause.as_ref()) else {
            continue;
        };
        page.row(&Row::at(2).hang(4).words(Ink::Warn, format!("{}: {pause}", cluster.name)));
    }
    if screen.verbose && !view.nodes.is_empty() {
        page.gap();
        page.row(&Row::at(0).words(Ink::Bold, "Nodes"));
        let lines: Vec<_> = view
            .nodes
            .iter()
            .map(|node| (Ink::Plain, words::node(node, view.at).to_vec()))
            .collect();
        Table { heads: &words::NODE, right: &[5, 6], indent: 2, out: &[] }
            .write(page, screen, &lines);
    }
}

fn blocks(page: &mut Page, view: &View, screen: &Screen) {
    let Some(Spend { blocks, .. }) = &view.spend else { return };
    let shown = if screen.verbose { blocks.len() } else { blocks.len().min(BLOCKS) };
    if shown < 2 {
        return;
    }
    let lines: Vec<_> = blocks[..shown]
        .iter()
        .map(|(name, hour, month)| {
            (Ink::Plain, vec![name.clone(), format!("{hour}/h"), format!("{month}/month")])
        })
        .collect();
    Table { heads: &["", "", ""], right: &[1, 2], indent: 2, out: &[] }.write(page, screen, &lines);
    if blocks.len() > shown {
        let more = count(blocks.len() - shown, "block", "blocks");
        page.row(&Row::at(2).words(Ink::Dim, format!("and {more} that cost less (-v names them)")));
    }
}

fn events(page: &mut Page, view: &View, screen: &Screen) {
    let shown = if screen.verbose { view.events.len() } else { view.events.len().min(EVENTS) };
    if shown == 0 {
        return;
    }
    page.gap();
    page.row(&Row::at(0).words(Ink::Bold, "Last events"));
    for event in &view.events[..shown] {
        let row = Row::at(2).hang(23).words(Ink::Dim, format!("{}  ", words::when(event.at)));
        page.row(&row.words(Ink::Plain, format!("{}: {}", event.of, event.text)));
    }
}
