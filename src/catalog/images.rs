//! Images by name: whose they are and what they are called.

/// How to find an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageQuery {
    /// Accounts or aliases; always given, because anybody can publish an image under
    /// any name.
    pub owners: Vec<String>,
    /// The pattern of its name; the newest one that matches is taken.
    pub name: String,
    /// The processor's architecture, when the pattern alone does not say it.
    pub architecture: Option<String>,
}

/// Canonical, the publisher of Ubuntu.
const CANONICAL: &str = "099720109477";

/// Short name, owner, pattern.
const IMAGES: &[(&str, &str, &str)] = &[
    ("al2023", "amazon", "al2023-ami-2023.*-kernel-6.1-x86_64"),
    ("dlami-base", "amazon", "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *"),
    (
        "dlami-pytorch",
        "amazon",
        "Deep Learning OSS Nvidia Driver AMI GPU PyTorch * (Ubuntu 22.04) *",
    ),
    ("ubuntu-24.04", CANONICAL, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"),
];

/// How to find the image of that name; a name that no table knows is the pattern itself,
/// among the account's own images and Amazon's.
pub fn image_query(name: &str) -> ImageQuery {
    match IMAGES.iter().find(|(short, _, _)| *short == name) {
        Some((_, owner, pattern)) => ImageQuery {
            owners: vec![(*owner).to_owned()],
            name: (*pattern).to_owned(),
            architecture: Some("x86_64".to_owned()),
        },
        None => ImageQuery {
            owners: vec!["self".to_owned(), "amazon".to_owned()],
            name: name.to_owned(),
            architecture: None,
        },
    }
}

/// The short names.
pub fn image_names() -> impl Iterator<Item = &'static str> {
    IMAGES.iter().map(|(short, _, _)| *short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_always_asked_for() {
        assert_eq!(image_query("ubuntu-24.04").owners, [CANONICAL]);
        let other = image_query("acme-train-*");
        assert_eq!(other.name, "acme-train-*");
        assert_eq!(other.owners, ["self", "amazon"]);
    }
}
