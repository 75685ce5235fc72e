//! Holds `src/` to the rules of the house. Each check is a function from a parsed file to
//! violations; the tests at the end feed every one of them something bad, so that a check
//! that sees nothing is noticed.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Which room stands on which floor. A room may import only from rooms of lower floors.
const FLOORS: [(&str, u32); 19] = [
    ("model", 0),
    ("kinds", 1),
    ("lang", 2),
    ("cloud", 2),
    ("catalog", 2),
    ("stack", 3),
    ("ledger", 3),
    ("plan", 4),
    ("fleet", 4),
    ("wizard", 4),
    ("policy", 5),
    ("aws", 5),
    ("sim", 5),
    ("demand", 5),
    ("apply", 6),
    ("show", 7),
    ("serve", 8),
    ("cli", 9),
    // The binary stands above all.
    ("main", 10),
];

const FUNCTION_LINES: usize = 60;
const FILE_LINES: usize = 400;
const PARAMETERS: usize = 6;

/// A rule that is broken somewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    line: usize,
    rule: &'static str,
    text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}: {}", self.file, self.line, self.rule, self.text)
    }
}

/// A file under `src/`, without its tests.
struct Source {
    /// Relative to `src/`.
    path: String,
    text: String,
    tree: syn::File,
    /// The lines before a trailing `mod tests`.
    lines: usize,
    /// Files of modules that exist only in tests.
    tests: Vec<String>,
}

impl Source {
    fn parse(path: &str, text: &str) -> Self {
        let mut tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let trailing = tree.items.last().filter(|item| is_test(attributes(item)));
        let lines = match trailing {
            Some(syn::Item::Mod(module)) if module.content.is_some() => {
                let first = module.attrs.first().map_or(module.span(), Spanned::span);
                first.start().line - 1
            }
            Some(_) | None => text.lines().count(),
        };
        let mut tests = Vec::new();
        prune(&mut tree.items, &mut tests);
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            Some(_) => format!("{}/", path.trim_end_matches(".rs")),
            None => String::new(),
        };
        let tests = tests.iter().map(|name| format!("{folder}{name}")).collect();
        Self { path: path.to_owned(), text: text.to_owned(), tree, lines, tests }
    }

    /// `show/plan.rs` → `show`
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// How many modules deep it is: `show/mod.rs` 1, `show/plan.rs` 2.
    fn depth(&self) -> usize {
        let words = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") { words - 1 } else { words }
    }

    fn violation(&self, span: Span, rule: &'static str, text: impl Into<String>) -> Violation {
        let line = span.start().line;
        Violation { file: self.path.clone(), line, rule, text: text.into() }
    }
}

/// Takes out everything that exists only in tests.
fn prune(items: &mut Vec<syn::Item>, tests: &mut Vec<String>) {
    items.retain_mut(|item| {
        let keep = !is_test(attributes(item));
        match item {
            syn::Item::Mod(module) if !keep && module.content.is_none() => {
                tests.push(module.ident.to_string());
            }
            syn::Item::Mod(module) if keep => {
                module.content.iter_mut().for_each(|(_, items)| prune(items, tests));
            }
            syn::Item::Impl(block) => block.items.retain(|item| match item {
                syn::ImplItem::Fn(function) => !is_test(&function.attrs),
                _ => true,
            }),
            _ => {}
        }
        keep
    });
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.segments.last().is_some_and(|last| last.ident == "test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let words = flat(list.tokens.clone());
            words.iter().any(|(word, _)| word == "test") && !words.iter().any(|(w, _)| w == "not")
        }
        syn::Meta::List(list) => list.path.segments.last().is_some_and(|last| last.ident == "test"),
        syn::Meta::NameValue(_) => false,
    })
}

/// The words and signs of a token stream, groups opened.
fn flat(tokens: TokenStream) -> Vec<(String, Span)> {
    let mut out = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                out.push(("(".to_owned(), group.span_open()));
                out.extend(flat(group.stream()));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                out.push((token.to_string(), token.span()));
            }
        }
    }
    out
}

// ---- floors -------------------------------------------------------------------------

