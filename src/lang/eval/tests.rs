//! Expressions with their values. What differs from hcl-rs was compared with
//! `terraform console` 1.11.4; a code stands for the problem that an expression has.

use super::super::testing::{line, load_with_stack, value};
use crate::lang::limits;

fn check(cases: &[(&str, &str)]) {
    for (expression, expect) in cases {
        assert_eq!(value(expression), *expect, "{expression}");
    }
}

#[test]
fn operators_convert_as_terraform_does() {
    check(&[
        ("\"2\" + 1", "3"),
        ("!\"true\"", "false"),
        ("3 >= \"2\"", "true"),
        ("-\"2\"", "-2"),
        ("[1, 2][\"0\"]", "1"),
        ("1 == \"1\"", "false"),
        ("\"true\" == true", "false"),
        ("[1] == [\"1\"]", "false"),
        ("null == null", "true"),
        ("{ a = 1 } == { a = 1 }", "true"),
        ("[1, [2]] != [1, [2]]", "false"),
        ("bucket.data == bucket.data", "true"),
        ("bucket.data == bucket.logs", "false"),
        ("!1", "L030"),
        ("-true", "L030"),
        ("true && \"x\"", "L030"),
        ("\"a\" < \"b\"", "L030"),
        ("null + 1", "L030"),
        ("[1] + [2]", "L030"),
        ("true && \"false\"", "false"),
    ]);
}

