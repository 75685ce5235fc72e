//! What is said about text that is not HCL, and where.

use super::testing::problems;

#[test]
fn messages_say_what_was_opened_and_what_to_write() {
    for (text, expect) in [
        (
            "locals {\n  a = \"x\n  b = 1\n}\n",
            "L001 a string is not closed on its line @ main.hcl:2:7 `\"x` [opened here] (end it with `\"`; text of several lines is written as <<EOT … EOT)",
        ),
        ("locals {\n  a = \"${upper(\"x\")\"\n}\n", "L001 a string is not closed on its line"),
        (
            "locals {\n  a = <<EOT\n  x\n}\n",
            "L001 a heredoc is not closed @ main.hcl:2:7 `<<EOT` [opened here] (put EOT alone on a line after the text)",
        ),
        (
            "locals {\n  a = [1, 2\n}\n",
            "L001 `}` does not close `[` @ main.hcl:3:1 `}` [expected `]`] @ main.hcl:2:7 `[` [opened here]",
        ),
        (
            "locals {\n  a = 1\n",
            "L001 `{` is not closed @ main.hcl:1:8 `{` [opened here] (add `}`)",
        ),
        (
            "locals {\n  a = 1\n}\n}\n",
            "L001 `}` closes nothing @ main.hcl:4:1 `}` [nothing is open here] (remove it, or look for a bracket that was closed too early)",
        ),
        (
            "/* x\n",
            "L001 a comment is not closed @ main.hcl:1:1 `/*` [opened here] (end it with `*/`)",
        ),
        (
            "locals {\n  a = upper(\n",
            "L001 `(` is not closed @ main.hcl:2:12 `(` [opened here] (add `)`)",
        ),
        ("locals {\n  a =\n}\n", "L001 unexpected end of the line @ main.hcl:2:6"),
        (
            "locals {\n  a = 'x'\n}\n",
            "L001 unexpected `\\'` @ main.hcl:2:7 `'` [expected a value] (strings stand in double quotes: \"…\")",
        ),
        ("locals {\n  a = 1;\n}\n", "L001 unexpected `;` @ main.hcl:2:8"),
        ("locals {\n  a = 1,\n}\n", "L001 unexpected `,` @ main.hcl:2:8"),
        (
            "locals {\n  a: 1\n}\n",
            "L001 unexpected `:` @ main.hcl:2:4 `:` [expected `=` or `{`] (an attribute is written `name = value`)",
        ),
        ("locals\n{\n}\n", "L001 unexpected end of the line @ main.hcl:1:7"),
        ("locals {\n  a = \"\\q\"\n}\n", "L001 unexpected"),
        ("locals { a = 1, b = 2 }\n", "L001 unexpected `,` @ main.hcl:1:15"),
        ("locals {\n  a = [1 2]\n}\n", "L001 unexpected `2` @ main.hcl:2:10 `2`"),
        ("locals {\n  a = { b = 1 c = 2 }\n}\n", "L001 unexpected `c` @ main.hcl:2:15 `c`"),
        ("locals {\n  a = 1 2\n}\n", "L001 unexpected `2` @ main.hcl:2:9 `2`"),
        (
            "locals {\n  a = { b = 1, b = 2 }\n}\n",
            "L014 a key stands twice in this object @ main.hcl:2:16 `b`",
        ),
        ("locals {\n  a = \"%{ if true }x\"\n}\n", "L001"),
        ("locals {\n  a = 1 +\n}\n", "L001 unexpected"),
        ("locals {\n  a = b ? c\n}\n", "L001 unexpected end of the line @ main.hcl:2:12"),
        ("locals {\n  a = [for x in y]\n}\n", "L001 unexpected `]` @ main.hcl:2:18"),
    ] {
        let said = problems(text);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].starts_with(expect), "{text}\n{}\n{expect}", said[0]);
    }
}

#[test]
fn other_files_are_still_read() {
    // The file with an error has one problem; names that it might declare are not missed.
    let said = problems("locals {\n  a = \n}\n");
    assert_eq!(said.len(), 1, "{said:?}");
}