fn floors(source: &Source) -> Vec<Violation> {
    let room = source.room();
    let Some(floor) = floor_of(room) else {
        let text = format!("the room `{room}` has no floor in tests/it/house.rs");
        return vec![source.violation(Span::call_site(), "floors", text)];
    };
    let mut walk = Imports { depth: source.depth(), found: Vec::new() };
    walk.visit_file(&source.tree);
    let bad = walk
        .found
        .into_iter()
        .filter(|(other, _)| other != room && floor_of(other).is_some_and(|other| other >= floor));
    bad.map(|(other, span)| {
        let above = floor_of(&other).unwrap_or_default();
        let text = format!("`{room}` (floor {floor}) imports from `{other}` (floor {above})");
        source.violation(span, "floors", text)
    })
    .collect()
}

fn floor_of(room: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Every room that is named behind `crate::`, or behind enough `super::`.
struct Imports {
    depth: usize,
    found: Vec<(String, Span)>,
}

impl Imports {
    fn path(&mut self, words: &[(String, Span)]) {
        let ups = words.iter().take_while(|(word, _)| word == "super").count();
        let room = match words.first() {
            Some((word, _)) if word == "crate" => words.get(1),
            Some(_) if ups > 0 && ups == self.depth => words.get(ups),
            Some(_) | None => None,
        };
        self.found.extend(room.cloned());
    }

    fn tree(&mut self, before: &[(String, Span)], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| {
            let mut words = before.to_vec();
            words.push((ident.to_string(), ident.span()));
            words
        };
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.path(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.path(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.path(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.tree(before, tree));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words = path.segments.iter().map(|word| (word.ident.to_string(), word.ident.span()));
        self.path(&words.collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let tokens = flat(item.tokens.clone());
        for window in tokens.windows(4) {
            let [(root, _), (one, _), (two, _), (room, span)] = window else { continue };
            if root == "crate" && one == ":" && two == ":" {
                self.found.push((room.clone(), *span));
            }
        }
    }
}

// ---- sizes --------------------------------------------------------------------------

fn functions(source: &Source) -> Vec<Violation> {
    let mut walk = Functions { source, found: Vec::new() };
    walk.visit_file(&source.tree);
    walk.found
}

struct Functions<'a> {
    source: &'a Source,
    found: Vec<Violation>,
}

impl Functions<'_> {
    fn check(&mut self, signature: &syn::Signature, body: Option<&syn::Block>) {
        let (name, span) = (&signature.ident, signature.ident.span());
        if let Some(body) = body {
            let brace = body.brace_token.span;
            let lines = brace.close().end().line - brace.open().start().line + 1;
            if lines > FUNCTION_LINES {
                let text = format!("`{name}` has {lines} lines, at most {FUNCTION_LINES}");
                self.found.push(self.source.violation(span, "function length", text));
            }
        }
        let number = signature.inputs.len();
        if number > PARAMETERS {
            let text = format!("`{name}` has {number} parameters, at most {PARAMETERS}");
            self.found.push(self.source.violation(span, "parameters", text));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.check(&function.sig, Some(&function.block));
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.check(&function.sig, Some(&function.block));
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.check(&function.sig, function.default.as_ref());
        visit::visit_trait_item_fn(self, function);
    }
}

fn files(source: &Source) -> Vec<Violation> {
    let mut out = Vec::new();
    if source.lines > FILE_LINES {
        let text = format!("{} lines, at most {FILE_LINES}", source.lines);
        out.push(source.violation(Span::call_site(), "file length", text));
    }
    if !source.text.starts_with("//!") {
        let text = "a file opens with a `//!` comment that says what it is for";
        out.push(source.violation(Span::call_site(), "opening", text));
    }
    out
}

// ---- wildcards ----------------------------------------------------------------------

/// The names of all enums that are declared in a file, in macros too.
fn enums(source: &Source) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
            self.0.insert(item.ident.to_string());
        }

        fn visit_macro(&mut self, item: &'ast syn::Macro) {
            for pair in flat(item.tokens.clone()).windows(2) {
                if pair[0].0 == "enum" && pair[1].0 != "$" {
                    self.0.insert(pair[1].0.clone());
                }
            }
        }
    }
    let mut names = Names(BTreeSet::new());
    names.visit_file(&source.tree);
    names.0
}

