//! Whole configurations: declarations, order, schema, outputs.

use super::testing::{Small, line, load_text, load_with_stack, problems, value};
use super::{File, Value, Vars, load};

#[test]
fn a_whole_stack_evaluates() {
    let loaded = load_with_stack(
        r#"
variable "max" {
  type    = number
  default = 16
}
network "main" {
  cidr = cidrsubnet("10.0.0.0/8", 8, 20)
}
bucket "data" {
  versioning = "true"
  expire {
    after = "14d"
  }
  tags = { a = 1, id = network.main.id, n = bucket.logs.name }
}
bucket "logs" {}
cluster "train" {
  network = network.main
  nodes   = { min = 0, max = var.max }
  mount "/data" {
    from = bucket.data
  }
}
output "o" {
  value       = "x-${bucket.data.name}"
  description = "it"
}
"#,
    );
    assert_eq!(loaded.problems, []);
    let words: Vec<&str> = loaded.blocks.iter().map(|block| block.word).collect();
    assert_eq!(words, ["network", "bucket", "bucket", "cluster"]);
    assert_eq!(loaded.outputs[0].value.as_str(), Some("x-t-data"));
    assert_eq!(loaded.outputs[0].description.as_deref(), Some("it"));
    let bucket = &loaded.blocks[1];
    assert_eq!(bucket.attr("versioning").and_then(Value::as_bool), Some(true));
    let expire = bucket.nested("expire").next().expect("a block");
    assert_eq!(expire.attr("after").and_then(Value::seconds), Some(1_209_600));
    let tags = bucket.attr("tags").and_then(Value::as_map).expect("a map");
    assert_eq!(tags["a"].as_str(), Some("1"));
    assert!(tags["id"].is_deferred());
    let cluster = &loaded.blocks[3];
    let nodes = cluster.attr("nodes").expect("nodes");
    assert_eq!(nodes.get("max").and_then(Value::as_u64), Some(16));
    let mount = cluster.nested("mount").next().expect("a mount");
    assert_eq!(mount.label.as_deref(), Some("/data"));
    let from = mount.attr("from").and_then(Value::address).expect("an address");
    assert_eq!(from.to_string(), "bucket.data");
    let (_, text) = loaded.sources.get(cluster.place("nodes").source).expect("a file");
    assert_eq!(&text[cluster.place("nodes").range.clone()], "{ min = 0, max = var.max }");
    assert_eq!(loaded.stack.expect("a stack").label.as_deref(), Some("t"));
}

/// Each text has exactly these problems.
fn check(cases: &[(&str, &[&str])]) {
    for (text, expect) in cases {
        assert_eq!(problems(text), *expect, "{text}");
    }
}

#[test]
fn there_is_one_stack() {
    let said = |text: &str| {
        let loaded = load_text(text, &Vars::new());
        let all: Vec<String> = loaded.problems.iter().map(|p| line(p, &loaded)).collect();
        all.join("\n")
    };
    assert_eq!(
        said(""),
        "L019 there is no stack block (add: stack \"name\" { region = \"us-east-1\" })"
    );
    let two = said("stack \"a\" {\n  region = \"x\"\n}\nstack \"b\" {\n  region = \"x\"\n}\n");
    assert!(two.starts_with("L019 there is more than one stack block @ main.hcl:4:1"), "{two}");
    assert!(
        said("stack \"A\" {\n  region = \"x\"\n}\n")
            .starts_with("L011 \"A\" is not a stack's name")
    );
    assert!(said("stack \"a\" {}\n").starts_with("L013 stack needs \"region\""));
    let text =
        "locals {\n  r = bucket.b.name\n}\nbucket \"b\" {}\nstack \"a\" {\n  region = local.r\n}\n";
    let needs = said(text);
    assert!(
        needs.starts_with("L019 the stack block depends on bucket.b @ main.hcl:2:7"),
        "{needs}"
    );
    let computed = "variable \"r\" {\n  default = \"eu\"\n}\nlocals {\n  r = \"${var.r}-west-1\"\n}\nstack \"a\" {\n  region = local.r\n}\n";
    let loaded = load_text(computed, &Vars::new());
    let stack = loaded.stack.expect("a stack");
    assert_eq!(stack.attr("region").and_then(Value::as_str), Some("eu-west-1"));
}

