//! Calls with their values, compared with `terraform console` 1.11.4; a code stands for the
//! problem that a call has.

use std::collections::BTreeSet;

use crate::lang::testing::{Small, line, value};
use crate::lang::{File, ReadFile, Vars, functions, load};

fn check(cases: &[(&str, &str)]) {
    for (expression, expect) in cases {
        assert_eq!(value(expression), *expect, "{expression}");
    }
}

#[test]
fn collections() {
    check(&[
        ("length(\"héé\")", "3"),
        ("length({ a = 1 })", "1"),
        ("length([])", "0"),
        ("length(5)", "L042"),
        ("concat([1], [\"a\"])", "[1, \"a\"]"),
        ("concat([1], 2)", "L042"),
        ("merge({ a = 1 }, null, { b = 2 }, { a = 3 })", "{ a = 3, b = 2 }"),
        ("merge()", "{  }"),
        ("lookup({ a = 1 }, \"b\", \"x\")", "\"x\""),
        ("lookup({ a = 1 }, \"a\")", "1"),
        ("lookup({ a = 1 }, \"b\")", "L042"),
        ("keys({ b = 1, a = 2 })", "[\"a\", \"b\"]"),
        ("values({ b = 1, a = 2 })", "[2, 1]"),
        ("flatten([[1, [2]], 3])", "[1, 2, 3]"),
        ("flatten([[]])", "[]"),
        ("element([1, 2, 3], 4)", "2"),
        ("element([1, 2, 3], -1)", "L042"),
        ("element([], 0)", "L042"),
        ("element(\"abc\", 1)", "L042"),
        ("slice([1, 2, 3], 1, 2)", "[2]"),
        ("slice([1, 2, 3], 1, 5)", "L042"),
        ("slice([1, 2, 3], 2, 1)", "L042"),
        ("zipmap([\"a\"], [1])", "{ a = 1 }"),
        ("zipmap([\"a\"], [1, 2])", "L042"),
        ("coalesce(\"\", \"b\")", "\"b\""),
        ("coalesce(null, null)", "L042"),
        ("coalesce([], [1])", "[]"),
        ("coalesce(1, \"a\")", "\"1\""),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("one([])", "null"),
        ("one([1])", "1"),
        ("one([1, 2])", "L042"),
        ("alltrue([\"true\", true])", "true"),
        ("alltrue([])", "true"),
        ("alltrue([1])", "L042"),
        ("anytrue([])", "false"),
        ("anytrue([false, true])", "true"),
        ("reverse([1, 2])", "[2, 1]"),
        ("distinct([1, 1, 2])", "[1, 2]"),
        ("contains([\"1\"], 1)", "false"),
        ("contains([[1]], [1])", "true"),
        ("index([1, 2], 2)", "1"),
        ("index([\"a\"], \"b\")", "L042"),
        ("sort([\"b\", 1])", "[\"1\", \"b\"]"),
        ("setunion([\"b\"], [\"a\"])", "[\"a\", \"b\"]"),
        ("setunion([1], [\"1\"])", "[\"1\"]"),
        ("setintersection([\"a\", \"b\"], [\"b\", \"c\"])", "[\"b\"]"),
        ("setsubtract([\"a\", \"b\"], [\"a\"])", "[\"b\"]"),
    ]);
}

