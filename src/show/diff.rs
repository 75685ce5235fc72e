//! What changes inside an object, field by field and, in long texts, line by line.

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

use super::fold::Row;
use super::screen::Ink;
use super::value::{Shape, inline, is_blank, is_later, long, name, shape};

/// Lines around a change in a long text.
const AROUND: usize = 2;

/// Rows for everything in which two specs differ.
pub(super) struct Diff<'a> {
    /// Where the rows start.
    pub indent: usize,
    /// Fields that force a replacement.
    pub forced: &'a [String],
    /// The rows so far.
    pub rows: Vec<Row>,
}

impl<'a> Diff<'a> {
    /// Compares two objects.
    pub(super) fn of(
        was: &Map<String, Value>,
        new: &Map<String, Value>,
        forced: &'a [String],
        indent: usize,
    ) -> Vec<Row> {
        let mut diff = Self { indent, forced, rows: Vec::new() };
        diff.map("", was, new);
        diff.rows
    }

    fn map(&mut self, path: &str, was: &Map<String, Value>, new: &Map<String, Value>) {
        let gone = was.iter().filter(|(key, _)| !new.contains_key(*key));
        let both = new.iter().map(|(key, value)| (key, was.get(key), Some(value)));
        for (key, old, value) in both.chain(gone.map(|(key, value)| (key, Some(value), None))) {
            let path = if path.is_empty() {
                name(key)
            } else if name(key) == *key {
                format!("{path}.{key}")
            } else {
                format!("{path}[{}]", name(key))
            };
            self.value(&path, old.unwrap_or(&Value::Null), value.unwrap_or(&Value::Null));
        }
    }

    fn value(&mut self, path: &str, was: &Value, new: &Value) {
        if was == new {
            return;
        }
        if long(was).is_some() || long(new).is_some() {
            return self.lines(path, was, new);
        }
        match (shape(was), shape(new)) {
            (Shape::Map(was), Shape::Map(new)) => self.map(path, was, new),
            (Shape::List(was), Shape::List(new)) => self.list(path, was, new),
            (
                Shape::Plain(_)
                | Shape::Text(_)
                | Shape::Later(_)
                | Shape::Link(_)
                | Shape::Map(_)
                | Shape::List(_),
                _,
            ) => self.put(path, was, new),
        }
    }

    fn put(&mut self, path: &str, was: &Value, new: &Value) {
        let row = match (is_blank(was), is_blank(new)) {
            (true, false) => self
                .mark(Ink::Add, "+")
                .words(Ink::Plain, format!("{path}: "))
                .solid(Ink::Plain, inline(new)),
            (false, true) => self
                .mark(Ink::Remove, "-")
                .words(Ink::Plain, format!("{path}: "))
                .solid(Ink::Plain, inline(was)),
            (true, true) | (false, false) => self
                .mark(Ink::Change, "~")
                .words(Ink::Plain, format!("{path}: {} -> {}", inline(was), inline(new))),
        };
        self.push(path, row, is_later(new));
    }

    /// Items that have names are compared by name, others by value.
    fn list(&mut self, path: &str, was: &[Value], new: &[Value]) {
        let (old_keys, new_keys) = (keys(was), keys(new));
        let find = |key: &str, keys: &[&str], items: &'_ [Value]| {
            keys.iter().position(|other| *other == key).map(|at| items[at].clone())
        };
        if let (Some(old_keys), Some(new_keys)) = (old_keys, new_keys) {
            for (key, item) in new_keys.iter().zip(new) {
                let old = find(key, &old_keys, was).unwrap_or(Value::Null);
                self.value(&format!("{path}[{key:?}]"), &old, item);
            }
            for (key, item) in old_keys.iter().zip(was) {
                if !new_keys.contains(key) {
                    self.value(&format!("{path}[{key:?}]"), item, &Value::Null);
                }
            }
            return;
        }
        for item in was.iter().filter(|item| !new.contains(item)) {
            let row = self.mark(Ink::Remove, "-").words(Ink::Plain, format!("{path}: "));
            self.push(path, row.solid(Ink::Plain, inline(item)), false);
        }
        for item in new.iter().filter(|item| !was.contains(item)) {
            let row = self.mark(Ink::Add, "+").words(Ink::Plain, format!("{path}: "));
            self.push(path, row.solid(Ink::Plain, inline(item)), is_later(item));
        }
        let same = |a: &[Value], b: &[Value]| a.iter().all(|item| b.contains(item));
        if same(was, new) && same(new, was) {
            let row = self.mark(Ink::Change, "~");
            self.push(path, row.words(Ink::Plain, format!("{path}: another order")), false);
        }
    }

    fn lines(&mut self, path: &str, was: &Value, new: &Value) {
        let text = |value: &Value| match shape(value) {
            Shape::Text(text) => long(value).unwrap_or_else(|| text.to_owned()),
            Shape::Later(text) => long(value).unwrap_or(text),
            Shape::Plain(_) | Shape::Link(_) | Shape::List(_) | Shape::Map(_) => String::new(),
        };
        let (ink, mark) = match (is_blank(was), is_blank(new)) {
            (true, _) => (Ink::Add, "+"),
            (false, true) => (Ink::Remove, "-"),
            (false, false) => (Ink::Change, "~"),
        };
        let row = self.mark(ink, mark).words(Ink::Plain, format!("{path}:"));
        let later = is_later(new);
        self.push(path, row, false);
        if later {
            let note = "# ${…} is known after apply";
            self.rows.push(Row::at(self.indent + 4).words(Ink::Dim, note));
        }
        self.text(&text(was), &text(new));
    }

    fn text(&mut self, was: &str, new: &str) {
        let diff = TextDiff::from_lines(was, new);
        for (i, group) in diff.grouped_ops(AROUND).iter().enumerate() {
            if i > 0 {
                self.rows.push(Row::at(self.indent + 4).words(Ink::Dim, "..."));
            }
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let (ink, mark) = match change.tag() {
                    ChangeTag::Equal => (Ink::Dim, " "),
                    ChangeTag::Delete => (Ink::Remove, "-"),
                    ChangeTag::Insert => (Ink::Add, "+"),
                };
                let line = change.value().trim_end_matches('\n');
                self.rows.push(Row::marked(self.indent + 4, ink, mark).code(ink, line));
            }
        }
    }

    fn mark(&self, ink: Ink, mark: &str) -> Row {
        Row::marked(self.indent, ink, mark)
    }

    fn push(&mut self, path: &str, row: Row, later: bool) {
        let top = path.split(['.', '[']).next().unwrap_or(path);
        let row = if later { row.words(Ink::Dim, " (known after apply)") } else { row };
        let forced = self.forced.iter().any(|field| field == top);
        self.rows.push(if forced {
            row.words(Ink::Plain, " ").solid(Ink::Remove, "# forces replacement")
        } else {
            row
        });
    }
}

/// What names the items of a list, where all have a name and no two the same.
fn keys(items: &[Value]) -> Option<Vec<&str>> {
    let key = |item: &'_ Value| -> Option<usize> {
        NAMES.iter().position(|name| item.get(*name).is_some_and(Value::is_string))
    };
    let mut out = Vec::new();
    for item in items {
        let text = item.get(NAMES[key(item)?]).and_then(Value::as_str)?;
        if out.contains(&text) {
            return None;
        }
        out.push(text);
    }
    Some(out)
}

/// Fields by which an item of a list is known.
const NAMES: [&str; 3] = ["name", "id", "destination"];