#[test]
fn circles_are_told_once_with_every_step() {
    assert_eq!(
        problems(
            "locals {\n  a = local.b\n  b = [local.a]\n  c = local.a\n}\noutput \"o\" {\n  value = local.c\n}\n"
        ),
        [
            "L021 a circle of references: local.a -> local.b -> local.a @ main.hcl:2:7 `local.b` [local.a uses local.b] \
          @ main.hcl:3:8 `local.a` [local.b uses local.a] (break the circle: one of them must not need the other)"
        ]
    );
    let own = problems("bucket \"x\" {\n  note = bucket.x.name\n}\n");
    assert_eq!(own.len(), 1, "{own:?}");
    assert!(own[0].starts_with("L021 a circle of references: bucket.x -> bucket.x"), "{own:?}");
    // A name that a `for` binds is no reference.
    assert_eq!(problems("locals {\n  a = [for local in [{ a = 1 }] : local.a]\n}\n"), [""; 0]);
    let two = problems("locals {\n  a = local.b\n  b = local.a\n  c = local.d\n  d = local.c\n}\n");
    assert_eq!(two.len(), 2, "{two:?}");
}

#[test]
fn names_that_do_not_exist() {
    check(&[
        (
            "locals {\n  abc = 1\n  x = local.acb\n}\n",
            &[
                "L020 there is no local value \"acb\" @ main.hcl:3:7 `local.acb` [not declared] (did you mean \"abc\"?)",
            ],
        ),
        (
            "locals {\n  abc = 1\n  x = abc\n}\n",
            &[
                "L020 \"abc\" is not a known word @ main.hcl:3:7 `abc` [not known] (did you mean local.abc?)",
            ],
        ),
        (
            "locals {\n  x = var.x\n}\n",
            &[
                "L020 there is no variable \"x\" @ main.hcl:2:7 `var.x` [not declared] (declare it: variable \"x\" {})",
            ],
        ),
        (
            "locals {\n  x = glacier\n}\n",
            &[
                "L020 \"glacier\" is not a known word @ main.hcl:2:7 `glacier` [not known] (a text is written in quotes: \"glacier\")",
            ],
        ),
        (
            "bucket \"datasets\" {}\nlocals {\n  x = bucket.dataset.name\n}\n",
            &[
                "L020 there is no bucket \"dataset\" @ main.hcl:3:7 `bucket.dataset` [not declared] (did you mean \"datasets\"?)",
            ],
        ),
        (
            "bucket \"data\" {}\nlocals {\n  x = bucket.data.arn\n}\n",
            &[
                "L033 bucket.data has no attribute \"arn\" @ main.hcl:3:19 `arn` [not there] (it has: id, name)",
            ],
        ),
        (
            "bucket \"data\" {}\nlocals {\n  x = \"${bucket}\"\n}\n",
            &[
                "L020 `bucket` needs a name @ main.hcl:3:10 `bucket` [write bucket.name] (declared: data)",
            ],
        ),
    ]);
    assert_eq!(value("var.secret"), "\"hunter2\"");
}

#[test]
fn what_depends_on_a_problem_has_none_of_its_own() {
    assert_eq!(
        problems("locals {\n  a = 1 / 0\n  b = local.a + 1\n}\nbucket \"x\" {\n  note = local.b\n  bad = 1\n}\nbucket \"y\" {\n  note = bucket.x.name\n  versioning = bucket.x.id\n}\n").len(),
        2
    );
}

#[test]
fn problems_are_in_order_and_not_too_many() {
    let files = [
        File { name: "b.hcl".to_owned(), text: "bucket \"x\" {\n  a = 1\n  b = 1\n}\n".to_owned() },
        File { name: "a.hcl".to_owned(), text: "bucket \"y\" {\n  c = 1\n}\n".to_owned() },
    ];
    let loaded = load(&files, &Vars::new(), &Small, None);
    let codes: Vec<&str> = loaded.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["L019", "L012", "L012", "L012"]);
    let many: String = (0..200).map(|place| format!("x{place} = 1\n")).collect();
    let loaded = load_text(&many, &Vars::new());
    assert_eq!(loaded.problems.len(), 51);
    assert_eq!(loaded.problems[50].summary, "and 151 more problems");
}

#[test]
fn outputs_keep_secrets() {
    let head = "variable \"s\" {\n  default = \"x\"\n  sensitive = true\n}\n";
    let said = problems(&format!("{head}output \"o\" {{\n  value = [var.s]\n}}\n"));
    assert!(said[0].starts_with("L060 output \"o\" would show a sensitive value"), "{said:?}");
    let loaded = load_with_stack(&format!(
        "{head}output \"o\" {{\n  value = var.s\n  sensitive = true\n}}\n"
    ));
    assert_eq!(loaded.problems, []);
    assert!(loaded.outputs[0].sensitive);
    assert_eq!(format!("{:?}", loaded.outputs[0].value), "(sensitive)");
    assert_eq!(
        problems("output \"o\" {}\n")[0].split(" @").next(),
        Some("L013 output needs \"value\"")
    );
}