#[test]
fn conversions() {
    check(&[
        ("tolist([1, \"a\", true])", "[\"1\", \"a\", \"true\"]"),
        ("tolist([1, [2]])", "L042"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("toset([10, 9])", "[9, 10]"),
        ("tomap({ a = 1, b = \"x\" })", "{ a = \"1\", b = \"x\" }"),
        ("tomap({ a = 1, b = [] })", "L042"),
        ("tostring(null)", "null"),
        ("tostring(1.50)", "\"1.5\""),
        ("tostring([])", "L042"),
        ("tonumber(\"1e3\")", "1000"),
        ("tonumber(\"x\")", "L042"),
        ("tonumber(\"0x1f\")", "L042"),
        ("tonumber(\" 1\")", "L042"),
        ("tonumber(true)", "L042"),
        ("tobool(\"1\")", "true"),
        ("tobool(\"0\")", "false"),
        ("tobool(\"TRUE\")", "L042"),
        ("tobool(1)", "L042"),
        ("nonsensitive(\"x\")", "\"x\""),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("join(\"-\", [\"a\", 1, true])", "\"a-1-true\""),
        ("join(\"-\", [[]])", "L042"),
        ("split(\",\", \"\")", "[\"\"]"),
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        ("split(\"\", \"abc\")", "[\"a\", \"b\", \"c\"]"),
        ("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""),
        ("replace(\"abc\", \"\", \"x\")", "\"xaxbxcx\""),
        ("replace(\"abc\", \"/b/\", \"x\")", "L042"),
        ("lower(\"ABC\")", "\"abc\""),
        ("lower(1)", "\"1\""),
        ("title(\"hello world-foo\")", "\"Hello World-Foo\""),
        ("title(\"ÀB cd\")", "\"ÀB Cd\""),
        ("trim(\"xxaxx\", \"x\")", "\"a\""),
        ("trimspace(\" a\\n\")", "\"a\""),
        ("trimprefix(\"abab\", \"ab\")", "\"ab\""),
        ("trimsuffix(\"abab\", \"ab\")", "\"ab\""),
        ("startswith(\"abc\", \"ab\")", "true"),
        ("endswith(\"abc\", \"ab\")", "false"),
        ("substr(\"hello\", -3, 2)", "\"ll\""),
        ("substr(\"hello\", 1, -1)", "\"ello\""),
        ("substr(\"hello\", 1, 99)", "\"ello\""),
        ("substr(\"hello\", -9, 1)", "L042"),
    ]);
}

#[test]
fn formats() {
    check(&[
        (
            "format(\"%05.1f|%-5s|%5d|%q|%v|%x|%t|%%\", 3.14159, \"ab\", 42, \"q\\\"\", [1, \"a\"], 255, true)",
            "\"003.1|ab   |   42|\\\"q\\\\\\\"\\\"|[1,\\\"a\\\"]|ff|true|%\"",
        ),
        ("format(\"%s\", 1.5)", "\"1.5\""),
        ("format(\"%d\", \"42\")", "\"42\""),
        ("format(\"%d\", 1.5)", "L042"),
        ("format(\"%s %s\", \"a\")", "L042"),
        ("format(\"%s\", \"a\", \"b\")", "L042"),
        ("format(\"%[2]s %[1]s\", \"a\", \"b\")", "\"b a\""),
        ("format(\"%s\", [1])", "L042"),
        ("format(\"%.2f\", 2)", "\"2.00\""),
        ("format(\"%e\", 12345.678)", "\"1.234568e+04\""),
        ("format(\"%g\", 1e21)", "\"1e+21\""),
        ("format(\"%#v\", \"a\")", "\"\\\"a\\\"\""),
        ("format(\"%+d\", 5)", "\"+5\""),
        ("format(\"% d\", 5)", "\" 5\""),
        ("format(\"%08b\", 5)", "\"00000101\""),
        ("format(\"%z\", 5)", "L042"),
        ("format(\"%\")", "L042"),
        ("format(\"%5q\", \"a\")", "\"  \\\"a\\\"\""),
        ("format(\"%.2s\", \"abc\")", "\"ab\""),
        ("format(\"%X\", 255)", "\"FF\""),
        ("format(\"%o\", 8)", "\"10\""),
        ("format(\"%9999999d\", 8)", "L042"),
        ("format(\"%06d\", -5)", "\"-00005\""),
        ("formatlist(\"%s-%d\", [\"a\", \"b\"], 1)", "[\"a-1\", \"b-1\"]"),
        ("formatlist(\"%s%s\", [\"a\"], [\"b\", \"c\"])", "L042"),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("abs(-1)", "1"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("pow(2, 10)", "1024"),
        ("pow(2, -1)", "0.5"),
        ("pow(2, 0.5)", "L042"),
        ("pow(0, -1)", "L042"),
        ("pow(9, 999)", "L042"),
        ("pow(9, 9223372036854775807)", "L042"),
        ("min(1, \"0\")", "0"),
        ("sum([1, 2.5])", "3.5"),
        ("sum([])", "L042"),
        ("range(5)", "[0, 1, 2, 3, 4]"),
        ("range(1, 10, 3)", "[1, 4, 7]"),
        ("range(5, 0)", "[5, 4, 3, 2, 1]"),
        ("range(0)", "[]"),
        ("range(0, 1, 0)", "L042"),
        ("range(0, 5, -1)", "L042"),
        ("range(1000000)", "L042"),
        ("range(0, 1, 0.0000000000000000000000001)", "L042"),
    ]);
}

#[test]
fn networks() {
    check(&[
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("cidrsubnet(\"10.0.0.5/16\", 4, 3)", "\"10.0.48.0/20\""),
        ("cidrsubnet(\"fd00::/48\", 16, 5)", "\"fd00:0:0:5::/64\""),
        ("cidrsubnet(\"::/0\", 128, 5)", "\"::5/128\""),
        ("cidrsubnet(\"10.0.0.0/30\", 4, 3)", "L042"),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 256)", "L042"),
        ("cidrsubnet(\"10.0.0.0/16\", 0, 0)", "\"10.0.0.0/16\""),
        ("cidrsubnet(\"10.0.0.0/16\", -1, 0)", "L042"),
        ("cidrsubnet(\"x\", 8, 2)", "L042"),
        ("cidrhost(\"10.1.2.3/16\", 5)", "\"10.1.0.5\""),
        ("cidrhost(\"10.0.0.0/24\", -1)", "\"10.0.0.255\""),
        ("cidrhost(\"10.0.0.0/24\", 256)", "L042"),
        ("cidrnetmask(\"10.0.0.0/12\")", "\"255.240.0.0\""),
        ("cidrnetmask(\"fd00::/48\")", "L042"),
    ]);
}

#[test]
fn encodings() {
    check(&[
        (
            "jsonencode({ b = 1, a = \"<&>\" })",
            "\"{\\\"a\\\":\\\"\\\\u003c\\\\u0026\\\\u003e\\\",\\\"b\\\":1}\"",
        ),
        ("jsonencode(1.50)", "\"1.5\""),
        ("jsonencode([null, true])", "\"[null,true]\""),
        ("jsonencode(bucket.data)", "L042"),
        ("jsondecode(\"{\\\"a\\\": [1, 2.5, null]}\")", "{ a = [1, 2.5, null] }"),
        ("jsondecode(\"{\")", "L042"),
        (
            "jsondecode(join(\"\", concat([for x in range(100) : \"[\"], [for x in range(100) : \"]\"])))",
            "L042",
        ),
        ("base64encode(\"héllo\")", "\"aMOpbGxv\""),
        ("base64decode(\"aMOpbGxv\")", "\"héllo\""),
        ("base64decode(\"//8=\")", "L042"),
        ("base64decode(\"?\")", "L042"),
        ("sha256(\"x\")", "\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\""),
        ("file(\"x\")", "L042"),
    ]);
}

struct Files;

impl ReadFile for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "a.txt" => Ok(b"hello\n".to_vec()),
            "t.tpl" => Ok(b"%{ for x in xs ~}\n- ${x} ${name}\n%{ endfor ~}\n".to_vec()),
            "bad.tpl" => Ok(b"${nope}".to_vec()),
            "broken.tpl" => Ok(b"${".to_vec()),
            "nested.tpl" => Ok(b"${templatefile(\"a.txt\", {})}".to_vec()),
            "binary" => Ok(vec![0xff, 0xfe]),
            _ => Err(format!("there is no file {path:?}")),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        Err(format!("there is no folder {folder:?}"))
    }
}

