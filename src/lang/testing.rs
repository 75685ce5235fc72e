//! A small world for the tests of this room.

use std::collections::BTreeMap;

use crate::model::Problem;

use super::builtin::{MODULE, OUTPUT, VARIABLE};
use super::schema::{Attribute, BlockSchema, Export, Type};
use super::{Evaluated, File, Loaded, ReadFile, Value, Vars, World, is_config, load};

/// Three kinds of block, as `stack/` would declare them.
pub(crate) struct Small;

const EXPIRE: BlockSchema = BlockSchema {
    word: "expire",
    label: None,
    repeats: true,
    attributes: &[
        Attribute::new("prefix", Type::String, "Which objects."),
        Attribute::new("after", Type::Duration, "When they go.").required(),
    ],
    blocks: &[],
    exports: &[],
    doc: "Objects that go by themselves.",
};

const BUCKET: BlockSchema = BlockSchema {
    word: "bucket",
    label: Some("its name"),
    repeats: true,
    attributes: &[
        Attribute::new("versioning", Type::Bool, "Keeps old versions."),
        Attribute::new("tags", Type::Map(&Type::String), "Tags."),
        Attribute::new("class", Type::OneOf(&["standard", "glacier"]), "Where it lies."),
        Attribute::new("readers", Type::List(&Type::String), "Who may read."),
        Attribute::new("note", Type::String, "Any text."),
        Attribute::new("size", Type::Size, "How large."),
        Attribute::new("any", Type::Any, "Anything."),
    ],
    blocks: &[EXPIRE],
    exports: &[Export { name: "id", doc: "Its id." }, Export { name: "name", doc: "Its name." }],
    doc: "A bucket.",
};

const NETWORK: BlockSchema = BlockSchema {
    word: "network",
    label: Some("its name"),
    repeats: true,
    attributes: &[Attribute::new("cidr", Type::String, "Its range.").required()],
    blocks: &[],
    exports: &[Export { name: "id", doc: "Its id." }],
    doc: "A network.",
};

const NODES: Type = Type::Either(&[
    Type::Integer,
    Type::Object(&[
        Attribute::new("min", Type::Integer, "Fewest."),
        Attribute::new("max", Type::Integer, "Most.").required(),
    ]),
]);

const CLUSTER: BlockSchema = BlockSchema {
    word: "cluster",
    label: Some("its name"),
    repeats: true,
    attributes: &[
        Attribute::new("network", Type::Reference("network"), "Where it runs.").required(),
        Attribute::new("nodes", NODES, "How many."),
    ],
    blocks: &[
        BlockSchema {
            word: "mount",
            label: Some("where"),
            repeats: true,
            attributes: &[Attribute::new("from", Type::Reference("bucket"), "What.").required()],
            blocks: &[],
            exports: &[],
            doc: "A mount.",
        },
        BlockSchema {
            word: "autoscale",
            label: None,
            repeats: false,
            attributes: &[Attribute::new("idle_timeout", Type::Duration, "How long idle.")],
            blocks: &[],
            exports: &[],
            doc: "Scaling.",
        },
    ],
    exports: &[],
    doc: "A cluster.",
};

const STACK: BlockSchema = BlockSchema {
    word: "stack",
    label: Some("its name"),
    repeats: false,
    attributes: &[
        Attribute::new("region", Type::String, "Where.").required(),
        Attribute::new("account", Type::String, "Which account."),
    ],
    blocks: &[],
    exports: &[],
    doc: "The stack.",
};

static SCHEMA: [BlockSchema; 7] = [STACK, MODULE, VARIABLE, OUTPUT, BUCKET, NETWORK, CLUSTER];

impl World for Small {
    fn schema(&self) -> &'static [BlockSchema] {
        &SCHEMA
    }

    fn exports(&self, stack: &Evaluated, block: &Evaluated) -> BTreeMap<String, Value> {
        let mut out = BTreeMap::new();
        if let Some(address) = &block.address {
            out.insert("id".to_owned(), Value::id_of(address.clone()));
            if block.word == "bucket" {
                let stack = stack.label.as_deref().unwrap_or_default();
                let name = format!("{stack}-{}", address.name);
                out.insert("name".to_owned(), Value::from(name));
            }
        }
        out
    }
}

