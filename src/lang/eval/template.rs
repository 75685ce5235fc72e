//! Templates: quoted strings, heredocs and template files.

use hcl_edit::template::{
    Directive, Element, ForDirective, IfDirective, Interpolation, StringTemplate, Strip, Template,
};

use crate::model::{Problem, Span};

use super::super::codes;
use super::super::convert::TextBuilder;
use super::super::value::Value;
use super::operate::truth_of;
use super::{Env, Eval, Names, Res};

/// What a template stands in: strip markers reach to the end of the line in text of several
/// lines, and to the next interpolation in a quoted string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `"…"`
    Quoted,
    /// A heredoc or a file.
    Lines,
}

impl Eval<'_> {
    /// A quoted string; when it is one interpolation only, that value as it is.
    pub(super) fn quoted(
        &self,
        template: &StringTemplate,
        span: &Span,
        env: Names<'_>,
    ) -> Res<Value> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, env);
        }
        self.template(template, span, env, Kind::Quoted)
    }

    pub(crate) fn template(
        &self,
        template: &Template,
        span: &Span,
        env: Names<'_>,
        kind: Kind,
    ) -> Res<Value> {
        let mut out = TextBuilder::default();
        self.elements_of(template, env, kind, &mut out, Strip::None)?;
        let value = out.finish();
        if let Some(text) = value.as_str() {
            self.limit(self.context.budget.bytes(text.len()), span)?;
        }
        Ok(value)
    }

    /// Writes the elements of a template. `around` says which of its ends are stripped by the
    /// directive that it stands in.
    fn elements_of(
        &self,
        template: &Template,
        env: Names<'_>,
        kind: Kind,
        out: &mut TextBuilder,
        around: Strip,
    ) -> Res<()> {
        let mut strip_next = around.strip_start();
        let mut elements = template.iter().peekable();
        while let Some(element) = elements.next() {
            match element {
                Element::Literal(literal) => {
                    let mut text = literal.value().as_str();
                    if strip_next {
                        text = strip_start(text, kind);
                    }
                    let strip_end = match elements.peek() {
                        Some(next) => opening(next).strip_start(),
                        None => around.strip_end(),
                    };
                    if strip_end {
                        text = strip_end_of(text, kind);
                    }
                    out.push(text);
                    strip_next = false;
                }
                Element::Interpolation(interpolation) => {
                    self.interpolation(interpolation, env, out)?;
                    strip_next = interpolation.strip.strip_end();
                }
                Element::Directive(directive) => {
                    strip_next = closing(directive).strip_end();
                    match directive.as_ref() {
                        Directive::If(directive) => self.if_directive(directive, env, kind, out)?,
                        Directive::For(directive) => {
                            self.for_directive(directive, env, kind, out)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn interpolation(
        &self,
        interpolation: &Interpolation,
        env: Names<'_>,
        out: &mut TextBuilder,
    ) -> Res<()> {
        let value = self.borrow(&interpolation.expr, env)?;
        if out.push_value(&value) {
            return Ok(());
        }
        let help = match value.kind().as_str() {
            "null" => "give it a value, or write coalesce(…, \"default\")",
            "a list" => "join(\", \", list) makes text of a list",
            "a map" | "an object" => "jsonencode(…) makes text of an object",
            _ => "use one of its attributes, such as its name or id",
        };
        Err(Problem::error(codes::TEMPLATE, format!("{} cannot stand in text", value.kind()))
            .at(&self.span(&interpolation.expr), format!("this is {}", value.brief()))
            .help(help)
            .into())
    }

    fn if_directive(
        &self,
        directive: &IfDirective,
        env: Names<'_>,
        kind: Kind,
        out: &mut TextBuilder,
    ) -> Res<()> {
        let condition =
            self.condition(&directive.if_expr.cond_expr, env, "the condition of %{ if }")?;
        out.sensitive |= condition.sensitive;
        let end = directive.endif_expr.strip.strip_start();
        let if_end = directive.else_expr.as_ref().map_or(end, |e| e.strip.strip_start());
        match (truth_of(&condition), &directive.else_expr) {
            (None, _) => out.unknown = true,
            (Some(true), _) => {
                let around = Strip::from((directive.if_expr.strip.strip_end(), if_end));
                self.elements_of(&directive.if_expr.template, env, kind, out, around)?;
            }
            (Some(false), Some(other)) => {
                let around = Strip::from((other.strip.strip_end(), end));
                self.elements_of(&other.template, env, kind, out, around)?;
            }
            (Some(false), None) => {}
        }
        Ok(())
    }

    fn for_directive(
        &self,
        directive: &ForDirective,
        env: Names<'_>,
        kind: Kind,
        out: &mut TextBuilder,
    ) -> Res<()> {
        let head = &directive.for_expr;
        let collection = self.borrow(&head.collection_expr, env)?;
        out.sensitive |= collection.sensitive;
        if collection.is_wholly_unknown() {
            out.unknown = true;
            return Ok(());
        }
        let place = self.span(&head.collection_expr);
        let around =
            Strip::from((head.strip.strip_end(), directive.endfor_expr.strip.strip_start()));
        self.each(&collection, &place, &mut |key, value| {
            let outer = head.key_var.as_ref().map(|name| Env {
                name: name.value().as_str(),
                value: key,
                outer: env,
            });
            let inner =
                Env { name: head.value_var.value().as_str(), value, outer: outer.as_ref().or(env) };
            let mut piece = TextBuilder::default();
            self.elements_of(&head.template, Some(&inner), kind, &mut piece, around)?;
            out.unknown |= piece.unknown;
            let piece = piece.finish();
            if let Some(text) = piece.as_str() {
                self.limit(self.context.budget.bytes(text.len()), &place)?;
            }
            out.push_value(&piece);
            Ok(())
        })
    }
}

/// The marks of what opens an element.
fn opening(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match directive.as_ref() {
            Directive::If(directive) => directive.if_expr.strip,
            Directive::For(directive) => directive.for_expr.strip,
        },
    }
}

/// The marks of what closes a directive.
fn closing(directive: &Directive) -> Strip {
    match directive {
        Directive::If(directive) => directive.endif_expr.strip,
        Directive::For(directive) => directive.endfor_expr.strip,
    }
}

// In text of several lines each line, with its end, is a piece of its own: a mark reaches over
// one of them only. (Observed with terraform 1.11.4; the specification says less.)

fn strip_start(text: &str, kind: Kind) -> &str {
    let first = match (kind, text.find('\n')) {
        (Kind::Lines, Some(newline)) => &text[..=newline],
        (Kind::Lines | Kind::Quoted, _) => text,
    };
    &text[first.len() - first.trim_start().len()..]
}

fn strip_end_of(text: &str, kind: Kind) -> &str {
    let inner = text.strip_suffix('\n').unwrap_or(text);
    let start = match (kind, inner.rfind('\n')) {
        (Kind::Lines, Some(newline)) => newline + 1,
        (Kind::Lines | Kind::Quoted, _) => 0,
    };
    &text[..start + text[start..].trim_end().len()]
}
