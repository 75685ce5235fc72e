//! To start from a shipped stack: its variables are the questions, its files the drafts.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body};

use crate::lang::{self, File, Vars};
use crate::stack::Words;

use super::draft::Draft;
use super::hcl::{self, quoted};
use super::question::{Question, Scene};
use super::questions;
use super::render::{draft, guards};
use super::shipped::Shipped;

/// A stack to start from.
pub struct Starting {
    shipped: &'static Shipped,
    variables: Vec<Variable>,
}

/// A variable of it.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    description: String,
    /// `string`, `number`, `bool`, or a type whose values are written as expressions.
    kind: String,
    default: Option<String>,
}

/// Reads a stack's variables.
pub fn starting(shipped: &'static Shipped) -> Starting {
    let bodies = shipped.files.iter().filter(|(name, _)| lang::is_config(name));
    let bodies = bodies.filter_map(|(_, text)| text.parse::<Body>().ok());
    let variables = bodies.flat_map(|body| body.blocks().filter_map(variable).collect::<Vec<_>>());
    Starting { shipped, variables: variables.collect() }
}

fn variable(block: &Block) -> Option<Variable> {
    if block.ident.as_str() != "variable" {
        return None;
    }
    let name = label(block)?;
    let of = |key: &str| block.body.get_attribute(key).map(|found| &found.value);
    let text = |value: &Expression| match value {
        Expression::String(text) => Some(text.value().clone()),
        Expression::Number(number) => Some(number.value().to_string()),
        Expression::Bool(truth) => Some(if *truth.value() { "yes" } else { "no" }.to_owned()),
        _ => None,
    };
    let kind = of("type").map_or_else(|| "any".to_owned(), |kind| kind.to_string());
    let kind = kind.split_whitespace().collect::<Vec<_>>().join(" ");
    let default = match is_simple(&kind) {
        true => of("default").and_then(text),
        false => of("default").and_then(|value| hcl::expression(&value.to_string()).ok()),
    };
    let description = of("description").and_then(text).unwrap_or_default();
    Some(Variable { name, description, kind, default })
}

/// Whether a value of the type is typed as it is; others are expressions.
fn is_simple(kind: &str) -> bool {
    matches!(kind, "string" | "number" | "bool")
}

fn label(block: &Block) -> Option<String> {
    match block.labels.first()? {
        BlockLabel::String(text) => Some(text.value().clone()),
        BlockLabel::Ident(name) => Some(name.as_str().to_owned()),
    }
}

impl Starting {
    /// What is asked.
    pub fn questions(&self) -> Vec<Question> {
        let mut out = questions::place();
        let named: Vec<String> = out.iter().map(|question| question.key.clone()).collect();
        let rest = self.variables.iter().filter(|variable| !named.contains(&variable.name));
        out.extend(rest.map(question));
        out.extend(questions::ledger());
        out.push(questions::write());
        out
    }

    /// Its files with the answers in them: nothing else of their text changes.
    pub fn drafts(&self, scene: Scene<'_>) -> Vec<Draft> {
        let file = |(name, text): &(&str, &str)| match text.parse::<Body>() {
            Ok(body) if lang::is_config(name) => draft(name, &self.filled(text, &body, scene)),
            Ok(_) | Err(_) => Draft { name: (*name).to_owned(), text: (*text).to_owned() },
        };
        self.shipped.files.iter().map(file).collect()
    }

    fn filled(&self, text: &str, body: &Body, scene: Scene<'_>) -> String {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for block in body.blocks() {
            match block.ident.as_str() {
                "variable" => edits.extend(self.value(block, scene)),
                "stack" => edits.extend(house(block, scene)),
                _ => {}
            }
        }
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut out = text.to_owned();
        for (range, new) in edits {
            out.replace_range(range, &new);
        }
        out
    }

    /// Another default of a variable.
    fn value(&self, block: &Block, scene: Scene<'_>) -> Option<(Range<usize>, String)> {
        let name = label(block)?;
        let known = self.variables.iter().find(|variable| variable.name == name)?;
        let answer = scene.answers.get(&name)?;
        let value = match known.kind.as_str() {
            "number" => answer.clone(),
            "bool" => (answer == "yes").to_string(),
            "string" => quoted(answer),
            _ => answer.clone(),
        };
        let new = match block.body.get_attribute("default") {
            Some(_) if known.default.as_ref() == Some(answer) => return None,
            Some(default) => (default.value.span()?, value),
            // Behind the last attribute, on a line of its own.
            None => {
                let end = block.body.attributes().last()?.value.span()?.end;
                (end..end, format!("\ndefault = {value}"))
            }
        };
        Some(new)
    }
}

/// The name of the stack, and what holds it.
fn house(block: &Block, scene: Scene<'_>) -> Vec<(Range<usize>, String)> {
    let mut out = Vec::new();
    if let Some(BlockLabel::String(label)) = block.labels.first() {
        out.extend(label.span().map(|range| (range, quoted(scene.get("name")))));
    }
    let region = block.body.get_attribute("region").map(|found| &found.value);
    if let Some(value) = region {
        if let (Expression::String(_), Some(range)) = (value, value.span()) {
            out.push((range, quoted(scene.get("region"))));
        }
        let own = block.body.has_attribute("account") || block.body.has_blocks("backend");
        let end = value.span().map(|range| range.end);
        let guards = guards(scene);
        if let Some(end) = end.filter(|_| !own && !guards.trim().is_empty()) {
            out.push((end..end, format!("\n{}", guards.trim_end())));
        }
    }
    out
}

