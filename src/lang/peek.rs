//! A guess at the region of a stack, made without parsing anything.
//!
//! Names hold the account, and the account is asked for in the region: with a good guess
//! a large configuration is evaluated once instead of twice. Whoever uses it compares it
//! with the evaluated stack block, so that a wrong one costs time and nothing else.

/// What stands as `region = "…"` in the only thing that looks like a stack block.
pub fn peek_region<'t>(texts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let mut blocks = texts.flat_map(blocks);
    let block = blocks.next()?;
    if blocks.next().is_some() {
        return None;
    }
    let value = block.match_indices("region").find_map(|(at, word)| {
        let rest = block[at + word.len()..].trim_start().strip_prefix('=')?;
        let (value, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(value)
    })?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!value.is_empty() && value.bytes().all(plain)).then_some(value)
}

/// From every `stack "` at the start of a line to the next closing brace there.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("stack").filter_map(move |(at, word)| {
        let starts = at == 0 || text[..at].ends_with('\n');
        let opens = text[at + word.len()..].trim_start_matches([' ', '\t']).starts_with('"');
        let end = text[at..].find("\n}").map_or(text.len(), |end| at + end);
        (starts && opens).then(|| &text[at..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_region_is_guessed_and_nothing_else() {
        let peek = |texts: &[&'static str]| peek_region(texts.iter().copied());
        let plain = "# stack\nstack \"s\" {\n  region  = \"us-east-1\" # home\n}\n";
        assert_eq!(peek(&["bucket \"a\" {}\n", plain]), Some("us-east-1"));
        assert_eq!(peek(&["stack \"s\" { region = \"eu-west-1\" }\n"]), Some("eu-west-1"));
        assert_eq!(peek(&["stack \"s\" {\n  region = var.region\n}\n"]), None);
        assert_eq!(peek(&["stack \"s\" {\n  region = \"${var.r}\"\n}\n"]), None);
        assert_eq!(peek(&["stack \"s\" {\n}\nlocals {\n  region = \"us-east-1\"\n}\n"]), None);
        assert_eq!(peek(&[plain, plain]), None);
        assert_eq!(peek(&["", "stack", "stack \"é"]), None);
    }
}