fn wildcards(source: &Source, enums: &BTreeSet<String>) -> Vec<Violation> {
    let mut foreign = Foreign(BTreeSet::new());
    foreign.visit_file(&source.tree);
    let own = enums.difference(&foreign.0).cloned().collect();
    let mut walk = Wildcards { source, own, this: None, found: Vec::new() };
    walk.visit_file(&source.tree);
    walk.found
}

/// Names that a file imports from other crates: a `Value` of theirs is not ours.
struct Foreign(BTreeSet<String>);

impl Foreign {
    fn leaves(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.leaves(&path.tree),
            syn::UseTree::Name(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Rename(rename) => drop(self.0.insert(rename.rename.to_string())),
            syn::UseTree::Glob(_) => {}
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.leaves(tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Foreign {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        match &item.tree {
            syn::UseTree::Path(path)
                if path.ident == "crate" || path.ident == "super" || path.ident == "self" => {}
            tree => self.leaves(tree),
        }
    }
}

struct Wildcards<'a> {
    source: &'a Source,
    own: BTreeSet<String>,
    /// The enum whose impl this is.
    this: Option<String>,
    found: Vec<Violation>,
}

impl<'ast> Visit<'ast> for Wildcards<'_> {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let outer = std::mem::replace(&mut self.this, name.filter(|name| self.own.contains(name)));
        visit::visit_item_impl(self, item);
        self.this = outer;
    }

    fn visit_expr_match(&mut self, item: &'ast syn::ExprMatch) {
        let mut names = Variants { own: &self.own, this: self.this.as_deref(), found: None };
        item.arms.iter().for_each(|arm| names.visit_pat(&arm.pat));
        if let Some(variant) = names.found {
            for arm in item.arms.iter().filter(|arm| arm.guard.is_none() && is_any(&arm.pat)) {
                let text = format!("an arm for everything, in a match on `{variant}`");
                self.found.push(self.source.violation(arm.pat.span(), "wildcard", text));
            }
        }
        visit::visit_expr_match(self, item);
    }
}

/// `_`, or a bare name.
fn is_any(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(name) => {
            let lower = name.ident.to_string().starts_with(|c: char| c.is_lowercase() || c == '_');
            lower && name.subpat.as_ref().is_none_or(|(_, inner)| is_any(inner))
        }
        syn::Pat::Or(or) => or.cases.iter().any(is_any),
        syn::Pat::Paren(inner) => is_any(&inner.pat),
        _ => false,
    }
}

/// Finds a variant of an own enum in a pattern.
struct Variants<'a> {
    own: &'a BTreeSet<String>,
    this: Option<&'a str>,
    found: Option<String>,
}

impl<'ast> Visit<'ast> for Variants<'_> {
    /// No list of arms covers every length of a slice.
    fn visit_pat_slice(&mut self, _: &'ast syn::PatSlice) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|word| word.ident.to_string()).collect();
        let [before @ .., owner, variant] = words.as_slice() else { return };
        let owner = match (owner.as_str(), self.this) {
            ("Self", Some(this)) => this,
            (owner, _) => owner,
        };
        let theirs = ["std", "core", "serde_json", "clap", "hcl", "hcl_edit"];
        let ours = !before.first().is_some_and(|root| theirs.contains(&root.as_str()));
        if ours && self.own.contains(owner) && variant.starts_with(char::is_uppercase) {
            self.found = Some(format!("{owner}::{variant}"));
        }
    }
}

// ---- panics -------------------------------------------------------------------------

const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];
const MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];

fn panics(source: &Source) -> Vec<Violation> {
    let mut walk = Panics { source, found: Vec::new() };
    walk.visit_file(&source.tree);
    walk.found
}

struct Panics<'a> {
    source: &'a Source,
    found: Vec<Violation>,
}