#[test]
fn arithmetic_is_exact_or_a_problem() {
    check(&[
        ("0.1 + 0.2", "0.3"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("18446744073709551616", "18446744073709551616"),
        ("100000000000000000000 + 1", "100000000000000000001"),
        ("-5 % 3", "-2"),
        ("5.5 % 2", "1.5"),
        ("-7 / 2", "-3.5"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("2.5e-3", "0.0025"),
        ("- 5", "-5"),
        ("2 - -3", "5"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("1.5 == 1.50", "true"),
        ("1 / 0", "L031"),
        ("5 % 0", "L031"),
        ("1e-400", "L032"),
        ("1e400", "L032"),
        ("123456789012345678901234567890123", "L032"),
        ("0.12345678901234567890123456789012345", "L032"),
        ("70000000000000000000000000000 * 10", "L031"),
    ]);
}

#[test]
fn only_what_decides_is_evaluated() {
    check(&[
        ("true || 1 / 0 == 1", "true"),
        ("false && 1 / 0 == 1", "false"),
        ("false ? 1 / 0 : 2", "2"),
        ("true ? 2 : [][0]", "2"),
        // What is declared nowhere is a typing error even there.
        ("true || missing", "true"),
    ]);
}

#[test]
fn conditions_have_one_type() {
    check(&[
        ("true ? 1 : \"a\"", "\"1\""),
        ("true ? [1] : [\"a\"]", "[\"1\"]"),
        ("true ? [] : [\"a\"]", "[]"),
        ("true ? [1, 2] : [\"a\"]", "[\"1\", \"2\"]"),
        ("true ? [1, \"a\"] : [true]", "[\"1\", \"a\"]"),
        ("true ? { a = 1 } : { a = \"x\" }", "{ a = \"1\" }"),
        ("true ? { a = 1 } : { b = \"x\" }", "{ a = \"1\" }"),
        ("true ? null : 1", "null"),
        ("false ? null : 1", "1"),
        ("\"true\" ? 1 : 2", "1"),
        ("true ? 1 : true", "L036"),
        ("true ? 1 : [1]", "L036"),
        ("1 ? 1 : 2", "L030"),
        ("null ? 1 : 2", "L030"),
    ]);
}

#[test]
fn templates_make_text() {
    check(&[
        ("\"a${1}\"", "\"a1\""),
        ("\"${1}\" + 1", "2"),
        ("\"${null}\"", "null"),
        ("\"${[1]}\"", "[1]"),
        ("\"x${null}y\"", "L034"),
        ("\"x${[1, 2, 3]}y\"", "L034"),
        ("\"x${{}}y\"", "L034"),
        ("\"x${bucket.data}y\"", "L034"),
        ("\"x${true}-${1.50}\"", "\"xtrue-1.5\""),
        ("\"$${a} %%{b} $ % $$\"", "\"${a} %{b} $ % $$\""),
        ("\"a\\tb\\u00e9\\\"\"", "\"a\\tbé\\\"\""),
        ("\"a  ${~ 1 ~}   b\"", "\"a1b\""),
        ("\"%{ if true }x%{ else }y%{ endif }\"", "\"x\""),
        ("\"%{ if \"false\" }x%{ else }y%{ endif }\"", "\"y\""),
        ("\"%{ if false }x%{ endif }\"", "\"\""),
        ("\"%{ for x in [1, 2] }<${x}>%{ endfor }\"", "\"<1><2>\""),
        ("\"%{ for i, x in local.xs }${i}${x}%{ endfor }\"", "\"0a1b\""),
        ("\"%{ if 1 }x%{ endif }\"", "L030"),
        ("\"%{ for x in 1 }x%{ endfor }\"", "L035"),
        ("<<EOT\n  a ${1}\n    b\nEOT\n", "\"  a 1\\n    b\\n\""),
        ("<<-EOT\n  a ${1}\n    b\n  EOT\n", "\"a 1\\n  b\\n\""),
        ("<<EOT\nEOT\n", "\"\""),
        ("upper(<<-EOT\n  a\n  EOT\n)", "\"A\\n\""),
    ]);
}

#[test]
fn strip_marks_reach_over_one_line() {
    check(&[
        (
            "<<EOT\na ${1 ~}\n\n  b ${~ 2} c\n%{ if true ~}\n   yes\n%{ endif ~}\n%{ for x in [\"p\",\"q\"] ~}\n   - ${x}\n%{ endfor ~}\nend\nEOT\n",
            "\"a 1\\n  b2 c\\n   yes\\n   - p\\n   - q\\nend\\n\"",
        ),
        (
            "<<EOT\nx\n   %{~ if true }\n  y\n  %{ endif ~}\n\nz\nEOT\n",
            "\"x\\n\\n  y\\n  \\nz\\n\"",
        ),
        ("<<EOT\nx\n%{~ if true }\ny\n%{~ endif }\nz\nEOT\n", "\"x\\ny\\nz\\n\""),
        ("<<EOT\nx\n  \n${~ 1 }\nEOT\n", "\"x\\n1\\n\""),
        ("<<EOT\nx  \n%{~ if true ~}\n  y  \n%{~ endif ~}\n  z\nEOT\n", "\"x  y  z\\n\""),
    ]);
}

#[test]
fn for_builds_lists_and_objects() {
    check(&[
        ("[for s in local.xs : upper(s) if s != \"a\"]", "[\"B\"]"),
        ("[for i, v in local.xs : \"${i}=${v}\"]", "[\"0=a\", \"1=b\"]"),
        ("[for k, v in { b = 1, a = 2 } : \"${k}${v}\"]", "[\"a2\", \"b1\"]"),
        ("{ for k, v in { a = 1 } : v => k }", "{ 1 = \"a\" }"),
        ("{ for s in [\"a\", \"a\"] : s => 1... }", "{ a = [1, 1] }"),
        ("{ for s in [\"a\", \"a\"] : s => 1 }", "L035"),
        ("[for x in [[1], [2, 3]] : [for y in x : y * 2]]", "[[2], [4, 6]]"),
        ("[for var in [1] : var]", "[1]"),
        ("[for bucket in [{ name = 1 }] : bucket.name]", "[1]"),
        ("[for i in [1, 0] : [10, 20][i]]", "[20, 10]"),
        ("[for x in \"abc\" : x]", "L035"),
        ("[for x in null : x]", "L035"),
        ("{ for x in [[1]] : x => 1 }", "L035"),
        ("[for x in [1] : x if 2]", "L030"),
        ("[for x in bucket.data : x]", "L035"),
    ]);
}

#[test]
fn paths_splats_and_indices() {
    check(&[
        ("local.o.b.c", "\"d\""),
        ("local.o[\"b\"].c", "\"d\""),
        ("local.xs[1]", "\"b\""),
        ("local.xs.1", "\"b\""),
        ("[{ a = 1 }, { a = 2 }][*].a", "[1, 2]"),
        ("[{ a = 1 }, { a = 2 }].*.a", "[1, 2]"),
        ("[{ a = [1] }][*].a[0]", "[1]"),
        ("[{ a = 7 }].*.a[0]", "7"),
        ("null[*]", "[]"),
        ("\"x\"[*]", "[\"x\"]"),
        ("[][*].a", "[]"),
        ("(local.o).a", "1"),
        ("{ a = 1 }.b", "L033"),
        ("{ a = 1 }[\"b\"]", "L033"),
        ("[1, 2][5]", "L033"),
        ("[1, 2][-1]", "L033"),
        ("[1, 2][0.5]", "L033"),
        ("[1, 2].a", "L033"),
        ("\"x\".a", "L033"),
        ("null.a", "L033"),
        ("null[0]", "L033"),
        ("local.o[[1]]", "L033"),
        ("bucket.data.name", "\"t-data\""),
        ("bucket.data[\"name\"]", "\"t-data\""),
        ("bucket.data.nam", "L033"),
        ("bucket.dat.name", "L020"),
        ("bucket", "L020"),
        ("nothing.x", "L020"),
        ("local.nope", "L020"),
        ("each.key", "L023"),
        ("count.index", "L023"),
        ("path.module", "L023"),
    ]);
}

#[test]
fn objects_and_lists() {
    check(&[
        ("{ (1 + 1) = 2, \"x\" : 3, y = 4 }", "{ 2 = 2, x = 3, y = 4 }"),
        ("{ \"${local.xs[0]}b\" = 1 }", "{ ab = 1 }"),
        ("{ a = 1, \"a\" = 2 }", "L014"),
        ("{ a = 1, a = 2 }", "L014"),
        ("{ [1] = 2 }", "L035"),
        ("[1, \"a\", true,]", "[1, \"a\", true]"),
        ("{\n  a = 1 # x\n  b = 2\n}", "{ a = 1, b = 2 }"),
    ]);
}

#[test]
fn calls_try_and_can() {
    check(&[
        ("max([1, 2]...)", "2"),
        ("max(\"3\", 10)", "10"),
        ("max(1...)", "L042"),
        ("max()", "L041"),
        ("upper(\"a\", \"b\")", "L041"),
        ("uper(\"a\")", "L040"),
        ("core::upper(\"a\")", "L040"),
        ("timestamp()", "L043"),
        ("uuid()", "L043"),
        ("try(local.o.x, local.o.a, 5)", "1"),
        ("try(local.o.x, \"none\")", "\"none\""),
        ("try(1 / 0)", "L031"),
        ("try()", "L041"),
        ("can(local.o.x)", "false"),
        ("can(local.o.a)", "true"),
        ("can(tonumber(\"x\"))", "false"),
        ("can(local.nope)", "L020"),
        ("can(1, 2)", "L041"),
        ("try(nofunction(), 1)", "L040"),
    ]);
}

#[test]
fn sensitive_marks_what_is_made_from_it() {
    check(&[
        ("[\"x-${var.secret}\"]", "[(sensitive)]"),
        ("[var.secret == \"a\"]", "[(sensitive)]"),
        ("[var.secret != \"a\" ? 1 : 2]", "[(sensitive)]"),
        ("[upper(var.secret)]", "[(sensitive)]"),
        ("[length(var.secrets)]", "[(sensitive)]"),
        ("[[for s in var.secrets : upper(s)]]", "[(sensitive)]"),
        ("[var.secrets[1]]", "[(sensitive)]"),
        ("[var.secrets[*]]", "[(sensitive)]"),
        ("[\"${var.secret}\", \"b\"]", "[(sensitive), \"b\"]"),
        ("[jsonencode({ a = var.secret })]", "[(sensitive)]"),
        ("[join(\",\", [\"a\", var.secret])]", "[(sensitive)]"),
        ("[format(\"%s\", var.secret)]", "[(sensitive)]"),
        ("[nonsensitive(length(var.secret))]", "[7]"),
        ("[sensitive(1)]", "[(sensitive)]"),
        ("[{ (var.secret) = 1 }]", "[(sensitive)]"),
        ("[[\"a\"][var.secret == \"b\" ? 1 : 0]]", "[(sensitive)]"),
        ("[{ a = 1 }[sensitive(\"a\")]]", "[(sensitive)]"),
        ("[\"%{ if var.secret == \"x\" }a%{ endif }\"]", "[(sensitive)]"),
        ("[can(tonumber(var.secret))]", "[false]"),
        ("tonumber(var.secret)", "L042"),
        ("var.secret + 1", "L030"),
        ("local.o[var.secret]", "L033"),
        ("[1][var.secret]", "L033"),
    ]);
}

#[test]
fn problems_never_show_what_is_sensitive() {
    for expression in [
        "var.secret + 1",
        "tonumber(var.secret)",
        "local.o[var.secret]",
        "lookup({ a = 1 }, var.secret)",
        "contains(var.secret, 1)",
        "cidrhost(var.secret, 1)",
        "{ for s in [var.secret, var.secret] : s => 1 }",
        "file(var.secret)",
        "format(\"%d\", var.secret)",
        "jsondecode(var.secret)",
        "index(var.secrets, 5)",
        "!var.secret",
        "var.secrets[7]",
        "formatlist(\"%d\", var.secrets)",
    ] {
        let text = format!(
            "locals {{\n  o = {{}}\n}}\nvariable \"secret\" {{\n  sensitive = true\n  \
             default = \"hunter2\"\n}}\nvariable \"secrets\" {{\n  sensitive = true\n  \
             default = [\"hunter2\"]\n}}\noutput \"x\" {{\n  value = {expression}\n}}\n"
        );
        let loaded = load_with_stack(&text);
        assert_eq!(loaded.problems.len(), 1, "{expression}");
        let said = line(&loaded.problems[0], &loaded);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn hostile_values_end_in_a_problem() {
    let doubled = |count: usize| {
        let mut text = "locals {\n  a0 = [\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]\n".to_owned();
        for place in 1..count {
            let last = place - 1;
            text.push_str(&format!("  a{place} = concat(local.a{last}, local.a{last})\n"));
        }
        text + "}\n"
    };
    let texts = [
        doubled(60),
        "locals {\n  a = [for x in range(100000) : [for y in range(100000) : y]]\n}\n".to_owned(),
        "locals {\n  a = range(200000)\n}\n".to_owned(),
        "locals {\n  a = format(\"%1000s\", \"x\")\n  b = [for x in range(90000) : local.a]\n}\n"
            .to_owned(),
        "locals {\n  a = join(\"\", [for x in range(90000) : format(\"%1000s\", \"x\")])\n}\n"
            .to_owned(),
        "locals {\n  a = \"%{ for x in range(90000) }${format(\"%1000s\", x)}%{ endfor }\"\n}\n"
            .to_owned(),
    ];
    for text in texts {
        let loaded = load_with_stack(&text);
        assert!(loaded.problems.iter().any(|p| p.code == "L002" || p.code == "L042"), "{text}");
    }
    assert_eq!(limits::ELEMENTS, 100_000);
}
