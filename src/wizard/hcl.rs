//! Texts and values as HCL writes them.

use crate::lang::{self, Data, Value, VarData};
use crate::model::Problem;

/// In quotes, with whatever would mean something in them written out. An answer is one line
/// without control characters ([`super::question::Question`] sees to that).
pub(super) fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

/// A value as an expression on one line; none for what is no literal.
pub(super) fn literal(value: &Value) -> Option<String> {
    let entry = |(key, value): (&String, &Value)| {
        let key = if is_name(key) { key.clone() } else { quoted(key) };
        Some(format!("{key} = {}", literal(value)?))
    };
    match &value.data {
        Data::String(_) => value.as_str().map(quoted),
        Data::Number(number) => Some(lang::number_text(*number)),
        Data::Bool(truth) => Some(truth.to_string()),
        Data::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(literal).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Data::Map(map) | Data::Object(map) if map.is_empty() => Some("{}".to_owned()),
        Data::Map(map) | Data::Object(map) => {
            let entries: Option<Vec<String>> = map.iter().map(entry).collect();
            Some(format!("{{ {} }}", entries?.join(", ")))
        }
        Data::Null | Data::Block(_) | Data::Unknown(_) => None,
    }
}

fn is_name(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A literal expression, read and written again on one line; why it is none.
pub(super) fn expression(text: &str) -> Result<String, String> {
    let vars = lang::parse_var_file("the answer", &format!("answer = {text}\n"))
        .map_err(|problems| first(&problems))?;
    let one = vars.get("answer").filter(|_| vars.iter().count() == 1);
    let value = one.and_then(|input| match &input.data {
        VarData::Value(value) => literal(value),
        VarData::Text(_) => None,
    });
    value.ok_or_else(|| format!("{text:?} is no value"))
}

/// What is wrong, and what to do, in a line.
pub(super) fn first(problems: &[Problem]) -> String {
    let Some(problem) = problems.first() else { return String::new() };
    let parts = [&problem.summary, &problem.help];
    let parts: Vec<&str> =
        parts.into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    parts.join("; ")
}

/// A text behind a comment's mark, folded to the width of most terminals.
pub(super) fn comment(indent: usize, text: &str) -> String {
    const WIDTH: usize = 79;
    let pad = " ".repeat(indent);
    let (mut out, mut line) = (String::new(), format!("{pad}#"));
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&format!("{line}\n"));
            line = format!("{pad}#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted("${x} %{y} $z"), "\"$${x} %%{y} $z\"");
    }

    #[test]
    fn a_literal_stands_on_one_line_and_means_the_same() {
        let read = |text: &str| expression(text);
        let list = "[\n  \"a\", # the first\n  \"${\"b\"}\",\n]";
        assert_eq!(read(list).as_deref(), Ok("[\"a\", \"b\"]"));
        let map = "{\n  b = 2.50\n  \"a b\" = [true]\n}";
        assert_eq!(read(map).as_deref(), Ok("{ \"a b\" = [true], b = 2.5 }"));
        for same in ["{}", "[]", "\"$${x}\"", "{ a = \"b\" }"] {
            assert_eq!(read(same).as_deref(), Ok(same));
        }
        for bad in ["", "[", "var.x", "null", "a", "1\nb = 2"] {
            assert!(read(bad).is_err_and(|why| !why.is_empty()), "{bad}");
        }
    }

    #[test]
    fn comments_are_folded() {
        let text = "word ".repeat(40);
        assert!(comment(2, &text).lines().all(|line| line.starts_with("  # ") && line.len() <= 79));
        assert_eq!(comment(0, "a b"), "# a b\n");
    }
}
