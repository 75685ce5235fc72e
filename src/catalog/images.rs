//! Images by name: whose they are, what they are called, and which public SSM parameters
//! name them.

use super::Maker;

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

/// An image that everybody knows.
struct Known {
    short: &'static str,
    owner: &'static str,
    pattern: &'static str,
    /// The public parameter whose value is the newest one's id; none where its publisher
    /// has one per version only.
    parameter: Option<&'static str>,
    /// Whose accelerators it has the driver of; none for an image without any, which an author's
    /// own set-up may bring: it then runs before the boot check (`stack/machine/boot.sh`).
    driver: Option<Maker>,
    /// What it calls its root disk
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>).
    device: &'static str,
    /// GiB that a root disk of it must have room for. The Deep Learning AMIs are published with
    /// a hundred (<https://github.com/aws/deep-learning-containers/pull/2425>).
    size: u32,
}

/// Canonical, the publisher of Ubuntu.
const CANONICAL: &str = "099720109477";

/// What all of them are for.
const X86_64: &str = "x86_64";

const IMAGES: &[Known] = &[
    Known {
        short: "al2023",
        owner: "amazon",
        pattern: "al2023-ami-2023.*-kernel-6.1-x86_64",
        parameter: Some("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64"),
        driver: None,
        device: "/dev/xvda",
        size: 8,
    },
    Known {
        short: "dlami-base",
        owner: "amazon",
        pattern: "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *",
        parameter: Some(
            "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id",
        ),
        driver: Some(Maker::Nvidia),
        device: "/dev/sda1",
        size: 100,
    },
    // Names and parameters of the images for Trainium and Inferentia:
    // https://awsdocs-neuron.readthedocs-hosted.com/en/latest/dlami/index.html
    Known {
        short: "dlami-neuron",
        owner: "amazon",
        pattern: "Deep Learning AMI Neuron (Ubuntu 24.04) *",
        parameter: Some("/aws/service/neuron/dlami/multi-framework/ubuntu-24.04/latest/image_id"),
        driver: Some(Maker::Neuron),
        device: "/dev/sda1",
        size: 100,
    },
    Known {
        short: "dlami-pytorch",
        owner: "amazon",
        pattern: "Deep Learning OSS Nvidia Driver AMI GPU PyTorch * (Ubuntu 22.04) *",
        parameter: None,
        driver: Some(Maker::Nvidia),
        device: "/dev/sda1",
        size: 100,
    },
    Known {
        short: "ubuntu-24.04",
        owner: CANONICAL,
        pattern: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*",
        parameter: Some(
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        ),
        driver: None,
        device: "/dev/sda1",
        size: 8,
    },
];

/// How to find the image of that name; a name that no table knows is the pattern itself,
/// among the account's own images and Amazon's.
pub fn image_query(name: &str) -> ImageQuery {
    match IMAGES.iter().find(|known| known.short == name) {
        Some(known) => ImageQuery {
            owners: vec![known.owner.to_owned()],
            name: known.pattern.to_owned(),
            architecture: Some(X86_64.to_owned()),
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
    IMAGES.iter().map(|known| known.short)
}

/// The image that has that name here, or whose parameter that is.
fn known(name: &str) -> Option<&'static Known> {
    IMAGES.iter().find(|known| known.short == name || known.parameter == Some(name))
}

/// Whose accelerators an image has the driver of, and so no others; none where that is not known,
/// or where it has none.
pub fn image_driver(name: &str) -> Option<Maker> {
    known(name)?.driver
}

/// Whether an image that has a name here comes without any driver.
pub fn image_lacks_driver(name: &str) -> bool {
    known(name).is_some_and(|known| known.driver.is_none())
}

/// What an image calls its root disk, and how many GiB that must have room for; none of an image
/// that has no name here.
pub fn image_disk(name: &str) -> Option<(&'static str, u32)> {
    known(name).map(|known| (known.device, known.size))
}

/// The architecture of an image that has a name here; none of any other.
pub fn image_architecture(name: &str) -> Option<&'static str> {
    known(name).map(|_| X86_64)
}

/// Whether a name is one of an SSM parameter: no pattern of images begins with a slash.
pub fn is_parameter(name: &str) -> bool {
    name.starts_with('/')
}

