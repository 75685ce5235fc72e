//! Boxes in columns, what is needed to the left of what needs it: each box one column behind
//! the last thing that it needs, boxes moved up and down until few lines cross.
//!
//! After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical
//! system structures", 1981; lines over several columns pass through places of their own.

use std::collections::BTreeSet;

/// How often the order within columns is mended from both sides.
const SWEEPS: usize = 12;
/// How often boxes are moved towards what they are connected with.
const PULLS: usize = 10;

/// Sizes, in units of the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// The height of a box.
    pub high: f64,
    /// Between two boxes of a column.
    pub between: f64,
    /// Between two columns.
    pub gutter: f64,
    /// Around everything.
    pub margin: f64,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// The upper left corner of each box, and its width.
    pub boxes: Vec<(f64, f64, f64)>,
    /// For each edge the points that it passes, in order: pairs of entering and leaving.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// Of the whole.
    pub width: f64,
    /// Of the whole.
    pub height: f64,
}

/// A place in a column: a box, or a point that a line passes.
struct Spot {
    rank: usize,
    high: f64,
    before: Vec<usize>,
    after: Vec<usize>,
    y: f64,
}

/// Lays boxes of the given widths out.
pub(super) fn layout(widths: &[f64], edges: &BTreeSet<(usize, usize)>, sizes: Sizes) -> Layout {
    let ranks = ranks(widths.len(), edges);
    let mut spots: Vec<Spot> = ranks
        .iter()
        .map(|rank| Spot {
            rank: *rank,
            high: sizes.high,
            before: Vec::new(),
            after: Vec::new(),
            y: 0.0,
        })
        .collect();
    let paths: Vec<Vec<usize>> =
        edges.iter().map(|edge| path(&mut spots, *edge, sizes.high / 3.0)).collect();
    let mut columns = columns(&spots);
    order(&mut columns, &spots);
    place(&columns, &mut spots, sizes);
    let (lefts, wides) = across(&columns, widths, sizes);
    let boxes = (0..widths.len())
        .map(|id| (lefts[spots[id].rank], spots[id].y, wides[spots[id].rank]))
        .collect();
    let lines = paths.iter().map(|path| line(path, &spots, (&lefts, &wides))).collect();
    let bottom = spots.iter().map(|spot| spot.y + spot.high).fold(0.0, f64::max);
    let right = lefts.iter().zip(&wides).map(|(left, wide)| left + wide).fold(0.0, f64::max);
    Layout { boxes, lines, width: right + sizes.margin, height: bottom + sizes.margin }
}

