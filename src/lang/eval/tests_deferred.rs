//! Texts that hold ids which apply fills in, and values of which nothing is known.

use crate::lang::testing::{STACK_TEXT, Small, line, load_text, load_with_stack, value};
use crate::lang::{Value, Vars};
use crate::model::{Address, Encoder, Piece, Text};

fn bucket_id() -> Piece {
    Piece::Id("bucket.data".parse::<Address>().expect("an address"))
}

fn plain(text: &str) -> Piece {
    Piece::Plain(text.to_owned())
}

/// The value of an expression over `bucket.data.id`.
fn made(expression: &str) -> Result<Value, String> {
    let text = format!(
        "bucket \"data\" {{}}\nlocals {{\n  id = bucket.data.id\n}}\n\
         output \"x\" {{\n  value = {expression}\n}}\n"
    );
    let loaded = load_with_stack(&text);
    match loaded.problems.first() {
        Some(problem) => Err(line(problem, &loaded)),
        None => Ok(loaded.outputs[0].value.clone()),
    }
}

fn pieces(expression: &str) -> Vec<Piece> {
    match made(expression).expect(expression).text() {
        Some(Text::Deferred(pieces)) => pieces,
        other => panic!("{expression}: {other:?}"),
    }
}

#[test]
fn ids_survive_inside_texts() {
    assert_eq!(pieces("bucket.data.id"), [bucket_id()]);
    assert_eq!(pieces("\"a-${local.id}-${1}\""), [plain("a-"), bucket_id(), plain("-1")]);
    assert_eq!(pieces("\"${local.id}\""), [bucket_id()]);
    let joined = [plain("x,"), bucket_id(), plain(",2")];
    assert_eq!(pieces("join(\",\", [\"x\", local.id, 2])"), joined);
    assert_eq!(pieces("format(\"<%s>\", local.id)"), [plain("<"), bucket_id(), plain(">")]);
    assert_eq!(pieces("format(\"%v\", local.id)"), [bucket_id()]);
    assert_eq!(pieces("tostring(local.id)"), [bucket_id()]);
    assert_eq!(pieces("coalesce(\"\", local.id)"), [bucket_id()]);
    assert_eq!(pieces("[for x in [local.id] : \"${x}!\"][0]"), [bucket_id(), plain("!")]);
    assert_eq!(pieces("merge({ a = local.id }, {}).a"), [bucket_id()]);
    assert_eq!(pieces("true ? local.id : \"x\""), [bucket_id()]);
    assert_eq!(pieces("flatten([[local.id]])[0]"), [bucket_id()]);
    assert_eq!(pieces("<<EOT\n${local.id}\nEOT\n"), [bucket_id(), plain("\n")]);
    assert_eq!(
        pieces("jsonencode({ a = \"x\\\"${local.id}\", b = 1 })"),
        [
            plain("{\"a\":\"x\\\""),
            Piece::Encoded(Encoder::Json, vec![bucket_id()]),
            plain("\",\"b\":1}"),
        ]
    );
    assert_eq!(
        pieces("base64encode(\"x${local.id}\")"),
        [Piece::Encoded(Encoder::Base64, vec![plain("x"), bucket_id()])]
    );
    assert_eq!(
        pieces("jsonencode([base64encode(local.id)])"),
        [
            plain("[\""),
            Piece::Encoded(Encoder::Json, vec![Piece::Encoded(Encoder::Base64, vec![bucket_id()])]),
            plain("\"]"),
        ]
    );
}

#[test]
fn what_is_known_of_them_is_known() {
    for (expression, expect) in [
        ("local.id == null", "false"),
        ("local.id != null ? 1 : 2", "1"),
        ("local.id == local.id", "true"),
        ("length([local.id])", "1"),
        ("contains([local.id], local.id)", "true"),
        ("keys({ a = local.id })", "[\"a\"]"),
        ("length(distinct([local.id, local.id, network.main.id]))", "2"),
        ("can(local.id)", "true"),
    ] {
        assert_eq!(value(expression), expect, "{expression}");
    }
}

#[test]
fn where_they_would_decide_something_they_are_a_problem() {
    for expression in [
        "local.id == \"x\"",
        "local.id ? 1 : 2",
        "!local.id",
        "local.id + 1",
        "local.id > 1",
        "true && local.id",
        "upper(local.id)",
        "length(local.id)",
        "split(\",\", local.id)",
        "{ (local.id) = 1 }",
        "{ for x in [local.id] : x => 1 }",
        "[for x in local.id : x]",
        "[for x in [1] : x if local.id]",
        "{ a = 1 }[local.id]",
        "[1][local.id]",
        "tonumber(local.id)",
        "substr(local.id, 0, 1)",
        "format(\"%5s\", local.id)",
        "format(\"%d\", local.id)",
        "contains([\"x\"], local.id)",
        "jsondecode(local.id)",
        "cidrhost(local.id, 1)",
        "file(local.id)",
        "\"%{ if local.id }x%{ endif }\"",
        "range(local.id)",
        "sha256(local.id)",
        "base64decode(local.id)",
    ] {
        let said = made(expression).expect_err(expression);
        assert!(said.starts_with("L022"), "{expression}: {said}");
        assert!(said.contains("known only after apply") && said.contains("instead"), "{said}");
    }
}

#[test]
fn a_schema_takes_them_only_as_text() {
    let problem = |attribute: &str| {
        let text =
            format!("bucket \"data\" {{}}\nbucket \"b\" {{\n  {attribute} = bucket.data.id\n}}\n");
        let loaded = load_with_stack(&text);
        loaded.problems.first().map(|problem| problem.code)
    };
    assert_eq!(problem("note"), None);
    assert_eq!(problem("any"), None);
    assert_eq!(problem("versioning"), Some("L022"));
    assert_eq!(problem("class"), Some("L022"));
    assert_eq!(problem("size"), Some("L022"));
    assert_eq!(problem("readers"), Some("L015"));
}

#[test]
fn what_is_wholly_unknown_fits_everywhere() {
    let _ = Small;
    let text = format!(
        "{STACK_TEXT}variable \"n\" {{\n  type = number\n}}\nvariable \"l\" {{\n  type = list(string)\n}}\n\
         bucket \"x\" {{\n  versioning = var.n > 1 ? true : false\n  class = \"${{var.n}}\"\n  \
         readers = [for x in var.l : upper(x)]\n  note = var.l[0]\n  size = \"${{var.n}}GiB\"\n  \
         any = {{ a = var.n + 1, b = length(var.l), c = var.l[*].x, d = var.n == 1 && true,\n  \
         e = \"%{{ for x in var.l }}${{x}}%{{ endfor }}\", f = jsonencode(var.l), g = try(var.n.x, 1) }}\n}}\n\
         cluster \"c\" {{\n  network = network.m\n  nodes = var.n\n}}\n\
         network \"m\" {{\n  cidr = cidrsubnet(var.l[0], 1, 1)\n}}\n"
    );
    let mut vars = Vars::new();
    vars.unknown_when_missing();
    let loaded = load_text(&text, &vars);
    let said: Vec<String> = loaded.problems.iter().map(|p| line(p, &loaded)).collect();
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(load_text(&text, &Vars::new()).problems.len(), 2);
}
