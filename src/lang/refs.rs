//! Which declared things an expression or block refers to, found without evaluating it.

use std::collections::HashMap;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, Traversal, TraversalOperator};
use hcl_edit::template::{ForDirective, Template};
use hcl_edit::visit::{self, Visit};

/// Declared things by word and name.
pub(crate) type Index<'a> = HashMap<&'a str, HashMap<&'a str, usize>>;

/// Collects references in the order in which they stand.
pub(crate) struct References<'i, 'a> {
    index: &'i Index<'a>,
    /// Names that a `for` around this place binds; they hide words of the configuration.
    bound: Vec<String>,
    /// What is referred to, and where.
    pub(crate) found: Vec<(usize, Range<usize>)>,
}

impl<'i, 'a> References<'i, 'a> {
    pub(crate) fn new(index: &'i Index<'a>) -> Self {
        Self { index, bound: Vec::new(), found: Vec::new() }
    }
}

impl Visit for References<'_, '_> {
    fn visit_traversal(&mut self, node: &Traversal) {
        if let (Expression::Variable(word), [first, second, ..]) = (&node.expr, &*node.operators)
            && let TraversalOperator::GetAttr(kind) = first.value()
            && let TraversalOperator::GetAttr(name) = second.value()
            && word.value().as_str() == "lookup"
            && let Some(names) = self.index.get(format!("lookup {}", kind.value()).as_str())
            && let Some(place) = names.get(name.value().as_str())
        {
            let start = word.span().map_or(0, |span| span.start);
            let end = name.span().or_else(|| word.span()).map_or(start, |span| span.end);
            self.found.push((*place, start..end));
        } else if let (Expression::Variable(word), Some(first)) =
            (&node.expr, node.operators.first())
            && let TraversalOperator::GetAttr(name) = first.value()
            && !self.bound.iter().any(|bound| bound == word.value().as_str())
            && let Some(names) = self.index.get(word.value().as_str())
            && let Some(place) = names.get(name.value().as_str())
        {
            let start = word.span().map_or(0, |span| span.start);
            let end = name.span().or_else(|| word.span()).map_or(start, |span| span.end);
            self.found.push((*place, start..end));
        }
        visit::visit_traversal(self, node);
    }

    fn visit_for_expr(&mut self, node: &ForExpr) {
        self.visit_expr(&node.intro.collection_expr);
        let outer = self.bound.len();
        self.bound.extend(node.intro.key_var.iter().map(|name| name.value().to_string()));
        self.bound.push(node.intro.value_var.value().to_string());
        if let Some(key) = &node.key_expr {
            self.visit_expr(key);
        }
        self.visit_expr(&node.value_expr);
        if let Some(condition) = &node.cond {
            self.visit_expr(&condition.expr);
        }
        self.bound.truncate(outer);
    }

    fn visit_for_directive(&mut self, node: &ForDirective) {
        let head = &node.for_expr;
        self.visit_expr(&head.collection_expr);
        let outer = self.bound.len();
        self.bound.extend(head.key_var.iter().map(|name| name.value().to_string()));
        self.bound.push(head.value_var.value().to_string());
        let template: &Template = &head.template;
        self.visit_template(template);
        self.bound.truncate(outer);
    }
}
