//! A plan as one page that needs nothing else: it asks for nothing, runs nothing, and its policy
//! forbids both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Report;
use super::graph::Graph;
use super::markup::xml;
use super::parts::{self, SCREEN, Section};
use super::svg::{self, class};
use crate::model::Money;
use crate::plan::cost::Sum;
use crate::show::cost::{self, Blocked};
use crate::show::entry::Card;
use crate::show::fold::{Row, count};
use crate::show::item::Symbol;
use crate::show::screen::Ink;

const STYLE: &str = include_str!("../assets/plan.css");
/// Blocks that are open from the start.
const OPEN: usize = 8;
/// Blocks with bars of their own.
const BARS: usize = 40;
/// The length of the longest bar.
const BAR: f64 = 240.0;

/// The page.
pub(super) fn page(report: &Report<'_>) -> String {
    let style = format!("{STYLE}{}", svg::STYLE);
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let (title, place) = (xml(&report.title()), xml(&report.place));
    let (sections, note) = parts::sections(report);
    let graph = Graph::of(report.plan);
    let body = [
        summary(report),
        problems(report),
        costs(report),
        changes(&sections, note.as_deref()),
        outputs(report),
        picture(&graph, &report.title()),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1>\n<p>{place}. {}</p></header>\n<main>\n{}</main>\n</body>\n</html>\n",
        xml(&report.made),
        body.concat()
    )
}

fn summary(report: &Report<'_>) -> String {
    let mut out = format!(
        "<section aria-label=\"Summary\">\n<p class=\"totals\">{}</p>\n",
        xml(&parts::totals(report))
    );
    for text in parts::price(report).into_iter().chain(parts::ceiling(report)) {
        out.push_str(&format!("<p>{}</p>\n", xml(&text.replace(" -> ", " → "))));
    }
    if report.plan.unchanged > 0 && !report.plan.is_empty() {
        let text = count(report.plan.unchanged, "object is", "objects are");
        out.push_str(&format!("<p>{text} unchanged.</p>\n"));
    }
    for remark in &report.remarks {
        out.push_str(&format!("<p class=\"remark\">{}</p>\n", xml(remark.trim())));
    }
    out.push_str("</section>\n");
    out
}

fn problems(report: &Report<'_>) -> String {
    if report.problems.is_empty() {
        return String::new();
    }
    let title = count(report.problems.len(), "warning or refusal", "warnings or refusals");
    let each: String =
        report.problems.iter().map(|text| format!("<li>{}</li>\n", lines(text))).collect();
    format!(
        "<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">{title}</h2>\n\
         <ul class=\"problems\">\n{each}</ul>\n</section>\n"
    )
}

/// Lines of a text, which may be wider than the screen.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(xml).collect();
    format!("<pre tabindex=\"0\">{}</pre>", lines.join("\n"))
}

fn costs(report: &Report<'_>) -> String {
    let Some(bill) = report.bill else { return String::new() };
    let mut blocks: Vec<_> = cost::by_block(bill).into_iter().collect();
    blocks.retain(|(_, it)| it.before != Sum::default() || it.after != Sum::default());
    if blocks.is_empty() {
        return String::new();
    }
    let size = |sum: Sum| sum.per_month();
    blocks.sort_by_key(|(_, it)| std::cmp::Reverse(size(it.before).max(size(it.after))));
    let most = blocks.iter().map(|(_, it)| size(it.before).max(size(it.after))).max();
    let most = most.unwrap_or_default();
    let rows: String = blocks
        .iter()
        .take(BARS)
        .map(|(owner, it)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td class=\"bar\">{}</td><td>{}</td><td>{}</td></tr>\n",
                xml(&owner.to_string()),
                bars(it, most),
                xml(&arrow(&cost::hours(it.before, it.after))),
                xml(&arrow(&cost::months(it.before, it.after)))
            )
        })
        .collect();
    let more = match blocks.len().saturating_sub(BARS) {
        0 => String::new(),
        left => format!("<p>And {} that cost less.</p>\n", count(left, "block", "blocks")),
    };
    let notes: String = cost::notes_of(bill, &SCREEN).lines().map(xml).collect();
    format!(
        "<section aria-labelledby=\"costs\">\n<h2 id=\"costs\">Cost</h2>\n<div class=\"scroll\" \
         role=\"region\" aria-labelledby=\"costs\" tabindex=\"0\"><table>\n<caption>By block, before \
         (hollow) and after (full)</caption>\n<thead><tr><th scope=\"col\">Block</th>\
         <th scope=\"col\">Before and after</th><th scope=\"col\">An hour</th>\
         <th scope=\"col\">A month of 730 h</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
         {more}<p class=\"note\">{}</p>\n</section>\n",
        notes.trim()
    )
}