impl Panics<'_> {
    fn push(&mut self, span: Span, what: &str) {
        let text = format!("`{what}` outside tests");
        self.found.push(self.source.violation(span, "panic", text));
    }
}

impl<'ast> Visit<'ast> for Panics<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if METHODS.iter().any(|name| call.method == name) {
            self.push(call.method.span(), &format!("{}()", call.method));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        let named = path.path.segments.last().filter(|_| path.path.segments.len() > 1);
        if let Some(last) = named.filter(|last| METHODS.iter().any(|name| last.ident == name)) {
            self.push(last.ident.span(), &last.ident.to_string());
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let name = item.path.segments.last();
        if let Some(name) = name.filter(|name| MACROS.iter().any(|bad| name.ident == bad)) {
            self.push(name.ident.span(), &format!("{}!", name.ident));
        }
        for pair in flat(item.tokens.clone()).windows(2) {
            let [(one, first), (two, second)] = pair else { continue };
            if one == "." && METHODS.contains(&two.as_str()) {
                self.push(*second, &format!("{two}()"));
            } else if MACROS.contains(&one.as_str()) && two == "!" {
                self.push(*first, &format!("{one}!"));
            }
        }
    }
}

// ---- the house ----------------------------------------------------------------------

/// Every `.rs` file under `src/`, in order, without the files that exist only in tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, "", &mut paths);
    paths.sort();
    let read = |path: &String| {
        Source::parse(path, &fs::read_to_string(root.join(path)).expect("a source file"))
    };
    let all: Vec<Source> = paths.iter().map(read).collect();
    let tests: Vec<String> = all.iter().flat_map(|source| source.tests.clone()).collect();
    let is_test = |path: &str| {
        tests
            .iter()
            .any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    all.into_iter().filter(|source| !is_test(&source.path)).collect()
}

fn collect(root: &Path, folder: &str, out: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).expect("a folder of sources") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.path().is_dir() {
            collect(root, &path, out);
        } else if path.ends_with(".rs") {
            out.push(path);
        }
    }
}

fn check(source: &Source, enums: &BTreeSet<String>) -> Vec<Violation> {
    let mut out = if source.path == "lib.rs" { Vec::new() } else { floors(source) };
    out.extend(functions(source));
    out.extend(files(source));
    out.extend(wildcards(source, enums));
    out.extend(panics(source));
    out
}

#[test]
fn src_keeps_the_rules_of_the_house() {
    let sources = sources();
    assert!(sources.len() > 20, "only {} files were found", sources.len());
    let enums: BTreeSet<String> = sources.iter().flat_map(enums).collect();
    for name in ["Action", "Why", "Event", "Class", "Spec", "KindName"] {
        assert!(enums.contains(name), "the enum {name} was not found");
    }
    let mut found: Vec<_> = sources.iter().flat_map(|source| check(source, &enums)).collect();
    found.sort();
    let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "{} rules are broken:\n{}", lines.len(), lines.join("\n"));
}

/// What the checks say of a bad file, as `line: rule: text`.
fn said(path: &str, text: &str) -> Vec<String> {
    let source = Source::parse(path, text);
    let found = check(&source, &enums(&source));
    found.iter().map(|v| format!("{}: {}: {}", v.line, v.rule, v.text)).collect()
}

#[test]
fn floors_are_checked() {
    let bad = "//! x\nuse crate::{model::Address, show::plan as p};\nuse super::super::aws::X;\n\
               fn f() {\n    let _ = crate::cli::run();\n    g!(crate::sim::Y);\n}\n\
               #[cfg(test)]\nmod tests {\n    use crate::cli::Z;\n}\n";
    assert_eq!(
        said("plan/diff.rs", bad),
        [
            "2: floors: `plan` (floor 4) imports from `show` (floor 7)",
            "3: floors: `plan` (floor 4) imports from `aws` (floor 5)",
            "5: floors: `plan` (floor 4) imports from `cli` (floor 9)",
            "6: floors: `plan` (floor 4) imports from `sim` (floor 5)",
        ]
    );
    let same = said("sim/mod.rs", "//! x\nuse crate::aws::X;\nuse crate::sim::Y;\n");
    assert_eq!(same, ["2: floors: `sim` (floor 5) imports from `aws` (floor 5)"]);
    let unknown = said("attic/mod.rs", "//! x\n");
    assert_eq!(unknown, ["1: floors: the room `attic` has no floor in tests/it/house.rs"]);
}

