//! Credentials, which stay where they are.

use std::fmt;

/// A credential. It can be used, and cannot be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// It, for whoever has to send it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// A text without it, also where it stands in it escaped or in base64.
    pub(super) fn scrub(&self, text: &str) -> String {
        use base64::Engine as _;
        let coded = base64::engine::general_purpose::STANDARD.encode(&self.0);
        let escaped = format!("{:?}", self.0);
        let inner = escaped.trim_matches('"').to_owned();
        [self.0.clone(), inner, coded]
            .iter()
            .filter(|form| !form.is_empty())
            .fold(text.to_owned(), |text, form| text.replace(form.as_str(), "(secret)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let secret = Secret::new("hun\"ter2");
        assert_eq!(format!("{secret:?}"), "(secret)");
        let text = "said hun\"ter2, \"hun\\\"ter2\" and aHVuInRlcjI=";
        assert_eq!(secret.scrub(text), "said (secret), \"(secret)\" and (secret)");
    }
}
