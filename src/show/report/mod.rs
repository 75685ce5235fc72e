//! A plan for readers elsewhere: a comment on a pull request, a page, a picture, a graph.
//! All of them show the same: totals, costs, changes by block, what needs what.

mod dot;
mod graph;
mod html;
mod layout;
mod markdown;
mod markup;
mod parts;
#[cfg(test)]
mod report_test;
mod svg;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Plan;
use crate::plan::cost::Bill;

use graph::Graph;

/// A plan, and what else there is to say of it.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it does to the bill; none where it is about less than the stack.
    pub bill: Option<&'a Bill>,
    /// The outputs of the last apply.
    pub former: &'a BTreeMap<String, Value>,
    /// The stack.
    pub stack: String,
    /// Where it is: region and account.
    pub place: String,
    /// When, and by which version.
    pub made: String,
    /// Everything goes.
    pub destroy: bool,
    /// Remarks, a paragraph each: what others have changed, nodes that are ill.
    pub remarks: Vec<String>,
    /// Warnings and refusals, as they are told on a terminal.
    pub problems: Vec<String>,
    /// The command that shows all of it.
    pub whole: String,
}

impl Report<'_> {
    /// A comment on a pull request, in GitHub's Markdown.
    pub fn markdown(&self) -> String {
        markdown::page(self)
    }

    /// A page that needs nothing else.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The picture of what needs what.
    pub fn svg(&self) -> String {
        svg::file(&Graph::of(self.plan), &self.title())
    }

    /// The same for Graphviz.
    pub fn dot(&self) -> String {
        dot::file(&Graph::of(self.plan), &self.title())
    }

    fn title(&self) -> String {
        let Self { stack, destroy, .. } = self;
        format!("{} of {stack}", if *destroy { "Plan to destroy all" } else { "Plan" })
    }
}
