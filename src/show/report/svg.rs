//! A plan as a picture: what is done first to the left, arrows to what needs it, each box in
//! the colour of what happens to it, with its sign and its word.

use std::fmt::Write as _;

use super::graph::{Graph, Vertex};
use super::layout::{Layout, Sizes, layout};
use super::markup::xml;
use crate::show::fold::cut;
use crate::show::item::Symbol;
use crate::show::screen::Ink;

/// The look of the picture, by itself and within a page.
pub(super) const STYLE: &str = include_str!("../assets/picture.css");

const SIZES: Sizes = Sizes { high: 56.0, between: 14.0, gutter: 56.0, margin: 12.0 };
/// Characters in a line of a box.
const LINE: usize = 40;
/// The width of a character: of 12 px in fonts of one width, and some more.
const CHARACTER: f64 = 7.4;
/// Left and right of the text.
const PADDING: f64 = 12.0;

/// The class of a symbol, which is its colour.
pub(super) fn class(symbol: Symbol) -> &'static str {
    match symbol.ink() {
        Ink::Add => "add",
        Ink::Change => "change",
        Ink::Remove | Ink::Bad => "remove",
        Ink::Warn => "warn",
        Ink::Plain | Ink::Bold | Ink::Dim => "plain",
    }
}

/// A file of its own.
pub(super) fn file(graph: &Graph, title: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
        drawn(graph, title, &format!("<style>\n{STYLE}</style>\n"))
    )
}

/// Within a page that has [`STYLE`].
pub(super) fn inline(graph: &Graph, title: &str) -> String {
    drawn(graph, title, "")
}

fn drawn(graph: &Graph, title: &str, style: &str) -> String {
    let widths: Vec<f64> = graph.nodes.iter().map(width).collect();
    let Layout { boxes, lines, width, height } = layout(&widths, &graph.edges, SIZES);
    let (width, height) = (width.max(240.0), height.max(40.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-labelledby=\"picture-title picture-about\">\n\
         <title id=\"picture-title\">{}</title>\n<desc id=\"picture-about\">{} An arrow leads from \
         what is done first to what needs it.</desc>\n{style}\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"head\" d=\"M0,0 L8,4 L0,8 z\"/></marker>\
         </defs>\n",
        xml(title),
        xml(&graph.about)
    );
    for line in &lines {
        out.push_str(&curve(line));
    }
    for (vertex, (x, y, wide)) in graph.nodes.iter().zip(&boxes) {
        out.push_str(&node(vertex, (*x, *y, *wide)));
    }
    if graph.nodes.is_empty() {
        out.push_str("<text class=\"name\" x=\"12\" y=\"24\">No changes.</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// What stands in a box.
fn texts(vertex: &Vertex) -> [String; 3] {
    let Vertex { symbol, word, address, title } = vertex;
    [format!("{} {word}", symbol.mark()), cut(address, LINE), cut(title, LINE)]
}

fn width(vertex: &Vertex) -> f64 {
    let longest = texts(vertex).iter().map(|text| text.chars().count()).max().unwrap_or(0);
    longest as f64 * CHARACTER + 2.0 * PADDING
}

fn node(vertex: &Vertex, (x, y, wide): (f64, f64, f64)) -> String {
    let [sign, address, title] = texts(vertex);
    let Vertex { symbol, word, address: whole, title: about } = vertex;
    let left = x + PADDING;
    format!(
        "<g class=\"{}\"><title>{}</title>\
         <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" rx=\"6\"/>\
         <text class=\"sign\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"what\" x=\"{left:.1}\" y=\"{:.1}\">{}</text></g>\n",
        class(*symbol),
        xml(&format!("{word} {whole}: {about}")),
        SIZES.high,
        y + 17.0,
        xml(&sign),
        y + 33.0,
        xml(&address),
        y + 48.0,
        xml(&title)
    )
}

/// A line through its points: straight behind boxes, bent between columns.
fn curve(points: &[(f64, f64)]) -> String {
    let mut out = String::from("<path class=\"line\" marker-end=\"url(#arrow)\" d=\"");
    for (at, pair) in points.chunks(2).enumerate() {
        let [(x, y), (to_x, to_y)] = pair else { continue };
        let bend = (to_x - x).abs().max(40.0) / 2.0;
        let first = if at == 0 { 'M' } else { 'L' };
        let _ = write!(
            out,
            "{first}{x:.1},{y:.1} C{:.1},{y:.1} {:.1},{to_y:.1} {to_x:.1},{to_y:.1} ",
            x + bend,
            to_x - bend
        );
    }
    out.truncate(out.trim_end().len());
    out.push_str("\"/>\n");
    out
}
