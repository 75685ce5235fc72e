//! A plan as a graph for Graphviz.

use super::graph::{Graph, Vertex};
use super::svg::class;
use crate::show::fold::cut;
use crate::show::screen::Untrusted;

/// Characters in a line of a label.
const LINE: usize = 60;

/// The file; `dot -Tsvg` draws it.
pub(super) fn file(graph: &Graph, title: &str) -> String {
    let mut out = format!(
        "digraph plan {{\n  rankdir = LR;\n  label = {};\n  labelloc = t;\n  \
         fontname = \"monospace\";\n  \
         node [shape = box, style = \"rounded,filled\", fontname = \"monospace\", fontsize = 10];\n  \
         edge [color = \"#59636e\", arrowsize = 0.7];\n",
        quoted(title)
    );
    for (at, Vertex { symbol, word, address, title }) in graph.nodes.iter().enumerate() {
        let lines = [format!("{} {word}", symbol.mark()), cut(address, LINE), cut(title, LINE)];
        let label: String = lines.iter().map(|line| escaped(line) + "\\l").collect();
        let (fill, line) = colours(class(*symbol));
        out.push_str(&format!(
            "  n{at} [label = \"{label}\", fillcolor = \"{fill}\", color = \"{line}\", tooltip = {}];\n",
            quoted(&format!("{word} {address}: {title}"))
        ));
    }
    for (from, to) in &graph.edges {
        out.push_str(&format!("  n{from} -> n{to};\n"));
    }
    out.push_str("}\n");
    out
}

/// The same as in the picture.
fn colours(class: &str) -> (&'static str, &'static str) {
    match class {
        "add" => ("#dafbe1", "#1a7f37"),
        "change" => ("#fff8c5", "#9a6700"),
        "remove" => ("#ffebe9", "#cf222e"),
        "warn" => ("#fff1e5", "#bc4c00"),
        _ => ("#f6f8fa", "#59636e"),
    }
}

/// In Graphviz a backslash begins an escape, also in front of letters
/// (<https://graphviz.org/docs/attr-types/escString/>).
fn escaped(text: &str) -> String {
    Untrusted(text).to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}
