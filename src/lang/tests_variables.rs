//! Variables: types, values from outside, rules.

use super::testing::{STACK_TEXT, line, load_text, problems};
use super::{Vars, parse_var_file};

/// The value of `var.x` of a declaration, or its problems.
fn given(body: &str, set: &dyn Fn(&mut Vars)) -> String {
    let text = format!(
        "{STACK_TEXT}variable \"x\" {{\n{body}\n}}\noutput \"o\" {{\n  value = nonsensitive(var.x)\n}}\n"
    );
    let mut vars = Vars::new();
    set(&mut vars);
    let loaded = load_text(&text, &vars);
    let all: Vec<String> = loaded.problems.iter().map(|p| line(p, &loaded)).collect();
    match loaded.outputs.first() {
        Some(output) if all.is_empty() => output.value.describe(),
        Some(_) | None => all.join("\n"),
    }
}

fn text(body: &str, value: &str) -> String {
    given(body, &|vars| vars.set_text("x", value, "--var"))
}

#[test]
fn texts_become_what_the_type_says() {
    for (body, value, expect) in [
        ("", "5", "\"5\""),
        ("type = string", "[1]", "\"[1]\""),
        ("type = number", "5", "5"),
        ("type = bool", "true", "true"),
        ("type = list(string)", "[\"a\", 1]", "[\"a\", \"1\"]"),
        ("type = list(number)", " [1, \"2\"] ", "[1, 2]"),
        ("type = set(string)", "[\"b\", \"a\", \"b\"]", "[\"a\", \"b\"]"),
        ("type = map(number)", "{ a = \"1\" }", "{ a = 1 }"),
        ("type = any", "{ a = \"1\" }", "{ a = \"1\" }"),
        ("type = tuple([string, number])", "[1, \"2\"]", "[\"1\", 2]"),
        (
            "type = object({ a = string, b = optional(number, 7), c = optional(bool) })",
            "{ a = 1, zz = 2 }",
            "{ a = \"1\", b = 7, c = null }",
        ),
        (
            "type = object({ a = object({ b = optional(list(string), [\"q\"]) }) })",
            "{ a = {} }",
            "{ a = { b = [\"q\"] } }",
        ),
        ("type = string\nnullable = false\ndefault = \"d\"", "v", "\"v\""),
        ("sensitive = true", "v", "\"v\""),
    ] {
        assert_eq!(text(body, value), expect, "{body} {value}");
    }
}

#[test]
fn values_that_do_not_fit() {
    let number = text("type = number", "many");
    assert!(number.starts_with("L052 the value of variable \"x\" (--var) does not fit its type @ main.hcl:5:8 `number` [expected a number, found the string \"many\"]"), "{number}");
    let nested = text("type = object({ a = list(number) })", "{ a = [1, \"x\"] }");
    assert!(nested.contains("(at a[1])"), "{nested}");
    let lacking = text("type = object({ a = number })", "{}");
    assert!(lacking.contains("an object with the attribute \"a\""), "{lacking}");
    let broken = text("type = list(string)", "[a");
    assert!(
        broken.starts_with("L052 the value of variable \"x\" (--var) cannot be read"),
        "{broken}"
    );
    let reference = text("type = list(string)", "[local.a]");
    assert!(reference.starts_with("L052"), "{reference}");
    for (body, value) in [
        ("type = number", "hunter2"),
        ("type = list(number)", "[\"hunter2\"]"),
        ("type = list(number)", "[hunter2"),
    ] {
        let said = text(&format!("sensitive = true\n{body}"), value);
        assert!(said.starts_with("L052") && !said.contains("hunter2"), "{said}");
    }
    let default = given("sensitive = true\ntype = number\ndefault = \"hunter2\"", &|_| {});
    assert!(default.starts_with("L052") && !default.contains("hunter2"), "{default}");
}