#[test]
fn sizes_are_checked() {
    let long = |lines: usize| format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines));
    assert_eq!(said("model/a.rs", &long(58)), Vec::<String>::new());
    let wanted = ["2: function length: `f` has 61 lines, at most 60"];
    assert_eq!(said("model/a.rs", &long(59)), wanted);
    let tested = format!("//! x\n{}#[cfg(test)]\nmod tests {{}}\n", "// y\n".repeat(399));
    assert_eq!(said("model/a.rs", &tested), Vec::<String>::new());
    let wanted = ["1: file length: 401 lines, at most 400"];
    assert_eq!(said("model/a.rs", &format!("//! x\n{}", "// y\n".repeat(400))), wanted);
    let many = "//! x\nimpl A {\n    fn f(&self, a: A, b: A, c: A, d: A, e: A, f: A) {}\n}\n";
    let wanted = ["3: parameters: `f` has 7 parameters, at most 6"];
    assert_eq!(said("model/a.rs", many), wanted);
    let wanted = ["1: opening: a file opens with a `//!` comment that says what it is for"];
    assert_eq!(said("model/a.rs", "// x\n"), wanted);
}

#[test]
fn wildcards_are_checked() {
    let bad = "//! x\nuse serde_json::Value;\nenum Act { A, B, C }\nenum Value { X }\n\
               fn f(a: Option<Act>, n: u8, v: Value) {\n\
               match a {\n    Some(Act::A) => {}\n    _ => {}\n}\n\
               match a {\n    Some(Act::A) => {}\n    Some(_) if n > 1 => {}\n    other => {}\n}\n\
               match n {\n    1 => {}\n    _ => {}\n}\n\
               match v {\n    Value::Null => {}\n    _ => {}\n}\n\
               match a {\n    Some(Act::A) => {}\n    Some(Act::B | Act::C) | None => {}\n}\n\
               match [a] {\n    [Some(Act::A)] => {}\n    _ => {}\n}\n}\n\
               impl Act {\n    fn g(&self) -> u8 {\n        match self {\n            Self::A => 1,\n\
               \x20           _ => 2,\n        }\n    }\n}\n";
    assert_eq!(
        said("model/a.rs", bad),
        [
            "8: wildcard: an arm for everything, in a match on `Act::A`",
            "13: wildcard: an arm for everything, in a match on `Act::A`",
            "36: wildcard: an arm for everything, in a match on `Act::A`",
        ]
    );
}

#[test]
fn panics_are_checked() {
    let bad = "//! x\nfn f(a: Option<u8>) {\n    a.unwrap();\n    a.expect(\"x\");\n    panic!();\n\
               todo!();\n    unimplemented!();\n    println!(\"{}\", a.unwrap());\n\
               [a].map(Option::unwrap);\n    a.unwrap_or_default();\n}\n\
               #[test]\nfn g() {\n    None::<u8>.unwrap();\n}\n";
    let lines: Vec<String> = said("model/a.rs", bad);
    let wanted = [
        "3: panic: `unwrap()` outside tests",
        "4: panic: `expect()` outside tests",
        "5: panic: `panic!` outside tests",
        "6: panic: `todo!` outside tests",
        "7: panic: `unimplemented!` outside tests",
        "8: panic: `unwrap()` outside tests",
        "9: panic: `unwrap` outside tests",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn files_of_test_modules_are_left_out() {
    let text = "//! x\n#[cfg(test)]\nmod fixture;\nmod plan;\n";
    assert_eq!(Source::parse("show/mod.rs", text).tests, ["show/fixture"]);
    assert_eq!(Source::parse("sim/world.rs", text).tests, ["sim/world/fixture"]);
    assert!(sources().iter().all(|source| source.path != "show/fixture.rs"));
}