#[test]
fn files_and_templates() {
    let run = |expression: &str| {
        let text = format!("output \"x\" {{\n  value = {expression}\n}}\n");
        let stack = crate::lang::testing::STACK_TEXT.to_owned();
        let files = [
            File { name: "main.hcl".to_owned(), text },
            File { name: "stack.hcl".to_owned(), text: stack },
        ];
        let loaded = load(&files, &Vars::new(), &Small, Some(&Files));
        match loaded.problems.first() {
            Some(problem) => line(problem, &loaded),
            None => loaded.outputs[0].value.describe(),
        }
    };
    assert_eq!(run("file(\"a.txt\")"), "\"hello\\n\"");
    assert_eq!(
        run("filesha256(\"a.txt\")"),
        "\"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\""
    );
    assert_eq!(
        run("templatefile(\"t.tpl\", { xs = [1, 2], name = \"n\" })"),
        "\"- 1 n\\n- 2 n\\n\""
    );
    assert!(run("file(\"nope\")").contains("there is no file"), "{}", run("file(\"nope\")"));
    assert!(run("file(\"binary\")").contains("not UTF-8"));
    let bad = run("templatefile(\"bad.tpl\", {})");
    assert!(bad.contains("bad.tpl:1:3 `nope`"), "{bad}");
    let broken = run("templatefile(\"broken.tpl\", {})");
    assert!(broken.starts_with("L001"), "{broken}");
    assert!(run("templatefile(\"nested.tpl\", {})").contains("cannot read another"));
    assert!(run("templatefile(\"t.tpl\", 1)").starts_with("L042"));
}

#[test]
fn the_table_is_complete_and_told_apart() {
    let names: Vec<&str> = functions().map(|function| function.name).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    assert!(names.len() >= 65, "{}", names.len());
    for function in functions() {
        assert!(function.doc.ends_with('.'), "{}", function.name);
        assert!(function.max.is_none_or(|max| max >= function.min), "{}", function.name);
    }
}
