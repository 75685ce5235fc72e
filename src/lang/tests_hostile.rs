//! Input that no person writes. Every case ends in a problem (or is simply right) and none in
//! an abort: each is parsed, evaluated and dropped here.

use super::testing::{STACK_TEXT, load_text, load_with_stack};
use super::{Vars, fmt, limits, parse_var_file};

fn codes(text: &str) -> Vec<&'static str> {
    let _ = fmt(text);
    load_with_stack(text).problems.iter().map(|problem| problem.code).collect()
}

fn local(expression: &str) -> String {
    format!("locals {{\n  a = {expression}\n}}\n")
}

/// `before` many times, then `core`, then `after` as many times.
fn around(before: &str, core: &str, after: &str, count: usize) -> String {
    local(&format!("{}{core}{}", before.repeat(count), after.repeat(count)))
}

#[test]
fn deep_nesting_is_refused() {
    for count in [30, 62, 65, 1_000, 100_000] {
        for (before, core, after) in [
            ("[", "1", "]"),
            ("(", "1", ")"),
            ("{a=", "1", "}"),
            ("[[", "", "]]"),
            ("abs(", "1", ")"),
            ("!", "true", ""),
            ("-", "1", ""),
            ("true?", "1", ":2"),
            ("\"${", "1", "}\""),
            ("true?1:", "2", ""),
            ("[for x in ", "[]", ":x]"),
            ("x[", "0", "]"),
            ("\"%{if true}", "x", "%{endif}\""),
            ("<<E\n${", "1", "}\nE\n"),
        ] {
            let found = codes(&around(before, core, after, count));
            // Just below the limit it must end soon, whatever it says.
            assert!(count < 65 || !found.is_empty(), "{before} {count}");
        }
    }
    for count in [70, 100_000] {
        let text =
            local(&format!("\"{}x{}\"", "%{ if true }".repeat(count), "%{ endif }".repeat(count)));
        assert_eq!(codes(&text), ["L002"]);
        assert!(!codes(&"bucket \"x\" {\n".repeat(count)).is_empty());
        let closed = format!("{}{}", "a {\n".repeat(count), "}\n".repeat(count));
        assert_eq!(codes(&closed), ["L002"]);
        // Nothing is closed.
        for open in ["[", "(", "{", "\"${", "<<E\n"] {
            assert!(!codes(&local(&open.repeat(count))).is_empty(), "{open}");
        }
    }
}

#[test]
fn long_chains_end() {
    for operator in ["+", "&&", "==", "-", "*"] {
        let term = if operator == "&&" { "true" } else { "1" };
        let text = local(&vec![term; 300_000].join(operator));
        assert_eq!(codes(&text), ["L002"], "{operator}");
    }
    assert_eq!(codes(&local(&format!("{{}}{}", ".a".repeat(50_000)))), ["L033"]);
    assert_eq!(codes(&local(&format!("[1]{}", "[*]".repeat(100_000)))), ["L002"]);
    assert_eq!(codes(&local(&format!("[1]{}", ".*".repeat(100_000)))), ["L002"; 0]);
    assert_eq!(codes(&local(&format!("[0]{}", "[0]".repeat(30_000)))), ["L033"]);
    assert!(codes(&local(&format!("[{}]", "1,".repeat(60_000)))).is_empty());
    assert!(codes(&local(&format!("\"{}\"", "${1}".repeat(30_000)))).is_empty());
    assert_eq!(codes(&local(&format!("max({})", "1,".repeat(30_000)))), ["L002"; 0]);
    assert_eq!(codes(&local("1".repeat(1_000_000).as_str())), ["L032"]);
}

#[test]
fn a_long_chain_of_locals_is_no_recursion() {
    let mut text = "locals {\n  a0 = 1\n".to_owned();
    for place in 1..20_000 {
        text.push_str(&format!("  a{place} = local.a{}\n", place - 1));
    }
    assert!(codes(&(text + "}\n")).is_empty());
    let mut text = "locals {\n  a0 = 1\n".to_owned();
    for place in 1..5_000 {
        text.push_str(&format!("  a{place} = [local.a{}]\n", place - 1));
    }
    assert_eq!(codes(&(text + "}\n")), ["L002"]);
    let mut text = "locals {\n  a0 = local.a19999\n".to_owned();
    for place in 1..20_000 {
        text.push_str(&format!("  a{place} = local.a{}\n", place - 1));
    }
    assert_eq!(codes(&(text + "}\n")), ["L021"]);
}

