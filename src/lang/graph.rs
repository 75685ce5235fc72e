//! What is declared, and in which order it can be evaluated.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Block;
use hcl_edit::visit::Visit as _;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::{Problem, Span};

use super::codes;
use super::eval::{Found, Scope};
use super::refs::{Index, References};
use super::schema::BlockSchema;
use super::value::Value;

/// One declared thing.
pub(crate) struct Node<'a> {
    pub(crate) what: What<'a>,
    /// What references start with: `var`, `local`, `bucket`.
    pub(crate) word: &'a str,
    /// Its name; empty for what cannot be referred to.
    pub(crate) name: &'a str,
    /// Where it is declared.
    pub(crate) span: Span,
    /// The file that it stands in.
    pub(crate) file: usize,
}

/// What a node is.
#[derive(Clone, Copy)]
pub(crate) enum What<'a> {
    Variable(&'a Block),
    Local(&'a Expression),
    Block(&'a Block, &'static BlockSchema),
    Module(&'a Block),
    /// `stack.env`, `stack.name` or `stack.region`.
    Fact,
    Output(&'a Block),
}

impl Node<'_> {
    /// `var.x`, `bucket.data`, `stack`
    pub(crate) fn title(&self) -> String {
        if self.name.is_empty() {
            self.word.to_owned()
        } else {
            format!("{}.{}", self.word.replace(' ', "."), self.name)
        }
    }
}

/// Everything that is declared.
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) index: Index<'a>,
    /// Words that a reference may start with.
    words: Vec<&'a str>,
    /// The values so far; none where evaluation failed.
    values: Vec<OnceCell<Option<Value>>>,
    /// Which nodes something refers to.
    used: OnceCell<Vec<bool>>,
    /// Nodes that stand in circles.
    circles: RefCell<BTreeSet<usize>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(words: Vec<&'a str>) -> Self {
        Self {
            nodes: Vec::new(),
            index: HashMap::new(),
            words,
            values: Vec::new(),
            used: OnceCell::new(),
            circles: RefCell::default(),
        }
    }

    /// Declares something; the place of the earlier one when the name is taken.
    pub(crate) fn declare(&mut self, node: Node<'a>, referable: bool) -> Result<usize, usize> {
        let place = self.nodes.len();
        if referable {
            let names = self.index.entry(node.word).or_default();
            if let Some(first) = names.get(node.name) {
                return Err(*first);
            }
            names.insert(node.name, place);
        }
        self.nodes.push(node);
        self.values.push(OnceCell::new());
        Ok(place)
    }

    /// Forgets all values: the next instance of a module has its own. What stands in a circle
    /// stays without one.
    pub(crate) fn reset(&mut self) {
        for (place, cell) in self.values.iter_mut().enumerate() {
            if !self.circles.borrow().contains(&place) {
                cell.take();
            }
        }
    }

    /// Notes the value of a node, or that it has none.
    pub(crate) fn settle(&self, place: usize, value: Option<Value>) {
        if let Some(cell) = self.values.get(place) {
            // Each node is evaluated once, so the cell is empty.
            let _ = cell.set(value);
        }
    }

    /// True when something refers to a node.
    pub(crate) fn is_used(&self, place: usize) -> bool {
        self.used.get().and_then(|used| used.get(place)).copied().unwrap_or(true)
    }

    /// Notes what is referred to, by the rules of variables too.
    fn note_used(&self, uses: &[Vec<(usize, Range<usize>)>]) {
        let mut used = vec![false; self.nodes.len()];
        for (place, _) in uses.iter().flatten() {
            used[*place] = true;
        }
        for node in &self.nodes {
            let What::Variable(block) = node.what else { continue };
            let mut references = References::new(&self.index);
            references.visit_body(&block.body);
            references.found.iter().for_each(|(place, _)| used[*place] = true);
        }
        // The order is computed once.
        let _ = self.used.set(used);
    }

    /// What a node refers to, each with the first place of the reference.
    fn uses(&self, node: &Node<'a>) -> Vec<(usize, Range<usize>)> {
        let mut references = References::new(&self.index);
        match node.what {
            // Only rules refer to anything, and they are checked at the end.
            What::Variable(_) => {}
            What::Fact if node.name == "env" => {}
            What::Fact => {
                let span = node.span.range.clone();
                let stack =
                    |node: &Node<'_>| node.word == "stack" && matches!(node.what, What::Block(..));
                return self
                    .nodes
                    .iter()
                    .position(stack)
                    .map(|at| (at, span))
                    .into_iter()
                    .collect();
            }
            What::Local(expr) => references.visit_expr(expr),
            What::Block(block, _) | What::Module(block) | What::Output(block) => {
                references.visit_body(&block.body)
            }
        }
        let mut seen = BTreeSet::new();
        references.found.retain(|(place, _)| seen.insert(*place));
        references.found
    }

    /// The order of evaluation: what is referred to comes first. What stands in a circle is
    /// reported, has no value, and keeps its place.
    pub(crate) fn order(&self, problems: &mut Vec<Problem>) -> Vec<usize> {
        let uses: Vec<_> = self.nodes.iter().map(|node| self.uses(node)).collect();
        self.note_used(&uses);
        let mut graph = DiGraph::<(), ()>::with_capacity(self.nodes.len(), self.nodes.len() * 2);
        let ids: Vec<NodeIndex> = self.nodes.iter().map(|_| graph.add_node(())).collect();
        for (place, used) in uses.iter().enumerate() {
            for (other, _) in used {
                graph.add_edge(ids[place], ids[*other], ());
            }
        }
        let mut order = Vec::with_capacity(self.nodes.len());
        for component in petgraph::algo::kosaraju_scc(&graph) {
            let mut members: Vec<usize> = component.iter().map(|id| id.index()).collect();
            members.sort_unstable();
            let circle = match members.as_slice() {
                [only] => uses[*only].iter().any(|(other, _)| other == only),
                _ => true,
            };
            if circle {
                problems.push(self.circle(&members, &uses));
                members.iter().for_each(|place| self.settle(*place, None));
                self.circles.borrow_mut().extend(members.iter().copied());
            }
            order.extend(members);
        }
        order
    }

    /// True when a node was found to have no value before it was evaluated.
    pub(crate) fn is_settled(&self, place: usize) -> bool {
        self.values.get(place).is_some_and(|cell| cell.get().is_some())
    }

    /// The shortest circle through the first of its members, told step by step.
    fn circle(&self, members: &[usize], uses: &[Vec<(usize, Range<usize>)>]) -> Problem {
        let start = members.first().copied().unwrap_or_default();
        let inside: BTreeSet<usize> = members.iter().copied().collect();
        let mut came: HashMap<usize, (usize, Range<usize>)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        'search: while let Some(place) = queue.pop_front() {
            for (next, range) in &uses[place] {
                if !inside.contains(next) || came.contains_key(next) {
                    continue;
                }
                came.insert(*next, (place, range.clone()));
                if *next == start {
                    break 'search;
                }
                queue.push_back(*next);
            }
        }
        let mut steps = Vec::new();
        let mut at = start;
        while let Some((from, range)) = came.get(&at) {
            steps.push((*from, at, range.clone()));
            at = *from;
            if at == start {
                break;
            }
        }
        steps.reverse();
        self.tell(&steps)
    }

    fn tell(&self, steps: &[(usize, usize, Range<usize>)]) -> Problem {
        let title = |place: usize| self.nodes.get(place).map(Node::title).unwrap_or_default();
        let mut path: Vec<String> = steps.iter().map(|(from, _, _)| title(*from)).collect();
        path.extend(steps.last().map(|(_, to, _)| title(*to)));
        let shown = if path.len() > 12 {
            let (head, tail) = (path[..6].join(" -> "), path[path.len() - 5..].join(" -> "));
            format!("{head} -> … -> {tail}")
        } else {
            path.join(" -> ")
        };
        let mut problem = Problem::error(codes::CYCLE, format!("a circle of references: {shown}"));
        for (from, to, range) in steps.iter().take(12) {
            if let Some(node) = self.nodes.get(*from) {
                let span = Span { source: node.span.source, range: range.clone() };
                let text = format!("{} uses {}", title(*from), title(*to));
                problem = problem.at(&span, text);
            }
        }
        problem.help("break the circle: one of them must not need the other")
    }

    /// A node and everything that it needs, directly or not.
    pub(crate) fn reach(&self, start: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front().and_then(|place| self.nodes.get(place)) {
            for (next, _) in self.uses(node) {
                if seen.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        seen
    }

    /// The first block that a node needs, directly or not, and where it is used.
    pub(crate) fn block_needed(&self, start: usize) -> Option<(&Node<'a>, Span)> {
        for place in self.reach(start) {
            let node = self.nodes.get(place)?;
            for (next, range) in self.uses(node) {
                let other = self.nodes.get(next)?;
                let block = matches!(other.what, What::Block(..) | What::Module(_));
                if block && other.word != "stack" {
                    return Some((other, Span { source: node.span.source, range }));
                }
            }
        }
        None
    }
}

impl Scope for Graph<'_> {
    fn find(&self, word: &str, name: &str) -> Found<'_> {
        let place = self.index.get(word).and_then(|names| names.get(name));
        match place.and_then(|place| self.values.get(*place)) {
            Some(cell) => match cell.get() {
                Some(Some(value)) => Found::Value(value),
                Some(None) | None => Found::Failed,
            },
            None if self.words.contains(&word) => Found::NoName,
            None => Found::NoWord,
        }
    }

    fn words(&self) -> Vec<&str> {
        // `lookup vpc` is written lookup.vpc.
        let mut words: Vec<&str> =
            self.words.iter().map(|word| word.split(' ').next().unwrap_or(word)).collect();
        words.dedup();
        words
    }

    fn names(&self, word: &str) -> Vec<&str> {
        let mut names: Vec<&str> = match self.index.get(word) {
            Some(names) => names.keys().copied().collect(),
            None => Vec::new(),
        };
        names.sort_unstable();
        names
    }
}