/// A variable as a question: its description is the line, its type and rules the check.
fn question(variable: &Variable) -> Question {
    let says = variable.description.trim();
    // The first sentence asks, what follows explains.
    let (title, line) = match says.split_once(". ") {
        _ if says.is_empty() => (format!("{}?", variable.name), "A variable of the stack."),
        Some((first, rest)) => (format!("{first} ({})", variable.name), rest),
        None => {
            let title = format!("{} ({})", says.trim_end_matches('.'), variable.name);
            (title, "A variable of the stack.")
        }
    };
    let help = format!(
        "The variable {:?} of the stack, of type {}. Its rules are checked with the whole \
         stack, before anything is written.",
        variable.name, variable.kind
    );
    let (kind, default) = (variable.kind.clone(), variable.default.clone());
    let required = default.is_none();
    let asked = Question::new(&variable.name, &title, line)
        .help(&help)
        .default(move |_| default.clone())
        .required_when(move |_| required);
    match kind.as_str() {
        "bool" => asked.either(&[("yes", "true"), ("no", "false")]),
        "number" => asked.check(|text, _| match text.parse::<rust_decimal::Decimal>() {
            Ok(number) => Ok(number.normalize().to_string()),
            Err(_) => Err(format!("{text:?} is no number")),
        }),
        "string" => asked,
        _ => asked.check(move |text, _| typed(text, &kind)),
    }
}

/// A value of a list, a map or another type that is written as an expression. Words with commas
/// between them are a list, too.
fn typed(text: &str, kind: &str) -> Result<String, String> {
    let inside = ["list(", "set("].iter().find_map(|of| kind.strip_prefix(of)?.strip_suffix(')'));
    let text = match inside {
        Some(of) if !text.starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let bare = |item: &str| of == "string" && !item.starts_with('"');
            let items = items.map(|item| if bare(item) { quoted(item) } else { item.to_owned() });
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Some(_) | None => text.to_owned(),
    };
    let text = hcl::expression(&text)?;
    // A stack with nothing in it but the variable tells whether the value is of its type.
    let stack = format!(
        "stack \"a\" {{\n  region = \"us-east-1\"\n}}\n\nvariable \"answer\" {{\n  type = {kind}\n  \
         default = {text}\n}}\n"
    );
    let file = File { name: "main.hcl".to_owned(), text: stack };
    let loaded = lang::load(&[file], &Vars::new(), &Words::default(), None);
    match loaded.problems.as_slice() {
        [] => Ok(text),
        problems => Err(hcl::first(problems)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answers, Around, Shipped};
    use super::*;

    const TOY: Shipped = Shipped {
        name: "toy",
        files: &[
            (
                "main.hcl",
                "# A toy.\nstack \"toy\" {\n  region = var.region # here\n}\n\nvariable \"region\" {\n  \
                 type    = string\n  default = \"us-east-1\"\n}\n\nvariable \"nodes\" {\n  type    = \
                 number\n  default = 2\n  description = \"How many.\"\n}\n\nvariable \"many\" {\n  type = \
                 list(string)\n  default = []\n}\n\nvariable \"big\" {\n  type = bool\n}\n",
            ),
            ("jobs.sh", "echo\n"),
        ],
    };

    #[test]
    fn lists_and_maps_are_typed_on_a_line() {
        let good = [
            ("H100:8, A100:8", "list(string)", "[\"H100:8\", \"A100:8\"]"),
            ("[\"a\"]", "list(string)", "[\"a\"]"),
            ("1,2", "set(number)", "[1, 2]"),
            ("{ a = 1 }", "map(number)", "{ a = 1 }"),
            ("{ a = [\"b\"] }", "object({ a = list(string) })", "{ a = [\"b\"] }"),
        ];
        for (text, kind, wanted) in good {
            assert_eq!(typed(text, kind).as_deref(), Ok(wanted), "{kind}");
        }
        for (text, kind) in [
            ("a", "map(string)"),
            ("[", "list(string)"),
            ("{ a = \"b\" }", "map(number)"),
            ("x", "list(number)"),
            ("{ b = 1 }", "object({ a = number })"),
        ] {
            assert!(typed(text, kind).is_err_and(|why| !why.is_empty()), "{text} {kind}");
        }
    }

    #[test]
    fn variables_are_asked_for_and_filled_in_where_they_stand() {
        static TOY_STACK: Shipped = TOY;
        let starting = starting(&TOY_STACK);
        let keys: Vec<String> = starting.questions().into_iter().map(|it| it.key).collect();
        let wanted = [
            "overwrite",
            "profile",
            "cloud",
            "name",
            "region",
            "nodes",
            "many",
            "big",
            "ledger",
            "guard_account",
            "write",
        ];
        assert_eq!(keys, wanted);
        let answers: Answers = [
            ("name", "mine"),
            ("region", "eu-west-1"),
            ("nodes", "5"),
            ("big", "yes"),
            ("many", "[\"a\", \"b\"]"),
            ("cloud", "sandbox"),
            ("ledger", "bucket"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let around = Around { ledger_bucket: Some("b-an".to_owned()), ..Around::default() };
        let drafts = starting.drafts(Scene { answers: &answers, around: &around });
        let text = &drafts[0].text;
        for part in [
            "stack \"mine\" {\n  region = var.region",
            "default = \"eu-west-1\"",
            "default     = 5",
            "default = [\"a\", \"b\"]",
            "type    = bool\n  default = true",
            "bucket = \"b-an\"",
            "# here",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(lang::fmt(text).as_ref(), Ok(text));
        assert_eq!(drafts[1].text, "echo\n");
    }
}
