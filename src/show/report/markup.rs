//! Untrusted text in pages: what a browser, a renderer of Markdown or a reader of SVG would
//! obey is escaped here.

use crate::show::screen::Untrusted;

/// Text within HTML or SVG, also within a quoted attribute.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in Untrusted(text).to_string().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No document of XML 1.0 may hold these (https://www.w3.org/TR/xml/#charsets).
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text within a line of Markdown. A character by its number is never structure
/// (<https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references>), and in
/// `<code>` nobody is mentioned and nothing linked.
pub(super) fn markdown(text: &str) -> String {
    let text: Vec<char> = Untrusted(text).to_string().chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(' ');
        let after = text.get(at + 1).copied().unwrap_or(' ');
        let harmless = match c {
            '-' => at > 0,
            '/' | ',' | '(' | ')' | ';' => true,
            // Neither `www.` nor the number of an item.
            '.' => !("wW".contains(before) || (before.is_ascii_digit() && after == ' ')),
            // Not `https:`.
            ':' => after == ' ',
            c => !c.is_ascii_punctuation(),
        };
        if harmless {
            out.push(*c);
        } else {
            out.push_str(&format!("&#{};", u32::from(*c)));
        }
    }
    out
}

/// The same as a name.
pub(super) fn name(text: &str) -> String {
    format!("<code>{}</code>", markdown(text))
}

/// Lines between fences that are longer than anything in them.
pub(super) fn fenced(language: &str, lines: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in lines.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_browser_obeys_passes() {
        let bad = "<script>alert('x')</script> & \"quoted\" \u{202e}\u{ffff}";
        let shown = xml(bad);
        assert!(!shown.contains(['<', '>', '"', '\'', '\u{202e}', '\u{ffff}']), "{shown}");
        assert!(shown.starts_with("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;"));
    }

    #[test]
    fn nothing_that_markdown_obeys_passes() {
        let bad = "`a` | *b* _c_ [d](e) @everyone #1 https://x.y <b>\n# h";
        let shown = markdown(bad);
        let left: String = shown
            .chars()
            .filter(|c| c.is_ascii_punctuation() && !"&#;-/,().".contains(*c))
            .collect();
        assert_eq!(left, "", "{shown}");
        assert!(!shown.contains('\n') && shown.contains("&#64;everyone"), "{shown}");
        assert_eq!(markdown("www.x.y"), "www&#46;x.y");
        assert_eq!(markdown("- a"), "&#45; a");
        assert_eq!(markdown("1. a"), "1&#46; a");
        assert_eq!(markdown("Plan: 2 to add, at 09:30"), "Plan: 2 to add, at 09&#58;30");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("diff", "a\n"), "```diff\na\n```\n");
        assert_eq!(fenced("", "x ```` y"), "`````\nx ```` y\n`````\n");
    }
}
