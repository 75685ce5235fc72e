//! The names in the files of the AWS configuration: `[profile x]` in `config`, `[x]` in
//! `credentials`
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>). Secrets are not read.

use super::around::Profile;

/// The profiles of both files, in the order of their places; a profile in both is one.
pub fn profiles(config: &str, credentials: &str) -> Vec<Profile> {
    let mut out: Vec<Profile> = Vec::new();
    for (text, prefixed) in [(config, true), (credentials, false)] {
        let mut at: Option<usize> = None;
        for line in text.lines() {
            if let Some(head) = section(line) {
                at = name(head, prefixed).map(|name| place(&mut out, name));
            } else if let (Some(at), Some(region)) = (at, region(line)) {
                out[at].region.get_or_insert(region);
            }
        }
    }
    out
}

fn place(out: &mut Vec<Profile>, name: String) -> usize {
    out.iter().position(|known| known.name == name).unwrap_or_else(|| {
        out.push(Profile { name, region: None });
        out.len() - 1
    })
}

/// What stands in the brackets of a line.
fn section(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('[')?;
    Some(rest.split(']').next()?.trim())
}

/// In `config` every profile but `default` has the word `profile` in front; other sections
/// (`sso-session`, `services`) are none.
fn name(head: &str, prefixed: bool) -> Option<String> {
    let name = match head.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])) {
        Some(rest) if prefixed => rest.trim(),
        Some(_) | None if prefixed && head != "default" => return None,
        Some(_) | None => head,
    };
    let name = name.trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

/// The value of `region = …`; an indented line belongs to a setting above it.
fn region(line: &str) -> Option<String> {
    if line.starts_with([' ', '\t', '#', ';']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let value = value.split(" #").next()?.split(" ;").next()?.trim();
    (key.trim().eq_ignore_ascii_case("region") && !value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_of_both_files_are_found_and_nothing_else() {
        let config = "# mine\n[default]\nregion = eu-west-1 # home\n\n[profile llm]\nsso_session = x\n\
                      s3 =\n  region = no\n[sso-session x]\nregion = us-west-2\n[services y]\n\
                      [profile \"two words\"]\nregion=ap-south-1\n[stray]\nregion = nowhere\n";
        let credentials = "[default]\naws_secret_access_key = hunter2\n[old]\nregion = us-east-2\n";
        let found = profiles(config, credentials);
        let found: Vec<_> =
            found.iter().map(|it| (it.name.as_str(), it.region.as_deref())).collect();
        let wanted = [
            ("default", Some("eu-west-1")),
            ("llm", None),
            ("two words", Some("ap-south-1")),
            ("old", Some("us-east-2")),
        ];
        assert_eq!(found, wanted);
        assert_eq!(profiles("", ""), []);
    }
}
