//! Files beside the stack.

use super::super::eval::{Empty, Eval, Stop};
use super::super::folder;
use super::super::parse;
use super::super::value::Value;
use super::encoding::hex;
use super::{Call, Fail, Function, Outcome, bad, bad_help};

pub(super) const TABLE: &[Function] = &[
    Function::new("file", "path", "The text of a file in the stack's folder.", (1, 1), |call| {
        text(call).map(Value::from)
    }),
    Function::new("filesha256", "path", "The SHA-256 of a file, in hex.", (1, 1), |call| {
        Ok(Value::from(hex(&bytes(call)?)))
    }),
    Function::new(
        "templatefile",
        "path, names",
        "A file as a template, with the names that it may use.",
        (2, 2),
        templatefile,
    ),
];

fn bytes(call: &Call<'_>) -> Result<Vec<u8>, Fail> {
    let path = call.text(0)?;
    let Some(reader) = call.eval.context.reader else {
        return bad(0, "files cannot be read here");
    };
    let path = from_folder(call.eval.folder, path);
    match reader.read(&path) {
        Ok(bytes) => match call.eval.context.budget.bytes(bytes.len()) {
            Ok(()) => Ok(bytes),
            Err(spent) => Err(Fail::Stop(Stop::Limit(Box::new(
                spent.problem().at(call.span, "while reading this"),
            )))),
        },
        Err(error) => bad(0, error),
    }
}

/// A module reads beside its own files. What is no path in a folder is refused by the reader.
fn from_folder(folder: &str, path: String) -> String {
    let plain = !(path.is_empty() || path.starts_with(['/', '~', '\\']));
    if folder.is_empty() || !plain {
        return path;
    }
    folder::join(folder, &path).unwrap_or(format!("{folder}/{path}"))
}

fn text(call: &Call<'_>) -> Result<String, Fail> {
    match String::from_utf8(bytes(call)?) {
        Ok(text) => Ok(text),
        Err(_) => bad(0, "the file is not UTF-8 text"),
    }
}

fn templatefile(call: &Call<'_>) -> Outcome {
    if call.eval.in_file {
        return bad_help(0, "a template file cannot read another", "pass its text in as a name");
    }
    let path = call.text(0)?;
    let text = text(call)?;
    let names = call.map(1)?;
    if names.len() > 500 {
        return bad(1, "more than 500 names");
    }
    let context = call.eval.context;
    let path = from_folder(call.eval.folder, path);
    let shown = context.reader.map_or_else(|| path.clone(), |reader| reader.shown(&path));
    let source = context.sources.borrow_mut().add(&shown, &text);
    let template = match parse::template(&text, source) {
        Ok(template) => template,
        Err(problem) => return Err(Fail::Stop(Stop::Problem(problem))),
    };
    let names: Vec<(&str, &Value)> =
        names.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let inner = Eval::bare(call.eval.context, &Empty, (source, &text));
    let inner = Eval { in_file: true, ..inner };
    let mut value = inner.template_file(&template, &names, call.span).map_err(Fail::Stop)?;
    value.sensitive |= call.arg(1)?.sensitive;
    Ok(value)
}