/// The column of each box. Edges that would close a circle are not counted.
fn ranks(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let forward = without_circles(nodes, edges);
    let mut ranks = vec![0; nodes];
    // As many rounds as the longest way has edges, at most.
    for _ in 0..nodes {
        let mut changed = false;
        for (from, to) in &forward {
            if ranks[*to] < ranks[*from] + 1 {
                ranks[*to] = ranks[*from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    // What only later boxes need stands just in front of the first of them.
    for _ in 0..nodes {
        let mut changed = false;
        for node in 0..nodes {
            let needs = forward.iter().any(|(_, to)| *to == node);
            let first =
                forward.iter().filter(|(from, _)| *from == node).map(|(_, to)| ranks[*to]).min();
            if let (false, Some(first)) = (needs, first)
                && ranks[node] + 1 < first
            {
                ranks[node] = first - 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    ranks
}

fn without_circles(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let (mut state, mut out) = (vec![0_u8; nodes], Vec::new());
    for start in 0..nodes {
        let mut stack = vec![(start, 0)];
        while let Some((node, at)) = stack.pop() {
            if at == 0 {
                if state[node] != 0 {
                    continue;
                }
                state[node] = 1;
            }
            match edges.range((node, 0)..=(node, usize::MAX)).nth(at) {
                Some((_, next)) => {
                    stack.push((node, at + 1));
                    if state[*next] != 1 {
                        out.push((node, *next));
                    }
                    if state[*next] == 0 {
                        stack.push((*next, 0));
                    }
                }
                None => state[node] = 2,
            }
        }
    }
    out
}

/// The places that a line passes, its ends included. One that leads back goes straight.
fn path(spots: &mut Vec<Spot>, (from, to): (usize, usize), high: f64) -> Vec<usize> {
    let mut out = vec![from];
    for rank in spots[from].rank + 1..spots[to].rank {
        let (before, after) = (Vec::new(), Vec::new());
        spots.push(Spot { rank, high, before, after, y: 0.0 });
        out.push(spots.len() - 1);
    }
    out.push(to);
    if spots[from].rank < spots[to].rank {
        for pair in out.windows(2) {
            if let [left, right] = *pair {
                spots[left].after.push(right);
                spots[right].before.push(left);
            }
        }
    }
    out
}

fn columns(spots: &[Spot]) -> Vec<Vec<usize>> {
    let last = spots.iter().map(|spot| spot.rank).max().map_or(0, |rank| rank + 1);
    let mut out = vec![Vec::new(); last];
    for (id, spot) in spots.iter().enumerate() {
        out[spot.rank].push(id);
    }
    out
}

/// Orders columns by the middle of what each place is connected with, and keeps the best.
fn order(columns: &mut [Vec<usize>], spots: &[Spot]) {
    let mut best = (crossings(columns, spots), columns.to_vec());
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        let ranks: Vec<usize> =
            if forth { (0..columns.len()).collect() } else { (0..columns.len()).rev().collect() };
        for rank in ranks {
            let places = positions(columns, spots.len());
            let middle = |id: usize| {
                let near = if forth { &spots[id].before } else { &spots[id].after };
                let sum: f64 = near.iter().map(|other| places[*other]).sum();
                if near.is_empty() { places[id] } else { sum / near.len() as f64 }
            };
            let mut keyed: Vec<(f64, usize)> =
                columns[rank].iter().map(|id| (middle(*id), *id)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            columns[rank] = keyed.into_iter().map(|(_, id)| id).collect();
        }
        let now = crossings(columns, spots);
        if now < best.0 {
            best = (now, columns.to_vec());
        }
    }
    columns.clone_from_slice(&best.1);
}

/// How far down each place is, as a part of its column.
fn positions(columns: &[Vec<usize>], spots: usize) -> Vec<f64> {
    let mut out = vec![0.0; spots];
    for column in columns {
        for (at, id) in column.iter().enumerate() {
            out[*id] = (at as f64 + 0.5) / column.len() as f64;
        }
    }
    out
}

fn crossings(columns: &[Vec<usize>], spots: &[Spot]) -> usize {
    let places = positions(columns, spots.len());
    let mut out = 0;
    for column in columns {
        let lines: Vec<(f64, f64)> = column
            .iter()
            .flat_map(|id| spots[*id].after.iter().map(|to| (places[*id], places[*to])))
            .collect();
        for (at, one) in lines.iter().enumerate() {
            let crosses = |other: &&(f64, f64)| (one.0 - other.0) * (one.1 - other.1) < 0.0;
            out += lines[at + 1..].iter().filter(crosses).count();
        }
    }
    out
}

/// Moves places towards what they are connected with, as far as their neighbours let them.
fn place(columns: &[Vec<usize>], spots: &mut [Spot], sizes: Sizes) {
    for column in columns {
        let mut y = sizes.margin;
        for id in column {
            spots[*id].y = y;
            y += spots[*id].high + sizes.between;
        }
    }
    for pull in 0..PULLS {
        let ranks: Vec<usize> = match pull % 2 {
            0 => (0..columns.len()).collect(),
            _ => (0..columns.len()).rev().collect(),
        };
        for rank in ranks {
            pull_column(&columns[rank], spots, sizes.between);
        }
    }
    let top = spots.iter().map(|spot| spot.y).fold(f64::INFINITY, f64::min);
    for spot in spots {
        spot.y += sizes.margin - top;
    }
}

fn pull_column(column: &[usize], spots: &mut [Spot], between: f64) {
    let middle = |spot: &Spot| spot.y + spot.high / 2.0;
    let wanted: Vec<f64> = column
        .iter()
        .map(|id| {
            let near: Vec<usize> =
                spots[*id].before.iter().chain(&spots[*id].after).copied().collect();
            let sum: f64 = near.iter().map(|other| middle(&spots[*other])).sum();
            let own = middle(&spots[*id]);
            (if near.is_empty() { own } else { sum / near.len() as f64 }) - spots[*id].high / 2.0
        })
        .collect();
    // Once from above and once from below; the middle of both keeps the distances.
    let (mut down, mut up) = (wanted.clone(), wanted);
    for at in 1..column.len() {
        let least = down[at - 1] + spots[column[at - 1]].high + between;
        down[at] = down[at].max(least);
    }
    for at in (0..column.len().saturating_sub(1)).rev() {
        let most = up[at + 1] - spots[column[at]].high - between;
        up[at] = up[at].min(most);
    }
    for (at, id) in column.iter().enumerate() {
        spots[*id].y = f64::midpoint(down[at], up[at]);
    }
}

/// The left edge and the width of each column.
fn across(columns: &[Vec<usize>], widths: &[f64], sizes: Sizes) -> (Vec<f64>, Vec<f64>) {
    let wide = |column: &Vec<usize>| {
        column.iter().filter_map(|id| widths.get(*id)).fold(0.0, |a: f64, b| a.max(*b))
    };
    let wides: Vec<f64> = columns.iter().map(wide).collect();
    let mut x = sizes.margin;
    let mut lefts = Vec::new();
    for wide in &wides {
        lefts.push(x);
        x += wide + sizes.gutter;
    }
    (lefts, wides)
}

fn line(path: &[usize], spots: &[Spot], (lefts, wides): (&[f64], &[f64])) -> Vec<(f64, f64)> {
    let last = path.len() - 1;
    let mut out = Vec::new();
    for (at, id) in path.iter().enumerate() {
        let (rank, y) = (spots[*id].rank, spots[*id].y + spots[*id].high / 2.0);
        if at > 0 {
            out.push((lefts[rank], y));
        }
        if at < last {
            out.push((lefts[rank] + wides[rank], y));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { high: 40.0, between: 10.0, gutter: 50.0, margin: 8.0 };

    fn of(nodes: usize, edges: &[(usize, usize)]) -> Layout {
        layout(&vec![100.0; nodes], &edges.iter().copied().collect(), SIZES)
    }

    fn sound(layout: &Layout) {
        for (at, a) in layout.boxes.iter().enumerate() {
            assert!(a.0 >= 0.0 && a.1 >= 0.0, "{a:?}");
            assert!(a.0 + a.2 <= layout.width && a.1 + SIZES.high <= layout.height, "{a:?}");
            for b in &layout.boxes[at + 1..] {
                let apart = (a.1 - b.1).abs() >= SIZES.high || (a.0 - b.0).abs() >= 100.0;
                assert!(apart, "{a:?} lies on {b:?}");
            }
        }
    }

    #[test]
    fn what_is_needed_stands_to_the_left() {
        let layout = of(4, &[(0, 1), (1, 2), (0, 2), (3, 2)]);
        sound(&layout);
        let x = |id: usize| layout.boxes[id].0;
        assert!(x(0) < x(1) && x(1) < x(2));
        assert!((x(3) - x(1)).abs() < 1.0, "just in front of what needs it");
        assert!(layout.lines.iter().all(|line| line.len() >= 2 && line.len() % 2 == 0));
    }

    #[test]
    fn circles_and_nothing_at_all_are_drawn_too() {
        sound(&of(3, &[(0, 1), (1, 2), (2, 0)]));
        sound(&of(5, &[]));
        assert!(of(0, &[]).boxes.is_empty());
    }

    #[test]
    fn no_two_boxes_lie_on_each_other_in_graphs_of_many_shapes() {
        let mut seed = 7_u64;
        let mut dice = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % most
        };
        for _ in 0..200 {
            let nodes = 2 + dice(40);
            let edges: Vec<(usize, usize)> = (0..dice(80))
                .map(|_| (dice(nodes), dice(nodes)))
                .filter(|(from, to)| from != to)
                .collect();
            sound(&of(nodes, &edges));
        }
    }
}
