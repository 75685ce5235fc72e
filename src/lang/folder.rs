//! Folders of modules: where they may be, and their files, read and parsed once.

use std::rc::Rc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Attribute;

use crate::model::{Problem, Span};

use super::eval::{Context, Eval};
use super::parse::{Files, Parsed};
use super::{codes, parse};

/// Parses a file that was read.
pub(crate) fn parse_file(
    context: &Context<'_>,
    name: &str,
    text: &str,
) -> Result<Parsed, Box<Problem>> {
    let text = parse::without_mark(text);
    let source = context.sources.borrow_mut().add(name, text);
    Ok((source, Rc::from(text), parse::body(text, source)?))
}

/// The folder that `source` names, by its path from the stack's folder.
pub(crate) fn source(
    eval: &Eval<'_>,
    written: &Attribute,
    from: &str,
) -> Result<String, Box<Problem>> {
    let span = eval.span(&written.value);
    let error = |summary: String, label: &str| {
        Box::new(Problem::error(codes::MODULE, summary).at(&span, label))
    };
    let Expression::String(text) = &written.value else {
        let summary = "source is a text without anything computed in it".to_owned();
        let help = "which files belong to a stack does not depend on values";
        return Err(Box::new(error(summary, "not a plain text").help(help)));
    };
    let text = text.value().as_str();
    if !(text.starts_with("./") || text.starts_with("../")) {
        let summary = "a module's source is a folder inside the stack's own folder".to_owned();
        let help = "write it from this file's folder on, such as \"./modules/team\"; copy what \
                    lives elsewhere (a registry, a git repository) into the stack's folder";
        return Err(Box::new(error(summary, "does not begin with ./ or ../").help(help)));
    }
    match join(from, text) {
        Some(path) if path.is_empty() => {
            Err(error("a module cannot be the stack's own folder".to_owned(), "leads there"))
        }
        Some(path) => Ok(path),
        None => {
            let summary = format!("the module {text:?} lies outside of the stack's folder");
            let help = "a module's source is a folder inside the stack's own; move it there, or \
                        make the stack's folder one level higher";
            Err(Box::new(error(summary, "leads out of it").help(help)))
        }
    }
}

/// A path from the stack's folder on, for one that is written from a folder in it; none when
/// it leads out.
pub(crate) fn join(from: &str, path: &str) -> Option<String> {
    let mut out: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop()?;
            }
            _ => out.push(part),
        }
    }
    Some(out.join("/"))
}

/// The files of a folder. Each folder is read once, however many modules use it.
pub(crate) fn files(context: &Context<'_>, folder: &str, span: &Span) -> Files {
    if let Some(known) = context.folders.borrow().get(folder) {
        return known.clone();
    }
    let found = read(context, folder, span);
    context.folders.borrow_mut().insert(folder.to_owned(), found.clone());
    found
}

fn read(context: &Context<'_>, folder: &str, span: &Span) -> Files {
    let error = |text: String| Box::new(Problem::error(codes::MODULE, text).at(span, "read here"));
    let Some(reader) = context.reader else {
        return Err(error("modules cannot be read here".to_owned()));
    };
    let names = reader.list(folder).map_err(error)?;
    if names.is_empty() {
        let help = "a module is a folder with .hcl files: variables, blocks and outputs";
        return Err(Box::new(error(format!("no .hcl file in {folder:?}")).help(help)));
    }
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let path = format!("{folder}/{name}");
        let bytes = reader.read(&path).map_err(error)?;
        let text =
            String::from_utf8(bytes).map_err(|_| error(format!("{path:?} is not UTF-8 text")))?;
        files.push(parse_file(context, &reader.shown(&path), &text)?);
    }
    Ok(Rc::new(files))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(join("", "./modules/team").as_deref(), Some("modules/team"));
        assert_eq!(join("modules/team", "../base/").as_deref(), Some("modules/base"));
        assert_eq!(join("modules/team", "../..").as_deref(), Some(""));
        assert_eq!(join("modules", "../../x"), None);
        assert_eq!(join("", "../x"), None);
        assert_eq!(join("a", "b//./c").as_deref(), Some("a/b/c"));
    }
}