#[test]
fn declarations_are_checked() {
    for (body, expect) in [
        ("default = 1\ntype = strin", "L054 \"strin\" is not a type"),
        ("default = 1\ntype = \"string\"", "L054 a type is not a text"),
        ("default = 1\ntype = list", "L054 `list` needs a type inside"),
        ("default = 1\ntype = list(string, number)", "L054 list() takes one type"),
        ("default = 1\ntype = object(string)", "L054 object() takes its attributes"),
        ("default = 1\ntype = optional(string)", "L054 optional() stands only in object"),
        ("default = 1\ntype = upper(\"a\")", "L054 \"upper\" is not a type"),
        ("default = 1\ntype = 5", "L054 this is not a type"),
        (
            "default = 1\ntype = object({ a = optional(number, \"x\") })",
            "L054 the default does not fit",
        ),
        (
            "default = \"x\"\ntype = number",
            "L052 the default of variable \"x\" does not fit its type",
        ),
        ("default = local.a", "L020"),
        ("default = null\nnullable = false", "L052 variable \"x\" cannot be null"),
        ("default = 1\nsensitve = true", "L012 unknown attribute \"sensitve\""),
        ("default = 1\nsensitive = 5", "L015 this is true or false"),
        ("default = 1\nvalidatoin {}", "L010 unknown block \"validatoin\""),
        ("default = 1\nvalidation {\n  condition = true\n}", "L013 a validation needs"),
        ("", "L050 variable \"x\" has no value"),
    ] {
        let said = given(body, &|_| {});
        assert!(said.starts_with(expect), "{body}: {said}");
    }
    let missing = given("", &|_| {});
    for way in ["--var x=…", "MLINFRA_VAR_x=…", "--var-file"] {
        assert!(missing.contains(way), "{missing}");
    }
}

#[test]
fn rules_hold_or_say_their_message() {
    let rule = "type = number\nvalidation {\n  condition = var.x <= local.most\n  error_message = \"Ask for more than ${local.most}.\"\n}\n\
                validation {\n  condition = var.x != 13\n  error_message = \"Not 13.\"\n}";
    let run = |value: &str| {
        let text =
            format!("{STACK_TEXT}locals {{\n  most = 64\n}}\nvariable \"x\" {{\n{rule}\n}}\n");
        let mut vars = Vars::new();
        vars.set_text("x", value, "prod.hcl:3");
        let loaded = load_text(&text, &vars);
        let all: Vec<String> = loaded.problems.iter().map(|p| line(p, &loaded)).collect();
        all.join("\n")
    };
    assert_eq!(run("5"), "");
    assert_eq!(
        run("65"),
        "L053 Ask for more than 64. @ main.hcl:10:15 `var.x <= local.most` [this does not hold] (the value was given by prod.hcl:3)"
    );
    assert!(run("13").starts_with("L053 Not 13."));
    let wrong = problems(
        "variable \"x\" {\n  default = 1\n  validation {\n    condition = 5\n    error_message = \"x\"\n  }\n}\n",
    );
    assert!(wrong[0].starts_with("L030"), "{wrong:?}");
}

#[test]
fn names_that_nobody_declares() {
    let set = |from: &'static str| {
        given("default = 1", &move |vars| vars.set_text("max_nodes", "1", from))
    };
    assert_eq!(set("MLINFRA_VAR_max_nodes"), "1");
    let said = set("--var");
    assert!(said.starts_with("L051 there is no variable \"max_nodes\" (given by --var)"), "{said}");
    let near = given("default = 1", &|vars| vars.set_text("X", "1", "--var"));
    assert!(near.contains("did you mean \"x\"?"), "{near}");
}

#[test]
fn later_values_win_and_null_falls_back() {
    let set = |vars: &mut Vars| {
        vars.set_text("x", "env", "MLINFRA_VAR_x");
        let file = parse_var_file("prod.hcl", "x = \"file\"\n").expect("a file");
        vars.extend(file);
    };
    assert_eq!(given("type = string", &set), "\"file\"");
    let null = |vars: &mut Vars| {
        vars.extend(parse_var_file("f", "x = null\n").expect("a file"));
    };
    assert_eq!(given("default = 5", &null), "null");
    assert_eq!(given("default = 5\nnullable = false", &null), "5");
    assert!(given("nullable = false", &null).starts_with("L052 variable \"x\" cannot be null"));
}

#[test]
fn files_of_values() {
    let vars =
        parse_var_file("prod.hcl", "# c\n\na = 1\nb = [1, { c = \"x\" }]\n").expect("values");
    let names: Vec<(&str, &str)> =
        vars.iter().map(|(name, input)| (name, input.from.as_str())).collect();
    assert_eq!(names, [("a", "prod.hcl:3"), ("b", "prod.hcl:4")]);
    let codes = |text: &str| -> Vec<&str> {
        let problems = parse_var_file("f", text).expect_err("problems");
        problems.iter().map(|problem| problem.code).collect()
    };
    assert_eq!(codes("a = \n"), ["L001"]);
    assert_eq!(codes("variable \"a\" {}\nb = var.x\n"), ["L055", "L020"]);
    assert!(!format!("{vars:?}").contains('x'), "{vars:?}");
}