fn arrow(text: &str) -> String {
    text.replace(" -> ", " → ")
}

/// A hollow bar above a full one; the cells beside them say the same in figures.
fn bars(block: &Blocked, most: Money) -> String {
    let long = |sum: Sum| (sum.per_month().ratio(most) * BAR).max(0.0);
    let (before, after) = (long(block.before), long(block.after));
    format!(
        "<svg class=\"bars\" width=\"{BAR}\" height=\"22\" viewBox=\"0 0 {BAR} 22\" \
         aria-hidden=\"true\"><rect class=\"before\" x=\"0.5\" y=\"1\" width=\"{:.1}\" height=\"8\"/>\
         <rect class=\"after\" x=\"0\" y=\"12\" width=\"{after:.1}\" height=\"9\"/></svg>",
        (before - 1.0).max(0.0)
    )
}

fn changes(sections: &[Section], note: Option<&str>) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let mut symbols: Vec<Symbol> = Vec::new();
    symbols.extend(sections.iter().flat_map(|it| &it.cards).map(Card::symbol));
    symbols.sort_unstable();
    symbols.dedup();
    let legend: String = symbols
        .into_iter()
        .map(|symbol| {
            let (class, mark) = (class(symbol), symbol.mark());
            format!("<li><b class=\"{class}\">{}</b> {}</li>", xml(mark), symbol.words())
        })
        .collect();
    let each: String = sections.iter().enumerate().map(|(at, it)| section(it, at < OPEN)).collect();
    let note = note.map_or_else(String::new, |note| format!("<p>{}</p>\n", xml(note)));
    format!(
        "<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">Changes</h2>\n\
         <ul class=\"legend\" aria-label=\"Signs\">{legend}</ul>\n{note}{each}</section>\n"
    )
}

fn section(section: &Section, open: bool) -> String {
    let Section { name, counts, signs: _, cost, cards } = section;
    let cost = cost.as_deref().map_or_else(String::new, |cost| {
        format!(" <span class=\"cost\">{}</span>", xml(&arrow(&cost.replace("  ", ", "))))
    });
    let cards: String = cards.iter().map(card).collect();
    format!(
        "<details{}>\n<summary><h3>{}</h3> <span>{}</span>{cost}</summary>\n<ul class=\"cards\">\n\
         {cards}</ul>\n</details>\n",
        if open { " open" } else { "" },
        xml(name),
        xml(counts)
    )
}

fn card(card: &Card) -> String {
    let symbol = card.symbol();
    let rows: String = card.rows().iter().map(row).collect();
    format!(
        "<li><p class=\"what\"><b class=\"{}\">{} {}</b> <code>{}</code> {}</p>\n{rows}</li>\n",
        class(symbol),
        xml(symbol.mark()),
        symbol.verb(),
        xml(card.address()),
        xml(&card.title())
    )
}

/// A row of a card, with the sign in a column of its own.
fn row(row: &Row) -> String {
    // Cards begin their rows six columns in, and go four deeper at each level.
    let depth = row.indent().saturating_sub(6) / 4;
    let sign = row.sign().filter(|(_, sign)| !sign.trim().is_empty());
    let sign = sign.map_or_else(String::new, |(ink, sign)| {
        format!("<b class=\"{}\">{}</b> ", tone(ink), xml(sign))
    });
    let text: String = row
        .stretches()
        .map(|(ink, text)| match tone(ink) {
            "" => xml(text),
            tone => format!("<span class=\"{tone}\">{}</span>", xml(text)),
        })
        .collect();
    format!("<p class=\"row in{}\">{sign}{text}</p>\n", depth.min(4))
}

fn tone(ink: Ink) -> &'static str {
    match ink {
        Ink::Plain | Ink::Bold => "",
        Ink::Add => "add",
        Ink::Change => "change",
        Ink::Remove | Ink::Bad => "remove",
        Ink::Warn => "warn",
        Ink::Dim => "dim",
    }
}

fn outputs(report: &Report<'_>) -> String {
    let text = parts::outputs(report);
    let Some((_, rows)) = text.split_once(":\n") else { return String::new() };
    format!(
        "<section aria-labelledby=\"outputs\">\n<h2 id=\"outputs\">Changes to outputs</h2>\n{}\n\
         </section>\n",
        lines(rows)
    )
}

fn picture(graph: &Graph, title: &str) -> String {
    if graph.nodes.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-labelledby=\"picture\">\n<h2 id=\"picture\">What needs what</h2>\n<figure>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"picture\" tabindex=\"0\">\n{}</div>\n\
         <figcaption>{} An arrow leads from what is done first to what needs it.</figcaption>\n\
         </figure>\n</section>\n",
        svg::inline(graph, title),
        xml(&graph.about)
    )
}