#[test]
fn sizes_are_limited() {
    let large = format!("# {}\n", "x".repeat(limits::FILE_BYTES));
    assert_eq!(codes(&large), ["L002"]);
    let blocks = "b \"x\" {}\n".repeat(limits::BLOCKS + 1);
    assert_eq!(codes(&blocks), ["L002"]);
    let wide: String = (0..50_000).map(|place| format!("a{place}=1,")).collect();
    assert_eq!(codes(&local(&format!("{{{wide}}}"))), ["L002"]);
    let long: String = (0..50_000).map(|place| format!("a{place} = 1\n")).collect();
    assert!(codes(&format!("locals {{\n{long}}}\n")).is_empty());
    let heredoc = local(&format!("<<E\n{}E\n", "line\n".repeat(50_000)));
    assert!(codes(&heredoc).is_empty());
}

#[test]
fn odd_characters() {
    assert_eq!(codes("locals {\n  a = \"x\0y\"\n}\n"), ["L003"]);
    assert!(codes("\u{feff}locals {\r\n  a = 1\r\n  b = \"x\" # c\r\n}\r\n").is_empty());
    assert!(codes("locals {\n  ä = \"日本 😀\"\n  b = local.ä\n}\n").is_empty());
    assert!(!codes("locals {\n  a = \u{feff}1\n}\n").is_empty());
    assert!(!codes("\u{202e}locals {\n}\n").is_empty());
    for text in [
        "\r", "\r\r\r", "\\", "\"", "'", "`", "$", "${", "%{", "<<", "<<-", "/*", "//", "=", "a",
        "a b", "a =", "{", "}", "é", "😀 = 1",
    ] {
        let _ = codes(text);
        let _ = codes(&local(text));
        let _ = parse_var_file("f", text);
    }
}

#[test]
fn every_cut_of_a_file_is_survived() {
    let text = "stack \"a\" {\n  region = \"é${upper(\"x\")}\" # c\n}\nlocals {\n  a = <<-E\n    %{ for x in [1, 2] ~}\n    ${x}\n    %{ endfor ~}\n  E\n  b = { for k, v in {} : k => v... if true }\n  c = [1, 2][*]\n /* x */ d = a ? b : c\n}\n";
    for at in 0..text.len() {
        if text.is_char_boundary(at) {
            let loaded = load_text(&text[..at], &Vars::new());
            for problem in &loaded.problems {
                for label in &problem.labels {
                    let (_, source) = loaded.sources.get(label.span.source).expect("a file");
                    assert!(source.get(label.span.range.clone()).is_some(), "{problem:?}");
                }
            }
            let _ = fmt(&text[..at]);
        }
    }
}

#[test]
fn ten_thousand_blocks_are_evaluated() {
    let mut text = STACK_TEXT.to_owned();
    text.push_str("locals {\n  tags = { team = \"ml\", cost = \"1\" }\n}\n");
    for place in 0..9_990 {
        text.push_str(&format!(
            "bucket \"b{place}\" {{\n  versioning = true\n  note = \"n-${{bucket.b0.name}}\"\n  tags = local.tags\n}}\n"
        ).replace("bucket.b0.name", if place == 0 { "local.tags.team" } else { "bucket.b0.name" }));
    }
    let loaded = load_text(&text, &Vars::new());
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.blocks.len(), 9_990);
}

/// A small random number generator: the same cases in every run.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 40).unwrap_or(0)
}

#[test]
fn random_changes_are_survived() {
    let text = "locals {\n  a = <<-E\n    %{ if x ~}${f(1, \"b\")}%{ endif }\n  E\n  b = { for k, v in {a = 1} : k => v... if true }\n  c = [1, -2][*].x[0]\n  d = a ? \"b${~ c ~}\" : !c && 1 >= 2 % 3 /* x */\n}\n";
    let parts = [
        "\"", "${", "}", "{", "[", "]", "(", ")", "\n", "<<E\n", "E\n", "%{", "~", "*", ".", "...",
        "=", "=>", "?", ":", ",", "-", "for ", "é", "#", "/*", "*/", "\\", "1e9", "\r\n",
    ];
    let mut state = 7;
    for _ in 0..1_500 {
        let mut mutated: Vec<char> = text.chars().collect();
        for _ in 0..=next(&mut state) % 3 {
            let at = next(&mut state) % mutated.len();
            match next(&mut state) % 3 {
                0 => {
                    mutated.remove(at);
                }
                1 => {
                    let part = parts[next(&mut state) % parts.len()];
                    mutated.splice(at..at, part.chars());
                }
                _ => {
                    let end = (at + next(&mut state) % 9).min(mutated.len());
                    mutated.drain(at..end);
                }
            }
        }
        let mutated: String = mutated.into_iter().collect();
        let _ = load_text(&mutated, &Vars::new());
        if let Ok(once) = fmt(&mutated) {
            assert_eq!(fmt(&once).as_ref(), Ok(&once), "{mutated}");
        } else if let Err(problems) = fmt(&mutated) {
            assert!(problems.iter().all(|problem| problem.code != "L099"), "{mutated}");
        }
    }
}