/// Whether a text is an image's id.
pub fn is_image_id(text: &str) -> bool {
    let digits = text.strip_prefix("ami-").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The short name of the image that a public parameter names.
pub fn image_of_parameter(parameter: &str) -> Option<&'static str> {
    let known = IMAGES.iter().find(|known| known.parameter == Some(parameter))?;
    Some(known.short)
}

/// Whether a parameter is called as those in which the publishers of images name them:
/// for the Deep Learning AMIs, those of Neuron, Ubuntu and Amazon Linux.
pub fn is_public_image_parameter(parameter: &str) -> bool {
    let Some(path) = parameter.strip_prefix("/aws/service/") else { return false };
    let any_of = |ends: &[&str], text: &str| ends.iter().any(|end| text.ends_with(end));
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["deeplearning", "ami", "x86_64" | "arm64", name, "latest", "ami-id"] => any_of(
            &["-ubuntu-22.04", "-ubuntu-24.04", "-amazon-linux-2", "-amazon-linux-2023"],
            name,
        ),
        ["neuron", "dlami", _, system, "latest", "image_id"] => {
            ["ubuntu-22.04", "ubuntu-24.04", "amazon-linux-2023"].contains(system)
        }
        [
            "canonical",
            "ubuntu",
            "server",
            release,
            "stable",
            "current",
            arch,
            "hvm",
            disk,
            "ami-id",
        ] => {
            ["20.04", "22.04", "24.04", "focal", "jammy", "noble"].contains(release)
                && ["amd64", "arm64"].contains(arch)
                && ["ebs-gp2", "ebs-gp3"].contains(disk)
        }
        ["ami-amazon-linux-latest", name] => {
            let family = name.starts_with("al2023-ami-") || name.starts_with("amzn2-ami-");
            let bare = name.trim_end_matches("-gp2").trim_end_matches("-ebs");
            family && any_of(&["-x86_64", "-arm64"], bare)
        }
        _ => false,
    }
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

    #[test]
    fn parameters_of_the_table_are_shaped_as_their_publishers_shape_them() {
        let parameters: Vec<_> = IMAGES.iter().filter_map(|known| known.parameter).collect();
        assert_eq!(parameters.len(), 4);
        for parameter in parameters {
            assert!(is_parameter(parameter) && is_public_image_parameter(parameter), "{parameter}");
            assert!(image_of_parameter(parameter).is_some());
        }
        for not in [
            "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended",
            "/aws/service/deeplearning/ami/x86_64/base-oss-ubuntu-22.04/latest",
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs/ami-id",
            "/aws/service/ami-amazon-linux-latest/al2023",
            "/aws/service/neuron/dlami/base/ubuntu-24.04/latest/ami-id",
            "/acme/gpu",
            "al2023",
        ] {
            assert!(!is_public_image_parameter(not), "{not}");
        }
    }

    #[test]
    fn an_image_says_whose_accelerators_it_drives() {
        let neuron = "/aws/service/neuron/dlami/multi-framework/ubuntu-24.04/latest/image_id";
        for name in ["dlami-neuron", neuron] {
            assert_eq!(image_driver(name), Some(Maker::Neuron), "{name}");
        }
        for name in ["dlami-base", "dlami-pytorch"] {
            assert_eq!(image_driver(name), Some(Maker::Nvidia), "{name}");
        }
        for name in ["ubuntu-24.04", "al2023", "ami-0abc123", "acme-train-*", "/acme/gpu"] {
            assert_eq!(image_driver(name), None, "{name}");
            // Of what nobody knows here nothing is said.
            let known = ["ubuntu-24.04", "al2023"].contains(&name);
            assert_eq!(image_lacks_driver(name), known, "{name}");
        }
        assert_eq!(image_architecture("al2023"), Some("x86_64"));
        assert_eq!(image_architecture("ami-0abc123"), None);
    }

    #[test]
    fn an_id_is_no_name() {
        for (text, is) in
            [("ami-0abc123", true), ("ami-", false), ("ami-golden", false), ("x", false)]
        {
            assert_eq!(is_image_id(text), is, "{text}");
        }
    }
}
