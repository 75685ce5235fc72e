//! Texts as HCL writes them.

/// In quotes, with whatever would mean something in them written out. An answer is one line
/// without control characters ([`super::question::Question`] sees to that).
pub(super) fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

/// A text behind a comment's mark, folded to a page's width.
pub(super) fn comment(indent: usize, text: &str) -> String {
    const WIDTH: usize = 92;
    let pad = " ".repeat(indent);
    let (mut out, mut line) = (String::new(), format!("{pad}#"));
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&format!("{line}\n"));
            line = format!("{pad}#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted("${x} %{y} $z"), "\"$${x} %%{y} $z\"");
    }

    #[test]
    fn comments_are_folded() {
        let text = "word ".repeat(40);
        assert!(comment(2, &text).lines().all(|line| line.starts_with("  # ") && line.len() <= 92));
        assert_eq!(comment(0, "a b"), "# a b\n");
    }
}