/// The stack block that most tests need.
pub(crate) const STACK_TEXT: &str = "stack \"t\" {\n  region = \"us-east-1\"\n}\n";

/// Loads one file.
pub(crate) fn load_text(text: &str, vars: &Vars) -> Loaded {
    let file = File { name: "main.hcl".to_owned(), text: text.to_owned() };
    load(&[file], vars, &Small, None)
}

/// Files in memory, by path.
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl ReadFile for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.0.get(path).ok_or_else(|| format!("there is no file {path:?}"))?;
        Ok(text.clone().into_bytes())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let inside = |path: &String| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            (!name.contains('/') && is_config(name)).then(|| name.to_owned())
        };
        let exists = self.0.keys().any(|path| path.starts_with(&format!("{folder}/")));
        let names: Vec<String> = self.0.keys().filter_map(inside).collect();
        if exists { Ok(names) } else { Err(format!("there is no folder {folder:?}")) }
    }
}

/// Loads a stack of several files; those in folders are modules.
pub(crate) fn load_files(files: &[(&str, &str)], vars: &Vars) -> Loaded {
    let all = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let memory = Memory(all.collect());
    let mut root = vec![File { name: "stack.hcl".to_owned(), text: STACK_TEXT.to_owned() }];
    root.extend(
        files
            .iter()
            .filter(|(name, _)| !name.contains('/') && is_config(name))
            .map(|(name, text)| File { name: (*name).to_owned(), text: (*text).to_owned() }),
    );
    load(&root, vars, &Small, Some(&memory))
}

/// Loads one file behind a stack block.
pub(crate) fn load_with_stack(text: &str) -> Loaded {
    let files = [
        File { name: "main.hcl".to_owned(), text: text.to_owned() },
        File { name: "stack.hcl".to_owned(), text: STACK_TEXT.to_owned() },
    ];
    load(&files, &Vars::new(), &Small, None)
}

/// A problem as one line: `L020 there is no … @ main.hcl:3:9 [label] (help)`.
pub(crate) fn line(problem: &Problem, loaded: &Loaded) -> String {
    let mut out = format!("{} {}", problem.code, problem.summary);
    for label in &problem.labels {
        let (name, text) = loaded.sources.get(label.span.source).unwrap_or(("?", ""));
        let before = text.get(..label.span.range.start).unwrap_or_default();
        let row = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let shown = text.get(label.span.range.clone()).unwrap_or_default();
        out.push_str(&format!(" @ {name}:{row}:{column} `{shown}` [{}]", label.text));
    }
    if !problem.help.is_empty() {
        out.push_str(&format!(" ({})", problem.help));
    }
    out
}

/// The problems of a text, each as one line.
pub(crate) fn problems(text: &str) -> Vec<String> {
    let loaded = load_with_stack(text);
    loaded.problems.iter().map(|problem| line(problem, &loaded)).collect()
}

/// The value of an expression as `describe` writes it, or the code of its problem.
pub(crate) fn value(expression: &str) -> String {
    let before = "network \"main\" {\n  cidr = \"10.0.0.0/16\"\n}\n\
                  bucket \"data\" {}\nbucket \"logs\" {}\n\
                  variable \"secret\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n\
                  variable \"secrets\" {\n  default = [\"hunter2\", \"b\"]\n  sensitive = true\n}\n\
                  locals {\n  xs = [\"a\", \"b\"]\n  o = { a = 1, b = { c = \"d\" } }\n  id = bucket.data.id\n}\n";
    let text = format!("{before}output \"x\" {{\n  sensitive = true\n  value = {expression}\n}}\n");
    let loaded = load_with_stack(&text);
    match (loaded.problems.first(), loaded.outputs.first()) {
        (Some(problem), _) => {
            for problem in &loaded.problems {
                let all = line(problem, &loaded).replace(&text, "");
                let said = all.replace("default = \"hunter2\"", "");
                assert!(!said.contains("hunter2\"]"), "{said}");
            }
            problem.code.to_owned()
        }
        (None, Some(output)) => {
            let mut value = output.value.clone();
            // The output itself is marked; what is tested is whether the value was.
            value.sensitive = false;
            value.describe()
        }
        (None, None) => "nothing".to_owned(),
    }
}
